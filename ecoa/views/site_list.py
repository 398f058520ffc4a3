"""What the pages of one site share: the filters in the address, rows as people read them, the strip of counts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.http import Http404
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from ecoa.cards import Card, Situation, card_for
from ecoa.models import CorrectionState, Participant, ParticipantStatus, Site
from ecoa.selectors import site_list
from ecoa.selectors import sites as site_rows
from ecoa.selectors.site_list import ATTENTION, CORRECTIONS, NEEDS_YOU, STUDY_TEAM, Counts
from vaultadmin.access import MemberRequest

STATES: dict[str, str | Promise] = {
    NEEDS_YOU: _("Needs you"),
    ParticipantStatus.WAITING.value: _("On the way"),
    ParticipantStatus.SYNCED.value: ParticipantStatus.SYNCED.label,
    STUDY_TEAM: _("With the study team"),
    CORRECTIONS: _("In correction"),
    ATTENTION: _("Needs attention"),
    ParticipantStatus.REJECTED.value: ParticipantStatus.REJECTED.label,
    ParticipantStatus.UNKNOWN.value: ParticipantStatus.UNKNOWN.label,
}
_NEEDS_SITE = _("Needs the site")
_CORRECTING = {
    CorrectionState.ASKED.value: Situation.CORRECTION_ASKED,
    CorrectionState.SIGNED.value: Situation.CORRECTION_SIGNED,
}


@dataclass(frozen=True)
class Cell:
    """One cell of a strip: a word, a number, and a shape and colour for how much it wants attention."""

    state: str
    word: str | Promise
    number: int
    tone: str
    icon: str
    more: bool = False


def opened(request: MemberRequest, study: str, site: str) -> site_rows.OpenedSite:
    """The site of the address, if this member sees it; else 404."""
    found = site_rows.site(request.member, study=study, number=site)
    if found is None:
        raise Http404
    return found


def asked(values: Mapping[str, str]) -> dict[str, str]:
    """Filter, search and page key of an address or a form; what is no filter is dropped."""
    found = {name: values.get(name, "")[:255].replace("\x00", "") for name in ("q", "state", "after")}
    found["q"] = found["q"].strip()
    if found["state"] not in STATES:
        found["state"] = ""
    return found


def speaks_to_team(request: MemberRequest) -> bool:
    """Is what is said about a site read by the study team, so that "you" is not the site?"""
    return not site_rows.is_site_staff(request.member)


def cells(counts: Counts, *, to_team: bool = False) -> list[Cell]:
    """The strip of one site. What is nought is quiet, so that the eye finds what is not."""
    summary = counts.summary
    needs_you = summary.needs_you or 0
    return [
        _cell(ParticipantStatus.SYNCED.value, summary.synced, "success", "circle-check"),
        _cell(ParticipantStatus.WAITING.value, summary.waiting, "info", "send"),
        _cell(NEEDS_YOU, needs_you, "danger", "hand-stop", bounded=True, word=_NEEDS_SITE if to_team else ""),
        _cell(STUDY_TEAM, counts.with_study_team, "warning", "users"),
        _cell(CORRECTIONS, counts.corrections, "warning", "pencil", bounded=True),
    ]


def differences(counts: Counts) -> Cell:
    """How many differences from eCOA are open; the study team resolves them."""
    return _cell("", counts.differences, "danger", "arrows-exchange", word=_("Differences from eCOA"))


def shown(participant: Participant, *, to_team: bool = False) -> dict[str, Any]:
    """One participant as people read it: state in words, beads, who acts, and the codes folded away."""
    under_way = getattr(participant, "sending", False) and participant.status == ParticipantStatus.WAITING
    state = ParticipantStatus.SENDING if under_way else ParticipantStatus(participant.status)
    card = participant.card if participant.status != ParticipantStatus.SYNCED else None
    correcting = getattr(participant, "correcting", None)
    about: Card | None = card or (card_for(_CORRECTING[correcting]) if correcting else None)
    return {
        "participant": participant,
        "state": state.value,
        "label": state.label,
        "card": card,
        "about": about,
        "correcting": correcting or "",
        "acts": about.label_of_actor(to_team=to_team) if about else "",
    }


def rows_of(
    request: MemberRequest, site: site_rows.OpenedSite, wanted: dict[str, str], *, limit: int
) -> list[Participant]:
    """The participants a page or a print of the site holds, from the page key on."""
    asked = {"state": wanted["state"], "search": wanted["q"], "after": wanted["after"]}
    return list(site_list.page(request.member, site, **asked, limit=limit))


def banner(site: site_rows.OpenedSite) -> Card | None:
    """Why nothing is sent for the whole site, if so."""
    if not site.site.mapping.is_active:
        return card_for(Situation.HELD)
    return card_for(Situation.PAUSED) if site.paused else None


def zone_of(site: Site) -> str:
    """The time zone of the site, where it is known."""
    rhythm = getattr(site, "rhythm", None)
    return rhythm.time_zone if rhythm is not None else ""


def _cell(state: str, number: int, tone: str, icon: str, *, word: str | Promise = "", bounded: bool = False) -> Cell:
    more = bounded and number >= site_rows.COUNTED
    return Cell(state, word or STATES[state], number, tone if number else "neutral", icon, more)
