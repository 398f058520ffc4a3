import socket

import pytest

from vaultadmin.embedded import EmbeddedError
from vaultadmin.embedded.ports import readiness, require_free


def test_taken_port_is_refused_with_a_sentence():
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]

        with pytest.raises(EmbeddedError, match=rf"^Port {port} \(http\) is taken: set PORT to another number\.$"):
            require_free(port, meant_for="http")


def test_nothing_listening_is_not_ready():
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))

        assert readiness(other.getsockname()[1]) == (False, ["web"])
