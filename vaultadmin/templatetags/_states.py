"""How a state looks: a shape and a tone for every state name the product shows. The word comes from the model."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Look:
    """`tone` picks the colours in app.css, `icon` the shape, so that no state is told by colour alone."""

    tone: str
    icon: str


NEUTRAL = Look("neutral", "circle")
_WAITING = Look("neutral", "clock")
_MOVING = Look("info", "progress")
_GOOD = Look("success", "circle-check")
_BAD = Look("danger", "circle-x")
_CARE = Look("warning", "alert-triangle")
_OFF = Look("neutral", "circle-minus")
_STOPPED = Look("neutral", "ban")

_LOOKS = {
    # connections, approvals, authorizations, integrations
    "pending": Look("warning", "hourglass"),
    "approved": Look("info", "thumb-up"),
    "active": _GOOD,
    "inactive": _OFF,
    "disconnected": Look("danger", "plug-connected-x"),
    "withdrawn": _STOPPED,
    "proposed": _WAITING,
    "approving": Look("warning", "hourglass"),
    "in_force": _GOOD,
    "ended": _OFF,
    "enabled": _GOOD,
    "disabled": _OFF,
    "accepted": Look("success", "thumb-up"),
    "lapsed": Look("danger", "alarm"),
    "expired": Look("danger", "alarm"),
    # mail notices
    "sent": Look("success", "send"),
    "dropped": _STOPPED,
    "given_up": _BAD,
    "revoked": _STOPPED,
    "expiring": Look("warning", "alarm"),
    # signing certificates
    "published": Look("info", "upload"),
    "test": Look("info", "flask"),
    "rollover": Look("warning", "refresh"),
    "retired": _OFF,
    # Spark messages and the attempts to deliver them
    "delivered": _GOOD,
    "timeout": Look("danger", "alarm"),
    "no_answer": Look("danger", "cloud-off"),
    "processed": _GOOD,
    "set_aside": _CARE,
    # what replays leave out, and what people hold back
    "excluded": _OFF,
    "skipped": _STOPPED,
    "held": Look("warning", "hand-stop"),
    "removed": _STOPPED,
    # alerts about messages, and why they ended
    "firing": Look("danger", "bell"),
    "resolved": _GOOD,
    "not_watched": _OFF,
    # participants on their way to eCOA
    "waiting": _WAITING,
    "sending": Look("info", "send"),
    "synced": _GOOD,
    "rejected": _BAD,
    "unknown": Look("warning", "zoom-question"),
    "started": Look("warning", "zoom-question"),
    "not_sent": _OFF,
    # corrections of participant IDs
    "asked": Look("warning", "hourglass"),
    "signed": Look("info", "shield-check"),
    "confirmed": _GOOD,
    "not_accepted": _BAD,
    "overtaken": _CARE,
    # runs and imports
    "planned": _WAITING,
    "queued": _WAITING,
    "ready": Look("info", "circle-dot"),
    "running": _MOVING,
    "paused": Look("warning", "player-pause"),
    "done": _GOOD,
    "finished": _GOOD,
    "finished_with_failures": _CARE,
    "failed": _BAD,
    "cancelled": _STOPPED,
    "building": _MOVING,
    "mended": _GOOD,
    "broken": _CARE,
    "checking": _MOVING,
    "storing": _MOVING,
    "refused": _BAD,
    "discarded": _STOPPED,
    # sites as the study team sees them, silence alarms
    "silent": Look("danger", "bell"),
    "snoozed": Look("neutral", "moon"),
    "attention": _CARE,
    "none": Look("neutral", "circle-dashed"),
    "arrived": _GOOD,
    "not_expected": _OFF,
    # evidence reports, set-ups and their tests
    "open": Look("info", "circle-dot"),
    "passed": _GOOD,
    # what eCOA holds against what we hold
    "decided": Look("info", "hourglass"),
    "cleared": _GOOD,
    "conflict": Look("danger", "git-compare"),
    "missing": Look("danger", "user-x"),
    "id_differs": Look("danger", "id"),
    "region_moved": Look("warning", "world"),
    "mapping": Look("warning", "list-check"),
    "mapping_gone": Look("danger", "unlink"),
    "site_unmapped": Look("danger", "unlink"),
    "agrees": _GOOD,
    "differs": _CARE,
    "differs_much": Look("danger", "alert-circle"),
    "not_read": _WAITING,
    "partly_read": Look("info", "circle-half-2"),
    "cannot_read": Look("danger", "cloud-off"),
    "no_participants": Look("neutral", "circle-dashed"),
    "landed": Look("success", "circle-check"),
    "absent": Look("info", "circle-dashed"),
    "keep_ours": Look("info", "send"),
    "take_theirs": Look("info", "download"),
    "at_source": Look("warning", "pencil"),
    "accept_region": Look("info", "world"),
    # tasks and verdicts
    "available": Look("info", "inbox"),
    "assigned": Look("info", "user-check"),
    "in_place": Look("info", "user-circle"),
    "over": _OFF,
    "completed": _GOOD,
    "approve": Look("success", "thumb-up"),
    "reject": Look("danger", "thumb-down"),
    # answers of the API
    "success": _GOOD,
    "warning": _CARE,
    "failure": _BAD,
    "exception": Look("danger", "alert-triangle"),
    # people, machines
    "invited": Look("info", "mail"),
    "locked": Look("warning", "lock"),
    "system": Look("neutral", "settings"),
    "up": _GOOD,
    "late": _CARE,
    "down": _BAD,
    "sealed": Look("warning", "lock"),
}


def look_of(state: str) -> Look:
    """The look of a state by its stored name ("Pending", "pending__sys" and "PENDING" are one), else neutral."""
    return _LOOKS.get(key_of(state), NEUTRAL)


def key_of(state: str) -> str:
    """The name in lower case with underscores, without Vault's suffixes: "pending_state__sys" is "pending"."""
    return state.strip().split("__")[0].lower().replace(" ", "_").replace("-", "_").removesuffix("_state")
