"""*Test*: one GET of an External connection's URL with the header its authorization makes."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from django.db import transaction

from connections import tokens
from connections.models import Connection, ConnectionAuthorization
from connections.services import outward
from connections.services.refusals import Refused
from connections.tokens import Sources
from vaultadmin import audit, outbound, place
from vaultadmin.models import Membership
from vaultadmin.outbound import Answer, ErrorKind, Peer
from vaultadmin.permissions import Permission, ensure

DEADLINE_SECONDS = 10.0
HEADER = "${Auth.AuthorizationValue}"
_REFUSED = (401, 403)
# A status arrived before these, and it is what the test is about.
_ANSWERED = (None, ErrorKind.REDIRECT, ErrorKind.TOO_BIG)


class Outcome(StrEnum):
    """What a test came to."""

    PASSED = "passed"
    REFUSED = "refused"
    ANSWERED = "answered"
    FAILED = "failed"


@dataclass(frozen=True)
class Probe:
    """The answer as people see it: never its body, never what was sent."""

    outcome: Outcome
    sentence: str
    host: str
    status: int | None
    milliseconds: int
    peer: Peer | None


def probe(*, connection: Connection, by: Membership, authorization: ConnectionAuthorization | None = None) -> Probe:
    """Ask the connection's URL once, as the connection would, and say what came back. Stores an audit row only.

    The credentials are the connection's own: with `authorization` (where the test was asked for) any other connection
    is refused, because a stored secret is sent nowhere it was not meant for (security.md K5).
    """
    ensure(by, Permission.MANAGE_CONNECTIONS)
    if place.held():
        raise Refused(place.HELD)
    connection = Connection.objects.select_related("vault", "authorization__secret").get(
        pk=connection.pk, vault=by.vault_id
    )
    if authorization is not None and connection.authorization_id != authorization.pk:
        raise Refused(f"“{connection}” does not use this authorization.", field="connection")
    try:
        target = outward.destination(connection)
    except outward.DestinationUnavailable as refusal:
        raise Refused(str(refusal), field="connection") from refusal
    _record(connection, authorization, target.host, by)
    headers = {"Accept": "*/*"}
    if target.auth is not None:
        headers["Authorization"] = tokens.fill(HEADER, Sources(auth=target.auth).value_of)
    answer = outbound.send("GET", target.url, headers=headers, deadline=DEADLINE_SECONDS)
    return _judged(answer, target.host, with_credentials=target.auth is not None)


def refusal_of(connection: Connection) -> str:
    """Why this connection cannot be tested now; empty when it can."""
    return outward.unusable(connection)


def _record(connection: Connection, authorization: ConnectionAuthorization | None, host: str, by: Membership) -> None:
    """Written before the call: a credential is not used without a trace, whatever happens after."""
    asked_of: Connection | ConnectionAuthorization = authorization or connection
    other = ("Connection", connection) if authorization else ("Authorization", connection.authorization)
    changes: audit.Changes = {"Host": (None, host), other[0]: (None, str(other[1]) if other[1] else None)}
    event = f"{'authorization' if authorization else 'connection'}.tested"
    with transaction.atomic():
        audit.record(vault=by.vault, by=by, event=event, subject=asked_of, changes=changes)


def _judged(answer: Answer, host: str, *, with_credentials: bool) -> Probe:
    outcome, sentence = _words(answer, host, with_credentials=with_credentials)
    return Probe(outcome, sentence, host, answer.status, round(answer.elapsed * 1000), answer.peer)


def _words(answer: Answer, host: str, *, with_credentials: bool) -> tuple[Outcome, str]:
    status = answer.status
    if status is None or answer.kind not in _ANSWERED:
        return Outcome.FAILED, answer.error
    if 300 <= status < 400:
        return Outcome.PASSED, f"{host} answered {status}. It points to another address, which is not followed."
    if 200 <= status < 300:
        return Outcome.PASSED, f"{host} answered {status}."
    if status in _REFUSED and with_credentials:
        return Outcome.REFUSED, f"{host} answered {status}: it does not accept these credentials."
    if status in _REFUSED:
        return Outcome.REFUSED, f"{host} answered {status}: it asks for credentials, and no authorization is chosen."
    return Outcome.ANSWERED, f"{host} answered, but with {status} instead of success."
