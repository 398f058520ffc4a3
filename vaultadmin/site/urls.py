"""Pages outside a vault: the picker, health."""

from django.conf import settings
from django.urls import path

from vaultadmin.site import health, metrics, picker
from vaultadmin.site.demo import receiver

app_name = "site"

urlpatterns = [
    path("", picker.index, name="index"),
    path("healthz", health.healthz, name="healthz"),
    path("readyz", health.readyz, name="readyz"),
    path("metrics", metrics.metrics, name="metrics"),
]

if not settings.PRODUCTION:
    urlpatterns.append(path("demo/receiver", receiver.receive, name="demo-receiver"))
