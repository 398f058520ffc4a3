"""Pages outside a vault: the picker, health."""

from django.urls import path

from vaultadmin.site import health, metrics, picker

app_name = "site"

urlpatterns = [
    path("", picker.index, name="index"),
    path("healthz", health.healthz, name="healthz"),
    path("readyz", health.readyz, name="readyz"),
    path("metrics", metrics.metrics, name="metrics"),
]
