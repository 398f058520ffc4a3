import re
from datetime import timedelta

import pytest
from allauth.mfa.models import Authenticator

from tests.factories.people import PASSWORD, make_member, make_user, make_vault
from vaultadmin import clock
from vaultadmin.models import ApiSession, AuditEvent, VaultSettings
from vaultadmin.permissions import Permission
from vaultadmin.services import api_sessions, people, tokens

HEX = re.compile(r"[0-9a-f]{128}")


def later(monkeypatch, **apart):
    moment = clock.now() + timedelta(**apart)
    monkeypatch.setattr(clock, "now", lambda: moment)


def test_right_password_gives_a_session_of_the_addressed_vault(api, member):
    answer = api.sign_in(member)

    assert answer.status == 200
    assert answer.ok
    assert HEX.fullmatch(answer.body["sessionId"])
    assert answer.body["userId"] == member.user_id
    assert answer.body["vaultId"] == api.vault.pk
    assert answer.body["vaultIds"] == [
        {"id": api.vault.pk, "name": api.vault.name, "url": f"http://{api.vault.dns}/api"}
    ]


def test_address_of_the_vault_is_returned_exactly_as_the_client_addressed_it(api, member):
    api.host = api.vault.dns.upper() + ":8443"

    answer = api.sign_in(member)

    assert answer.body["vaultIds"][0]["url"] == f"http://{api.host}/api"
    assert api.get("/v24.3").body["values"]["v24.3"] == f"http://{api.host}/api/v24.3"


def test_address_below_the_vault_id_names_vaults_the_same_way(api, member):
    api.host, api.root = "localhost:8000", f"/v/{api.vault.pk}/api"

    answer = api.sign_in(member)

    assert answer.body["vaultId"] == api.vault.pk
    assert answer.body["vaultIds"][0]["url"] == f"http://localhost:8000/v/{api.vault.pk}/api"
    assert api.get("/v24.3/objects/users/me").ok


@pytest.mark.parametrize("place", ["form", "multipart", "query"])
def test_credentials_are_read_wherever_the_client_puts_them(api, member, place):
    from urllib.parse import urlencode

    values = {"username": member.user.email, "password": PASSWORD}
    if place == "multipart":
        answer = api.call("POST", "/v24.3/auth", data=values)
    elif place == "query":
        answer = api.call("POST", "/v24.3/auth", query=urlencode(values) + "&client_id=aws-sample", clientId="odd")
    else:
        response = api.client.post(
            "/api/v24.3/auth",
            urlencode(values),
            content_type="application/x-www-form-urlencoded",
            headers={"Host": api.host},
        )
        assert response.json()["responseStatus"] == "SUCCESS"
        return

    assert answer.ok


def test_vault_dns_wins_over_the_host(api, member):
    other = make_vault()
    make_member(other, Permission.API_ACCESS, user=member.user)

    answer = api.sign_in(member, data={"vaultDNS": other.dns})

    assert answer.body["vaultId"] == other.pk
    assert {entry["id"] for entry in answer.body["vaultIds"]} == {api.vault.pk, other.pk}


@pytest.mark.parametrize("dns", ["nowhere.example.test", "\x00", "[::1]", "x" * 300])
def test_unknown_dns_leads_to_the_vault_used_last_else_the_oldest(api, member, dns):
    newer = make_vault()
    make_member(newer, Permission.API_ACCESS, user=member.user)

    assert api.sign_in(member, data={"vaultDNS": dns}).body["vaultId"] == api.vault.pk
    assert api.sign_in(member, data={"vaultDNS": newer.dns}).body["vaultId"] == newer.pk
    assert api.sign_in(member, data={"vaultDNS": dns}).body["vaultId"] == newer.pk


def test_somebody_of_another_vault_gets_a_session_of_their_own(api):
    stranger = make_member(make_vault(), Permission.API_ACCESS, user=make_user(password=PASSWORD))

    answer = api.sign_in(stranger)

    assert answer.body["vaultId"] == stranger.vault_id
    assert api.get("/v24.3/objects/users/me").error == "INVALID_SESSION_ID"


def test_somebody_without_any_vault_is_refused(api):
    nobody = make_member(make_vault(), Permission.API_ACCESS, user=make_user(password=PASSWORD))
    nobody.is_active = False
    nobody.save()

    assert api.sign_in(nobody).error == "INSUFFICIENT_ACCESS"


