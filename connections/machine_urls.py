"""Addresses for machines. The handshake between two installations and the certificates get theirs here."""

from __future__ import annotations

from django.urls import URLPattern

urlpatterns: list[URLPattern] = []
