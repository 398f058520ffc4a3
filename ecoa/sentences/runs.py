"""What is said about runs and when they start."""

from __future__ import annotations

from datetime import time

from django.utils.dates import WEEKDAYS_ABBR
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from ecoa.models import StudyMapping, SyncRun


def run_sentence(run: SyncRun) -> str:
    """How a run stands, in one sentence."""
    if run.is_queued:
        return _("This run waits for the one before it. What arrives until then goes with it.")
    if run.state == "planned":
        return _("The plan is being made.")
    if run.total == 0:
        return _("There was nothing to send.")
    if run.state == "paused":
        return _("Paused: %(done)d of %(total)d participants are done.") % {"done": run.done, "total": run.total}
    if run.is_open:
        return _("%(done)d of %(total)d participants are done.") % {"done": run.done, "total": run.total}
    if run.synced == run.total:
        return ngettext("The participant is in eCOA.", "All %(n)d participants are in eCOA.", run.total) % {
            "n": run.total
        }
    if run.total == 1:
        return _("The participant is not in eCOA yet.")
    return _("%(synced)d of %(total)d participants are in eCOA.") % {"synced": run.synced, "total": run.total}


def schedule_sentence(mapping: StudyMapping) -> str:
    """When a study is sent by itself, in one sentence."""
    minutes = mapping.schedule_minutes
    if minutes is None:
        return _("Runs are started by hand.")
    parts = [_interval(minutes)]
    if mapping.schedule_from or mapping.schedule_until:
        opens, closes = mapping.schedule_from or time.min, mapping.schedule_until or time.min
        parts.append(_("from %(from)s to %(to)s") % {"from": f"{opens:%H:%M}", "to": f"{closes:%H:%M}"})
    if mapping.schedule_days and len(mapping.schedule_days) < 7:
        parts.append(_("on %(days)s") % {"days": ", ".join(str(WEEKDAYS_ABBR[d - 1]) for d in mapping.schedule_days)})
    return f"{' '.join(parts)} ({mapping.schedule_zone})."


def _interval(minutes: int) -> str:
    if minutes % 1440 == 0:
        return ngettext("Every day", "Every %(n)d days", minutes // 1440) % {"n": minutes // 1440}
    if minutes % 60 == 0:
        return ngettext("Every hour", "Every %(n)d hours", minutes // 60) % {"n": minutes // 60}
    return _("Every %(n)d minutes") % {"n": minutes}
