"""What a script would do: one participant after the other with requests and `update_or_create`."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import requests

from bench.ecoa_sync.checks import Store
from bench.errors import BenchError
from bench.world import TENANT_ID, World
from ecoa.models import Participant, ParticipantStatus, Site
from vaultadmin import clock

_VERSION = "v24.3"
_SECONDS = 30


@dataclass(frozen=True)
class Service:
    """Where a plain client reaches eCOA, the authority it trusts, and what eCOA holds afterwards."""

    base_url: str
    authority: str
    store: Store


def naive(world: World, service: Service, people: Sequence[tuple[str, str]]) -> float:
    """No session, nothing kept: discover, authorize, POST and GET for each; returns the seconds."""
    started = time.perf_counter()
    for number, (participant_id, internal_id) in enumerate(people):
        site = world.sites[number % len(world.sites)]
        region = _region(requests, world, service, site)
        headers = _headers(requests, world, service, region)
        url = _participant_url(world, region, site)
        _post(requests, service, url, headers, participant_id, internal_id)
        found = _read(
            requests.get(
                url, params={"internalId": internal_id}, headers=headers, verify=service.authority, timeout=_SECONDS
            )
        )
        _store(world, site, participant_id, internal_id, found["data"][0]["myVeevaParticipantId"])
    return time.perf_counter() - started


def careful(world: World, service: Service, people: Sequence[tuple[str, str]]) -> float:
    """One session, region and token kept, POST only; returns the seconds, discovery and sign-in included."""
    started = time.perf_counter()
    places: dict[str, tuple[str, dict[str, str]]] = {}
    with requests.Session() as session:
        session.trust_env = False
        for number, (participant_id, internal_id) in enumerate(people):
            site = world.sites[number % len(world.sites)]
            if site.number not in places:
                region = _region(session, world, service, site)
                headers = _headers(session, world, service, region)
                places[site.number] = _participant_url(world, region, site), headers
            url, headers = places[site.number]
            answer = _post(session, service, url, headers, participant_id, internal_id)
            _store(world, site, participant_id, internal_id, answer["data"][0])
    return time.perf_counter() - started


def token(world: World, service: Service, site: Site) -> tuple[str, str]:
    """The participants' path of a site and a bearer token for it, for who measures only the sending."""
    region = _region(requests, world, service, site)
    authorization = _headers(requests, world, service, region)["Authorization"]
    return _participant_url(world, region, site).removeprefix(service.base_url), authorization


def _region(client: Any, world: World, service: Service, site: Site) -> str:
    body = {
        "externalSystemId": world.system_id,
        "externalStudySiteId": site.number,
        "externalSponsorStudyId": world.mapping.external_study_id,
    }
    url = f"{service.base_url}/myveeva/global/services/{_VERSION}/discover-study-site"
    answer = _read(client.post(url, json=body, verify=service.authority, timeout=_SECONDS))
    region: str = answer["data"][0]["region"]
    return region


def _headers(client: Any, world: World, service: Service, region: str) -> dict[str, str]:
    body = {
        "externalSystemId": world.system_id,
        "externalSystemSecret": world.secret,
        "tenantId": TENANT_ID,
    }
    url = f"{region}auth/{_VERSION}/authorize"
    answer = client.post(url, json=body, verify=service.authority, timeout=_SECONDS).json()
    return {"Authorization": f"Bearer {answer['jwt']}"}


def _participant_url(world: World, region: str, site: Site) -> str:
    study = world.mapping.external_study_id
    return f"{region}services/{_VERSION}/sponsor/{study}/site/{site.number}/participant"


def _post(
    client: Any, service: Service, url: str, headers: dict[str, str], participant_id: str, internal_id: str
) -> dict[str, Any]:
    body = {"participantId": participant_id, "internalId": internal_id}
    return _read(client.post(url, json=body, headers=headers, verify=service.authority, timeout=_SECONDS))


def _read(response: requests.Response) -> dict[str, Any]:
    answer: dict[str, Any] = response.json()
    if response.status_code != 200 or answer["responseStatus"] != "SUCCESS":
        raise BenchError(f"The service answered {response.status_code}: {response.text[:200]}")
    return answer


def _store(world: World, site: Site, participant_id: str, internal_id: str, remote_id: str) -> None:
    now = clock.now()
    Participant.objects.update_or_create(
        mapping=world.mapping,
        internal_id=internal_id,
        defaults={
            "vault": world.manager.vault,
            "site": site,
            "participant_id": participant_id,
            "my_veeva_participant_id": remote_id,
            "status": ParticipantStatus.SYNCED,
            "synced_version": 1,
            "synced_at": now,
            "created_at": now,
            "changed_at": now,
        },
    )
