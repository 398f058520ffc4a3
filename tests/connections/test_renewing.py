import pytest
from django.db import IntegrityError, transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from connections import tasks
from connections.constants import CertificateStage
from connections.models import Connection, IssuedFile, OutgoingPeerMessage, SigningCertificate
from connections.services.refusals import Refused
from connections.services.signing import renewing
from tests.connections import rollovers
from tests.connections.rollovers import certificate, days, signs_with, stages, tick
from tests.factories.connections import download, make_external, make_local, make_vault_to_vault
from vaultadmin import audit, clock
from vaultadmin.models import AuditEvent, Secret

pytestmark = pytest.mark.django_db
BY = audit.System("Test")


@pytest.fixture(autouse=True)
def shared_keys(monkeypatch):
    rollovers.use_shared_keys(monkeypatch)


@pytest.fixture
def ends(certificate):
    return certificate.not_after


def test_nothing_happens_before_the_notice(ends):
    assert tick(ends - days(91)) == 0
    assert stages() == {"00001": "active"}


def test_certificate_goes_through_every_stage_in_its_time(ends):
    seen = []
    for before in (90, 61, 31, 1):
        tick(ends - days(before + 0.5))
        tick(ends - days(before))
        seen.append(stages())

    assert seen == [
        {"00001": "active", "00002": "published"},
        {"00001": "active", "00002": "test"},
        {"00001": "active", "00002": "rollover"},
        {"00001": "retired", "00002": "active"},
    ]


def test_new_certificate_lives_as_long_as_the_settings_say(ends):
    tick(ends - days(90))

    new = certificate("00002")
    assert (new.not_before, new.not_after) == (ends - days(90), ends - days(90) + days(3 * 365))


def test_tick_twice_changes_nothing_more(ends):
    tick(ends - days(31))
    rows = AuditEvent.objects.count()

    assert tick(ends - days(31)) == 0
    assert AuditEvent.objects.count() == rows


def test_missed_ticks_still_leave_a_whole_rollover_period(ends):
    tick(ends - days(90))

    tick(ends - days(31.5) + days(0.5))
    late = certificate("00002")
    assert late.stage == CertificateStage.ROLLOVER

    assert late.final_at == ends - days(1)


def test_late_release_of_a_wanted_rollover_keeps_its_period(admin, ends):
    now = clock.now()
    renewing.publish(by=BY, now=now)

    tick(now + days(45))

    assert certificate("00002").release_at == now + days(45)
    assert certificate("00002").final_at == now + days(75)


def test_installation_that_slept_past_the_end_comes_back_with_a_new_certificate(admin, ends):
    record = make_local(admin)

    tick(ends + days(10))

    assert stages() == {"00001": "retired", "00002": "active"}
    assert signs_with(record) == "00002"


def test_rollovers_follow_one_another_for_decades(admin, certificate):
    record = make_local(admin)
    moment = certificate.not_after - days(100)

    for _ in range(150):
        moment += days(25)
        tick(moment)

    newest = SigningCertificate.objects.latest("certificate_id")
    assert newest.certificate_id > "00004"
    assert SigningCertificate.objects.filter(stage="active").count() == 1
    assert SigningCertificate.objects.get(certificate_id=signs_with(record)).not_after > moment


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=10)
@given(steps=st.lists(st.floats(min_value=0.01, max_value=70), min_size=1, max_size=12))
def test_stages_never_skip_and_dates_never_run_backwards(certificate, steps):
    order = list(CertificateStage)
    with transaction.atomic():
        moment, seen = certificate.not_after - days(120), {}
        for step in steps:
            moment += days(step)
            tick(moment)
            for row in SigningCertificate.objects.all():
                assert order.index(row.stage) >= order.index(seen.get(row.certificate_id, row.stage))
                assert row.published_at <= row.test_at <= row.release_at <= row.final_at
                seen[row.certificate_id] = row.stage
            alone = SigningCertificate.objects.get(stage="active")
            assert alone.is_valid(moment)
        transaction.set_rollback(True)


def test_release_moves_every_connection_of_every_vault_and_says_so(pair, ends):
    records = [
        make_vault_to_vault(pair.source_admin),
        make_external(pair.source_admin),
        make_local(pair.target_admin),
    ]
    tick(ends - days(90))
    tick(ends - days(61))
    assert {signs_with(record) for record in records} == {"00001"}

    tick(ends - days(31))

    assert {signs_with(record) for record in records} == {"00002"}
    for record in records:
        row = audit.history(record).get(event="connection.certificate_moved")
        assert row.actor == "Certificate renewal"
        assert row.changes == {"Signing Certificate": ["Signing certificate 00001", "Signing certificate 00002"]}


