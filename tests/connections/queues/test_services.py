from uuid import uuid4

import pytest

from connections.constants import QueueType
from connections.models import Lane, Queue
from connections.services.messages import queues
from connections.services.refusals import Refused
from connections.spark.message import PutError
from tests.factories.connections import make_admin
from tests.factories.people import make_member
from tests.factories.spark import make_inbound, make_outbound, make_spark_admin, put
from vaultadmin import audit, clock
from vaultadmin.permissions import Permission, PermissionRefused

pytestmark = pytest.mark.django_db


def create(by, **fields):
    values = {"name": "study_sync__c", "label": "Study sync", "type": QueueType.OUTBOUND} | fields
    return queues.create(by=by, now=clock.now(), **values)


def edit(queue, by, **fields):
    names = ("label", "description", "processor", "processor_user", "handler", "handler_user")
    values = {name: getattr(queue, name) for name in (*names, "rollback_on_error", "sequential")} | fields
    return queues.edit(queue=queue, by=by, now=clock.now(), **values)


def events(queue):
    return [row.event for row in audit.history(queue)]


def test_new_queue_is_active_and_delivers(admin):
    made = create(admin)

    assert (made.is_active, made.delivery_enabled, made.type) == (True, True, "outbound")
    assert events(made) == ["queue.created"]


@pytest.mark.parametrize(
    "name", ["study_sync", "Study__c", "study sync__c", "_study__c", "study-sync__c", "x" * 38 + "__c", "__c", "ü__c"]
)
def test_wrong_name_is_refused(admin, name):
    with pytest.raises(Refused, match="Name") as refusal:
        create(admin, name=name)

    assert refusal.value.field == "name"


@pytest.mark.parametrize(
    ("label", "name"),
    [("Study sync", "study_sync__c"), ("  RTSM → eCOA, hourly ", "rtsm_ecoa_hourly__c"), ("x" * 60, "x" * 37 + "__c")],
    ids=["words", "signs", "long"],
)
def test_name_is_made_from_the_label(admin, label, name):
    assert create(admin, name="", label=label).name == name


def test_name_made_from_a_label_is_numbered_when_taken(admin):
    create(admin)

    assert create(admin, name="").name == "study_sync_2__c"


def test_label_without_letters_needs_a_name(admin):
    with pytest.raises(Refused, match="Enter a Name") as refusal:
        create(admin, name="", label="→")

    assert refusal.value.field == "name"


@pytest.mark.parametrize(("field", "value"), [("label", " "), ("label", "x" * 61), ("description", "x" * 501)])
def test_texts_out_of_bounds_are_refused(admin, field, value):
    with pytest.raises(Refused) as refusal:
        create(admin, **{field: value})

    assert refusal.value.field == field
    assert not Queue.objects.exists()


def test_name_is_taken_once_per_vault(admin):
    create(admin)

    with pytest.raises(Refused, match="already has a queue “study_sync__c”"):
        create(admin)
    assert create(make_spark_admin()).name == "study_sync__c"


def test_double_click_makes_one_queue(admin):
    key = uuid4()

    assert create(admin, creation_key=key) == create(admin, creation_key=key)
    assert Queue.objects.count() == 1


@pytest.mark.parametrize(
    ("held", "type_", "may"),
    [
        (Permission.SPARK_QUEUES, QueueType.OUTBOUND, True),
        (Permission.SPARK_QUEUES, QueueType.JOB, False),
        (Permission.SDK_JOB_QUEUES, QueueType.JOB, True),
        (Permission.SDK_JOB_QUEUES, QueueType.OUTBOUND, False),
        (Permission.MESSAGES_OPERATE, QueueType.OUTBOUND, False),
        (Permission.MANAGE_CONNECTIONS, QueueType.OUTBOUND, False),
    ],
)
def test_each_type_has_its_permission(admin, held, type_, may):
    somebody, queue = make_member(admin.vault, held), create(admin, type=type_)
    acts = [
        lambda: create(somebody, name="other__c", type=type_),
        lambda: edit(queue, somebody, label="Other"),
        lambda: queues.set_active(queue=queue, active=False, by=somebody, now=clock.now()),
        lambda: queues.set_delivery(queue=queue, enabled=False, by=somebody, now=clock.now()),
    ]

    for act in acts:
        if may:
            act()
        else:
            with pytest.raises(PermissionRefused):
                act()


def test_inbound_needs_a_registered_processor(admin, filing):
    for processor in ("", "unknown"):
        with pytest.raises(Refused, match="Choose the Message Processor") as refusal:
            create(admin, type=QueueType.INBOUND, processor=processor)
        assert refusal.value.field == "processor"

    assert create(admin, type=QueueType.INBOUND, processor=filing).processor == filing


