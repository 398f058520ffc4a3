import re
import time
from collections.abc import Callable

import pytest
from allauth.mfa.models import Authenticator
from allauth.mfa.recovery_codes.internal.auth import RecoveryCodes
from allauth.mfa.totp.internal.auth import TOTP, format_hotp_value, hotp_value
from django.core.cache import cache
from django.test import Client

from tests.factories.people import PASSWORD, make_member, make_vault
from tests.vaultadmin.accounts.conftest import LOGIN, Door
from vaultadmin.models import AuditEvent, SecurityProfile, User
from vaultadmin.permissions import Permission

SECRET = "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP"
ENTER = "/accounts/2fa/authenticate/"


def code(secret: str = SECRET, *, steps: int = 0) -> str:
    return format_hotp_value(hotp_value(secret, int(time.time()) // 30 + steps))


def events(name: str) -> int:
    return AuditEvent.objects.filter(chain=0, event=name).count()


@pytest.fixture
def app(ana: User) -> User:
    TOTP.activate(ana, SECRET)
    return ana


@pytest.fixture
def half_way(app: User) -> Client:
    client = Client()
    answer = client.post(LOGIN, {"login": app.email, "password": PASSWORD})
    assert answer.headers["Location"] == ENTER
    return client


def inside(client: Client) -> bool:
    return "_auth_user_id" in client.session


@pytest.mark.usefixtures("moment")
def test_the_password_alone_opens_nothing(half_way: Client) -> None:
    assert not inside(half_way)
    assert half_way.get("/").status_code == 302


@pytest.mark.usefixtures("moment")
def test_password_and_code_open_the_door(half_way: Client) -> None:
    assert half_way.post(ENTER, {"code": code()}).status_code == 302
    assert inside(half_way)
    assert AuditEvent.objects.get(event="user.signed_in").changes["method"][1] == "password, totp"


@pytest.mark.usefixtures("moment")
@pytest.mark.parametrize(("steps", "opens"), [(-2, False), (-1, True), (0, True), (1, True), (2, False)])
def test_a_clock_may_be_one_step_off(half_way: Client, steps: int, opens: bool) -> None:
    half_way.post(ENTER, {"code": code(steps=steps)})

    assert inside(half_way) is opens


def test_a_code_works_once_in_every_process(half_way: Client, app: User, later: Callable[..., None]) -> None:
    used = code()
    half_way.post(ENTER, {"code": used})
    cache.clear()
    again = Client()
    again.post(LOGIN, {"login": app.email, "password": PASSWORD})
    later(seconds=20)

    again.post(ENTER, {"code": used})

    assert not inside(again)


def test_ten_wrong_codes_stop_the_guessing_and_time_lifts_it(half_way: Client, later: Callable[..., None]) -> None:
    for _ in range(10):
        half_way.post(ENTER, {"code": "000000"})

    answer = half_way.post(ENTER, {"code": code()})
    stopped = inside(half_way)
    later(minutes=14)
    later(minutes=2)
    half_way.post(ENTER, {"code": code()})

    assert (stopped, b"Too many wrong codes" in answer.content) == (False, True)
    assert events("user.second_factor_failed") == 10


@pytest.mark.usefixtures("moment")
def test_a_recovery_code_works_once(half_way: Client, app: User) -> None:
    recovery = RecoveryCodes.activate(app)
    one, two = recovery.get_unused_codes()[:2]
    half_way.post(ENTER, {"code": one})
    assert inside(half_way)

    outcomes = []
    for tried in (one, two):
        client = Client()
        client.post(LOGIN, {"login": app.email, "password": PASSWORD})
        client.post(ENTER, {"code": tried})
        outcomes.append(inside(client))

    assert outcomes == [False, True]


@pytest.mark.usefixtures("moment")
@pytest.mark.django_db(transaction=True)
def test_an_authenticator_app_is_set_up_by_the_page_and_recorded(ana: User) -> None:
    door = Door()
    door.knock(ana.email, PASSWORD)
    client = door.client
    before = client.session.session_key
    page = client.get("/accounts/2fa/totp/activate/")
    secret = client.session["mfa.totp.secret"]
    assert secret in page.content.decode()

    answer = client.post("/accounts/2fa/totp/activate/", {"code": code(secret)})

    assert answer.status_code == 302
    row = Authenticator.objects.get(user=ana, type=Authenticator.Type.TOTP)
    assert row.data["secret"].startswith("v1:")
    assert events("user.second_factor_added") == 2
    assert client.session.session_key != before
    assert inside(client)


@pytest.mark.usefixtures("moment")
def test_recovery_codes_are_shown_and_removing_the_app_is_recorded(app: User, half_way: Client) -> None:
    RecoveryCodes.activate(app)
    half_way.post(ENTER, {"code": code()})

    shown = half_way.get("/accounts/2fa/recovery-codes/").content.decode()
    assert len(re.findall(r"\b\d{8}\b", shown)) >= 10
    half_way.post("/accounts/2fa/totp/deactivate/")

    assert not Authenticator.objects.filter(user=app).exists()
    assert events("user.second_factor_removed") == 2


class Duty:
    """A vault whose profile demands a second factor, and somebody who works there."""

    def __init__(self, user: User) -> None:
        self.vault = make_vault()
        self.member = make_member(self.vault, Permission.ADMIN_USERS, user=user)
        SecurityProfile.objects.filter(pk=self.member.profile_id).update(requires_second_factor=True)
        self.page = f"/v/{self.vault.pk}/admin/users/"


@pytest.mark.usefixtures("moment")
def test_a_member_who_owes_a_second_factor_is_sent_to_set_one_up(ana: User) -> None:
    duty, door = Duty(ana), Door()
    door.knock(ana.email, PASSWORD)

    whole = door.client.get(duty.page)
    fragment = door.client.get(duty.page, headers={"HX-Request": "true"})

    assert (whole.status_code, whole.headers["Location"]) == (302, "/accounts/2fa/")
    assert (fragment.status_code, fragment.headers["HX-Redirect"]) == (401, "/accounts/2fa/")
    assert door.client.get("/accounts/2fa/").status_code == 200


@pytest.mark.usefixtures("moment")
def test_the_duty_meets_a_session_that_is_already_open(ana: User) -> None:
    duty, door = Duty(ana), Door()
    SecurityProfile.objects.update(requires_second_factor=False)
    door.knock(ana.email, PASSWORD)
    assert door.client.get(duty.page).status_code == 200

    SecurityProfile.objects.update(requires_second_factor=True)

    assert door.client.get(duty.page).status_code == 302


@pytest.mark.usefixtures("moment")
def test_the_duty_is_paid_by_a_real_factor_and_not_by_recovery_codes(ana: User) -> None:
    duty, door = Duty(ana), Door()
    door.knock(ana.email, PASSWORD)
    RecoveryCodes.activate(ana)
    assert door.client.get(duty.page).status_code == 302

    TOTP.activate(ana, SECRET)

    assert door.client.get(duty.page).status_code == 200


@pytest.mark.usefixtures("moment")
def test_a_domain_administrator_owes_it_outside_vaults_too(ana: User) -> None:
    User.objects.filter(pk=ana.pk).update(is_domain_admin=True)
    Duty(ana)
    door = Door()
    door.knock(ana.email, PASSWORD)

    assert door.client.get("/vaults/create/").headers["Location"] == "/accounts/2fa/"
