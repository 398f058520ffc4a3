import re
from collections.abc import Callable
from datetime import timedelta

import pytest
from django.test import Client

from tests.factories.people import PASSWORD, make_user
from tests.vaultadmin.people.conftest import Join, SignIn
from vaultadmin import clock, standard_profiles
from vaultadmin.models import AuditEvent, Invitation, Membership, User, Vault
from vaultadmin.services import links, people
from vaultadmin.standard_profiles import SITE_STAFF

CHOSEN = "a password nobody guessed yet"
LINK = re.compile(r"/accounts/invitation/[\w-]+/")


def path_of(link: str) -> str:
    return LINK.search(link).group()


@pytest.fixture
def invite(vault: Vault, owner: Membership) -> Callable[..., people.Invited]:
    def send(email: str = "cy@example.test", by: Membership = owner) -> people.Invited:
        profile = standard_profiles.find(by.vault, SITE_STAFF)
        return people.invite(email=email, name="Cy", profile=profile, by=by, now=clock.now())

    return send


def choose(path: str, password: str = CHOSEN, again: str = "") -> tuple[int, str]:
    answer = Client().post(path, {"password": password, "again": again or password})
    return answer.status_code, answer.content.decode()


def test_the_dialog_shows_the_link_once_and_mails_it(
    vault: Vault, owner: Membership, sign_in: SignIn, mailoutbox: list[object]
) -> None:
    profile = standard_profiles.find(vault, SITE_STAFF)

    answer = sign_in(owner).post(
        f"/v/{vault.pk}/admin/users/invite/", {"email": "Cy@Example.test", "name": "Cy", "profile": profile.pk}
    )

    link = path_of(answer.content.decode())
    assert link in str(mailoutbox[0].body)  # type: ignore[attr-defined]
    assert choose(link)[0] == 302
    assert Client().post("/accounts/login/", {"login": "cy@example.test", "password": CHOSEN}).status_code == 302


def test_a_link_works_once(invite: Callable[..., people.Invited]) -> None:
    link = path_of(invite().link)
    choose(link)

    status, page = choose(link, "another password entirely")

    assert status == 410
    assert "has been used, has run out or was replaced" in page


def test_a_link_ends_after_three_days(invite: Callable[..., people.Invited]) -> None:
    link = path_of(invite().link)
    Invitation.objects.update(expires_at=clock.now() - timedelta(seconds=1))

    assert choose(link)[0] == 410


def test_a_newer_link_makes_the_older_worthless(invite: Callable[..., people.Invited], owner: Membership) -> None:
    invited = invite()
    newer = people.reset_password(invited.member, by=owner, now=clock.now())

    assert choose(path_of(invited.link))[0] == 410
    assert choose(path_of(newer))[0] == 302


@pytest.mark.parametrize("token", ["x", "x" * 500, "%00", "é"])
@pytest.mark.django_db
def test_made_up_links_are_answered_alike(token: str) -> None:
    assert Client().get(f"/accounts/invitation/{token}/").status_code == 410


@pytest.mark.parametrize("password", ["short", "password1234", "cy@example.test"])
def test_a_weak_password_is_refused_and_the_link_lives(invite: Callable[..., people.Invited], password: str) -> None:
    link = path_of(invite().link)

    assert choose(link, password)[0] == 422
    assert choose(link)[0] == 302


def test_two_different_passwords_are_refused(invite: Callable[..., people.Invited]) -> None:
    assert choose(path_of(invite().link), again="something else here")[0] == 422


def test_the_link_is_kept_as_a_hash_and_signs_nobody_in(invite: Callable[..., people.Invited]) -> None:
    link = path_of(invite().link)
    client = Client()
    client.post(link, {"password": CHOSEN, "again": CHOSEN})

    assert link.split("/")[-2] not in str([*Invitation.objects.values(), *AuditEvent.objects.values()])
    assert client.get("/").status_code == 302


def test_somebody_who_is_here_already_is_placed_without_a_link(
    invite: Callable[..., people.Invited], vault: Vault
) -> None:
    known = make_user(email="di@example.test", name="Di", password=PASSWORD)

    invited = invite("DI@example.test")

    assert (invited.link, invited.member.user) == ("", known)
    assert User.objects.get(pk=known.pk).name == "Di"


def test_a_person_another_vault_invited_gets_no_second_link_here(
    invite: Callable[..., people.Invited], other_vault: Vault, join: Join
) -> None:
    there = join(other_vault, standard_profiles.VAULT_OWNER)
    first = people.invite(
        email="cy@example.test",
        name="Cy",
        profile=standard_profiles.find(other_vault, standard_profiles.VAULT_OWNER),
        by=there,
        now=clock.now(),
    )
    owner_here = join(Vault.objects.get(pk=7001), standard_profiles.VAULT_OWNER)

    assert invite(by=owner_here).link == ""
    assert choose(path_of(first.link))[0] == 302


def test_inviting_twice_is_refused_in_one_sentence(invite: Callable[..., people.Invited]) -> None:
    invite()

    with pytest.raises(people.PersonRefused, match="already a member"):
        invite()


def test_a_mail_server_that_is_away_leaves_the_link_to_copy(
    vault: Vault, owner: Membership, sign_in: SignIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    def away(*_args: object, **_more: object) -> int:
        raise ConnectionRefusedError

    monkeypatch.setattr(links, "send_mail", away)
    profile = standard_profiles.find(vault, SITE_STAFF)

    answer = sign_in(owner).post(
        f"/v/{vault.pk}/admin/users/invite/", {"email": "cy@example.test", "name": "Cy", "profile": profile.pk}
    )

    assert "could not be sent" in answer.content.decode()
    assert path_of(answer.content.decode())


def test_a_reset_ends_the_persons_sessions_and_password(
    vault: Vault, owner: Membership, join: Join, sign_in: SignIn
) -> None:
    person = join(vault, SITE_STAFF)
    browser = sign_in(person)

    link = people.reset_password(person, by=owner, now=clock.now())

    assert browser.get("/").status_code == 302
    assert Client().post("/accounts/login/", {"login": person.user.email, "password": PASSWORD}).status_code == 200
    assert choose(path_of(link))[0] == 302
