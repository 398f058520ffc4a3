"""A refusal people can act on."""

from __future__ import annotations


class Refused(Exception):
    """The act does not go; one sentence says what to do. `field` names the form field it belongs to, if any."""

    def __init__(self, sentence: str, *, field: str = "") -> None:
        super().__init__(sentence)
        self.field = field
