"""Site cards: each code and situation in plain words (ux.md C8).

What happened, does it affect the visit, what the site does, who acts and by when. Every documented code, every code
of ours and every situation has a card; tests walk the contract's table and judge how easy the words are to read.
"""

from __future__ import annotations

from ecoa.cards.codes import DOCUMENTED
from ecoa.cards.ours import OURS, UNLISTED
from ecoa.cards.situations import SITUATIONS, Situation
from ecoa.cards.types import ACTS_LABELS, BY_LABELS, VISIT_LABELS, Acts, By, Card, Visit

__all__ = [
    "ACTS_LABELS",
    "BY_LABELS",
    "DOCUMENTED",
    "OURS",
    "SITUATIONS",
    "TABLE",
    "UNLISTED",
    "VISIT_LABELS",
    "Acts",
    "By",
    "Card",
    "Situation",
    "Visit",
    "card_for",
    "codes_of",
]

TABLE: dict[str, Card] = {**DOCUMENTED, **OURS, **SITUATIONS}


def card_for(key: str) -> Card:
    """The card of a code or situation; a code nobody documented has one too."""
    return TABLE.get(key, UNLISTED)


def codes_of(acts: Acts) -> list[str]:
    """The codes about which one side has to do something."""
    return [code for code, card in {**DOCUMENTED, **OURS}.items() if card.acts is acts]
