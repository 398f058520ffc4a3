"""The dialogs for messages whose processing was given up."""

from __future__ import annotations

from django.http import Http404, HttpResponse
from django.urls import reverse
from django.views.decorators.http import require_http_methods

from connections.forms.dialogs import NeededReasonForm
from connections.models import IncomingMessage
from connections.services import set_aside
from connections.services.refusals import Refused
from connections.views.common import add_refusal
from connections.views.dialogs import said, show
from vaultadmin import clock
from vaultadmin.access import MemberRequest, requires
from vaultadmin.permissions import Permission

CHANGED = "messages:changed"


@require_http_methods(["GET", "POST"])
@requires(Permission.MESSAGES_OPERATE)
def process_again(request: MemberRequest, vault_id: int, incoming_id: int) -> HttpResponse:
    """*Process again*."""
    message = _message_or_404(request, incoming_id)
    refusal = set_aside.again_refusal(message)
    if request.method == "POST" and not refusal:
        try:
            set_aside.process_again(message=message, by=request.member, now=clock.now())
        except Refused as error:
            refusal = str(error)
        else:
            return said(request, "The message is processed again.", fallback=_back(request, incoming_id), event=CHANGED)
    return show(
        request,
        title="Process again",
        cancel_url=_back(request, incoming_id),
        sentences=(
            f"{message.queue} gives the message to its Message Processor again, with all its tries.",
            "What the processor did before it broke off was undone each time, so nothing happens twice.",
        ),
        refusal=refusal,
        submit="Process again",
    )


@require_http_methods(["GET", "POST"])
@requires(Permission.MESSAGES_OPERATE)
def remove(request: MemberRequest, vault_id: int, incoming_id: int) -> HttpResponse:
    """*Remove*."""
    message = _message_or_404(request, incoming_id)
    refusal = set_aside.refusal(message)
    form = NeededReasonForm(request.POST if request.method == "POST" else None)
    if form.is_valid() and not refusal:
        try:
            set_aside.remove(message=message, by=request.member, now=clock.now(), **form.cleaned_data)
        except Refused as error:
            add_refusal(form, error)
        else:
            return said(request, "The message was removed.", fallback=_back(request, incoming_id), event=CHANGED)
    return show(
        request,
        title="Remove message",
        cancel_url=_back(request, incoming_id),
        sentences=("Nobody processes the message any more. This cannot be undone; the sender is not told.",),
        form=form,
        refusal=refusal,
        submit="Remove",
        danger=True,
    )


def _message_or_404(request: MemberRequest, number: int) -> IncomingMessage:
    found = IncomingMessage.objects.visible_to(request.member).select_related("queue").filter(pk=number).first()
    if found is None:
        raise Http404
    return found


def _back(request: MemberRequest, number: int) -> str:
    return reverse("connections:incoming", args=[request.member.vault_id, number])
