"""An installation whose messages are counted: to a receiver of another make, and from one vault to another."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from datetime import timedelta
from pathlib import Path

import psycopg
import trustme

from connections import signed_json
from connections.spark.verifying import SignatureRefused, read_request
from tests.connections.sending.captured import Captured
from tests.embedded.conftest import own_folder
from tests.flows.drilled import Killer
from tests.flows.spark_world import ACROSS, ARRIVALS, HOST, OUTWARD
from tests.tools import planting
from tests.tools.installation import Installation
from tests.vaultadmin.outbound.peers import Peer, answer, server_context
from vaultadmin.embedded.processes import wait_until

URL = f"https://{HOST}/spark?tenant=a"
NOTHING_WRONG = {
    "not delivered": 0,
    "not received": 0,
    "signatures that do not fit": 0,
    "not stored once": 0,
    "not processed once": 0,
    "out of order": 0,
    "without evidence": 0,
    "miscounted": 0,
}


@contextmanager
def installation(folder: Path) -> Iterator[tuple[Installation, Peer]]:
    """It runs, and so does the receiver, which takes a moment for every answer."""
    authority = trustme.CA()
    authority.cert_pem.write_to_path(folder / "ca.pem")

    def slowly(sock, peer):
        peer.stopping.wait(0.01)
        return answer(b"")(sock, peer)

    with ExitStack() as stack:
        peer = Peer(server_context(authority.issue_cert(HOST)), slowly)
        stack.callback(peer.close)
        routes = f"{HOST}:443=127.0.0.1:{peer.port}"
        variables = {"VAULTADMIN_OUTBOUND_RESOLVE": routes, "VAULTADMIN_CA_BUNDLE": str(folder / "ca.pem")}
        running = Installation(stack.enter_context(own_folder()), **variables)
        planting.plant(running)
        stack.callback(running.end)
        running.start()
        yield running, peer


def begin(running: Installation, amount: int) -> None:
    """Build the world and put its messages, which leave when the last one is there."""
    program = f"from tests.flows import spark_world; spark_world.begin({amount})"
    running.manage("shell", "-v", "0", "-c", program, seconds=120 + amount)


def move_clock(running: Installation, by: timedelta = timedelta(hours=1)) -> None:
    """What a clock that is moved ahead looks like: everything stored is so much longer ago.

    Locks are taken in the order of those who send, and nobody is in between of anything meanwhile.
    """
    changes = {
        table: ", ".join(f"{column} = {column} - interval '{by.total_seconds()} s'" for column in columns)
        for table, columns in _INSTANTS.items()
    }
    updates = "; ".join(f"UPDATE {table} SET {values}" for table, values in changes.items())

    def moved() -> bool:
        with suppress(psycopg.OperationalError):
            running.rows(f"BEGIN; LOCK TABLE {', '.join(changes)}; {updates}; COMMIT")
            return True
        return False

    assert wait_until(moved, seconds=300, every=0.5), "the clock could not be moved"


def settled(running: Installation) -> int:
    """How many steps of messages are over: delivered or processed. None can be seen while PostgreSQL is away."""
    with suppress(psycopg.OperationalError):
        return int(running.rows(_SETTLED)[0][0])
    return 0


def steps(amount: int) -> int:
    """How many steps it takes until everything has arrived: a delivery a queue, and the work on what came across."""
    return amount * (len(OUTWARD) + 2)


def wait_for_steps(running: Installation, number: int, *, patience: float) -> bool:
    """Wait for so many steps, however long they take, unless none is made for as long as the patience lasts."""
    return _wait_while_it_moves(running, lambda: settled(running) >= number, patience)


def wait_for_rest(running: Installation, *, patience: float) -> bool:
    """Wait in the same way until nothing is on its way any more."""
    return _wait_while_it_moves(running, lambda: at_rest(running), patience)


def _wait_while_it_moves(running: Installation, over: Callable[[], bool], patience: float) -> bool:
    seen = settled(running)

    def further() -> bool:
        return settled(running) > seen

    while not over():
        if not wait_until(further, seconds=patience, every=0.25):
            return over()
        seen = settled(running)
    return True


def at_rest(running: Installation) -> bool:
    """Whether nothing is on its way any more. While PostgreSQL is away nobody knows, and something may be."""
    with suppress(psycopg.OperationalError):
        return running.rows(_OPEN) == [(0, 0)]
    return False


def strike(killer: Killer, kind: str) -> None:
    """Kill a process of this kind, or move the clock."""
    if kind == "clock":
        move_clock(killer.running)
        killer.done.append(kind)
    else:
        killer.kill(kind)


def send_again(running: Installation, peer: Peer) -> int:
    """What three senders died over is set aside for people, who ask the receiver and send again what did not arrive."""
    arrived = _believed(running, peer)[0] | {ACROSS: _stored(running)}
    lost = [(queue, item) for queue, item in _set_aside(running) if item not in arrived[queue]]
    if lost:
        program = f"from tests.flows import spark_world; spark_world.send_again({lost})"
        running.manage("shell", "-v", "0", "-c", program)
    return len(lost)


def judged(running: Installation, peer: Peer, amount: int) -> dict[str, int]:
    """What is wrong, counted; the words are those of NOTHING_WRONG."""
    received, forged = _believed(running, peer)
    stored = _stored(running)
    expected = [f"{number:05}" for number in range(amount)]
    late = _set_aside(running)
    orders = [("in_a_row__c", received["in_a_row__c"]), (ACROSS, stored), (ACROSS, _filed(running))]
    return {
        "not delivered": (len(OUTWARD) + 1) * amount - running.rows(_DELIVERED)[0][0],
        "not received": sum(len(set(expected) - set(found)) for found in received.values()),
        "signatures that do not fit": forged,
        "not stored once": abs(len(stored) - amount) + len(set(expected) ^ set(stored)),
        "not processed once": abs(running.rows(_FILED)[0][0] - amount),
        "out of order": sum(
            [item for item in found if (queue, item) not in late]
            != [item for item in expected if (queue, item) not in late]
            for queue, found in orders
        ),
        "without evidence": running.rows(_NO_EVIDENCE)[0][0],
        "miscounted": int(sum(abs(difference) for (difference,) in running.rows(_MISCOUNTED))),
    }


def _believed(running: Installation, peer: Peer) -> tuple[dict[str, list[str]], int]:
    """What the receiver got, by queue and in its order, and how much of it bore a signature that does not fit.

    An at-least-once sender repeats itself; what counts is when it came first.
    """
    [(pem,)] = running.rows("SELECT pem FROM connections_signingcertificate WHERE certificate_id = '00001'")
    key = signed_json.public_key(signed_json.read_certificate(pem))
    received: dict[str, dict[str, None]] = {name: {} for name in OUTWARD}
    forged = 0
    for raw in list(peer.requests):
        request = Captured(raw)
        try:
            read_request(list(request.headers.items()), urls=[URL]).verify(request.body, key)
        except SignatureRefused:
            forged += 1
            continue
        body = json.loads(request.body)
        received[body["queue_name"]].setdefault(body["message"]["items"][0])
    return {name: list(items) for name, items in received.items()}, forged


def _stored(running: Installation) -> list[str]:
    return [item for (item,) in running.rows(_STORED, ARRIVALS)]


def _set_aside(running: Installation) -> list[tuple[str, str]]:
    return [(queue, item) for queue, item in running.rows(_SET_ASIDE)]


def repeated(running: Installation, peer: Peer, amount: int) -> dict[str, int]:
    """What came more than once, as it may: calls the receiver took, and tries of all messages."""
    return {
        "calls beyond one": len(peer.requests) - len(OUTWARD) * amount,
        "tries beyond one": running.rows(_TRIES)[0][0] - (len(OUTWARD) + 1) * amount,
    }


def _filed(running: Installation) -> list[str]:
    return [item for (item,) in running.rows(_FILED_ITEMS)]


_INSTANTS = {
    "connections_lane": ("paused_until", "lease_until", "taken_at"),
    "connections_messagecopy": ("entered_at", "due_at", "lease_until"),
    "connections_incomingmessage": ("received_at", "due_at", "lease_until"),
}
_OPEN = """
SELECT (SELECT count(*) FROM connections_messagecopy WHERE due_at IS NOT NULL),
       (SELECT count(*) FROM connections_incomingmessage WHERE due_at IS NOT NULL)
