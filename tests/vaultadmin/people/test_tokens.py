import re
from collections.abc import Callable
from datetime import timedelta

import pytest
from allauth.mfa.models import Authenticator

from tests.vaultadmin.people.conftest import Join, SignIn
from vaultadmin import clock
from vaultadmin.models import ApiToken, AuditEvent, Membership, SecurityProfile, User, Vault
from vaultadmin.permissions import Permission
from vaultadmin.services import tokens
from vaultadmin.standard_profiles import AUDITOR, INTEGRATION_USER

P = Permission


@pytest.fixture
def robot(vault: Vault, join: Join) -> Membership:
    return Membership.objects.for_request().get(pk=join(vault, INTEGRATION_USER).pk)


@pytest.fixture
def issue(robot: Membership) -> Callable[..., tokens.IssuedToken]:
    def make(*scopes: Permission, days: int = 90) -> tokens.IssuedToken:
        return tokens.create_token(member=robot, name="RTSM", scopes=scopes, days=days, by=robot, now=clock.now())

    return make


def who(raw: str, vault_id: int = 7001) -> tokens.TokenActor | None:
    return tokens.authenticate(raw, vault_id=vault_id, now=clock.now())


def test_a_token_speaks_for_its_owner_within_its_scopes(
    issue: Callable[..., tokens.IssuedToken], robot: Membership
) -> None:
    actor = who(issue(P.CONNECTION_READ).raw)

    assert actor is not None
    assert actor.member == robot
    assert [actor.can(p) for p in (P.API_ACCESS, P.CONNECTION_READ, P.ECOA_MANAGE, P.ADMIN_USERS)] == [
        True,
        True,
        False,
        False,
    ]


def test_a_wide_scope_carries_the_narrow_ones(issue: Callable[..., tokens.IssuedToken]) -> None:
    actor = who(issue(P.ECOA_MANAGE).raw)

    assert actor is not None
    assert actor.can(P.ECOA_VIEW_SITES)


def test_a_right_the_owner_loses_the_token_loses(issue: Callable[..., tokens.IssuedToken], robot: Membership) -> None:
    raw = issue(P.ECOA_MANAGE).raw
    SecurityProfile.objects.filter(pk=robot.profile_id).update(permissions=[P.API_ACCESS])

    actor = who(raw)

    assert actor is not None
    assert not actor.can(P.ECOA_MANAGE)


@pytest.mark.parametrize(
    "fault", ["expired", "revoked", "member", "person", "vault", "altered", "cut", "second factor"]
)
def test_a_token_that_is_over_speaks_for_nobody(
    issue: Callable[..., tokens.IssuedToken], robot: Membership, fault: str
) -> None:
    issued = issue(days=1)
    raw, vault_id = issued.raw, 7001
    if fault == "expired":
        ApiToken.objects.update(expires_at=clock.now())
    elif fault == "revoked":
        tokens.revoke_token(issued.token, by=robot, now=clock.now())
    elif fault == "member":
        Membership.objects.filter(pk=robot.pk).update(is_active=False)
    elif fault == "person":
        User.objects.filter(pk=robot.user_id).update(is_active=False)
    elif fault == "vault":
        vault_id = 7002
    elif fault == "altered":
        raw = raw[:-1] + ("A" if raw[-1] != "A" else "B")
    elif fault == "cut":
        raw = raw[:-1]
    else:
        SecurityProfile.objects.filter(pk=robot.profile_id).update(requires_second_factor=True)

    assert who(raw, vault_id) is None


def test_a_second_factor_lets_the_token_work_again(issue: Callable[..., tokens.IssuedToken], robot: Membership) -> None:
    raw = issue().raw
    SecurityProfile.objects.filter(pk=robot.profile_id).update(requires_second_factor=True)
    Authenticator.objects.create(user=robot.user, type=Authenticator.Type.TOTP, data={})

    assert who(raw) is not None


@pytest.mark.parametrize("raw", ["", "va_", "va_x", "Bearer", "va_" + "x" * 10_000, "va_\x00", "va_\ud800", "é"])
@pytest.mark.django_db
def test_made_up_tokens_are_refused_alike(raw: str) -> None:
    assert who(raw) is None


def test_nobody_hands_on_what_they_do_not_hold(issue: Callable[..., tokens.IssuedToken]) -> None:
    with pytest.raises(tokens.TokenRefused, match="Admin: Users"):
        issue(P.ADMIN_USERS)


@pytest.mark.parametrize("days", [0, 366, -1])
def test_a_token_always_ends(issue: Callable[..., tokens.IssuedToken], days: int) -> None:
    with pytest.raises(tokens.TokenRefused, match="1 to 365"):
        issue(days=days)


def test_use_is_noted_coarsely(issue: Callable[..., tokens.IssuedToken]) -> None:
    issued = issue()
    start = clock.now()

    stamps = []
    for minutes in (0, 5, 11):
        tokens.authenticate(issued.raw, vault_id=7001, now=start + timedelta(minutes=minutes))
        stamps.append(ApiToken.objects.get().last_used_at)

    assert stamps == [start, start, start + timedelta(minutes=11)]


def test_the_page_shows_the_token_once_and_keeps_a_hash(robot: Membership, sign_in: SignIn) -> None:
    client = sign_in(robot)
    url = f"/v/{robot.vault_id}/my/tokens/"

    shown = client.post(f"{url}create/", {"name": "RTSM", "days": "30", "scopes": [P.ECOA_MANAGE]}).content.decode()

    raw = re.search(r"va_[\w-]{43}", shown).group()
    assert who(raw) is not None
    later = client.get(url).content.decode()
    assert (raw in later, raw[:10] in later) == (False, True)
    assert raw not in str([*AuditEvent.objects.values(), *ApiToken.objects.values()])


def test_a_token_is_revoked_by_its_owner_and_nobody_else(
    issue: Callable[..., tokens.IssuedToken], vault: Vault, robot: Membership, join: Join, sign_in: SignIn
) -> None:
    issued = issue()
    url = f"/v/{vault.pk}/my/tokens/{issued.token.pk}/revoke/"

    assert sign_in(join(vault, INTEGRATION_USER)).post(url).status_code == 404
    assert who(issued.raw) is not None
    sign_in(robot).post(url)
    assert who(issued.raw) is None
    assert AuditEvent.objects.filter(event="api_token.revoked").count() == 1


def test_without_api_access_there_is_nothing_to_create(vault: Vault, join: Join, sign_in: SignIn) -> None:
    client = sign_in(join(vault, AUDITOR))

    assert client.get(f"/v/{vault.pk}/my/tokens/").status_code == 200
    assert client.get(f"/v/{vault.pk}/my/tokens/create/").status_code == 403
