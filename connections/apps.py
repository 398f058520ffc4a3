"""The connections app."""

from django.apps import AppConfig


class ConnectionsConfig(AppConfig):
    """Connections, approvals, authorizations, certificates."""

    name = "connections"