def test_handler_needs_its_user(admin, telling):
    with pytest.raises(Refused, match="user the handler acts for") as refusal:
        create(admin, handler=telling)
    assert refusal.value.field == "handler_user"
    with pytest.raises(Refused, match="no such Message Delivery Event Handler"):
        create(admin, handler="unknown", handler_user=admin)

    assert create(admin, handler=telling, handler_user=admin).handler_user == admin


def test_users_are_active_ones_of_the_vault(admin, filing):
    stranger, gone = make_admin(), make_member(admin.vault)
    gone.is_active = False
    gone.save()

    for user in (stranger, gone):
        with pytest.raises(Refused, match="active user of this Vault") as refusal:
            create(admin, type=QueueType.INBOUND, processor=filing, processor_user=user)
        assert refusal.value.field == "processor_user"


def test_job_queue_ignores_rollback_and_order(admin, filing, telling):
    made = create(
        admin,
        type=QueueType.JOB,
        rollback_on_error=True,
        sequential=True,
        processor=filing,
        handler=telling,
        handler_user=admin,
    )

    assert (made.rollback_on_error, made.sequential, made.processor, made.handler) == (False, False, "", "")


def test_edit_changes_everything_but_name_and_type(admin, telling):
    queue = create(admin)

    saved = edit(queue, admin, label="Other", description="New", handler=telling, handler_user=admin, sequential=True)

    assert (saved.name, saved.type) == ("study_sync__c", "outbound")
    assert (saved.label, saved.description, saved.handler, saved.sequential) == ("Other", "New", telling, True)
    assert events(queue) == ["queue.edited", "queue.created"]


def test_edit_of_what_somebody_changed_meanwhile_is_refused(admin):
    queue = create(admin)
    seen = queue.modified_at
    edit(queue, admin, label="First")

    with pytest.raises(Refused, match="Somebody changed this queue"):
        edit(queue, admin, label="Second", seen=seen)


def test_edit_without_a_change_leaves_no_trace(admin):
    queue = create(admin)

    assert edit(queue, admin).modified_at == queue.modified_at
    assert events(queue) == ["queue.created"]


def test_deleted_queue_cannot_be_changed(admin):
    queue = create(admin)
    Queue.objects.all().delete()

    with pytest.raises(Refused, match="deleted this queue"):
        edit(queue, admin)


def test_foreign_queue_cannot_be_changed(admin):
    with pytest.raises(Refused, match="deleted this queue"):
        edit(create(make_spark_admin()), admin, label="Mine")


def test_inactive_queue_refuses_at_once_and_keeps_what_it_holds(admin, outbound):
    put(outbound, admin)

    queues.set_active(queue=outbound, active=False, by=admin, now=clock.now())

    assert put(outbound, admin).error is PutError.QUEUE_INACTIVE
    assert Lane.objects.get().stopped_since is None
    assert outbound.copies.get().state == "waiting"
    queues.set_active(queue=outbound, active=True, by=admin, now=clock.now())
    assert put(outbound, admin).error is None


def test_delivery_disabled_stops_the_lanes_and_takes_new_messages(admin, outbound):
    queues.set_delivery(queue=outbound, enabled=False, by=admin, now=clock.now())

    assert Lane.objects.get().stopped_since is not None
    assert put(outbound, admin).error is None
    queues.set_delivery(queue=outbound, enabled=True, by=admin, now=clock.now())
    assert Lane.objects.get().stopped_since is None
    assert events(outbound)[:2] == ["queue.delivery_enabled", "queue.delivery_disabled"]


def test_switching_twice_is_once(admin, outbound):
    for _ in range(2):
        queues.set_delivery(queue=outbound, enabled=False, by=admin, now=clock.now())
        queues.set_active(queue=outbound, active=False, by=admin, now=clock.now())

    assert events(outbound)[:2] == ["queue.inactivated", "queue.delivery_disabled"]
    assert events(outbound).count("queue.delivery_disabled") == 1


def test_processing_of_an_inbound_queue_cannot_be_stopped(admin, inbound):
    with pytest.raises(Refused, match="cannot be stopped"):
        queues.set_delivery(queue=inbound, enabled=False, by=admin, now=clock.now())


def test_everybody_sees_the_types_they_administer(admin, filing):
    spark, job = make_outbound(admin), create(admin, name="job__c", type=QueueType.JOB)
    arrivals = make_inbound(admin, processor=filing)
    make_outbound(make_spark_admin())
    held = {
        Permission.SPARK_QUEUES: {spark, arrivals},
        Permission.SDK_JOB_QUEUES: {job},
        Permission.MESSAGES_OPERATE: {spark, arrivals, job},
        Permission.CONNECTION_READ: set(),
    }

    for permission, seen in held.items():
        assert set(Queue.objects.visible_to(make_member(admin.vault, permission))) == seen
