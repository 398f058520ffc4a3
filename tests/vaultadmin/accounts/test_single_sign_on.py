from typing import Any

import pytest
from allauth.socialaccount.models import SocialAccount
from allauth.socialaccount.providers.openid_connect.views import OpenIDConnectOAuth2Adapter
from django.test import Client

from tests.factories.people import PASSWORD, make_member, make_user, make_vault
from vaultadmin import clock
from vaultadmin.models import AuditEvent, User
from vaultadmin.permissions import Permission

START = "/accounts/oidc/sso/login/"
PROVIDER = {
    "openid_connect": {
        "OAUTH_PKCE_ENABLED": True,
        "APPS": [
            {
                "provider_id": "sso",
                "name": "Corporate sign-in",
                "client_id": "vaultadmin",
                "secret": "not-used-here",
                "settings": {"server_url": "https://idp.example.test"},
            }
        ],
    }
}
CONFIG = {
    "issuer": "https://idp.example.test",
    "authorization_endpoint": "https://idp.example.test/authorize",
    "token_endpoint": "https://idp.example.test/token",
    "userinfo_endpoint": "https://idp.example.test/userinfo",
    "jwks_uri": "https://idp.example.test/keys",
}


class Provider:
    """An identity provider that says what the test wants about whoever comes back from it."""

    def __init__(self) -> None:
        self.claims: dict[str, Any] = {}

    def vouch(self, client: Client, *, start: str = START, **claims: Any) -> str:
        self.claims = {"sub": "u-1", "email_verified": True} | claims
        away = client.post(start)
        assert away.headers["Location"].startswith(CONFIG["authorization_endpoint"])
        state = dict(part.split("=") for part in away.headers["Location"].split("?")[1].split("&"))["state"]
        back = client.get(f"/accounts/oidc/sso/login/callback/?code=c&state={state}")
        assert back.status_code == 302
        return back.headers["Location"]


@pytest.fixture
def provider(settings: Any, monkeypatch: pytest.MonkeyPatch) -> Provider:
    settings.SOCIALACCOUNT_PROVIDERS = PROVIDER
    made = Provider()
    monkeypatch.setattr(OpenIDConnectOAuth2Adapter, "openid_config", CONFIG)
    monkeypatch.setattr(
        "allauth.socialaccount.providers.oauth2.client.OAuth2Client.get_access_token",
        lambda *_args, **_more: {"access_token": "a", "id_token": "b"},
    )
    monkeypatch.setattr(OpenIDConnectOAuth2Adapter, "_fetch_user_info", lambda *_args: dict(made.claims))
    monkeypatch.setattr(OpenIDConnectOAuth2Adapter, "_decode_id_token", lambda *_args: dict(made.claims))
    return made


def inside(client: Client) -> bool:
    return "_auth_user_id" in client.session


@pytest.mark.django_db
def test_the_button_is_there_when_a_provider_is_set_and_only_then(provider: Provider, settings: Any) -> None:
    with_provider = Client().get("/accounts/login/").content.decode()
    settings.SOCIALACCOUNT_PROVIDERS = {}
    without = Client().get("/accounts/login/").content.decode()

    assert ("Corporate sign-in" in with_provider, "Corporate sign-in" in without) == (True, False)


def test_a_known_person_with_a_verified_address_is_let_in_and_linked(provider: Provider, ana: User) -> None:
    client = Client()
    provider.vouch(client, email="Ana@Example.test")

    assert inside(client)
    assert SocialAccount.objects.get().user == ana
    assert AuditEvent.objects.filter(event="user.single_sign_on_linked").count() == 1
    assert "sso" in AuditEvent.objects.get(event="user.signed_in").changes["method"][1]


@pytest.mark.parametrize(
    "claims",
    [
        {"email": "nobody@example.test"},
        {"email": "ana@example.test", "email_verified": False},
        {"email": "ana@example.test", "email_verified": "false"},
        {"email": "ana@example.test", "email_verified": "true"},
        {"email": "ana@example.test", "email_verified": None},
        {"email": ""},
        {},
    ],
)
def test_anybody_else_is_sent_back_and_nobody_is_created(provider: Provider, ana: User, claims: dict[str, Any]) -> None:
    client = Client()

    assert provider.vouch(client, **claims) == "/accounts/login/"

    assert not inside(client)
    assert (User.objects.count(), SocialAccount.objects.count()) == (1, 0)
    assert AuditEvent.objects.filter(event="sign_in.single_sign_on_refused").count() == 1
    assert b"belongs to nobody here" in client.get("/accounts/login/").content


def test_an_address_the_provider_gives_to_somebody_else_does_not_open_the_first_ones_account(
    provider: Provider, ana: User
) -> None:
    provider.vouch(Client(), email=ana.email, sub="u-1")
    successor = Client()

    provider.vouch(successor, email=ana.email, sub="u-2")

    assert not inside(successor)
    assert SocialAccount.objects.count() == 1


def test_once_linked_the_providers_own_id_decides(provider: Provider, ana: User) -> None:
    provider.vouch(Client(), email=ana.email)
    client = Client()

    provider.vouch(client, email="renamed@example.test", email_verified=False)

    assert inside(client)


def test_a_deactivated_person_stays_out(provider: Provider, ana: User) -> None:
    provider.vouch(Client(), email=ana.email)
    User.objects.filter(pk=ana.pk).update(is_active=False)
    client = Client()

    provider.vouch(client, email=ana.email)

    assert not inside(client)


def test_somebody_signed_in_cannot_attach_an_account_to_themselves(provider: Provider, ana: User, bo: User) -> None:
    client = Client()
    client.post("/accounts/login/", {"login": bo.email, "password": PASSWORD})

    provider.vouch(client, start=f"{START}?process=connect", email=ana.email)

    assert not SocialAccount.objects.exists()


def test_a_sign_in_counts_as_fresh_from_when_the_provider_really_asked(provider: Provider, db: None) -> None:
    person = make_user(email="cy@example.test")
    member = make_member(make_vault(), Permission.ADMIN_USERS, user=person)
    url = f"/v/{member.vault_id}/admin/users/invite/"
    asked_now, asked_long_ago = Client(), Client()
    now = clock.now().timestamp()

    provider.vouch(asked_now, email=person.email, auth_time=int(now))
    provider.vouch(asked_long_ago, email=person.email, auth_time=int(now) - 3600)

    assert asked_now.get(url).status_code == 200
    again = asked_long_ago.get(url).headers["Location"]
    assert again.startswith(START)
    assert "prompt%3Dlogin" in again
    assert provider.vouch(asked_long_ago, start=again, email=person.email, auth_time=int(now)) == url
    assert asked_long_ago.get(url).status_code == 200
