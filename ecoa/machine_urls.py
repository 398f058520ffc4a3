"""Machine interfaces of the ecoa app."""

from typing import Any

urlpatterns: list[Any] = []
