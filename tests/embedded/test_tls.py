import datetime
import socket
import ssl
import stat
from concurrent.futures import ThreadPoolExecutor

import pytest

from vaultadmin.embedded import paths
from vaultadmin.embedded.tls import development_tls

NOW = datetime.datetime.now(datetime.UTC)


@pytest.fixture
def layout(tmp_path):
    return paths(tmp_path)


@pytest.mark.parametrize("name", ["ecoa.demo.test", "localhost"])
def test_client_that_trusts_the_authority_reaches_each_name(layout, name):
    files = development_tls(layout, now=NOW)
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.load_cert_chain(files.certificate, files.key)
    client = ssl.create_default_context(cafile=str(files.authority))
    left, right = socket.socketpair()

    with ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(server.wrap_socket, left, server_side=True)
        with client.wrap_socket(right, server_hostname=name) as connection, waiting.result(timeout=10):
            assert connection.version() == "TLSv1.3"


def test_keys_are_private_and_the_authority_keeps_none(layout):
    files = development_tls(layout, now=NOW)

    assert stat.S_IMODE(files.key.stat().st_mode) == 0o600
    assert sorted(file.name for file in layout.tls.iterdir()) == ["ca.pem", "server.key", "server.pem"]


def test_certificate_is_kept_while_it_is_good(layout):
    first = development_tls(layout, now=NOW).certificate.read_bytes()

    assert development_tls(layout, now=NOW + datetime.timedelta(days=300)).certificate.read_bytes() == first


def test_certificate_near_its_end_is_renewed(layout):
    first = development_tls(layout, now=NOW).certificate.read_bytes()

    assert development_tls(layout, now=NOW + datetime.timedelta(days=380)).certificate.read_bytes() != first


@pytest.mark.parametrize("name", ["ca.pem", "server.pem", "server.key"])
def test_damaged_file_is_replaced_with_the_whole_set(layout, name):
    development_tls(layout, now=NOW)
    (layout.tls / name).write_text("damaged")

    files = development_tls(layout, now=NOW)

    ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(files.certificate, files.key)
