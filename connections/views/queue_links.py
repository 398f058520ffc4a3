"""Queue Connections: add one, edit it, remove it."""

from __future__ import annotations

from django.http import Http404, HttpResponse
from django.views.decorators.http import require_http_methods

from connections.constants import QueueType
from connections.forms.queues import AddLinkForm, EditLinkForm
from connections.models import Queue, QueueConnection
from connections.selectors import queues as selectors
from connections.services.messages import queue_links
from connections.services.refusals import Refused
from connections.views.common import add_refusal
from connections.views.dialogs import said, show
from connections.views.queue_changes import CHANGED, MANAGERS, manageable
from connections.views.queues import queue_url
from vaultadmin import clock
from vaultadmin.access import MemberRequest, requires


@require_http_methods(["GET", "POST"])
@requires(*MANAGERS)
def add(request: MemberRequest, vault_id: int, queue_name: str) -> HttpResponse:
    """Let the queue use a connection."""
    queue = manageable(request, queue_name)
    choices = selectors.choices(request.member, queue)
    form = AddLinkForm(request.POST if request.method == "POST" else None, queue=queue, choices=choices)
    refusal = _add_refusal(queue, choices.exists())
    if form.is_valid() and not refusal:
        try:
            made = queue_links.add(queue=queue, by=request.member, now=clock.now(), **form.cleaned_data)
        except Refused as error:
            add_refusal(form, error)
        else:
            told = f"{queue.label} uses {made.connection.name} now."
            return said(request, told, fallback=_back(queue), event=CHANGED)
    return show(
        request,
        title="Add connection",
        sentences=_about(request, queue),
        form=form,
        refusal=refusal,
        submit="Add",
        cancel_url=_back(queue),
    )


@require_http_methods(["GET", "POST"])
@requires(*MANAGERS)
def edit(request: MemberRequest, vault_id: int, queue_name: str, link_id: int) -> HttpResponse:
    """Change how the queue uses a connection."""
    queue = manageable(request, queue_name)
    link = _link_or_404(queue, link_id)
    form = EditLinkForm(request.POST if request.method == "POST" else None, link=link)
    if form.is_valid():
        try:
            queue_links.edit(link=link, by=request.member, now=clock.now(), **form.cleaned_data)
        except Refused as error:
            add_refusal(form, error)
        else:
            return said(request, f"{link} was saved.", fallback=_back(queue), event=CHANGED)
    sentences = [f"How {queue.label} uses the connection {link.connection.name}. The connection itself stays as it is."]
    return show(request, title="Edit connection", sentences=sentences, form=form, cancel_url=_back(queue))


@require_http_methods(["GET", "POST"])
@requires(*MANAGERS)
def remove(request: MemberRequest, vault_id: int, queue_name: str, link_id: int) -> HttpResponse:
    """Take a connection from the queue."""
    queue = manageable(request, queue_name)
    link = _link_or_404(queue, link_id)
    refusal = queue_links.remove_refusal(link)
    if request.method == "POST" and not refusal:
        try:
            queue_links.remove(link=link, by=request.member, now=clock.now())
        except Refused as error:
            refusal = str(error)
        else:
            told = f"{queue.label} no longer uses {link.connection.name}."
            return said(request, told, fallback=_back(queue), event=CHANGED)
    return show(
        request,
        title="Remove connection",
        sentences=[
            f"{queue.label} no longer {'takes' if queue.is_inbound else 'sends'} messages "
            f"{'from' if queue.is_inbound else 'through'} {link.connection.name}.",
            "The connection itself stays. To pause it for a while, edit it and clear Active instead.",
        ],
        refusal=refusal,
        submit="Remove",
        danger=True,
        cancel_url=_back(queue),
    )


def _link_or_404(queue: Queue, link_id: int) -> QueueConnection:
    found = selectors.find_link(queue, link_id)
    if found is None:
        raise Http404
    return found


def _add_refusal(queue: Queue, has_choices: bool) -> str:
    if queue.type == QueueType.JOB:
        return "A job queue has no connections."
    return "" if has_choices else "This Vault has no further connection that fits this queue. Create one first."


def _about(request: MemberRequest, queue: Queue) -> list[str]:
    if queue.is_inbound:
        return ["Messages that arrive through this connection for this queue are taken from now on."]
    here = selectors.inbound_names(request.member)
    sentences = ["Every message that enters the queue from now on is copied to this connection, too."]
    if here:
        sentences.append(f"Inbound queues of this Vault, for Local connections: {', '.join(here[:10])}.")
    return sentences


def _back(queue: Queue) -> str:
    return f"{queue_url(queue)}#connections"
