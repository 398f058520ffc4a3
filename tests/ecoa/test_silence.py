from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from django.core import mail

from ecoa.models import SilenceAlarm, SitePause, SiteRhythm, StudyMapping
from ecoa.services import rhythms
from ecoa.services.refusals import Refused
from ecoa.silence import looking, telling
from ecoa.sync import facts
from tests.factories.ecoa import make_manager, make_mapping, make_site
from tests.factories.people import make_member
from vaultadmin.permissions import Permission, PermissionRefused
from vaultadmin.together import answer
from vaultadmin.worklist import notices

pytestmark = pytest.mark.django_db
MONDAY = datetime(2026, 3, 2, 9, tzinfo=UTC)
HOUR, DAY = timedelta(hours=1), timedelta(days=1)


@pytest.fixture
def manager():
    return make_manager()


@pytest.fixture
def site(manager):
    return make_site(make_mapping(manager))


def declare(site, by, now=MONDAY, **values):
    wanted = {
        "interval_hours": 24,
        "grace_hours": 2,
        "time_zone": "UTC",
        "quiet_from": None,
        "quiet_until": None,
        "quiet_days": [],
    } | values
    return rhythms.declare(site=site, by=by, now=now, **wanted)


def arrive(site, at):
    facts.note_arrivals([site.pk], at=at)


def opened():
    return list(SilenceAlarm.objects.open().values_list("site__number", flat=True))


def test_silence_opens_one_alarm_with_its_reason(site, manager):
    declare(site, manager)
    arrive(site, MONDAY + HOUR)

    looking.look(now=MONDAY + DAY + 2 * HOUR)
    quiet = opened()
    looking.look(now=MONDAY + DAY + 4 * HOUR)
    looking.look(now=MONDAY + DAY + 5 * HOUR)

    alarm = SilenceAlarm.objects.get()
    assert (quiet, opened()) == ([], ["1005"])
    assert alarm.expected_at == MONDAY + DAY + HOUR
    assert "by 03 Mar 2026 10:00 (UTC)" in alarm.reason
    assert "the last news came on 02 Mar 2026 10:00" in alarm.reason


def test_site_never_heard_of_is_missed_from_the_declaration_on(site, manager):
    declare(site, manager, interval_hours=48)

    looking.look(now=MONDAY + 3 * DAY)

    assert "nothing has come since the rhythm was declared" in SilenceAlarm.objects.get().reason
    assert "every 2 days" in SilenceAlarm.objects.get().reason


def test_arrival_closes_the_alarm_and_the_next_silence_opens_another(site, manager):
    declare(site, manager)
    looking.look(now=MONDAY + 2 * DAY)

    arrive(site, MONDAY + 2 * DAY + HOUR)
    looking.look(now=MONDAY + 2 * DAY + HOUR)
    closed = SilenceAlarm.objects.get()
    looking.look(now=MONDAY + 4 * DAY)

    assert (closed.ended_by, closed.closed_at) == ("arrived", MONDAY + 2 * DAY + HOUR)
    assert SilenceAlarm.objects.count() == 2


@pytest.mark.parametrize("hush", ["pause", "close", "withdraw", "switch off"])
def test_alarm_ends_when_nothing_is_expected_any_more(site, manager, hush):
    declare(site, manager)
    looking.look(now=MONDAY + 2 * DAY)
    now = MONDAY + 2 * DAY + HOUR

    if hush == "pause":
        rhythms.pause(site=site, starts_at=now, ends_at=None, reason="Holiday", by=manager, now=now)
    elif hush == "close":
        rhythms.close(site=site, by=manager, now=now)
    elif hush == "withdraw":
        rhythms.withdraw(site=site, by=manager, now=now)
    else:
        StudyMapping.objects.update(is_active=False)
    looking.look(now=now)
    looking.look(now=now + 30 * DAY)

    assert SilenceAlarm.objects.get().ended_by == "not_expected"


def test_ended_pause_starts_the_clock_anew(site, manager):
    declare(site, manager)
    row = rhythms.pause(site=site, starts_at=MONDAY + HOUR, ends_at=None, reason="Hold", by=manager, now=MONDAY + HOUR)

    rhythms.end_pause(row, by=manager, now=MONDAY + 10 * DAY)

    assert SiteRhythm.objects.get().due_at == MONDAY + 11 * DAY + 2 * HOUR


def test_pause_not_begun_is_taken_back(site, manager):
    declare(site, manager)
    later = MONDAY + 5 * DAY
    row = rhythms.pause(site=site, starts_at=later, ends_at=later + DAY, reason="Fair", by=manager, now=MONDAY)

    rhythms.end_pause(row, by=manager, now=MONDAY)

    assert not SitePause.objects.exists()


def test_reopened_site_is_expected_from_then_on(site, manager):
    declare(site, manager)
    rhythms.close(site=site, by=manager, now=MONDAY + HOUR)
    looking.look(now=MONDAY + 20 * DAY)

    site.refresh_from_db()
    rhythms.reopen(site=site, by=manager, now=MONDAY + 20 * DAY)
    looking.look(now=MONDAY + 21 * DAY)

    assert opened() == []
    assert SiteRhythm.objects.get().due_at == MONDAY + 21 * DAY + 2 * HOUR


def test_declaring_for_the_whole_study_leaves_closed_sites_out(site, manager):
    make_site(site.mapping, "1006")
    closed = make_site(site.mapping, "1007")
    rhythms.close(site=closed, by=manager, now=MONDAY)

    number = declare(site, manager, whole_study=True)

    assert number == SiteRhythm.objects.count() == 2


