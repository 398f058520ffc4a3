"""Messages received per second, believed, judged and stored once, beside checking alone and beside the ORM."""

from __future__ import annotations

import os
import statistics
import time
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from uuid import UUID, uuid4

from django.conf import settings
from django.db import connection

from bench import environment, receive_settings, spark_world
from bench.ecoa_service import load
from bench.meter import Meter, machine
from bench.report import Goal, Result, Row, drifted
from bench.spark_world import ATTRIBUTES
from bench.stand import Stand, stand
from connections.constants import QueueType
from connections.models import Binding, IncomingMessage, Queue
from connections.processing import filing
from connections.services import creating
from connections.services.handshake import establishing, files
from connections.services.messages import arrivals, queue_links, queues
from connections.services.signing import certificates
from connections.spark.envelope import SPARK_MESSAGE, Envelope, SparkBody
from connections.spark.message import write_payload
from connections.spark.signing import Signer, sign
from vaultadmin import clock
from vaultadmin.embedded import children
from vaultadmin.models import Vault

OK = b"HTTP/1.1 200"
SMALL, LARGE = 2, 100


@dataclass(frozen=True)
class Counts:
    """How many messages one row of one round carries, by the records in each."""

    rounds: int
    messages: dict[int, int]


QUICK = Counts(rounds=3, messages={SMALL: 1500, LARGE: 150})
FULL = Counts(rounds=9, messages={SMALL: 10_000, LARGE: 1000})


@dataclass
class _Rates:
    """Messages per second by the records in each, one value a round."""

    before: dict[int, list[float]] = field(default_factory=lambda: defaultdict(list))
    ours: dict[int, list[float]] = field(default_factory=lambda: defaultdict(list))
    orm: dict[int, list[float]] = field(default_factory=lambda: defaultdict(list))
    after: dict[int, list[float]] = field(default_factory=lambda: defaultdict(list))


@dataclass(frozen=True)
class _Place:
    """An inbound queue, the vault whose messages it takes, and both servers."""

    queue: Queue
    sender: Vault
    signer: Signer
    path: str
    ours: load.Target
    theirs: load.Target


@dataclass(frozen=True)
class _Letter:
    """One signed message."""

    message_id: UUID
    headers: dict[str, str]
    body: bytes

    def to(self, path: str) -> bytes:
        """The same request for any address: what was signed is in its headers."""
        return load.post_raw(path, self.body, self.headers)


def run(*, full: bool) -> Result:
    """About a minute; in full about ten."""
    return measure(FULL if full else QUICK)


def measure(counts: Counts) -> Result:
    """Each message is signed for itself and stored; the same ones go to the views beside it."""
    started = time.monotonic()
    with stand() as ground:
        place = _make(ground)
        for records in counts.messages:
            _round(place, records, 100, _Rates())
        rates = _Rates()
        with Meter() as meter:
            for _ in range(counts.rounds):
                for records, amount in counts.messages.items():
                    _round(place, records, amount, rates)
        ground.require_alive()
    return _result(counts, rates, meter, time.monotonic() - started)


def _make(ground: Stand) -> _Place:
    """Two vaults of this installation, established; the second one's queue takes the first one's messages."""
    sender, receiver, now = spark_world.make_owner(), spark_world.make_owner(), clock.now()
    link = creating.create_vault_to_vault(
        name="Benchmark", api_name="bench_link", remote_vault_id=receiver.vault_id, by=sender, now=now
    )
    file = files.issue(connection=link, file_id=uuid4(), by=sender, now=now)
    establishing.connect_from_file(raw=file.content, by=receiver, now=now)
    queue = queues.create(
        name="arrivals__c", label="Arrivals", type=QueueType.INBOUND, processor=filing.NAME, by=receiver, now=now
    )
    binding = Binding.objects.in_force().get(connection__vault=receiver.vault, peer_vault_id=sender.vault_id)
    queue_links.add(queue=queue, connection=binding.connection, by=receiver, now=now)
    certificate = certificates.current()
    signer = Signer(certificate.certificate_id, certificates.private_key(certificate))
    path = f"/v/{receiver.vault_id}/spark/{queue.name}"
    ground.start_web()
    port = _start_peer(ground, certificate.pem, f"{settings.PUBLIC_URL}{path}")
    return _Place(queue, sender.vault, signer, path, load.Target(settings.PORT), load.Target(port))


def _start_peer(ground: Stand, pem: str, url: str) -> int:
    """Behind the same server with as many threads."""
    port = environment.free_ports(1)
    with connection.cursor() as cursor:
        cursor.execute(receive_settings.CREATE_TABLE)
    os.environ |= {receive_settings.CERTIFICATE_VARIABLE: pem, receive_settings.URL_VARIABLE: url}
    ground.start("peer", [*children.web(port)[:-1], "bench.receive_peer:application"])
    ground.wait_for_port("peer", port)
    return port


