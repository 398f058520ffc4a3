"""What beat does for eCOA, and how often."""

BEAT_SCHEDULE = {
    # Derives the remaining work of runs and imports from the rows; a lost wake-up costs this many seconds.
    "ecoa-tick": {"task": "ecoa.tasks.tick", "schedule": 3.0, "options": {"expires": 10}},
    # Drops the rows of files nobody imported, and of imports long done.
    "ecoa-tidy": {"task": "ecoa.tasks.tidy", "schedule": 3600.0, "options": {"expires": 600}},
}
