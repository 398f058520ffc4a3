"""Participants in: where another system pushes them, and asks what became of a run (docs/api.md)."""

from __future__ import annotations

import re
from http import HTTPStatus
from typing import Any

from django.http import HttpResponse
from django.http.response import HttpResponseBase

from ecoa.cards import card_for
from ecoa.models import SyncItem, SyncRun
from ecoa.selectors import runs as run_rows
from ecoa.selectors import sites as site_rows
from ecoa.services import pushing
from ecoa.services.pushing import KeyReused, PushedRow, Sender
from vaultadmin.permissions import Permission
from vaultadmin.query import as_key
from vaultadmin.rest.call import Call
from vaultadmin.rest.problems import Problem, answer, not_found, problem_endpoint, raw_answer, read_body
from vaultadmin.strict_json import StrictJsonError, loads

# Ten thousand rows of the longest ids, each character escaped, fit well into this.
MAX_BODY = 8 * 1024 * 1024
_LONGEST_TEXT = 4096
_FIELDS = frozenset({"participantId", "internalId"})
# Visible ASCII; the quotes of RFC 8941 belong to the key.
_KEY = re.compile(r"[\x21-\x7e]{1,255}")
_SHOWN_FAILURES = 1000


@problem_endpoint("POST", needs=Permission.ECOA_MANAGE)
def push(call: Call, study: str, site: str) -> HttpResponseBase:
    """Take an array of participants of one site: 202 with the run that brings them to eCOA and an answer per row."""
    found = site_rows.site_by_numbers(call.member, study=study, number=site)
    if found is None:
        raise not_found()
    key, raw = _key(call), read_body(call, most=MAX_BODY)
    sender = Sender(call.member, _name(call), str(call.execution_id))
    try:
        text = pushing.answer_once(site=found, key=key, raw=raw, sender=sender, now=call.now, rows=lambda: _rows(raw))
    except KeyReused as reused:
        words = "This Idempotency-Key came with another request before. Use a new key for a new push."
        raise Problem(HTTPStatus.UNPROCESSABLE_ENTITY, words) from reused
    return raw_answer(text, HTTPStatus.ACCEPTED)


@problem_endpoint("GET", needs=Permission.ECOA_MANAGE)
def run(call: Call, run_id: int) -> HttpResponseBase:
    """How a run stands, and what it could not bring over, a page at a time."""
    found = run_rows.runs(call.member).filter(pk=run_id).first() if run_id < 2**63 else None
    if found is None:
        raise not_found()
    return _run_answer(call, found)


def _key(call: Call) -> str:
    key = call.request.headers.get("Idempotency-Key", "")
    if key and not _KEY.fullmatch(key):
        raise Problem(HTTPStatus.BAD_REQUEST, "An Idempotency-Key is 1 to 255 visible ASCII characters.")
    return key


def _name(call: Call) -> str:
    """What the machine is called: its token's name, and its connection where a Client ID tells it."""
    token = call.caller.token if call.caller else None
    if token is None:
        raise TypeError("Pushes come with an API access token.")
    return f"{token.name} · {call.connection.api_name}" if call.connection else token.name


def _rows(raw: bytes) -> list[PushedRow]:
    try:
        sent = loads(raw, max_bytes=MAX_BODY, max_depth=2, max_string=_LONGEST_TEXT)
    except StrictJsonError as error:
        raise Problem(HTTPStatus.BAD_REQUEST, str(error)) from error
    if not isinstance(sent, list):
        raise Problem(HTTPStatus.BAD_REQUEST, "Send a JSON array of participants.")
    if len(sent) > pushing.MAX_ROWS:
        words = f"A push holds at most {pushing.MAX_ROWS:,} participants. Split it and push the parts."
        raise Problem(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, words)
    if not sent:
        raise Problem(HTTPStatus.BAD_REQUEST, "The array is empty; push at least one participant.")
    return [_row(index, row) for index, row in enumerate(sent)]


def _row(index: int, row: Any) -> PushedRow:
    """One row whose shape is right; what is wrong with its values is told per row."""
    if not isinstance(row, dict) or row.keys() != _FIELDS or not all(isinstance(text, str) for text in row.values()):
        words = f"Row {index} must be an object with the texts participantId and internalId, and nothing else."
        raise Problem(HTTPStatus.BAD_REQUEST, words)
    return PushedRow(row["participantId"], row["internalId"])


def _run_answer(call: Call, found: SyncRun) -> HttpResponse:
    rows = run_rows.failed_items(found).order_by("pk")
    if (after := as_key(call.request.GET.get("after", ""))) is not None:
        rows = rows.filter(pk__gt=after)
    failures = list(rows[: _SHOWN_FAILURES + 1])
    shown = failures[:_SHOWN_FAILURES]
    body = {
        "run": found.pk,
        "study": found.mapping.external_study_id,
        "state": found.state,
        "total": found.total,
        "synced": found.synced,
        "rejected": found.rejected,
        "unknown": found.unknown,
        "notSent": found.dropped,
        "left": found.left,
        "plannedAt": found.created_at.isoformat(),
        "startedAt": found.started_at.isoformat() if found.started_at else None,
        "endedAt": found.finished_at.isoformat() if found.finished_at else None,
        "failures": [_failure(item) for item in shown],
        "nextAfter": str(shown[-1].pk) if len(failures) > len(shown) else None,
    }
    return answer(body)


def _failure(item: SyncItem) -> dict[str, str]:
    return {
        "participantId": item.value,
        "internalId": item.internal_id,
        "site": item.site_number,
        "state": item.state,
        "code": item.code,
        "message": str(card_for(item.code).happened),
    }
