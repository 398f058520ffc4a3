"""Sandboxes of a vault: the list, create, refresh; and in a sandbox what waits to be mended."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django import forms
from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_safe

from vaultadmin import clock
from vaultadmin.access import MemberRequest, fresh_credentials, requires
from vaultadmin.answers import frame, go, live_by
from vaultadmin.forms.sandboxes import RefreshForm, RetryForm, SandboxForm
from vaultadmin.models import Sandbox
from vaultadmin.permissions import Permission
from vaultadmin.sandboxes import links, selectors, services
from vaultadmin.sandboxes.home import MENDERS

_methods = require_http_methods(["GET", "POST"])


@dataclass(frozen=True)
class Dialog:
    """What a dialog says: title, two sentences, the button."""

    title: str
    text: tuple[str, ...]
    button: str
    danger: bool = False


@require_safe
@requires(Permission.ADMIN_SANDBOXES)
def index(request: MemberRequest, vault_id: int) -> HttpResponse:
    """The sandboxes of this vault; fetches itself while one is being built."""
    rows = selectors.rows(request.member, now=clock.now())
    context = {
        "rows": rows,
        "building": any(row.sandbox.is_building for row in rows),
        "create_refusal": services.create_refusal(request.member.vault),
        "page_title": "Sandboxes",
    }
    stamp = "|".join(f"{row.sandbox.pk} {row.sandbox.state} {row.sandbox.doing} {row.to_mend}" for row in rows)
    return live_by(request, stamp, lambda: render(request, "sandboxes/list.html", context))


@_methods
@requires(Permission.ADMIN_SANDBOXES)
@fresh_credentials
def create(request: MemberRequest, vault_id: int) -> HttpResponse:
    """*Create sandbox*."""
    source = request.member.vault
    says = Dialog(
        "Create sandbox",
        (
            f"A new Vault is made from {source}: its configuration and, if you like, its people. "
            "Messages, logs, participants, tokens of people and secrets are not copied.",
            "Its connections to other Vaults are Pending and External ones without a token in their URL Inactive, so "
            "that it reaches nobody until you say so there. A sandbox cannot be removed again.",
        ),
        "Create sandbox",
    )
    form = SandboxForm(request.POST if request.method == "POST" else None)
    return _run(
        request,
        form,
        says,
        lambda: services.create(source=source, **form.cleaned_data, by=request.member, now=clock.now()),
        "The sandbox is being built.",
        refusal=services.create_refusal(source),
    )


@_methods
@requires(Permission.ADMIN_SANDBOXES)
@fresh_credentials
def refresh(request: MemberRequest, vault_id: int, sandbox_id: int) -> HttpResponse:
    """*Refresh*: confirmed by the typed name."""
    sandbox = _sandbox_or_404(request, sandbox_id)
    says = Dialog(
        "Refresh sandbox",
        (
            f"The connections, authorizations, tokens and studies of {sandbox} are replaced by copies of those here. "
            "People of the sandbox stay in it.",
            "What was set up or tried out there is gone for good, and what was mended must be mended again. "
            "The next refresh is possible after 24 hours.",
        ),
        "Refresh",
        danger=True,
    )
    form = RefreshForm(
        request.POST if request.method == "POST" else None,
        name=sandbox.vault.name,
        initial={"with_people": sandbox.with_people},
    )
    return _run(
        request,
        form,
        says,
        lambda: services.refresh(sandbox=sandbox, **form.cleaned_data, by=request.member, now=clock.now()),
        f"{sandbox} is being refreshed.",
        refusal=services.refresh_refusal(sandbox, clock.now()),
    )


@_methods
@requires(Permission.ADMIN_SANDBOXES)
def retry(request: MemberRequest, vault_id: int, sandbox_id: int) -> HttpResponse:
    """*Try again* after a build that failed."""
    sandbox = _sandbox_or_404(request, sandbox_id)
    says = Dialog(
        "Try again",
        (f"{sandbox} is copied from the start once more. Nothing of the failed attempt is left.",),
        "Try again",
    )
    form = RetryForm(request.POST if request.method == "POST" else None)
    return _run(
        request,
        form,
        says,
        lambda: services.retry(sandbox=sandbox, by=request.member, now=clock.now()),
        f"{sandbox} is being built.",
        refusal=services.retry_refusal(sandbox),
    )


@require_safe
@requires(*MENDERS)
def mend(request: MemberRequest, vault_id: int) -> HttpResponse:
    """In a sandbox: every link that does not work since the copy, with its cause and the next step."""
    sandbox = Sandbox.objects.select_related("vault", "source").filter(pk=vault_id).first()
    rows = links.rows(request.member.vault, request.member)
    healed = sum(row.healed for row in rows)
    context = {
        "sandbox": sandbox,
        "rows": rows,
        "healed": healed,
        "open": len(rows) - healed,
        "page_title": "Links to mend",
    }
    stamp = "|".join(f"{row.link.pk} {row.healed} {row.url}" for row in rows)
    return live_by(request, stamp, lambda: render(request, "sandboxes/links.html", context))


def _sandbox_or_404(request: MemberRequest, sandbox_id: int) -> Sandbox:
    rows = Sandbox.objects.select_related("vault", "source")
    sandbox: Sandbox | None = rows.filter(pk=sandbox_id, source=request.member.vault_id).first()
    if sandbox is None:
        raise Http404
    return sandbox


def _run(
    request: MemberRequest, form: forms.Form, says: Dialog, act: Callable[[], Any], done: str, *, refusal: str
) -> HttpResponse:
    """Show a dialog; on a good form act and go back to the list. 409 when it is not possible now."""
    back = reverse("vault:sandboxes", args=[request.member.vault_id])
    if request.method == "POST" and form.is_valid() and not refusal:
        try:
            act()
        except services.SandboxRefused as error:
            if error.field not in form.fields:
                refusal = str(error)
            else:
                form.add_error(error.field, str(error))
        else:
            messages.success(request, done)
            return go(request, back)
    status = 422 if form.errors else 200
    if refusal and request.method == "POST":
        status = 409
    context = {
        "form": None if refusal else form,
        "says": says,
        "danger": says.danger,
        "refusal": refusal,
        "frame": frame(request),
        "cancel_url": back,
    }
    return render(request, "sandboxes/dialog.html", context, status=status)
