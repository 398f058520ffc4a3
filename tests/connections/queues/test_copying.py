from datetime import timedelta

import pytest
from django.db import transaction

from connections.constants import IncomingState
from connections.models import IncomingMessage, Lane, MessageCopy, Queue, QueueConnection, QueueLogEntry, SparkMessage
from connections.processing import working
from connections.services.copies import separating
from connections.services.messages import queues, tallies
from tests.factories.connections import make_vault_to_vault
from tests.factories.sandboxes import make_keeper, make_sandbox
from tests.factories.spark import make_inbound, make_link, make_outbound, make_spark_admin, put
from vaultadmin import audit, clock
from vaultadmin.models import Sandbox
from vaultadmin.sandboxes import building, services

pytestmark = pytest.mark.django_db


@pytest.fixture
def keeper(admin):
    return make_keeper(admin.vault)


def refresh(sandbox, keeper):
    later = clock.now() + timedelta(hours=25)
    services.refresh(sandbox=sandbox, confirmation=sandbox.vault.name, with_people=False, by=keeper, now=later)
    building.build_due(now=later)
    assert Sandbox.objects.get(pk=sandbox.pk).error == ""


def test_sandbox_gets_queues_with_their_connections_and_no_message(admin, keeper, outbound, inbound, itself):
    make_link(outbound, itself, admin, deliver_to=inbound.name)
    put(outbound, admin)
    queues.set_active(queue=inbound, active=False, by=admin, now=clock.now())

    vault = make_sandbox(keeper).vault

    copies = {queue.name: queue for queue in Queue.objects.filter(vault=vault)}
    copy = copies["study_out__c"]
    assert sorted(copies) == ["study_in__c", "study_out__c"]
    assert not copies["study_in__c"].is_active
    assert {link.connection.vault for link in copy.connections.all()} == {vault}
    assert sorted(copy.connections.values_list("deliver_to_queue", flat=True)) == ["", "study_in__c"]
    assert tallies.waiting(copy) == 0
    assert not SparkMessage.objects.filter(vault=vault).exists()
    assert not IncomingMessage.objects.filter(vault=vault).exists()


def test_lanes_of_a_sandbox_stand_still_until_their_connections_are_mended(admin, keeper, outbound, itself, inbound):
    make_link(outbound, itself, admin, deliver_to=inbound.name)
    make_link(outbound, make_vault_to_vault(admin), admin, deliver_to="in__c")

    vault = make_sandbox(keeper).vault

    moving = Lane.objects.filter(link__vault=vault, stopped_since=None)
    assert [lane.link.connection.api_name for lane in moving] == ["itself"]
    assert Lane.objects.filter(link__vault=vault).count() == 3


def test_users_that_are_not_in_the_sandbox_are_left_out(admin, keeper, filing, telling):
    make_inbound(admin, processor=filing, processor_user=admin, name="in__c")
    make_outbound(admin, handler=telling, handler_user=admin, name="out__c")

    vault = make_sandbox(keeper, with_people=False).vault

    arrivals, leaving = Queue.objects.filter(vault=vault).order_by("name")
    assert (arrivals.processor, arrivals.processor_user) == (filing, None)
    assert (leaving.handler, leaving.handler_user) == ("", None)


def test_refresh_replaces_the_queues_of_the_sandbox_with_all_they_hold(admin, keeper, outbound, itself, inbound):
    make_link(outbound, itself, admin, deliver_to=inbound.name)
    sandbox = make_sandbox(keeper)
    inside = make_spark_admin(sandbox.vault)
    put(Queue.objects.get(vault=sandbox.vault, name="study_out__c"), inside)
    make_outbound(inside, name="made_here__c")

    refresh(sandbox, keeper)

    assert sorted(Queue.objects.filter(vault=sandbox.vault).values_list("name", flat=True)) == [
        "study_in__c",
        "study_out__c",
    ]
    assert not SparkMessage.objects.filter(vault=sandbox.vault).exists()
    assert QueueConnection.objects.filter(vault=admin.vault).count() == 2


def test_copied_installation_sends_nothing_its_original_will_send(admin, outbound):
    put(outbound, admin)

    with transaction.atomic():
        counts = separating.let_go(admin, clock.now())

    assert counts["Waiting messages"] == 1
    assert MessageCopy.objects.get().state == "removed"
    assert QueueLogEntry.objects.get().error == separating.REASON
    assert tallies.waiting(outbound) == 0
    assert (audit.history(outbound)[0].event, audit.history(outbound)[0].reason) == ("queue.reset", separating.REASON)


def test_copied_installation_processes_nothing_its_original_will_process(admin, itself, inbound):
    put(make_outbound(admin, itself, deliver_to=inbound.name), admin)
    waiting = IncomingMessage.objects.get()

    with transaction.atomic():
        counts = separating.let_go(admin, clock.now())

    assert counts["Waiting messages"] == 1
    assert working.work(now=clock.now) == 0
    gone = IncomingMessage.objects.get(pk=waiting.pk)
    assert (gone.state, gone.due_at) == (IncomingState.REMOVED, None)
    assert QueueLogEntry.objects.get(message_id=gone.message_id).error == separating.REASON
    assert tallies.waiting(inbound) == 0
    assert (audit.history(inbound)[0].event, audit.history(inbound)[0].reason) == ("queue.reset", separating.REASON)


def test_copied_installation_leaves_to_people_what_processing_had_given_up(admin, itself, inbound):
    put(make_outbound(admin, itself, deliver_to=inbound.name), admin)
    IncomingMessage.objects.update(state=IncomingState.SET_ASIDE, due_at=None, settled_at=clock.now())

    with transaction.atomic():
        separating.let_go(admin, clock.now())

    assert IncomingMessage.objects.get().state == IncomingState.SET_ASIDE
