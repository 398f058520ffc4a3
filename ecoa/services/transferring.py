"""Moving a participant to another site of the same study: one decision with a reason, told on both sites."""

from __future__ import annotations

from datetime import datetime

from django.db import transaction
from django.utils.translation import gettext as _

from ecoa.models import STANDING, Discrepancy, Participant, Site, SiteReading, SiteTransfer, SyncRun
from ecoa.services import changing, intake, sending
from ecoa.services.actors import ensure_manager, label_of
from ecoa.services.refusals import Refused
from vaultadmin import audit


def preview(participant: Participant, to_site: Site) -> str:
    """What a move will do, in two sentences; the second depends on where eCOA keeps the two sites, if we know."""
    names = {"id": participant.participant_id, "old": participant.site, "new": to_site}
    first = _(
        "%(id)s leaves site %(old)s, whose staff no longer see it, and goes to eCOA under site %(new)s with the next "
        "run."
    )
    return f"{first % names} {_in_ecoa(participant, to_site)}"


def transfer(participant: Participant, *, to_site: Site, reason: str, by: audit.Actor, now: datetime) -> SyncRun | None:
    """Move a participant and have eCOA told; returns the run that does so."""
    ensure_manager(by, participant.vault_id)
    mapping = participant.mapping
    if to_site.mapping_id != mapping.pk:
        raise Refused("Choose a site of the same study.", field="to_site")
    with transaction.atomic():
        intake.lock(mapping)
        current = Participant.objects.select_for_update(of=("self",)).select_related("site").get(pk=participant.pk)
        from_site = current.site
        if from_site.pk == to_site.pk:
            raise Refused("The participant is at this site already.", field="to_site")
        current.site = to_site
        changing.renew(current, now)
        # What is open about the participant is the new site's business now.
        Discrepancy.objects.filter(participant=current, state__in=STANDING).update(site=to_site)
        _keep(current, from_site, reason, by, now)
        run = sending.send_soon(mapping=mapping, participants=[current.pk], by=by, now=now)
        _record(current, from_site, reason, by)
    return run


def _in_ecoa(participant: Participant, to_site: Site) -> str:
    old, new = (_region(site) for site in (participant.site, to_site))
    if not participant.synced_version and not participant.in_doubt:
        return _("eCOA does not know the participant yet, so nothing stays behind there.")
    if old and new and old != new:
        return _(
            "The two sites are kept in different regions of eCOA (%(old)s and %(new)s), which share nothing: eCOA "
            "makes a new participant with a new MyVeeva participant ID, and what was entered so far stays in the old "
            "region."
        ) % {"old": old, "new": new}
    if old and new:
        return _("eCOA keeps the MyVeeva participant ID, so what was entered so far stays with the participant.")
    return _(
        "Within a region eCOA keeps the MyVeeva participant ID; if the new site is in another region, eCOA makes a new "
        "participant there and what was entered so far stays in the old one."
    )


def _region(site: Site) -> str:
    """The region eCOA named for a site when it was last read back; empty when it was not."""
    return SiteReading.objects.filter(site=site).values_list("region", flat=True).first() or ""


def _keep(current: Participant, from_site: Site, reason: str, by: audit.Actor, now: datetime) -> None:
    SiteTransfer.objects.create(
        vault=from_site.vault,
        participant=current,
        from_site=from_site,
        to_site=current.site,
        reason=reason,
        mover_label=label_of(by),
        moved_at=now,
        version=current.version,
        my_id_before=current.my_veeva_participant_id,
    )


def _record(current: Participant, from_site: Site, reason: str, by: audit.Actor) -> None:
    """Three rows: the participant's history, and that of either site."""
    vault, to_site, label = from_site.vault, current.site, current.participant_id
    moved: audit.Changes = {"site": (str(from_site), str(to_site))}
    left: audit.Changes = {"participant": (label, None), "moved to": (None, str(to_site))}
    joined: audit.Changes = {"participant": (None, label), "moved from": (None, str(from_site))}
    for event, subject, changes in (
        ("participant.moved", current, moved),
        ("site.participant_left", from_site, left),
        ("site.participant_joined", to_site, joined),
    ):
        audit.record(vault=vault, by=by, event=event, subject=subject, changes=changes, reason=reason)
