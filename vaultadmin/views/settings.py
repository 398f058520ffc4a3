"""Settings of a vault: Client ID Filtering, API sessions, approvals."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods

from vaultadmin import audit, clock
from vaultadmin.access import MemberRequest, requires
from vaultadmin.forms.settings import SettingsForm
from vaultadmin.models import VaultSettings
from vaultadmin.permissions import Permission
from vaultadmin.services import vault_settings
from vaultadmin.services.vault_settings import SettingsRefused

_SHOWN_EVENTS = 20


@require_http_methods(["GET", "POST"])
@requires(Permission.ADMIN_SETTINGS)
def index(request: MemberRequest, vault_id: int) -> HttpResponse:
    """Show and change them. What filtering lets in and refuses stands beside its switch."""
    current = VaultSettings.of(request.member.vault)
    outlook = vault_settings.outlook(request.member.vault)
    form = SettingsForm(request.POST if request.method == "POST" else None, settings=current, outlook=outlook)
    if form.is_valid() and not form.warning and _saved(request, form):
        messages.success(request, "The settings were saved.")
        return redirect("vault:settings", vault_id)
    context = {
        "form": form,
        "outlook": outlook,
        "refused": [(one, vault_settings.words_of(one.client_id)) for one in outlook.refused],
        "filtering": current.client_id_filtering,
        "settings_row": current,
        "events": audit.history(current)[:_SHOWN_EVENTS],
        "page_title": "Settings",
    }
    return render(request, "site/settings.html", context, status=422 if request.method == "POST" else 200)


def _saved(request: MemberRequest, form: SettingsForm) -> bool:
    data = form.cleaned_data
    try:
        vault_settings.change(
            values=form.values(), reason=data["reason"], by=request.member, now=clock.now(), seen=data["seen"]
        )
    except SettingsRefused as refused:
        form.add_error(refused.field or None, str(refused))
        return False
    return True
