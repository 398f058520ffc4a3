import json
from dataclasses import dataclass, field
from typing import Any

from django.test import Client

from tests.factories.people import PASSWORD
from vaultadmin.models import Membership, Vault


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
