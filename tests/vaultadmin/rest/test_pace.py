from datetime import timedelta

import pytest

from tests.factories.people import PASSWORD, make_member, make_user
from vaultadmin import clock
from vaultadmin.models import CallWindow
from vaultadmin.permissions import Permission
from vaultadmin.rest import pace

ME = "/v24.3/objects/users/me"


def after(monkeypatch, **apart):
    moment = clock.now() + timedelta(**apart)
    monkeypatch.setattr(clock, "now", lambda: moment)


def test_calls_beyond_the_burst_limit_are_delayed_and_not_refused(api, member, settings, monkeypatch):
    api.sign_in(member)
    settings.API_BURST_LIMIT = 3

    answers = [api.get(ME) for _ in range(5)]

    assert all(answer.ok for answer in answers)
    assert [answer.headers["X-VaultAPI-BurstLimitRemaining"] for answer in answers] == ["2", "1", "0", "0", "0"]
    assert [answer.headers.get("X-VaultAPI-ResponseDelay") for answer in answers] == [None, None, None, "500", "500"]
    after(monkeypatch, minutes=5, seconds=1)
    assert "X-VaultAPI-ResponseDelay" not in api.get(ME).headers


def test_strangers_do_not_use_up_the_window_of_a_vault(api, member, settings):
    settings.API_BURST_LIMIT = 5
    for _ in range(20):
        api.get(ME, Authorization="0" * 128)
    api.sign_in(member)

    assert "X-VaultAPI-ResponseDelay" not in api.get(ME).headers


def test_sign_ins_are_delayed_from_half_of_their_limit_and_refused_at_it(api, member, monkeypatch):
    answers = [api.sign_in(member) for _ in range(21)]

    assert all(answer.ok for answer in answers[:20])
    assert ["X-VaultAPI-ResponseDelay" in answer.headers for answer in answers[:20]] == [False] * 10 + [True] * 10
    assert answers[20].error == "API_LIMIT_EXCEEDED"
    assert answers[0].headers["X-VaultAPI-BurstLimit"] == "20"
    after(monkeypatch, minutes=1, seconds=1)
    assert api.sign_in(member).ok


def test_wrong_guesses_do_not_use_up_a_persons_sign_ins(api, member):
    for number in range(40):
        api.client.defaults["REMOTE_ADDR"] = f"198.51.100.{number}"
        api.sign_in(member, password="wrong")
    api.client.defaults["REMOTE_ADDR"] = "203.0.113.1"

    assert api.sign_in(member).ok


def test_sign_ins_of_one_person_are_no_matter_to_another(api, vault, member):
    other = make_member(vault, Permission.API_ACCESS, user=make_user(password=PASSWORD))
    for _ in range(21):
        api.sign_in(member)

    assert api.sign_in(other).ok


def test_counters_are_kept_in_the_database_without_what_was_typed(api, member):
    api.sign_in(member)

    keys = list(CallWindow.objects.values_list("key", flat=True))
    assert any(key.startswith("api-sign-in:") for key in keys)
    assert member.user.email not in str(keys)


@pytest.mark.django_db
def test_window_is_fixed_and_begins_with_its_first_call():
    now, minute = clock.now(), timedelta(minutes=1)

    counts = [
        pace.count("k", limit=9, within=minute, now=now + timedelta(seconds=seconds)).calls
        for seconds in (0, 30, 59, 61, 100, 122)
    ]

    assert counts == [1, 2, 3, 1, 2, 1]


@pytest.mark.django_db
def test_old_windows_are_forgotten():
    pace.count("k", limit=9, within=timedelta(minutes=1), now=clock.now() - timedelta(days=2))

    assert pace.forget_old(now=clock.now()) == 1
