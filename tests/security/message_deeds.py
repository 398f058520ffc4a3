"""The forms of the operators' screens."""

from __future__ import annotations

from typing import Any

from connections.models import MessageCopy, Queue, Replay
from connections.services.messages import replaying
from tests.security.deed import KEY, Deed, World, nothing, reason
from vaultadmin import clock

_ALL = "v/<int:vault_id>/admin/messages/"
_ONE = f"{_ALL}<uuid:message_id>/"
_REPLAY = f"{_ALL}replays/<int:replay_id>/"


def resends(_world: World) -> dict[str, Any]:
    return {"key": KEY, "reason": "Asked for by phone"}


def traces(world: World) -> dict[str, Any]:
    return {"queue": Queue.objects.get(vault=world.place.vault, name="guarded_out__c").pk}


def compares(_world: World) -> dict[str, Any]:
    return {"pasted": "x-vaultapisignature-certificateid:00002"}


def _replay(world: World) -> Replay:
    return Replay.objects.get(pk=world.ids["replay_id"])


def is_running(world: World) -> dict[str, Any]:
    replaying.start(_replay(world), by=world.owner, now=clock.now())
    return {}


def is_paused(world: World) -> dict[str, Any]:
    is_running(world)
    replaying.pause(_replay(world), by=world.owner, now=clock.now())
    return {}


def chosen_path(world: World) -> str:
    copy = MessageCopy.objects.get(message_id=world.ids["message_id"])
    return f"/v/{world.place.vault.pk}/admin/messages/resend/?id={copy.pk}"


DEEDS = [
    Deed(f"{_ALL}resend/", resends, creates=True, path=chosen_path),
    Deed(f"{_ALL}hold/", reason, creates=True),
    Deed(f"{_ALL}holds/<int:hold_id>/release/", reason),
    Deed(f"{_ALL}replays/plan/", resends, query="?state=failed", creates=True),
    Deed(f"{_REPLAY}start/", reason),
    Deed(f"{_REPLAY}pause/", is_running),
    Deed(f"{_REPLAY}resume/", is_paused),
    Deed(f"{_REPLAY}cancel/", nothing),
    Deed(f"{_ALL}log/trace/", traces),
    Deed(f"{_ALL}incoming/<int:incoming_id>/reveal/", reason),
    Deed(f"{_ONE}resend/", resends, creates=True),
    Deed(f"{_ONE}reveal/", reason),
    Deed(f"{_ONE}attempts/<int:number>/signed/", compares),
]
