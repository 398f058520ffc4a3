import pytest
from django.test import Client

from tests.factories.connections import make_external
from tests.factories.spark import make_outbound, make_spark_admin, put

pytestmark = pytest.mark.django_db


def read(**headers):
    return Client().get("/metrics", headers=headers)


def values(response):
    lines = [line for line in response.content.decode().splitlines() if not line.startswith("#")]
    return dict(line.rsplit(" ", 1) for line in lines)


def test_this_machine_reads_what_waits_and_what_beats():
    admin = make_spark_admin()
    put(make_outbound(admin, make_external(admin)), admin)

    found = values(read())

    assert found["vaultadmin_spark_waiting"] == "1"
    assert found["vaultadmin_spark_alerts_firing"] == "0"
    assert found['vaultadmin_alive{name="beat"}'] == "0"
    assert found['vaultadmin_lane_due{lane="Spark messages to send"}'] == "1"


def test_each_name_is_described_once():
    names = [line.split()[2] for line in read().content.decode().splitlines() if line.startswith("# TYPE")]

    assert len(names) == len(set(names)) > 8


def test_whoever_a_proxy_speaks_for_finds_nothing():
    assert read(x_forwarded_for="203.0.113.7").status_code == 404


def test_another_machine_finds_nothing():
    assert Client(REMOTE_ADDR="203.0.113.7").get("/metrics").status_code == 404


def test_with_a_token_only_its_holder_reads(settings):
    settings.METRICS_TOKEN = "the right token"

    assert read().status_code == 404
    assert read(authorization="Bearer wrong").status_code == 404
    far = Client(REMOTE_ADDR="203.0.113.7")
    assert far.get("/metrics", headers={"authorization": "Bearer the right token"}).status_code == 200