def _round(place: _Place, records: int, amount: int, rates: _Rates) -> None:
    """Checking alone before and after; between them ours and the ORM, with messages and records nobody had."""
    mark = uuid4().hex[:8]
    letters = [_letter(place, mark, number, records) for number in range(amount)]
    checking = [letter.to(receive_settings.MAP) for letter in letters]
    rates.before[records].append(load.rate(place.theirs, checking, sign=OK))
    rates.ours[records].append(_receive(place, letters))
    _check(place, letters)
    storing = [letter.to(receive_settings.ORM) for letter in letters]
    rates.orm[records].append(load.rate(place.theirs, storing, sign=OK))
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT count(*) FROM {receive_settings.TABLE} WHERE starts_with(record, %s)", [mark])
        spark_world.expect(amount * records, cursor.fetchone()[0], "records the ORM stored")
    rates.after[records].append(load.rate(place.theirs, checking, sign=OK))
    _forget()


def _receive(place: _Place, letters: Sequence[_Letter]) -> float:
    """With the time a worker takes to add them to the sums, which it does for many at once."""
    seconds = len(letters) / load.rate(place.ours, [letter.to(place.path) for letter in letters], sign=OK)
    began = time.perf_counter()
    spark_world.expect(len(letters), arrivals.count_up(), "messages counted")
    return len(letters) / (seconds + time.perf_counter() - began)


def _forget() -> None:
    """No round pays for the rows of the one before, and the queue never gets full."""
    with connection.cursor() as cursor:
        cursor.execute(
            f"TRUNCATE connections_incomingmessage, connections_queuetally, {receive_settings.TABLE} CASCADE"
        )


def _check(place: _Place, letters: Sequence[_Letter]) -> None:
    """Each is there once, as it was sent."""
    rows = IncomingMessage.objects.filter(queue=place.queue, message_id__in=[letter.message_id for letter in letters])
    stored = dict(rows.values_list("message_id", "body"))
    sent = {letter.message_id: letter.body.decode() for letter in letters}
    spark_world.expect(len(sent), sum(stored.get(one) == body for one, body in sent.items()), "messages stored")


def _letter(place: _Place, mark: str, number: int, records: int) -> _Letter:
    now, message_id, url = clock.now(), uuid4(), f"{settings.PUBLIC_URL}{place.path}"
    items = [f"{mark}-{number:06}-{record:03}" for record in range(records)]
    body = SparkBody(
        vault_name=place.sender.name,
        vault_host_name=place.sender.dns,
        queue_name="departures__c",
        entered_at=now,
        sent_at=now,
        attempt=1,
        message_id=message_id,
        message=write_payload(ATTRIBUTES, items),
    ).write()
    headers = Envelope(
        certificate_id=place.signer.certificate_id,
        execution_id=uuid4(),
        sent_at=now,
        request_id=message_id,
        request_type=SPARK_MESSAGE,
        url=url,
        vault_id=place.sender.pk,
    ).headers()
    return _Letter(message_id, headers | sign(headers, body, url=url, key=place.signer.key), body)


def _result(counts: Counts, rates: _Rates, meter: Meter, seconds: float) -> Result:
    limit = {records: statistics.median([*rates.before[records], *rates.after[records]]) for records in counts.messages}
    checking = statistics.median(
        made * 2 / (first + last)
        for made, first, last in zip(rates.ours[SMALL], rates.before[SMALL], rates.after[SMALL], strict=True)
    )
    orm = {
        records: statistics.median(
            made / theirs for made, theirs in zip(rates.ours[records], rates.orm[records], strict=True)
        )
        for records in counts.messages
    }
    return Result(
        name="spark_receive",
        value=statistics.median(rates.ours[SMALL]),
        unit="messages/s",
        limit=limit[SMALL],
        ratio=checking,
        ratios={"checking": checking, **{f"orm_{records}": ratio for records, ratio in orm.items()}},
        n=counts.rounds * sum(counts.messages.values()),
        seconds=seconds,
        machine=machine(meter.foreign),
        rows=[row for records in counts.messages for row in _rows(rates, records)],
        goals=[
            Goal(f"ours ÷ verify and map, {SMALL} records", checking, 0.35),
            *(Goal(f"ours ÷ ORM, {records} records", orm[records], least) for records, least in _LEAST.items()),
            Goal(f"ours ÷ verify and map, {SMALL} records", checking, 0.5, later=True),
        ],
        invalid=drifted(rates.before[SMALL], rates.after[SMALL]),
    )


_LEAST = {SMALL: 3, LARGE: 15}


def _rows(rates: _Rates, records: int) -> list[Row]:
    each = f"{records} records"
    return [
        Row(f"verify and map, {each}, before", rates.before[records], "messages/s", "no database"),
        Row(
            f"ours, {each}",
            rates.ours[records],
            "messages/s",
            "verified, judged, stored once, counted; none processed",
        ),
        Row(f"ORM, {each}", rates.orm[records], "messages/s", "verify, map, update_or_create a record; no queue"),
        Row(f"verify and map, {each}, after", rates.after[records], "messages/s"),
    ]
