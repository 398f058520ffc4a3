"""The dialogs that send messages again, reveal what they hold, and hold them back."""

from __future__ import annotations

from uuid import UUID

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.views.decorators.http import require_http_methods

from connections.constants import CopyState
from connections.forms.dialogs import ReasonForm
from connections.forms.messages import HoldForm, ResendForm, RevealForm
from connections.models import Connection, Hold, IncomingMessage, MessageCopy, Queue
from connections.services.messages import holding, resending, revealing
from connections.services.refusals import Refused
from connections.views.common import add_refusal
from connections.views.dialogs import said, show
from connections.views.messages.common import (
    CHANGED,
    copy_or_404,
    incoming_or_404,
    list_url,
    message_url,
    remember,
)
from connections.views.messages.listing import resend_label
from vaultadmin import clock
from vaultadmin.access import MemberRequest, fresh_credentials, requires
from vaultadmin.answers import go
from vaultadmin.permissions import Permission
from vaultadmin.query import as_key

_methods = require_http_methods(["GET", "POST"])
_NEW = (
    "What was put is sent as it was, as a new message with an ID of its own and signed anew. The original stays as it "
    "is, and the two are linked."
)
_NEW_ONES = (
    "What was put is sent as it was, as new messages with IDs of their own and signed anew. The originals stay as they "
    "are, each linked with its new message."
)
_TWICE = (
    "The receiver accepted this message already and will get it a second time, under another ID. Do this only when you "
    "know that it can tell repetitions, or has lost the first."
)
_CALLS = "Calls that are under way are seen to their end; within seconds no further one begins, and what follows waits."
_WINDOW = "What is held stays in its queue, and the time does not count into the six hours for which it is tried."


@_methods
@requires(Permission.MESSAGES_OPERATE)
def resend(request: MemberRequest, vault_id: int, message_id: UUID) -> HttpResponse:
    """*Resend* one message; after a success it is called what it is."""
    copy = copy_or_404(request, message_id)
    refusal = resending.refusal(copy)
    form = ResendForm(request.POST if request.method == "POST" else None)
    if form.is_valid() and not refusal:
        try:
            [made] = resending.resend(copies=[copy], by=request.member, now=clock.now(), **form.cleaned_data)
        except Refused as error:
            add_refusal(form, error)
        else:
            messages.success(request, "The message was put into its queue again.")
            return go(request, message_url(made))
    twice = copy.state == CopyState.DELIVERED
    return show(
        request,
        title="Deliver a second time" if twice else "Resend message",
        cancel_url=message_url(copy),
        sentences=(_TWICE, _NEW) if twice else (_NEW,),
        form=form,
        refusal=refusal,
        submit=resend_label(copy),
        danger=twice,
    )


@_methods
@requires(Permission.MESSAGES_OPERATE)
def resend_chosen(request: MemberRequest, vault_id: int) -> HttpResponse:
    """*Resend* for the messages ticked in the list."""
    keys = [key for key in map(as_key, request.GET.getlist("id")) if key is not None][: resending.MOST + 1]
    chosen = list(MessageCopy.objects.visible_to(request.member).filter(pk__in=keys).order_by("pk"))
    if not chosen:
        messages.warning(request, "Tick at least one message, then resend.")
        return go(request, list_url(request))
    form = ResendForm(request.POST if request.method == "POST" else None)
    if form.is_valid():
        try:
            made = resending.resend(copies=chosen, by=request.member, now=clock.now(), **form.cleaned_data)
        except Refused as error:
            add_refusal(form, error)
        else:
            sentence = f"{len(made)} {_words(len(made))} put into their queues again."
            return said(request, sentence, fallback=list_url(request), event=CHANGED)
    again = sum(copy.state == CopyState.DELIVERED for copy in chosen)
    which = "It" if len(chosen) == 1 else f"{again} of them"
    twice = (f"{which} {'was' if again == 1 else 'were'} delivered already and will arrive a second time.",)
    return show(
        request,
        title=f"Resend {len(chosen)} {'message' if len(chosen) == 1 else 'messages'}",
        cancel_url=list_url(request),
        sentences=(*(twice if again else ()), _NEW if len(chosen) == 1 else _NEW_ONES),
        form=form,
        submit=f"Resend {len(chosen)} chosen",
        danger=bool(again),
    )


