"""Fixtures that run the product's own processes: `celery_worker_process` and `live_site`."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from django.conf import settings
from django.utils import timezone
from redis import Redis

from tests.tools.browser import ensure_chromium
from tests.tools.children import ChildProcess, answers, start_child
from vaultadmin.embedded import children, paths, redis_url
from vaultadmin.embedded.processes import wait_until
from vaultadmin.embedded.tls import development_tls
from vaultadmin.rest import pace

ALL_QUEUES = ("interactive", "delivery", "processing", "sync", "maintenance")
StartWorker = Callable[..., ChildProcess]


@dataclass(frozen=True)
class LiveSite:
    """The web server of one pytest process: plain http for browsers, TLS for machines, both on this test's database."""

    port: int
    tls_port: int
    web: ChildProcess
    tls: ChildProcess

    @property
    def url(self) -> str:
        return f"http://localhost:{self.port}"


@pytest.fixture
def celery_worker_process(transactional_db: None) -> Iterator[StartWorker]:
    """Start Celery workers that work on the test database: `worker = celery_worker_process()`.

    They take all queues unless told otherwise. `worker.kill()` is SIGKILL to the whole worker, `worker.stop()` asks it
    to end; whatever still runs is stopped after the test. The queues are emptied before and after.
    """
    started: list[ChildProcess] = []

    def start(queues: tuple[str, ...] = ALL_QUEUES, *, processes: int = 2, **environment: str) -> ChildProcess:
        name = f"test{len(started)}"
        worker = start_child(children.worker(name, queues, processes=processes), extra=environment)
        started.append(worker)
        worker.wait_for("ready.")
        return worker

    _empty_queues()
    yield start
    for worker in started:
        worker.stop()
        worker.log.unlink()
    _empty_queues()


@pytest.fixture(scope="session")
def _site(django_db_setup: None) -> Iterator[LiveSite]:
    tls = development_tls(paths(settings.DATA_DIR), now=timezone.now())
    started = [start_child(children.web(settings.PORT)), start_child(children.web(settings.TLS_PORT, tls=tls))]
    site = LiveSite(settings.PORT, settings.TLS_PORT, *started)
    try:
        wait_until(lambda: answers(site.port) or site.web.process.poll() is not None, seconds=60)
        assert answers(site.port), site.web.output()[-4000:]
        yield site
    finally:
        for child in started:
            child.stop()
            child.log.unlink()


@pytest.fixture
def live_site(transactional_db: None, _site: LiveSite) -> LiveSite:
    """The product's own web server on the database of this test, http and TLS, started once per pytest process."""
    return _site


@pytest.fixture
def api_settings(settings: Any, monkeypatch: pytest.MonkeyPatch) -> Any:
    """The Vault REST API for tests: any vault's host, a quick password hash, delays noted and not waited for."""
    settings.ALLOWED_HOSTS = [".example.test", "testserver", "localhost"]
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
    monkeypatch.setattr(pace, "hold", lambda milliseconds: milliseconds)
    return settings


@pytest.fixture(scope="session")
def chromium_path() -> str:
    """The program of the browser; a run without one fails with a sentence."""
    return ensure_chromium()


def _empty_queues() -> None:
    with Redis.from_url(settings.REDIS_URL or redis_url(settings.DATA_DIR)) as client:
        client.flushdb()
