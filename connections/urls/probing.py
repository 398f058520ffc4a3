"""The dialog *Test*, of a connection and of an authorization."""

from django.urls import path

from connections.urls.converters import RECORD
from connections.views import probing

urlpatterns = [
    path(f"{RECORD}test/", probing.connection, name="test"),
    path("admin/authorizations/<int:authorization_id>/test/", probing.authorization, name="authorization-test"),
]
