"""An installation whose messages are counted: to a receiver of another make, and from one vault to another."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from datetime import timedelta
from pathlib import Path

import psycopg
import trustme

from connections import signed_json
from connections.spark.verifying import SignatureRefused, read_request
from tests.connections.sending.captured import Captured
from tests.embedded.conftest import own_folder
from tests.flows.spark_world import ACROSS, ARRIVALS, HOST, OUTWARD
from tests.tools import planting
from tests.tools.installation import Installation
from tests.vaultadmin.outbound.peers import Peer, answer, server_context
from vaultadmin.embedded.processes import wait_until

URL = f"https://{HOST}/spark?tenant=a"
_AT_ONCE = 250
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
    """Build the world and put its messages: few in one command, as that starts longer than it works."""
    sender = _run(running, f"begin({min(amount, _AT_ONCE)})").strip()
    for start in range(_AT_ONCE, amount, _AT_ONCE):
        _run(running, f"more({sender}, {start}, {min(start + _AT_ONCE, amount)})")


def _run(running: Installation, call: str) -> str:
    return running.manage("shell", "-v", "0", "-c", f"from tests.flows import spark_world; spark_world.{call}").stdout


def jump(running: Installation, by: timedelta) -> None:
    """What a clock that is moved ahead looks like: everything stored is so much longer ago."""
    for table, columns in _INSTANTS.items():
        changes = ", ".join(f"{column} = {column} - %s::interval" for column in columns)
        running.rows(f"UPDATE {table} SET {changes}", *[by] * len(columns))


def wait_for_rest(running: Installation, *, seconds: float) -> bool:
    """Wait until nothing is on its way any more."""

    def at_rest() -> bool:
        with suppress(psycopg.OperationalError):
            return running.rows(_OPEN) == [(0, 0)]
        return False

    return wait_until(at_rest, seconds=seconds)


def judged(running: Installation, peer: Peer, amount: int) -> dict[str, int]:
    """What is wrong, counted; the words are those of NOTHING_WRONG."""
    [(pem,)] = running.rows("SELECT pem FROM connections_signingcertificate WHERE certificate_id = '00001'")
    key = signed_json.public_key(signed_json.read_certificate(pem))
    received: dict[str, list[str]] = {name: [] for name in OUTWARD}
    forged = 0
    for raw in peer.requests:
        request = Captured(raw)
        try:
            read_request(list(request.headers.items()), urls=[URL]).verify(request.body, key)
        except SignatureRefused:
            forged += 1
            continue
        body = json.loads(request.body)
        # An at-least-once sender repeats itself; what counts is when it came first.
        if body["message"]["items"][0] not in received[body["queue_name"]]:
            received[body["queue_name"]].append(body["message"]["items"][0])
    stored = [items for (items,) in running.rows(_STORED, ARRIVALS)]
    expected = [f"{number:05}" for number in range(amount)]
    return {
        "not delivered": 3 * amount - running.rows(_DELIVERED)[0][0],
        "not received": sum(len(set(expected) - set(found)) for found in received.values()),
        "signatures that do not fit": forged,
        "not stored once": abs(len(stored) - amount) + len(set(expected) ^ set(stored)),
        "not processed once": abs(running.rows(_FILED)[0][0] - amount),
        "out of order": sum(found != expected for found in (received["in_a_row__c"], stored, _filed(running))),
        "without evidence": running.rows(_NO_EVIDENCE)[0][0],
        "miscounted": sum(abs(difference) for (difference,) in running.rows(_MISCOUNTED)),
    }


def _filed(running: Installation) -> list[str]:
    return [item for (item,) in running.rows(_FILED_ITEMS)]


_INSTANTS = {
    "connections_messagecopy": ("entered_at", "due_at", "lease_until"),
    "connections_incomingmessage": ("received_at", "due_at", "lease_until"),
    "connections_lane": ("paused_until", "lease_until", "taken_at"),
}
_OPEN = """
SELECT (SELECT count(*) FROM connections_messagecopy WHERE due_at IS NOT NULL),
       (SELECT count(*) FROM connections_incomingmessage WHERE due_at IS NOT NULL)
"""
_DELIVERED = "SELECT count(*) FROM connections_messagecopy WHERE state = 'delivered'"
_STORED = """
SELECT m.keys[1] FROM connections_incomingmessage m JOIN connections_queue q ON q.id = m.queue_id
 WHERE q.name = %s ORDER BY m.id
"""
_FILED = "SELECT count(*) FROM connections_filedmessage"
_FILED_ITEMS = """
SELECT m.keys[1] FROM connections_filedmessage f JOIN connections_incomingmessage m ON m.id = f.message_id ORDER BY f.id
"""
_NO_EVIDENCE = """
SELECT count(*) FROM connections_messagecopy c
 WHERE NOT EXISTS (SELECT 1 FROM connections_deliveryattempt a
                    WHERE a.copy_id = c.id AND a.outcome = 'delivered' AND a.ended_at IS NOT NULL)
"""
# What still waits by the tallies, and by how much the day's counters are off.
_MISCOUNTED = f"""
SELECT sum(waiting) FROM connections_queuetally
UNION ALL
SELECT (SELECT sum(sent) FROM connections_connectionstats) - (SELECT count(*) FROM connections_messagecopy)
UNION ALL
SELECT (SELECT sum(received) FROM connections_connectionstats)
       - (SELECT count(*) FROM connections_messagecopy c JOIN connections_queue q ON q.id = c.queue_id
           WHERE q.name = '{ACROSS}')
"""
