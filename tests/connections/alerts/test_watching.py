from datetime import timedelta

import pytest

from connections.constants import AlertEnd, AlertKind
from connections.home import queues as queue_home
from connections.models import Alert, AlertCall, Lane
from connections.services.messages import alerts
from connections.watching import looking, telling
from tests.connections.alerts.conftest import SECRET
from tests.factories.connections import make_external
from tests.factories.people import make_member
from tests.factories.spark import make_outbound, put
from vaultadmin.models import AuditEvent, Notice
from vaultadmin.permissions import Permission
from vaultadmin.together import answer
from vaultadmin.worklist import notices

pytestmark = pytest.mark.django_db
MINUTE = timedelta(minutes=1)
HOOK = {"webhook_url": "https://hooks.example.com/alerts", "webhook_secret": SECRET}


@pytest.fixture
def failing(make_rule, carry):
    rule = make_rule(AlertKind.FAILURES, threshold=50, window=15)
    carry(failures=4, sent=4, waits=[1.0] * 4)
    return rule


def test_a_failure_rate_at_the_threshold_fires_and_says_what_was_found(failing, now):
    looking.look(now=now)

    alert = Alert.objects.get()
    assert alert.reason.startswith("4 of 8 attempts failed in the last 15 minutes: 50 %")


@pytest.mark.parametrize(
    ("failed", "through", "fires"),
    [(2, 0, False), (3, 0, True), (4, 5, False)],
    ids=["too few", "all of three", "below"],
)
def test_a_failure_rate_needs_some_failures_and_its_share(make_rule, carry, now, failed, through, fires):
    make_rule(AlertKind.FAILURES, threshold=50, window=15)
    carry(failures=failed, sent=through, waits=[1.0] * through)

    looking.look(now=now)

    assert Alert.objects.exists() is fires


def test_failures_before_the_window_do_not_fire(failing, now):
    looking.look(now=now + 25 * MINUTE)

    assert not Alert.objects.exists()


@pytest.mark.parametrize(("waited", "fires"), [(29, False), (30, True)])
def test_a_backlog_fires_by_the_age_of_its_oldest_message(make_rule, admin, link, now, waited, fires):
    make_rule(AlertKind.BACKLOG, threshold=30, place="connection")
    put(link.queue, admin, now=now - waited * MINUTE)
    put(link.queue, admin, now=now)

    looking.look(now=now)

    assert Alert.objects.exists() is fires


def test_silence_fires_once_nothing_went_through_for_the_window(make_rule, carry, now):
    make_rule(AlertKind.SILENCE, window=60, place="connection")
    carry(at=now - 59 * MINUTE, sent=1, waits=[1.0])

    looking.look(now=now)
    assert not Alert.objects.exists()

    looking.look(now=now + MINUTE)
    assert Alert.objects.get().reason.startswith("No message went through for 60 minutes")


def test_silence_is_counted_from_the_rule_on(make_rule, now):
    make_rule(AlertKind.SILENCE, window=60, at=now - 30 * MINUTE)

    looking.look(now=now)

    assert not Alert.objects.exists()


def test_looking_twice_opens_one_alert_and_ends_it_once(failing, carry, now):
    assert [looking.look(now=now), looking.look(now=now)] == [1, 0]

    carry(sent=10, waits=[1.0] * 10)

    assert [looking.look(now=now), looking.look(now=now)] == [1, 0]
    alert = Alert.objects.get()
    assert (alert.closed_at, alert.ended_by) == (now, AlertEnd.RESOLVED)
    events = AuditEvent.objects.filter(event__startswith="alert.").values_list("event", flat=True)
    assert list(events.order_by("sequence")) == ["alert.fired", "alert.ended"]


def test_an_inactive_rule_does_not_fire(make_rule, carry, now):
    make_rule(AlertKind.FAILURES, threshold=50, window=15, is_active=False)
    carry(failures=9)

    looking.look(now=now)

    assert not Alert.objects.exists()


