import pytest

from connections.models import Lane, Queue
from connections.services.messages import queues
from tests.factories.people import make_member
from tests.factories.spark import make_outbound, make_spark_admin, put
from tests.fakes.api_client import Api
from vaultadmin import audit, clock
from vaultadmin.permissions import Permission
from vaultadmin.services import tokens

pytestmark = pytest.mark.django_db
ALL = (Permission.API_ACCESS, Permission.SPARK_QUEUES, Permission.SDK_JOB_QUEUES)


def token_of(member, *scopes):
    made = tokens.create_token(member=member, name=f"Program {len(scopes)}", scopes=scopes, by=member, now=clock.now())
    return made.raw


@pytest.fixture
def program(admin):
    return make_member(admin.vault, *ALL)


@pytest.fixture
def api(admin, program, api_settings):
    return Api(admin.vault, admin.vault.dns, session=token_of(program, *ALL))


def call(api, path="", method="GET"):
    return api.call(method, f"/v25.2/services/queues{path}")


def refusal(answer):
    return answer.status, answer.body["responseStatus"], answer.error


def test_list_has_name_status_type_and_address(api, admin, outbound):
    queues.set_active(queue=make_outbound(admin, name="old__c"), active=False, by=admin, now=clock.now())

    answer = call(api)

    root = f"http://{admin.vault.dns}/api/v25.2/services/queues"
    assert answer.body == {
        "responseStatus": "SUCCESS",
        "data": [
            {"name": "old__c", "status": "inactive", "type": "outbound", "url": f"{root}/old__c"},
            {"name": "study_out__c", "status": "active", "type": "outbound", "url": f"{root}/study_out__c"},
        ],
    }


def test_list_of_a_vault_without_queues_is_empty(api):
    assert call(api).body == {"responseStatus": "SUCCESS", "data": []}


def test_queue_tells_delivery_messages_and_the_last_outcome(api, admin, outbound):
    put(outbound, admin)
    Lane.objects.update(last_outcome="ok", last_delivered_at=clock.now())

    answer = call(api, "/study_out__c")

    assert answer.body == {
        "responseStatus": "SUCCESS",
        "data": [
            {
                "name": "study_out__c",
                "status": "active",
                "type": "outbound",
                "delivery": "enabled",
                "messages_in_queue": 1,
                "connections": [{"name": "rtsm", "last_message_delivered": "ok"}],
            }
        ],
    }


def test_queue_tells_the_error_of_a_connection(api, outbound):
    message_id = "bb28d4ca-3a37-4fef-91ae-93c3a4ec1d8d"
    Lane.objects.update(
        last_outcome="error",
        last_error_at="2025-04-25T21:49:27.719+00:00",
        last_error_id=message_id,
        last_error="no response",
    )

    (queue,) = call(api, "/study_out__c").body["data"]

    error = {"message_id": message_id, "date_time": "2025-04-25T21:49:27.719Z", "message": "no response"}
    assert queue["connections"] == [{"name": "rtsm", "last_message_delivered": "error", "error": error}]


def test_queue_that_sent_nothing_tells_no_outcome(api, outbound, inbound):
    assert call(api, "/study_out__c").body["data"][0]["connections"] == [{"name": "rtsm"}]
    assert call(api, "/study_in__c").body["data"][0]["connections"] == []


def test_local_connection_tells_what_went_straight_over(api, admin, itself, inbound):
    queue = make_outbound(admin, itself, deliver_to=inbound.name, name="loop__c")
    put(queue, admin)

    (told,) = call(api, "/loop__c").body["data"]

    assert told["connections"] == [{"name": "itself", "last_message_delivered": "ok"}]
    assert told["messages_in_queue"] == 0


def test_delivery_is_disabled_and_enabled(api, program, outbound):
    disabled = call(api, "/study_out__c/actions/disable_delivery", "PUT")

    assert disabled.body == {"responseStatus": "SUCCESS"}
    assert call(api, "/study_out__c").body["data"][0]["delivery"] == "disabled"
    assert call(api, "/study_out__c/actions/enable_delivery", "PUT").body == {"responseStatus": "SUCCESS"}
    assert Queue.objects.get().delivery_enabled
    row = audit.history(outbound)[0]
    assert (row.event, row.actor_id) == ("queue.delivery_enabled", str(program.user_id))


