"""The demo's generated passwords, tokens and eCOA secret: kept in the data folder for this installation only."""

from __future__ import annotations

import json
import os
import secrets
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from django.conf import settings

from vaultadmin import environment
from vaultadmin.site.demo import world

_FILE = "demo-credentials.json"


@dataclass
class Credentials:
    """What `demo --credentials --json` prints; the password is one for everybody."""

    password: str
    ecoa_secret: str
    api_tokens: dict[str, str] = field(default_factory=dict)

    def as_dict(self) -> dict[str, Any]:
        """The contract of interfaces.md section 2."""
        return {
            "base_url": settings.PUBLIC_URL,
            "logins": {person.email: self.password for person in world.PEOPLE},
            "ecoa": {
                "externalSystemId": world.SYSTEM_ID,
                "externalSystemSecret": self.ecoa_secret,
                "tenantId": world.TENANT_ID,
                "study": world.STUDY_ID,
                "sites": list(world.SITES),
            },
            "api_token": self.api_tokens,
        }

    def save(self) -> None:
        """Write the file, readable by its owner only, in one step."""
        target = _path()
        draft = target.with_suffix(".new")
        descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "w") as file:
            json.dump({"password": self.password, "ecoa_secret": self.ecoa_secret, "api_tokens": self.api_tokens}, file)
        draft.replace(target)


def load() -> Credentials | None:
    """The credentials of an earlier load, or None."""
    text = environment.file_text(_path())
    return Credentials(**json.loads(text)) if text else None


def load_or_make() -> Credentials:
    """The kept credentials, or fresh ones; VAULTADMIN_DEMO_PASSWORD chooses the password of a first load."""
    kept = load()
    if kept is None:
        password = environment.text("VAULTADMIN_DEMO_PASSWORD") or "-".join(secrets.token_hex(2) for _ in range(4))
        kept = Credentials(password=password, ecoa_secret=secrets.token_urlsafe(32))
        kept.save()
    return kept


def _path() -> Path:
    return Path(settings.DATA_DIR) / _FILE
