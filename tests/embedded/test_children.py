import os
import signal
import ssl
import urllib.error
import urllib.request

import psutil
import pytest
from django.conf import settings

from tests.tools.children import answers, start_child
from tests.tools.engines import free_port_pair
from vaultadmin import clock
from vaultadmin.embedded import children, paths
from vaultadmin.embedded.processes import alive, group_members, wait_until
from vaultadmin.models import Heartbeat
from vaultadmin.tasks import pulse


def test_worker_process_does_tasks_on_the_database_of_the_test(celery_worker_process):
    celery_worker_process(("maintenance",), processes=1)

    pulse.apply_async(kwargs={"queue": "maintenance"}, queue="maintenance")

    assert wait_until(lambda: Heartbeat.objects.filter(name="queue:maintenance").exists(), seconds=30)


def test_killed_worker_leaves_nothing_behind(celery_worker_process):
    worker = celery_worker_process(("maintenance",), processes=1)
    group = worker.children()

    worker.kill()

    assert wait_until(lambda: not any(alive(pid) for pid in group), seconds=10)
    assert group_members(worker.pid) == []


def test_site_answers_over_http_with_the_data_of_the_test(live_site):
    Heartbeat.objects.create(name="beat", at=clock.now())

    with pytest.raises(urllib.error.HTTPError) as refused:
        urllib.request.urlopen(f"{live_site.url}/readyz", timeout=30)

    with refused.value as answer:
        assert b'"beat": {"ok": true' in answer.read()


def test_site_answers_over_tls_to_those_who_trust_its_authority(live_site):
    trust = ssl.create_default_context(cafile=str(paths(settings.DATA_DIR).ca_certificate))

    assert wait_until(lambda: _tls_answers(live_site.tls_port, trust), seconds=30)


def test_site_starts_no_process_outside_its_group(live_site):
    assert answers(live_site.port)
    started = psutil.Process(live_site.web.pid).children(recursive=True)

    assert {os.getpgid(child.pid) for child in started} == {live_site.web.pid}


def test_web_server_ends_on_sigterm_while_a_client_holds_a_connection(transactional_db):
    port = free_port_pair()
    web = start_child(children.web(port))
    assert wait_until(lambda: answers(port), seconds=60)
    idle = urllib.request.urlopen(f"http://localhost:{port}/healthz", timeout=30)

    os.kill(web.pid, signal.SIGTERM)

    assert wait_until(lambda: group_members(web.pid) == [], seconds=20)
    idle.close()
    web.stop()
    web.log.unlink()


def _tls_answers(port: int, trust: ssl.SSLContext) -> bool:
    try:
        with urllib.request.urlopen(f"https://localhost:{port}/healthz", timeout=5, context=trust) as answer:
            return answer.status == 200
    except OSError:
        return False
