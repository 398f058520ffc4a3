from __future__ import annotations

import re
from typing import Any

import pytest
from django.apps import apps
from django.db import models, transaction
from django.test import Client

from tests.security.deed import Deed, World
from tests.security.deeds import DEEDS
from tests.security.tables import Rows, content, kept_models

# What a hostile value looks like once it is stored; booleans, choices and the vault are compared by themselves.
_MARKS = ("hostile-value", "1931337317", "00000000beef", "2001-01-01")
_OURS = ("vaultadmin", "connections", "ecoa")
# Ten times what a form may have (DATA_UPLOAD_MAX_NUMBER_FIELDS): all hostile fields go in one request.
_FIELDS = 2_000


def hostile_fields(world: World, own: set[str]) -> dict[str, Any]:
    """Every field name of every model with a value that would matter, except those the form itself offers."""
    fields: dict[str, Any] = {}
    for model in apps.get_models():
        if model._meta.app_label in _OURS:
            for column in model._meta.concrete_fields:
                for name in (column.name, column.attname):
                    fields.setdefault(name, hostile_value(column, world))
    return {name: value for name, value in fields.items() if name not in own}


def hostile_value(column: models.Field, world: World) -> Any:
    if isinstance(column, models.ForeignKey) and column.name == "vault":
        return world.elsewhere.vault_id
    if isinstance(column, models.BooleanField):
        return "on"
    if column.choices:
        return [value for value, _label in column.flatchoices][-1]
    if isinstance(column, models.DateTimeField):
        return "2001-01-01T00:00:00Z"
    if isinstance(column, models.UUIDField):
        return "00000000-0000-0000-0000-00000000beef"
    if isinstance(column, models.IntegerField | models.ForeignKey):
        return "1931337317"
    return "hostile-value"


def outcome(world: World, deed: Deed, *, meddled: bool) -> tuple[int, list[str]]:
    """What a deed changes, without what differs by chance; with every hostile field when it is meddled with."""
    with transaction.atomic():
        path, data, browser = deed.address(world), deed.prepare(world), deed.browser(world)
        # Looked at either way: the trail says once who was shown a participant.
        own = offered(browser, path)
        if meddled:
            data = hostile_fields(world, own | set(data)) | data
        before = content()
        status = browser.post(path, data).status_code
        changed = written(before, content())
        transaction.set_rollback(True)
    return status, changed


def offered(browser: Client, path: str) -> set[str]:
    """Names the page itself has inputs for: those are meant to be filled in."""
    return set(re.findall(r'name="([^"]+)"', browser.get(path).content.decode(errors="replace")))


def written(before: Rows, after: Rows) -> list[str]:
    return sorted(
        f"{label}: {', '.join(plain(label, row))}"
        for label, rows in after.items()
        for key, row in rows.items()
        if before[label].get(key) != row
    )


def plain(label: str, row: dict[str, Any]) -> list[str]:
    """What matters of a row a deed wrote: every switch, state and owner, and any hostile value."""
    shown = []
    for column in kept_models()[label]._meta.concrete_fields:
        value = row.get(str(column.column))
        marked = any(mark in str(value) for mark in _MARKS)
        if marked or column.choices or isinstance(column, models.BooleanField) or column.attname == "vault_id":
            shown.append(f"{column.attname}={value!r}")
    return shown


@pytest.mark.django_db
def test_fields_no_form_offers_change_nothing(world, goal, settings):
    settings.DATA_UPLOAD_MAX_NUMBER_FIELDS = _FIELDS
    changed = {}
    for deed in DEEDS:
        asked, meddled = outcome(world, deed, meddled=False), outcome(world, deed, meddled=True)
        if meddled not in (asked, (meddled[0], [])):
            changed[deed.id] = {"asked": asked, "meddled": meddled}

    goal("H5").reached(figure={"forms": len(DEEDS), "changed": changed}, target={"changed": {}}, ok=not changed)
