"""API names within a vault: which are taken, and what becomes of old ones."""

from __future__ import annotations

from django.db import IntegrityError

from connections import rules
from connections.models import Connection, ConnectionAlias
from connections.services.refusals import Refused
from vaultadmin.models import Vault

_ONE_NAME = ("connection_api_name_once_per_vault", "connection_alias_once_per_vault")


def check(vault: Vault, api_name: str, *, standard: bool, but: Connection | None = None) -> None:
    """Refuse an API name that is written wrong or already used in the vault."""
    try:
        rules.check_api_name(api_name, standard=standard)
    except rules.RuleBroken as error:
        raise Refused(str(error), field="api_name") from error
    others = Connection.objects.filter(vault=vault, api_name=api_name)
    if others.exclude(pk=but.pk if but else None).exists():
        raise taken(api_name)


def taken(api_name: str) -> Refused:
    """The refusal of a name another connection has."""
    return Refused(
        f"Another connection of this Vault has the API Name “{api_name}”; choose another one.", field="api_name"
    )


def refusal_of(error: IntegrityError, api_name: str) -> Refused:
    """What a conflict the database found means: the name was taken meanwhile, or what the record names is gone."""
    constraint = getattr(getattr(error.__cause__, "diag", None), "constraint_name", "")
    if constraint in _ONE_NAME:
        return taken(api_name)
    return Refused("What you chose here, such as an authorization or a user, was removed meanwhile; look at it again.")


def free(vault: Vault, wanted: str) -> str:
    """`wanted`, or with a suffix if a connection of the vault has that name."""
    names = Connection.objects.filter(vault=vault)
    return rules.free_api_name(wanted, taken=lambda name: names.filter(api_name=name).exists())


def claim(connection: Connection, *, former: str = "") -> None:
    """A connection took its name: old addresses under it end, and those under its former name lead to it."""
    ConnectionAlias.objects.filter(vault=connection.vault_id, api_name=connection.api_name).delete()
    if former:
        ConnectionAlias.objects.create(vault_id=connection.vault_id, api_name=former, connection=connection)
