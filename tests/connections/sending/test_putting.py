from decimal import Decimal
from typing import cast
from uuid import uuid4

import pytest
from django.db import transaction

from connections.constants import QueueType
from connections.models import MessageCopy, SparkMessage
from connections.services.messages import putting, queue_links, queues, tallies
from connections.services.messages.putting import Draft, PutRefused
from connections.spark.message import CAPACITY, PutError
from tests.factories.connections import make_external
from tests.factories.spark import make_link, make_outbound, make_spark_admin, put
from vaultadmin import clock


def test_a_message_is_copied_to_every_active_connection_each_copy_with_its_own_id(admin, queue):
    second, switched_off = make_external(admin, api_name="second"), make_external(admin)
    make_link(queue, second, admin)
    off = make_link(queue, switched_off, admin)
    queue_links.edit(link=off, label="", is_active=False, by=admin, now=clock.now())

    response = put(queue, admin, attributes={"object": "study__v", "count": 3}, items=["A", "B"])

    assert [copy.connection_name for copy in response.copies] == ["rtsm", "second"]
    message = SparkMessage.objects.get()
    assert message.payload == '{"attributes":{"object":"study__v","count":3},"items":["A","B"]}'
    assert message.keys == ["A", "B", "study__v"]
    rows = MessageCopy.objects.order_by("pk")
    assert [row.message_id for row in rows] == [copy.message_id for copy in response.copies]
    assert len({row.message_id for row in rows}) == 2
    assert {(row.state, row.attempts, row.due_at) for row in rows} == {("waiting", 0, message.entered_at)}
    assert tallies.waiting(queue) == 2


def test_copies_of_one_execution_share_its_id(admin, queue):
    execution = uuid4()

    for _ in range(2):
        putting.enqueue(
            vault=admin.vault, queue=queue.name, draft=Draft({}), by=admin, now=clock.now(), execution_id=execution
        )

    assert set(SparkMessage.objects.values_list("execution_id", flat=True)) == {execution}


@pytest.mark.parametrize(
    ("draft", "error"),
    [
        (Draft({}, ["x"] * 501), PutError.TOO_MANY_ITEMS),
        (Draft({}, ["x" * 101]), PutError.ITEM_TOO_LONG),
        (Draft({}, ["a\x00b"]), PutError.INVALID_MESSAGE),
        (Draft({f"a{n}": n for n in range(51)}), PutError.INVALID_MESSAGE),
        (Draft({"n" * 129: 1}), PutError.INVALID_MESSAGE),
        (Draft({"": 1}), PutError.INVALID_MESSAGE),
        (Draft({"a": "v" * 1501}), PutError.INVALID_MESSAGE),
        (Draft({"a": float("nan")}), PutError.INVALID_MESSAGE),
        (Draft({"a": cast("str", ["list"])}), PutError.INVALID_MESSAGE),
        (Draft({"a": "\ud800"}), PutError.INVALID_MESSAGE),
        (Draft({f"a{n}": "€" * 1500 for n in range(50)}, ["x" * 100] * 500), PutError.INVALID_MESSAGE),
        (Draft({"a": "${Vault." + "x" * 100 + "}"}), PutError.BAD_TOKEN),
        (Draft({"a": "${Nobody.knows}"}), PutError.BAD_TOKEN),
        (Draft({"a": "x${Auth.Password}"}), PutError.BAD_TOKEN),
        (Draft({"a": 1}, custom={"b": "v" * 1501}), PutError.BAD_TOKEN),
        (Draft({"a": 1}, custom={"b": cast("str", None)}), PutError.BAD_TOKEN),
        (Draft({"a": 1}, custom={f"b{n}": n for n in range(51)}), PutError.BAD_TOKEN),
        (Draft({}, paths={"rtsm": "no/slash"}), PutError.BAD_PATH),
        (Draft({}, paths={"rtsm": "/a/../b"}), PutError.BAD_PATH),
        (Draft({}, paths={"rtsm": "/" + "p" * 500}), PutError.BAD_PATH),
        (Draft({}, paths={"rtsm": "/a b"}), PutError.BAD_PATH),
        (Draft({}, paths={"unknown": "/a"}), PutError.BAD_PATH),
    ],
    ids=str,
)
def test_what_no_message_may_hold_is_refused_with_its_code(admin, queue, draft, error):
    response = putting.enqueue(vault=admin.vault, queue=queue.name, draft=draft, by=admin, now=clock.now())

    assert (response.error, response.copies) == (error, ())
    assert response.sentence
    assert not SparkMessage.objects.exists()


