from datetime import timedelta

import pytest
from django.db import DatabaseError, transaction

from tests.factories import make_member, make_user, make_vault
from tests.tools import append_only
from vaultadmin import audit, clock
from vaultadmin.models import Signature
from vaultadmin.models.signature import SigningMethod
from vaultadmin.signing import services
from vaultadmin.signing.services import Proof

pytestmark = pytest.mark.django_db
STATEMENT = {"peer": 1002, "acts_here": None}


@pytest.fixture
def member():
    return make_member(make_vault(), user=make_user(name="Ana Approver"))


@pytest.fixture
def record(member):
    return member.profile


def sign(member, record, **fields):
    now = clock.now()
    values = {
        "subject": record,
        "label": "Safety link",
        "statement": STATEMENT,
        "meaning": "Approval of connection “Safety link”",
        "by": member,
        "proof": Proof(member.user_id, SigningMethod.PASSWORD, now),
        "now": now,
    }
    with transaction.atomic():
        return services.sign(**(values | fields))


def test_signature_keeps_printed_name_time_and_meaning_when_the_person_is_renamed(member, record):
    signature = sign(member, record)
    member.user.name = "Somebody Else"
    member.user.save()

    kept = Signature.objects.get(pk=signature.pk)
    assert (kept.signer_name, kept.meaning) == ("Ana Approver", "Approval of connection “Safety link”")
    assert abs(kept.signed_at - clock.now()) < timedelta(minutes=1)
    assert kept.signed_at.utcoffset() == timedelta(0)


def test_signature_verifies_for_its_record_and_version(member, record):
    signature = Signature.objects.get(pk=sign(member, record).pk)

    assert services.verify(signature, subject=record, version=services.version_of(STATEMENT))


def test_signature_does_not_verify_for_another_version(member, record):
    signature = sign(member, record)

    assert not services.verify(signature, subject=record, version=services.version_of(STATEMENT | {"peer": 1003}))


def test_signature_does_not_verify_on_another_record(member, record):
    signature = sign(member, record)

    assert not services.verify(signature, subject=make_member(member.vault).profile, version=signature.version)


def test_row_copied_onto_another_record_does_not_verify_even_with_a_fitting_seal(member, record):
    signature, other = sign(member, record), make_member(member.vault).profile
    signature.pk, signature.subject_id = None, str(other.pk)
    signature.save()
    assert not services.verify(signature, subject=other, version=signature.version)

    resealed = Signature.objects.get(pk=signature.pk)
    resealed.seal = services._seal(resealed)

    assert not services.verify(resealed, subject=other, version=resealed.version)


@pytest.mark.parametrize("column", ["signer_name", "meaning", "version", "signed_at", "method", "statement"])
def test_forged_column_does_not_verify(member, record, column):
    signature = sign(member, record)
    forged = {"signed_at": "now()", "statement": "'{}'::jsonb"}.get(column, "'forged'")
    with append_only.lifted() as cursor:
        cursor.execute(f"UPDATE vaultadmin_signature SET {column} = {forged}")

    found = Signature.objects.get(pk=signature.pk)

    assert not services.verify(found, subject=record, version=signature.version)


@pytest.mark.parametrize(
    "statement", ["UPDATE vaultadmin_signature SET meaning = ''", "DELETE FROM vaultadmin_signature"]
)
def test_database_refuses_to_change_a_signature(member, record, statement):
    from django.db import connection

    sign(member, record)

    with pytest.raises(DatabaseError, match="append-only"), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(statement)


def test_signing_is_in_the_vaults_audit_trail(member, record):
    signature = sign(member, record)

    row = audit.history(signature).get()
    assert (row.event, row.actor_id, row.chain) == ("signature.given", str(member.user_id), member.vault_id)
    assert row.changes["Meaning"][1] == signature.meaning


@pytest.mark.parametrize("age", [timedelta(minutes=6), timedelta(days=1)])
def test_old_proof_does_not_sign(member, record, age):
    with pytest.raises(services.NotProven):
        sign(member, record, proof=Proof(member.user_id, SigningMethod.PASSWORD, clock.now() - age))

    assert not Signature.objects.exists()


def test_proof_of_somebody_else_does_not_sign(member, record):
    other = make_member(member.vault)

    with pytest.raises(services.NotProven):
        sign(member, record, proof=Proof(other.user_id, SigningMethod.PASSWORD, clock.now()))
