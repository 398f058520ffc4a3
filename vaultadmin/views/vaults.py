"""Creating a vault."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods

from vaultadmin import clock
from vaultadmin.access import Gate, fresh_credentials, requires
from vaultadmin.forms.vaults import VaultForm
from vaultadmin.services import vaults


@require_http_methods(["GET", "POST"])
@requires(Gate.DOMAIN_ADMIN)
@fresh_credentials
def create(request: HttpRequest) -> HttpResponse:
    """For Domain Administrators, who become the new vault's Vault Owner."""
    form = VaultForm(request.POST if request.method == "POST" else None)
    if request.method == "POST" and form.is_valid():
        try:
            vault = vaults.create_vault(**form.cleaned_data, by=request.user, now=clock.now())  # type: ignore[arg-type]
        except vaults.VaultRefused as error:
            form.add_error(error.field if error.field in form.fields else None, str(error))
        else:
            messages.success(request, f"{vault} was created with the standard security profiles.")
            return redirect("vault:home", vault.pk)
    context = {"form": form, "page_title": "Create vault"}
    return render(request, "people/vault_create.html", context, status=422 if form.errors else 200)
