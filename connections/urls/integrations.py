"""Integrations and their points, below their connection."""

from django.urls import path

from connections.urls.converters import RECORD
from connections.views import integration_points, integrations

_ONE = f"{RECORD}integrations/<int:integration_id>/"

urlpatterns = [
    path(f"{RECORD}integrations/create/", integrations.create, name="integration-create"),
    path(_ONE, integrations.detail, name="integration"),
    path(f"{_ONE}edit/", integrations.edit, name="integration-edit"),
    path(f"{_ONE}status/", integrations.status, name="integration-status"),
    path(f"{_ONE}copy/", integrations.copy, name="integration-copy"),
    path(f"{_ONE}delete/", integrations.delete, name="integration-delete"),
    path(f"{_ONE}points/add/", integration_points.add, name="integration-point-add"),
    path(f"{_ONE}points/<int:point_id>/edit/", integration_points.edit, name="integration-point-edit"),
    path(f"{_ONE}points/<int:point_id>/remove/", integration_points.remove, name="integration-point-remove"),
]
