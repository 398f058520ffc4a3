"""The dialogs for messages whose processing was given up."""

from __future__ import annotations

from django.http import HttpResponse
from django.views.decorators.http import require_http_methods

from connections.forms.dialogs import NeededReasonForm
from connections.services.messages import set_aside
from connections.services.refusals import Refused
from connections.views.common import add_refusal
from connections.views.dialogs import said, show
from connections.views.messages.common import CHANGED, incoming_or_404, message_url
from vaultadmin import clock
from vaultadmin.access import MemberRequest, requires
from vaultadmin.permissions import Permission


@require_http_methods(["GET", "POST"])
@requires(Permission.MESSAGES_OPERATE)
def process_again(request: MemberRequest, vault_id: int, incoming_id: int) -> HttpResponse:
    """*Process again*."""
    message = incoming_or_404(request, incoming_id)
    refusal = set_aside.again_refusal(message)
    if request.method == "POST" and not refusal:
        try:
            set_aside.process_again(message=message, by=request.member, now=clock.now())
        except Refused as error:
            refusal = str(error)
        else:
            return said(request, "The message is processed again.", fallback=message_url(message), event=CHANGED)
    return show(
        request,
        title="Process again",
        cancel_url=message_url(message),
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
    message = incoming_or_404(request, incoming_id)
    refusal = set_aside.refusal(message)
    form = NeededReasonForm(request.POST if request.method == "POST" else None)
    if form.is_valid() and not refusal:
        try:
            set_aside.remove(message=message, by=request.member, now=clock.now(), **form.cleaned_data)
        except Refused as error:
            add_refusal(form, error)
        else:
            return said(request, "The message was removed.", fallback=message_url(message), event=CHANGED)
    return show(
        request,
        title="Remove message",
        cancel_url=message_url(message),
        sentences=("Nobody processes the message any more. This cannot be undone; the sender is not told.",),
        form=form,
        refusal=refusal,
        submit="Remove",
        danger=True,
    )
