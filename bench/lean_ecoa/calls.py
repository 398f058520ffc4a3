"""The calls of the contract, answered from memory."""

from __future__ import annotations

import json
import secrets
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qs

from bench.lean_ecoa.server import Asked, Reply
from ecoa import contract
from ecoa.contract import Code

# Tells how many participants whose ID begins so are held with the internal ID that belongs to them.
HELD = "/held/"
_UNAUTHORIZED = 401


@dataclass(frozen=True)
class Setting:
    """Who may sign in, and where the sites are: numbers to regions."""

    system_id: str
    secret: str
    tenant_id: str
    study_id: str
    sites: dict[str, str]


def remote_id(internal_id: str) -> str:
    """What this service calls a participant: told from the internalId, so that a wrong pairing is seen."""
    return f"remote-{internal_id}"


class _Refused(Exception):
    def __init__(self, code: Code, reason: str, *, status: int = 200) -> None:
        super().__init__(reason)
        self.code, self.status = code, status


class Calls:
    """Participants by internalId, whose participant IDs are unique in the study."""

    def __init__(self, setting: Setting) -> None:
        self._setting = setting
        self._tokens: set[str] = set()
        self._held: dict[str, str] = {}
        self._holders: dict[str, str] = {}

    def answer(self, asked: Asked) -> Reply:
        """The status and the body for one request."""
        try:
            return 200, self._answer(asked)
        except _Refused as refused:
            return refused.status, contract.write_failure(refused.code, str(refused))

    def _answer(self, asked: Asked) -> bytes:
        path, _, query = asked.path.partition("?")
        if path.endswith("/participant"):
            return self._participant(asked, path, query)
        if path.startswith(HELD):
            return str(self._matched(path.removeprefix(HELD))).encode()
        if path.endswith("/discover-study-site"):
            return self._discover(asked)
        if path.endswith("/authorize"):
            return self._authorize(asked)
        raise _Refused(Code.UNEXPECTED, "there is no such call")

    def _discover(self, asked: Asked) -> bytes:
        said = _object(asked.body)
        region = self._setting.sites.get(str(said.get("externalStudySiteId")))
        known = (said.get("externalSystemId"), said.get("externalSponsorStudyId"))
        if region is None or known != (self._setting.system_id, self._setting.study_id):
            raise _Refused(Code.SITE_NOT_FOUND, "this study has no such site")
        return contract.write_region(f"https://{asked.host}/myveeva/{region}/")

    def _authorize(self, asked: Asked) -> bytes:
        said, held = _object(asked.body), self._setting
        names = ("externalSystemId", "externalSystemSecret", "tenantId")
        if [said.get(name) for name in names] != [held.system_id, held.secret, held.tenant_id]:
            raise _Refused(Code.INVALID_DATA, "this is not the secret of that system", status=_UNAUTHORIZED)
        token = ".".join(secrets.token_urlsafe(32) for _ in range(3))
        self._tokens.add(token)
        return contract.write_token(token)

    def _participant(self, asked: Asked, path: str, query: str) -> bytes:
        if asked.token not in self._tokens:
            raise _Refused(Code.INVALID_DATA, "the token is not known", status=_UNAUTHORIZED)
        if path.rsplit("/", 2)[1] not in self._setting.sites:
            raise _Refused(Code.SITE_NOT_FOUND, "this study has no such site")
        if asked.method == "GET":
            internal_id = parse_qs(query).get("internalId", [""])[0]
            if internal_id not in self._held:
                raise _Refused(Code.PARTICIPANT_NOT_FOUND, "nobody has this internalId")
            return contract.write_participant(
                my_veeva_participant_id=remote_id(internal_id), participant_id=self._held[internal_id]
            )
        said = _object(asked.body)
        return self._upsert(str(said["participantId"]), str(said["internalId"]))

    def _upsert(self, participant_id: str, internal_id: str) -> bytes:
        if self._holders.setdefault(participant_id, internal_id) != internal_id:
            raise _Refused(Code.PARTICIPANT_EXISTS, "another internalId has this participantId")
        before = self._held.get(internal_id)
        if before is not None and before != participant_id:
            del self._holders[before]
        self._held[internal_id] = participant_id
        return contract.write_participant_id(remote_id(internal_id))

    def _matched(self, prefix: str) -> int:
        pairs = ((internal, value) for internal, value in self._held.items() if value.startswith(prefix))
        return sum(1 for internal, value in pairs if internal == f"i-{value}")


def _object(body: bytes) -> dict[str, Any]:
    said = json.loads(body)
    if not isinstance(said, dict):
        raise _Refused(Code.INVALID_DATA, "the body is not an object")
    return said
