import pytest
from django.apps import apps

from vaultadmin.templatetags import _states

SHOWN = (
    *("pending", "approved", "active", "inactive", "disconnected"),
    *("waiting", "sending", "synced", "rejected", "unknown"),
    *("planned", "running", "paused", "done", "finished_with_failures", "failed", "cancelled"),
    *("available", "assigned", "completed"),
)


@pytest.mark.parametrize("state", SHOWN)
def test_every_state_of_the_product_has_a_look(state):
    assert _states.look_of(state) != _states.NEUTRAL


@pytest.mark.parametrize("spelling", ["PENDING", "Pending", "pending__sys", "pending_state__sys", " pending "])
def test_spellings_of_one_state_look_the_same(spelling):
    assert _states.look_of(spelling) == _states.look_of("pending")


def test_every_state_a_model_can_store_has_a_look():
    stored = {
        (model.__name__, value)
        for model in apps.get_models()
        for field in model._meta.get_fields()
        if getattr(field, "choices", None) and field.name in ("state", "status", "outcome")
        for value, _ in field.choices
    }

    assert len(stored) > 10
    assert [(name, value) for name, value in sorted(stored) if _states.look_of(value) == _states.NEUTRAL] == []


def test_an_unheard_of_state_is_neutral():
    assert _states.look_of("half baked") == _states.NEUTRAL


@pytest.mark.parametrize(
    "together",
    [
        ("pending", "approved", "active", "inactive", "disconnected"),
        ("waiting", "sending", "synced", "rejected", "unknown"),
        ("running", "paused", "done", "failed", "cancelled"),
        ("available", "assigned", "completed", "cancelled"),
    ],
)
def test_states_shown_side_by_side_differ_in_shape(together):
    shapes = {_states.look_of(state).icon for state in together}

    assert len(shapes) == len(together)
