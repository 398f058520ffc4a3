import json
from dataclasses import dataclass, field
from typing import Any

import pytest
from django.test import Client

from tests.factories.people import PASSWORD, make_member, make_user, make_vault
from vaultadmin.models import ApiUsage, Membership, Vault, VaultSettings
from vaultadmin.permissions import Permission
from vaultadmin.rest import pace


@dataclass
class Answer:
    status: int
    body: dict[str, Any]
    headers: Any

    @property
    def ok(self) -> bool:
        return self.body["responseStatus"] == "SUCCESS"

    @property
    def error(self) -> str:
        return self.body["errors"][0]["type"]


@dataclass
class Api:
    """A program that calls the API of one vault by its DNS name."""

    vault: Vault
    host: str
    root: str = "/api"
    session: str = ""
    headers: dict[str, str] = field(default_factory=dict)
    client: Client = field(default_factory=Client)

    def call(self, method: str, path: str = "", *, query: str = "", data: Any = None, **headers: str) -> Answer:
        sent = {"Host": self.host} | self.headers | headers
        if self.session and "Authorization" not in sent:
            sent["Authorization"] = self.session
        address = f"{self.root}{path}{'?' + query if query else ''}"
        asked = getattr(self.client, method.lower())
        response = asked(address, data, headers=sent) if data is not None else asked(address, headers=sent)
        return Answer(response.status_code, json.loads(response.content), response.headers)

    def get(self, path: str = "", **more: Any) -> Answer:
        return self.call("GET", path, **more)

    def sign_in(self, member: Membership, *, password: str = PASSWORD, **more: Any) -> Answer:
        data = {"username": member.user.email, "password": password} | more.pop("data", {})
        answer = self.call("POST", "/v24.3/auth", data=data, **more)
        self.session = answer.body.get("sessionId", "")
        return answer


@pytest.fixture(autouse=True)
def _hosts(settings, monkeypatch):
    settings.ALLOWED_HOSTS = [".example.test", "testserver", "localhost"]
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
    monkeypatch.setattr(pace, "hold", lambda milliseconds: milliseconds)


@pytest.fixture
def vault(db) -> Vault:
    return make_vault()


@pytest.fixture
def member(vault) -> Membership:
    return make_member(vault, Permission.API_ACCESS, user=make_user(password=PASSWORD))


@pytest.fixture
def api(vault) -> Api:
    return Api(vault, vault.dns)


@pytest.fixture
def filtering(vault) -> VaultSettings:
    return VaultSettings.objects.create(vault=vault, client_id_filtering=True)


@pytest.fixture
def last_row():
    return lambda: ApiUsage.objects.order_by("-pk")[0]
