import re
from collections.abc import Callable

import pytest
from django.test import Client

from tests.factories.people import PASSWORD, make_member, make_vault
from tests.vaultadmin.accounts.conftest import LOGIN, Door
from vaultadmin.models import AuditEvent, User
from vaultadmin.permissions import Permission

NEW_PASSWORD = "an entirely different phrase"
RESET = "/accounts/password/reset/"


@pytest.fixture
def browser(ana: User, moment: object) -> Client:
    door = Door()
    door.knock(ana.email, PASSWORD)
    return door.client


@pytest.mark.parametrize("path", ["signup/", "email/", "signup/passkey/", "3rdparty/", "social/signup/"])
@pytest.mark.django_db
def test_nobody_signs_up_or_adds_addresses(path: str) -> None:
    assert Client().get(f"/accounts/{path}").status_code == 404


@pytest.mark.usefixtures("moment")
def test_a_reset_mail_leads_to_a_new_password_once(ana: User, mailoutbox: list[object]) -> None:
    client = Client()
    client.post(RESET, {"email": ana.email.upper()})
    path = re.search(r"/accounts/password/reset/key/\S+", mailoutbox[0].body).group()  # type: ignore[attr-defined]

    form = client.get(path, follow=True)
    answer = client.post(form.request["PATH_INFO"], {"password1": NEW_PASSWORD, "password2": NEW_PASSWORD})
    again = Client().get(path, follow=True)

    assert answer.status_code == 302
    assert Door().knock(ana.email, NEW_PASSWORD) == "in"
    assert Door().knock(ana.email, PASSWORD) == "wrong"
    assert 'name="password1"' not in again.content.decode()
    assert AuditEvent.objects.filter(event="user.password_reset").count() == 1


@pytest.mark.usefixtures("moment")
def test_a_reset_link_ends_after_an_hour(ana: User, mailoutbox: list[object], later: Callable[..., None]) -> None:
    Client().post(RESET, {"email": ana.email})
    path = re.search(r"/accounts/password/reset/key/\S+", mailoutbox[0].body).group()  # type: ignore[attr-defined]

    later(hours=1, seconds=2)

    assert 'name="password1"' not in Client().get(path, follow=True).content.decode()


@pytest.mark.usefixtures("moment")
def test_asking_for_somebody_unknown_reads_the_same_and_mails_nobody(ana: User, mailoutbox: list[object]) -> None:
    known = Client().post(RESET, {"email": ana.email}, follow=True)
    unknown = Client().post(RESET, {"email": "nobody@example.test"}, follow=True)

    scrub = re.compile(r"[A-Za-z0-9]{64}")
    assert scrub.sub("", known.content.decode()) == scrub.sub("", unknown.content.decode())
    assert len(mailoutbox) == 1


@pytest.mark.usefixtures("moment")
def test_a_mail_server_that_is_away_does_not_tell_who_is_known(ana: User, monkeypatch: pytest.MonkeyPatch) -> None:
    def away(*_args: object, **_more: object) -> None:
        raise ConnectionRefusedError

    monkeypatch.setattr("django.core.mail.EmailMessage.send", away)

    assert Client().post(RESET, {"email": ana.email}).status_code == 302


def test_the_old_password_cannot_be_guessed_from_a_session(browser: Client, hashes: list[str]) -> None:
    for number in range(14):
        browser.post(
            "/accounts/password/change/",
            {"oldpassword": f"guess {number}", "password1": NEW_PASSWORD, "password2": NEW_PASSWORD},
        )

    assert hashes.count("verify") == 10


def test_what_matters_asks_again_after_five_minutes(ana: User, browser: Client, later: Callable[..., None]) -> None:
    member = make_member(make_vault(), Permission.ADMIN_USERS, user=ana)
    url = f"/v/{member.vault_id}/admin/users/invite/"
    assert browser.get(url).status_code == 200
    later(minutes=6)

    asked = browser.get(url)
    wrong = browser.post(asked.headers["Location"], {"password": "wrong"})
    right = browser.post(asked.headers["Location"], {"password": PASSWORD})

    assert asked.headers["Location"].startswith("/accounts/reauthenticate/?next=")
    assert wrong.status_code == 200
    assert right.headers["Location"] == url
    assert browser.get(url).status_code == 200


def test_second_factor_pages_ask_again_by_the_same_rule(browser: Client, later: Callable[..., None]) -> None:
    assert browser.get("/accounts/2fa/totp/activate/").status_code == 200

    later(minutes=6)

    assert browser.get("/accounts/2fa/totp/activate/").headers["Location"].startswith("/accounts/reauthenticate/")


def test_asking_again_is_limited_like_signing_in(
    browser: Client, hashes: list[str], later: Callable[..., None]
) -> None:
    later(minutes=6)

    answers = [browser.post("/accounts/reauthenticate/", {"password": f"guess {n}"}).status_code for n in range(13)]

    assert answers == [200] * 9 + [429] * 4
    assert len(hashes) == 10


@pytest.mark.parametrize(
    "where", ["https://evil.test/", "//evil.test/", "/\\evil.test", "javascript:alert(1)", "///e.test"]
)
@pytest.mark.usefixtures("moment")
def test_signing_in_never_leads_to_another_site(ana: User, where: str) -> None:
    answer = Client().post(LOGIN, {"login": ana.email, "password": PASSWORD, "next": where})

    assert answer.headers["Location"] == "/"


@pytest.mark.parametrize("path", [LOGIN, RESET, "/accounts/logout/", "/accounts/invitation/x/"])
@pytest.mark.django_db
def test_forms_without_their_token_are_refused(path: str) -> None:
    assert Client(enforce_csrf_checks=True).post(path, {"login": "a@b.test", "password": "x"}).status_code == 403
