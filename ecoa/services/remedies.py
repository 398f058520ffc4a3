"""What a person may decide about a discrepancy, and why not. Pure questions about rows; nothing is written here."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from ecoa import sources
from ecoa.models import Discrepancy, DiscrepancyKind, DiscrepancyState, Participant, Remedy
from ecoa.sync.carrier import allowed_region
from vaultadmin.signing.services import version_of

_OF_SITE = "It is about a whole site; set the study up in eCOA, or have the site corrected at its source."


@dataclass(frozen=True)
class RemedyPlan:
    """What one remedy would do with the discrepancies looked at: which it takes, and which it leaves out and why."""

    remedy: Remedy
    chosen: list[Discrepancy]
    excluded: list[tuple[str, int]]

    @property
    def reason_why_not(self) -> str:
        """Why this remedy cannot be chosen at all; empty when it can."""
        return "" if self.chosen else self.excluded[0][0] if self.excluded else "There is nothing to decide."


def plan(rows: list[Discrepancy], remedy: Remedy) -> RemedyPlan:
    """Sort the discrepancies into those the remedy takes and those it leaves out, with reasons."""
    taken = _held_elsewhere(rows) if remedy is Remedy.TAKE_THEIRS else set()
    chosen: list[Discrepancy] = []
    excluded: Counter[str] = Counter()
    for row in rows:
        reason = why_not(row, remedy) or (_TAKEN if row.pk in taken else "")
        if reason:
            excluded[reason] += 1
        else:
            chosen.append(row)
    return RemedyPlan(remedy, chosen, excluded.most_common())


def version(rows: Iterable[Discrepancy]) -> str:
    """What a signature is bound to: exactly these discrepancies, each as it stands now."""
    return version_of(statement(rows))


def statement(rows: Iterable[Discrepancy]) -> dict[str, Any]:
    """The discrepancies a person looks at, in one spelling."""
    return {"discrepancies": sorted([row.pk, row.stamp, row.kind, row.our_side, row.their_side] for row in rows)}


def why_not(row: Discrepancy, remedy: Remedy) -> str:
    """Why a remedy does not fit one discrepancy, in one sentence; empty when it does."""
    if row.state == DiscrepancyState.CLEARED:
        return "Both sides agree again; there is nothing left to decide."
    if row.state == DiscrepancyState.DECIDED:
        return "It was decided already; the proof is to come."
    return _FITS[remedy](row)


_TAKEN = "Another participant of ours has the value eCOA holds."


def _keep_ours(row: Discrepancy) -> str:
    if row.participant_id is None:
        return _OF_SITE
    return "" if row.mapping.is_active else "The study mapping is switched off, so nothing can be sent."


def _take_theirs(row: Discrepancy) -> str:
    if row.participant_id is None or row.participant is None:
        return _OF_SITE
    if not row.their_value or row.their_value == row.participant.participant_id:
        return "eCOA holds no other participant ID for this participant."
    if len(row.their_value) > 255:
        return "The value eCOA holds is too long to be a participant ID here."
    return source_refusal(row.participant) or ("" if row.mapping.is_active else "The study mapping is switched off.")


def _at_source(_row: Discrepancy) -> str:
    return ""


def _accept_region(row: Discrepancy) -> str:
    if row.kind != DiscrepancyKind.REGION_MOVED or row.participant_id is not None or not row.their_value:
        return "Only a site that moved to another region can be accepted there."
    return "" if allowed_region(row.their_value) else "This installation does not trust that region with secrets."


_FITS: dict[Remedy, Callable[[Discrepancy], str]] = {
    Remedy.KEEP_OURS: _keep_ours,
    Remedy.TAKE_THEIRS: _take_theirs,
    Remedy.AT_SOURCE: _at_source,
    Remedy.ACCEPT_REGION: _accept_region,
}


def source_refusal(participant: Participant) -> str:
    """Why the participant's source does not let people change its ID here; empty when it does."""
    if sources.get(participant.source).edited_here:
        return ""
    return f"The ID belongs to its source ({participant.get_source_display()}); correct it there."


def _held_elsewhere(rows: list[Discrepancy]) -> set[int]:
    """Discrepancies whose other value is the ID of another participant of ours, or is wanted twice at once."""
    wanted = Counter((row.mapping_id, row.their_value) for row in rows if row.their_value)
    holders = Participant.objects.filter(
        mapping__in={row.mapping_id for row in rows}, participant_id__in={value for _mapping, value in wanted}
    )
    held = {(mapping, value): pk for mapping, value, pk in holders.values_list("mapping_id", "participant_id", "pk")}
    return {
        row.pk
        for row in rows
        if wanted[row.mapping_id, row.their_value] > 1
        or held.get((row.mapping_id, row.their_value), row.participant_id) != row.participant_id
    }
