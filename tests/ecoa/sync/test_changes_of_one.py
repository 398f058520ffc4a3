import pytest

from ecoa import sources
from ecoa.imports import problems
from ecoa.models import Participant, SiteReading, SiteTally, SiteTransfer, SyncRun
from ecoa.services import changing, entering, transferring
from ecoa.services.refusals import Refused
from tests.factories.ecoa import make_mapping, make_site
from tests.factories.people import make_member
from vaultadmin import clock
from vaultadmin.models import AuditEvent
from vaultadmin.permissions import Permission, PermissionRefused


def enter(study, participant_id="1005-001", internal_id="i-1", send=True, by=None):
    return entering.enter(
        site=study.site,
        participant_id=participant_id,
        internal_id=internal_id,
        send=send,
        by=by or study.manager,
        now=clock.now(),
    )


def change(study, participant, new_id="1005-900"):
    return changing.change_id(participant, new_id=new_id, reason="Typed wrong", by=study.manager, now=clock.now())


def move(study, participant, to_site):
    return transferring.transfer(participant, to_site=to_site, reason="Moved house", by=study.manager, now=clock.now())


def test_participant_entered_by_hand_goes_to_ecoa_and_belongs_to_the_study_team(study, machine):
    participant = enter(study)

    study.finish(SyncRun.objects.get())

    assert list(machine.store) == ["i-1"]
    assert (participant.source, participant.lock) == (sources.MANUAL, "")
    assert str(study.manager) in participant.owner


def test_entered_participant_gets_an_internal_id_of_its_own_and_waits_if_asked_to(study):
    participant = enter(study, internal_id="", send=False)

    assert len(participant.internal_id) == 36
    assert not SyncRun.objects.exists()


@pytest.mark.parametrize(
    ("values", "field"),
    [
        ({"participant_id": "=1"}, "participant_id"),
        ({"participant_id": "a\x00"}, "participant_id"),
        ({"internal_id": "a\u200bb"}, "internal_id"),
        ({"participant_id": "taken"}, "participant_id"),
        ({"internal_id": "known"}, "internal_id"),
    ],
)
def test_entered_participant_is_checked_like_a_row_of_a_file(study, values, field):
    study.participants(1, participant_id="taken", internal_id="i-7")
    study.participants(1, participant_id="1005-001", internal_id="known")
    values = {"participant_id": "1005-002", "internal_id": "i-9"} | values
    if values["internal_id"] == "known":
        values["participant_id"] = "1005-001"

    with pytest.raises(Refused) as caught:
        enter(study, **values)

    assert caught.value.field == field
    assert Participant.objects.count() == 2


def test_entering_cannot_change_what_a_file_brought(study):
    study.participants(1, participant_id="old", internal_id="i-1")

    with pytest.raises(Refused):
        enter(study, participant_id="new")

    assert Participant.objects.get().participant_id == "old"


def test_changed_id_goes_to_ecoa_under_the_same_internal_id(study, machine):
    participant = enter(study)
    study.finish(SyncRun.objects.get())

    changed = change(study, participant)
    study.finish(changed.run)

    assert machine.store["i-1"].participant_id == "1005-900"
    assert (Participant.objects.get().version, Participant.objects.get().synced_version) == (2, 2)
    event = AuditEvent.objects.get(event="participant.changed")
    assert (event.changes, event.reason) == ({"participant ID": ["1005-001", "1005-900"]}, "Typed wrong")


@pytest.mark.parametrize("source", [sources.FILE, sources.PUSH])
def test_id_a_machine_owns_is_not_changed_here(study, source):
    [participant] = study.participants(1, source=source, source_name="RTSM")

    with pytest.raises(Refused, match="owns this ID"):
        change(study, participant)

    assert Participant.objects.get().version == 1


def test_taken_id_is_refused(study):
    participant = enter(study)
    study.participants(1, participant_id="1005-900")

    with pytest.raises(Refused, match="already has"):
        change(study, participant)


def test_moved_participant_is_told_to_ecoa_and_on_both_sites(study, machine):
    other = make_site(study.mapping, "2001")
    participant = enter(study)
    study.finish(SyncRun.objects.get())
    before = Participant.objects.get().my_veeva_participant_id

    run = move(study, participant, other)
    study.finish(run)

    after = Participant.objects.get()
    assert (machine.store["i-1"].site, after.my_veeva_participant_id) == ("2001", before)
    assert (SiteTally.objects.get(site=study.site).total, SiteTally.objects.get(site=other).total) == (0, 1)
    told = AuditEvent.objects.filter(reason="Moved house").order_by("sequence")
    assert [(row.event, row.subject_id) for row in told] == [
        ("participant.moved", str(after.pk)),
        ("site.participant_left", str(study.site.pk)),
        ("site.participant_joined", str(other.pk)),
    ]
    assert not SiteTransfer.objects.get().is_new_in_ecoa


def test_participant_ecoa_made_anew_in_another_region_is_noticed(study, machine):
    other = make_site(study.mapping, "2001")
    participant = enter(study)
    study.finish(SyncRun.objects.get())
    machine.store.clear()
    machine.store["somebody"] = object()

    study.finish(move(study, participant, other))

    assert SiteTransfer.objects.select_related("participant").get().is_new_in_ecoa


@pytest.mark.parametrize(
    ("regions", "words"),
    [
        (("https://us.ecoa.test/", "https://eu.ecoa.test/"), "different regions"),
        (("https://us.ecoa.test/", "https://us.ecoa.test/"), "keeps the MyVeeva participant ID, so"),
        (("", ""), "if the new site is in another region"),
    ],
)
def test_move_says_what_ecoa_will_do(study, regions, words):
    other = make_site(study.mapping, "2001")
    for site, region in zip((study.site, other), regions, strict=True):
        SiteReading.objects.update_or_create(site=site, defaults={"region": region})
    [participant] = study.participants(1, synced_version=1, status="synced")

    assert words in transferring.preview(participant, other)


def test_move_to_a_site_of_another_study_is_refused(study):
    elsewhere = make_site(make_mapping(study.manager, external_study_id="study-2"), "1")

    with pytest.raises(Refused, match="same study"):
        move(study, enter(study), elsewhere)


def test_who_only_looks_changes_nothing(study):
    looker = make_member(study.mapping.vault, Permission.ECOA_STUDY_TEAM)

    with pytest.raises(PermissionRefused):
        enter(study, by=looker)


def test_every_source_has_words():
    for key in (sources.FILE, sources.PUSH, sources.MANUAL):
        source = sources.get(key)
        assert all((source.label, source.owner, source.change))
    assert sources.above(sources.FILE) == [sources.PUSH]
    assert problems.sentence(problems.OWNED_ELSEWHERE)
