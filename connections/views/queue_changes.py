"""Change queues: create, edit, the two switches, reset, delete."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import HttpResponse, HttpResponseBadRequest
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_POST

from connections.constants import QueueType
from connections.forms.queues import (
    ChooseQueueTypeForm,
    ConfirmForm,
    CreateQueueForm,
    DeliveryForm,
    EditQueueForm,
    StatusForm,
)
from connections.models import Queue
from connections.services.messages import queue_ending, queues, tallies
from connections.services.refusals import Refused
from connections.views.common import add_refusal
from connections.views.dialogs import said, show
from connections.views.queues import creatable_types, queue_or_404, queue_url
from vaultadmin import clock
from vaultadmin.access import MemberRequest, requires
from vaultadmin.answers import go
from vaultadmin.permissions import Permission, ensure
from vaultadmin.together import answer

MANAGERS = (Permission.SPARK_QUEUES, Permission.SDK_JOB_QUEUES)
CHANGED = "queue:changed"
TYPE_CARDS = [
    {
        "value": QueueType.OUTBOUND.value,
        "icon": "send",
        "label": QueueType.OUTBOUND.label,
        "text": "Messages leave through its connections: to another Vault, an application outside, or this Vault.",
    },
    {
        "value": QueueType.INBOUND.value,
        "icon": "inbox",
        "label": QueueType.INBOUND.label,
        "text": "Messages arrive from its connections, and a Message Processor works on each of them.",
    },
    {
        "value": QueueType.JOB.value,
        "icon": "settings",
        "label": QueueType.JOB.label,
        "text": "Work this Vault does by itself, without a connection.",
    },
]


@require_http_methods(["GET", "POST"])
@requires(*MANAGERS)
def create(request: MemberRequest, vault_id: int) -> HttpResponse:
    """First the type (`?type=`), then its fields."""
    types = creatable_types(request.member)
    choice = ChooseQueueTypeForm(request.GET, types=types)
    if not choice.is_valid():
        # Nothing was chosen yet, so nothing is wrong yet either.
        choice = choice if request.GET.get("type") else ChooseQueueTypeForm(types=types)
        cards = [card for card in TYPE_CARDS if card["value"] in types]
        return _form(request, choice, "Create queue", _list_url(request), type_cards=cards)
    type_ = QueueType(choice.cleaned_data["type"])
    form = CreateQueueForm(request.POST if request.method == "POST" else None, type_=type_, member=request.member)
    if form.is_valid():
        try:
            made = queues.create(type=type_, by=request.member, now=clock.now(), **form.cleaned_data)
        except Refused as error:
            add_refusal(form, error)
        else:
            messages.success(request, f"{made.label} was created.{_next_step(made)}")
            return redirect("connections:queue", vault_id, made.name)
    return _form(request, form, f"Create {type_.label.lower()} queue", _list_url(request))


@require_http_methods(["GET", "POST"])
@requires(*MANAGERS)
def edit(request: MemberRequest, vault_id: int, queue_name: str) -> HttpResponse:
    """Change everything but name and type."""
    queue = manageable(request, queue_name)
    form = EditQueueForm(request.POST if request.method == "POST" else None, queue=queue, member=request.member)
    if form.is_valid():
        try:
            saved = queues.edit(queue=queue, by=request.member, now=clock.now(), **form.cleaned_data)
        except Refused as error:
            add_refusal(form, error)
        else:
            messages.success(request, f"{saved.label} was saved.")
            return redirect("connections:queue", vault_id, queue.name)
    return _form(request, form, f"Edit {queue.label}", queue_url(queue), queue=queue)


@require_POST
@requires(*MANAGERS)
def status(request: MemberRequest, vault_id: int, queue_name: str) -> HttpResponse:
    """The first switch: does the queue take new messages?"""
    queue, form = manageable(request, queue_name), StatusForm(request.POST)
    if not form.is_valid():
        return HttpResponseBadRequest("The Status is active or inactive.")
    try:
        queues.set_active(queue=queue, active=form.wanted, by=request.member, now=clock.now())
    except Refused as error:
        return show(request, title="Change Status", refusal=str(error), cancel_url=_list_url(request))
    told = "takes new messages now" if form.wanted else "refuses new messages now"
    return said(request, f"{queue.label} {told}.", fallback=queue_url(queue), event=CHANGED)


@require_POST
@requires(*MANAGERS)
def delivery(request: MemberRequest, vault_id: int, queue_name: str) -> HttpResponse:
    """The second switch: do messages leave the queue?"""
    queue, form = manageable(request, queue_name), DeliveryForm(request.POST)
    if not form.is_valid():
        return HttpResponseBadRequest("Delivery is enabled or disabled.")
    try:
        queues.set_delivery(queue=queue, enabled=form.wanted, by=request.member, now=clock.now())
    except Refused as error:
        return show(request, title="Change delivery", refusal=str(error), cancel_url=queue_url(queue))
    told = "Messages leave" if form.wanted else "No message leaves"
    return said(request, f"{told} {queue.label} now.", fallback=queue_url(queue), event=CHANGED)


@require_http_methods(["GET", "POST"])
@requires(*MANAGERS)
def reset(request: MemberRequest, vault_id: int, queue_name: str) -> HttpResponse:
    """*Reset*: every message that waits is removed, after the queue's name was typed."""
    queue = manageable(request, queue_name)
    form, refusal = ConfirmForm(request.POST if request.method == "POST" else None, queue=queue), ""
    if form.is_valid():
        try:
            removed = queue_ending.reset(queue=queue, by=request.member, now=clock.now(), **form.cleaned_data)
        except Refused as error:
            refusal = _refused(form, error)
        else:
            told = f"{queue_ending.DONE} {_messages(removed)} removed."
            return said(request, told, fallback=queue_url(queue), event=CHANGED)
    waiting = tallies.waiting(queue)
    return show(
        request,
        title="Reset queue",
        sentences=[
            f"{_messages(waiting)} in {queue.label} will be removed and never delivered or processed.",
            "This cannot be undone. The messages stay in the message log as Removed; the queue itself, its connections "
            "and its switches stay as they are.",
        ],
        form=form,
        refusal=refusal,
        submit="Reset",
        danger=True,
        cancel_url=queue_url(queue),
    )


