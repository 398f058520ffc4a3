"""Bringing the lean eCOA up beside a stand, and asking it what it holds."""

from __future__ import annotations

import json
import sys
from dataclasses import asdict, dataclass

import requests

from bench.errors import BenchError
from bench.lean_ecoa.calls import HELD, Setting
from bench.stand import Stand
from bench.world import REGIONS, TENANT_ID, World

_SECONDS = 60


def start(ground: Stand, place: World, port: int, *, name: str = "lean_ecoa", milliseconds: float = 0) -> None:
    """An empty one that knows this world's system, study and sites."""
    files = [str(ground.tls.certificate), str(ground.tls.key)]
    says = json.dumps(asdict(setting_of(place)))
    ground.start(name, [sys.executable, "-m", "bench.lean_ecoa", str(port), *files, says, str(milliseconds)])
    ground.wait_for_port(name, port)


def setting_of(place: World) -> Setting:
    """What the lean eCOA has to know of a world."""
    return Setting(
        system_id=place.system_id,
        secret=place.secret,
        tenant_id=TENANT_ID,
        study_id=place.mapping.external_study_id,
        sites=REGIONS,
    )


@dataclass(frozen=True)
class LeanStore:
    """What a lean eCOA holds, told by itself."""

    base_url: str
    authority: str

    # What our side should hold as eCOA's name of a participant; see `calls.remote_id`.
    remote_id = "'remote-' || p.internal_id"

    def held(self, prefix: str) -> int:
        """Participants whose ID begins so, each with the internal ID that belongs to it."""
        answer = requests.get(f"{self.base_url}{HELD}{prefix}", verify=self.authority, timeout=_SECONDS)
        if answer.status_code != 200:
            raise BenchError(f"The lean eCOA answered {answer.status_code}: {answer.text[:200]}")
        return int(answer.text)
