import pytest

from vaultadmin.embedded.commands import needs_servers


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (["manage.py"], False),
        (["manage.py", "help"], False),
        (["manage.py", "check", "--deploy"], False),
        (["manage.py", "serve"], False),
        (["manage.py", "bench"], False),
        (["manage.py", "migrate", "--help"], False),
        (["manage.py", "migrate"], True),
        (["manage.py", "makemigrations", "--check"], True),
        (["manage.py", "verify_audit", "--json"], True),
    ],
)
def test_only_commands_that_use_the_database_get_servers(arguments, expected):
    assert needs_servers(arguments) is expected
