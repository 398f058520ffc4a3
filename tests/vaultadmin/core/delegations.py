from __future__ import annotations

from datetime import timedelta

from vaultadmin import clock
from vaultadmin.models.delegation import day_of
from vaultadmin.worklist import delegating


def today():
    return day_of(clock.now())


def lend(giver, to, *, by=None, starts=0, days=7):
    first = today() + timedelta(days=starts)
    return delegating.lend(
        giver=giver, to=to, starts=first, ends=first + timedelta(days=days - 1), by=by or giver, now=clock.now()
    )
