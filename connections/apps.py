"""The connections app."""

from django.apps import AppConfig


class ConnectionsConfig(AppConfig):
    """Says what its tasks mean to the platform."""

    name = "connections"
    verbose_name = "Connections"

    def ready(self) -> None:
        """Fill in the platform's registry of tasks."""
        from connections.constants import APPROVAL_TASK
        from connections.services.approval_task import ApprovalTaskHandler
        from vaultadmin.worklist import registry

        registry.register(APPROVAL_TASK, ApprovalTaskHandler())
