import asyncio
import gzip
import os
import threading

import pytest

from tests.vaultadmin.outbound.peers import HOST, answer, raw, server_context
from vaultadmin.outbound import AsyncDoor, Door, ErrorKind, Policy
from vaultadmin.outbound.policy import Endpoint

URL = f"https://{HOST}/api?q=a%2Fb&c=../x"
OK = b"HTTP/1.1 200 OK\r\n"


@pytest.mark.parametrize("method", ["GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"])
def test_request_arrives_as_written(method, open_door, serve, policy_for):
    peer = serve(answer(b'{"ok":true}', headers=("Content-Type: application/json", "X-Two: a", "X-Two: b")))
    door = open_door(policy_for(peer))

    result = door.send(method, URL, body=b"\x00body", headers={"X-Vault": "1001", "Content-Type": "text/plain"})

    head, _, body = peer.requests[0].partition(b"\r\n\r\n")
    lines = head.decode().lower().split("\r\n")
    assert lines[0] == f"{method} /api?q=a%2Fb&c=../x HTTP/1.1".lower()
    assert body == b"\x00body"
    assert sorted(lines[1:]) == [
        "accept-encoding: identity",
        "content-length: 5",
        "content-type: text/plain",
        f"host: {HOST}",
        "user-agent: vaultadmin",
        "x-vault: 1001",
    ]
    assert result.ok
    assert (result.status, result.body, result.headers["x-two"]) == (200, b'{"ok":true}', "a, b")
    assert (result.error, result.kind, result.truncated, result.reached) == ("", None, False, True)
    assert result.dialled == f"127.0.0.1:{peer.port}"


@pytest.mark.parametrize("status", ["400 Bad Request", "401 Unauthorized", "404 Not Found", "500 Oops", "503 Busy"])
def test_error_status_is_an_answer_like_any_other(status, open_door, serve, policy_for):
    result = open_door(policy_for(serve(answer(b"why", status)))).send("POST", URL)

    assert (result.status, result.body, result.kind, result.ok) == (int(status[:3]), b"why", None, False)


@pytest.mark.parametrize(
    ("method", "reply"),
    [("GET", raw(b"HTTP/1.1 204 No Content\r\n\r\n")), ("HEAD", raw(OK + b"Content-Length: 1000\r\n\r\n"))],
    ids=["204", "HEAD"],
)
def test_answer_without_a_body_is_complete(method, reply, open_door, serve, policy_for):
    result = open_door(policy_for(serve(reply))).send(method, URL, deadline=3)

    assert result.ok
    assert result.body == b""


def test_interim_answer_is_passed_over(open_door, serve, policy_for):
    peer = serve(raw(b"HTTP/1.1 100 Continue\r\n\r\n" + OK + b"Content-Length: 2\r\n\r\nok"))

    assert open_door(policy_for(peer)).send("POST", URL, body=b"x").body == b"ok"


