"""H4 and L7: what people at a site are shown of other sites, and that the trail knows who was shown participants."""

from urllib.parse import urlencode

import pytest
from django.db import transaction

from ecoa.models import Discrepancy, Participant
from ecoa.services import correcting, seeing, sites
from tests.factories.people import make_member
from tests.guards.routes import all_routes
from tests.guards.world import BY, build_place, signed_in
from vaultadmin import clock
from vaultadmin.models import AuditEvent
from vaultadmin.permissions import Permission

CANARY = "CANARY-7F3"
PAGES = [
    route for route in all_routes() if route.ours and "vault_id" in route.arguments and "/api/" not in route.pattern
]
TOLD = ("viewed", "exported", "downloaded")
pytestmark = pytest.mark.django_db


@pytest.fixture
def here():
    seeing.forget()
    place = build_place(7001)
    yield place
    seeing.forget()


def ask(browser, path, **query):
    """What one GET answers; its effects are undone."""
    with transaction.atomic():
        known = AuditEvent.objects.latest("pk").pk
        seeing.forget()
        response = browser.get(path + (f"?{urlencode(query)}" if query else ""))
        body = b"".join(response.streaming_content) if response.streaming else response.content
        told = list(AuditEvent.objects.filter(pk__gt=known).order_by("-pk").values_list("event", flat=True))
        transaction.set_rollback(True)
    return response.status_code, body.decode(errors="replace"), told


def foreign_site(here):
    """Another site of the same study with everything a page could tell of it."""
    now = clock.now()
    own = Participant.objects.get(pk=here.ids["participant_id"])
    site = sites.add(mapping=own.mapping, number="9009", by=BY, name=f"{CANARY}-site")
    staff = make_member(here.vault, Permission.ECOA_VIEW_SITES)
    sites.assign(site=site, member=staff, by=BY)
    place = {"vault": here.vault, "mapping": own.mapping, "site": site}
    participant = Participant.objects.create(
        **place, participant_id=f"{CANARY}-1", internal_id=f"{CANARY}-i", created_at=now, changed_at=now
    )
    seen = {"found_by": "radar", "found_at": now, "seen_at": now}
    difference = Discrepancy.objects.create(**place, **seen, participant=participant, kind="missing", our_value=CANARY)
    wanted = correcting.ask(participant=participant, new_value=f"{CANARY}-2", reason=CANARY, by=staff, now=now)
    return {
        "participant_id": participant.pk,
        "site": site.number,
        "site_id": site.pk,
        "correction_id": wanted.pk,
        "discrepancy_id": difference.pk,
        "record_id": participant.pk,
    }


def test_people_at_a_site_are_shown_nothing_of_other_sites_by_any_address(here, goal):
    foreign = foreign_site(here)
    browser = signed_in(here.people["site_staff__v"].user)
    asked, found = 0, {}
    queries = ({}, {"q": CANARY[:-1]}, {"q": "9009", "sort": "-participant_id"})
    for route in PAGES:
        for path in dict.fromkeys((here.path(route), here.path(route, ids=here.ids | foreign))):
            # What is refused is refused whatever is searched for, and says nothing either.
            for query in queries:
                status, body, _told = ask(browser, path, **query)
                asked += 1
                if status >= 500 or CANARY in body:
                    found[route.pattern] = status
                if status != 200:
                    break

    figure = {"asked": asked, "canaries": found}
    goal("H4").reached(figure=figure, target={"canaries": {}}, ok=not found and asked > 200)


def test_whoever_is_shown_a_participant_is_in_the_trail(here, goal):
    Participant.objects.filter(pk=here.ids["participant_id"]).update(participant_id=CANARY, internal_id=f"{CANARY}-i")
    shown, untold = [], []
    browsers = [signed_in(here.people[name].user) for name in ("vault_owner__v", "site_staff__v")]
    pages = [here.path(route) for route in PAGES if "/ecoa/" in route.pattern]
    for browser in browsers:
        for path in pages:
            status, body, told = ask(browser, path)
            if status == 200 and CANARY in body:
                shown.append(path)
                if not any(event.endswith(TOLD) for event in told):
                    untold.append(path)

    goal("L7").reached(
        figure={"shown": len(shown), "untold": untold}, target={"untold": []}, ok=not untold and len(shown) > 5
    )


def test_second_look_within_the_hour_is_not_told_again(here):
    participant = Participant.objects.get(pk=here.ids["participant_id"])
    member, now = here.people["site_staff__v"], clock.now()

    seeing.note(participant, what="participant", by=member, now=now)
    seeing.note(participant, what="participant", by=member, now=now + seeing.AGAIN_AFTER / 2)
    seeing.note(participant, what="participant", by=here.people["vault_owner__v"], now=now)
    seeing.note(participant, what="participant", by=member, now=now + seeing.AGAIN_AFTER)

    assert AuditEvent.objects.filter(event="participant.viewed").count() == 3
    assert not seeing.deeds(participant).filter(event="participant.viewed").exists()
