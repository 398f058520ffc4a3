"""Which mails a person gets."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods

from vaultadmin.access import Gate, requires
from vaultadmin.forms.notices import NoticesForm
from vaultadmin.services import notices


@require_http_methods(["GET", "POST"])
@requires(Gate.SIGNED_IN)
def settings(request: HttpRequest) -> HttpResponse:
    """Turn e-mail notices about tasks on or off, for oneself."""
    user = notices.person(request.user)
    form = NoticesForm(request.POST if request.method == "POST" else None, initial={"mail_notices": user.mail_notices})
    if request.method == "POST" and form.is_valid():
        wanted = form.cleaned_data["mail_notices"]
        notices.choose(user=user, wanted=wanted)
        messages.success(request, "You get e-mail notices." if wanted else "You get no e-mail notices any more.")
        return redirect("account_notices")
    return render(request, "account/notices.html", {"form": form}, status=422 if form.errors else 200)
