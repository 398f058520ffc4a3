import django
import pytest

from tests.tools import engines

# Here rather than in a hook: the conftest files below import models.
engines.choose_environment()
django.setup()


def pytest_configure(config: pytest.Config) -> None:
    engines.start(config)
