"""One site's participants: live, on paper, and as a file."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import Any

from django.http import HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_POST, require_safe

from ecoa.cards import Situation, card_for
from ecoa.models import Participant, ParticipantStatus, Site
from ecoa.selectors import site_list as site_selectors
from ecoa.selectors import sites as site_rows
from ecoa.sentences.sites import site_sentence
from ecoa.services import seeing
from ecoa.services import sites as services
from ecoa.views import live, site_list
from vaultadmin import clock
from vaultadmin.access import MemberRequest, requires
from vaultadmin.exports import csv_response
from vaultadmin.permissions import Permission, can
from vaultadmin.query import PAGE, onward, replaced_query

# More than anybody reads on paper; the file holds them all.
_ON_PAPER = 1000
_COLUMNS = (
    "Participant ID",
    "State",
    "Correction",
    "What happened",
    "Does it affect the visit?",
    "What you do",
    "Who acts",
    "By when",
    "Last change (UTC)",
    "Confirmed by eCOA (UTC)",
    "Internal ID",
    "Code for support",
)


@require_safe
@requires(Permission.ECOA_VIEW_SITES)
def detail(request: MemberRequest, vault_id: int, study: str, site: str) -> HttpResponse:
    """Participants by ID; a poll that sees nothing new costs one small query and no page."""
    opened = site_list.opened(request, study, site)
    mapping, reading = opened.site.mapping, site_selectors.reading_of(opened.site)
    stamp = f"{opened.site.tally.stamp}-{opened.open_run}-{opened.paused}-{mapping.is_active}-{reading.stamp}"
    return live.answer(request, stamp, lambda: _page(request, opened))


@require_safe
@requires(Permission.ECOA_VIEW_SITES)
def paper(request: MemberRequest, vault_id: int, study: str, site: str) -> HttpResponse:
    """The list as it is printed, with the filters of the page."""
    opened = site_list.opened(request, study, site)
    seeing.note(opened.site, what="site", by=request.member, now=clock.now())
    wanted = site_list.asked(request.GET)
    found = site_list.rows_of(request, opened, wanted, limit=_ON_PAPER + 1)
    counts = site_selectors.counts_of(opened.site)
    to_team = site_list.speaks_to_team(request)
    context = {
        "site": opened.site,
        "to_team": to_team,
        "sentence": site_sentence(counts.summary, to_team=to_team),
        "rows": [site_list.shown(participant, to_team=to_team) for participant in found[:_ON_PAPER]],
        "more": len(found) > _ON_PAPER,
        "filter": site_list.STATES.get(wanted["state"], ""),
        "asked": wanted,
        "now": clock.now(),
        "page_title": f"Site {opened.site}",
    }
    return render(request, "ecoa/site_paper.html", context)


@require_POST
@requires(Permission.ECOA_VIEW_SITES)
def export(request: MemberRequest, vault_id: int, study: str, site: str) -> HttpResponseBase:
    """The list as CSV, with the filters of the page; the trail says who took it."""
    opened = site_list.opened(request, study, site)
    wanted = site_list.asked(request.POST)
    services.note_export(opened.site, state=wanted["state"], search=wanted["q"], by=request.member)
    rows = site_selectors.participants(request.member, opened, state=wanted["state"], search=wanted["q"])
    name = f"participants {opened.site.number} {clock.now():%Y-%m-%d}.csv"
    return csv_response(name, _COLUMNS, _lines(rows.iterator(chunk_size=1000)))


def _page(request: MemberRequest, opened: site_rows.OpenedSite) -> HttpResponse:
    site, wanted = opened.site, site_list.asked(request.GET)
    seeing.note(site, what="site", by=request.member, now=clock.now())
    found = site_list.rows_of(request, opened, wanted, limit=PAGE + 1)
    counts = site_selectors.counts_of(site)
    to_team = site_list.speaks_to_team(request)
    strip = site_list.cells(counts, to_team=to_team)
    context: dict[str, Any] = {
        **onward(request, found, key="participant_id"),
        "site": site,
        "to_team": to_team,
        "sentence": site_sentence(counts.summary, to_team=to_team),
        "strip": [(cell, replaced_query(request, state=cell.state, after="")) for cell in strip],
        "differences": site_list.differences(counts),
        "banner_card": site_list.banner(opened),
        "site_zone": site_list.zone_of(site),
        "rows": [site_list.shown(participant, to_team=to_team) for participant in found[:PAGE]],
        "search": {"name": "q", "value": wanted["q"], "label": "Participant ID begins with"},
        "asked": wanted,
        "has_filters": True,
        "chips": _chips(request, wanted),
        "clear_url": request.path,
        "poll": "4s",
        "live_also": "#site-sentence, #site-strip, #site-banner",
        "may_manage": can(request.member, Permission.ECOA_MANAGE),
        "print_url": _print_url(request, site),
        "actions": _actions(request, site) if can(request.member, Permission.ECOA_STUDY_TEAM) else [],
        "page_title": f"Site {site}",
    }
    return render(request, "ecoa/site.html", context)


def _print_url(request: MemberRequest, site: Site) -> str:
    place = [request.member.vault_id, site.mapping.external_study_id, site.number]
    return f"{reverse('ecoa:site-print', args=place)}?{request.GET.urlencode()}"


def _actions(request: MemberRequest, site: Site) -> list[dict[str, Any]]:
    """What the study team can do here; site staff have the two that concern them as buttons."""
    vault_id = request.member.vault_id

    def item(label: str, icon: str, url: str, **more: bool) -> dict[str, Any]:
        return {"label": label, "icon": icon, "url": url, **more}

    return [
        item("Evidence report", "file-certificate", reverse("ecoa:report-ask", args=[vault_id, site.pk]), dialog=True),
        item("Rhythm", "bell", reverse("ecoa:rhythm", args=[vault_id, site.pk])),
        item("Print view", "file-text", _print_url(request, site)),
        item("What the messages mean", "help-circle", reverse("ecoa:cards", args=[vault_id])),
    ]


def _chips(request: MemberRequest, wanted: dict[str, str]) -> list[dict[str, str]]:
    chips = []
    if wanted["q"]:
        chips.append({"label": f"ID begins with {wanted['q']}", "url": replaced_query(request, q="", after="")})
    if wanted["state"]:
        label = str(site_list.STATES[wanted["state"]])
        chips.append({"label": label, "url": replaced_query(request, state="", after="")})
    return chips


def _lines(rows: Iterable[Participant]) -> Iterator[list[str]]:
    for participant in rows:
        row = site_list.shown(participant)
        card = row["about"] or card_for(_SITUATION.get(row["state"], ""))
        words = (card.happened, card.visit_label, card.do, card.acts_label, card.by_label)
        yield [
            participant.participant_id,
            str(row["label"]),
            row["correcting"],
            *(str(word) for word in words),
            _utc(participant.changed_at),
            _utc(participant.synced_at),
            participant.internal_id,
            participant.code,
        ]


_SITUATION = {
    ParticipantStatus.SYNCED.value: Situation.IN_ECOA,
    ParticipantStatus.WAITING.value: Situation.WAITING,
    ParticipantStatus.SENDING.value: Situation.SENDING,
}


def _utc(moment: datetime | None) -> str:
    return moment.strftime("%Y-%m-%d %H:%M:%S") if moment else ""
