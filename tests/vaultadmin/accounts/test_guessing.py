import itertools
import re
from collections.abc import Callable
from statistics import median
from time import perf_counter

import pytest
from axes.models import AccessAttempt

from tests.factories.people import PASSWORD
from tests.tools.evidence import Goal
from tests.vaultadmin.accounts.conftest import Door
from vaultadmin.accounts import lockout
from vaultadmin.models import AuditEvent, User

TOKEN = re.compile(r"[A-Za-z0-9]{64}")
WRONG = "not the password at all"


def events(name: str) -> int:
    return AuditEvent.objects.filter(chain=0, event=name).count()


@pytest.mark.usefixtures("moment")
def test_ten_wrong_passwords_a_minute_are_hashed_and_no_more(ana: User, hashes: list[str]) -> None:
    door = Door()

    answers = [door.knock(f"person{number}@example.test", WRONG) for number in range(25)]

    assert answers == ["wrong"] * 10 + ["wait"] * 15
    assert len(hashes) == 10


def test_the_next_minute_hashes_ten_again(ana: User, hashes: list[str], later: Callable[..., None]) -> None:
    door = Door()
    for number in range(12):
        door.knock(f"a{number}@example.test", WRONG)

    later(seconds=61)

    assert door.knock("b@example.test", WRONG) == "wrong"
    assert len(hashes) == 11


@pytest.mark.usefixtures("moment")
def test_right_passwords_do_not_use_up_the_address(ana: User) -> None:
    assert [Door().knock(ana.email, PASSWORD) for _ in range(12)] == ["in"] * 12


@pytest.mark.usefixtures("moment")
def test_another_address_is_not_slowed(ana: User, bo: User) -> None:
    for _ in range(15):
        Door("192.0.2.1").knock(ana.email, WRONG)

    assert Door("192.0.2.2").knock(bo.email, PASSWORD) == "in"
    assert Door("192.0.2.2").knock(ana.email, PASSWORD) == "in"


def test_the_right_password_is_refused_while_locked_and_time_unlocks(ana: User, later: Callable[..., None]) -> None:
    door = Door()
    for _ in range(10):
        door.knock(ana.email, WRONG)
    later(minutes=2)

    refused = door.knock(ana.email, PASSWORD)
    later(minutes=14)

    assert (refused, door.knock(ana.email, PASSWORD)) == ("wait", "in")


def test_while_locked_nothing_is_hashed(ana: User, hashes: list[str], later: Callable[..., None]) -> None:
    door = Door()
    for _ in range(10):
        door.knock(ana.email, WRONG)
    later(minutes=2)
    hashes.clear()

    door.knock(ana.email, PASSWORD)

    assert hashes == []


def test_a_lock_on_one_person_leaves_others_of_the_address_alone(
    ana: User, bo: User, later: Callable[..., None]
) -> None:
    door = Door()
    for _ in range(10):
        door.knock(ana.email, WRONG)
    later(minutes=2)

    assert Door().knock(bo.email, PASSWORD) == "in"


def test_spelling_the_address_in_another_way_meets_the_same_lock(ana: User, later: Callable[..., None]) -> None:
    for _ in range(10):
        Door().knock(ana.email.upper(), WRONG)
    later(minutes=2)

    assert Door().knock(ana.email, PASSWORD) == "wait"


def test_unlocking_lets_the_owner_in_at_once(ana: User, later: Callable[..., None]) -> None:
    for _ in range(10):
        Door().knock(ana.email, WRONG)
    later(minutes=2)
    assert lockout.locked_addresses(ana) == ["192.0.2.1"]

    lockout.unlock(ana)

    assert Door().knock(ana.email, PASSWORD) == "in"


