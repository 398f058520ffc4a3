from __future__ import annotations

from copy import deepcopy

import pytest
from django.db import connection, transaction
from django.test import Client

from tests.guards.routes import all_routes
from tests.security.deed import Deed, World
from tests.security.deeds import DEEDS, ELSEWHERE
from tests.security.tables import content, differences
from vaultadmin.access import Gate
from vaultadmin.models import AuditEvent

LISTED = {deed.pattern for deed in DEEDS}
DONE = {200, 204, 302}


def takes_posts(world: World, browser: Client, route) -> bool:
    try:
        path = world.place.path(route)
    except KeyError:
        return True
    browser.cookies = deepcopy(world.cookies)
    with transaction.atomic():
        status = browser.post(path).status_code
        transaction.set_rollback(True)
    return status not in (404, 405)


@pytest.mark.django_db
def test_every_address_that_takes_a_post_is_tried_or_says_where_it_is(world):
    browser = world.client()
    people = [route for route in all_routes() if getattr(route.access, "gate", None) is not Gate.MACHINE]

    taking = {route.pattern for route in people if route.ours and takes_posts(world, browser, route)}
    taking |= {route.pattern for route in people if not route.ours and "POST" in allowed(route.view)}

    assert taking - LISTED - set(ELSEWHERE) == set(), "tests/security/deeds.py does not know these"
    assert LISTED | set(ELSEWHERE) <= {route.pattern for route in people}


def allowed(view) -> set[str]:
    kind = getattr(view, "view_class", None)
    return {name.upper() for name in ("get", "post") if hasattr(kind, name)} if kind else {"GET", "POST"}


def carry_out(world: World, deed: Deed) -> tuple[int, list[AuditEvent]]:
    with transaction.atomic():
        path, data = deed.address(world), deed.prepare(world)
        browser = deed.browser(world)
        last = max(AuditEvent.objects.values_list("pk", flat=True), default=0)
        status = browser.post(path, data).status_code
        rows = list(AuditEvent.objects.filter(pk__gt=last).order_by("pk"))
        transaction.set_rollback(True)
    return status, rows


@pytest.mark.django_db
def test_every_deed_leaves_who_what_when_and_from_where(world, goal):
    silent = {}
    for deed in DEEDS:
        status, rows = carry_out(world, deed)
        told = [row for row in rows if row.actor and row.event and row.at and row.source_ip == "127.0.0.1"]
        if status not in DONE or not told:
            silent[deed.id] = (status, [(row.event, row.actor, row.source_ip) for row in rows])

    goal("L1").reached(figure={"silent": silent}, target={"silent": {}}, ok=not silent)


@pytest.mark.django_db
def test_a_reason_that_is_asked_for_is_kept(world):
    for deed in DEEDS:
        if "reason" in deed.prepare.__name__ or "react" in deed.prepare.__name__:
            _status, rows = carry_out(world, deed)
            assert any(row.reason == "Asked for by phone" for row in rows), deed.id


REFUSING = """
CREATE FUNCTION refuse_audit() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN RAISE EXCEPTION 'the audit store is full'; END $$;
CREATE {kind} TRIGGER refuse_audit {moment} INSERT ON vaultadmin_auditevent {timing}
FOR EACH ROW EXECUTE FUNCTION refuse_audit();
"""
AT_ONCE = REFUSING.format(kind="", moment="BEFORE", timing="")
AT_COMMIT = REFUSING.format(kind="CONSTRAINT", moment="AFTER", timing="DEFERRABLE INITIALLY DEFERRED")
MEND = "DROP TRIGGER IF EXISTS refuse_audit ON vaultadmin_auditevent; DROP FUNCTION IF EXISTS refuse_audit()"


def execute(sql: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(sql)


def post_with(damage: str, world: World, deed: Deed) -> tuple[int, list[str]]:
    """The status of a deed while the trail is out of order, and the rows that changed all the same."""
    path, data, browser = deed.address(world), deed.prepare(world), deed.browser(world)
    before = content()
    execute(damage)
    try:
        status = browser.post(path, data).status_code
    finally:
        execute(MEND)
    return status, differences(before, content())


@pytest.mark.django_db
def test_what_cannot_be_recorded_does_not_happen(world, goal):
    done = {}
    for deed in DEEDS:
        with transaction.atomic():
            status, changed = post_with(AT_ONCE, world, deed)
            transaction.set_rollback(True)
        if status in DONE or changed:
            done[deed.id] = (status, changed)

    goal("L3").reached(figure={"done all the same": done}, target={"done all the same": {}}, ok=not done)


@pytest.mark.django_db(transaction=True)
def test_nobody_is_told_saved_before_it_is_committed(make_world, goal):
    c1 = goal("C1")
    tried = [deed for deed in DEEDS if deed.creates][: c1.count(small=8, full=len(DEEDS))]
    told = {}
    for number, deed in enumerate(tried):
        status, changed = post_with(AT_COMMIT, make_world(7001 + 10 * number), deed)
        if status in DONE or changed:
            told[deed.id] = (status, changed)

    c1.reached(figure={"tried": len(tried), "told saved": told}, target={"told saved": {}}, ok=not told)
