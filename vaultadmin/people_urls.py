"""People pages of a vault: users, security profiles, API access tokens, audit."""

from typing import Any

urlpatterns: list[Any] = []
