"""What the pages of messages share."""

from __future__ import annotations

from datetime import datetime
from urllib.parse import urlencode
from uuid import UUID

from django.http import Http404
from django.urls import reverse

from connections.models import IncomingMessage, MessageCopy, Replay
from connections.selectors import messages as selectors
from connections.selectors import replays as replay_rows
from vaultadmin.access import MemberRequest
from vaultadmin.models import Membership

CHANGED = "messages:changed"
_SHOWN = "revealed_messages"


def copy_or_404(request: MemberRequest, message_id: UUID) -> MessageCopy:
    """The outgoing message of this address; foreign ones look like missing ones."""
    found = selectors.find_copy(request.member, message_id)
    if found is None:
        raise Http404
    return found


def incoming_or_404(request: MemberRequest, incoming_id: int) -> IncomingMessage:
    """The message that came in of this address."""
    found = selectors.find_incoming(request.member, incoming_id)
    if found is None:
        raise Http404
    return found


def replay_or_404(request: MemberRequest, replay_id: int) -> Replay:
    """The replay of this address."""
    found: Replay | None = replay_rows.replays(request.member).filter(pk=replay_id).first()
    if found is None:
        raise Http404
    return found


def message_url(message: MessageCopy | IncomingMessage, name: str = "") -> str:
    """A page of one message."""
    kind, key = ("message", message.message_id) if isinstance(message, MessageCopy) else ("incoming", message.pk)
    return reverse(f"connections:{kind}-{name}" if name else f"connections:{kind}", args=[message.vault_id, key])


def list_url(request: MemberRequest) -> str:
    """The list of messages."""
    return reverse("connections:messages", args=[request.member.vault_id])


def filtered_url(member: Membership, **filters: str) -> str:
    """The list of messages with some of its filters set."""
    return f"{reverse('connections:messages', args=[member.vault_id])}?{urlencode(filters)}"


def remember(request: MemberRequest, message: MessageCopy | IncomingMessage, until: datetime) -> None:
    """This browser may show the content until then; signing out forgets it."""
    shown = request.session.get(_SHOWN, {})
    request.session[_SHOWN] = shown | {_key(message): until.isoformat()}


def shown_until(request: MemberRequest, message: MessageCopy | IncomingMessage, now: datetime) -> datetime | None:
    """Until when this browser shows the content; None when it is masked."""
    text = request.session.get(_SHOWN, {}).get(_key(message))
    until = datetime.fromisoformat(text) if text else None
    return until if until is not None and until > now else None


def _key(message: MessageCopy | IncomingMessage) -> str:
    return f"{message._meta.model_name}:{message.pk}"
