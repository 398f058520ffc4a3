"""Machine interfaces of the connections app."""

from typing import Any

urlpatterns: list[Any] = []