@_methods
@requires(Permission.MESSAGES_OPERATE)
@fresh_credentials
def reveal(request: MemberRequest, vault_id: int, message_id: UUID) -> HttpResponse:
    """*Reveal content* of an outgoing message."""
    return _reveal(request, copy_or_404(request, message_id))


@_methods
@requires(Permission.MESSAGES_OPERATE)
@fresh_credentials
def reveal_incoming(request: MemberRequest, vault_id: int, incoming_id: int) -> HttpResponse:
    """*Reveal content* of a message that came in."""
    return _reveal(request, incoming_or_404(request, incoming_id))


@_methods
@requires(Permission.MESSAGES_OPERATE)
def hold(request: MemberRequest, vault_id: int) -> HttpResponse:
    """*Hold* a connection (`?connection=`), or with none everything of this installation."""
    connection = _connection(request)
    queues = _queues(connection) if connection is not None else None
    form = HoldForm(request.POST if request.method == "POST" else None, queues=queues)
    if form.is_valid():
        try:
            holding.hold(connection=connection, by=request.member, now=clock.now(), **form.cleaned_data)
        except Refused as error:
            add_refusal(form, error)
        else:
            return said(request, "Messages are held back.", fallback=list_url(request), event=CHANGED)
    what = "Nothing leaves through it" if connection is not None else "Nothing leaves any Vault of this installation"
    return show(
        request,
        title=f"Hold {connection}" if connection is not None else "Hold everything",
        cancel_url=list_url(request),
        sentences=(f"{what} until somebody releases it.", _WINDOW, _CALLS),
        form=form,
        submit="Hold",
        danger=True,
    )


@_methods
@requires(Permission.MESSAGES_OPERATE)
def release(request: MemberRequest, vault_id: int, hold_id: int) -> HttpResponse:
    """*Release* what somebody holds back."""
    held = Hold.objects.visible_to(request.member).select_related("connection", "queue").filter(pk=hold_id).first()
    if held is None:
        raise Http404
    refusal = holding.release_refusal(held, request.member)
    form = ReasonForm(request.POST if request.method == "POST" else None)
    if form.is_valid() and not refusal:
        try:
            holding.release(held=held, by=request.member, now=clock.now(), **form.cleaned_data)
        except Refused as error:
            add_refusal(form, error)
        else:
            return said(request, "Messages leave again.", fallback=list_url(request), event=CHANGED)
    return show(
        request,
        title=f"Release {held}",
        cancel_url=list_url(request),
        sentences=(
            f"Held by {held.held_by} since {held.since:%Y-%m-%d %H:%M} UTC: {held.reason}",
            "What waited is sent at once, in the order of its queue.",
        ),
        form=form,
        refusal=refusal,
        submit="Release",
    )


def _reveal(request: MemberRequest, message: MessageCopy | IncomingMessage) -> HttpResponse:
    refusal, now = revealing.refusal(message), clock.now()
    form = RevealForm(request.POST if request.method == "POST" else None)
    if form.is_valid() and not refusal:
        try:
            until = revealing.reveal(message=message, by=request.member, now=now, **form.cleaned_data)
        except Refused as error:
            add_refusal(form, error)
        else:
            remember(request, message, until)
            return said(request, "The content is shown.", fallback=message_url(message), event=CHANGED)
    minutes = int(revealing.SHOWN_FOR.total_seconds() // 60)
    return show(
        request,
        title="Reveal content",
        cancel_url=message_url(message),
        sentences=(
            f"Attributes and items are shown to you for {minutes} minutes, then they are masked again.",
            "That you looked, and why, is kept in the audit trail.",
        ),
        form=form,
        refusal=refusal,
        submit="Reveal",
    )


def _connection(request: MemberRequest) -> Connection | None:
    name = request.GET.get("connection", "").replace("\x00", "")
    if not name:
        return None
    found: Connection | None = Connection.objects.filter(vault=request.member.vault_id, api_name=name).first()
    if found is None:
        raise Http404
    return found


def _queues(connection: Connection) -> object:
    return Queue.objects.filter(type="outbound", connections__connection=connection).order_by("label", "pk")


def _words(number: int) -> str:
    return "message was" if number == 1 else "messages were"
