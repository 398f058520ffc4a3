import django
import pytest

from tests.tools import engines

# Here rather than in a hook: the conftest files below import models.
engines.choose_environment()
django.setup()

from tests.tools import append_only  # noqa: E402
from tests.tools.evidence import goal  # noqa: E402, F401
from tests.tools.fixtures import _site, celery_worker_process, chromium_path, live_site  # noqa: E402, F401

append_only.let_tests_empty_tables()


def pytest_configure(config: pytest.Config) -> None:
    engines.start(config)
