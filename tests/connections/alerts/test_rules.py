from datetime import timedelta
from uuid import uuid4

import pytest

from connections.constants import AlertEnd, AlertKind, QueueType
from connections.models import Alert, AlertRule
from connections.services import deleting
from connections.services.copies import separating
from connections.services.messages import alerts, queues
from connections.services.messages.alerts import Wanted
from connections.services.refusals import Refused
from connections.watching import looking
from tests.connections.alerts.conftest import SECRET
from tests.factories.connections import make_external
from tests.factories.people import make_member
from tests.factories.spark import make_spark_admin
from vaultadmin import secrets
from vaultadmin.models import AuditEvent, Secret
from vaultadmin.permissions import Permission, PermissionRefused

pytestmark = pytest.mark.django_db
URL = "https://hooks.example.com/alerts"


@pytest.mark.parametrize(
    ("kind", "threshold", "window", "field"),
    [
        (AlertKind.FAILURES, None, 15, "threshold"),
        (AlertKind.FAILURES, 101, 15, "threshold"),
        (AlertKind.FAILURES, 20, 2000, "window"),
        (AlertKind.BACKLOG, 0, None, "threshold"),
        (AlertKind.SILENCE, None, 4, "window"),
        (AlertKind.SILENCE, None, None, "window"),
    ],
)
def test_a_rule_that_does_not_fit_its_kind_is_refused(make_rule, kind, threshold, window, field):
    with pytest.raises(Refused) as refused:
        make_rule(kind, threshold=threshold, window=window)

    assert refused.value.field == field


def test_what_a_kind_does_not_use_is_not_kept(make_rule):
    silent = make_rule(AlertKind.SILENCE, threshold=20, window=30)
    backlog = make_rule(AlertKind.BACKLOG, threshold=20, window=30)

    assert (silent.threshold, backlog.window) == (None, None)


def test_the_webhook_secret_is_sealed_and_never_in_the_trail(make_rule):
    rule = make_rule(AlertKind.BACKLOG, threshold=5, webhook_url=URL, webhook_secret=SECRET)

    event = AuditEvent.objects.get(event="alert_rule.created")
    assert secrets.reveal(rule.secret) == SECRET
    assert SECRET not in str(event.changes) + rule.secret.ciphertext


@pytest.mark.parametrize(
    ("url", "secret", "field"),
    [
        ("http://hooks.example.com/", SECRET, "webhook_url"),
        ("https://hooks.example.com:8443/", SECRET, "webhook_url"),
        ("https://127.0.0.1/", SECRET, "webhook_url"),
        (URL, "", "webhook_secret"),
        (URL, "short", "webhook_secret"),
    ],
)
def test_a_webhook_that_cannot_be_called_is_refused(make_rule, url, secret, field):
    with pytest.raises(Refused) as refused:
        make_rule(AlertKind.BACKLOG, threshold=5, webhook_url=url, webhook_secret=secret)

    assert refused.value.field == field


def test_another_host_asks_for_the_secret_again(make_rule, admin, now):
    rule = make_rule(AlertKind.BACKLOG, threshold=5, webhook_url=URL, webhook_secret=SECRET)
    same_host = Wanted(AlertKind.BACKLOG, 5, webhook_url=f"{URL}/new")
    alerts.edit(rule=rule, wanted=same_host, by=admin, now=now)

    with pytest.raises(Refused, match="Enter the secret"):
        alerts.edit(
            rule=rule, wanted=Wanted(AlertKind.BACKLOG, 5, webhook_url="https://other.example.com/"), by=admin, now=now
        )


def test_a_webhook_taken_away_takes_its_secret_along(make_rule, admin, now):
    rule = make_rule(AlertKind.BACKLOG, threshold=5, webhook_url=URL, webhook_secret=SECRET)

    alerts.edit(rule=rule, wanted=Wanted(AlertKind.BACKLOG, 5), by=admin, now=now)

    assert not Secret.objects.filter(purpose=alerts.PURPOSE).exists()
    assert AlertRule.objects.get().secret is None


def test_a_changed_rule_watches_anew_and_its_alert_ends(make_rule, carry, admin, now):
    rule = make_rule(AlertKind.FAILURES, threshold=50, window=15)
    carry(failures=5)
    looking.look(now=now)

    alerts.edit(rule=rule, wanted=Wanted(AlertKind.FAILURES, 60, 15), by=admin, now=now)

    assert Alert.objects.get().ended_by == AlertEnd.NOT_WATCHED
    assert AlertRule.objects.get().watched_since == now


def test_a_rule_changed_meanwhile_is_not_overwritten(make_rule, admin, now):
    rule = make_rule(AlertKind.BACKLOG, threshold=5)

    with pytest.raises(Refused, match="Somebody changed"):
        alerts.edit(
            rule=rule, wanted=Wanted(AlertKind.BACKLOG, 6), by=admin, now=now, seen=rule.modified_at - timedelta(1)
        )