@pytest.mark.parametrize(
    ("values", "error"),
    [
        ({}, "PARAMETER_REQUIRED"),
        ({"username": "a@b.test"}, "NO_PASSWORD_PROVIDED"),
        ({"username": "a@b.test", "password": "wrong"}, "USERNAME_OR_PASSWORD_INCORRECT"),
        ({"username": "a\x00b", "password": "wrong"}, "USERNAME_OR_PASSWORD_INCORRECT"),
        ({"username": "a@b.test", "password": "x" * 5000}, "USERNAME_OR_PASSWORD_INCORRECT"),
        ({"username": ["a@b.test", "c@d.test"], "password": "wrong"}, "INVALID_DATA"),
    ],
)
def test_sign_in_that_cannot_be_says_why_in_the_envelope(api, values, error):
    answer = api.call("POST", "/v24.3/auth", data=values)

    assert answer.status == 200
    assert answer.error == error
    has_kind = error in ("NO_PASSWORD_PROVIDED", "USERNAME_OR_PASSWORD_INCORRECT")
    assert answer.body.get("errorType") == ("AUTHENTICATION_FAILED" if has_kind else None)


def test_known_and_unknown_people_are_told_the_same(api, member):
    known = api.sign_in(member, password="wrong").body
    unknown = api.call("POST", "/v24.3/auth", data={"username": "nobody@example.test", "password": "wrong"}).body

    assert known == unknown


def test_wrong_passwords_lock_before_anything_is_hashed_and_the_right_one_is_refused_too(api, member, monkeypatch):
    hashed = []
    check = type(member.user).check_password
    monkeypatch.setattr(type(member.user), "check_password", lambda user, raw: hashed.append(raw) or check(user, raw))

    errors = [api.sign_in(member, password="wrong").error for _ in range(14)]

    assert len(hashed) == 10
    assert set(errors[10:]) <= {"USER_LOCKED_OUT", "API_LIMIT_EXCEEDED"}
    assert not api.sign_in(member).ok


def test_inactive_person_is_told_so_only_with_the_right_password(api, member):
    member.user.is_active = False
    member.user.save()

    assert api.sign_in(member, password="wrong").error == "USERNAME_OR_PASSWORD_INCORRECT"
    assert api.sign_in(member).error == "INACTIVE_USER"


def test_profile_that_demands_a_second_factor_opens_no_session_by_password(api, member):
    member.profile.requires_second_factor = True
    member.profile.save()

    assert api.sign_in(member).error == "INSUFFICIENT_ACCESS"
    assert not ApiSession.objects.exists()


def test_person_with_a_second_factor_of_their_own_uses_a_token_instead(api, member):
    Authenticator.objects.create(user=member.user, type=Authenticator.Type.TOTP, data={})

    answer = api.sign_in(member)

    assert answer.error == "INSUFFICIENT_ACCESS"
    assert "API access token" in answer.body["errors"][0]["message"]


def test_session_ends_when_the_profile_begins_to_demand_a_second_factor(api, member):
    api.sign_in(member)
    member.profile.requires_second_factor = True
    member.profile.save()

    assert api.get("/v24.3/objects/users/me").error == "INVALID_SESSION_ID"


def test_without_access_api_the_permission_is_named(api, vault):
    outsider = make_member(vault, user=make_user(password=PASSWORD))

    answer = api.sign_in(outsider)

    assert answer.error == "INSUFFICIENT_ACCESS"
    assert "API: Access API" in answer.body["errors"][0]["message"]


def test_losing_access_api_counts_from_the_next_call(api, member):
    api.sign_in(member)
    member.profile.permissions = []
    member.profile.save()

    assert api.get("/v24.3/objects/users/me").error == "INSUFFICIENT_ACCESS"


@pytest.mark.parametrize("form", ["{}", "Bearer {}", '"{}"', 'Bearer "{}"', "bearer {}"])
def test_session_is_accepted_in_every_form_clients_send_it(api, member, form):
    session = api.sign_in(member).body["sessionId"]

    answer = api.get("/v24.3/objects/users/me", Authorization=form.format(session))

    assert answer.body["users"][0]["user"]["id"] == member.user_id
    assert answer.body["users"][0]["user"]["user_name__v"] == member.user.email
    assert answer.headers["X-VaultAPI-UserId"] == str(member.user_id)
    assert answer.headers["X-VaultAPI-TruncatedSessionId"] == session[:8]
    assert answer.headers["X-VaultAPI-VaultId"] == str(api.vault.pk)


@pytest.mark.parametrize("shown", ["", "x", "0" * 128, "Bearer", "va_wrong", "0" * 5000, "é"])
def test_wrong_session_is_refused(api, member, shown):
    assert api.get("/v24.3/objects/users/me", Authorization=shown).error == "INVALID_SESSION_ID"


def test_session_is_kept_as_a_hash_only(api, member):
    session = api.sign_in(member).body["sessionId"]

    row = ApiSession.objects.get()
    assert session not in str(vars(row))
    assert bytes(row.token_hash) != session.encode()


