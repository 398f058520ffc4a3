from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from django.urls import URLPattern, URLResolver, get_resolver


@dataclass(frozen=True)
class Route:
    """One address of the product: its pattern, its view and the names of its arguments."""

    pattern: str
    view: Any
    arguments: frozenset[str]

    @property
    def ours(self) -> bool:
        return self.view.__module__.startswith(("vaultadmin.", "connections.", "ecoa."))

    @property
    def access(self) -> Any:
        return getattr(self.view, "access", None)


def all_routes() -> list[Route]:
    return list(_walk(get_resolver().url_patterns, "", frozenset()))


def _walk(patterns: list[Any], prefix: str, arguments: frozenset[str]) -> Iterator[Route]:
    for entry in patterns:
        pattern, names = prefix + str(entry.pattern), arguments | frozenset(entry.pattern.converters)
        if isinstance(entry, URLResolver):
            yield from _walk(entry.url_patterns, pattern, names)
        elif isinstance(entry, URLPattern):
            yield Route(pattern, entry.callback, names)
