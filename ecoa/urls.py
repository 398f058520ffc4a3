"""Pages of the ecoa app, below /v/<vault_id>/."""

from typing import Any

app_name = "ecoa"
urlpatterns: list[Any] = []
