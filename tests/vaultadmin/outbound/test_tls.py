import socket
import ssl
import warnings

import pytest

from tests.vaultadmin.outbound.bad_peers import BAD_PEERS
from tests.vaultadmin.outbound.peers import HOST, answer, raw, server_context
from vaultadmin.outbound import ErrorKind


@pytest.mark.parametrize("make", BAD_PEERS.values(), ids=BAD_PEERS.keys())
def test_peer_that_does_not_prove_who_it_is_gets_nothing(make, authority, open_door, serve, policy_for):
    peer = serve(answer(), make(authority))

    result = open_door(policy_for(peer)).send("POST", f"https://{HOST}/", body=b"secret")

    assert (result.kind, result.reached, result.status) == (ErrorKind.TLS, False, None)
    assert HOST in result.error
    assert result.error.endswith(".")
    assert peer.requests == []


def test_old_protocol_is_refused_by_us_and_not_by_the_machine(authority, serve, ca_bundle):
    peer = serve(answer(), server_context(authority.issue_cert(HOST), highest="TLSv1_1"))
    lenient = ssl.create_default_context(cafile=ca_bundle)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        lenient.minimum_version = ssl.TLSVersion.TLSv1_1
    lenient.set_ciphers("ALL:@SECLEVEL=0")

    with (
        socket.create_connection(("127.0.0.1", peer.port), 5) as plain,
        lenient.wrap_socket(plain, server_hostname=HOST) as secured,
    ):
        assert secured.version() == "TLSv1.1"


def test_tls_1_2_is_still_spoken(authority, open_door, serve, policy_for):
    context = server_context(authority.issue_cert(HOST))
    context.maximum_version = ssl.TLSVersion.TLSv1_2
    peer = serve(answer(), context)

    assert open_door(policy_for(peer)).send("GET", f"https://{HOST}/").ok


def test_name_of_the_url_is_announced_to_the_peer(authority, open_door, serve, policy_for):
    announced = []
    context = server_context(authority.issue_cert(HOST))
    context.sni_callback = lambda sock, name, context: announced.append(name)
    peer = serve(answer(), context)

    open_door(policy_for(peer)).send("GET", f"https://{HOST}/")

    assert announced == [HOST]


@pytest.mark.parametrize("speech", [b"HTTP/1.1 400 Bad Request\r\n\r\n", b"220 ready\r\n", b"\x00" * 64])
def test_peer_that_does_not_speak_tls_gets_nothing(speech, open_door, serve, policy_for):
    peer = serve(raw(speech), None)

    result = open_door(policy_for(peer)).send("POST", f"https://{HOST}/", body=b"secret", deadline=3)

    assert (result.reached, result.status) == (False, None)
    assert result.kind in (ErrorKind.TLS, ErrorKind.CONNECT)


@pytest.mark.parametrize("content", [None, b"not a certificate"])
def test_unusable_bundle_is_told_and_nothing_is_sent(content, open_door, serve, policy_for, tmp_path):
    bundle = tmp_path / "ca.pem"
    if content is not None:
        bundle.write_bytes(content)
    peer = serve(answer())

    result = open_door(policy_for(peer, trusting=str(bundle))).send("GET", f"https://{HOST}/")

    assert (result.kind, result.reached) == (ErrorKind.TLS, False)
    assert "VAULTADMIN_CA_BUNDLE" in result.error
