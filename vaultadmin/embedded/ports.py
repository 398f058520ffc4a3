"""Ports: are they free, and does what listens there say it is ready?"""

import errno
import json
import socket
from http.client import HTTPConnection, HTTPException

from vaultadmin.embedded.errors import EmbeddedError

_HOST = "127.0.0.1"


def require_free(port: int, *, meant_for: str) -> None:
    """Raise a sentence when the port cannot be had."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        # What a server that has just stopped leaves behind (TIME_WAIT) is not taken.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((_HOST, port))
        except OSError as error:
            if error.errno == errno.EADDRINUSE:
                raise EmbeddedError(f"Port {port} ({meant_for}) is taken: set PORT to another number.") from error
            raise EmbeddedError(f"Port {port} ({meant_for}) cannot be used: {error.strerror}; set PORT.") from error


def readiness(port: int) -> tuple[bool, list[str]]:
    """Ask `/readyz`: ready or not, and the names of what is not."""
    connection = HTTPConnection(_HOST, port, timeout=10)
    try:
        connection.request("GET", "/readyz", headers={"Host": "localhost"})
        answer = connection.getresponse()
        checks = json.loads(answer.read()).get("checks", {})
    except (OSError, HTTPException, ValueError):
        return False, ["web"]
    finally:
        connection.close()
    return answer.status == 200, [name for name, check in checks.items() if not check.get("ok")]
