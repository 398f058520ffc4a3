"""The page behind an invitation or reset link."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods

from vaultadmin import clock
from vaultadmin.access import Gate, requires
from vaultadmin.forms.people import PasswordForm
from vaultadmin.services import links


@require_http_methods(["GET", "POST"])
@sensitive_post_parameters("password", "again")
@requires(Gate.PUBLIC)
def accept(request: HttpRequest, token: str) -> HttpResponse:
    """Choose a password and go to sign in; not signed in by the link, which would step around a second factor."""
    try:
        invitation = links.find(token, now=clock.now())
        form = PasswordForm(request.POST if request.method == "POST" else None, user=invitation.user)
        if request.method == "POST" and form.is_valid():
            links.redeem(token, password=form.cleaned_data["password"], now=clock.now())
            messages.success(request, "Your password is set. Sign in with it.")
            return _private(redirect("account_login"))
    except links.LinkRefused as error:
        return _private(render(request, "people/link_refused.html", {"sentence": str(error)}, status=410))
    context = {"form": form, "person": invitation.user, "purpose": invitation.purpose}
    return _private(render(request, "people/accept.html", context, status=422 if form.errors else 200))


def _private(response: HttpResponse) -> HttpResponse:
    response["Cache-Control"] = "no-store, private"
    return response
