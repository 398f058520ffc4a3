"""One call of the Vault REST API, as every resource sees it."""

from __future__ import annotations

import re
import time
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID, uuid4

from django.http import HttpRequest

from vaultadmin import registries
from vaultadmin.models import Membership, Vault
from vaultadmin.registries import ClientConnection
from vaultadmin.rest.client_ids import NONE_SENT, ClientId
from vaultadmin.rest.pace import Burst
from vaultadmin.services.api_sessions import Caller

_REFERENCE = re.compile(r"[\x21-\x7e][\x20-\x7e]{0,99}")


@dataclass
class Call:
    """What is known of a call; filled in by `endpoint` before the resource sees it."""

    request: HttpRequest
    now: datetime
    version: str = ""
    # Set when the address names the vault, as /v/<id>/api/ does.
    path_vault_id: int | None = None
    execution_id: UUID = field(default_factory=uuid4)
    began: float = field(default_factory=time.perf_counter)
    vault: Vault | None = None
    client: ClientId = NONE_SENT
    connection: ClientConnection | None = None
    caller: Caller | None = None
    burst: Burst | None = None
    delay: int = 0
    # What a sign-in typed, for the log only.
    typed_name: str = ""

    @property
    def member(self) -> Membership:
        """Who calls; only resources that need a session may ask."""
        if self.caller is None:
            raise TypeError("This resource did not ask for a session.")
        return self.caller.member

    @property
    def address(self) -> str:
        """Where the call came from."""
        return str(self.request.META.get("REMOTE_ADDR", ""))

    @property
    def reference(self) -> str:
        """The caller's own reference, if it can be echoed in a header."""
        sent = self.request.headers.get("X-VaultAPI-ReferenceId", "")
        return sent if _REFERENCE.fullmatch(sent) else ""

    @property
    def root(self) -> str:
        """The root of the API exactly as the client addressed it: scheme, host, port."""
        return self.root_of(None)

    def root_of(self, vault: Vault | None) -> str:
        """The root of the API of a vault, in the way this client addresses vaults; of the addressed one for None."""
        host = self.request.get_host()
        if self.path_vault_id is not None:
            number = self.path_vault_id if vault is None else vault.pk
            return f"{self.request.scheme}://{host}/v/{number}/api"
        if vault is not None and vault.dns != self.host:
            port = host.rpartition(":")[2] if re.search(r":\d+\Z", host) else ""
            host = f"{vault.dns}:{port}" if port else vault.dns
        return f"{self.request.scheme}://{host}/api"

    @property
    def host(self) -> str:
        """The host name of the call, as DNS names are compared."""
        return dns_name(self.request.get_host())

    def go_to(self, vault: Vault | None) -> None:
        """The vault this call is about, and the connection its Client ID speaks for there."""
        self.vault, self.connection = vault, None
        if vault is not None and self.client.value:
            self.connection = registries.clients.by_client_id(vault_id=vault.pk, client_id=self.client.value)


def addressed_vault(call: Call) -> Vault | None:
    """The vault of the path, else the one with the DNS name the call came to."""
    if call.path_vault_id is not None:
        return Vault.objects.filter(pk=call.path_vault_id).first() if call.path_vault_id < 2**63 else None
    return vault_named(call.request.get_host())


def vault_named(host: str) -> Vault | None:
    """The vault with this DNS name; a port is of no matter."""
    name = dns_name(host)
    if not name or len(name) > 253 or "\x00" in name:
        return None
    return Vault.objects.filter(dns=name).first()


def dns_name(host: str) -> str:
    """A host as DNS names are compared: lower case, without port and final dot."""
    if host.startswith("["):
        return host.lower()
    return host.partition(":")[0].lower().rstrip(".")
