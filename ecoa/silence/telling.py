"""Telling the study team of a silent site: by mail, and on the vault's home."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.conf import settings
from django.urls import reverse

from ecoa.models import SilenceAlarm
from vaultadmin.models import Membership, Vault
from vaultadmin.permissions import Permission, can
from vaultadmin.registries import Mail, Notice
from vaultadmin.together import Asking
from vaultadmin.worklist import notices

TOPIC = "ecoa.silence"


def tell_of_silence(alarm: SilenceAlarm, *, now: datetime) -> None:
    """A mail to everybody of the study team, in the transaction that opens the alarm or ends its snooze."""
    vault = alarm.site.vault
    subject = f"{alarm.pk}:{now:%Y%m%d%H%M}"
    notices.tell(vault=vault, topic=TOPIC, subject=subject, to=study_team(vault), now=now, data={"alarm": alarm.pk})


def tell_of_ended_snoozes(*, now: datetime) -> int:
    """Sites that are still silent when their snooze ends are told of again; returns how many."""
    rows = SilenceAlarm.objects.open().filter(snoozed_until__lte=now).select_related("site__vault")
    ended = 0
    for alarm in rows[:500]:
        # Whoever clears the time tells; a second look at the same moment clears nothing.
        fresh = SilenceAlarm.objects.filter(pk=alarm.pk, snoozed_until=alarm.snoozed_until)
        if fresh.update(snoozed_until=None, snooze_note=""):
            tell_of_silence(alarm, now=now)
            ended += 1
    return ended


def study_team(vault: Vault) -> list[Membership]:
    """Everybody whom the study's health concerns."""
    members = Membership.objects.for_request().filter(vault=vault, is_active=True, user__is_active=True)
    return [member for member in members if can(member, Permission.ECOA_STUDY_TEAM)]


def mail(member: Membership, _subject: str, data: dict[str, Any]) -> Mail | None:
    """The words of one mail; None when the site was heard from meanwhile."""
    rows = SilenceAlarm.objects.visible_to(member).open().select_related("site__mapping")
    alarm = rows.filter(pk=data["alarm"]).first()
    if alarm is None or not can(member, Permission.ECOA_STUDY_TEAM):
        return None
    site = alarm.site
    page = f"{settings.PUBLIC_URL}{reverse('ecoa:alarms', args=[member.vault_id])}"
    return Mail(
        f"Silent: site {site.number} of {site.mapping.name}",
        (alarm.reason, f"Look at it, or snooze the alarm:\n{page}"),
    )


def home_notices(member: Membership) -> Asking[list[Notice]]:
    """One line on the vault's home while sites are silent that nobody snoozed."""
    if not can(member, Permission.ECOA_STUDY_TEAM):
        return []
    rows = SilenceAlarm.objects.visible_to(member).open().filter(snoozed_until__isnull=True)
    (found,) = yield (rows.select_related("site")[:4],)
    if not found:
        return []
    names = ", ".join(str(alarm.site.number) for alarm in found[:3]) + (" and more" if len(found) > 3 else "")
    text = f"No news from {'sites' if len(found) > 1 else 'site'} {names} for longer than expected."
    return [Notice(text, reverse("ecoa:alarms", args=[member.vault_id]), "Silence alarms")]
