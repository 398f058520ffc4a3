"""Settings and the API usage log, inside a vault (namespace `vault`)."""

from django.urls import path

from vaultadmin.views import api_usage, settings

urlpatterns = [
    path("admin/settings/", settings.index, name="settings"),
    path("admin/api-usage/", api_usage.index, name="api-usage"),
    path("admin/api-usage/download/", api_usage.download, name="api-usage-download"),
]
