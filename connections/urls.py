"""Pages of the connections app, below /v/<vault_id>/."""

from django.urls import URLPattern

app_name = "connections"
urlpatterns: list[URLPattern] = []
