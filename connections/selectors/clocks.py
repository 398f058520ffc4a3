"""The clocks of the installations a vault is connected with."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from connections import conf
from connections.models import Binding, PeerClock
from vaultadmin.models import Vault


@dataclass(frozen=True)
class ClockOfPeer:
    """One installation by the names of its vaults known here, how far its clock is off, and when that was measured."""

    name: str
    offset: str
    is_right: bool
    measured_at: datetime


def of_peers(vault: Vault) -> list[ClockOfPeer]:
    """The clocks known of the installations this vault has or had anything to do with."""
    peers = (
        Binding.objects.filter(connection__vault=vault)
        .order_by()
        .values_list("peer_installation_id", "peer_dns")
        .distinct()
    )
    hosts: dict[object, set[str]] = {}
    for installation_id, host in peers:
        hosts.setdefault(installation_id, set()).add(host)
    rows = PeerClock.objects.filter(pk__in=list(hosts)).order_by("pk")
    return [_line(row, sorted(hosts[row.pk])) for row in rows]


def describe(offset: timedelta) -> str:
    """An offset in words: “21 minutes ahead of ours”."""
    seconds = round(offset.total_seconds())
    if seconds == 0:
        return "the same as ours"
    size, side = abs(seconds), "ahead of" if seconds > 0 else "behind"
    number, unit = (size, "second") if size < 120 else (round(size / 60), "minute")
    return f"{number} {unit}{'' if number == 1 else 's'} {side} ours"


def _line(row: PeerClock, hosts: list[str]) -> ClockOfPeer:
    offset = timedelta(seconds=row.offset_seconds)
    return ClockOfPeer(", ".join(hosts), describe(offset), abs(offset) <= conf.peer_clock_tolerance(), row.measured_at)
