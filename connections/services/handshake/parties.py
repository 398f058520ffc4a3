"""Who a vault of this installation is to its peers."""

from __future__ import annotations

from django.conf import settings

from connections.connection_file import FileSource
from connections.peering.messages import Party, VaultDetails
from vaultadmin.models import Installation, Vault


def party(vault: Vault) -> Party:
    """The vault's identity: the installation and the number people know."""
    return Party(Installation.current().pk, vault.pk)


def peering_url(vault: Vault) -> str:
    """Where another installation would send this vault's messages."""
    return f"{settings.PUBLIC_URL}/v/{vault.pk}/peering/"


def own_urls(dns: str | None, path: str) -> tuple[str, ...]:
    """Under which addresses a request to `path` may rightly have come in: the installation's, and one of the vault's
    own name, if there is such a vault."""
    ours = f"{settings.PUBLIC_URL}{path}"
    return (ours, f"https://{dns}{path}") if dns is not None else (ours,)


def details(vault: Vault) -> VaultDetails:
    """What a peer shows under Remote Vault Details."""
    return VaultDetails(vault.name, vault.dns, vault.domain, vault.get_application_display(), peering_url(vault))


def file_source(vault: Vault) -> FileSource:
    """The source part of a connection file."""
    me, about = party(vault), details(vault)
    return FileSource(
        installation_id=me.installation_id,
        vault_id=me.vault_id,
        vault_name=about.name,
        dns=about.dns,
        domain=about.domain,
        application=about.application,
        peering_url=about.peering_url,
    )
