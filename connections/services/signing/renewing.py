"""Signing certificates from stage to stage: published, test, rollover, alone, retired (veeva-core section 11).

The rows say what is due; a tick carries it out and may come late, twice, or from many workers at once. Every step is a
transaction of its own under one lock, and judges the rows anew.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from django.db import transaction
from django.db.models import Exists, OuterRef, Q

from connections import conf, rollover
from connections.constants import BindingState, CertificateStage
from connections.models import (
    Binding,
    CertificateAnnouncement,
    Connection,
    IssuedFile,
    OutgoingPeerMessage,
    SigningCertificate,
)
from connections.models.binding import OPEN_STATES
from connections.models.certificate import INCOMING
from connections.services.handshake import announcing, exchange, files
from connections.services.handshake.announcing import RENEWAL
from connections.services.refusals import Refused
from connections.services.signing import certificates, moving
from connections.services.signing.certificates import AUDITED, Stages
from vaultadmin import audit
from vaultadmin.models import Installation

COMPROMISED = "Compromised: its private key may be known to others."


def advance(*, now: datetime) -> int:
    """Carry out every step that is due, then everything that follows from the stages; returns how many steps."""
    steps = 0
    while _due_step(now):
        steps += 1
    settle(by=RENEWAL, now=now)
    return steps


def settle(*, by: audit.Actor, now: datetime) -> None:
    """Bring connections, peers, files and keys in line with the stages. A second run finds nothing to do."""
    moving.move_connections(by=by, now=now)
    announcing.post_missing(now=now)
    _revoke_files(by, now)
    _destroy_keys(by, now)


def incoming() -> SigningCertificate | None:
    """The certificate on its way to replace the active one, if one is."""
    return SigningCertificate.objects.filter(stage__in=INCOMING).first()


def active() -> SigningCertificate:
    """The certificate that is being replaced, or stands alone."""
    found = SigningCertificate.objects.filter(stage=CertificateStage.ACTIVE).first()
    if found is None:
        raise certificates.NoSigningCertificate
    return found


def publish(*, by: audit.Actor, now: datetime) -> SigningCertificate:
    """Publish the next certificate now, its stages counted from now; Refused while one is on its way."""
    with transaction.atomic():
        _lock()
        if (under_way := incoming()) is not None:
            raise Refused(f"{under_way} is already on its way ({under_way.get_stage_display()}).")
        return _publish(rollover.from_now(active().not_after, conf.certificate_periods(), now=now), by, now)


def release(*, by: audit.Actor, now: datetime) -> SigningCertificate:
    """Begin the rollover of the published certificate now; Refused when none is published or it has begun."""
    with transaction.atomic():
        _lock()
        certificate = incoming()
        if certificate is None:
            raise Refused("No new certificate is published; publish one first.")
        if certificate.stage == CertificateStage.ROLLOVER:
            raise Refused(f"{certificate} was already released on {certificate.release_at:%d %b %Y}.")
        _release(certificate, by, now)
    return certificate


def begin(*, by: audit.Actor, now: datetime) -> SigningCertificate:
    """Begin the next rollover now: publish a certificate if none is, and release it; Refused while one rolls over."""
    with transaction.atomic():
        _lock()
        certificate = incoming()
        if certificate is None:
            plan = rollover.begun_now(active().not_after, conf.certificate_periods(), now=now)
            certificate = _publish(plan, by, now)
        if certificate.stage == CertificateStage.ROLLOVER:
            raise Refused(
                f"{certificate} is in its rollover until {certificate.final_at:%d %b %Y}; end it with --retire first."
            )
        _release(certificate, by, now)
    return certificate


def retire(*, by: audit.Actor, now: datetime, reason: str = "") -> SigningCertificate:
    """End the rollover now: the old certificate retires. Refused outside of a rollover. Returns the new one."""
    with transaction.atomic():
        _lock()
        certificate = incoming()
        if certificate is None or certificate.stage != CertificateStage.ROLLOVER:
            raise Refused("No rollover is under way; release a new certificate first.")
        _finish(certificate, by, now, reason=reason)
    return certificate


def replace_compromised(*, by: audit.Actor, now: datetime) -> SigningCertificate:
    """Somebody else may know the active key: publish, release and retire at once, all or nothing."""
    with transaction.atomic():
        _lock()
        certificate = incoming()
        if certificate is None:
            certificate = _publish(rollover.Plan(now, now, now), by, now)
        if certificate.stage != CertificateStage.ROLLOVER:
            _release(certificate, by, now)
        _finish(certificate, by, now, reason=COMPROMISED)
    return certificate


def _due_step(now: datetime) -> bool:
    """The one next step, if its time has come."""
    with transaction.atomic():
        _lock()
        certificate = incoming()
        if certificate is None:
            return _publish_if_due(now)
        due: dict[str, tuple[datetime, Callable[[SigningCertificate, audit.Actor, datetime], None]]] = {
            CertificateStage.PUBLISHED: (certificate.test_at, _begin_test),
            CertificateStage.TEST: (certificate.release_at, _release),
            CertificateStage.ROLLOVER: (certificate.final_at, _finish),
        }
        at, step = due[certificate.stage]
        if now < at:
            return False
        step(certificate, RENEWAL, now)
    return True


def _publish_if_due(now: datetime) -> bool:
    periods = conf.certificate_periods()
    old = SigningCertificate.objects.filter(stage=CertificateStage.ACTIVE).first()
    if old is None or now < rollover.publish_at(old.not_after, periods):
        return False
    _publish(rollover.before_the_end(old.not_after, periods, now=now), RENEWAL, now)
    return True


def _publish(plan: rollover.Plan, by: audit.Actor, now: datetime) -> SigningCertificate:
    newest = SigningCertificate.objects.order_by("-certificate_id").values_list("certificate_id", flat=True)[0]
    stages = Stages(CertificateStage.PUBLISHED, now, plan.test_at, plan.release_at, plan.final_at)
    return certificates.issue(
        f"{int(newest) + 1:05d}",
        key=certificates.new_key(),
        name=Installation.current().name,
        stages=stages,
        now=now,
        by=by,
    )


def _begin_test(certificate: SigningCertificate, by: audit.Actor, now: datetime) -> None:
    before = audit.snapshot(certificate, AUDITED)
    certificate.begin_test()
    certificate.test_at = now
    _no_earlier(certificate, now)
    _save(certificate, before, by, event="certificate.test_begun")


def _release(certificate: SigningCertificate, by: audit.Actor, now: datetime) -> None:
    before = audit.snapshot(certificate, AUDITED)
    certificate.release()
    certificate.test_at = min(certificate.test_at, now)
    certificate.release_at = now
    certificate.final_at = rollover.final_after_release(
        certificate.final_at, active().not_after, conf.certificate_periods(), now=now
    )
    _save(certificate, before, by, event="certificate.released")


def _finish(certificate: SigningCertificate, by: audit.Actor, now: datetime, *, reason: str = "") -> None:
    old = active()
    before = audit.snapshot(old, AUDITED)
    old.retire()
    old.retired_at, old.retired_reason = now, reason or f"Replaced by {certificate.certificate_id}."
    _save(old, before, by, event="certificate.retired", reason=old.retired_reason)
    before = audit.snapshot(certificate, AUDITED)
    certificate.finish()
    certificate.final_at = now
    _save(certificate, before, by, event="certificate.alone")


def _no_earlier(certificate: SigningCertificate, now: datetime) -> None:
    """Stages ahead do not lie in the past."""
    certificate.release_at = max(certificate.release_at, now)
    certificate.final_at = max(certificate.final_at, certificate.release_at)


def _save(
    certificate: SigningCertificate, before: dict[str, object], by: audit.Actor, *, event: str, reason: str = ""
) -> None:
    certificate.save()
    changes = audit.diff(before, certificate, AUDITED)
    audit.record(vault=None, by=by, event=event, subject=certificate, changes=changes, reason=reason)


def _lock() -> Installation:
    """Everything about stages is decided under this one lock."""
    return Installation.objects.select_for_update().get(pk=Installation.current().pk)


def _revoke_files(by: audit.Actor, now: datetime) -> None:
    """A file signed with a retired certificate would have the other vault pin one that is not used any more."""
    out = IssuedFile.objects.filter(
        certificate__stage=CertificateStage.RETIRED, used_at__isnull=True, revoked_at__isnull=True, expires_at__gt=now
    )
    for connection_pk in out.values_list("connection_id", flat=True):
        with transaction.atomic():
            connection = exchange.lock_connection(connection_pk)
            if connection is not None:
                files.revoke_open(connection, by=by, now=now, reason="Its signing certificate is retired.")


def _destroy_keys(by: audit.Actor, now: datetime) -> None:
    """Destroy the private keys of retired certificates that nothing is signed with any more."""
    for certificate in SigningCertificate.objects.filter(stage=CertificateStage.RETIRED, private_key__isnull=False):
        with transaction.atomic():
            _lock()
            if _is_needed(certificate, now):
                continue
            locked = SigningCertificate.objects.select_related("private_key").get(pk=certificate.pk)
            secret = locked.private_key
            if secret is None:
                continue
            locked.private_key = None
            locked.save()
            secret.delete()
            audit.record(vault=None, by=by, event="certificate.key_destroyed", subject=locked)


def _is_needed(certificate: SigningCertificate, now: datetime) -> bool:
    """Some connection still has it, or some peer knows no newer one and may yet be told of one by this key."""
    if Connection.objects.filter(signing_certificate=certificate).exists():
        return True
    if now >= certificate.not_after:
        return False
    if OutgoingPeerMessage.objects.filter(signing_certificate=certificate, settled_at__isnull=True).exists():
        return True
    confirmed = CertificateAnnouncement.objects.filter(binding=OuterRef("pk"), accepted=True)
    knows = Q(own_certificate=certificate) | Exists(confirmed.filter(certificate=certificate))
    newer = Exists(confirmed.filter(certificate__certificate_id__gt=certificate.certificate_id))
    live = Binding.objects.filter(state__in=[*OPEN_STATES, BindingState.IN_FORCE])
    return bool(live.filter(knows & ~newer).exists())
