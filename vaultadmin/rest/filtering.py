"""Client ID Filtering and what else a Client ID decides (veeva-core 10.1)."""

from __future__ import annotations

from vaultadmin.models import Membership, VaultSettings
from vaultadmin.rest.call import Call
from vaultadmin.rest.envelope import ErrorType, Failure


def check_client(call: Call) -> None:
    """With filtering on, refuse a Client ID that belongs to no Active connection of the vault.

    Calls of a peer vault, or of the vault itself, by a session made for their connection are trusted.
    """
    if call.vault is None or call.connection is not None or not _is_on(call):
        return
    if call.caller is not None and call.caller.is_trusted_peer:
        return
    raise Failure(
        ErrorType.INSUFFICIENT_ACCESS,
        "Client ID Filtering is on in this Vault and this Client ID belongs to no active connection.",
    )


def check_member(call: Call, member: Membership) -> None:
    """With filtering on, an External connection's Client IDs are for its Authorized Connection User alone."""
    connection = call.connection
    if connection is None or not connection.external or connection.authorized_member_id == member.pk:
        return
    if _is_on(call):
        raise Failure(
            ErrorType.INSUFFICIENT_ACCESS,
            f"Client ID Filtering is on in this Vault: only the Authorized Connection User of {connection.api_name} "
            "can use its Client IDs.",
        )


def check_may_sign_in(call: Call) -> None:
    """Without an Authorized Connection User the application of an External connection gets no session token."""
    connection = call.connection
    if connection is not None and connection.external and connection.authorized_member_id is None:
        raise Failure(
            ErrorType.INSUFFICIENT_ACCESS,
            f"The connection {connection.api_name} has no Authorized Connection User, so no session can be made "
            "with its Client IDs.",
        )


def _is_on(call: Call) -> bool:
    return call.vault is not None and VaultSettings.of(call.vault).client_id_filtering
