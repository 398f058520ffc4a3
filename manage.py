#!/usr/bin/env python3
"""Management commands. Those that need a database find its servers running, or run them for as long as they last."""

import os
import sys


def main() -> int:
    """Run one command; every refusal is one sentence and exit status 2."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "vaultadmin.settings")
    try:
        from vaultadmin.embedded.commands import run
    except ModuleNotFoundError as error:
        print(
            f"{error.name} is not installed: run make run once, then use .venv/bin/python manage.py.", file=sys.stderr
        )
        return 2
    return run(sys.argv)


if __name__ == "__main__":
    sys.exit(main())
