import json
from datetime import timedelta
from io import StringIO

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError

from connections.models import SigningCertificate
from tests.connections import rollovers
from tests.connections.rollovers import certificate, established, signs_with, stages
from tests.factories.connections import make_external, make_local
from vaultadmin import clock
from vaultadmin.models import AuditEvent

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def shared_keys(monkeypatch):
    rollovers.use_shared_keys(monkeypatch)


def rotate(*options):
    out = StringIO()
    call_command("rotate_signing_certificate", *options, stdout=out)
    return out.getvalue()


def test_plain_run_begins_the_rollover_at_once(admin):
    record = make_local(admin)

    said = rotate()

    assert stages() == {"00001": "active", "00002": "rollover"}
    assert signs_with(record) == "00002"
    assert certificate("00002").final_at - clock.now() > timedelta(days=29)
    assert certificate("00002").fingerprint in said


def test_steps_lead_through_the_stages(admin):
    seen = []
    for step in ("--publish", "--release", "--retire"):
        rotate(step)
        seen.append(stages())

    assert seen == [
        {"00001": "active", "00002": "published"},
        {"00001": "active", "00002": "rollover"},
        {"00001": "retired", "00002": "active"},
    ]


def test_plain_run_releases_what_is_published(admin):
    rotate("--publish")
    rotate()

    assert stages() == {"00001": "active", "00002": "rollover"}


@pytest.mark.parametrize(
    ("before", "step", "sentence"),
    [
        ([], "--release", "publish one first"),
        ([], "--retire", "No rollover is under way"),
        (["--publish"], "--publish", "already on its way"),
        (["--publish"], "--retire", "No rollover is under way"),
        ([None], None, "end it with --retire first"),
    ],
)
def test_step_that_makes_no_sense_now_is_refused_in_one_sentence(admin, before, step, sentence):
    for earlier in before:
        rotate(*filter(None, [earlier]))

    with pytest.raises(CommandError, match=sentence) as refused:
        rotate(*filter(None, [step]))

    assert refused.value.returncode == 2


def test_installation_without_a_certificate_is_told_so(db):
    with pytest.raises(CommandError, match=r"manage\.py setup"):
        rotate("--compromised")


def test_compromised_key_is_replaced_and_what_breaks_is_told(pair):
    established(pair)
    make_external(pair.source_admin)

    said = rotate("--compromised")

    assert stages() == {"00001": "retired", "00002": "active"}
    assert "1 External connections" in said
    assert "2 Vault to Vault connections" in said
    assert "compare fingerprints" in said


def test_dry_run_tells_and_changes_nothing(admin):
    rows = AuditEvent.objects.count()

    said = json.loads(rotate("--compromised", "--dry-run", "--json"))

    assert said["certificate"]["id"] == "00002"
    assert said["warnings"]
    assert SigningCertificate.objects.count() == 1
    assert AuditEvent.objects.count() == rows


def test_what_the_command_did_is_in_the_audit_trail_under_its_name(admin):
    rotate()

    by_command = AuditEvent.objects.filter(actor="Command rotate_signing_certificate")
    assert set(by_command.values_list("event", flat=True)) == {"certificate.issued", "certificate.released"}
