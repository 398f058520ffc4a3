"""Signing certificates and credentials on a vault's home: two tiles, and a notice ahead of every change."""

from __future__ import annotations

from typing import Any

from django.urls import reverse

from connections.models import SigningCertificate
from connections.selectors import certificates as selectors
from connections.selectors import expiring
from vaultadmin import clock
from vaultadmin.models import Membership
from vaultadmin.permissions import Permission, can
from vaultadmin.registries import Card, Notice
from vaultadmin.together import Asking, rows_of, together


def cards(member: Membership) -> Asking[list[Card]]:
    """The certificate that signs, and what of other credentials wants renewing."""
    asked = [_credentials(member)]
    if can(member, Permission.CONNECTION_READ):
        asked.insert(0, _certificate(member))
    found = yield from together(asked)
    return [card for card in found if card is not None]


def notices(member: Membership) -> Asking[list[Notice]]:
    """What happens to signing certificates soon, for everybody who sees connections."""
    if not can(member, Permission.CONNECTION_READ):
        return []
    change = yield from selectors.change_ahead(member)
    if change is None:
        return []
    old, new = change.old.certificate_id, change.new.certificate_id
    url = reverse("connections:certificate", args=[member.vault_id, new])
    if change.released:
        text = (
            f"Connections sign with certificate {new} now. Until {_day(change.new.final_at)} a connection can go back "
            f"to {old} by Manage Signing Certificate; then {old} is retired."
        )
    else:
        text = (
            f"Signing certificate {old} changes to {new} on {_day(change.new.release_at)}: {_count(change.moving)} of "
            "this Vault will move by themselves. Whoever receives their messages should download the new one before."
        )
    return [Notice(text, url, f"Signing certificate {new}")]


def _certificate(member: Membership) -> Asking[Card | None]:
    asked: list[Asking[Any]] = [rows_of(selectors.in_use()), selectors.change_ahead(member)]
    in_use, change = yield from together(asked)
    if not in_use:
        return None
    active: SigningCertificate = in_use[0]
    url = reverse("connections:certificates", args=[member.vault_id])
    if change is None:
        sentence = f"Valid until {_day(active.not_after)}; its successor is published ahead of that."
        return Card("Signing certificate", active.certificate_id, sentence, url, "success", "certificate")
    new = change.new
    if change.released:
        sentence = f"Rollover until {_day(new.final_at)}: {_count(change.moving)} on {new.certificate_id}."
        return Card("Signing certificate", new.certificate_id, sentence, url, "warning", "certificate")
    sentence = f"Changes to {new.certificate_id} on {_day(new.release_at)}; {_count(change.moving)} will move."
    return Card("Signing certificate", active.certificate_id, sentence, url, "warning", "certificate")


def _credentials(member: Membership) -> Asking[Card | None]:
    found = yield from expiring.credentials(member, now=clock.now())
    if not found:
        return None
    first = found[0]
    more = f" and {len(found) - 1} more" if len(found) > 1 else ""
    verb = f"ends on {_day(first.at)}" if first.is_end else f"unchanged since {_day(first.at)}"
    lists_all = can(member, Permission.CONNECTION_READ)
    url = reverse("connections:certificates", args=[member.vault_id]) + "#expiring" if lists_all else first.url
    sentence = f"{first.kind} “{first.label}” {verb}{more}."
    return Card("Credentials to renew", str(len(found)), sentence, url, "warning", "key")


def _count(number: int) -> str:
    return f"{number} connection{'' if number == 1 else 's'}"


def _day(moment: object) -> str:
    return f"{moment:%d %b %Y}"
