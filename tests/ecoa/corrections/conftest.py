from dataclasses import dataclass

import pytest

from ecoa.models import Correction, Discrepancy, Participant, Remedy
from ecoa.services import correcting, deciding, proving, remedies, sites
from tests.connections.handshake import proof_of
from tests.ecoa.conftest import Study
from tests.factories.ecoa import SYSTEM
from tests.factories.people import make_member
from vaultadmin import clock
from vaultadmin.models import Membership
from vaultadmin.models.delegation import day_of
from vaultadmin.permissions import Permission
from vaultadmin.signing.services import version_of
from vaultadmin.worklist import assigning, delegating
from vaultadmin.worklist import selectors as worklist


@dataclass
class Loop:
    """One participant in eCOA, somebody at its site, and two of the study team."""

    study: Study
    coordinator: Membership
    sponsor: Membership
    other: Membership
    participant: Participant

    def ask(self, value="1005-NEW", by=None, reason="Typed wrongly") -> Correction:
        return correcting.ask(
            participant=self.now(), new_value=value, reason=reason, by=by or self.coordinator, now=clock.now()
        )

    def decide(self, correction, verdict=correcting.APPROVE, comment="", by=None, seen=None) -> Correction:
        by = by or self.sponsor
        looked_at = Correction.objects.select_related("mapping", "participant__site", "asked_by__user").get(
            pk=correction.pk
        )
        return correcting.complete(
            correction,
            verdict=verdict,
            comment=comment,
            seen_version=seen or version_of(correcting.statement_of(looked_at, self.place(looked_at, by))),
            proof=proof_of(by),
            by=by,
            now=clock.now(),
        )

    def place(self, correction, by) -> Membership | None:
        return correcting.place_of(correction, by, now=clock.now())

    def lend(self, correction) -> None:
        """The task is the sponsor's, who lent their approvals to the other one."""
        task = worklist.open_task_for(correction, kind=correcting.TASK)
        assert task is not None
        assigning.assign(task=task, to=self.sponsor, seen=None, by=self.sponsor, now=clock.now())
        today = day_of(clock.now())
        days = {"starts": today, "ends": today}
        delegating.lend(giver=self.sponsor, to=self.other, by=self.sponsor, now=clock.now(), **days)

    def tick(self, rounds=2) -> None:
        """Plan, drain and look again, as beat and a worker would."""
        for _ in range(rounds):
            proving.tick(now=clock.now())
            for run in self.study.mapping.runs.filter(state__in=["planned", "running"]):
                self.study.finish(run)

    def differ(self, theirs="1005-ECOA") -> Discrepancy:
        """A read-back found another ID in eCOA."""
        now = clock.now()
        return Discrepancy.objects.create(
            vault=self.study.mapping.vault,
            mapping=self.study.mapping,
            site=self.study.site,
            participant=self.participant,
            kind="id_differs",
            our_value=self.participant.participant_id,
            their_value=theirs,
            version=self.now().version,
            found_by="radar",
            found_at=now,
            seen_at=now,
        )

    def settle(self, found: Discrepancy, remedy: Remedy) -> None:
        """The study team decides about a difference, signed."""
        rows = list(Discrepancy.objects.select_related("participant", "mapping", "site").filter(pk=found.pk))
        deciding.decide(
            vault=self.study.mapping.vault,
            rows=rows,
            remedy=remedy,
            reason="We looked it up",
            seen_version=remedies.version(rows),
            proof=proof_of(self.sponsor),
            by=self.sponsor,
            now=clock.now(),
        )

    def now(self) -> Participant:
        return Participant.objects.select_related("vault", "mapping", "site").get(pk=self.participant.pk)


@pytest.fixture
def loop(study, machine):
    vault = study.mapping.vault
    coordinator = make_member(vault, Permission.ECOA_VIEW_SITES)
    sites.assign(site=study.site, member=coordinator, by=SYSTEM)
    sponsor, other = (make_member(vault, Permission.ECOA_STUDY_TEAM) for _ in range(2))
    [participant] = study.participants(1, participant_id="1005-OLD")
    study.run()
    return Loop(study, coordinator, sponsor, other, participant)
