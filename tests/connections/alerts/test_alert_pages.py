import pytest
from django.test import Client
from django.urls import reverse

from connections.constants import AlertKind
from connections.models import Alert, AlertRule
from connections.watching import looking
from tests.connections.alerts.conftest import SECRET
from tests.factories.people import make_member
from tests.factories.spark import make_spark_admin
from vaultadmin.permissions import Permission

pytestmark = pytest.mark.django_db


def signed_in(member):
    client = Client()
    client.force_login(member.user)
    return client


@pytest.fixture
def browser(admin):
    return signed_in(admin)


@pytest.fixture
def firing(make_rule, carry, now):
    rule = make_rule(AlertKind.FAILURES, threshold=50, window=15)
    carry(failures=5)
    looking.look(now=now)
    return rule


def page(name, link_or_rule, *args):
    return reverse(f"connections:{name}", args=[link_or_rule.vault_id, *args])


def test_a_rule_is_added_on_the_connection_page(browser, link):
    url = page("alert-add", link, link.connection.api_name)
    sent = {"kind": "failures", "threshold": "20", "window": "15", "is_active": "on", "by_mail": "on"}

    assert browser.get(url).status_code == 200
    assert browser.post(url, sent).status_code == 302

    record = browser.get(page("record", link, link.connection.api_name)).content.decode()
    assert AlertRule.objects.get().connection == link.connection
    assert "20 % of the attempts fail within 15 minutes" in record


def test_a_rule_of_a_queue_may_watch_one_of_its_connections(browser, link):
    url = page("alert-add-queue", link, link.queue.name)

    browser.post(url, {"kind": "silence", "window": "60", "is_active": "on", "connection": link.connection_id})

    rule = AlertRule.objects.get()
    assert (rule.queue, rule.connection, rule.by_mail) == (link.queue, link.connection, False)


def test_a_refused_rule_shows_its_form_again(browser, link):
    url = page("alert-add", link, link.connection.api_name)

    response = browser.post(url, {"kind": "silence", "window": "1"})

    assert response.status_code == 422
    assert "Enter how many minutes" in response.content.decode()
    assert not AlertRule.objects.exists()


def test_the_list_shows_what_fires_and_all_of_it_when_asked(browser, firing, carry, now):
    assert "5 of 5 attempts failed" in browser.get(page("alerts", firing)).content.decode()

    carry(sent=20, waits=[1.0] * 20)
    looking.look(now=now)

    assert "Nothing fires" in browser.get(page("alerts", firing)).content.decode()
    assert "Resolved" in browser.get(f"{page('alerts', firing)}?all=1").content.decode()


def test_the_rule_page_shows_its_alerts_and_its_history(browser, firing):
    content = browser.get(page("alert-rule", firing, firing.pk)).content.decode()

    assert "50 % of the attempts fail within 15 minutes" in content
    assert "5 of 5 attempts failed" in content
    assert "Alert fired" in content


def test_the_home_page_has_one_red_line(browser, firing):
    content = browser.get(f"/v/{firing.vault_id}/").content.decode()

    assert "Needs somebody now" in content
    assert "Failure rate of Study updates" in content


def test_a_snooze_is_kept_with_its_note(browser, firing, admin):
    alert = Alert.objects.get()

    browser.post(page("alert-snooze", firing, alert.pk), {"hours": "4", "note": "Being moved"})

    assert "Being moved" in browser.get(page("alerts", firing)).content.decode()


def test_a_rule_is_edited_and_deleted(browser, firing):
    url = page("alert-rule-edit", firing, firing.pk)
    assert browser.post(url, {"kind": "backlog", "threshold": "30", "is_active": "on"}).status_code == 302
    assert AlertRule.objects.get().kind == AlertKind.BACKLOG

    assert browser.post(page("alert-rule-delete", firing, firing.pk)).status_code == 302
    assert not AlertRule.objects.exists()


def test_no_page_shows_the_webhook_secret(browser, make_rule):
    rule = make_rule(AlertKind.BACKLOG, threshold=5, webhook_url="https://hooks.example.com/", webhook_secret=SECRET)

    for name in ("alert-rule", "alert-rule-edit"):
        assert SECRET not in browser.get(page(name, rule, rule.pk)).content.decode()


def test_alerts_of_another_vault_are_not_found(firing):
    stranger = make_spark_admin()
    elsewhere = signed_in(stranger)

    for name, key in (("alert-rule", firing.pk), ("alert-snooze", Alert.objects.get().pk)):
        url = reverse(f"connections:{name}", args=[stranger.vault_id, key])
        assert elsewhere.get(url).status_code == 404


def test_a_reader_of_connections_sees_no_rule_of_a_queue_and_no_button(make_rule, firing, link, admin):
    own = make_rule(AlertKind.SILENCE, place="connection", window=60)
    reader = signed_in(make_member(admin.vault, Permission.CONNECTION_READ))

    assert reader.get(page("alert-rule", firing, firing.pk)).status_code == 404
    assert reader.get(page("alert-rule", own, own.pk)).status_code == 200
    record = reader.get(page("record", link, link.connection.api_name)).content.decode()
    assert "no message for 60 minutes" in record
    assert "Add alert rule" not in record


def test_an_operator_who_may_not_edit_is_told_so(firing, admin):
    operator = signed_in(make_member(admin.vault, Permission.MESSAGES_OPERATE, Permission.CONNECTION_EDIT))

    response = operator.post(page("alert-rule-edit", firing, firing.pk), {"kind": "backlog", "threshold": "1"})

    assert response.status_code == 409
    assert "Admin: Spark Queues" in response.content.decode()


def test_the_list_of_alerts_shows_every_rule_and_where_to_add_the_first(browser, admin, link):
    url = page("alerts", link)

    assert "No rule yet" in browser.get(url).content.decode()

    watched = page("alert-add-queue", link, link.queue.name)
    browser.post(watched, {"kind": "silence", "window": "60", "is_active": "on"})
    text = browser.get(url).content.decode()
    assert "no message for 60 minutes" in text
    assert page("alert-rule", link, AlertRule.objects.get().pk) in text
