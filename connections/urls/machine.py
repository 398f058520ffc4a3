"""Addresses for machines: the handshake between two installations, and Spark messages."""

from __future__ import annotations

from django.urls import path

from connections.views import peering, spark

urlpatterns = [
    path("v/<int:vault_id>/peering/<slug:name>", peering.message, name="peering"),
    path("v/<int:vault_id>/spark/<slug:queue_name>", spark.receive, name="spark"),
]