BROKEN = {
    "HTML without HTTP": (b"<html>hello</html>\r\n\r\n", ErrorKind.BAD_ANSWER),
    "HTTP/0.9": (b"hello\r\n", ErrorKind.BAD_ANSWER),
    "another protocol": (b"SSH-2.0-OpenSSH_9.6\r\n\r\n", ErrorKind.BAD_ANSWER),
    "broken status": (b"HTTP/1.1 two hundred\r\n\r\n", ErrorKind.BAD_ANSWER),
    "switching protocols": (b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\n\r\n", ErrorKind.BAD_ANSWER),
    "impossible status": (b"HTTP/1.1 999 No\r\nContent-Length: 0\r\n\r\n", ErrorKind.BAD_ANSWER),
    "nothing": (b"", ErrorKind.RESET),
    "half a status line": (b"HTTP/1.1 2", None),
    "half a body": (OK + b"Content-Length: 10\r\n\r\nhalf", ErrorKind.RESET),
    "half a chunk": (OK + b"Transfer-Encoding: chunked\r\n\r\nff\r\nhalf", ErrorKind.RESET),
    "chunks without end": (OK + b"Transfer-Encoding: chunked\r\n\r\n1\r\nx\r\n", ErrorKind.RESET),
    "broken chunk size": (OK + b"Transfer-Encoding: chunked\r\n\r\nzz\r\nx\r\n0\r\n\r\n", None),
}


@pytest.mark.parametrize(("reply", "kind"), BROKEN.values(), ids=BROKEN.keys())
def test_broken_answer_is_told_and_never_raised(reply, kind, open_door, serve, policy_for):
    result = open_door(policy_for(serve(raw(reply)))).send("POST", URL, body=b"x", deadline=3)

    assert result.reached
    assert not result.ok
    assert result.error.endswith(".")
    assert result.kind == kind if kind else result.kind in (ErrorKind.RESET, ErrorKind.BAD_ANSWER)


@pytest.mark.parametrize("coding", ["gzip", "deflate", "br", "x-custom", "gzip, gzip"])
def test_compressed_answer_is_refused_and_never_unpacked(coding, open_door, serve, policy_for):
    bomb = gzip.compress(b"0" * 10_000_000)
    peer = serve(answer(bomb, headers=(f"Content-Encoding: {coding}",)))

    result = open_door(policy_for(peer)).send("POST", URL)

    assert (result.status, result.kind, result.body) == (200, ErrorKind.BAD_ANSWER, b"")


@pytest.mark.parametrize(
    "headers",
    [
        {"X": "a\r\nHost: evil.test"},
        {"X": "a\nb"},
        {"X\r\nY": "a"},
        {"X:": "a"},
        {"": "a"},
        {"X": "\u20ac"},
        {"X": "\u00e9"},
        {"X": "a\x00"},
        {"X": " a"},
        {"Host": "evil.test"},
        {"Content-Length": "0"},
        {"transfer-encoding": "chunked"},
        {"Connection": "close"},
        {"Expect": "100-continue"},
        {"Accept-Encoding": "gzip"},
        {"X": "a", "x": "b"},
    ],
)
def test_request_that_could_be_read_as_two_is_not_sent(headers, open_door, serve, policy_for):
    peer = serve(answer())

    result = open_door(policy_for(peer)).send("POST", URL, headers=headers)

    assert (result.kind, result.reached, peer.connections) == (ErrorKind.BAD_REQUEST, False, 0)


@pytest.mark.parametrize("method", ["", "get", "GET /x", "TRACE", "CONNECT", "G\r\nET"])
def test_method_we_do_not_speak_is_not_sent(method, open_door, serve, policy_for):
    peer = serve(answer())

    result = open_door(policy_for(peer)).send(method, URL)

    assert (result.kind, peer.connections) == (ErrorKind.BAD_REQUEST, 0)


def test_caller_may_name_itself(open_door, serve, policy_for):
    peer = serve(answer())

    open_door(policy_for(peer)).send("GET", URL, headers={"user-agent": "sync/1"})

    assert peer.requests[0].lower().count(b"user-agent:") == 1
    assert b"sync/1" in peer.requests[0]


def test_connection_is_kept_for_the_next_request(open_door, serve, policy_for, dials):
    peer = serve(answer())
    door = open_door(policy_for(peer))

    answers = [door.send("POST", URL, body=b"x") for _ in range(5)]

    assert all(result.ok for result in answers)
    assert {result.dialled for result in answers} == {f"127.0.0.1:{peer.port}"}
    assert len(dials) == peer.connections == 1


@pytest.mark.parametrize("headers", [("Connection: close",), ()])
def test_connection_the_peer_ends_is_opened_anew(headers, open_door, serve, policy_for):
    peer = serve(answer(headers=headers, keep=False))
    door = open_door(policy_for(peer))

    for _ in range(4):
        result = door.send("GET", URL, deadline=5)
        assert result.ok

    assert len(peer.requests) == 4


def test_unasked_bytes_after_an_answer_never_become_the_next_answer(open_door, serve, policy_for):
    forged = OK + b"Content-Length: 6\r\n\r\nforged"
    first = True

    def script(sock, peer):
        nonlocal first
        sock.sendall(OK + b"Content-Length: 4\r\n\r\ntrue" + (forged if first else b""))
        first = False
        return True

    door = open_door(policy_for(serve(script)))

    assert [door.send("GET", URL, deadline=5).body for _ in range(3)][-1] == b"true"
    assert b"forged" not in [door.send("GET", URL, deadline=5).body for _ in range(3)]


def test_threads_share_a_door_without_sharing_connections(serve, policy_for):
    peer = serve(answer())
    bodies: list[bytes] = []

    with Door(policy_for(peer)) as door:

        def work():
            bodies.extend(door.send("POST", URL, body=b"x").body for _ in range(10))
            door.close()

        threads = [threading.Thread(target=work) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    assert bodies == [b"hello"] * 40
    assert peer.connections == 4


def test_forked_process_opens_connections_of_its_own(serve, policy_for):
    peer = serve(answer())

    with Door(policy_for(peer)) as door:
        door.send("POST", URL)
        child = os.fork()
        if child == 0:
            os._exit(0 if door.send("POST", URL).ok else 1)
        _, status = os.waitpid(child, 0)
        after = door.send("POST", URL)

    assert os.waitstatus_to_exitcode(status) == 0
    assert after.ok
    assert peer.connections == 2


def test_idle_connections_of_a_thread_are_bounded(serve, ca_bundle, authority):
    names = [f"n{number}.example.com" for number in range(12)]
    peer = serve(answer(), server_context(authority.issue_cert(*names)))
    routes = {(name, 443): Endpoint("127.0.0.1", peer.port) for name in names}

    with Door(Policy(routes=routes, ca_bundle=ca_bundle)) as door:
        for name in names:
            assert door.send("GET", f"https://{name}/").ok
        oldest_is_opened_anew = door.send("GET", f"https://{names[0]}/")
        newest_was_kept = door.send("GET", f"https://{names[-1]}/")

    assert oldest_is_opened_anew.ok
    assert newest_was_kept.ok
    assert peer.connections == 13


def test_many_requests_at_once_stay_within_the_limit(serve, policy_for):
    peer = serve(answer())

    async def run():
        async with AsyncDoor(4, policy=policy_for(peer)) as door:
            return await asyncio.gather(*(door.send("POST", URL, body=b"%d" % n) for n in range(60)))

    answers = asyncio.run(run())

    assert all(result.ok for result in answers)
    assert peer.connections <= 4
    assert {request.partition(b"\r\n\r\n")[2] for request in peer.requests} == {b"%d" % n for n in range(60)}


def test_waiting_for_a_turn_does_not_use_up_the_deadline(serve, policy_for):
    def slow(sock, peer):
        peer.stopping.wait(0.2)
        return answer()(sock, peer)

    peer = serve(slow)

    async def run():
        async with AsyncDoor(1, policy=policy_for(peer)) as door:
            return await asyncio.gather(*(door.send("POST", URL, deadline=1) for _ in range(7)))

    assert all(result.ok for result in asyncio.run(run()))


def test_cancelled_request_leaves_the_door_usable(serve, policy_for):
    first = True

    def script(sock, peer):
        nonlocal first
        if first:
            first = False
            peer.stopping.wait(20)
            return False
        return answer()(sock, peer)

    peer = serve(script)

    async def run():
        async with AsyncDoor(1, policy=policy_for(peer)) as door:
            with pytest.raises(TimeoutError):
                await asyncio.wait_for(door.send("POST", URL), 0.3)
            return await door.send("POST", URL)

    assert asyncio.run(run()).ok


def test_door_that_was_not_entered_says_so(policy_for, serve):
    door = AsyncDoor(1, policy=policy_for(serve(answer())))

    with pytest.raises(RuntimeError, match="must be entered"):
        asyncio.run(door.send("GET", URL))