def test_move_takes_more_connections_than_one_batch(admin, ends, monkeypatch):
    monkeypatch.setattr("connections.services.signing.moving.BATCH", 3)
    records = [make_local(admin) for _ in range(8)]

    tick(ends - days(31))

    assert {signs_with(record) for record in records} == {"00002"}
    assert AuditEvent.objects.filter(event="connection.certificate_moved").count() == 8


def test_connection_made_with_the_old_certificate_during_the_release_is_moved_by_the_next_tick(admin, ends):
    tick(ends - days(31))
    record = make_local(admin)
    Connection.objects.filter(pk=record.pk).update(signing_certificate=certificate("00001"))

    tick(ends - days(30))

    assert signs_with(record) == "00002"


def test_new_connections_sign_with_the_new_certificate_from_its_release(admin, ends):
    tick(ends - days(61))
    before = make_local(admin)
    assert signs_with(before) == "00001"

    tick(ends - days(31))

    assert signs_with(make_local(admin)) == "00002"


def test_end_of_the_rollover_destroys_the_key_nothing_needs(admin, ends):
    secret = certificate("00001").private_key_id
    for before in (90, 61, 31):
        tick(ends - days(before))
    assert Secret.objects.filter(pk=secret).exists()

    tick(ends - days(1))

    assert not Secret.objects.filter(pk=secret).exists()
    assert certificate("00001").pem.startswith("-----BEGIN CERTIFICATE-----")
    assert AuditEvent.objects.filter(event="certificate.key_destroyed").count() == 1


def test_file_signed_with_a_retired_certificate_is_revoked(admin, ends, settings):
    settings.CONNECTION_FILE_HOURS = 24 * 365 * 4
    record = make_vault_to_vault(admin)
    download(record, admin)

    tick(ends - days(1))

    assert IssuedFile.objects.get().revoked_reason == "Its signing certificate is retired."


def test_scheduled_task_advances_the_stages(ends):
    with rollovers.at(ends - days(90)):
        tasks.renew_certificates()

    assert stages() == {"00001": "active", "00002": "published"}


def test_publish_while_one_is_on_its_way_is_refused(certificate):
    renewing.publish(by=BY, now=clock.now())

    with pytest.raises(Refused, match="00002 is already on its way"):
        renewing.publish(by=BY, now=clock.now())


def test_release_without_a_published_one_is_refused(certificate):
    with pytest.raises(Refused, match="publish one first"):
        renewing.release(by=BY, now=clock.now())


def test_release_twice_is_refused(certificate):
    renewing.publish(by=BY, now=clock.now())
    renewing.release(by=BY, now=clock.now())

    with pytest.raises(Refused, match="already released"):
        renewing.release(by=BY, now=clock.now())


@pytest.mark.parametrize("published", [False, True])
def test_retire_outside_of_a_rollover_is_refused(certificate, published):
    if published:
        renewing.publish(by=BY, now=clock.now())

    with pytest.raises(Refused, match="No rollover is under way"):
        renewing.retire(by=BY, now=clock.now())


@pytest.mark.parametrize("stage", ["", "published", "test", "rollover"])
def test_compromised_key_is_replaced_at_once_from_every_stage(admin, stage):
    record, now = make_local(admin), clock.now()
    if stage:
        renewing.publish(by=BY, now=now)
    if stage == "test":
        tick(now)
    if stage == "rollover":
        renewing.release(by=BY, now=now)

    renewing.replace_compromised(by=BY, now=now)
    renewing.settle(by=BY, now=now)

    assert stages() == {"00001": "retired", "00002": "active"}
    assert certificate("00001").retired_reason == renewing.COMPROMISED
    assert signs_with(record) == "00002"
    assert not OutgoingPeerMessage.objects.exists()


@pytest.mark.parametrize(
    ("fields", "constraint"),
    [
        ({"stage": "retired"}, "certificate_retirement_has_a_time_and_a_reason"),
        ({"retired_reason": "No"}, "certificate_retirement_has_a_time_and_a_reason"),
        ({"private_key": None}, "certificate_in_use_has_its_key"),
        ({"certificate_id": "1"}, "certificate_id_has_five_digits"),
        ({"final_at": clock.now() - days(1)}, "certificate_stages_in_order"),
    ],
)
def test_database_refuses_impossible_certificates(certificate, fields, constraint):
    with pytest.raises(IntegrityError, match=constraint), transaction.atomic():
        SigningCertificate.objects.filter(pk=certificate.pk).update(**fields)


def test_database_refuses_a_second_active_one_and_a_second_on_its_way(certificate):
    renewing.publish(by=BY, now=clock.now())
    for first, second, constraint in [
        ("00001", "active", "certificate_one_active"),
        ("00002", "rollover", "certificate_one_on_its_way"),
    ]:
        changed = SigningCertificate.objects.exclude(certificate_id=first)
        with pytest.raises(IntegrityError, match=constraint), transaction.atomic():
            changed.update(stage=second)
