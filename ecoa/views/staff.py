"""Sites of a study and the site staff who see them."""

from __future__ import annotations

from django.http import Http404, HttpResponse
from django.urls import reverse
from django.views.decorators.http import require_http_methods

from ecoa.forms.mappings import AssignForm, SiteForm
from ecoa.models import Site
from ecoa.selectors import sites as site_rows
from ecoa.services import sites as services
from ecoa.views import dialogs
from ecoa.views.mappings import find
from vaultadmin.access import MemberRequest, requires
from vaultadmin.forms.dialogs import ConfirmForm
from vaultadmin.permissions import Permission

_methods = require_http_methods(["GET", "POST"])


@_methods
@requires(Permission.ECOA_MANAGE)
def add_site(request: MemberRequest, vault_id: int, mapping_id: int) -> HttpResponse:
    """*Add site*."""
    mapping = find(request, mapping_id)
    form = SiteForm(dialogs.posted(request))
    back = reverse("ecoa:mapping", args=[vault_id, mapping.pk])
    says = dialogs.Says("Add site", "Participants of this site can be imported from then on.", "Add site", back)

    def act() -> str:
        services.add(mapping=mapping, by=request.member, **form.cleaned_data)
        return back

    return dialogs.run(request, form, says, act)


@_methods
@requires(Permission.ECOA_MANAGE)
def assign(request: MemberRequest, vault_id: int, site_id: int) -> HttpResponse:
    """*Assign site staff*."""
    site = _site(request, site_id)
    form = AssignForm(dialogs.posted(request), member=request.member)
    back = reverse("ecoa:mapping", args=[vault_id, site.mapping_id])
    says = dialogs.Says(
        f"Assign site staff to {site}",
        "Members who only view sites see their assigned sites and nothing of the others.",
        "Assign",
        back,
    )

    def act() -> str:
        services.assign(site=site, member=form.cleaned_data["member"], by=request.member)
        return back

    return dialogs.run(request, form, says, act)


@_methods
@requires(Permission.ECOA_MANAGE)
def unassign(request: MemberRequest, vault_id: int, site_id: int, member_id: int) -> HttpResponse:
    """*Take the site away*."""
    site = _site(request, site_id)
    assignment = site.assignments.select_related("member__user").filter(member=member_id).first()
    if assignment is None:
        raise Http404
    back = reverse("ecoa:mapping", args=[vault_id, site.mapping_id])
    says = dialogs.Says(
        f"Take {site} away", f"{assignment.member} no longer sees this site, from the next click on.", "Take away", back
    )

    def act() -> str:
        services.unassign(site=site, member=assignment.member, by=request.member)
        return back

    return dialogs.run(request, ConfirmForm(dialogs.posted(request)), says, act)


def _site(request: MemberRequest, site_id: int) -> Site:
    found = site_rows.sites(request.member).select_related("vault").filter(pk=site_id).first()
    if found is None:
        raise Http404
    return found
