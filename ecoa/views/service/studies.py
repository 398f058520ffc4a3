"""Studies of the service: list, record, sites, who reaches them."""

from __future__ import annotations

from django.http import Http404, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_safe

from ecoa.service import regions, selectors, studies
from ecoa.service.forms import MapSystemForm, MoveSiteForm, ServiceSiteForm, StudyForm
from ecoa.service.models import MappingState, ServiceStudy
from ecoa.views import dialogs
from vaultadmin import audit
from vaultadmin.access import MemberRequest, requires
from vaultadmin.forms.dialogs import ConfirmForm
from vaultadmin.permissions import Permission
from vaultadmin.query import PAGE, key_page

_SHOWN_EVENTS = 20
_SHOWN_SITES = 500
_methods = require_http_methods(["GET", "POST"])
_manages = requires(Permission.ECOA_MANAGE)


@require_safe
@_manages
def index(request: MemberRequest, vault_id: int) -> HttpResponse:
    """All studies of the vault, newest first."""
    page = key_page(selectors.studies(request.member), request, column="id", size=PAGE)
    return render(request, "ecoa/service/studies.html", {**page, "page_title": "Studies of the service"})


@_methods
@_manages
def create(request: MemberRequest, vault_id: int) -> HttpResponse:
    """*Add study*."""
    form = StudyForm(dialogs.posted(request))
    says = dialogs.Says(
        "Add study",
        "The service knows the study from then on. Nobody reaches it before you map a system to it.",
        "Add study",
        reverse("ecoa:service-studies", args=[vault_id]),
    )

    def act() -> str:
        study = studies.create_study(vault=request.member.vault, by=request.member, **form.cleaned_data)
        return _record(vault_id, study)

    return dialogs.run(request, form, says, act)


@require_safe
@_manages
def detail(request: MemberRequest, vault_id: int, service_study_id: int) -> HttpResponse:
    """One study: its sites with their regions, and the systems that reach it."""
    study = _find(request, service_study_id)
    rows = list(study.sites.order_by("number")[:_SHOWN_SITES])
    context = {
        "study": study,
        "sites": [(site, regions.is_configured(site.region)) for site in rows],
        "mappings": list(selectors.mappings(request.member).filter(study=study)[:PAGE]),
        "events": list(audit.history(study)[:_SHOWN_EVENTS]),
        "page_title": study.external_id,
    }
    return render(request, "ecoa/service/study.html", context)


@_methods
@_manages
def switch(request: MemberRequest, vault_id: int, service_study_id: int) -> HttpResponse:
    """*Disable integration* or *Enable integration*."""
    study = _find(request, service_study_id)
    back, on = _record(vault_id, study), study.integration_enabled
    says = dialogs.Says(
        "Disable integration" if on else "Enable integration",
        "Every call for the study is answered IC-0002 from the next one on. Its participants stay as they are."
        if on
        else "Mapped systems reach the study again from the next call on.",
        "Disable" if on else "Enable",
        back,
        danger=on,
    )

    def act() -> str:
        studies.set_enabled(study, enabled=not on, by=request.member)
        return back

    return dialogs.run(request, ConfirmForm(dialogs.posted(request)), says, act)


@_methods
@_manages
def add_site(request: MemberRequest, vault_id: int, service_study_id: int) -> HttpResponse:
    """*Add site*."""
    study = _find(request, service_study_id)
    form, back = ServiceSiteForm(dialogs.posted(request)), _record(vault_id, study)
    says = dialogs.Says(
        "Add site", "Its participants are kept in the store of the region, which discovery names.", "Add site", back
    )

    def act() -> str:
        studies.add_site(study, by=request.member, **form.cleaned_data)
        return back

    return dialogs.run(request, form, says, act)


@_methods
@_manages
def move_site(request: MemberRequest, vault_id: int, service_site_id: int) -> HttpResponse:
    """*Move site*."""
    site = selectors.sites(request.member).filter(pk=service_site_id).first()
    if site is None:
        raise Http404
    form, back = MoveSiteForm(dialogs.posted(request), initial={"region": site.region}), _record(vault_id, site.study)
    says = dialogs.Says(
        f"Move site {site.number}",
        "The site and its participants are served from the other region from the next call on. Callers that remember "
        "the old region are answered NF-0003 until they ask discovery again.",
        "Move",
        back,
        danger=True,
    )

    def act() -> str:
        studies.move_site(site, by=request.member, **form.cleaned_data)
        return back

    return dialogs.run(request, form, says, act)


@_methods
@_manages
def map_system(request: MemberRequest, vault_id: int, service_study_id: int) -> HttpResponse:
    """*Map system*."""
    study = _find(request, service_study_id)
    form, back = MapSystemForm(dialogs.posted(request), member=request.member), _record(vault_id, study)
    says = dialogs.Says(
        "Map a system to the study",
        "The system may then read and write the participants of every site of the study.",
        "Map system",
        back,
    )

    def act() -> str:
        studies.map_system(study, by=request.member, **form.cleaned_data)
        return back

    return dialogs.run(request, form, says, act)


@_methods
@_manages
def withdraw(request: MemberRequest, vault_id: int, service_mapping_id: int) -> HttpResponse:
    """*Withdraw mapping*."""
    return _set_mapping(
        request,
        service_mapping_id,
        MappingState.WITHDRAWN,
        dialogs.Says(
            "Withdraw mapping",
            "The system is answered IC-0003 for this study from the next call on. You can restore the mapping.",
            "Withdraw",
            "",
            danger=True,
        ),
    )


@_methods
@_manages
def restore(request: MemberRequest, vault_id: int, service_mapping_id: int) -> HttpResponse:
    """*Restore mapping*."""
    says = dialogs.Says("Restore mapping", "The system reaches the study again from the next call on.", "Restore", "")
    return _set_mapping(request, service_mapping_id, MappingState.ENABLED, says)


def _set_mapping(request: MemberRequest, pk: int, state: MappingState, says: dialogs.Says) -> HttpResponse:
    mapping = selectors.mappings(request.member).filter(pk=pk).first()
    if mapping is None:
        raise Http404
    back = _record(request.member.vault_id, mapping.study)
    said = dialogs.Says(f"{says.title} of {mapping.system}", says.text, says.button, back, says.danger)

    def act() -> str:
        studies.set_mapping(mapping, state=state, by=request.member)
        return back

    return dialogs.run(request, ConfirmForm(dialogs.posted(request)), said, act)


def _find(request: MemberRequest, pk: int) -> ServiceStudy:
    found = selectors.studies(request.member).filter(pk=pk).first()
    if found is None:
        raise Http404
    return found


def _record(vault_id: int, study: ServiceStudy) -> str:
    return reverse("ecoa:service-study", args=[vault_id, study.pk])
