from uuid import uuid4

from celery import current_app


def test_a_worker_that_lost_redis_confirms_and_closes_what_it_held_without_it():
    with current_app.connection_for_read() as broker:
        nudges = broker.SimpleQueue(f"lost-{uuid4().hex}")
        nudges.put({})
        nudge = nudges.get(timeout=10)
        channel = nudge.channel
        broker.transport.client = None
        channel._disconnect_pools()

        channel.close()
        nudge.ack()

    assert nudge.acknowledged


def test_what_a_worker_has_taken_is_kept_nowhere_in_redis():
    with current_app.connection_for_read() as broker:
        nudges = broker.SimpleQueue(f"taken-{uuid4().hex}")
        nudges.put({})
        nudges.get(timeout=10)

        client = broker.default_channel.client
        assert [client.exists(key) for key in ("unacked", "unacked_index")] == [0, 0]
