"""The dialogs *Send signed test message* of a connection and of an outbound queue."""

from __future__ import annotations

from django.http import Http404, HttpResponse
from django.urls import reverse
from django.views.decorators.http import require_http_methods

from connections.forms.trial_message import KeyForm, TrialMessageForm
from connections.models import Queue
from connections.selectors.messages import OUT
from connections.services.messages import trial_message
from connections.services.refusals import Refused
from connections.views.common import add_refusal, record_or_404, record_url
from connections.views.dialogs import said, show
from connections.views.messages.common import filtered_url
from connections.views.queue_changes import CHANGED
from connections.views.queues import queue_or_404, queue_url
from vaultadmin import clock
from vaultadmin.access import MemberRequest, requires
from vaultadmin.permissions import Permission
from vaultadmin.together import answer

_ON_ITS_WAY = "The test message is on its way."
_AS_ANY = "It is signed and counted like every other, so its receiver must be able to take it."


@require_http_methods(["GET", "POST"])
@requires(Permission.MESSAGES_OPERATE)
def send(request: MemberRequest, vault_id: int, api_name: str) -> HttpResponse:
    """Put one message that says it is a test."""
    connection = record_or_404(request, api_name)
    refusal = answer(trial_message.refusal(connection))
    form = TrialMessageForm(request.POST if request.method == "POST" else None, connection=connection)
    if form.is_valid() and not refusal:
        try:
            sent = trial_message.send(connection=connection, by=request.member, now=clock.now(), **form.cleaned_data)
        except Refused as error:
            add_refusal(form, error)
        else:
            queue = form.cleaned_data["queue"]
            return said(request, _ON_ITS_WAY, fallback=record_url(connection), link=_look(request, queue, sent))
    return show(
        request,
        title="Send signed test message",
        cancel_url=record_url(connection),
        sentences=(
            f"A message with the attribute {trial_message.MARK} and no items leaves by the queue you choose.",
            _AS_ANY,
        ),
        form=form,
        refusal=refusal,
        submit="Send",
    )


@require_http_methods(["GET", "POST"])
@requires(Permission.MESSAGES_OPERATE)
def send_by_queue(request: MemberRequest, vault_id: int, queue_name: str) -> HttpResponse:
    """Put one message that says it is a test into this outbound queue."""
    queue = queue_or_404(request, queue_name)
    if not queue.is_outbound:
        raise Http404
    refusal = answer(trial_message.refusal_of_queue(queue))
    form = KeyForm(request.POST if request.method == "POST" else None)
    if form.is_valid() and not refusal:
        try:
            sent = trial_message.send_by_queue(queue=queue, by=request.member, now=clock.now(), **form.cleaned_data)
        except Refused as error:
            refusal = str(error)
        else:
            return said(
                request, _ON_ITS_WAY, fallback=queue_url(queue), event=CHANGED, link=_look(request, queue, sent)
            )
    links = queue.connections.filter(is_active=True).select_related("connection").order_by("pk")
    receivers = ", ".join(str(link.connection) for link in links)
    return show(
        request,
        title="Send signed test message",
        cancel_url=queue_url(queue),
        sentences=(f"A message with the attribute {trial_message.MARK} and no items goes to {receivers}.", _AS_ANY),
        form=form,
        refusal=refusal,
        submit="Send",
    )


def _look(request: MemberRequest, queue: Queue, sent: trial_message.Sent) -> tuple[str, str]:
    """Where the message can be watched: on its page, or in the list when it was copied to several connections."""
    if len(sent.copies) == 1:
        [message_id] = sent.copies.values()
        return "Look at it", reverse("connections:message", args=[request.member.vault_id, message_id])
    return "Look at its copies", filtered_url(request.member, direction=OUT, queue=queue.name)
