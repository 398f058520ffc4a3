"""Workflow Timeline and Connection file: how a connection is agreed on."""

from __future__ import annotations

from typing import Any

from connections.selectors import timeline
from connections.selectors.record import Record
from connections.views.sections.base import Section, between_vaults
from vaultadmin import clock
from vaultadmin.access import MemberRequest
from vaultadmin.together import Asking, known


def _workflow(request: MemberRequest, record: Record) -> Asking[dict[str, Any]]:
    shown = record.open is not None and record.open.needs_approval
    return {"timeline": (yield from timeline.events(record)), "words_shown": shown}


def _file(request: MemberRequest, record: Record) -> Asking[dict[str, Any]]:
    return known({"issued": record.issued, "issued_open": record.has_open_file(clock.now())})


WORKFLOW = Section("workflow", "Workflow Timeline", "connections/_workflow.html", _workflow)
FILE = Section("file", "Connection file", "connections/_file.html", _file, between_vaults)
