from django.apps import AppConfig

from vaultadmin import wake


class EcoaConfig(AppConfig):
    """Clinical-trial participants kept in step with the eCOA service."""

    name = "ecoa"
    verbose_name = "eCOA"

    def ready(self) -> None:
        """Say which tasks drain our lanes."""
        wake.register("ecoa.sync", "ecoa.tasks.drain")
        wake.register("ecoa.import", "ecoa.tasks.work_import")
