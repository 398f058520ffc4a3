"""What beat does for eCOA, and how often."""

BEAT_SCHEDULE = {
    # Silent sites, digests that are due, reports and tests left behind; people can wait this long.
    "ecoa-look-after": {"task": "ecoa.tasks.look_after", "schedule": 30.0, "options": {"expires": 60}},
    # Derives the remaining work of runs and imports from the rows; a lost wake-up costs this many seconds.
    "ecoa-tick": {"task": "ecoa.tasks.tick", "schedule": 3.0, "options": {"expires": 10}},
    # Drops the rows of files nobody imported, and of imports long done.
    "ecoa-tidy": {"task": "ecoa.tasks.tidy", "schedule": 3600.0, "options": {"expires": 600}},
}
