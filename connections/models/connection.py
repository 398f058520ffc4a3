"""The connection record (veeva-core section 2)."""

from __future__ import annotations

from django.db import models
from django.db.models import Q
from django.db.models.functions import Upper
from django_fsm import FSMField, transition

from connections.constants import LIFECYCLE, ConnectionState, ConnectionType, RecordStatus
from connections.rules import API_NAME_LENGTH, record_id
from vaultadmin.models import Membership
from vaultadmin.permissions import Permission, can
from vaultadmin.state_machine import StateMachine

PENDING = ConnectionState.PENDING
APPROVED = ConnectionState.APPROVED
ACTIVE = ConnectionState.ACTIVE
INACTIVE = ConnectionState.INACTIVE
DISCONNECTED = ConnectionState.DISCONNECTED


def joins_two_vaults(connection: models.Model) -> bool:
    """Only these are established with a peer."""
    return isinstance(connection, Connection) and connection.type == ConnectionType.VAULT_TO_VAULT


class ConnectionQuerySet(models.QuerySet["Connection"]):
    """Connection rows."""

    def visible_to(self, member: Membership) -> ConnectionQuerySet:
        """Those of the member's vault, if they may read connections."""
        if not can(member, Permission.CONNECTION_READ):
            return self.none()
        return self.filter(vault=member.vault_id)

    def vault_to_vault(self) -> ConnectionQuerySet:
        """Those between two vaults."""
        return self.filter(type=ConnectionType.VAULT_TO_VAULT)