"""
_SETTLED = """
SELECT (SELECT count(*) FROM connections_messagecopy WHERE due_at IS NULL)
       + (SELECT count(*) FROM connections_incomingmessage WHERE due_at IS NULL)
"""
# Of one that was set aside the receiver's ledger says whether it arrived.
_DELIVERED = """
SELECT count(DISTINCT content_id) FROM connections_messagecopy WHERE state IN ('delivered', 'set_aside')
"""
_SET_ASIDE = """
SELECT q.name, m.keys[1] FROM connections_messagecopy c
  JOIN connections_queue q ON q.id = c.queue_id JOIN connections_sparkmessage m ON m.id = c.content_id
 WHERE c.state = 'set_aside'
"""
_STORED = """
SELECT m.keys[1] FROM connections_incomingmessage m JOIN connections_queue q ON q.id = m.queue_id
 WHERE q.name = %s ORDER BY m.id
"""
_FILED = "SELECT count(*) FROM connections_filedmessage"
_FILED_ITEMS = """
SELECT m.keys[1] FROM connections_filedmessage f JOIN connections_incomingmessage m ON m.id = f.message_id ORDER BY f.id
"""
_TRIES = "SELECT count(*) FROM connections_deliveryattempt"
_NO_EVIDENCE = """
SELECT count(*) FROM connections_messagecopy c
 WHERE c.state <> 'set_aside'
   AND NOT EXISTS (SELECT 1 FROM connections_deliveryattempt a
                      WHERE a.copy_id = c.id AND a.outcome = 'delivered' AND a.ended_at IS NOT NULL)
"""
# What still waits by the tallies, and by how much the day's counters are off, with what is noted for them.
_MISCOUNTED = """
SELECT sum(waiting) FROM connections_queuetally
UNION ALL
SELECT (SELECT sum(sent) FROM connections_connectionstats)
       - (SELECT count(*) FROM connections_messagecopy WHERE state = 'delivered')
UNION ALL
SELECT (SELECT COALESCE(sum(received), 0) FROM connections_connectionstats)
       + (SELECT count(*) FROM connections_arrival)
       - (SELECT count(*) FROM connections_incomingmessage)
"""
