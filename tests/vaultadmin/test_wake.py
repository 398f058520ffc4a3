import pytest
from celery import current_app
from django.db import transaction
from kombu.exceptions import OperationalError

from vaultadmin import wake

LANE, TASK = "connections.deliver", "connections.tasks.deliver_messages"


@pytest.fixture
def sent(monkeypatch):
    calls = []
    monkeypatch.setattr(wake, "_few", wake._Few())
    monkeypatch.setattr(current_app, "send_task", lambda name, kwargs, **_: calls.append((name, kwargs)))
    return calls


@pytest.mark.django_db(transaction=True)
def test_a_lane_is_woken_once_a_transaction_and_after_it(sent):
    with transaction.atomic():
        for _ in range(3):
            wake.wake(LANE)
        wake.wake(LANE, run_id=7)
        assert sent == []

    assert sent == [(TASK, {}), (TASK, {"run_id": 7})]


@pytest.mark.django_db(transaction=True)
def test_what_is_rolled_back_wakes_nobody_and_keeps_nobody_asleep(sent):
    with transaction.atomic():
        with transaction.atomic():
            wake.wake(LANE)
            transaction.set_rollback(True)
        assert sent == []
        wake.wake(LANE)

    assert sent == [(TASK, {})]


@pytest.mark.django_db(transaction=True)
def test_many_transactions_in_a_moment_wake_their_lane_twice(sent, monkeypatch):
    monkeypatch.setattr(wake, "PAUSE", 60)
    for _ in range(20):
        wake.wake(LANE)
    held = sent.copy()

    [timer] = wake._few._timers.values()
    timer.cancel()
    timer.function(*timer.args)

    assert (held, sent) == ([(TASK, {})], [(TASK, {})] * 2)


@pytest.mark.django_db(transaction=True)
def test_a_lane_is_woken_again_when_the_pause_is_over(sent, monkeypatch):
    monkeypatch.setattr(wake, "PAUSE", 0)
    for _ in range(3):
        wake.wake(LANE)

    assert sent == [(TASK, {})] * 3


@pytest.mark.django_db(transaction=True)
def test_a_broker_that_is_away_costs_the_caller_nothing(monkeypatch):
    def away(*_args, **_options):
        raise OperationalError("away")

    monkeypatch.setattr(current_app, "send_task", away)

    wake.wake(LANE)
