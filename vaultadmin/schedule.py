"""The platform's periodic work."""

from datetime import timedelta
from typing import Any

_QUEUES = ("interactive", "delivery", "processing", "sync", "maintenance")

# One pulse per queue: a queue whose pulse stops has no worker that gets work done (admin/status/).
BEAT_SCHEDULE: dict[str, dict[str, Any]] = {
    f"pulse-{queue}": {
        "task": "vaultadmin.tasks.pulse",
        "schedule": timedelta(seconds=10),
        "kwargs": {"queue": queue},
        "options": {"queue": queue, "expires": 30},
    }
    for queue in _QUEUES
}
BEAT_SCHEDULE["tidy"] = {"task": "vaultadmin.tasks.tidy", "schedule": timedelta(hours=1)}
# A sandbox is built as soon as it is asked for; this tick takes over what a lost wake-up or a killed worker left.
BEAT_SCHEDULE["sandboxes"] = {
    "task": "vaultadmin.tasks.build_sandboxes",
    "schedule": timedelta(seconds=10),
    "options": {"expires": 20},
}
# Mail is sent from rows; half a minute is soon enough for people.
BEAT_SCHEDULE["notices"] = {
    "task": "vaultadmin.tasks.send_notices",
    "schedule": timedelta(seconds=30),
    "options": {"expires": 60},
}
