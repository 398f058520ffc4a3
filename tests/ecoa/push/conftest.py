from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

import pytest
from django.test import Client

from tests.ecoa.conftest import Study
from tests.factories.people import make_member
from vaultadmin import clock
from vaultadmin.models import Membership, Vault
from vaultadmin.permissions import Permission
from vaultadmin.services import tokens

NEW_KEY = object()


def make_machine(vault: Vault) -> Membership:
    return make_member(vault, Permission.API_ACCESS, Permission.ECOA_MANAGE)


def make_token(member: Membership, *scopes: Permission, name: str = "RTSM") -> str:
    wanted = [scope.value for scope in scopes or (Permission.ECOA_MANAGE,)]
    return tokens.create_token(member=member, name=name, scopes=wanted, by=member, now=clock.now()).raw


def rows(*numbers: int) -> list[dict[str, str]]:
    return [{"participantId": f"1005-{number:03}", "internalId": f"i-{number}"} for number in numbers]


@dataclass
class Rtsm:
    """A system that pushes participants of one site."""

    study: Study
    token: str

    @property
    def root(self) -> str:
        return f"/v/{self.study.mapping.vault_id}/api/participants/v1"

    @property
    def path(self) -> str:
        return f"{self.root}/studies/{self.study.mapping.external_study_id}/sites/{self.study.site.number}/participants"

    def push(self, body: Any, *, key: Any = NEW_KEY, path: str = "", token: str | None = None, **more: Any) -> Any:
        shown = self.token if token is None else token
        headers = {"Authorization": f"Bearer {shown}"} if shown else {}
        if key is not None:
            headers["Idempotency-Key"] = str(uuid4()) if key is NEW_KEY else key
        raw = body if isinstance(body, bytes | str) else json.dumps(body)
        asked = {"content_type": "application/json"} | more
        return Client(raise_request_exception=False).post(path or self.path, raw, headers=headers, **asked)

    def run(self, run: int, *, token: str | None = None) -> Any:
        headers = {"Authorization": f"Bearer {token or self.token}"}
        return Client(raise_request_exception=False).get(f"{self.root}/runs/{run}", headers=headers)


@pytest.fixture
def rtsm(study, api_settings) -> Rtsm:
    return Rtsm(study, make_token(make_machine(study.mapping.vault)))
