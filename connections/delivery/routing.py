"""Where a lane leads now: looked up once a batch, so that every change takes effect on the next one."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit

from django.db import transaction

from connections import rules
from connections.constants import ConnectionState
from connections.delivery.claiming import Job
from connections.models import QueueConnection, SigningCertificate
from connections.selectors import tokens as token_rows
from connections.services import connection_sessions, outward
from connections.services.outward import AddressUnusable, Destination, DestinationUnavailable
from connections.services.signing import certificates, own_certificates
from connections.services.signing.certificates import KeyGone
from connections.spark.signing import Signer
from connections.tokens import SessionName, Sources, TokenRefused, VaultValue
from vaultadmin.secrets import SecretUnavailable

_CONNECTION_USER = re.compile(r"\$\{session\.connectionusersessionid\}", re.IGNORECASE)


class RouteUnavailable(Exception):
    """This message cannot be sent through this lane as things are; one sentence for people.

    `ends` says that trying again does not help (veeva-core section 6.5).
    """

    def __init__(self, sentence: str, *, ends: bool = False) -> None:
        super().__init__(sentence)
        self.ends = ends


class LaneStopped(Exception):
    """Nothing may leave through this lane now: its connection is not Active."""


@dataclass
class Route:
    """A lane as one batch uses it: its connection, the key, the values of tokens. Holds secrets; never printed."""

    link: QueueConnection
    # None for a Local connection: what stays in the vault is not signed.
    signer: Signer | None = field(repr=False)
    values: dict[str, VaultValue] = field(repr=False)
    now: datetime
    # Of Vault to Vault: where the peer takes messages, which vault it is, and whether it lives in this installation.
    peer_url: str = ""
    peer_vault_id: int = 0
    is_here: bool = False
    _destinations: dict[str, Destination | RouteUnavailable] = field(default_factory=dict, repr=False)
    _session: str | TokenRefused = field(default="", repr=False)

    def prepare(self, jobs: list[Job]) -> None:
        """Look up in the database what these messages need, before the calls begin."""
        if self.link.connection.is_local:
            return
        for custom in {_key(job.custom): job.custom for job in jobs}.values():
            self._destinations[_key(custom)] = self._resolve(custom)
        if any(job.has_tokens and _CONNECTION_USER.search(job.payload) for job in jobs):
            self._session = self._mint()

    def destination(self, custom: dict[str, Any]) -> Destination:
        """Address and credentials for a prepared message; RouteUnavailable says why there are none."""
        found = self._destinations[_key(custom)]
        if isinstance(found, RouteUnavailable):
            raise found
        return found

    def secrets(self, custom: dict[str, Any]) -> list[str]:
        """What a prepared message may have carried that nobody may read in what comes back."""
        auth = self.destination(custom).auth
        held = [auth.password, auth.client_secret, auth.authorization_value.partition(" ")[2]] if auth else []
        return [secret for secret in (*held, self._session) if isinstance(secret, str) and secret]

    def sources(self, custom: dict[str, Any]) -> Sources:
        """What the tokens in a message's attributes stand for."""
        connection = self.link.connection
        auth = self.destination(custom).auth if connection.is_external else None
        # What stays in the vault is stored as it is filled in, and a live session is stored nowhere.
        session = None if connection.is_local else self._live_session
        between = connection.is_vault_to_vault
        return Sources(vault=self.values, custom=custom, auth=auth, session=session, between_vaults=between)

    def _resolve(self, custom: dict[str, Any]) -> Destination | RouteUnavailable:
        if self.peer_url:
            return Destination(self.peer_url, urlsplit(self.peer_url).hostname or "")
        try:
            return outward.destination(self.link.connection, custom=custom)
        except DestinationUnavailable as error:
            return RouteUnavailable(str(error), ends=isinstance(error, AddressUnusable))

    def _mint(self) -> str | TokenRefused:
        with transaction.atomic():
            made = connection_sessions.mint_for_connection(self.link.connection, now=self.now)
        if made is None:
            return TokenRefused(
                "${Session.ConnectionUserSessionId} has no value: the connection has no Authorized Connection User "
                "who may use the API."
            )
        return made.raw

    def _live_session(self, name: SessionName) -> str:
        if name is not SessionName.CONNECTION_USER:
            raise TokenRefused("${Session.SessionId} has no value here: nobody is signed in while messages are sent.")
        if isinstance(self._session, TokenRefused):
            raise self._session
        return self._session


def _key(custom: dict[str, Any]) -> str:
    return json.dumps(custom, sort_keys=True) if custom else ""


def route_of(link_id: int, *, now: datetime) -> Route:
    """The route of a lane as it is now; RouteUnavailable when nothing can be sent so, LaneStopped when it may not."""
    rows = QueueConnection.objects.select_related(
        "queue__vault",
        "connection__vault",
        "connection__authorization__secret",
        "connection__authorized_user",
        "connection__signing_certificate",
    )
    link = rows.get(pk=link_id)
    connection = link.connection
    if connection.state != ConnectionState.ACTIVE:
        raise LaneStopped(f"The connection “{connection}” is {connection.get_state_display()}.")
    if connection.is_local:
        return Route(link, None, token_rows.values(connection.vault), now, is_here=True)
    if connection.is_vault_to_vault:
        return _to_peer(link, now)
    return Route(link, _signer(connection.signing_certificate), token_rows.values(connection.vault), now)


def _to_peer(link: QueueConnection, now: datetime) -> Route:
    """Beside the peer's handshake lies its address for messages; what it is known to hold decides who signs."""
    connection = link.connection
    binding = connection.bindings.in_force().select_related("own_certificate").first()
    if binding is None:
        raise RouteUnavailable(f"The connection “{connection}” is established with no Vault.")
    binding.connection = connection
    return Route(
        link,
        _signer(own_certificates.for_peer(binding, now=now)),
        token_rows.values(connection.vault),
        now,
        peer_url=f"{binding.peer_url.removesuffix('peering/')}spark/{link.deliver_to_queue}",
        peer_vault_id=binding.peer_vault_id,
        is_here=not binding.joins_installations,
    )


def _signer(certificate: SigningCertificate) -> Signer:
    try:
        return Signer(certificate.certificate_id, certificates.private_key(certificate))
    except (KeyGone, SecretUnavailable) as error:
        raise RouteUnavailable(f"Nothing can be signed with certificate {certificate}: {error}") from error


def with_path(url: str, path: str) -> str:
    """A resolved URL with what the put appended, judged as it would be called."""
    if not path:
        return url
    parts = urlsplit(url)
    tail, _, query = path.partition("?")
    joined = "&".join(part for part in (parts.query, query) if part)
    whole = f"{parts.scheme}://{parts.netloc}{parts.path.rstrip('/')}{tail}" + (f"?{joined}" if joined else "")
    try:
        rules.check_resolved_url(whole)
    except rules.RuleBroken as error:
        raise RouteUnavailable(str(error), ends=True) from error
    return whole
