"""The forms of the bundled eCOA service and its fault board: address below the vault, what is sent, does it create."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ecoa.service import rotation, studies, systems
from ecoa.service.models import MappingState, ServiceStudy, ServiceStudyMapping
from vaultadmin import audit

BY = audit.System("Guard")
Act = tuple[str, Callable[[Any], dict[str, Any]], bool]


def nothing(_world: Any) -> dict[str, Any]:
    return {}


def creates_system(_world: Any) -> dict[str, Any]:
    return {"external_id": "fresh-system", "tenant_id": "tenant", "allowed_addresses": "192.0.2.7\n10.0.0.0/8"}


def edits_system(_world: Any) -> dict[str, Any]:
    return {"allowed_addresses": "192.0.2.9"}


def maps_another(world: Any) -> dict[str, Any]:
    study = ServiceStudy.objects.select_related("vault").get(pk=world.ids["service_study_id"])
    system = systems.create_system(vault=study.vault, external_id="second-system", secret=rotation.new_secret(), by=BY)
    return {"system": system.pk}


def restores(world: Any) -> dict[str, Any]:
    mapping = ServiceStudyMapping.objects.get(pk=world.ids["service_mapping_id"])
    studies.set_mapping(mapping, state=MappingState.WITHDRAWN, by=BY)
    return {}


def arms(_world: Any) -> dict[str, Any]:
    return {
        "kind": "latency",
        "call": "post",
        "region": "us",
        "share": "20",
        "seed": "7",
        "distribution": "uniform",
        "least_seconds": "0.1",
        "most_seconds": "0.2",
    }


_SYSTEM = "ecoa/service/systems/<int:system_id>/"
_STUDY = "ecoa/service/studies/<int:service_study_id>/"
_MAPPING = "ecoa/service/mappings/<int:service_mapping_id>/"
_FAULT = "ecoa/fault-board/<int:fault_id>/"

ACTS: list[Act] = [
    ("ecoa/service/systems/create/", creates_system, True),
    (f"{_SYSTEM}edit/", edits_system, False),
    (f"{_SYSTEM}tenants/add/", lambda _world: {"tenant_id": "second"}, True),
    (f"{_SYSTEM}tenants/<int:tenant_id>/remove/", nothing, False),
    (f"{_SYSTEM}secrets/issue/", lambda _world: {"overlap": "24"}, True),
    (f"{_SYSTEM}secrets/<int:secret_id>/revoke/", nothing, False),
    ("ecoa/service/studies/create/", lambda _world: {"external_id": "fresh-service-study"}, True),
    (f"{_STUDY}switch/", nothing, False),
    (f"{_STUDY}sites/add/", lambda _world: {"number": "1006", "region": "eu"}, True),
    (f"{_STUDY}systems/add/", maps_another, True),
    ("ecoa/service/sites/<int:service_site_id>/move/", lambda _world: {"region": "ap"}, False),
    (f"{_MAPPING}withdraw/", nothing, False),
    (f"{_MAPPING}restore/", restores, False),
    ("ecoa/fault-board/add/", arms, True),
    ("ecoa/fault-board/off/", nothing, False),
    ("ecoa/fault-board/play/<slug:scenario>/", lambda _world: {"seed": "7"}, True),
    (f"{_FAULT}switch/", nothing, False),
    (f"{_FAULT}rewind/", nothing, False),
    (f"{_FAULT}remove/", nothing, False),
]
