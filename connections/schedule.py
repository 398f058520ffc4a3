"""The app's periodic work."""

from datetime import timedelta

# A message is tried in the request that wrote it; this tick sends what got no answer then and is due again.
BEAT_SCHEDULE = {
    "peering": {
        "task": "connections.tasks.deliver_peer_messages",
        "schedule": timedelta(seconds=5),
        "options": {"expires": 10},
    },
    # Retries that are due, and what a lost nudge left behind.
    "spark": {
        "task": "connections.tasks.deliver_messages",
        "schedule": timedelta(seconds=2),
        "options": {"expires": 5},
    },
    "spark-processing": {
        "task": "connections.tasks.process_messages",
        "schedule": timedelta(seconds=2),
        "options": {"expires": 5},
    },
    # Certificates change once in years, but a new binding should soon know the newest one.
    "signing-certificates": {
        "task": "connections.tasks.renew_certificates",
        "schedule": timedelta(minutes=1),
        "options": {"expires": 60},
    },
    # Requests lapse by the day; a minute is fine enough to say so in time.
    "lapse": {
        "task": "connections.tasks.lapse_requests",
        "schedule": timedelta(minutes=1),
        "options": {"expires": 50},
    },
    # Replays that run: what a worker that died left, and what waited for room in a queue.
    "spark-replays": {
        "task": "connections.tasks.replay_messages",
        "schedule": timedelta(seconds=5),
        "options": {"expires": 10},
    },
    # Half a minute is soon enough for an alert; a call that fails is due again in minutes.
    "spark-alerts": {
        "task": "connections.tasks.watch_alerts",
        "schedule": timedelta(seconds=30),
        "options": {"expires": 30},
    },
    # Removes for less than a minute at a time, so it comes often enough for a great many messages a day.
    "message-retention": {
        "task": "connections.tasks.forget_messages",
        "schedule": timedelta(minutes=5),
        "options": {"expires": 300},
    },
    "queue-log": {"task": "connections.tasks.forget_queue_log", "schedule": timedelta(hours=1)},
}
