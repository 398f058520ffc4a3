"""Connection Clients of a record."""

from django.urls import path

from connections.urls.converters import RECORD
from connections.views import clients

_CLIENT = f"{RECORD}clients/<int:client_id>/"

urlpatterns = [
    path(f"{RECORD}clients/add/", clients.add, name="client-add"),
    path(f"{_CLIENT}edit/", clients.edit, name="client-edit"),
    path(f"{_CLIENT}inactivate/", clients.status, {"active": False}, name="client-inactivate"),
    path(f"{_CLIENT}activate/", clients.status, {"active": True}, name="client-activate"),
]