class Connection(StateMachine, models.Model):
    """A channel to a peer vault, to an external system, or to the vault itself.

    Services decide when it moves; the transitions below decide whether it may (veeva-core section 2.3).
    """

    request_runs: bool | None = None

    vault = models.ForeignKey("vaultadmin.Vault", models.CASCADE, related_name="connections")
    type = models.CharField("Connection Type", max_length=32, choices=ConnectionType.choices)
    name = models.CharField("Name", max_length=128)
    api_name = models.CharField("API Name", max_length=API_NAME_LENGTH)
    state = FSMField("Lifecycle State", choices=ConnectionState.choices, max_length=32, protected=True)
    description = models.TextField("Description", max_length=2000, blank=True)
    authorized_user = models.ForeignKey(
        "vaultadmin.Membership",
        models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        verbose_name="Authorized Connection User",
    )
    system_managed = models.BooleanField("System Managed", default=False)
    standard_key = models.CharField(max_length=64, blank=True, editable=False)
    # Which of several of the same standard connection; 0 for records that are none.
    standard_instance = models.PositiveSmallIntegerField(default=0, editable=False)

    remote_vault_id = models.BigIntegerField("Remote Vault ID", null=True, blank=True)
    remote_connection_id = models.CharField("Remote Connection ID", max_length=15, blank=True)
    remote_vault_name = models.CharField("Remote Vault Name", max_length=128, blank=True)
    remote_vault_dns = models.CharField("Remote Vault DNS", max_length=253, blank=True)
    remote_domain = models.CharField("Remote Domain", max_length=253, blank=True)
    remote_application = models.CharField("Remote Application", max_length=64, blank=True)

    url = models.CharField("URL", max_length=2000, blank=True)
    # A sandbox was made from it: active again only when somebody enters a URL.
    url_removed = models.BooleanField(default=False, db_default=False, editable=False)
    authorization = models.ForeignKey(
        "connections.ConnectionAuthorization",
        models.PROTECT,
        null=True,
        blank=True,
        related_name="connections",
        verbose_name="Authorization",
    )
    signing_certificate = models.ForeignKey(
        "connections.SigningCertificate", models.PROTECT, related_name="connections", verbose_name="Signing Certificate"
    )
    # When a person last chose the certificate; empty while the record follows the installation's.
    signing_certificate_chosen_at = models.DateTimeField(null=True, editable=False)
    file_generation = models.PositiveIntegerField(default=0, editable=False)
    creation_key = models.UUIDField(unique=True, null=True, editable=False)
    created_at = models.DateTimeField()
    modified_at = models.DateTimeField()

    objects = ConnectionQuerySet.as_manager()

    class Meta:
        ordering = ["name", "pk"]
        constraints = [
            models.UniqueConstraint(fields=["vault", "api_name"], name="connection_api_name_once_per_vault"),
            models.UniqueConstraint(
                fields=["vault", "standard_key", "standard_instance"],
                condition=~Q(standard_key=""),
                name="connection_standard_once_per_instance",
            ),
            models.CheckConstraint(
                condition=Q(standard_key="", standard_instance=0)
                | (Q(system_managed=True, standard_instance__gte=1) & ~Q(standard_key="")),
                name="connection_standard_has_its_number",
            ),
            # The target of composite references: an alias cannot lead into another vault.
            models.UniqueConstraint(fields=["id", "vault"], name="connection_in_its_vault"),
            models.CheckConstraint(
                condition=Q(system_managed=False, api_name__regex=r"^[a-z0-9]+(_+[a-z0-9]+)*$")
                | Q(system_managed=True, api_name__regex=r"^[a-z0-9]+([_-]+[a-z0-9]+)*$"),
                name="connection_api_name_is_written_right",
            ),
            models.CheckConstraint(condition=~Q(api_name="create"), name="connection_api_name_is_not_reserved"),
            models.CheckConstraint(
                condition=Q(type=ConnectionType.VAULT_TO_VAULT)
                | Q(
                    state__in=[ACTIVE, INACTIVE],
                    remote_vault_id__isnull=True,
                    remote_connection_id="",
                ),
                name="connection_only_vaults_have_a_peer",
            ),
            models.CheckConstraint(
                condition=Q(type=ConnectionType.EXTERNAL) | Q(url="", authorization__isnull=True),
                name="connection_only_external_has_a_url",
            ),
            models.CheckConstraint(
                condition=Q(url_removed=False) | Q(type=ConnectionType.EXTERNAL, state=INACTIVE, url=""),
                name="connection_without_its_url_is_inactive",
            ),
            models.CheckConstraint(
                condition=Q(remote_vault_id__isnull=True) | Q(remote_vault_id__gte=1),
                name="connection_remote_vault_id_is_a_vault_id",
            ),
        ]
        indexes = [
            models.Index("vault", Upper("name"), "id", name="connection_by_name"),
            models.Index(fields=["vault", "-modified_at", "-id"], name="connection_by_change"),
            models.Index(
                fields=["vault", "remote_vault_id"], name="connection_by_peer", condition=~Q(remote_vault_id=None)
            ),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def record_id(self) -> str:
        """The 15-character id people and peers know the record by."""
        return record_id(self.pk)

    @property
    def lifecycle(self) -> str:
        """The lifecycle every connection follows."""
        return LIFECYCLE

    @property
    def status(self) -> RecordStatus:
        """`status__v`: inactive only in the Inactive state."""
        return RecordStatus.INACTIVE if self.state == INACTIVE else RecordStatus.ACTIVE

    def is_being_agreed_on(self) -> bool:
        """Does a request to establish it run? A page that has read that already says so in `request_runs`."""
        return self.bindings.open().exists() if self.request_runs is None else self.request_runs

    @property
    def is_vault_to_vault(self) -> bool:
        """Is this a connection between two vaults?"""
        return joins_two_vaults(self)

    @property
    def is_external(self) -> bool:
        """Is this a connection to a system that is no vault?"""
        return self.type == ConnectionType.EXTERNAL

    @property
    def is_local(self) -> bool:
        """Does it lead back into its own vault?"""
        return self.type == ConnectionType.LOCAL

    @transition(state, source=[PENDING, DISCONNECTED, ACTIVE], target=PENDING, conditions=[joins_two_vaults])
    def await_approval(self) -> None:
        """A file was exchanged without a Remote Vault ID: people on both sides decide next."""

    @transition(state, source=PENDING, target=APPROVED, conditions=[joins_two_vaults])
    def approve(self) -> None:
        """This side approved; the other has not yet."""

    @transition(state, source=[PENDING, DISCONNECTED, ACTIVE, APPROVED], target=ACTIVE, conditions=[joins_two_vaults])
    def establish(self) -> None:
        """Both sides agree: at once with a Remote Vault ID, else when both approved."""

    @transition(state, source=[PENDING, APPROVED], target=PENDING, conditions=[joins_two_vaults])
    def give_up(self) -> None:
        """Somebody rejected or withdrew: start again with a new file."""

    @transition(state, source=[DISCONNECTED, INACTIVE], target=PENDING, conditions=[joins_two_vaults])
    def reopen(self) -> None:
        """Established with nobody, it waits to be established again: a file was downloaded, or it was activated."""

    @transition(state, source=ACTIVE, target=PENDING, conditions=[joins_two_vaults])
    def reset(self) -> None:
        """Drop the binding to establish it anew; the peer is not told."""

    @transition(state, source=[ACTIVE, INACTIVE], target=DISCONNECTED, conditions=[joins_two_vaults])
    def disconnect(self) -> None:
        """The peer has gone, also while this side did not use it: Activate must not lead to nobody."""

    @transition(state, source=ACTIVE, target=INACTIVE)
    def inactivate(self) -> None:
        """Stop using it; a cloned External connection also ends here until its URL is entered again."""

    @transition(state, source=INACTIVE, target=ACTIVE)
    def activate(self) -> None:
        """Use it again."""


class ConnectionAlias(models.Model):
    """A former API name; pages under it lead to the connection as long as no other one takes the name."""

    vault = models.ForeignKey("vaultadmin.Vault", models.CASCADE, related_name="+")
    api_name = models.CharField(max_length=API_NAME_LENGTH)
    connection = models.ForeignKey(Connection, models.CASCADE, related_name="aliases")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["vault", "api_name"], name="connection_alias_once_per_vault")]

    def __str__(self) -> str:
        return self.api_name
