import pytest
from django.urls import reverse

from connections.models import Hold, MessageCopy, Replay
from connections.services.messages import holding, replaying
from tests.connections.pages import address as record
from tests.connections.pages import sign_in
from tests.factories.people import make_member
from tests.guards.routes import all_routes
from vaultadmin.access import Gate
from vaultadmin.permissions import Permission

# What somebody may open who operates messages and has no other permission; nothing else asks for it.
OPERATED = (
    "admin/messages/",
    "admin/filed-messages/",
    "admin/queues/",
    "admin/alerts/",
    "admin/connections/<connection:api_name>/test-message/",
)
ACTS = ("resend/", "reveal/", "hold/", "release/", "plan/", "start/", "pause/", "resume/", "cancel/")
OTHERS = [permission for permission in Permission if permission is not Permission.MESSAGES_OPERATE]


def needing(permission: Permission):
    return [route for route in all_routes() if route.ours and permission in getattr(route.access, "permissions", ())]


def opened_by(*permissions: Permission) -> set[str]:
    wanted = set(permissions)
    return {
        route.pattern
        for route in all_routes()
        if route.ours and getattr(route.access, "gate", None) is None and wanted & set(route.access.permissions)
    }


def test_operating_messages_opens_these_pages_and_nothing_else():
    opened = {pattern.removeprefix("v/<int:vault_id>/") for pattern in opened_by(Permission.MESSAGES_OPERATE)}

    assert [pattern for pattern in opened if not pattern.startswith(OPERATED)] == []


def test_no_other_permission_sends_reveals_holds_or_replays():
    acts = {route.pattern for route in needing(Permission.MESSAGES_OPERATE) if route.pattern.endswith(ACTS)}
    messages = {pattern for pattern in acts if "/admin/messages/" in pattern}

    assert len(messages) == 11
    assert opened_by(*OTHERS) & messages == set()


def test_the_gates_of_the_acts_are_permissions():
    gates = {getattr(route.access, "gate", None) for route in needing(Permission.MESSAGES_OPERATE)}

    assert gates == {None}
    assert Gate.MEMBER not in gates


@pytest.mark.django_db
def test_an_operator_does_everything_here(traffic, operating, now):
    copy = traffic.failed(now=now)
    vault = traffic.operator.vault_id
    key = "00000000-0000-0000-0000-000000000007"

    def post(name, *args, query="", **data):
        return operating.post(reverse(f"connections:{name}", args=[vault, *args]) + query, data).status_code

    done = [
        post("message-reveal", copy.message_id, reason="Ticket 12"),
        post("message-resend", copy.message_id, key=key, reason=""),
        post("messages-resend", query=f"?id={copy.pk}", key=key, reason=""),
        post("replay-plan", query="?state=failed", key=key),
        post("replay-cancel", Replay.objects.get().pk),
        post("messages-hold", query=f"?connection={traffic.connection.api_name}", reason="Moving"),
        post("messages-release", Hold.objects.get().pk),
        post("queue-log-trace", queue=traffic.queue.pk),
    ]

    assert done == [302] * len(done)


@pytest.mark.django_db
def test_an_operator_changes_no_queue_and_no_connection(traffic, operating):
    names = [traffic.operator.vault_id, traffic.queue.name]
    acts = [reverse(f"connections:{name}", args=names) for name in ("queue-edit", "queue-reset", "queue-delete")]
    acts += [record(traffic.connection, name) for name in ("edit-details", "inactivate", "delete")]

    assert {operating.post(url).status_code for url in acts} == {403}
    assert operating.get(record(traffic.connection)).status_code == 403


@pytest.mark.django_db
def test_who_administers_queues_reads_messages_and_does_nothing_with_them(traffic, now):
    copy = traffic.failed(now=now)
    replay = replaying.plan(values={}, words="All", by=traffic.operator, now=now)
    held = holding.hold(reason="Moving", by=traffic.operator, now=now)
    member = make_member(traffic.operator.vault, Permission.SPARK_QUEUES)
    browser, vault = sign_in(member), member.vault_id

    def url(name, *args):
        return reverse(f"connections:{name}", args=[vault, *args])

    refused = [
        url("message-resend", copy.message_id),
        url("message-reveal", copy.message_id),
        url("messages-resend"),
        url("messages-hold"),
        url("messages-release", held.pk),
        url("replay-plan"),
        url("replay-start", replay.pk),
    ]
    assert browser.get(url("messages")).status_code == 200
    assert browser.get(url("message", copy.message_id)).status_code == 200
    assert {browser.post(one).status_code for one in refused} == {403}
    assert MessageCopy.objects.count() == 1


@pytest.mark.django_db
def test_what_is_not_allowed_is_shown_with_the_reason(traffic, now):
    traffic.failed(now=now)
    member = make_member(traffic.operator.vault, Permission.SPARK_QUEUES)

    text = sign_in(member).get(reverse("connections:messages", args=[member.vault_id])).content.decode()

    assert "Needs “Messages: Operate”." in text
    assert "Resend ticked" not in text
