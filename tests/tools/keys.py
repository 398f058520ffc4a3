"""A private key is checked each time it is read, which takes longer than most tests; those of tests are few."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

from cryptography.hazmat.primitives import serialization


def read_once() -> None:
    """Let one process read each key of its tests once, however many certificates are issued over it."""
    read = serialization.load_pem_private_key

    @lru_cache(maxsize=64)
    def known(pem: bytes) -> Any:
        return read(pem, password=None)

    def load(data: bytes, password: bytes | None, *rest: Any, **options: Any) -> Any:
        plain = password is None and not rest and not options
        return known(bytes(data)) if plain else read(data, password, *rest, **options)

    serialization.load_pem_private_key = load  # type: ignore[assignment]
