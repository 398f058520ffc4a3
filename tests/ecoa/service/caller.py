import json
from dataclasses import dataclass, field
from urllib.parse import quote

from django.test import Client

from ecoa.service import tokens
from vaultadmin import clock

SYSTEM = "mv-ext-NT-VeevaPharm-RTSM"
TENANT = "NT-VeevaPharm-RTSM"
SECRET = "your-secret"
STUDY = "5c8684a9-f2ec-4c69-b4bc-16cd05450fc2"
VERSION = "v24.3"


def mint(region="us", **changes):
    claims = {"system": SYSTEM, "tenant": TENANT, "secret_version": 1, "now": clock.now()} | changes
    return tokens.mint(region=region, **claims)


def participant_path(study=STUDY, site="1005", region="us", version=VERSION):
    return (
        f"/myveeva/{region}/services/{version}/sponsor/{quote(study, safe='')}/site/{quote(site, safe='')}/participant"
    )


def code_of(response):
    answer = response.json()
    assert answer["responseStatus"] == "FAILURE"
    assert answer["responseMessage"].startswith(f"{answer['errorType']}: ")
    assert answer["data"] == []
    assert list(answer) == ["responseStatus", "responseMessage", "errorType", "errors", "data"]
    return answer["errors"][0]["code"]


@dataclass
class Caller:
    """Calls the service as an integrating system does."""

    client: Client = field(default_factory=lambda: Client(SERVER_NAME="ecoa.demo.test"))

    def send(self, path, body, **extra):
        raw = body if isinstance(body, bytes) else json.dumps(body).encode()
        return self.client.post(path, raw, content_type="application/json", **extra)

    def discover(self, *, system=SYSTEM, site="1005", study=STUDY, version=VERSION, **extra):
        body = {"externalSystemId": system, "externalStudySiteId": site, "externalSponsorStudyId": study}
        return self.send(f"/myveeva/global/services/{version}/discover-study-site", body, **extra)

    def authorize(self, *, system=SYSTEM, secret=SECRET, tenant=TENANT, region="us", version=VERSION, **extra):
        body = {"externalSystemId": system, "externalSystemSecret": secret, "tenantId": tenant}
        return self.send(f"/myveeva/{region}/auth/{version}/authorize", body, **extra)

    def post(self, participant, internal, *, token=None, **place):
        extra = self._bearer(token, place)
        return self.send(participant_path(**place), {"participantId": participant, "internalId": internal}, **extra)

    def get(self, internal, *, token=None, **place):
        extra = self._bearer(token, place)
        return self.client.get(participant_path(**place), {"internalId": internal}, **extra)

    def written(self, participant, internal, **place):
        return self.post(participant, internal, **place).json()["data"][0]

    def found(self, internal, **place):
        return self.get(internal, **place).json()["data"][0]

    @staticmethod
    def _bearer(token, place):
        return {"HTTP_AUTHORIZATION": f"Bearer {token or mint(place.get('region', 'us'))}"}
