import pytest
from django.db import connection

from ecoa.service import faults, rotation, store, systems
from ecoa.service.models import MappingState, ServiceFault, ServiceRevision, ServiceSite, ServiceStudyMapping
from ecoa.service.models.faults import FaultCall, FaultKind
from tests.ecoa.service.caller import STUDY, code_of, mint
from vaultadmin import audit, clock

BY = audit.System("test")


@pytest.fixture
def regular(caller):
    """A caller whose place is remembered; the demo's standing fault is out of the way, for with one nothing is."""
    ServiceFault.objects.all().delete()
    caller.written("1005-001", "first")
    caller.found("first")
    return caller


def test_call_at_a_remembered_place_takes_one_statement(regular, django_assert_num_queries, monkeypatch):
    token, asked = mint(), []
    ask = store._ask
    monkeypatch.setattr(store, "_ask", lambda statement, values: asked.append(statement) or ask(statement, values))

    # Nothing is asked besides the one statement the server keeps prepared.
    with django_assert_num_queries(0):
        regular.post("1005-002", "second", token=token)
        regular.get("second", token=token)

    assert len(asked) == 2


@pytest.mark.django_db(transaction=True)
def test_call_over_a_connection_that_ended_meanwhile_is_answered_as_any_other(regular):
    other = connection.copy()
    with connection.cursor() as cursor, other.cursor() as elsewhere:
        cursor.execute("SELECT pg_backend_pid()")
        elsewhere.execute("SELECT pg_terminate_backend(%s, 5000)", cursor.fetchone())
    other.close()

    regular.written("1005-002", "second")

    assert regular.found("second")["participantId"] == "1005-002"


def test_refusal_by_the_store_at_a_remembered_place_is_the_answer(regular):
    assert code_of(regular.post("1005-001", "second")) == "ID-0003"
    assert code_of(regular.get("second")) == "NF-0004"


def test_withdrawn_mapping_is_no_longer_remembered(regular):
    ServiceStudyMapping.objects.update(state=MappingState.WITHDRAWN)

    assert code_of(regular.post("1005-002", "second")) == "IC-0003"
    assert code_of(regular.get("first")) == "IC-0003"


def test_moved_site_is_no_longer_remembered(regular):
    ServiceSite.objects.filter(study__external_id=STUDY, number="1005").update(region="eu")

    assert code_of(regular.post("1005-002", "second")) == "NF-0003"


def test_address_list_counts_at_once(regular):
    system = ServiceStudyMapping.objects.select_related("system").first().system

    systems.edit(system, allowed_addresses=["192.0.2.1"], integration_enabled=True, by=BY)

    assert regular.post("1005-002", "second").status_code == 401


def test_change_made_by_plain_sql_counts_too(regular):
    with connection.cursor() as cursor:
        cursor.execute("UPDATE ecoa_servicestudy SET integration_enabled = false")

    assert code_of(regular.post("1005-002", "second")) == "IC-0002"


def test_armed_fault_meets_a_remembered_place(regular):
    faults.arm(region="us", call=FaultCall.POST, kind=FaultKind.ERROR_500, by=BY)

    assert [regular.post("1005-002", "second").status_code for _ in range(2)] == [500, 200]


def test_fault_armed_again_meets_a_remembered_place(regular):
    fault = faults.arm(region="us", call=FaultCall.POST, kind=FaultKind.ERROR_500, by=BY)
    assert [regular.post("1005-002", "second").status_code for _ in range(3)] == [500, 200, 200]

    ServiceFault.objects.filter(pk=fault.pk).update(remaining=1)

    assert regular.post("1005-002", "second").status_code == 500


def test_broken_message_of_a_remembered_caller_with_a_replaced_secret_is_unauthorized(regular):
    token = mint()
    system = ServiceStudyMapping.objects.select_related("system").first().system

    rotation.replace(system, secret="next", by=BY, now=clock.now())

    assert regular.post("", "second", token=token).status_code == 401


def test_without_a_revision_nothing_is_remembered(regular, django_assert_num_queries):
    ServiceRevision.objects.all().delete()

    assert regular.post("1005-002", "second").status_code == 200
    with django_assert_num_queries(1):
        regular.post("1005-003", "third")
