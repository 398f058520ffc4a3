"""Study mappings: list, record, create, edit."""

from __future__ import annotations

from typing import Any

from django.http import Http404, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_safe

from ecoa.forms.mappings import MappingForm, ScheduleForm
from ecoa.models import StudyMapping
from ecoa.selectors import mappings as mapping_rows
from ecoa.selectors import sites as site_rows
from ecoa.sentences.runs import schedule_sentence
from ecoa.services import mappings as services
from ecoa.services import schedules
from ecoa.views import dialogs
from vaultadmin import audit, clock
from vaultadmin.access import MemberRequest, requires
from vaultadmin.permissions import Permission
from vaultadmin.query import PAGE, key_page

_SHOWN_EVENTS = 20
_SHOWN_SITES = 200


@require_safe
@requires(Permission.ECOA_MANAGE)
def index(request: MemberRequest, vault_id: int) -> HttpResponse:
    """All study mappings of the vault, newest first."""
    page = key_page(mapping_rows.mappings(request.member), request, column="id", size=PAGE)
    return render(request, "ecoa/mappings.html", {**page, "page_title": "Study mappings"})


@require_safe
@requires(Permission.ECOA_MANAGE)
def detail(request: MemberRequest, vault_id: int, mapping_id: int) -> HttpResponse:
    """One study: how it is reached, its sites, who sees them."""
    mapping = find(request, mapping_id)
    sites = list(site_rows.sites(request.member).filter(mapping=mapping)[:_SHOWN_SITES])
    staff = site_rows.assigned(sites)
    context = {
        "mapping": mapping,
        "schedule": schedule_sentence(mapping),
        "sites": [(site, staff[site.pk]) for site in sites],
        "events": list(audit.history(mapping)[:_SHOWN_EVENTS]),
        "page_title": mapping.name,
    }
    return render(request, "ecoa/mapping.html", context)


@require_http_methods(["GET", "POST"])
@requires(Permission.ECOA_MANAGE)
def create(request: MemberRequest, vault_id: int) -> HttpResponse:
    """*Map a study*."""
    form = MappingForm(dialogs.posted(request), member=request.member)
    says = dialogs.Says(
        "Map a study",
        "Participants of this study go to eCOA over the connection you choose. Nothing is sent yet.",
        "Save",
        reverse("ecoa:mappings", args=[vault_id]),
    )

    def act() -> str:
        mapping = services.create(vault=request.member.vault, by=request.member, **form.cleaned_data)
        return reverse("ecoa:mapping", args=[vault_id, mapping.pk])

    return dialogs.run(request, form, says, act)


@require_http_methods(["GET", "POST"])
@requires(Permission.ECOA_MANAGE)
def edit(request: MemberRequest, vault_id: int, mapping_id: int) -> HttpResponse:
    """*Edit study mapping*."""
    mapping = find(request, mapping_id)
    form = MappingForm(dialogs.posted(request), instance=mapping, member=request.member)
    back = reverse("ecoa:mapping", args=[vault_id, mapping.pk])
    says = dialogs.Says(
        "Edit study mapping", "A run under way uses the new values for what it has not sent yet.", "Save", back
    )

    def act() -> str:
        services.edit(mapping, by=request.member, **form.cleaned_data)
        return back

    return dialogs.run(request, form, says, act)


@require_http_methods(["GET", "POST"])
@requires(Permission.ECOA_MANAGE)
def schedule(request: MemberRequest, vault_id: int, mapping_id: int) -> HttpResponse:
    """*Edit schedule*."""
    mapping = find(request, mapping_id)
    form = ScheduleForm(dialogs.posted(request), initial=_timetable(mapping))
    back = reverse("ecoa:mapping", args=[vault_id, mapping.pk])
    says = dialogs.Says(
        "Edit schedule",
        "Whatever changed or is not in eCOA yet is sent by itself, as often as you choose. While a run of the study is "
        "open the next one waits, and a time that was missed is made up for once.",
        "Save",
        back,
    )

    def act() -> str:
        schedules.edit(mapping, by=request.member, now=clock.now(), **form.cleaned_data)
        return back

    return dialogs.run(request, form, says, act)


def _timetable(mapping: StudyMapping) -> dict[str, Any]:
    return {
        "minutes": mapping.schedule_minutes,
        "opens": mapping.schedule_from,
        "closes": mapping.schedule_until,
        "days": mapping.schedule_days,
        "zone": mapping.schedule_zone,
        "paused": mapping.schedule_paused,
    }


def find(request: MemberRequest, mapping_id: int) -> StudyMapping:
    """A study mapping this member sees, else 404."""
    found = mapping_rows.mappings(request.member).filter(pk=mapping_id).first()
    if found is None:
        raise Http404
    return found