def test_session_of_another_vault_is_refused(api, member):
    other = make_vault()
    make_member(other, Permission.API_ACCESS, user=member.user)
    api.sign_in(member)

    api.host = other.dns

    assert api.get("/v24.3/objects/users/me").error == "INVALID_SESSION_ID"


def test_session_alone_names_the_vault_where_the_host_does_not(api, member):
    api.sign_in(member)
    api.host = "localhost"

    assert api.get("/v24.3/objects/users/me").headers["X-VaultAPI-VaultId"] == str(api.vault.pk)


def test_ended_session_is_refused_and_its_end_is_recorded(api, member):
    api.sign_in(member)

    assert api.call("DELETE", "/v24.3/session").ok

    assert api.get("/v24.3/objects/users/me").error == "INVALID_SESSION_ID"
    events = AuditEvent.objects.filter(chain=api.vault.pk).values_list("event", flat=True)
    assert {"api_session.created", "api_session.ended"} <= set(events)


def test_idle_session_ends_and_keep_alive_starts_the_time_anew(api, member, monkeypatch):
    VaultSettings.objects.create(vault=api.vault, session_minutes=10)
    api.sign_in(member)

    later(monkeypatch, minutes=9)
    assert api.call("POST", "/v24.3/keep-alive").ok
    later(monkeypatch, minutes=9)
    assert api.get("/v24.3/objects/users/me").ok
    later(monkeypatch, minutes=11)
    assert api.get("/v24.3/objects/users/me").error == "INVALID_SESSION_ID"


def test_no_session_lives_longer_than_two_days(api, member, monkeypatch):
    api.sign_in(member)
    row = ApiSession.objects.get()
    ApiSession.objects.update(last_used_at=row.created_at + timedelta(hours=48))

    later(monkeypatch, hours=48, seconds=1)

    assert api.get("/v24.3/objects/users/me").error == "INVALID_SESSION_ID"


def test_password_change_ends_the_session(api, member):
    api.sign_in(member)
    member.user.set_password("another long password")
    member.user.save()

    assert api.get("/v24.3/objects/users/me").error == "INVALID_SESSION_ID"


def test_deactivated_member_is_out_and_stays_out_when_reactivated(api, member):
    owner = make_member(api.vault, *Permission)
    api.sign_in(member)

    people.set_active(member, active=False, by=owner, reason="Left")
    people.set_active(member, active=True, by=owner, reason="Back")

    assert api.get("/v24.3/objects/users/me").error == "INVALID_SESSION_ID"


def test_another_security_profile_ends_the_session(api, member):
    owner = make_member(api.vault, *Permission)
    api.sign_in(member)

    people.change_profile(member, profile=owner.profile, by=owner)

    assert api.get("/v24.3/objects/users/me").error == "INVALID_SESSION_ID"


def test_signing_somebody_out_everywhere_ends_their_api_sessions(api, member):
    owner = make_member(api.vault, *Permission)
    api.sign_in(member)

    people.end_sessions(member, by=owner)

    assert api.get("/v24.3/objects/users/me").error == "INVALID_SESSION_ID"


def test_session_made_with_a_client_id_is_refused_with_another_or_none(api, member):
    api.headers = {"X-VaultAPI-ClientID": "acme-app"}
    api.sign_in(member)

    assert api.get("/v24.3/objects/users/me").ok
    api.headers = {}
    assert api.get("/v24.3/objects/users/me").error == "INVALID_SESSION_ID"
    assert api.get("/v24.3/objects/users/me", query="client_id=other").error == "INVALID_SESSION_ID"


def test_api_access_token_signs_in_within_its_vault(api, member):
    raw = tokens.create_token(member=member, name="Program", scopes=[], by=member, now=clock.now()).raw

    answer = api.get("/v24.3/objects/users/me", Authorization=f"Bearer {raw}")

    assert answer.ok
    assert answer.headers["X-VaultAPI-TruncatedSessionId"] == raw[:10]
    assert api.call("POST", "/v24.3/keep-alive", Authorization=raw).error == "OPERATION_NOT_ALLOWED"
    assert api.call("DELETE", "/v24.3/session", Authorization=raw).error == "OPERATION_NOT_ALLOWED"
    api.host = make_vault().dns
    assert api.get("/v24.3/objects/users/me", Authorization=raw).error == "INVALID_SESSION_ID"


def test_old_sessions_are_forgotten(api, member):
    api.sign_in(member)

    assert api_sessions.forget_old(now=clock.now() + timedelta(days=29)) == 0
    assert api_sessions.forget_old(now=clock.now() + timedelta(days=33)) == 1
