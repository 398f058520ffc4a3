import pytest

from vaultadmin.embedded.errors import EmbeddedError
from vaultadmin.embedded.mending import Mender


class Servers:
    def __init__(self, *answers):
        self.answers = list(answers)

    def fallen(self):
        return bool(self.answers)

    def mend(self):
        answer = self.answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer


class Clock:
    now = 100.0

    def __call__(self):
        return self.now


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def told():
    return []


def test_fallen_server_that_starts_again_is_named(told, clock):
    assert Mender(Servers(["redis"]), tell=told.append, clock=clock).check() == ["redis"]
    assert told == []


@pytest.mark.parametrize(
    "failure", [EmbeddedError("Redis did not start."), OSError("No space left.")], ids=["did-not-start", "no-space"]
)
def test_server_that_cannot_start_is_told_and_tried_again_later_each_time(told, clock, failure):
    mender = Mender(Servers(failure, failure, ["redis"]), tell=told.append, clock=clock)

    assert mender.check() == mender.check() == []
    clock.now += 2
    assert mender.check() == []
    clock.now += 3.9
    assert mender.check() == []
    clock.now += 0.1

    assert mender.check() == ["redis"]
    assert told == [f"{failure} It is tried again in 2 s.", f"{failure} It is tried again in 4 s."]