def test_a_rule_sees_nothing_of_other_queues(make_rule, carry, admin, link, now):
    other = make_outbound(admin, make_external(admin))
    make_rule(AlertKind.BACKLOG, threshold=1)
    put(other, admin, now=now - 60 * MINUTE)

    looking.look(now=now)

    assert not Alert.objects.exists()


def test_who_operates_messages_is_told_by_mail_when_it_fires_and_when_it_is_over(
    failing, carry, admin, now, mailoutbox
):
    make_member(admin.vault, Permission.CONNECTION_READ)
    looking.look(now=now)
    notices.deliver_due(now=now)
    carry(sent=10, waits=[1.0] * 10)
    looking.look(now=now + MINUTE)
    notices.deliver_due(now=now + MINUTE)

    assert [mail.to for mail in mailoutbox] == [[admin.user.email]] * 2
    assert "Alert: Failure rate of Study updates" in mailoutbox[0].subject
    assert "Over: Failure rate of Study updates" in mailoutbox[1].subject


def test_no_mail_tells_of_an_alert_that_is_over(failing, carry, now, mailoutbox):
    looking.look(now=now)
    carry(sent=10, waits=[1.0] * 10)
    looking.look(now=now)
    notices.deliver_due(now=now)

    [mail] = mailoutbox
    assert "Over" in mail.subject


def test_a_rule_without_mail_and_webhook_tells_on_the_home_page_only(make_rule, carry, admin, now):
    make_rule(AlertKind.FAILURES, threshold=50, window=15, by_mail=False)
    carry(failures=5)

    looking.look(now=now)

    assert not Notice.objects.exists()
    assert not AlertCall.objects.exists()
    [trouble] = answer(telling.troubles(admin))
    assert "5 of 5 attempts failed" in trouble.text


def test_several_alerts_are_one_line(make_rule, carry, admin, now):
    for threshold in (10, 20, 30, 40):
        make_rule(AlertKind.FAILURES, threshold=threshold, window=15)
    carry(failures=5)

    looking.look(now=now)

    [trouble] = answer(telling.troubles(admin))
    assert trouble.text.endswith("and more.")
    assert answer(telling.troubles(make_member(admin.vault, Permission.CONNECTION_READ))) == []


@pytest.mark.parametrize("place", ["queue", "connection"])
def test_a_queue_that_has_a_line_of_its_own_is_not_told_of_twice(make_rule, carry, link, admin, now, place):
    make_rule(AlertKind.FAILURES, place=place, threshold=50, window=15)
    carry(failures=5)
    looking.look(now=now)
    assert answer(telling.troubles(admin))

    put(link.queue, admin)
    Lane.objects.update(last_outcome="error", last_error_at=now, last_error="No answer.")

    assert answer(telling.troubles(admin)) == []
    assert len(answer(queue_home.troubles(admin))) == 1


def test_a_snoozed_alert_is_quiet_until_its_end_and_told_of_again_then(failing, admin, now):
    looking.look(now=now)
    alert = Alert.objects.get()
    alerts.snooze(alert=alert, until=now + 60 * MINUTE, note="Known", by=admin, now=now)
    assert answer(telling.troubles(admin)) == []
    before = Notice.objects.count()

    telling.tell_of_ended_snoozes(now=now + 59 * MINUTE)
    assert Notice.objects.count() == before

    assert telling.tell_of_ended_snoozes(now=now + 60 * MINUTE) == 1
    assert telling.tell_of_ended_snoozes(now=now + 60 * MINUTE) == 0
    assert Notice.objects.count() == before + 1
    assert answer(telling.troubles(admin))


def test_a_webhook_call_is_written_with_each_change(make_rule, carry, now):
    make_rule(AlertKind.FAILURES, threshold=50, window=15, **HOOK)
    carry(failures=5)
    looking.look(now=now)
    carry(sent=10, waits=[1.0] * 10)
    looking.look(now=now)

    assert list(AlertCall.objects.order_by("pk").values_list("subject", flat=True)) == ["firing", "resolved"]
