import os
import socket
import subprocess
import time
from pathlib import Path
from types import SimpleNamespace

import pytest
from django.db import connection

from ecoa.service import seeding
from tests.ecoa.service.caller import SECRET, STUDY, SYSTEM, TENANT, Caller
from tests.tools.engines import free_port_pair
from vaultadmin.embedded import children

ROOT = Path(__file__).resolve().parents[3]
SITES = {"1005": "us", "1006": "us", "2001": "eu", "3001": "ap"}
STARTS_WITHIN = 30


def seed():
    return seeding.seed_demo(system_id=SYSTEM, secret=SECRET, tenant_id=TENANT, study_id=STUDY, sites=SITES)


@pytest.fixture
def places(db):
    return SimpleNamespace(**vars(seed()))


@pytest.fixture
def caller(places):
    return Caller()


@pytest.fixture
def port(transactional_db, tmp_path):
    """The service behind the server it ships with, on the database of this test."""
    seed()
    number = free_port_pair()
    environment = os.environ | {"VAULTADMIN_DATABASE_NAME": connection.settings_dict["NAME"]}
    with (tmp_path / "server.log").open("wb") as log:
        server = subprocess.Popen(children.web(number), cwd=ROOT, env=environment, stdout=log, stderr=log)
    try:
        _wait_until_it_listens(server, number)
        yield number
    finally:
        server.terminate()
        server.wait(timeout=20)


def _wait_until_it_listens(server, number):
    deadline = time.monotonic() + STARTS_WITHIN
    while time.monotonic() < deadline and server.poll() is None:
        try:
            socket.create_connection(("127.0.0.1", number), timeout=1).close()
            return
        except OSError:
            time.sleep(0.05)
    raise AssertionError("The server did not start.")
