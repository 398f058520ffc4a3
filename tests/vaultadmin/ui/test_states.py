import pytest

from vaultadmin.templatetags import _states

SHOWN = (
    *("pending", "approved", "active", "inactive", "disconnected"),
    *("waiting", "sending", "synced", "rejected", "unknown"),
    *("planned", "running", "paused", "done", "finished_with_failures", "failed", "cancelled"),
    *("available", "completed"),
)


@pytest.mark.parametrize("state", SHOWN)
def test_every_state_of_the_product_has_a_look(state):
    assert _states.look_of(state) != _states.NEUTRAL


@pytest.mark.parametrize("spelling", ["pending", "PENDING", "Pending", "pending__sys", "pending__v", " pending "])
def test_spellings_of_one_state_look_the_same(spelling):
    assert _states.look_of(spelling) == _states.look_of("pending")


def test_an_unheard_of_state_is_neutral():
    assert _states.look_of("half baked") == _states.NEUTRAL


@pytest.mark.parametrize(
    "together",
    [
        ("pending", "approved", "active", "inactive", "disconnected"),
        ("waiting", "sending", "synced", "rejected", "unknown"),
        ("running", "paused", "done", "failed", "cancelled"),
        ("available", "completed", "cancelled"),
    ],
)
def test_states_shown_side_by_side_differ_in_shape(together):
    shapes = {_states.look_of(state).icon for state in together}

    assert len(shapes) == len(together)
