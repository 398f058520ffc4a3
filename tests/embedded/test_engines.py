import pytest
from django.db import connection


@pytest.mark.django_db
def test_tests_meet_a_real_postgresql():
    assert connection.vendor == "postgresql"
    assert connection.pg_version >= 180000
