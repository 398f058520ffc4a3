"""Upserts per second of the eCOA service beside the least a Django view can do: one INSERT. Same server, same callers.

The service does everything it does for a caller: the token and its secret's version, the tenant, the address list,
the mapping, the site and its region, both uniqueness rules. The peer parses the same body and inserts it.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Sequence
from dataclasses import dataclass, field

from django.conf import settings
from django.db import connection

from bench import environment, insert_settings, world
from bench.ecoa_service import load
from bench.errors import BenchError
from bench.meter import Meter, machine
from bench.report import Goal, Result, Row, drifted
from bench.stand import Stand, stand
from bench.world import BENCH, World
from ecoa.contract import DEFAULT_VERSION
from ecoa.service import systems, tokens
from ecoa.service.models import ServiceParticipant, ServiceSystem
from vaultadmin import clock
from vaultadmin.embedded import children

SITE, REGION = "1005", "us"
GOAL, STRETCH = 0.5, 0.8


@dataclass(frozen=True)
class Counts:
    """How many calls one row of one round makes."""

    rounds: int
    calls: int


QUICK = Counts(rounds=3, calls=2000)
FULL = Counts(rounds=9, calls=15_000)


@dataclass
class _Rates:
    """Calls per second, one value a round."""

    before: list[float] = field(default_factory=list)
    created: list[float] = field(default_factory=list)
    again: list[float] = field(default_factory=list)
    read: list[float] = field(default_factory=list)
    orm: list[float] = field(default_factory=list)
    after: list[float] = field(default_factory=list)


def run(*, full: bool) -> Result:
    """About a minute; in full about ten."""
    return measure(FULL if full else QUICK)


def measure(counts: Counts) -> Result:
    """Both servers side by side, asked in turn; every answer is judged and every row counted."""
    started = time.monotonic()
    with stand() as ground:
        place = world.make()
        _restrict(place)
        peer_port = _start(ground)
        ours, theirs = load.Target(settings.PORT), load.Target(peer_port)
        rates = _Rates()
        _round(place, ours, theirs, Counts(1, 500), _Rates(), mark="warm")
        _analyze()
        with Meter() as meter:
            for number in range(counts.rounds):
                _round(place, ours, theirs, counts, rates, mark=f"R{number}")
        ground.require_alive()
    return _result(counts, rates, meter, time.monotonic() - started)


def _restrict(place: World) -> None:
    """With an address list, as a system in production has."""
    system = ServiceSystem.objects.get(external_id=place.system_id)
    allowed = ["192.0.2.0/24", "198.51.100.7", "127.0.0.1"]
    systems.edit(system, allowed_addresses=allowed, integration_enabled=True, by=BENCH)


def _start(ground: Stand) -> int:
    """The product's web server, and the peer behind the same server with as many threads."""
    ground.start_web()
    port = environment.free_ports(1)
    with connection.cursor() as cursor:
        cursor.execute(insert_settings.CREATE_TABLE)
    ground.start("peer", [*children.web(port)[:-1], "bench.insert_peer:application"])
    ground.wait_for_port("peer", port)
    return port


def _round(place: World, ours: load.Target, theirs: load.Target, counts: Counts, rates: _Rates, *, mark: str) -> None:
    """The peer before and after; between them each of our rows, on participants of this round."""
    people = world.identifiers(mark, counts.calls)
    posts = _posts(place, people)
    rates.before.append(_insert(theirs, people, insert_settings.CURSOR))
    rates.created.append(load.rate(ours, posts))
    _check_stored(mark, people)
    rates.again.append(load.rate(ours, posts))
    rates.read.append(load.rate(ours, _reads(place, people)))
    _check_stored(mark, people)
    rates.orm.append(_insert(theirs, people, insert_settings.ORM))
    rates.after.append(_insert(theirs, people, insert_settings.CURSOR))


def _analyze() -> None:
    """A database at work knows how its rows are spread; this one is too young to have been looked at by itself."""
    with connection.cursor() as cursor:
        cursor.execute(f"ANALYZE {ServiceParticipant._meta.db_table}, {insert_settings.TABLE}")


def _insert(theirs: load.Target, people: Sequence[tuple[str, str]], path: str) -> float:
    before = _inserted()
    found = load.rate(theirs, [load.post(path, participant, internal) for participant, internal in people])
    if _inserted() - before != len(people):
        raise BenchError("The peer did not insert what it was asked to.")
    return found


def _inserted() -> int:
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT count(*) FROM {insert_settings.TABLE}")
        return int(cursor.fetchone()[0])


def _check_stored(mark: str, people: Sequence[tuple[str, str]]) -> None:
    stored = dict(
        ServiceParticipant.objects.filter(internal_id__startswith=f"i-{mark}-").values_list(
            "participant_id", "internal_id"
        )
    )
    if stored != dict(people):
        raise BenchError(f"The service holds {len(stored)} of {len(people)} participants of {mark}, or others.")


def _posts(place: World, people: Sequence[tuple[str, str]]) -> list[bytes]:
    headers = {"Authorization": f"Bearer {_token(place)}"}
    return [load.post(_path(place), participant, internal, headers) for participant, internal in people]


def _reads(place: World, people: Sequence[tuple[str, str]]) -> list[bytes]:
    headers = {"Authorization": f"Bearer {_token(place)}"}
    return [load.get(f"{_path(place)}?internalId={internal}", headers) for _participant, internal in people]


def _path(place: World) -> str:
    study = place.mapping.external_study_id
    return f"/myveeva/{REGION}/services/{DEFAULT_VERSION}/sponsor/{study}/site/{SITE}/participant"


def _token(place: World) -> str:
    return tokens.mint(system=place.system_id, tenant=world.TENANT_ID, region=REGION, secret_version=1, now=clock.now())


def _result(counts: Counts, rates: _Rates, meter: Meter, seconds: float) -> Result:
    ours, limit = statistics.median(rates.created), statistics.median([*rates.before, *rates.after])
    # Each round against its own neighbours: what else the machine did then met both.
    shares = [
        made * 2 / (first + last) for made, first, last in zip(rates.created, rates.before, rates.after, strict=True)
    ]
    ratio = statistics.median(shares)
    return Result(
        name="ecoa_service",
        value=ours,
        unit="upserts/s",
        limit=limit,
        ratio=ratio,
        ratios={
            "insert": ratio,
            "again": statistics.median(rates.again) / limit,
            "read": statistics.median(rates.read) / limit,
            "orm_insert": ours / statistics.median(rates.orm),
        },
        n=counts.calls * counts.rounds,
        seconds=seconds,
        machine=machine(meter.foreign),
        rows=_rows(rates),
        goals=[
            Goal("upserts ÷ minimal view with one INSERT", ratio, GOAL),
            Goal("upserts ÷ minimal view with one INSERT", ratio, STRETCH, later=True),
        ],
        invalid=drifted(rates.before, rates.after),
    )


def _rows(rates: _Rates) -> list[Row]:
    return [
        Row("minimal view, before", rates.before, "calls/s", "json.loads, one INSERT by a cursor, no middleware"),
        Row("ours, new participants", rates.created, "upserts/s", "token, addresses, mapping, uniqueness"),
        Row("ours, the same again", rates.again, "upserts/s", "an update of the row"),
        Row("ours, read", rates.read, "reads/s"),
        Row("minimal view, ORM", rates.orm, "calls/s", "objects.create()"),
        Row("minimal view, after", rates.after, "calls/s"),
    ]
