from __future__ import annotations

import re
from typing import Any

import pytest
from django.apps import apps
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import models
from django.test import Client
from django.utils.http import urlencode

from tests.security.deed import Deed, Ready, World
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


Outcome = tuple[int, list[str]]


def outcomes(world: World, deed: Deed) -> tuple[Outcome, Outcome]:
    """What a deed changes, without what differs by chance: as it is meant, and with every hostile field."""
    with deed.ready(world) as form:
        # Looked at before either: the trail says once who was shown a participant.
        own = offered(form.browser, form.path)
        before = content()
        asked = outcome(form, before, {})
        return asked, outcome(form, before, hostile_fields(world, own | set(form.data)))


def outcome(form: Ready, before: Rows, meddled: dict[str, Any]) -> Outcome:
    with form.undone() as browser:
        status = browser.post(form.path, **encoded(meddled | form.data)).status_code
        return status, written(before, content())


def encoded(data: dict[str, Any]) -> dict[str, Any]:
    """As the page's own form sends it: in parts only when there is a file, for reading a thousand of them is slow."""
    if any(isinstance(value, SimpleUploadedFile) for value in data.values()):
        return {"data": data}
    return {"data": urlencode(data, doseq=True), "content_type": "application/x-www-form-urlencoded"}


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
        asked, meddled = outcomes(world, deed)
        if meddled not in (asked, (meddled[0], [])):
            changed[deed.id] = {"asked": asked, "meddled": meddled}

    goal("H5").reached(figure={"forms": len(DEEDS), "changed": changed}, target={"changed": {}}, ok=not changed)
