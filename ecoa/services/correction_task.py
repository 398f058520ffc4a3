"""What a correction means to the work list."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from django.urls import reverse

from ecoa.models import Correction
from ecoa.services import correcting
from vaultadmin.models import Membership, Task
from vaultadmin.permissions import Permission
from vaultadmin.signing.services import Proof
from vaultadmin.together import Asking, known
from vaultadmin.worklist.registry import Hand, Shown

VERDICTS = [(correcting.APPROVE, "Approve"), (correcting.REJECT, "Reject")]
_GONE = "The participant is gone."


class CorrectionTaskHandler:
    """The meaning of `ecoa.correction`: its subject is a correction."""

    needs: tuple[Permission, ...] = (Permission.ECOA_STUDY_TEAM,)

    def lock(self, task: Task) -> None:
        """Lock the study, the participant and the correction."""
        correcting.lock(int(task.subject_id))

    def verdicts(self, task: Task) -> list[tuple[str, str]]:
        """Approve and Reject."""
        return VERDICTS

    def refusal(self, task: Task, member: Membership) -> str:
        """Why this member may not complete the task; empty when they may."""
        correction = _corrections([task]).get(task.subject_id)
        return correcting.refusal_for(correction, member) if correction else _GONE

    def hands_elsewhere(self, tasks: Sequence[Task]) -> Asking[dict[int, set[Hand]]]:
        """Nobody: a correction is decided in one place."""
        return known({})

    def complete(
        self, task: Task, *, by: Membership, verdict: str, comment: str, proof: Proof | None, now: datetime
    ) -> None:
        """Carry the verdict out, signed."""
        correcting.decide(
            correction_pk=int(task.subject_id),
            verdict=verdict,
            comment=comment,
            proof=proof,
            by=by,
            in_place_of=task.completed_for,
            now=now,
        )

    def shown(self, tasks: Sequence[Task], member: Membership) -> dict[int, Shown]:
        """The participant and the dialog of each task, or the sites where the participant has gone."""
        corrections = _corrections(tasks)
        return {task.pk: _shown(task, corrections.get(task.subject_id), member) for task in tasks}


def _shown(task: Task, correction: Correction | None, member: Membership) -> Shown:
    if correction is None:
        return Shown(reverse("ecoa:home", args=[task.vault_id]), "", _GONE)
    return Shown(
        reverse("ecoa:participant", args=[task.vault_id, correction.participant_id]),
        reverse("ecoa:correction-complete", args=[task.vault_id, correction.pk]),
        correcting.refusal_for(correction, member),
    )


def _corrections(tasks: Sequence[Task]) -> dict[str, Correction]:
    vaults = {task.vault_id for task in tasks}
    found = Correction.objects.filter(pk__in=[task.subject_id for task in tasks], vault__in=vaults)
    return {str(row.pk): row for row in found.select_related("asked_by")}
