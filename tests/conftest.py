import django
import pytest
from django.db import connection
from hypothesis import settings

from tests.tools import engines

# Here rather than in a hook: the conftest files below import models.
engines.choose_environment()
django.setup()
engines.hide_settings_from_workers()

from tests.tools import emptying, evidence, keys, static_files, template  # noqa: E402
from tests.tools.evidence import goal  # noqa: E402, F401
from tests.tools.fixtures import _site, api_settings, celery_worker_process, chromium_path, live_site  # noqa: E402, F401
from tests.tools.scheduling import scheduler, turn, workers  # noqa: E402

_COUNTING = {"django_assert_num_queries", "django_assert_max_num_queries", "CaptureQueriesContext"}

emptying.only_what_holds_rows()
keys.read_once()
static_files.look_once()

# The same examples in every run, and no clock: a busy machine must not fail a property.
settings.register_profile(
    "tests", derandomize=True, deadline=None, max_examples=2_000 if evidence.FOLDER else settings.default.max_examples
)
settings.load_profile("tests")


def pytest_configure(config: pytest.Config) -> None:
    engines.start(config)


@pytest.fixture(scope="session")
def django_db_modify_db_settings(django_db_modify_db_settings_parallel_suffix, django_db_blocker):
    """The database of this process is a copy of one that is migrated once for all."""
    connection.settings_dict["TEST"]["TEMPLATE"] = template.migrated()


@pytest.fixture(autouse=True)
def _counted_requests_are_not_long_apart(request, monkeypatch):
    """Every ten seconds a request notes that its session is in use; on a busy machine that is any request."""
    if _COUNTING & {*request.fixturenames, *vars(request.module)}:
        monkeypatch.setattr("vaultadmin.accounts.sessions.GRAIN_SECONDS", 3600)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config, log):
    return scheduler(config, log)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_auto_num_workers():
    return workers()


@pytest.hookimpl(wrapper=True)
def pytest_collection_modifyitems(items: list[pytest.Item]):
    for item in items:
        if "goal" in getattr(item, "fixturenames", ()):
            item.add_marker(pytest.mark.evidence)
    yield
    # After pytest-django, which puts all that commit last.
    items.sort(key=lambda item: turn(item.nodeid))
