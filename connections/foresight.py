"""What an approval would bring about, as one plan: what is shown is what is hashed and signed (ux.md C5). Pure.

`build` makes the plan from facts that were read elsewhere; its one spelling in canonical JSON has the hash a person
signs. `lines` is how people read it, and `compare` finds what differs between two plans, line by line.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

FORMAT = "connection-approval-plan"
VERSION = 1

Plan = dict[str, Any]


@dataclass(frozen=True)
class Key:
    """A signing certificate as both sides can name it."""

    certificate_id: str
    fingerprint: str
    valid_from: str
    valid_until: str


@dataclass(frozen=True)
class Peer:
    """The other vault."""

    installation_id: str
    here: bool
    vault_id: int
    name: str
    dns: str
    domain: str
    application: str
    connection_id: str
    url: str
    certificate: Key


@dataclass(frozen=True)
class Acting:
    """Who acts in this vault when the peer calls in, and what that person may do."""

    name: str
    email: str
    profile: str
    active: bool
    permissions: list[str]


@dataclass(frozen=True)
class Effect:
    """Something that begins when the connection becomes Active: a queue that sends, an integration that runs."""

    kind: str
    name: str
    text: str = ""


@dataclass(frozen=True)
class Request:
    """The exchange that is to be decided."""

    exchange: str
    file_sha256: str
    six_words: str
    asked_here_by: str
    asked_there_by: str
    own_requests_allowed: bool


@dataclass(frozen=True)
class Record:
    """This vault's record."""

    id: str
    name: str
    api_name: str
    certificate: Key


@dataclass(frozen=True)
class Line:
    """One fact as people read it. `lasting` facts are compared with the last agreement, too."""

    group: str
    label: str
    value: str
    items: tuple[str, ...] = field(default=())
    lasting: bool = True


@dataclass(frozen=True)
class Difference:
    """One fact that changed; an empty side means there was or is none."""

    group: str
    label: str
    before: str
    after: str


def build(*, record: Record, request: Request, peer: Peer, acting: Acting | None, effects: Sequence[Effect]) -> Plan:
    """The plan as plain JSON values."""
    return {
        "format": FORMAT,
        "version": VERSION,
        "record": asdict(record),
        "request": asdict(request),
        "peer": asdict(peer),
        "acts_here": asdict(acting) if acting else None,
        "starts": sorted((asdict(effect) for effect in effects), key=lambda row: (row["kind"], row["name"])),
    }


def lines(plan: Plan) -> list[Line]:
    """The plan in the order of the dialog."""
    return [*_acting(plan["acts_here"]), *_starts(plan["starts"]), *_peer(plan["peer"]), *_record(plan)]


def compare(before: Plan, after: Plan, *, lasting: bool = False) -> list[Difference]:
    """What differs; with `lasting` only what outlives one exchange."""
    old, new = _texts(before, lasting), _texts(after, lasting)
    places = [*new, *(place for place in old if place not in new)]
    return [
        Difference(*place, old.get(place, ""), new.get(place, ""))
        for place in places
        if old.get(place, "") != new.get(place, "")
    ]


def _texts(plan: Plan, lasting: bool) -> dict[tuple[str, str], str]:
    shown = [line for line in lines(plan) if line.lasting or not lasting]
    return {(line.group, line.label): "; ".join(filter(None, [line.value, *line.items])) for line in shown}


def _peer(peer: dict[str, Any]) -> Iterable[Line]:
    group = "The other Vault"
    place = "This installation" if peer["here"] else f"Another installation ({peer['installation_id']})"
    yield Line(group, "Vault", f"{peer['name']} ({peer['vault_id']})")
    yield Line(group, "Installation", place)
    yield Line(group, "Application", peer["application"])
    yield Line(group, "DNS name", peer["dns"])
    yield Line(group, "Domain", peer["domain"])
    yield Line(group, "Peering address", peer["url"])
    yield Line(group, "Its connection record", peer["connection_id"])
    yield from _key(group, "Its certificate", peer["certificate"])


def _acting(acting: dict[str, Any] | None) -> Iterable[Line]:
    group = "What it may do here"
    if acting is None:
        yield Line(group, "Acts here as", "Nobody: it can read and change nothing here")
        return
    name = f"{acting['name']} <{acting['email']}>"
    yield Line(group, "Acts here as", name if acting["active"] else f"{name}, who is inactive and can do nothing")
    yield Line(group, "Security profile", acting["profile"])
    amount = len(acting["permissions"])
    yield Line(group, "Permissions", f"{amount} permission{'' if amount == 1 else 's'}", tuple(acting["permissions"]))


def _starts(effects: list[dict[str, Any]]) -> Iterable[Line]:
    for effect in effects:
        yield Line("What starts", f"{effect['kind']} {effect['name']}", effect["text"] or "Starts")


def _record(plan: Plan) -> Iterable[Line]:
    record, request, group = plan["record"], plan["request"], "This connection"
    yield Line(group, "Name", record["name"])
    yield Line(group, "API Name", record["api_name"])
    yield from _key(group, "Our certificate", record["certificate"])
    yield Line(group, "Asked here by", request["asked_here_by"], lasting=False)
    if request["asked_there_by"]:
        yield Line(group, "Asked there by", request["asked_there_by"], lasting=False)
    yield Line(group, "Connection file", request["file_sha256"], lasting=False)
    if request["own_requests_allowed"]:
        text = "Allowed: this is a sandbox whose settings say so"
        yield Line(group, "Deciding one's own request", text, lasting=False)


def _key(group: str, label: str, key: dict[str, str]) -> Iterable[Line]:
    yield Line(group, label, f"{key['certificate_id']}, SHA-256 {_grouped(key['fingerprint'])}")
    yield Line(group, f"{label} is valid", f"{key['valid_from']} to {key['valid_until']}")


def _grouped(fingerprint: str) -> str:
    return " ".join(fingerprint[start : start + 4].upper() for start in range(0, len(fingerprint), 4))
