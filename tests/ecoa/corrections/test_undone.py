import pytest

from ecoa.models import Correction, CorrectionState, Participant
from tests.connections.pages import sign_in
from tests.ecoa.pages.test_pages import url
from tests.ecoa.push.conftest import Rtsm, make_machine, make_token
from vaultadmin.models import AuditEvent

pytestmark = pytest.mark.django_db


@pytest.fixture
def rtsm(loop):
    Participant.objects.update(source="push", source_name="RTSM")
    machine = make_machine(loop.study.mapping.vault)
    loop.decide(loop.ask())
    loop.tick()
    return Rtsm(loop.study, make_token(machine))


def pushed(rtsm, loop, value):
    [row] = rtsm.push([{"participantId": value, "internalId": loop.participant.internal_id}]).json()["rows"]
    return row


def page_of(loop, member):
    return sign_in(member).get(url(loop.study, "participant", loop.participant.pk)).content.decode()


def test_push_that_brings_the_old_id_back_is_told_so_and_so_is_everybody_else(loop, rtsm):
    assert Correction.objects.get().state == CorrectionState.CONFIRMED

    row = pushed(rtsm, loop, "1005-OLD")

    assert (row["status"], row["code"]) == ("changed", "correction-undone")
    assert "the study team had put 1005-NEW in place" in row["message"]
    undone = Correction.objects.get()
    assert (undone.undone_value, undone.undone_by) == ("1005-OLD", "The system that pushes participants (RTSM)")
    trail = AuditEvent.objects.get(event="correction.undone")
    assert (trail.subject_id, trail.changes["correction"]) == (str(loop.participant.pk), ["1005-OLD → 1005-NEW", None])
    for member in (loop.coordinator, loop.sponsor):
        text = page_of(loop, member)
        assert "Undone: 1005-OLD was put back" in text
        assert "The system that pushes participants (RTSM)" in text
        assert "A correction was undone" in text


def test_push_during_a_signed_correction_undoes_it_too(loop, rtsm):
    loop.decide(loop.ask("1005-THIRD"))

    row = pushed(rtsm, loop, "1005-OLD")
    loop.tick()

    newest = Correction.objects.latest("pk")
    assert (row["code"], newest.state, newest.undone_value) == ("correction-undone", "overtaken", "1005-OLD")


def test_push_of_the_corrected_id_undoes_nothing(loop, rtsm):
    assert (pushed(rtsm, loop, "1005-NEW")["status"], Correction.objects.get().undone_at) == ("unchanged", None)


def test_id_that_was_put_right_at_the_source_ends_the_warning(loop, rtsm):
    pushed(rtsm, loop, "1005-OLD")
    row = pushed(rtsm, loop, "1005-NEW")

    assert (row["status"], row["code"]) == ("changed", None)
    assert "A correction was undone" not in page_of(loop, loop.coordinator)
