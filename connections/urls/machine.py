"""Addresses for machines: the handshake between two installations."""

from __future__ import annotations

from django.urls import path

from connections.views import peering

urlpatterns = [
    path("v/<int:vault_id>/peering/<slug:name>", peering.message, name="peering"),
]
