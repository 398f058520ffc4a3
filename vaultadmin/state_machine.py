"""The base of models with a protected state: transitions by one at a time, and a reload that keeps protecting."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Self

from django.db.models import QuerySet
from django_fsm import ConcurrentTransitionMixin, FSMFieldMixin


class StateMachine(ConcurrentTransitionMixin):
    """Saves only what nobody else moved meanwhile, and reloads states without laying their protection down.

    The mixin below it reloads by switching `protected` off on the field, which all threads share, and back on after:
    a reload that failed would leave it off for good, and two at once would refuse each other. Here the instance
    forgets its own value for the moment instead, and remembers it when the reload fails.
    """

    def _get_protected_fsm_fields(self) -> set[str]:
        return set()

    def refresh_from_db(
        self,
        using: str | None = None,
        fields: Iterable[str] | None = None,
        from_queryset: QuerySet[Self] | None = None,
    ) -> None:
        """As Django's, states always along; raises what the database raises, with this instance as it was."""
        states = {field.attname for field in self._meta.concrete_fields if isinstance(field, FSMFieldMixin)}
        if fields is None:
            wanted = {field.attname for field in self._meta.concrete_fields} - self.get_deferred_fields()
        else:
            wanted = set(fields)
        held = {name: self.__dict__.pop(name) for name in states & self.__dict__.keys()}
        try:
            super().refresh_from_db(using=using, fields=wanted | states, from_queryset=from_queryset)
        finally:
            for name, value in held.items():
                self.__dict__.setdefault(name, value)
        if fields is None:
            self._forget_relations()

    def _forget_relations(self) -> None:
        """What a whole reload forgets, and one of named fields does not."""
        self._prefetched_objects_cache: dict[str, Any] = {}
        for relation in self._meta.related_objects:
            if relation.is_cached(self):
                relation.delete_cached_value(self)