def test_what_is_so_already_succeeds_again(api, outbound):
    for _ in range(2):
        assert call(api, "/study_out__c/actions/disable_delivery", "PUT").ok

    assert [row.event for row in audit.history(outbound)].count("queue.delivery_disabled") == 1


def test_reset_deletes_the_messages(api, admin, outbound):
    put(outbound, admin)

    answer = call(api, "/study_out__c/actions/reset", "PUT")

    assert answer.body == {"responseStatus": "SUCCESS", "responseMessage": "Deleted messages in queue."}
    assert call(api, "/study_out__c").body["data"][0]["messages_in_queue"] == 0
    assert outbound.copies.get().state == "removed"


@pytest.mark.parametrize("act", ["disable_delivery", "enable_delivery"])
def test_delivery_of_an_inbound_queue_is_not_allowed(api, inbound, act):
    answer = call(api, f"/study_in__c/actions/{act}", "PUT")

    assert refusal(answer) == (200, "FAILURE", "OPERATION_NOT_ALLOWED")


PLACES = [
    ("GET", "/missing__c"),
    ("PUT", "/missing__c/actions/disable_delivery"),
    ("PUT", "/missing__c/actions/enable_delivery"),
    ("PUT", "/missing__c/actions/reset"),
]


@pytest.mark.parametrize(("method", "path"), PLACES)
def test_unknown_queue_is_invalid_data(api, outbound, method, path):
    assert refusal(call(api, path, method)) == (200, "FAILURE", "INVALID_DATA")
    assert refusal(call(api, path.replace("missing__c", "a%00b"), method)) == (200, "FAILURE", "INVALID_DATA")


@pytest.mark.parametrize(("method", "path"), [("GET", ""), *PLACES])
def test_every_call_needs_a_queue_permission(admin, outbound, api_settings, method, path):
    somebody = make_member(admin.vault, Permission.API_ACCESS, Permission.MESSAGES_OPERATE)
    api = Api(admin.vault, admin.vault.dns, session=token_of(somebody, Permission.MESSAGES_OPERATE))

    answer = call(api, path.replace("missing__c", "study_out__c"), method)

    assert refusal(answer) == (200, "FAILURE", "INSUFFICIENT_ACCESS")
    assert "Admin: Spark Queues" in answer.body["errors"][0]["message"]


@pytest.mark.parametrize(("method", "path"), [("GET", ""), *PLACES])
def test_every_call_needs_credentials(api, outbound, method, path):
    api.session = "va_unknown"

    assert refusal(call(api, path, method)) == (200, "FAILURE", "INVALID_SESSION_ID")


@pytest.mark.parametrize(("method", "path"), [("POST", ""), ("DELETE", "/study_out__c"), ("GET", PLACES[3][1])])
def test_wrong_verb_is_not_supported(api, outbound, method, path):
    assert refusal(call(api, path, method)) == (200, "FAILURE", "METHOD_NOT_SUPPORTED")


def test_types_somebody_does_not_administer_are_hidden(admin, outbound, api_settings):
    make_outbound(admin, type="job", name="nightly__c")
    member = make_member(admin.vault, Permission.API_ACCESS, Permission.SDK_JOB_QUEUES)
    api = Api(admin.vault, admin.vault.dns, session=token_of(member, Permission.SDK_JOB_QUEUES))

    assert [row["name"] for row in call(api).body["data"]] == ["nightly__c"]
    assert refusal(call(api, "/study_out__c/actions/reset", "PUT")) == (200, "FAILURE", "INVALID_DATA")


def test_scopes_of_a_token_narrow_what_its_member_may(api, admin, program, outbound):
    make_outbound(admin, type="job", name="nightly__c")
    api.session = token_of(program, Permission.SDK_JOB_QUEUES)

    assert [row["name"] for row in call(api).body["data"]] == ["nightly__c"]
    assert refusal(call(api, "/study_out__c/actions/reset", "PUT")) == (200, "FAILURE", "INVALID_DATA")


def test_queues_of_another_vault_are_not_reached(api, outbound):
    make_outbound(make_spark_admin(), name="foreign__c")

    assert refusal(call(api, "/foreign__c")) == (200, "FAILURE", "INVALID_DATA")


def test_client_library_that_says_json_on_a_get_is_answered(api, outbound):
    answer = api.call("GET", "/v24.3/services/queues", **{"Content-Type": "application/json"})

    assert answer.body["data"][0]["name"] == "study_out__c"
