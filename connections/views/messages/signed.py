"""*Why is this signed?*: the string-to-verify of one attempt line by line, and a receiver's own compared with it."""

from __future__ import annotations

from uuid import UUID

from django.http import Http404, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_http_methods

from connections.forms.messages import CompareForm
from connections.selectors.messages import READERS
from connections.services import explaining
from connections.services.explaining import Verdict
from connections.spark import explaining as pure
from connections.views.messages.common import copy_or_404, message_url, shown_until
from vaultadmin import clock
from vaultadmin.access import MemberRequest, requires
from vaultadmin.answers import frame
from vaultadmin.permissions import Permission, can


@require_http_methods(["GET", "POST"])
@requires(*READERS)
def signed(request: MemberRequest, vault_id: int, message_id: UUID, number: int) -> HttpResponse:
    """The drawer: lines of the string, and the form for a pasted one, whose answer is the drawer again."""
    copy = copy_or_404(request, message_id)
    attempt = copy.tries.filter(number=number).first()
    if attempt is None:
        raise Http404
    refusal = explaining.refusal(attempt, copy)
    revealed = shown_until(request, copy, clock.now()) is not None
    form = CompareForm(request.POST if request.method == "POST" else None)
    verdict: Verdict | None = None
    if form.is_valid() and not refusal:
        pasted = form.cleaned_data["pasted"]
        verdict = explaining.compare(attempt, copy, pasted, revealed=revealed, by=request.member)
    rebuilt = explaining.rebuild(attempt, copy) if not refusal else None
    context = {
        "refusal": refusal,
        "message": copy,
        "attempt": attempt,
        "rebuilt": rebuilt,
        "lines": pure.lines(explaining.shown(rebuilt, revealed=revealed)) if rebuilt else [],
        "revealed": revealed,
        "verdict": verdict,
        "may_compare": can(request.member, Permission.MESSAGES_OPERATE),
        "form": form,
        "frame": frame(request),
        "cancel_url": message_url(copy),
        "page_title": f"Why is attempt {number} signed?",
    }
    status = 409 if refusal and request.method == "POST" else 422 if form.errors else 200
    return render(request, "connections/messages/signed.html", context, status=status)
