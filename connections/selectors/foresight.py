"""The plan of the approval that waits: the facts `connections.foresight` puts together."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import datetime

from connections import foresight, signed_json
from connections.foresight import Acting, Difference, Effect, Key, Peer, Plan, Record, Request
from connections.models import Binding, Connection
from vaultadmin.models import Membership
from vaultadmin.permissions import Permission, expand
from vaultadmin.worklist.holding import own_requests_allowed

# What begins when a connection becomes Active. Features add themselves in AppConfig.ready.
sources: list[Callable[[Connection], Iterable[Effect]]] = []


def plan_of(binding: Binding) -> Plan:
    """Everything that follows from approving, as it is now; the same facts give the same plan."""
    connection = binding.connection
    ours = connection.signing_certificate
    return foresight.build(
        record=Record(connection.record_id, connection.name, connection.api_name, _key(ours.certificate_id, ours.pem)),
        request=Request(
            exchange=str(binding.exchange),
            file_sha256=binding.file_sha256,
            six_words=binding.six_words,
            asked_here_by=binding.requested_by.user.name,
            asked_there_by=binding.remote_requested_by,
            own_requests_allowed=own_requests_allowed(connection.vault),
        ),
        peer=Peer(
            installation_id=str(binding.peer_installation_id),
            here=not binding.joins_installations,
            vault_id=binding.peer_vault_id,
            name=binding.peer_name,
            dns=binding.peer_dns,
            domain=binding.peer_domain,
            application=binding.peer_application,
            connection_id=binding.peer_connection_id,
            url=binding.peer_url,
            certificate=_key(binding.peer_certificate_id, binding.peer_certificate_pem),
        ),
        acting=_acting(connection),
        effects=[effect for source in sources for effect in source(connection)],
    )


def since_last_agreement(binding: Binding, plan: Plan) -> list[Difference] | None:
    """What is different from what was agreed on last for this record; None when nothing was."""
    earlier = binding.connection.bindings.exclude(pk=binding.pk).filter(agreed__isnull=False)
    last = earlier.order_by("-established_at", "-pk").first()
    return foresight.compare(last.agreed or {}, plan, lasting=True) if last is not None else None


def _acting(connection: Connection) -> Acting | None:
    user = connection.authorized_user_id
    member = Membership.objects.for_request().filter(pk=user).first() if user else None
    if member is None:
        return None
    granted = expand(member.profile.permissions)
    return Acting(
        name=member.user.name,
        email=member.user.email,
        profile=member.profile.name,
        active=member.is_active and member.user.is_active,
        permissions=[str(permission.label) for permission in Permission if permission in granted],
    )


def _key(certificate_id: str, pem: str) -> Key:
    certificate = signed_json.read_certificate(pem)
    valid = (certificate.not_valid_before_utc, certificate.not_valid_after_utc)
    return Key(certificate_id, signed_json.fingerprint(certificate), *(_day(moment) for moment in valid))


def _day(moment: datetime) -> str:
    return f"{moment.day} {moment:%b %Y}"
