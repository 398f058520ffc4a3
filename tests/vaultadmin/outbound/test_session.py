import logging

import pytest
import requests

from tests.vaultadmin.outbound.peers import HOST, answer, raw, server_context
from vaultadmin.outbound import Door, ErrorKind, connection
from vaultadmin.outbound.budget import Budget
from vaultadmin.outbound.outgoing import Outgoing
from vaultadmin.outbound.request import prepare
from vaultadmin.outbound.session import PinnedSession
from vaultadmin.outbound.trip import Trip

URL = f"https://{HOST}/"
OK = b"HTTP/1.1 200 OK\r\n"
TRAP = "http://127.0.0.1:1"


@pytest.mark.parametrize(
    "resource",
    ["/", "//x", "/a/../b/./c", "/%2e%2E/%2f", "/a;b=c,d", "/?", "/?a=%2f&b=../", "/x?y=%c3%a9", "/~'()*!$&+=:@"],
)
def test_path_and_query_go_out_as_written(resource, open_door, serve, policy_for):
    peer = serve(answer())

    assert open_door(policy_for(peer)).send("GET", f"https://{HOST}{resource}").ok
    assert peer.requests[0].split()[1].decode() == ("/" if resource == "/?" else resource)


@pytest.mark.parametrize("name", ["X-Vault", "User-Agent"])
def test_header_value_is_never_taken_for_an_order(name, open_door, serve, policy_for):
    peer = serve(answer())

    assert open_door(policy_for(peer)).send("GET", URL, headers={name: "@@@SKIP_HEADER@@@"}).ok
    assert f"{name}: @@@SKIP_HEADER@@@".lower().encode() in peer.requests[0].lower()


def test_two_lengths_that_differ_are_no_answer(open_door, serve, policy_for):
    peer = serve(raw(OK + b"Content-Length: 1\r\nContent-Length: 2\r\n\r\nab"))

    assert open_door(policy_for(peer)).send("GET", URL).kind == ErrorKind.BAD_ANSWER


@pytest.mark.parametrize(("method", "kind", "sent"), [("GET", None, 3), ("POST", ErrorKind.RESET, 2)])
def test_only_what_changes_nothing_is_sent_again(method, kind, sent, open_door, serve, policy_for):
    def script(sock, peer):
        return len(peer.requests) != 2 and answer()(sock, peer)

    peer = serve(script)
    door = open_door(policy_for(peer))
    door.send("GET", URL)

    assert door.send(method, URL).kind == kind
    assert len(peer.requests) == sent


def test_connection_idle_for_long_is_not_used_again(serve, policy_for, monkeypatch):
    monkeypatch.setattr(connection, "IDLE_SECONDS", 0)
    peer = serve(answer())

    with Door(policy_for(peer)) as door:
        assert [door.send("GET", URL).ok for _ in range(3)] == [True] * 3

    assert peer.connections == 3


def test_odd_headers_of_an_answer_leave_no_line_in_the_log(open_door, serve, policy_for, caplog):
    peer = serve(raw(OK + b"Content-Length: 2\r\nno colon here\r\n\r\nok"))

    with caplog.at_level(logging.DEBUG):
        open_door(policy_for(peer)).send("GET", f"{URL}?secret=hunter2")

    assert "hunter2" not in caplog.text
    assert "no colon" not in caplog.text


def test_session_sends_nothing_that_was_not_judged(serve, policy_for, dials):
    with PinnedSession(policy_for(serve(answer()))) as session, pytest.raises(TypeError):
        session.get(URL)

    assert dials == []


def test_session_speaks_https_only(serve, policy_for, dials):
    with PinnedSession(policy_for(serve(answer()))) as session, pytest.raises(requests.exceptions.InvalidSchema):
        session.get(f"http://{HOST}/")

    assert dials == []


def test_session_cannot_be_talked_out_of_checking(authority, serve, policy_for):
    peer = serve(answer(), server_context(authority.issue_cert("other.example.com")))
    policy = policy_for(peer)
    judged = prepare(policy, "GET", URL, body=b"", headers=None, allow_hosts=None)

    with PinnedSession(policy) as session:
        session.verify = False
        session.proxies = {"https": TRAP, "all": TRAP}
        with pytest.raises(requests.exceptions.SSLError):
            session.send(Outgoing(judged, Budget(5), Trip()), verify=False, proxies={"https": TRAP})

    assert (peer.connections, peer.requests) == (1, [])
