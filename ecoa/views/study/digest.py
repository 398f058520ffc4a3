"""How often one's digest comes."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods

from ecoa.digests import writing
from ecoa.forms.study import DigestForm
from ecoa.services import digests
from ecoa.services.refusals import Refused
from ecoa.views import dialogs
from vaultadmin import clock
from vaultadmin.access import MemberRequest, requires
from vaultadmin.permissions import Permission


@require_http_methods(["GET", "POST"])
@requires(Permission.ECOA_STUDY_TEAM)
def settings(request: MemberRequest, vault_id: int) -> HttpResponse:
    """Choose it, and see what it would say now."""
    now = clock.now()
    choice = digests.choice_of(request.member)
    names = ("frequency", "hour", "time_zone")
    form = DigestForm(dialogs.posted(request), initial={name: getattr(choice, name) for name in names})
    if request.method == "POST" and form.is_valid():
        try:
            digests.choose(member=request.member, now=now, **form.cleaned_data)
        except Refused as refusal:
            form.add_error(refusal.field, str(refusal))
        else:
            messages.success(request, "Saved.")
            return redirect("ecoa:digest", vault_id)
    context = {
        "form": form,
        "choice": choice,
        "sample": writing.sample(request.member, now=now),
        "tab": "digest",
        "page_title": "Digest",
    }
    return render(request, "ecoa/study/digest.html", context, status=422 if form.errors else 200)
