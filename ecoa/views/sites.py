"""One site's participants, live."""

from __future__ import annotations

from typing import Any

from django.http import Http404, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from ecoa import selectors
from ecoa.models import Participant, ParticipantStatus
from ecoa.sentences import site_sentence
from ecoa.views import live
from vaultadmin.access import MemberRequest, requires
from vaultadmin.permissions import Permission, can
from vaultadmin.query import replaced_query

_STATES = {
    selectors.ATTENTION: "Needs attention",
    ParticipantStatus.WAITING.value: ParticipantStatus.WAITING.label,
    ParticipantStatus.SYNCED.value: ParticipantStatus.SYNCED.label,
    ParticipantStatus.REJECTED.value: ParticipantStatus.REJECTED.label,
    ParticipantStatus.UNKNOWN.value: ParticipantStatus.UNKNOWN.label,
}


@require_safe
@requires(Permission.ECOA_VIEW_SITES)
def detail(request: MemberRequest, vault_id: int, study: str, site: str) -> HttpResponse:
    """Participants by ID; a poll that sees nothing new costs one small query and no page."""
    opened = selectors.site(request.member, study=study, number=site)
    if opened is None:
        raise Http404
    return live.answer(request, f"{opened.site.tally.stamp}-{opened.open_run}", lambda: _page(request, opened))


def _page(request: MemberRequest, opened: selectors.OpenedSite) -> HttpResponse:
    site = opened.site
    asked = {name: request.GET.get(name, "")[:255].replace("\x00", "") for name in ("q", "state", "after")}
    if asked["state"] not in _STATES:
        asked["state"] = ""
    rows = selectors.participants(request.member, opened, state=asked["state"], search=asked["q"].strip())
    if asked["after"]:
        rows = rows.filter(participant_id__gt=asked["after"])
    found = list(rows[: selectors.PAGE + 1])
    more = len(found) > selectors.PAGE
    summary = selectors.summary(site)
    context: dict[str, Any] = {
        "site": site,
        "sentence": site_sentence(summary),
        "summary": summary,
        "rows": [shown(participant) for participant in found[: selectors.PAGE]],
        "older_url": replaced_query(request, after=found[selectors.PAGE - 1].participant_id) if more else "",
        "older_label": "Next",
        "newer_url": replaced_query(request, after="") if asked["after"] else "",
        "newer_label": "First page",
        "search": {"name": "q", "value": asked["q"], "label": "Participant ID"},
        "states": _STATES,
        "asked": asked,
        "has_filters": True,
        "chips": _chips(request, asked),
        "clear_url": request.path,
        "poll": "4s",
        "live_also": "#site-sentence",
        "may_manage": can(request.member, Permission.ECOA_MANAGE),
        "page_title": f"Site {site}",
    }
    return render(request, "ecoa/site.html", context)


def shown(participant: Participant) -> dict[str, Any]:
    """One participant as people read it: state in words, beads, who acts, and the codes folded away."""
    under_way = getattr(participant, "sending", False) and participant.status == ParticipantStatus.WAITING
    state = ParticipantStatus.SENDING if under_way else ParticipantStatus(participant.status)
    card = participant.card if participant.status != ParticipantStatus.SYNCED else None
    return {
        "participant": participant,
        "state": state.value,
        "label": state.label,
        "card": card,
        "acts": card.acts_label if card else "",
    }


def _chips(request: MemberRequest, asked: dict[str, str]) -> list[dict[str, str]]:
    chips = []
    if asked["q"]:
        chips.append({"label": f"ID contains {asked['q']}", "url": replaced_query(request, q="", after="")})
    if asked["state"]:
        chips.append({"label": str(_STATES[asked["state"]]), "url": replaced_query(request, state="", after="")})
    return chips
