"""The six words both approvers compare, over the telephone or side by side (security.md section 5 line 9). Pure.

They are drawn from a hash over who both sides are, the certificates they sign with, and the connection file, so a
swapped or changed file gives other words. Which side asks makes no difference. 66 bits: whoever wants to hit the same
words with another key would have to make some 10^19 of them.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from connections.peering.messages import Party
from vaultadmin.strict_json import canonical

COUNT = 6
_BITS = 11
LIST_LENGTH = 2**_BITS


@dataclass(frozen=True)
class End:
    """One side: the vault, and the certificate its messages are signed with."""

    party: Party
    certificate_pem: str


@cache
def word_list() -> tuple[str, ...]:
    """Our 2,048 plain words, any two of them at least two letters apart. Their order is part of the protocol."""
    return tuple(Path(__file__).with_name("six_words.txt").read_text().split())


def phrase(one: End, other: End, *, file_sha256: str) -> str:
    """The six words of an exchange, the same on both sides."""
    ends = sorted(_facts(end) for end in (one, other))
    digest = hashlib.sha256(canonical({"ends": ends, "file": file_sha256})).digest()
    number = int.from_bytes(digest) >> (len(digest) * 8 - COUNT * _BITS)
    places = [number >> (_BITS * step) & (LIST_LENGTH - 1) for step in reversed(range(COUNT))]
    return " ".join(word_list()[place] for place in places)


def _facts(end: End) -> list[str | int]:
    fingerprint = hashlib.sha256(end.certificate_pem.strip().encode()).hexdigest()
    return [str(end.party.installation_id), end.party.vault_id, fingerprint]
