from datetime import UTC, datetime, timedelta

import pytest

from ecoa.models import Attempt, Participant, ParticipantStatus, Site, SyncDay
from ecoa.sync import facts
from tests.factories.ecoa import make_mapping, make_site
from vaultadmin import clock

pytestmark = pytest.mark.django_db
NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)


def test_sync_notes_when_first_sent_and_the_day_counts_it(machine, study):
    person = study.participants(2)[0]

    study.run()

    person = Participant.objects.get(pk=person.pk)
    day = SyncDay.objects.get(mapping=study.mapping)
    assert person.first_sent_at == Attempt.objects.get(participant=person).started_at
    assert (person.confirmed_at, person.confirmed_by) == (None, "")
    assert (day.date, day.sent, day.confirmed, day.rejected, day.unknown) == (clock.now().date(), 2, 2, 0, 0)


def test_read_back_confirms_the_version_and_names_its_evidence(machine, study):
    type(study.mapping).objects.update(read_back=True)
    person = study.participants()[0]

    run = study.run()

    person = Participant.objects.get(pk=person.pk)
    attempt = Attempt.objects.get(participant=person)
    assert (person.confirmed_version, person.confirmed_by) == (1, f"run {run.pk} try {attempt.pk}")
    assert person.confirmed_at is not None
    assert person.confirmed_at >= person.first_sent_at


def test_change_after_the_read_back_leaves_the_older_version_confirmed(machine, study):
    type(study.mapping).objects.update(read_back=True)
    person = study.participants()[0]
    study.run()

    Participant.objects.filter(pk=person.pk).update(version=2, status=ParticipantStatus.WAITING)

    person = Participant.objects.get(pk=person.pk)
    assert person.confirmed_version < person.version


def test_days_add_up_and_do_not_mix(db):
    mapping = make_mapping()

    facts.count_day(mapping.pk, at=NOON, sent=2, confirmed=1)
    facts.count_day(mapping.pk, at=NOON, sent=1, rejected=1)
    facts.count_day(mapping.pk, at=NOON + timedelta(days=1), unknown=3)
    facts.count_day(mapping.pk, at=NOON + timedelta(days=2))

    days = list(SyncDay.objects.order_by("date").values_list("sent", "confirmed", "rejected", "unknown"))
    assert days == [(3, 1, 1, 0), (0, 0, 0, 3)]


def test_arrivals_never_go_back_in_time(db):
    site = make_site(make_mapping())

    facts.note_arrivals([site.pk], at=NOON)
    facts.note_arrivals([site.pk], at=NOON - timedelta(hours=1))
    facts.note_arrivals([], at=NOON)

    assert Site.objects.get(pk=site.pk).last_arrival_at == NOON
