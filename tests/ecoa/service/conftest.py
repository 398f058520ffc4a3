from types import SimpleNamespace

import pytest

from ecoa.service import seeding
from tests.ecoa.service.caller import SECRET, STUDY, SYSTEM, TENANT, Caller


@pytest.fixture
def places(db):
    odd = seeding.seed_demo(
        system_id=SYSTEM,
        secret=SECRET,
        tenant_id=TENANT,
        study_id=STUDY,
        sites={"1005": "us", "1006": "us", "2001": "eu", "3001": "ap"},
    )
    return SimpleNamespace(**vars(odd))


@pytest.fixture
def caller(places):
    return Caller()
