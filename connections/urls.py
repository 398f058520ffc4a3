"""Pages of the connections app, below /v/<vault_id>/."""

from typing import Any

app_name = "connections"
urlpatterns: list[Any] = []
