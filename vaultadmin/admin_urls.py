"""Settings, sandboxes and the API usage log, inside a vault (namespace `vault`)."""

from django.urls import path

from vaultadmin.views import api_usage, sandboxes, settings

urlpatterns = [
    path("admin/settings/", settings.index, name="settings"),
    path("admin/api-usage/", api_usage.index, name="api-usage"),
    path("admin/api-usage/download/", api_usage.download, name="api-usage-download"),
    path("admin/sandboxes/", sandboxes.index, name="sandboxes"),
    path("admin/sandboxes/create/", sandboxes.create, name="sandbox-create"),
    path("admin/sandboxes/links/", sandboxes.mend, name="sandbox-links"),
    path("admin/sandboxes/<int:sandbox_id>/refresh/", sandboxes.refresh, name="sandbox-refresh"),
    path("admin/sandboxes/<int:sandbox_id>/retry/", sandboxes.retry, name="sandbox-retry"),
]
