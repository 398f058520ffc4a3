"""Record where the installation lives, and take an operator's word when that is another place than before."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import uuid4

from django.db import models, transaction

from vaultadmin import audit, place, registries
from vaultadmin.models import Installation, Membership
from vaultadmin.permissions import Permission, ensure
from vaultadmin.signing import services as signing

START = audit.System("Start")


class Decision(models.TextChoices):
    """What a person says about an installation in another place."""

    MOVED = "moved", "It is the original, and it has moved here"
    SEPARATE = "separate", "It is a copy: make it an installation of its own"


class PlaceRefused(Exception):
    """The decision cannot be taken; one sentence a person can act on."""


def look(*, by: audit.Actor = START) -> bool:
    """At every start: record the place the first time, note a new kind of mark; returns whether it is where it was.

    Another place is written into the audit trail and changes nothing else: people decide (`decide`).
    """
    with transaction.atomic():
        installation = _locked()
        changed = place.differences(installation.place)
        if changed:
            audit.record(
                vault=None, by=by, event="installation.in_another_place", subject=installation, changes=dict(changed)
            )
            return False
        found = place.marks()
        new: audit.Changes = {name: (None, mark) for name, mark in found.items() if name not in installation.place}
        if new:
            installation.place = installation.place | found
            installation.save(update_fields=["place"])
            audit.record(vault=None, by=by, event="installation.place_recorded", subject=installation, changes=new)
        return True


def statement() -> dict[str, Any]:
    """What a decision is about, as it is now: the identity, and the marks that are others than recorded."""
    installation = Installation.current()
    changed = place.differences(installation.place)
    return {
        "installation": str(installation.pk),
        "marks": {name: {"recorded": was, "found": found} for name, (was, found) in changed.items()},
    }


def decide_refusal(member: Membership) -> str:
    """Why this member does not decide now, in one sentence; empty when they may."""
    if not place.held():
        return "This installation is where it was recorded; nothing is held back."
    if not member.user.is_domain_admin:
        return "Only a Domain Administrator says what this installation is: it concerns every Vault here."
    return ""


def decide(
    *, decision: Decision, reason: str, seen_version: str, proof: signing.Proof, by: Membership, now: datetime
) -> Installation:
    """Take a signed decision, all or nothing: recorded as moved here, or made an installation of its own."""
    ensure(by, Permission.ADMIN_STATUS)
    with transaction.atomic():
        installation = _locked()
        if refusal := decide_refusal(by):
            raise PlaceRefused(refusal)
        about = statement()
        if signing.version_of(about) != seen_version:
            raise PlaceRefused("The place has changed since you looked. Look at it again.")
        signing.sign(
            subject=installation,
            label=str(installation),
            statement=about | {"decision": decision.value},
            meaning=f"Decision about the installation: {decision.label}",
            by=by,
            proof=proof,
            now=now,
        )
        if decision is Decision.SEPARATE:
            return _separate(installation, reason, by, now)
        return _record(installation, "installation.moved", {}, reason, by)


def _locked() -> Installation:
    return Installation.objects.select_for_update().get(pk=Installation.current().pk)


def _separate(installation: Installation, reason: str, by: Membership, now: datetime) -> Installation:
    """A new identity, and nothing left by which the copy could pass for the original."""
    changes: audit.Changes = {}
    for let_go in registries.separations:
        changes |= {name: (count, None) for name, count in let_go(by, now).items() if count}
    old = installation.pk
    Installation.objects.filter(pk=old).update(id=uuid4())
    changed = Installation.current()
    changes["Installation ID"] = (str(old), str(changed.pk))
    return _record(changed, "installation.separated", changes, reason, by)


def _record(
    installation: Installation, event: str, changes: audit.Changes, reason: str, by: Membership
) -> Installation:
    found = place.marks()
    changed: audit.Changes = dict(place.differences(installation.place))
    installation.place = installation.place | found
    installation.save(update_fields=["place"])
    audit.record(vault=None, by=by, event=event, subject=installation, changes=changes | changed, reason=reason)
    return installation
