from __future__ import annotations

import pytest
from django.db import DatabaseError, connection, transaction

from tests.factories import make_member, make_vault
from tests.tools import append_only
from vaultadmin import audit
from vaultadmin.models import AuditEvent, AuditHead
from vaultadmin.services import audit_check

pytestmark = pytest.mark.django_db


def write(vault, times=1):
    member = make_member(vault)
    with transaction.atomic():
        for number in range(times):
            audit.record(vault=vault, by=member, event="thing.changed", changes={"Name": ("old", f"new {number}")})
    return member


def tamper(sql, *params):
    with append_only.lifted() as cursor:
        cursor.execute(sql, params)


def test_record_keeps_who_what_before_and_after():
    vault = make_vault()
    member = write(vault)

    row = AuditEvent.objects.get(chain=vault.pk)

    assert member.user.email in row.actor
    assert row.event == "thing.changed"
    assert row.changes == {"Name": ["old", "new 0"]}
    assert row.at.tzinfo is not None


@pytest.mark.django_db(transaction=True)
def test_record_outside_a_transaction_is_refused():
    vault = make_vault()

    with pytest.raises(RuntimeError):
        audit.record(vault=vault, by=audit.System("Test"), event="thing.changed")


def test_failing_change_leaves_no_row():
    vault = make_vault()

    def change_and_fail():
        with transaction.atomic():
            audit.record(vault=vault, by=audit.System("Test"), event="thing.changed")
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        change_and_fail()

    assert not AuditEvent.objects.filter(chain=vault.pk).exists()


def test_origin_is_kept_with_the_row():
    vault = make_vault()

    with audit.origin(source_ip="203.0.113.7", request_id="r-1"):
        write(vault)

    row = AuditEvent.objects.get(chain=vault.pk)
    assert (row.source_ip, row.request_id) == ("203.0.113.7", "r-1")


def test_batch_takes_one_chain_step_and_keeps_order():
    vault = make_vault()

    with transaction.atomic():
        audit.record_many(
            vault=vault,
            by=audit.System("Test"),
            entries=[audit.Entry("thing.created", subject_label=str(number)) for number in range(1000)],
        )

    rows = AuditEvent.objects.filter(chain=vault.pk).order_by("sequence")
    assert list(rows.values_list("sequence", "subject_label")) == [(n + 1, str(n)) for n in range(1000)]
    assert audit_check.verify().ok


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE vaultadmin_auditevent SET actor = 'somebody else'",
        "DELETE FROM vaultadmin_auditevent",
        "TRUNCATE vaultadmin_auditevent",
        "DELETE FROM vaultadmin_audithead",
        "UPDATE vaultadmin_audithead SET sequence = 0",
    ],
)
def test_database_refuses_to_change_the_trail(statement):
    write(make_vault())

    with pytest.raises(DatabaseError, match="audit trail"), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(statement)


def test_untouched_chain_verifies():
    vault = make_vault()
    write(vault, 3)

    verdict = audit_check.verify()

    assert verdict.ok
    assert verdict.rows >= 3


@pytest.mark.parametrize(
    ("column", "value"),
    [
        ("actor", "somebody else"),
        ("reason", "because"),
        ("event", "thing.created"),
        ("subject_label", "other"),
        ("changes", '{"Name": ["old", "newer"]}'),
        ("at", "2020-01-01T00:00:00Z"),
        ("source_ip", "198.51.100.1"),
    ],
)
def test_edited_row_is_found_and_named(column, value):
    vault = make_vault()
    write(vault, 5)

    tamper(f"UPDATE vaultadmin_auditevent SET {column} = %s WHERE chain = %s AND sequence = 3", value, vault.pk)

    assert f"chain {vault.pk}, sequence 3" in audit_check.verify().first_bad


def test_removed_row_is_found():
    vault = make_vault()
    write(vault, 5)

    tamper("DELETE FROM vaultadmin_auditevent WHERE chain = %s AND sequence = 2", vault.pk)

    assert f"chain {vault.pk}, sequence 2: the row is missing" in audit_check.verify().first_bad


def test_cut_off_end_is_found():
    vault = make_vault()
    write(vault, 5)

    tamper("DELETE FROM vaultadmin_auditevent WHERE chain = %s AND sequence > 3", vault.pk)

    assert "the end of the chain is missing" in audit_check.verify().first_bad


def test_reordered_rows_are_found():
    vault = make_vault()
    write(vault, 4)

    tamper(
        "UPDATE vaultadmin_auditevent SET sequence = CASE sequence WHEN 2 THEN -3 ELSE -2 END "
        "WHERE chain = %s AND sequence IN (2, 3)",
        vault.pk,
    )
    tamper("UPDATE vaultadmin_auditevent SET sequence = -sequence WHERE chain = %s AND sequence < 0", vault.pk)

    assert f"chain {vault.pk}, sequence 2" in audit_check.verify().first_bad


def test_chains_of_two_vaults_are_apart():
    one, other = make_vault(), make_vault()
    write(one, 2)
    write(other, 1)

    assert AuditHead.objects.get(chain=one.pk).sequence == 2
    assert AuditHead.objects.get(chain=other.pk).sequence == 1


@pytest.mark.parametrize("text", ["nul\x00byte", "lone \ud800 surrogate"])
def test_text_the_database_cannot_hold_is_kept_without_failing(text):
    vault = make_vault()

    with transaction.atomic():
        audit.record(vault=vault, by=audit.System("Test"), event="thing.changed", reason=text)

    assert audit_check.verify().ok
