from datetime import timedelta

import pytest

from connections import processors
from connections.delivery import draining
from connections.models import MessageCopy
from connections.processors import Handler
from tests.connections.sending.lane_work import DIES, states, take
from tests.factories.connections import make_external
from tests.factories.spark import make_outbound, put
from tests.vaultadmin.outbound.peers import answer
from vaultadmin import clock


@pytest.fixture
def handled(admin, connection, monkeypatch):
    told = []
    monkeypatch.setitem(processors.handlers, "told", Handler("Told", "", lambda *call: told.append(call)))
    queue = make_outbound(admin, connection, handler="told", handler_user=admin)
    return queue, told


def test_the_handler_is_told_of_a_copy_given_up_in_the_name_of_its_user(admin, handled, listen):
    queue, told = handled
    listen(answer(status="410 Gone"))
    response = put(queue, admin)

    draining.drain()

    [(message_id, actor, _now)] = told
    assert message_id == response.copies[0].message_id
    assert actor.name == f"Java SDK Service Account on behalf of {admin}"


def test_the_handler_is_told_of_a_copy_set_aside_and_not_of_one_that_is_tried_again(admin, handled, listen):
    queue, told = handled
    listen(answer(status="500 Oh"))
    put(queue, admin)
    draining.drain()
    assert told == []
    now = clock.now() + timedelta(minutes=2)
    for death in range(4):
        take(now + death * DIES)

    assert len(told) == 1


def test_a_handler_that_fails_undoes_its_own_work_and_nothing_else(admin, connection, listen, monkeypatch):
    other = make_outbound(admin, connection)

    def half(_message_id, _actor, now):
        put(other, admin, now=now)
        raise RuntimeError("half way")

    monkeypatch.setitem(processors.handlers, "half", Handler("Half", "", half))
    queue = make_outbound(admin, connection, handler="half", handler_user=admin)
    listen(answer(status="410 Gone"))
    put(queue, admin)

    draining.drain()

    assert states(queue) == ["failed"]
    assert states(other) == []


def test_a_handler_that_puts_the_message_elsewhere_does_so_with_the_failure(admin, connection, listen, monkeypatch):
    other = make_outbound(admin, make_external(admin, url="https://away.example.com/"))
    elsewhere = Handler("Elsewhere", "", lambda message_id, _actor, now: put(other, admin, items=[str(message_id)]))
    monkeypatch.setitem(processors.handlers, "elsewhere", elsewhere)
    queue = make_outbound(admin, connection, handler="elsewhere", handler_user=admin)
    listen(answer(status="410 Gone"))
    given_up = put(queue, admin).copies[0].message_id

    draining.drain()

    assert MessageCopy.objects.get(queue=other).content.keys == [str(given_up), "study__v"]