def test_deleting_a_rule_leaves_the_trail_and_no_secret(make_rule, admin):
    rule = make_rule(AlertKind.BACKLOG, threshold=5, webhook_url=URL, webhook_secret=SECRET)

    alerts.delete(rule=rule, by=admin)

    assert not AlertRule.objects.exists()
    assert not Secret.objects.filter(purpose=alerts.PURPOSE).exists()
    assert AuditEvent.objects.filter(event="alert_rule.deleted").exists()


def test_a_connection_is_deleted_with_its_rules(admin, now):
    connection = make_external(admin)
    wanted = Wanted(AlertKind.SILENCE, window=60, webhook_url=URL, webhook_secret=SECRET)
    alerts.create(wanted=wanted, by=admin, now=now, connection=connection)

    deleting.delete(connection=connection, by=admin, now=now)

    assert not AlertRule.objects.exists()
    assert not Secret.objects.filter(purpose=alerts.PURPOSE).exists()


def test_the_same_form_twice_makes_one_rule(admin, link, now):
    key, wanted = uuid4(), Wanted(AlertKind.BACKLOG, 5)

    made = [alerts.create(wanted=wanted, by=admin, now=now, queue=link.queue, creation_key=key) for _ in range(2)]

    assert made[0] == made[1]


def test_a_job_queue_cannot_be_watched(admin, now):
    queue = queues.create(by=admin, now=now, name="jobs__c", label="Jobs", type=QueueType.JOB)

    with pytest.raises(Refused, match="job queue"):
        alerts.create(wanted=Wanted(AlertKind.BACKLOG, 5), by=admin, now=now, queue=queue)


def test_places_of_other_vaults_cannot_be_watched(link, now):
    stranger = make_spark_admin()

    for place in ({"queue": link.queue}, {"connection": link.connection}):
        with pytest.raises(Refused):
            alerts.create(wanted=Wanted(AlertKind.BACKLOG, 5), by=stranger, now=now, **place)


@pytest.mark.parametrize(
    ("place", "permission"),
    [("queue", Permission.CONNECTION_EDIT), ("connection", Permission.SPARK_QUEUES)],
)
def test_who_may_not_edit_the_place_may_not_change_its_rules(make_rule, admin, now, place, permission):
    rule = make_rule(AlertKind.BACKLOG, threshold=5, place=place)
    other = make_member(admin.vault, permission, Permission.MESSAGES_OPERATE)

    with pytest.raises(PermissionRefused):
        alerts.edit(rule=rule, wanted=Wanted(AlertKind.BACKLOG, 6), by=other, now=now)
    with pytest.raises(PermissionRefused):
        alerts.delete(rule=rule, by=other)


def test_who_operates_messages_may_snooze_and_a_reader_may_not(make_rule, carry, admin, now):
    make_rule(AlertKind.FAILURES, threshold=50, window=15)
    carry(failures=5)
    looking.look(now=now)
    alert, until = Alert.objects.get(), now + timedelta(hours=1)

    with pytest.raises(PermissionRefused):
        alerts.snooze(
            alert=alert, until=until, note="", by=make_member(admin.vault, Permission.CONNECTION_READ), now=now
        )
    operator = make_member(admin.vault, Permission.MESSAGES_OPERATE)
    alerts.snooze(alert=alert, until=until, note="Known", by=operator, now=now)

    alert.refresh_from_db()
    assert (alert.snoozed_by, alert.snooze_note) == (operator, "Known")


def test_a_snooze_has_an_end_and_an_alert_that_is_over_none(make_rule, carry, admin, now):
    make_rule(AlertKind.FAILURES, threshold=50, window=15)
    carry(failures=5)
    looking.look(now=now)
    alert = Alert.objects.get()

    with pytest.raises(Refused, match="within the next 30 days"):
        alerts.snooze(alert=alert, until=now + timedelta(days=31), note="", by=admin, now=now)
    carry(sent=20, waits=[1.0] * 20)
    looking.look(now=now)
    with pytest.raises(Refused, match="over"):
        alerts.snooze(alert=alert, until=now + timedelta(hours=1), note="", by=admin, now=now)


def test_a_copied_installation_calls_nobody_of_the_original(make_rule, admin, now):
    make_rule(AlertKind.BACKLOG, threshold=5, webhook_url=URL, webhook_secret=SECRET)

    assert separating.let_go(admin, now)["Webhooks of alerts"] == 1

    rule = AlertRule.objects.get()
    assert (rule.webhook_url, rule.secret) == ("", None)
    assert not Secret.objects.filter(purpose=alerts.PURPOSE).exists()
