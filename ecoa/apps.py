from django.apps import AppConfig


class EcoaConfig(AppConfig):
    """Clinical-trial participants kept in step with the eCOA service."""

    name = "ecoa"
    verbose_name = "eCOA"
