"""The platform app."""

from django.apps import AppConfig


class VaultadminConfig(AppConfig):
    """Vaults, people, permissions, audit and the composition of the other apps."""

    name = "vaultadmin"
    verbose_name = "Platform"

    def ready(self) -> None:
        """Listen to sign-ins; have the settings checked before anything starts."""
        from vaultadmin import checks, recorded, registries, wake
        from vaultadmin.accounts import receivers
        from vaultadmin.sandboxes import home, people, registry
        from vaultadmin.sandboxes.services import LANE
        from vaultadmin.services import separating
        from vaultadmin.worklist import notices

        receivers.connect()
        checks.register()
        recorded.register()
        registries.lanes.append(notices.lane)
        registries.separations.append(separating.let_go)
        registries.home_cards.append(home.cards)
        registry.parts.extend(people.PARTS)
        wake.register(LANE, "vaultadmin.tasks.build_sandboxes")
