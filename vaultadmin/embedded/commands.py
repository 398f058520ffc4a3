"""Management commands and the embedded servers: attach when they run, else run them while the command lasts."""

import sys
from collections.abc import Sequence
from contextlib import AbstractContextManager, nullcontext

from vaultadmin.embedded.errors import EmbeddedError
from vaultadmin.embedded.services import services

# `serve` looks after the servers itself, `bench` has its own; the others look at files and settings only.
_WITHOUT_SERVERS = frozenset(
    {
        "bench",
        "check",
        "collectstatic",
        "compilemessages",
        "diffsettings",
        "findstatic",
        "help",
        "makemessages",
        "serve",
        "startapp",
        "startproject",
        "test",
        "version",
    }
)
_ASKS_FOR_HELP = frozenset({"--help", "-h", "--version"})


def run(arguments: Sequence[str]) -> int:
    """Run `manage.py` with these arguments and return its exit status."""
    from django.core.exceptions import ImproperlyConfigured
    from django.core.management import execute_from_command_line

    try:
        with _servers(arguments):
            execute_from_command_line(list(arguments))
    except (EmbeddedError, ImproperlyConfigured) as error:
        print(error, file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        return 130
    return 0


def needs_servers(arguments: Sequence[str]) -> bool:
    """True when the command reads or writes the database."""
    if len(arguments) < 2 or _ASKS_FOR_HELP.intersection(arguments):
        return False
    return arguments[1] not in _WITHOUT_SERVERS


def _servers(arguments: Sequence[str]) -> AbstractContextManager[object]:
    if not needs_servers(arguments):
        return nullcontext()
    from vaultadmin.environment import data_dir

    return services(data_dir())
