import socket
import time
import tracemalloc

import pytest

from tests.tools import evidence
from tests.vaultadmin.outbound import peers
from tests.vaultadmin.outbound.bad_peers import BIG_BODIES, BIG_FRAMES, DRIPS, OK
from tests.vaultadmin.outbound.peers import HOST, drip, hang, raw
from vaultadmin.outbound import ErrorKind, Policy
from vaultadmin.outbound.policy import Endpoint

DEADLINE = 0.3
# The promise is one second. A busy machine may take longer to notice; a door that waited for its peer never ends.
GRACE = 1 if evidence.FOLDER else 15
TWENTY_MB = 20_000_000


def send(door, body=b"x"):
    started = time.monotonic()
    answer = door.send("POST", f"https://{HOST}/", body=body, deadline=DEADLINE)
    return answer, time.monotonic() - started


def memory_taken(door):
    tracemalloc.start()
    send(door)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    return peak


@pytest.mark.parametrize("script", DRIPS.values(), ids=DRIPS.keys())
def test_peer_that_drips_or_hangs_is_left_at_the_deadline(script, open_door, serve, policy_for):
    answer, took = send(open_door(policy_for(serve(script))))

    assert took < DEADLINE + GRACE
    assert (answer.kind, answer.reached, answer.ok) == (ErrorKind.TIMEOUT, True, False)
    assert answer.elapsed == pytest.approx(took, abs=GRACE)


@pytest.mark.parametrize("deadline", [0, -1, 0.0001])
def test_deadline_already_passed_ends_at_once(deadline, open_door, serve, policy_for):
    answer = open_door(policy_for(serve(hang))).send("POST", f"https://{HOST}/", deadline=deadline)

    assert (answer.kind, answer.status) == (ErrorKind.TIMEOUT, None)
    assert answer.elapsed < GRACE


def test_slow_body_keeps_its_status(open_door, serve, policy_for):
    answer, _ = send(open_door(policy_for(serve(DRIPS["body"]))))

    assert answer.status == 200
    assert set(answer.body) <= set(b"z")
    assert not answer.outcome_unknown


def test_silence_after_the_request_leaves_the_outcome_unknown(open_door, serve, policy_for):
    answer, _ = send(open_door(policy_for(serve(hang))))

    assert answer.outcome_unknown


@pytest.mark.parametrize("speech", [hang, drip(b"", b"\x16\x03\x03")], ids=["silent", "dripping"])
def test_peer_that_never_finishes_the_handshake_is_left_at_the_deadline(speech, open_door, serve, policy_for):
    answer, took = send(open_door(policy_for(serve(speech, None))))

    assert took < DEADLINE + GRACE
    assert not answer.reached
    assert answer.kind in (ErrorKind.TIMEOUT, ErrorKind.TLS)


def test_address_that_swallows_connections_is_left_at_the_deadline(open_door, ca_bundle):
    with socket.socket() as listener, socket.socket() as first, socket.socket() as second:
        listener.bind(("127.0.0.1", 0))
        listener.listen(0)
        place = listener.getsockname()
        for filler in (first, second):
            filler.setblocking(False)
            filler.connect_ex(place)
        policy = Policy(routes={(HOST, 443): Endpoint(*place)}, ca_bundle=ca_bundle)

        answer, took = send(open_door(policy))

    assert took < DEADLINE + GRACE
    assert (answer.kind, answer.reached) == (ErrorKind.TIMEOUT, False)


def test_peer_that_does_not_read_the_request_is_left_at_the_deadline(open_door, serve, policy_for, monkeypatch):
    monkeypatch.setattr(peers, "read_request", lambda sock: b"")
    peer = serve(hang)

    answer, took = send(open_door(policy_for(peer)), b"x" * 30_000_000)

    assert took < DEADLINE + GRACE
    assert answer.kind == ErrorKind.TIMEOUT
    assert answer.reached


@pytest.mark.parametrize("script", BIG_BODIES.values(), ids=BIG_BODIES.keys())
def test_endless_body_is_cut_and_the_connection_dropped(script, open_door, serve, policy_for):
    peer = serve(script)
    door = open_door(policy_for(peer))

    answer, took = send(door)

    assert took < DEADLINE + GRACE
    assert memory_taken(door) < TWENTY_MB
    assert (answer.status, answer.kind, answer.truncated, len(answer.body)) == (200, ErrorKind.TOO_BIG, True, 65_536)
    assert not answer.ok
    assert peer.connections == 2


@pytest.mark.parametrize("script", BIG_FRAMES.values(), ids=BIG_FRAMES.keys())
def test_endless_framing_is_cut_within_time_and_memory(script, open_door, serve, policy_for):
    door = open_door(policy_for(serve(script)))

    answer, took = send(door)

    assert took < DEADLINE + GRACE
    assert memory_taken(door) < TWENTY_MB
    assert not answer.ok
    assert answer.kind in (ErrorKind.TOO_BIG, ErrorKind.BAD_ANSWER, ErrorKind.TIMEOUT)


@pytest.mark.parametrize(("size", "kind"), [(65_535, None), (65_536, None), (65_537, ErrorKind.TOO_BIG)])
def test_body_is_kept_up_to_its_limit(size, kind, open_door, serve, policy_for):
    peer = serve(raw(OK + b"Content-Length: %d\r\n\r\n" % size + b"b" * size))

    answer, _ = send(open_door(policy_for(peer)))

    assert (answer.kind, len(answer.body), answer.truncated) == (kind, min(size, 65_536), kind is not None)