def test_snoozed_alarm_tells_again_when_the_snooze_ends(site, manager):
    declare(site, manager)
    now = MONDAY + 2 * DAY
    looking.look(now=now)
    before = answer(telling.home_notices(manager))

    rhythms.snooze(SilenceAlarm.objects.get(), until=now + DAY, note="They called", by=manager, now=now)
    during = answer(telling.home_notices(manager))
    looking.look(now=now + DAY)
    after = answer(telling.home_notices(manager))

    assert (len(before), len(during), len(after)) == (1, 0, 1)
    assert "1005" in before[0].text


def test_snooze_needs_an_end_that_is_near(site, manager):
    declare(site, manager)
    now = MONDAY + 2 * DAY
    looking.look(now=now)

    with pytest.raises(Refused, match="within the next 30 days"):
        rhythms.snooze(SilenceAlarm.objects.get(), until=now + 31 * DAY, note="", by=manager, now=now)


def test_mail_goes_to_the_study_team_and_names_no_participant(site, manager):
    team = make_member(site.vault, Permission.ECOA_STUDY_TEAM)
    make_member(site.vault, Permission.ECOA_VIEW_SITES)
    declare(site, manager)
    looking.look(now=MONDAY + 2 * DAY)

    notices.deliver_due(now=MONDAY + 2 * DAY)

    assert {message.to[0] for message in mail.outbox} == {team.user.email, manager.user.email}
    assert "Silent: site 1005" in mail.outbox[0].subject
    assert "/ecoa/alarms/" in mail.outbox[0].body


def test_mail_is_dropped_when_the_site_was_heard_from_meanwhile(site, manager):
    declare(site, manager)
    looking.look(now=MONDAY + 2 * DAY)
    arrive(site, MONDAY + 2 * DAY + HOUR)
    looking.look(now=MONDAY + 2 * DAY + HOUR)

    notices.deliver_due(now=MONDAY + 2 * DAY + HOUR)

    assert mail.outbox == []


@pytest.mark.parametrize(
    ("values", "field"),
    [
        ({"quiet_days": list(range(7))}, "quiet_days"),
        ({"quiet_from": time(20)}, "quiet_until"),
        ({"quiet_from": time(20), "quiet_until": time(20)}, "quiet_until"),
    ],
)
def test_rhythm_that_is_always_quiet_is_refused(site, manager, values, field):
    with pytest.raises(Refused) as refusal:
        declare(site, manager, **values)

    assert refusal.value.field == field


def test_site_staff_and_other_vaults_declare_nothing(site):
    for member in (make_member(site.vault, Permission.ECOA_VIEW_SITES), make_manager()):
        with pytest.raises(PermissionRefused):
            declare(site, member)


def test_month_replayed_finds_each_silence_and_nothing_else(manager):
    mapping = make_mapping(manager)
    zones = {"1005": "America/New_York", "2001": "Europe/Berlin", "3001": "Asia/Tokyo"}
    start = datetime(2026, 3, 1, tzinfo=UTC)
    sites = {number: make_site(mapping, number) for number in zones}
    for number, site in sites.items():
        declare(
            site,
            manager,
            now=start,
            grace_hours=10,
            time_zone=zones[number],
            quiet_from=time(19),
            quiet_until=time(7),
            quiet_days=[5, 6],
        )
    rhythms.pause(
        site=sites["3001"],
        starts_at=start + 8 * DAY,
        ends_at=start + 15 * DAY,
        reason="Holiday",
        by=manager,
        now=start,
    )
    silent = {"1005": range(10, 14), "2001": range(23, 26)}
    arrivals = sorted(_sent(start, zones, silent, paused=range(8, 15)))

    for hour in range(31 * 24):
        now = start + hour * HOUR
        while arrivals and arrivals[0][0] <= now:
            at, number = arrivals.pop(0)
            arrive(sites[number], at)
        looking.look(now=now)

    alarms = SilenceAlarm.objects.order_by("opened_at")
    assert [(alarm.site.number, alarm.opened_at.day, alarm.ended_by) for alarm in alarms] == [
        ("1005", 11, "arrived"),
        ("2001", 24, "arrived"),
    ]
    assert all(7 <= alarm.opened_at.astimezone(ZoneInfo(zones[alarm.site.number])).hour < 19 for alarm in alarms)


def _sent(start, zones, silent, paused):
    for number, zone in zones.items():
        for day in range(31):
            local = (start + day * DAY).date()
            off = local.weekday() in (5, 6) or day + 1 in silent.get(number, ()) or (number == "3001" and day in paused)
            if not off:
                hour = 8 + (day * 7) % 9
                yield datetime.combine(local, time(hour), tzinfo=ZoneInfo(zone)).astimezone(UTC), number


def test_pause_within_another_of_the_site_is_refused(site, manager):
    rhythms.pause(site=site, starts_at=MONDAY, ends_at=MONDAY + DAY, reason="Fair", by=manager, now=MONDAY)

    with pytest.raises(Refused, match="paused in this time already: Fair"):
        rhythms.pause(site=site, starts_at=MONDAY + HOUR, ends_at=None, reason="Fair", by=manager, now=MONDAY)

    rhythms.pause(site=site, starts_at=MONDAY + DAY, ends_at=None, reason="Hold", by=manager, now=MONDAY)
    assert site.pauses.count() == 2
