import os

import pytest
from django.conf import settings
from django.db import connection


@pytest.mark.django_db
def test_tests_meet_a_real_postgresql():
    assert connection.vendor == "postgresql"
    assert connection.pg_version >= 180000


def test_settings_are_those_this_process_chose():
    assert str(settings.PORT) == os.environ["PORT"]
    assert settings.CELERY_BROKER_URL.endswith(f"virtual_host={os.environ['VAULTADMIN_REDIS_DATABASE']}")
    assert settings.DATA_DIR.name == "test"
