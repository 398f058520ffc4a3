"""The base of every refusal a service gives a person."""

from __future__ import annotations


class Refused(Exception):
    """Nothing was changed; one sentence a person can act on, and the field it is about, if it is about one."""

    def __init__(self, sentence: str, *, field: str = "") -> None:
        super().__init__(sentence)
        self.field = field
