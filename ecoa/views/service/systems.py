"""Integrating systems: list, record, tenants, secrets."""

from __future__ import annotations

from django.http import Http404, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_safe

from ecoa.service import rotation, selectors, systems
from ecoa.service.forms import IssueForm, SystemEditForm, SystemForm, TenantForm
from ecoa.service.models import ServiceSystem
from ecoa.services.refusals import Refused
from ecoa.views import dialogs
from vaultadmin import audit, clock
from vaultadmin.access import MemberRequest, fresh_credentials, requires
from vaultadmin.answers import frame
from vaultadmin.forms.dialogs import ConfirmForm
from vaultadmin.permissions import Permission
from vaultadmin.query import PAGE, key_page

_SHOWN_EVENTS = 20
_methods = require_http_methods(["GET", "POST"])
_manages = requires(Permission.ECOA_MANAGE)


@require_safe
@_manages
def index(request: MemberRequest, vault_id: int) -> HttpResponse:
    """All systems of the vault, newest first, and the address they call."""
    page = key_page(selectors.systems(request.member), request, column="id", size=PAGE)
    context = {
        **page,
        "refresh_on": "service-systems:changed",
        "address": f"{request.scheme}://{request.get_host()}/myveeva/global/",
        "page_title": "eCOA service",
    }
    return render(request, "ecoa/service/systems.html", context)


@_methods
@_manages
@fresh_credentials
def create(request: MemberRequest, vault_id: int) -> HttpResponse:
    """*Create system*; its answer shows the first secret, once."""
    form = SystemForm(dialogs.posted(request))
    says = dialogs.Says(
        "Create system",
        "The system may call as soon as a study is mapped to it. Its secret is shown once, when you create it.",
        "Create",
        _list(vault_id),
    )
    if request.method == "POST" and form.is_valid():
        values, secret = form.cleaned_data, rotation.new_secret()
        try:
            system = systems.create_with_tenant(vault=request.member.vault, secret=secret, by=request.member, **values)
        except Refused as refusal:
            form.add_error(refusal.field if refusal.field in form.fields else None, str(refusal))
        else:
            return _shown(request, system, secret)
    return dialogs.draw(request, form, says)


@require_safe
@_manages
def detail(request: MemberRequest, vault_id: int, system_id: int) -> HttpResponse:
    """One system: whether and from where it may call, its secrets, its studies."""
    system, now = find(request, system_id), clock.now()
    secrets = list(system.secrets.order_by("-version")[:PAGE])
    context = {
        "system": system,
        "secrets": [(secret, secret.state(now)) for secret in secrets],
        "mappings": list(system.mappings.select_related("study").order_by("study__external_id")[:PAGE]),
        "events": list(audit.history(system)[:_SHOWN_EVENTS]),
        "page_title": system.external_id,
    }
    return render(request, "ecoa/service/system.html", context)


@_methods
@_manages
def edit(request: MemberRequest, vault_id: int, system_id: int) -> HttpResponse:
    """*Edit system*."""
    system = find(request, system_id)
    initial = {"allowed_addresses": system.allowed_addresses, "integration_enabled": system.integration_enabled}
    form = SystemEditForm(dialogs.posted(request), initial=initial)
    back = _record(vault_id, system)
    says = dialogs.Says(
        f"Edit {system}",
        "Both count from the next call on. A system that is not enabled is answered IC-0002, and a call from "
        "elsewhere is refused.",
        "Save",
        back,
    )

    def act() -> str:
        systems.edit(system, by=request.member, **form.cleaned_data)
        return back

    return dialogs.run(request, form, says, act)


@_methods
@_manages
def add_tenant(request: MemberRequest, vault_id: int, system_id: int) -> HttpResponse:
    """*Add tenant*."""
    system = find(request, system_id)
    form, back = TenantForm(dialogs.posted(request)), _record(vault_id, system)
    says = dialogs.Says("Add tenant", "The system may then sign in on behalf of this entity, too.", "Add tenant", back)

    def act() -> str:
        systems.add_tenant(system, by=request.member, **form.cleaned_data)
        return back

    return dialogs.run(request, form, says, act)


@_methods
@_manages
def remove_tenant(request: MemberRequest, vault_id: int, system_id: int, tenant_id: int) -> HttpResponse:
    """*Remove tenant*."""
    system = find(request, system_id)
    tenant = system.tenants.filter(pk=tenant_id).first()
    if tenant is None:
        raise Http404
    back = _record(vault_id, system)
    says = dialogs.Says(
        f"Remove tenant {tenant}",
        "The system can no longer sign in for it, and tokens it has for it are refused from the next call on.",
        "Remove",
        back,
        danger=True,
    )

    def act() -> str:
        systems.remove_tenant(tenant, by=request.member)
        return back

    return dialogs.run(request, ConfirmForm(dialogs.posted(request)), says, act)


@_methods
@_manages
@fresh_credentials
def issue_secret(request: MemberRequest, vault_id: int, system_id: int) -> HttpResponse:
    """*Issue secret*; its answer shows the secret, once."""
    system = find(request, system_id)
    form = IssueForm(dialogs.posted(request))
    says = dialogs.Says(
        "Issue another secret",
        "The new secret is shown once. The one before goes on for the time you choose, so that the system can change "
        "over without a gap; then it ends, with every token given for it.",
        "Issue secret",
        _record(vault_id, system),
    )
    if request.method == "POST" and form.is_valid():
        try:
            secret = rotation.rotate(system, by=request.member, now=clock.now(), **form.cleaned_data)
        except Refused as refusal:
            form.add_error(refusal.field if refusal.field in form.fields else None, str(refusal))
        else:
            return _shown(request, system, secret)
    return dialogs.draw(request, form, says)


@_methods
@_manages
def revoke_secret(request: MemberRequest, vault_id: int, system_id: int, secret_id: int) -> HttpResponse:
    """*Revoke secret*."""
    system = find(request, system_id)
    secret = system.secrets.select_related("system").filter(pk=secret_id).first()
    if secret is None:
        raise Http404
    back = _record(vault_id, system)
    says = dialogs.Says(
        f"Revoke secret {secret.version}",
        "It ends now, with every token given for it; whoever still uses it is refused from the next call on. This "
        "cannot be undone.",
        "Revoke",
        back,
        danger=True,
    )

    def act() -> str:
        rotation.revoke(secret, by=request.member, now=clock.now())
        return back

    return dialogs.run(request, ConfirmForm(dialogs.posted(request)), says, act)


def find(request: MemberRequest, system_id: int) -> ServiceSystem:
    """A system this member looks after, else 404."""
    found = selectors.systems(request.member).filter(pk=system_id).first()
    if found is None:
        raise Http404
    return found


def _shown(request: MemberRequest, system: ServiceSystem, secret: str) -> HttpResponse:
    back = _record(request.member.vault_id, system)
    context = {"system": system, "secret": secret, "frame": frame(request), "back_url": back}
    response = render(request, "ecoa/service/secret_shown.html", context)
    response["HX-Trigger"] = "service-systems:changed"
    return response


def _list(vault_id: int) -> str:
    return reverse("ecoa:service", args=[vault_id])


def _record(vault_id: int, system: ServiceSystem) -> str:
    return reverse("ecoa:service-system", args=[vault_id, system.pk])
