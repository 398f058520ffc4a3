from collections.abc import Callable

import pytest
from allauth.usersessions.models import UserSession
from django.conf import settings
from django.test import Client

from tests.factories.people import PASSWORD, make_member, make_vault
from tests.vaultadmin.accounts.conftest import LOGIN, Door
from vaultadmin.accounts import sessions
from vaultadmin.models import AuditEvent, User
from vaultadmin.permissions import Permission

NEW_PASSWORD = "an entirely different phrase"
POLL = {"X-Poll": "1", "HX-Request": "true"}


@pytest.fixture
def page(ana: User) -> str:
    member = make_member(make_vault(), Permission.ADMIN_USERS, user=ana)
    return f"/v/{member.vault_id}/admin/users/"


@pytest.fixture
def browser(ana: User, moment: object) -> Client:
    door = Door()
    assert door.knock(ana.email, PASSWORD) == "in"
    return door.client


def key(client: Client) -> str:
    return client.cookies[settings.SESSION_COOKIE_NAME].value


def test_a_quarter_of_an_hour_without_a_click_ends_the_session(
    browser: Client, page: str, later: Callable[..., None]
) -> None:
    later(minutes=14, seconds=50)
    assert browser.get(page).status_code == 200
    later(minutes=14, seconds=50)
    assert browser.get(page).status_code == 200

    later(minutes=15, seconds=1)

    assert browser.get(page).status_code == 302
    assert AuditEvent.objects.get(event="user.signed_out").reason == "The session was too old or idle."


def test_a_page_that_asks_by_itself_keeps_nobody_signed_in(
    browser: Client, page: str, later: Callable[..., None]
) -> None:
    for _ in range(15):
        later(minutes=1)
        assert browser.get(page, headers=POLL).status_code == 200

    later(seconds=1)
    answer = browser.get(page, headers=POLL)

    assert answer.status_code == 401
    assert answer.headers["HX-Redirect"].startswith(LOGIN)


def test_twelve_hours_end_it_in_spite_of_clicks(browser: Client, page: str, later: Callable[..., None]) -> None:
    for _ in range(72):
        later(minutes=10)
        assert browser.get(page).status_code == 200

    later(seconds=1)

    assert browser.get(page).status_code == 302


def test_signing_in_again_starts_both_clocks_anew(
    ana: User, browser: Client, page: str, later: Callable[..., None]
) -> None:
    later(minutes=20)
    assert browser.get(page).status_code == 302

    browser.post(LOGIN, {"login": ana.email, "password": PASSWORD})

    assert browser.get(page).status_code == 200


@pytest.mark.usefixtures("moment")
def test_the_session_id_changes_at_sign_in(ana: User) -> None:
    client = Client()
    planted = client.session
    planted["planted"] = True
    planted.save()
    known = str(planted.session_key)
    client.cookies[settings.SESSION_COOKIE_NAME] = known

    client.post(LOGIN, {"login": ana.email, "password": PASSWORD})

    assert key(client) != known
    assert not client.session.exists(known)


def test_it_changes_at_a_new_password_and_other_sessions_end(ana: User, browser: Client, page: str) -> None:
    other = Door()
    other.knock(ana.email, PASSWORD)
    before = key(browser)

    answer = browser.post(
        "/accounts/password/change/",
        {"oldpassword": PASSWORD, "password1": NEW_PASSWORD, "password2": NEW_PASSWORD},
    )

    assert answer.status_code == 302
    assert key(browser) != before
    assert (browser.get(page).status_code, other.client.get(page).status_code) == (200, 302)
    assert AuditEvent.objects.filter(event="user.password_changed").count() == 1


def test_it_changes_when_one_proves_oneself_again(browser: Client, page: str, later: Callable[..., None]) -> None:
    later(minutes=6)
    before = key(browser)

    browser.post("/accounts/reauthenticate/", {"password": PASSWORD, "next": page})

    assert key(browser) != before
    assert browser.get(page).status_code == 200
    assert UserSession.objects.get().session_key == key(browser)


def test_signing_out_ends_the_session_for_good(browser: Client, page: str) -> None:
    old = key(browser)

    browser.post("/accounts/logout/")
    browser.cookies[settings.SESSION_COOKIE_NAME] = old

    assert browser.get(page).status_code == 302
    assert AuditEvent.objects.filter(event="user.signed_out", reason="").count() == 1


def test_all_sessions_are_listed_and_can_be_ended(ana: User, browser: Client, page: str) -> None:
    others = [Door(f"192.0.2.{number}") for number in (2, 3)]
    for door in others:
        door.knock(ana.email, PASSWORD)
    listed = browser.get("/accounts/sessions/").content.decode()
    assert all(address in listed for address in ("192.0.2.1", "192.0.2.2", "192.0.2.3"))

    browser.post("/accounts/sessions/")

    assert [door.client.get(page).status_code for door in others] == [302, 302]
    assert browser.get(page).status_code == 200
    assert AuditEvent.objects.get(event="user.sessions_ended").changes == {"sessions": [2, 0]}


def test_an_administrator_ends_them_all(ana: User, browser: Client, page: str) -> None:
    assert sessions.end_all(ana) == 1

    assert browser.get(page).status_code == 302


def test_a_deactivated_person_is_out_at_the_next_click(ana: User, browser: Client, page: str) -> None:
    User.objects.filter(pk=ana.pk).update(is_active=False)

    whole, fragment = browser.get(page), browser.get(page, headers={"HX-Request": "true"})

    assert whole.status_code == 302
    assert (fragment.status_code, fragment.content) == (401, b"")
    assert fragment.headers["HX-Redirect"].startswith(LOGIN)


def test_private_pages_are_not_stored(browser: Client, page: str) -> None:
    assert browser.get(page).headers["Cache-Control"] == "no-store, private"


@pytest.mark.usefixtures("moment")
def test_the_cookie_is_out_of_reach_of_scripts_and_other_sites(ana: User) -> None:
    door = Door()
    door.knock(ana.email, PASSWORD)

    cookie = door.client.cookies[settings.SESSION_COOKIE_NAME]
    assert (cookie["httponly"], cookie["samesite"], cookie["path"]) == (True, "Lax", "/")
    assert cookie["max-age"] == ""


def test_clicks_are_noted_every_ten_seconds_and_not_more_often(
    browser: Client, page: str, later: Callable[..., None]
) -> None:
    browser.get(page)
    seen = UserSession.objects.get().last_seen_at
    later(seconds=9)
    browser.get(page)
    assert UserSession.objects.get().last_seen_at == seen
    later(seconds=1)

    browser.get(page)

    assert UserSession.objects.get().last_seen_at > seen