@require_http_methods(["GET", "POST"])
@requires(*MANAGERS)
def delete(request: MemberRequest, vault_id: int, queue_name: str) -> HttpResponse:
    """*Delete*: for a queue that never carried a message."""
    queue = manageable(request, queue_name)
    form = ConfirmForm(request.POST if request.method == "POST" else None, queue=queue)
    refusal = answer(queue_ending.delete_refusal(queue))
    if not refusal and form.is_valid():
        try:
            queue_ending.delete(queue=queue, by=request.member, **form.cleaned_data)
        except Refused as error:
            refusal = _refused(form, error)
        else:
            messages.success(request, f"{queue.label} was deleted.")
            return go(request, _list_url(request))
    return show(
        request,
        title="Delete queue",
        sentences=[
            f"{queue.label} and its Queue Connections are deleted. The connections themselves stay.",
            "This cannot be undone. Programs that put messages into this queue will be refused.",
        ],
        form=form,
        refusal=refusal,
        submit="Delete",
        danger=True,
        cancel_url=queue_url(queue),
    )


def manageable(request: MemberRequest, queue_name: str) -> Queue:
    """The queue of this address, for somebody who may administer its type."""
    queue = queue_or_404(request, queue_name)
    ensure(request.member, queues.needed(queue.type))
    return queue


def _refused(form: ConfirmForm, error: Refused) -> str:
    """At the field it is about, or as the sentence of the dialog."""
    if error.field:
        add_refusal(form, error)
        return ""
    return str(error)


def _messages(number: int) -> str:
    return "1 message" if number == 1 else f"{number:,} messages"


def _next_step(queue: Queue) -> str:
    return "" if queue.type == QueueType.JOB else " Add its connections next."


def _list_url(request: MemberRequest) -> str:
    return reverse("connections:queues", args=[request.member.vault_id])


def _form(request: MemberRequest, form: Any, title: str, cancel_url: str, **more: Any) -> HttpResponse:
    context = {"form": form, "cancel_url": cancel_url, "page_title": title, **more}
    return render(request, "connections/queue_form.html", context, status=422 if form.errors else 200)