def test_the_largest_message_enters(admin, queue):
    attributes = {f"a{n}": "v" * 1500 for n in range(50)}

    response = put(queue, admin, attributes=attributes, items=["x" * 100] * 500, custom={"c": Decimal("1.5")})

    assert response.error is None
    assert SparkMessage.objects.get().custom == {"c": 1.5}


def test_an_inactive_queue_refuses_at_once(admin, queue):
    queues.set_active(queue=queue, active=False, by=admin, now=clock.now())

    assert put(queue, admin).error is PutError.QUEUE_INACTIVE


def test_a_queue_nobody_made_and_one_that_sends_nothing_are_told_apart(admin, queue):
    job = make_outbound(admin, type=QueueType.JOB)
    unknown = putting.enqueue(vault=admin.vault, queue="gone__c", draft=Draft({}), by=admin, now=clock.now())

    assert unknown.error is PutError.QUEUE_UNKNOWN
    assert put(job, admin).error is PutError.QUEUE_WRONG_TYPE


def test_a_queue_of_another_vault_is_unknown(queue):
    stranger = make_spark_admin()

    assert put(queue, stranger).error is PutError.QUEUE_UNKNOWN


def test_a_queue_without_an_active_connection_refuses(admin):
    assert put(make_outbound(admin), admin).error is PutError.NO_ACTIVE_CONNECTION


def test_the_20001st_message_is_refused_and_the_20000th_is_not(admin, queue):
    tallies.add({queue.pk: CAPACITY - 2})

    answers = [put(queue, admin).error for _ in range(3)]

    assert answers == [None, None, PutError.QUEUE_FULL]
    assert tallies.waiting(queue) == CAPACITY == 20_000


def test_a_message_enters_for_all_its_connections_or_for_none(admin, queue):
    make_link(queue, make_external(admin), admin)
    tallies.add({queue.pk: CAPACITY - 1})

    assert put(queue, admin).error is PutError.QUEUE_FULL
    assert not MessageCopy.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_rollback_on_error_takes_the_callers_transaction_along(admin, queue):
    strict = make_outbound(admin, next(link.connection for link in queue.connections.all()), rollback_on_error=True)

    @transaction.atomic
    def caller():
        assert put(queue, admin).error is None
        put(strict, admin, items=["x" * 101])

    with pytest.raises(PutRefused) as refused:
        caller()

    assert refused.value.error is PutError.ITEM_TOO_LONG
    assert not SparkMessage.objects.exists()
    assert tallies.waiting(queue) == 0


@pytest.mark.django_db(transaction=True)
def test_a_caller_who_catches_the_refusal_cannot_commit_what_came_before(admin, queue):
    strict = make_outbound(admin, next(link.connection for link in queue.connections.all()), rollback_on_error=True)

    with transaction.atomic():
        put(queue, admin)
        with pytest.raises(PutRefused):
            put(strict, admin, items=["x" * 101])

    assert not SparkMessage.objects.exists()


def test_without_rollback_the_caller_carries_on(admin, queue):
    with transaction.atomic():
        assert put(queue, admin, items=["x" * 101]).error is PutError.ITEM_TOO_LONG
        assert put(queue, admin).error is None

    assert SparkMessage.objects.count() == 1


def test_what_a_caller_rolls_back_never_entered(admin, queue):
    with transaction.atomic():
        put(queue, admin)
        transaction.set_rollback(True)

    assert not MessageCopy.objects.exists()
    assert tallies.waiting(queue) == 0