@pytest.mark.usefixtures("moment")
def test_known_and_unknown_people_read_the_same(ana: User) -> None:
    door = Door()
    door.knock(ana.email, WRONG)
    known = door.text.replace(ana.email, "X")
    door.knock("nobody@example.test", WRONG)

    assert TOKEN.sub("", door.text.replace("nobody@example.test", "X")) == TOKEN.sub("", known)


@pytest.mark.parametrize("kind", ["known", "unknown", "invited", "inactive"])
@pytest.mark.usefixtures("moment")
def test_everybody_costs_exactly_one_hash(ana: User, bo: User, hashes: list[str], kind: str) -> None:
    bo.set_unusable_password()
    bo.save()
    email = {"known": ana.email, "unknown": "nobody@example.test", "invited": bo.email, "inactive": ana.email}[kind]
    User.objects.filter(pk=ana.pk).update(is_active=kind != "inactive")
    hashes.clear()

    Door().knock(email, WRONG)

    assert len(hashes) == 1


@pytest.mark.evidence
@pytest.mark.usefixtures("full_price_hashes")
def test_known_and_unknown_people_wait_the_same(ana: User, goal: Callable[[str], Goal]) -> None:
    def seconds(email: str, number: int) -> float:
        door = Door(f"198.51.{number // 200}.{number % 200}")
        start = perf_counter()
        assert door.knock(email, WRONG) == "wrong"
        return perf_counter() - start

    g2 = goal("G2")
    tries = g2.count(small=8, full=200)
    seconds(ana.email, 9_000), seconds("nobody@example.test", 9_001)
    pairs = [(seconds(ana.email, n), seconds(f"nobody{n}@example.test", n)) for n in range(tries)]

    known, unknown = (median(times) for times in zip(*pairs, strict=True))
    apart = abs(known - unknown) / unknown
    # A few tries on a busy machine are noisy; the promise itself is checked over 200.
    allowed = 0.05 if tries >= 200 else 0.5
    g2.reached(figure=round(apart, 3), target=f"< {allowed}", ok=apart < allowed)


@pytest.mark.evidence
def test_a_flood_costs_ten_hashes_a_minute_and_shuts_nobody_else_out(
    ana: User, bo: User, hashes: list[str], later: Callable[..., None], goal: Callable[[str], Goal]
) -> None:
    g1 = goal("G1")
    tries = g1.count(small=40, full=1000)
    door, hashed = Door(), []
    for number in range(2 * tries):
        if number % 20 == 0:
            later(seconds=61)
            hashed.append(len(hashes))
        door.knock(ana.email if number < tries else f"nobody{number}@example.test", WRONG)
    hashed.append(len(hashes))

    most = max(after - before for before, after in itertools.pairwise(hashed))
    others = Door("192.0.2.99").knock(bo.email, PASSWORD)
    g1.reached(figure={"hashes a minute": most, "others": others}, target="<= 10, in", ok=most <= 10 and others == "in")


@pytest.mark.usefixtures("moment")
def test_attempts_are_recorded_without_what_was_typed_as_password(ana: User) -> None:
    for _ in range(14):
        Door().knock(ana.email, "canary-guess-7731")

    assert (events("sign_in.failed"), events("sign_in.locked"), events("sign_in.refused")) == (10, 1, 1)
    kept = [*AuditEvent.objects.values(), *AccessAttempt.objects.values()]
    assert "canary-guess" not in str(kept)


@pytest.mark.parametrize("email", ["x" * 300 + "@example.test", "a\x00b@example.test", "not an address", ""])
def test_odd_addresses_are_answered_like_wrong_ones(ana: User, email: str) -> None:
    assert Door().knock(email, WRONG) == "wrong"


def test_a_proxy_header_from_outside_changes_nothing(ana: User) -> None:
    door = Door()
    for number in range(12):
        door.client.post(
            "/accounts/login/",
            {"login": "n@example.test", "password": WRONG},
            headers={"X-Forwarded-For": f"10.0.0.{number}"},
        )

    assert door.knock("n@example.test", WRONG) == "wait"
