"""Give and verify signatures."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from django.db import models

from vaultadmin import audit
from vaultadmin.models import AuditEvent, Membership
from vaultadmin.models.signature import Signature, SigningMethod
from vaultadmin.strict_json import canonical
from vaultadmin.together import Asking, answer

PROOF_LASTS = timedelta(minutes=5)
EVENT = "signature.given"


@dataclass(frozen=True)
class Proof:
    """Somebody showed just now who they are. Made by `signing.credentials` only."""

    user_id: int
    method: SigningMethod
    at: datetime


class NotProven(Exception):
    """The proof is missing, too old or somebody else's; one sentence a person can act on."""


def version_of(statement: dict[str, Any]) -> str:
    """The hash a signature is bound to: SHA-256 over the statement's one spelling."""
    return hashlib.sha256(canonical(statement)).hexdigest()


def sign(
    *,
    subject: models.Model,
    label: str,
    statement: dict[str, Any],
    meaning: str,
    by: Membership,
    proof: Proof,
    now: datetime,
) -> Signature:
    """Sign a statement about a record, inside the transaction of the act that the signature is for.

    The printed name and the address are frozen as they are now; the audit row keeps the seal, so that a row put
    beside the table later is not vouched for.
    """
    if proof.user_id != by.user_id or not now - PROOF_LASTS <= proof.at <= now + PROOF_LASTS:
        raise NotProven("Sign with your own password or passkey, just before you go on.")
    signature = Signature(
        vault_number=by.vault_id,
        subject_type=subject._meta.label_lower,
        subject_id=str(subject.pk),
        subject_label=label[:255],
        version=version_of(statement),
        statement=statement,
        meaning=meaning[:255],
        signer_id=str(by.user_id),
        signer_name=by.user.name,
        signer_email=by.user.email,
        method=proof.method,
        signed_at=now,
    )
    signature.seal = _seal(signature)
    signature.save(force_insert=True)
    changes: audit.Changes = {
        "Meaning": (None, signature.meaning),
        "Signed by": (None, signature.signer_name),
        "Signed at": (None, now),
        "Method": (None, SigningMethod(proof.method).label),
        "Version": (None, signature.version),
        "Seal": (None, signature.seal),
    }
    audit.record(vault=by.vault, by=by, event=EVENT, subject=signature, changes=changes)
    return signature


def verify(signature: Signature, *, subject: models.Model, version: str) -> bool:
    """Is this signature about this record, in this version, unchanged, and does the audit trail vouch for it?"""
    return answer(verifying(signature, subject=subject, version=version))


def verifying(signature: Signature, *, subject: models.Model, version: str) -> Asking[bool]:
    """The same, asked together with other questions of a page."""
    about = (subject._meta.label_lower, str(subject.pk)) == (signature.subject_type, signature.subject_id)
    same = signature.version == version == version_of(signature.statement)
    if not (about and same and signature.seal == _seal(signature)):
        return False
    rows = AuditEvent.objects.filter(
        chain=signature.vault_number,
        event=EVENT,
        subject_type=Signature._meta.label_lower,
        subject_id=str(signature.pk),
    )
    (found,) = yield (rows.order_by("pk").values_list("changes", flat=True)[:1],)
    return any(changes["Seal"] == [None, signature.seal] for changes in found)


def _seal(signature: Signature) -> str:
    columns = {
        "vault": signature.vault_number,
        "subject_type": signature.subject_type,
        "subject_id": signature.subject_id,
        "subject_label": signature.subject_label,
        "version": signature.version,
        "meaning": signature.meaning,
        "signer_id": signature.signer_id,
        "signer_name": signature.signer_name,
        "signer_email": signature.signer_email,
        "method": str(signature.method),
        "signed_at": signature.signed_at.astimezone(UTC).isoformat(timespec="microseconds"),
    }
    return hashlib.sha256(canonical(columns)).hexdigest()
