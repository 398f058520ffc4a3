"""Recomputing the audit chains (security.md L2)."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from vaultadmin.audit import link_hash
from vaultadmin.models import AuditEvent, AuditHead

_PAGE = 2000


@dataclass(frozen=True)
class Verdict:
    """What the check found; `first_bad` names the first broken place, empty when there is none."""

    chains: int
    rows: int
    first_bad: str

    @property
    def ok(self) -> bool:
        """Is every chain whole?"""
        return not self.first_bad

    def as_dict(self) -> dict[str, Any]:
        """The shape of `verify_audit --json`."""
        values = asdict(self)
        return {"vaults": values["chains"], "rows": self.rows, "ok": self.ok, "first_bad": self.first_bad or None}


def verify() -> Verdict:
    """Walk every chain from its first link to its head, in pages, and stop at the first row that does not fit."""
    rows, first_bad = 0, ""
    heads = list(AuditHead.objects.order_by("chain"))
    orphans = AuditEvent.objects.exclude(chain__in=[head.chain for head in heads]).order_by("id").first()
    if orphans is not None:
        first_bad = f"chain {orphans.chain}, sequence {orphans.sequence}: the chain has no head"
    for head in heads:
        count, bad = _walk(head)
        rows += count
        first_bad = first_bad or bad
    return Verdict(chains=len(heads), rows=rows, first_bad=first_bad)


def _walk(head: AuditHead) -> tuple[int, str]:
    previous, expected, count = b"", 1, 0
    while True:
        page = list(AuditEvent.objects.filter(chain=head.chain, sequence__gte=expected).order_by("sequence")[:_PAGE])
        for row in page:
            if row.sequence > head.sequence:
                # Written after we read the head: the product goes on while we check.
                return count, ""
            where = f"chain {head.chain}, sequence {row.sequence}"
            if row.sequence != expected:
                return count, f"chain {head.chain}, sequence {expected}: the row is missing"
            if link_hash(previous, row) != bytes(row.hash):
                return count, f"{where} (row {row.pk}): the row does not fit its hash"
            previous, expected, count = bytes(row.hash), expected + 1, count + 1
        if len(page) < _PAGE:
            break
    if expected - 1 != head.sequence:
        return count, f"chain {head.chain}, sequence {expected}: the end of the chain is missing"
    return count, "" if previous == bytes(head.hash) else f"chain {head.chain}: the head does not fit the last row"
