"""Making vaults."""

from __future__ import annotations

from datetime import datetime

from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.db.models import Max

from vaultadmin import audit, registries, standard_profiles
from vaultadmin.audit import Actor
from vaultadmin.models import Membership, User, Vault
from vaultadmin.services import people

_FIRST_ID = 1001
_FIELDS = ("id", "name", "dns", "application", "is_sandbox")


class VaultRefused(Exception):
    """The vault cannot be made as asked; `field` names the form field the sentence belongs to."""

    def __init__(self, sentence: str, *, field: str = "") -> None:
        super().__init__(sentence)
        self.field = field


def create_vault(
    *,
    id: int | None,
    name: str,
    dns: str,
    application: str,
    by: Actor,
    now: datetime,
    is_sandbox: bool = False,
    source_vault: Vault | None = None,
) -> Vault:
    """A new vault with the standard profiles; a person who makes it becomes its Vault Owner.

    Without an `id` it gets the next free number. Raises VaultRefused when the number or the DNS name is taken.
    """
    dns = dns.strip().lower()
    vault = Vault(
        id=id if id is not None else next_id(),
        name=name.strip(),
        dns=dns,
        domain=dns.partition(".")[2],
        application=application,
        is_sandbox=is_sandbox,
        source_vault=source_vault,
        created_at=now,
    )
    check(vault)
    try:
        with transaction.atomic():
            _store(vault, by, now)
    except IntegrityError as error:
        raise VaultRefused("Another vault took this Vault ID or DNS name just now. Choose another one.") from error
    return vault


def next_id() -> int:
    """The number after the highest one in use."""
    highest = Vault.objects.aggregate(highest=Max("id"))["highest"]
    return max(_FIRST_ID, (highest or 0) + 1)


def check(vault: Vault) -> None:
    """Refuse a number or DNS name that is taken, and values the model refuses."""
    if Vault.objects.filter(pk=vault.pk).exists():
        raise VaultRefused(f"Vault ID {vault.pk} is taken. Leave it empty for the next free one.", field="id")
    if Vault.objects.filter(dns=vault.dns).exists():
        raise VaultRefused(f"The DNS name {vault.dns} belongs to another vault.", field="dns")
    try:
        vault.clean_fields()
    except ValidationError as error:
        field, sentences = next(iter(error.message_dict.items()))
        raise VaultRefused(sentences[0], field=field) from error


def add(vault: Vault, *, by: Actor) -> None:
    """Insert a checked vault with its audit row and nobody in it, inside the caller's transaction."""
    vault.save(force_insert=True)
    audit.record(vault=vault, by=by, event="vault.created", subject=vault, changes=audit.created(vault, _FIELDS))


def _store(vault: Vault, by: Actor, now: datetime) -> None:
    add(vault, by=by)
    standard_profiles.install(vault, by=by)
    person = by.user if isinstance(by, Membership) else by
    if isinstance(person, User):
        people.make_owner(person, vault=vault, by=by)
    for fit_out in registries.vault_parts:
        fit_out(vault, by, now)
