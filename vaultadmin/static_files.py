"""Static files, collected, hashed and compressed again only when one of them has changed."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from pathlib import Path

from django.conf import settings
from django.contrib.staticfiles.finders import get_finders
from django.core.management import call_command


def collect_if_changed() -> bool:
    """Bring STATIC_ROOT up to date; True when there was something to do."""
    stamp = Path(settings.STATIC_ROOT) / ".sources"
    sources = _fingerprint()
    if stamp.exists() and stamp.read_text(encoding="ascii") == sources:
        return False
    Path(settings.STATIC_ROOT).mkdir(parents=True, exist_ok=True)
    call_command("collectstatic", interactive=False, clear=True, verbosity=0)
    stamp.write_text(sources, encoding="ascii")
    return True


def _fingerprint() -> str:
    digest = hashlib.sha256()
    for line in sorted(_sources()):
        digest.update(line.encode())
    return digest.hexdigest()


def _sources() -> Iterator[str]:
    for finder in get_finders():
        for name, storage in finder.list([]):
            found = Path(storage.path(name)).stat()
            yield f"{name} {found.st_size} {found.st_mtime_ns}\n"
