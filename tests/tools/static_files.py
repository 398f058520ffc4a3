"""A web server looks through the folder of static files when it starts; each test's client would do so again."""

from __future__ import annotations

from typing import Any

from whitenoise.base import WhiteNoise


def look_once() -> None:
    """Let all clients of one process share what the first of them found: it takes longer than most requests."""
    look = WhiteNoise.update_files_dictionary
    seen: dict[tuple[Any, ...], dict[str, Any]] = {}

    def update(self: WhiteNoise, root: str, prefix: str) -> None:
        key = type(self), root, prefix, self.max_age
        if key not in seen:
            look(self, root, prefix)
            seen[key] = dict(self.files)
        self.files.update(seen[key])

    WhiteNoise.update_files_dictionary = update
