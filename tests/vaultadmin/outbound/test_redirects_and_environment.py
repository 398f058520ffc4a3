import threading

import pytest

from tests.vaultadmin.outbound.corpus import REDIRECTS
from tests.vaultadmin.outbound.peers import HOST, Peer, answer, raw
from vaultadmin.outbound import ErrorKind


@pytest.mark.parametrize(("status", "location"), REDIRECTS)
def test_redirect_is_not_followed_but_shown_as_a_failure(status, location, open_door, serve, policy_for, dials):
    trap = serve(answer(b"trapped"))
    peer = serve(answer(b"", status, (f"Location: {location}",)))
    door = open_door(policy_for(peer, trap))

    result = door.send("POST", f"https://{HOST}/start", body=b"secret", deadline=5)

    assert (result.status, result.kind) == (int(status[:3]), ErrorKind.REDIRECT)
    assert not result.ok
    assert result.reached
    assert (len(peer.requests), trap.requests) == (1, [])
    assert {port for _, port in dials} == {peer.port}


def test_body_of_a_redirect_is_not_read_without_bound(open_door, serve, policy_for):
    head = b"HTTP/1.1 302 Found\r\nLocation: /x\r\nContent-Length: 1073741824\r\n\r\n"
    peer = serve(raw(head + b"x" * 300_000))

    result = open_door(policy_for(peer)).send("GET", f"https://{HOST}/", deadline=5)

    assert (result.status, result.kind, len(result.body)) == (302, ErrorKind.REDIRECT, 65_536)


@pytest.fixture
def proxy():
    asked = threading.Event()
    peer = Peer(None, lambda sock, peer: asked.set())
    yield peer
    peer.close()


@pytest.mark.parametrize("no_proxy", [None, "*", "example.org"])
def test_proxies_of_the_environment_are_ignored(no_proxy, open_door, serve, policy_for, proxy, monkeypatch):
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"):
        monkeypatch.setenv(name, f"http://127.0.0.1:{proxy.port}")
        monkeypatch.setenv(name.lower(), f"http://127.0.0.1:{proxy.port}")
    if no_proxy:
        monkeypatch.setenv("NO_PROXY", no_proxy)
    peer = serve(answer())

    assert open_door(policy_for(peer)).send("GET", f"https://{HOST}/").ok
    assert proxy.connections == 0


def test_credentials_of_a_netrc_file_are_not_sent(open_door, serve, policy_for, tmp_path, monkeypatch):
    netrc = tmp_path / ".netrc"
    netrc.write_text(f"machine {HOST} login thief password hunter2\ndefault login thief password hunter2\n")
    netrc.chmod(0o600)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("NETRC", str(netrc))
    peer = serve(answer())

    assert open_door(policy_for(peer)).send("GET", f"https://{HOST}/").ok
    assert b"authorization" not in peer.requests[0].lower()


@pytest.mark.parametrize("variable", ["SSL_CERT_FILE", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"])
def test_authorities_of_the_environment_are_not_trusted(variable, open_door, serve, policy_for, ca_bundle, monkeypatch):
    monkeypatch.setenv(variable, ca_bundle)
    peer = serve(answer())

    result = open_door(policy_for(peer, trusting="")).send("POST", f"https://{HOST}/", body=b"secret")

    assert (result.kind, result.reached, peer.requests) == (ErrorKind.TLS, False, [])


def test_cookies_are_neither_kept_nor_sent(open_door, serve, policy_for):
    peer = serve(answer(headers=("Set-Cookie: session=1; Path=/",)))
    door = open_door(policy_for(peer))

    door.send("GET", f"https://{HOST}/")
    door.send("GET", f"https://{HOST}/")

    assert len(peer.requests) == 2
    assert b"cookie" not in peer.requests[1].lower()
