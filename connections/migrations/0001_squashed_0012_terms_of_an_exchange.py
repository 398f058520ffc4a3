"""The tables of connections; nothing of one lies in another vault."""

import uuid

import django.core.validators
import django.db.models.deletion
import django.db.models.functions.text
import django_fsm
from django.db import migrations, models

from vaultadmin.tables import CreateTables

# Nothing of a connection lies in another vault, whoever writes the row (architecture decision 2).
BOUNDS = """
CREATE UNIQUE INDEX membership_in_its_vault ON vaultadmin_membership (id, vault_id);
ALTER TABLE connections_connection
    ADD CONSTRAINT connection_authorization_of_same_vault FOREIGN KEY (authorization_id, vault_id)
        REFERENCES connections_connectionauthorization (id, vault_id) DEFERRABLE INITIALLY DEFERRED,
    ADD CONSTRAINT connection_user_of_same_vault FOREIGN KEY (authorized_user_id, vault_id)
        REFERENCES vaultadmin_membership (id, vault_id) DEFERRABLE INITIALLY DEFERRED;
ALTER TABLE connections_connectionalias
    ADD CONSTRAINT connection_alias_of_same_vault FOREIGN KEY (connection_id, vault_id)
        REFERENCES connections_connection (id, vault_id) DEFERRABLE INITIALLY DEFERRED;
ALTER TABLE connections_connectionclient
    ADD CONSTRAINT connection_client_of_same_vault FOREIGN KEY (connection_id, vault_id)
        REFERENCES connections_connection (id, vault_id) DEFERRABLE INITIALLY DEFERRED;
ALTER TABLE connections_integration
    ADD CONSTRAINT integration_connection_of_same_vault FOREIGN KEY (connection_id, vault_id)
        REFERENCES connections_connection (id, vault_id) DEFERRABLE INITIALLY DEFERRED;
ALTER TABLE connections_integrationpoint
    ADD CONSTRAINT integration_point_like_its_integration FOREIGN KEY (integration_id, vault_id, system_managed)
        REFERENCES connections_integration (id, vault_id, system_managed) DEFERRABLE INITIALLY DEFERRED;
ALTER TABLE connections_referencelookup
    ADD CONSTRAINT reference_lookup_connection_of_same_vault FOREIGN KEY (connection_id, vault_id)
        REFERENCES connections_connection (id, vault_id) DEFERRABLE INITIALLY DEFERRED;
"""
NO_BOUNDS = """
ALTER TABLE connections_referencelookup DROP CONSTRAINT reference_lookup_connection_of_same_vault;
ALTER TABLE connections_integrationpoint DROP CONSTRAINT integration_point_like_its_integration;
ALTER TABLE connections_integration DROP CONSTRAINT integration_connection_of_same_vault;
ALTER TABLE connections_connectionclient DROP CONSTRAINT connection_client_of_same_vault;
ALTER TABLE connections_connectionalias DROP CONSTRAINT connection_alias_of_same_vault;
ALTER TABLE connections_connection
    DROP CONSTRAINT connection_user_of_same_vault, DROP CONSTRAINT connection_authorization_of_same_vault;
DROP INDEX membership_in_its_vault;
"""


class Migration(migrations.Migration):
    replaces = [
        ("connections", "0001_connections"),
        ("connections", "0002_references_stay_in_their_vault"),
        ("connections", "0003_data_of_connections"),
        ("connections", "0004_certificate_stages"),
        ("connections", "0005_messages_outlive_their_record"),
        ("connections", "0006_urls_taken_away"),
        ("connections", "0007_standard_instances"),
        ("connections", "0008_authorizations_and_tokens"),
        ("connections", "0009_clocks_of_peers"),
        ("connections", "0010_connection_clients"),
        ("connections", "0011_certificate_message"),
        ("connections", "0012_terms_of_an_exchange"),
    ]

    dependencies = [
        ("vaultadmin", "0001_squashed_0016_notices_of_rejections"),
    ]

    operations = [
        CreateTables(
            [
                migrations.CreateModel(
                    name="ConnectionAuthorization",
                    fields=[
                        (
                            "id",
                            models.BigAutoField(
                                auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                            ),
                        ),
                        (
                            "type",
                            models.CharField(
                                choices=[
                                    ("basic_auth__sys", "Basic Auth"),
                                    ("client_credentials__sys", "Client Credential"),
                                ],
                                max_length=32,
                                verbose_name="Authorization Type",
                            ),
                        ),
                        ("name", models.CharField(max_length=128, verbose_name="Name")),
                        ("username", models.CharField(blank=True, max_length=255, verbose_name="User Name")),
                        ("client_id", models.CharField(blank=True, max_length=255, verbose_name="Client ID")),
                        ("creation_key", models.UUIDField(editable=False, null=True, unique=True)),
                        ("created_at", models.DateTimeField()),
                        ("modified_at", models.DateTimeField()),
                        (
                            "secret",
                            models.OneToOneField(
                                null=True,
                                on_delete=django.db.models.deletion.PROTECT,
                                related_name="+",
                                to="vaultadmin.secret",
                            ),
                        ),
                        (
                            "vault",
                            models.ForeignKey(
                                on_delete=django.db.models.deletion.CASCADE,
                                related_name="connection_authorizations",
                                to="vaultadmin.vault",
                            ),
                        ),
                        (
                            "status",
                            models.CharField(
                                choices=[("active__v", "Active"), ("inactive__v", "Inactive")],
                                db_default="active__v",
                                default="active__v",
                                max_length=16,
                                verbose_name="Status",
                            ),
                        ),
                    ],
                    options={
                        "ordering": ["name", "pk"],
                        "constraints": [
                            models.UniqueConstraint(fields=("id", "vault"), name="authorization_in_its_vault"),
                            models.CheckConstraint(
                                condition=models.Q(
                                    models.Q(
                                        ("client_id", ""),
                                        ("type", "basic_auth__sys"),
                                        models.Q(("username", ""), _negated=True),
                                    ),
                                    models.Q(
                                        ("type", "client_credentials__sys"),
                                        ("username", ""),
                                        models.Q(("client_id", ""), _negated=True),
                                    ),
                                    _connector="OR",
                                ),
                                name="authorization_fields_fit_its_type",
                            ),
                            models.CheckConstraint(
                                condition=models.Q(("status__in", ["active__v", "inactive__v"])),
                                name="authorization_status_is_known",
                            ),
                        ],
                    },
                ),
                migrations.CreateModel(
                    name="IncomingPeerMessage",
                    fields=[
                        (
                            "id",
                            models.BigAutoField(
                                auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                            ),
                        ),
                        ("peer_installation_id", models.UUIDField()),
                        ("peer_vault_id", models.BigIntegerField()),
                        ("message_id", models.UUIDField()),
                        (
                            "type",
                            models.CharField(
                                choices=[
                                    ("connect", "connect"),
                                    ("approve", "approve"),
                                    ("reject", "reject"),
                                    ("withdraw", "withdraw"),
                                    ("delete", "delete"),
                                    ("certificate", "certificate"),
                                ],
                                max_length=16,
                            ),
                        ),
                        ("body_sha256", models.CharField(max_length=64)),
                        ("exchange", models.UUIDField()),
                        ("received_at", models.DateTimeField()),
                        (
                            "outcome",
                            models.CharField(choices=[("accepted", "accepted"), ("refused", "refused")], max_length=8),
                        ),
                        ("code", models.CharField(blank=True, max_length=32)),
                        (
                            "vault",
                            models.ForeignKey(
                                on_delete=django.db.models.deletion.CASCADE, related_name="+", to="vaultadmin.vault"
                            ),
                        ),
                    ],
                    options={
                        "constraints": [
                            models.UniqueConstraint(
                                fields=("vault", "peer_installation_id", "peer_vault_id", "message_id"),
                                name="incoming_message_once_per_peer",
                            )
                        ],
                    },
                ),
                migrations.CreateModel(
                    name="SigningCertificate",
                    fields=[
                        (
                            "id",
                            models.BigAutoField(
                                auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                            ),
                        ),
                        (
                            "certificate_id",
                            models.CharField(
                                max_length=5,
                                unique=True,
                                validators=[
                                    django.core.validators.RegexValidator(
                                        "\\A[0-9]{5}\\Z", "A certificate ID has five digits."
                                    )
                                ],
                                verbose_name="Certificate ID",
                            ),
                        ),
                        ("pem", models.TextField()),
                        ("fingerprint", models.CharField(max_length=64, unique=True, verbose_name="Fingerprint")),
                        ("not_before", models.DateTimeField(verbose_name="Valid from")),
                        ("not_after", models.DateTimeField(verbose_name="Valid until")),
                        ("created_at", models.DateTimeField()),
                        (
                            "private_key",
                            models.OneToOneField(
                                null=True,
                                on_delete=django.db.models.deletion.PROTECT,
                                related_name="+",
                                to="vaultadmin.secret",
                            ),
                        ),
                        ("final_at", models.DateTimeField(verbose_name="Rollover ends")),
                        ("published_at", models.DateTimeField(verbose_name="Published")),
                        ("release_at", models.DateTimeField(verbose_name="Rollover begins")),
                        ("retired_at", models.DateTimeField(null=True, verbose_name="Retired")),
                        ("retired_reason", models.CharField(blank=True, max_length=255, verbose_name="Why retired")),
                        (
                            "stage",
                            django_fsm.FSMField(
                                choices=[
                                    ("published", "Published"),
                                    ("test", "Test"),
                                    ("rollover", "Rollover"),
                                    ("active", "Active"),
                                    ("retired", "Retired"),
                                ],
                                max_length=16,
                                protected=True,
                                verbose_name="Stage",
                            ),
                        ),
                        ("test_at", models.DateTimeField(verbose_name="Test begins")),
                    ],
                    options={
                        "ordering": ["certificate_id"],
                        "constraints": [
                            models.CheckConstraint(
                                condition=models.Q(("certificate_id__regex", "^[0-9]{5}$")),
                                name="certificate_id_has_five_digits",
                            ),
                            models.CheckConstraint(
                                condition=models.Q(("not_before__lt", models.F("not_after"))),
                                name="certificate_begins_before_it_ends",
                            ),
                            models.UniqueConstraint(
                                condition=models.Q(("stage", "active")),
                                fields=("stage",),
                                name="certificate_one_active",
                            ),
                            models.UniqueConstraint(
                                models.Value(1),
                                condition=models.Q(("stage__in", ("published", "test", "rollover"))),
                                name="certificate_one_on_its_way",
                            ),
                            models.CheckConstraint(
                                condition=models.Q(
                                    ("published_at__lte", models.F("test_at")),
                                    ("release_at__lte", models.F("final_at")),
                                    ("test_at__lte", models.F("release_at")),
                                ),
                                name="certificate_stages_in_order",
                            ),
                            models.CheckConstraint(
                                condition=models.Q(
                                    models.Q(
                                        ("retired_at__isnull", False),
                                        ("stage", "retired"),
                                        models.Q(("retired_reason", ""), _negated=True),
                                    ),
                                    models.Q(
                                        models.Q(("stage", "retired"), _negated=True),
                                        ("retired_at__isnull", True),
                                        ("retired_reason", ""),
                                    ),
                                    _connector="OR",
                                ),
                                name="certificate_retirement_has_a_time_and_a_reason",
                            ),
                            models.CheckConstraint(
                                condition=models.Q(
                                    ("stage", "retired"), ("private_key__isnull", False), _connector="OR"
                                ),
                                name="certificate_in_use_has_its_key",
                            ),
                        ],
                    },
                ),
                migrations.CreateModel(
                    name="Connection",
                    fields=[
                        (
                            "id",
                            models.BigAutoField(
                                auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                            ),
                        ),
                        (
                            "type",
                            models.CharField(
                                choices=[
                                    ("vault_to_vault__sys", "Vault to Vault"),
                                    ("external__sys", "External"),
                                    ("local__sys", "Local"),
                                ],
                                max_length=32,
                                verbose_name="Connection Type",
                            ),
                        ),
                        ("name", models.CharField(max_length=128, verbose_name="Name")),
                        ("api_name", models.CharField(max_length=40, verbose_name="API Name")),
                        (
                            "state",
                            django_fsm.FSMField(
                                choices=[
                                    ("pending_state__sys", "Pending"),
                                    ("approved_state__sys", "Approved"),
                                    ("active_state__sys", "Active"),
                                    ("inactive_state__sys", "Inactive"),
                                    ("disconnected_state__sys", "Disconnected"),
                                ],
                                max_length=32,
                                protected=True,
                                verbose_name="Lifecycle State",
                            ),
                        ),
                        ("description", models.TextField(blank=True, max_length=2000, verbose_name="Description")),
                        ("system_managed", models.BooleanField(default=False, verbose_name="System Managed")),
                        ("standard_key", models.CharField(blank=True, editable=False, max_length=64)),
                        (
                            "remote_vault_id",
                            models.BigIntegerField(blank=True, null=True, verbose_name="Remote Vault ID"),
                        ),
                        (
                            "remote_connection_id",
                            models.CharField(blank=True, max_length=15, verbose_name="Remote Connection ID"),
                        ),
                        (
                            "remote_vault_name",
                            models.CharField(blank=True, max_length=128, verbose_name="Remote Vault Name"),
                        ),
                        (
                            "remote_vault_dns",
                            models.CharField(blank=True, max_length=253, verbose_name="Remote Vault DNS"),
                        ),
                        ("remote_domain", models.CharField(blank=True, max_length=253, verbose_name="Remote Domain")),
                        (
                            "remote_application",
                            models.CharField(blank=True, max_length=64, verbose_name="Remote Application"),
                        ),
                        ("url", models.CharField(blank=True, max_length=2000, verbose_name="URL")),
                        ("file_generation", models.PositiveIntegerField(default=0, editable=False)),
                        ("creation_key", models.UUIDField(editable=False, null=True, unique=True)),
                        ("created_at", models.DateTimeField()),
                        ("modified_at", models.DateTimeField()),
                        (
                            "authorized_user",
                            models.ForeignKey(
                                blank=True,
                                null=True,
                                on_delete=django.db.models.deletion.PROTECT,
                                related_name="+",
                                to="vaultadmin.membership",
                                verbose_name="Authorized Connection User",
                            ),
                        ),
                        (
                            "vault",
                            models.ForeignKey(
                                on_delete=django.db.models.deletion.CASCADE,
                                related_name="connections",
                                to="vaultadmin.vault",
                            ),
                        ),
                        (
                            "authorization",
                            models.ForeignKey(
                                blank=True,
                                null=True,
                                on_delete=django.db.models.deletion.PROTECT,
                                related_name="connections",
                                to="connections.connectionauthorization",
                                verbose_name="Authorization",
                            ),
                        ),
                        (
                            "signing_certificate",
                            models.ForeignKey(
                                on_delete=django.db.models.deletion.PROTECT,
                                related_name="connections",
                                to="connections.signingcertificate",
                                verbose_name="Signing Certificate",
                            ),
                        ),
                        ("signing_certificate_chosen_at", models.DateTimeField(editable=False, null=True)),
                        ("url_removed", models.BooleanField(db_default=False, default=False, editable=False)),
                        ("standard_instance", models.PositiveSmallIntegerField(default=0, editable=False)),
                    ],
                    options={
                        "ordering": ["name", "pk"],
                        "indexes": [
                            models.Index(
                                models.F("vault"),
                                django.db.models.functions.text.Upper("name"),
                                models.F("id"),
                                name="connection_by_name",
                            ),
                            models.Index(fields=["vault", "-modified_at", "-id"], name="connection_by_change"),
                            models.Index(
                                condition=models.Q(("remote_vault_id", None), _negated=True),
                                fields=["vault", "remote_vault_id"],
                                name="connection_by_peer",
                            ),
                        ],
                        "constraints": [
                            models.UniqueConstraint(
                                fields=("vault", "api_name"), name="connection_api_name_once_per_vault"
                            ),
                            models.UniqueConstraint(fields=("id", "vault"), name="connection_in_its_vault"),
                            models.CheckConstraint(
                                condition=models.Q(
                                    models.Q(
                                        ("api_name__regex", "^[a-z0-9]+(_+[a-z0-9]+)*$"), ("system_managed", False)
                                    ),
                                    models.Q(
                                        ("api_name__regex", "^[a-z0-9]+([_-]+[a-z0-9]+)*$"), ("system_managed", True)
                                    ),
                                    _connector="OR",
                                ),
                                name="connection_api_name_is_written_right",
                            ),
                            models.CheckConstraint(
                                condition=models.Q(("api_name", "create"), _negated=True),
                                name="connection_api_name_is_not_reserved",
                            ),
                            models.CheckConstraint(
                                condition=models.Q(
                                    ("type", "vault_to_vault__sys"),
                                    models.Q(
                                        ("remote_connection_id", ""),
                                        ("remote_vault_id__isnull", True),
                                        ("state__in", ["active_state__sys", "inactive_state__sys"]),
                                    ),
                                    _connector="OR",
                                ),
                                name="connection_only_vaults_have_a_peer",
                            ),
                            models.CheckConstraint(
                                condition=models.Q(
                                    ("type", "external__sys"),
                                    models.Q(("authorization__isnull", True), ("url", "")),
                                    _connector="OR",
                                ),
                                name="connection_only_external_has_a_url",
                            ),
                            models.CheckConstraint(
                                condition=models.Q(
                                    ("remote_vault_id__isnull", True), ("remote_vault_id__gte", 1), _connector="OR"
                                ),
                                name="connection_remote_vault_id_is_a_vault_id",
                            ),
                            models.CheckConstraint(
                                condition=models.Q(
                                    ("url_removed", False),
                                    models.Q(("state", "inactive_state__sys"), ("type", "external__sys"), ("url", "")),
                                    _connector="OR",
                                ),
                                name="connection_without_its_url_is_inactive",
                            ),
                            models.UniqueConstraint(
                                condition=models.Q(("standard_key", ""), _negated=True),
                                fields=("vault", "standard_key", "standard_instance"),
                                name="connection_standard_once_per_instance",
                            ),
                            models.CheckConstraint(
                                condition=models.Q(
                                    models.Q(("standard_instance", 0), ("standard_key", "")),
                                    models.Q(
                                        ("standard_instance__gte", 1),
                                        ("system_managed", True),
                                        models.Q(("standard_key", ""), _negated=True),
                                    ),
                                    _connector="OR",
                                ),
                                name="connection_standard_has_its_number",
                            ),
                        ],
                    },
                    bases=(django_fsm.ConcurrentTransitionMixin, models.Model),
                ),
                migrations.CreateModel(
                    name="Binding",
                    fields=[
                        (
                            "id",
                            models.BigAutoField(
                                auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                            ),
                        ),
                        ("exchange", models.UUIDField(editable=False)),
                        ("side", models.CharField(choices=[("source", "Source"), ("target", "Target")], max_length=8)),
                        (
                            "state",
                            django_fsm.FSMField(
                                choices=[
                                    ("proposed", "Waiting for the other Vault"),
                                    ("approving", "Waiting for approval"),
                                    ("in_force", "In force"),
                                    ("refused", "Refused by the other Vault"),
                                    ("rejected", "Rejected"),
                                    ("withdrawn", "Withdrawn"),
                                    ("lapsed", "Lapsed"),
                                    ("ended", "Ended"),
                                ],
                                max_length=16,
                                protected=True,
                            ),
                        ),
                        ("needs_approval", models.BooleanField()),
                        ("creates_record", models.BooleanField(default=False)),
                        ("peer_installation_id", models.UUIDField()),
                        ("peer_vault_id", models.BigIntegerField()),
                        ("peer_connection_id", models.CharField(max_length=15)),
                        ("peer_certificate_id", models.CharField(max_length=5)),
                        ("peer_certificate_pem", models.TextField()),
                        ("peer_url", models.CharField(max_length=2000)),
                        ("peer_name", models.CharField(max_length=128)),
                        ("peer_dns", models.CharField(max_length=253)),
                        ("peer_domain", models.CharField(blank=True, max_length=253)),
                        ("peer_application", models.CharField(blank=True, max_length=64)),
                        ("file_sha256", models.CharField(max_length=64)),
                        ("remote_requested_by", models.CharField(blank=True, max_length=128)),
                        ("requested_at", models.DateTimeField()),
                        (
                            "local_verdict",
                            models.CharField(
                                blank=True, choices=[("approve", "Approve"), ("reject", "Reject")], max_length=8
                            ),
                        ),
                        ("local_decided_at", models.DateTimeField(null=True)),
                        ("local_comment", models.TextField(blank=True)),
                        ("local_version", models.CharField(blank=True, max_length=64)),
                        (
                            "remote_verdict",
                            models.CharField(
                                blank=True, choices=[("approve", "Approve"), ("reject", "Reject")], max_length=8
                            ),
                        ),
                        ("remote_decided_by", models.CharField(blank=True, max_length=128)),
                        ("remote_decided_at", models.DateTimeField(null=True)),
                        ("remote_comment", models.TextField(blank=True)),
                        ("established_at", models.DateTimeField(null=True)),
                        ("ended_at", models.DateTimeField(null=True)),
                        ("ended_by", models.CharField(blank=True, max_length=128)),
                        ("end_reason", models.CharField(blank=True, max_length=255)),
                        (
                            "local_decided_by",
                            models.ForeignKey(
                                null=True,
                                on_delete=django.db.models.deletion.PROTECT,
                                related_name="+",
                                to="vaultadmin.membership",
                            ),
                        ),
                        (
                            "requested_by",
                            models.ForeignKey(
                                on_delete=django.db.models.deletion.PROTECT,
                                related_name="+",
                                to="vaultadmin.membership",
                            ),
                        ),
                        (
                            "connection",
                            models.ForeignKey(
                                on_delete=django.db.models.deletion.CASCADE,
                                related_name="bindings",
                                to="connections.connection",
                            ),
                        ),
                        (
                            "own_certificate",
                            models.ForeignKey(
                                on_delete=django.db.models.deletion.PROTECT,
                                related_name="+",
                                to="connections.signingcertificate",
                            ),
                        ),
                        (
                            "agreed",
                            models.JSONField(
                                editable=False, help_text="The plan in force since it was established.", null=True
                            ),
                        ),
                        ("lapses_at", models.DateTimeField(null=True, verbose_name="Lapses")),
                        (
                            "local_signature",
                            models.OneToOneField(
                                null=True,
                                on_delete=django.db.models.deletion.PROTECT,
                                related_name="+",
                                to="vaultadmin.signature",
                            ),
                        ),
                        ("remote_meaning", models.CharField(blank=True, max_length=255)),
                        ("remote_method", models.CharField(blank=True, max_length=32)),
                        ("six_words", models.CharField(blank=True, max_length=96, verbose_name="Six words")),
                        ("words_compared", models.BooleanField(default=False, verbose_name="Six words compared")),
                    ],
                    options={
                        "ordering": ["-requested_at", "-pk"],
                        "indexes": [
                            models.Index(
                                condition=models.Q(("state__in", ("proposed", "approving"))),
                                fields=["lapses_at"],
                                name="binding_lapses",
                            )
                        ],
                        "constraints": [
                            models.UniqueConstraint(
                                condition=models.Q(("state", "refused"), _negated=True),
                                fields=("exchange", "side"),
                                name="binding_one_per_file_and_side",
                            ),
                            models.UniqueConstraint(
                                condition=models.Q(("state__in", ("proposed", "approving"))),
                                fields=("connection",),
                                name="binding_one_open_per_connection",
                            ),
                            models.UniqueConstraint(
                                condition=models.Q(("state", "in_force")),
                                fields=("connection",),
                                name="binding_one_in_force_per_connection",
                            ),
                            models.CheckConstraint(
                                condition=models.Q(
                                    models.Q(
                                        ("local_decided_at__isnull", True),
                                        ("local_decided_by__isnull", True),
                                        ("local_verdict", ""),
                                    ),
                                    models.Q(
                                        ("local_decided_at__isnull", False),
                                        ("local_decided_by__isnull", False),
                                        models.Q(("local_verdict", ""), _negated=True),
                                    ),
                                    _connector="OR",
                                ),
                                name="binding_local_verdict_has_who_and_when",
                            ),
                            models.CheckConstraint(
                                condition=models.Q(
                                    models.Q(("remote_decided_at__isnull", True), ("remote_verdict", "")),
                                    models.Q(
                                        ("remote_decided_at__isnull", False),
                                        models.Q(("remote_verdict", ""), _negated=True),
                                    ),
                                    _connector="OR",
                                ),
                                name="binding_remote_verdict_has_a_time",
                            ),
                            models.CheckConstraint(
                                condition=models.Q(
                                    models.Q(("state", "in_force"), _negated=True),
                                    models.Q(("established_at__isnull", False), ("needs_approval", False)),
                                    models.Q(
                                        ("established_at__isnull", False),
                                        ("local_verdict", "approve"),
                                        ("needs_approval", True),
                                        ("remote_verdict", "approve"),
                                    ),
                                    _connector="OR",
                                ),
                                name="binding_in_force_was_agreed_by_both",
                            ),
                            models.CheckConstraint(
                                condition=models.Q(
                                    models.Q(
                                        ("ended_at__isnull", True), ("state__in", ["proposed", "approving", "in_force"])
                                    ),
                                    models.Q(
                                        models.Q(("state__in", ["proposed", "approving", "in_force"]), _negated=True),
                                        ("ended_at__isnull", False),
                                    ),
                                    _connector="OR",
                                ),
                                name="binding_end_has_a_time",
                            ),
                        ],
                    },
                    bases=(django_fsm.ConcurrentTransitionMixin, models.Model),
                ),
                migrations.CreateModel(
                    name="ConnectionAlias",
                    fields=[
                        (
                            "id",
                            models.BigAutoField(
                                auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                            ),
                        ),
                        ("api_name", models.CharField(max_length=40)),
                        (
                            "connection",
                            models.ForeignKey(
                                on_delete=django.db.models.deletion.CASCADE,
                                related_name="aliases",
                                to="connections.connection",
                            ),
                        ),
                        (
                            "vault",
                            models.ForeignKey(
                                on_delete=django.db.models.deletion.CASCADE, related_name="+", to="vaultadmin.vault"
                            ),
                        ),
                    ],
                    options={
                        "constraints": [
                            models.UniqueConstraint(
                                fields=("vault", "api_name"), name="connection_alias_once_per_vault"
                            )
                        ],
                    },
                ),
                migrations.CreateModel(
                    name="IssuedFile",
                    fields=[
                        ("file_id", models.UUIDField(editable=False, primary_key=True, serialize=False)),
                        ("generation", models.PositiveIntegerField()),
                        ("nonce_hash", models.BinaryField()),
                        ("sha256", models.CharField(max_length=64)),
                        ("remote_vault_id", models.BigIntegerField(null=True)),
                        ("issued_at", models.DateTimeField()),
                        ("expires_at", models.DateTimeField()),
                        ("used_at", models.DateTimeField(null=True)),
                        ("used_by_host", models.CharField(blank=True, max_length=253)),
                        ("used_by_vault_id", models.BigIntegerField(null=True)),
                        ("revoked_at", models.DateTimeField(null=True)),
                        ("revoked_reason", models.CharField(blank=True, max_length=255)),
                        (
                            "connection",
                            models.ForeignKey(
                                on_delete=django.db.models.deletion.CASCADE,
                                related_name="issued_files",
                                to="connections.connection",
                            ),
                        ),
                        (
                            "issued_by",
                            models.ForeignKey(
                                on_delete=django.db.models.deletion.PROTECT,
                                related_name="+",
                                to="vaultadmin.membership",
                            ),
                        ),
                        (
                            "revoked_by",
                            models.ForeignKey(
                                null=True,
                                on_delete=django.db.models.deletion.PROTECT,
                                related_name="+",
                                to="vaultadmin.membership",
                            ),
                        ),
                        (
                            "certificate",
                            models.ForeignKey(
                                on_delete=django.db.models.deletion.PROTECT,
                                related_name="+",
                                to="connections.signingcertificate",
                            ),
                        ),
                    ],
                    options={
                        "ordering": ["-issued_at"],
                        "constraints": [
                            models.UniqueConstraint(
                                fields=("connection", "generation"), name="issued_file_once_per_generation"
                            ),
                            models.UniqueConstraint(
                                condition=models.Q(("revoked_at__isnull", True), ("used_at__isnull", True)),
                                fields=("connection",),
                                name="issued_file_one_open_per_connection",
                            ),
                            models.CheckConstraint(
                                condition=models.Q(
                                    models.Q(
                                        ("used_at__isnull", True),
                                        ("used_by_host", ""),
                                        ("used_by_vault_id__isnull", True),
                                    ),
                                    models.Q(
                                        ("used_at__isnull", False),
                                        ("used_by_vault_id__isnull", False),
                                        models.Q(("used_by_host", ""), _negated=True),
                                    ),
                                    _connector="OR",
                                ),
                                name="issued_file_use_has_a_host_and_a_time",
                            ),
                            models.CheckConstraint(
                                condition=models.Q(
                                    models.Q(
                                        ("revoked_at__isnull", True),
                                        ("revoked_by__isnull", True),
                                        ("revoked_reason", ""),
                                    ),
                                    models.Q(
                                        ("revoked_at__isnull", False), models.Q(("revoked_reason", ""), _negated=True)
                                    ),
                                    _connector="OR",
                                ),
                                name="issued_file_revocation_has_a_time_and_a_reason",
                            ),
                            models.CheckConstraint(
                                condition=models.Q(("issued_at__lt", models.F("expires_at"))),
                                name="issued_file_expires_after_issue",
                            ),
                        ],
                    },
                ),
                migrations.CreateModel(
                    name="OutgoingPeerMessage",
                    fields=[
                        (
                            "id",
                            models.BigAutoField(
                                auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                            ),
                        ),
                        ("message_id", models.UUIDField(default=uuid.uuid4, editable=False, unique=True)),
                        (
                            "type",
                            models.CharField(
                                choices=[
                                    ("connect", "connect"),
                                    ("approve", "approve"),
                                    ("reject", "reject"),
                                    ("withdraw", "withdraw"),
                                    ("delete", "delete"),
                                    ("certificate", "certificate"),
                                ],
                                max_length=16,
                            ),
                        ),
                        ("body", models.JSONField()),
                        ("created_at", models.DateTimeField()),
                        ("due_at", models.DateTimeField()),
                        ("attempts", models.PositiveIntegerField(default=0)),
                        ("lease_token", models.UUIDField(null=True)),
                        ("lease_until", models.DateTimeField(null=True)),
                        ("last_error", models.CharField(blank=True, max_length=255)),
                        ("settled_at", models.DateTimeField(null=True)),
                        (
                            "outcome",
                            models.CharField(
                                blank=True, choices=[("accepted", "accepted"), ("refused", "refused")], max_length=8
                            ),
                        ),
                        (
                            "binding",
                            models.ForeignKey(
                                null=True,
                                on_delete=django.db.models.deletion.SET_NULL,
                                related_name="outgoing",
                                to="connections.binding",
                            ),
                        ),
                        (
                            "vault",
                            models.ForeignKey(
                                on_delete=django.db.models.deletion.CASCADE, related_name="+", to="vaultadmin.vault"
                            ),
                        ),
                        ("exchange", models.UUIDField()),
                        ("peer_installation_id", models.UUIDField()),
                        ("peer_vault_id", models.BigIntegerField()),
                        ("peer_url", models.CharField(max_length=2000)),
                        ("peer_certificates", models.JSONField()),
                        (
                            "signing_certificate",
                            models.ForeignKey(
                                on_delete=django.db.models.deletion.PROTECT,
                                related_name="+",
                                to="connections.signingcertificate",
                            ),
                        ),
                    ],
                    options={
                        "indexes": [
                            models.Index(
                                condition=models.Q(("settled_at__isnull", True)),
                                fields=["due_at", "id"],
                                name="outgoing_due",
                            ),
                            models.Index(
                                condition=models.Q(("settled_at__isnull", True)),
                                fields=["vault", "exchange", "id"],
                                name="outgoing_in_order",
                            ),
                        ],
                        "constraints": [
                            models.CheckConstraint(
                                condition=models.Q(
                                    models.Q(("outcome", ""), ("settled_at__isnull", True)),
                                    models.Q(("settled_at__isnull", False), models.Q(("outcome", ""), _negated=True)),
                                    _connector="OR",
                                ),
                                name="outgoing_settled_has_an_outcome",
                            ),
                            models.CheckConstraint(
                                condition=models.Q(
                                    models.Q(("lease_token__isnull", True), ("lease_until__isnull", True)),
                                    models.Q(("lease_token__isnull", False), ("lease_until__isnull", False)),
                                    _connector="OR",
                                ),
                                name="outgoing_lease_has_an_end",
                            ),
                        ],
                    },
                ),
                migrations.CreateModel(
                    name="Integration",
                    fields=[
                        (
                            "id",
                            models.BigAutoField(
                                auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                            ),
                        ),
                        ("name", models.CharField(max_length=128, verbose_name="Name")),
                        ("api_name", models.CharField(max_length=40, verbose_name="Integration API Name")),
                        (
                            "status",
                            models.CharField(
                                choices=[("active__v", "Active"), ("inactive__v", "Inactive")],
                                default="active__v",
                                max_length=16,
                                verbose_name="Status",
                            ),
                        ),
                        ("description", models.TextField(blank=True, max_length=2000, verbose_name="Description")),
                        ("system_managed", models.BooleanField(default=False, verbose_name="System Managed")),
                        ("standard_key", models.CharField(blank=True, editable=False, max_length=64)),
                        ("creation_key", models.UUIDField(editable=False, null=True, unique=True)),
                        ("created_at", models.DateTimeField()),
                        ("modified_at", models.DateTimeField()),
                        (
                            "connection",
                            models.ForeignKey(
                                on_delete=django.db.models.deletion.CASCADE,
                                related_name="integrations",
                                to="connections.connection",
                            ),
                        ),
                        (
                            "vault",
                            models.ForeignKey(
                                on_delete=django.db.models.deletion.CASCADE, related_name="+", to="vaultadmin.vault"
                            ),
                        ),
                    ],
                    options={
                        "ordering": ["name", "pk"],
                        "constraints": [
                            models.UniqueConstraint(
                                fields=("vault", "api_name"), name="integration_api_name_once_per_vault"
                            ),
                            models.UniqueConstraint(
                                fields=("id", "vault", "system_managed"), name="integration_in_its_vault"
                            ),
                            models.CheckConstraint(
                                condition=models.Q(
                                    models.Q(
                                        ("api_name__regex", "^[a-z0-9]+(_+[a-z0-9]+)*__c$"), ("system_managed", False)
                                    ),
                                    models.Q(
                                        ("api_name__regex", "^[a-z0-9]+(_+[a-z0-9]+)*$"), ("system_managed", True)
                                    ),
                                    _connector="OR",
                                ),
                                name="integration_api_name_is_written_right",
                            ),
                            models.CheckConstraint(
                                condition=models.Q(("status__in", ["active__v", "inactive__v"])),
                                name="integration_status_is_known",
                            ),
                        ],
                    },
                ),
                migrations.CreateModel(
                    name="IntegrationPoint",
                    fields=[
                        (
                            "id",
                            models.BigAutoField(
                                auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                            ),
                        ),
                        (
                            "type",
                            models.CharField(
                                choices=[("sender__sys", "Sender"), ("receiver__sys", "Receiver")],
                                max_length=32,
                                verbose_name="Integration Point Type",
                            ),
                        ),
                        ("name", models.CharField(max_length=128, verbose_name="Name")),
                        ("api_name", models.CharField(max_length=40, verbose_name="Integration Point API Name")),
                        (
                            "status",
                            models.CharField(
                                choices=[("active__v", "Active"), ("inactive__v", "Inactive")],
                                default="active__v",
                                max_length=16,
                                verbose_name="Status",
                            ),
                        ),
                        ("description", models.TextField(blank=True, max_length=2000, verbose_name="Description")),
                        ("system_managed", models.BooleanField(default=False, verbose_name="System Managed")),
                        ("creation_key", models.UUIDField(editable=False, null=True, unique=True)),
                        ("created_at", models.DateTimeField()),
                        ("modified_at", models.DateTimeField()),
                        (
                            "integration",
                            models.ForeignKey(
                                on_delete=django.db.models.deletion.CASCADE,
                                related_name="points",
                                to="connections.integration",
                            ),
                        ),
                        (
                            "vault",
                            models.ForeignKey(
                                on_delete=django.db.models.deletion.CASCADE, related_name="+", to="vaultadmin.vault"
                            ),
                        ),
                    ],
                    options={
                        "ordering": ["name", "pk"],
                        "constraints": [
                            models.UniqueConstraint(
                                fields=("vault", "api_name"), name="integration_point_api_name_once_per_vault"
                            ),
                            models.CheckConstraint(
                                condition=models.Q(
                                    models.Q(
                                        ("api_name__regex", "^[a-z0-9]+(_+[a-z0-9]+)*__c$"), ("system_managed", False)
                                    ),
                                    models.Q(
                                        ("api_name__regex", "^[a-z0-9]+(_+[a-z0-9]+)*$"), ("system_managed", True)
                                    ),
                                    _connector="OR",
                                ),
                                name="integration_point_api_name_is_written_right",
                            ),
                            models.CheckConstraint(
                                condition=models.Q(("type__in", ["sender__sys", "receiver__sys"])),
                                name="integration_point_type_is_known",
                            ),
                            models.CheckConstraint(
                                condition=models.Q(("status__in", ["active__v", "inactive__v"])),
                                name="integration_point_status_is_known",
                            ),
                        ],
                    },
                ),
                migrations.CreateModel(
                    name="ReferenceLookup",
                    fields=[
                        (
                            "id",
                            models.BigAutoField(
                                auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                            ),
                        ),
                        (
                            "type",
                            models.CharField(
                                choices=[
                                    ("object__sys", "Object"),
                                    ("picklist__sys", "Picklist"),
                                    ("generic__sys", "Generic"),
                                ],
                                max_length=32,
                                verbose_name="Lookup Type",
                            ),
                        ),
                        ("name", models.CharField(max_length=128, verbose_name="Name")),
                        ("target_object", models.CharField(blank=True, max_length=128, verbose_name="Target Object")),
                        (
                            "target_key_field",
                            models.CharField(blank=True, max_length=128, verbose_name="Target Key Field"),
                        ),
                        ("source_key", models.CharField(max_length=255, verbose_name="Source Key")),
                        ("target_key", models.CharField(max_length=255, verbose_name="Target Key")),
                        (
                            "status",
                            models.CharField(
                                choices=[("active__v", "Active"), ("inactive__v", "Inactive")],
                                default="active__v",
                                max_length=16,
                                verbose_name="Status",
                            ),
                        ),
                        ("creation_key", models.UUIDField(editable=False, null=True, unique=True)),
                        ("created_at", models.DateTimeField()),
                        ("modified_at", models.DateTimeField()),
                        (
                            "connection",
                            models.ForeignKey(
                                on_delete=django.db.models.deletion.CASCADE,
                                related_name="reference_lookups",
                                to="connections.connection",
                            ),
                        ),
                        (
                            "vault",
                            models.ForeignKey(
                                on_delete=django.db.models.deletion.CASCADE, related_name="+", to="vaultadmin.vault"
                            ),
                        ),
                    ],
                    options={
                        "ordering": ["name", "source_key", "pk"],
                        "indexes": [models.Index(fields=["vault", "-id"], name="reference_lookup_by_vault")],
                        "constraints": [
                            models.UniqueConstraint(
                                fields=("connection", "type", "name", "source_key"),
                                name="reference_lookup_source_key_once",
                            ),
                            models.CheckConstraint(
                                condition=models.Q(("type__in", ["object__sys", "picklist__sys", "generic__sys"])),
                                name="reference_lookup_type_is_known",
                            ),
                            models.CheckConstraint(
                                condition=models.Q(
                                    models.Q(
                                        ("type", "object__sys"),
                                        ("target_key_field__regex", "^[a-z0-9]+(_+[a-z0-9]+)*$"),
                                        ("target_object", models.F("name")),
                                    ),
                                    models.Q(
                                        models.Q(("type", "object__sys"), _negated=True),
                                        ("target_key_field", ""),
                                        ("target_object", ""),
                                    ),
                                    _connector="OR",
                                ),
                                name="reference_lookup_only_objects_have_a_key_field",
                            ),
                            models.CheckConstraint(
                                condition=models.Q(("name__regex", "^[a-z0-9]+(_+[a-z0-9]+)*$")),
                                name="reference_lookup_name_is_an_api_name",
                            ),
                            models.CheckConstraint(
                                condition=models.Q(
                                    models.Q(("source_key", ""), _negated=True),
                                    models.Q(("target_key", ""), _negated=True),
                                ),
                                name="reference_lookup_has_both_keys",
                            ),
                            models.CheckConstraint(
                                condition=models.Q(("status__in", ["active__v", "inactive__v"])),
                                name="reference_lookup_status_is_known",
                            ),
                        ],
                    },
                ),
                migrations.CreateModel(
                    name="ConnectionStats",
                    fields=[
                        (
                            "id",
                            models.BigAutoField(
                                auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                            ),
                        ),
                        ("date", models.DateField(verbose_name="Date")),
                        ("sent", models.PositiveBigIntegerField(default=0, verbose_name="Messages sent")),
                        ("received", models.PositiveBigIntegerField(default=0, verbose_name="Messages received")),
                        ("failures", models.PositiveBigIntegerField(default=0, verbose_name="Failures")),
                        ("retries", models.PositiveBigIntegerField(default=0, verbose_name="Retries")),
                        ("timeouts", models.PositiveBigIntegerField(default=0, verbose_name="Timeouts")),
                        ("fatal", models.PositiveBigIntegerField(default=0, verbose_name="Fatal errors")),
                        (
                            "connection",
                            models.ForeignKey(
                                on_delete=django.db.models.deletion.CASCADE,
                                related_name="stats",
                                to="connections.connection",
                            ),
                        ),
                    ],
                    options={
                        "verbose_name_plural": "connection stats",
                        "ordering": ["-date"],
                        "constraints": [
                            models.UniqueConstraint(fields=("connection", "date"), name="connection_stats_once_a_day"),
                            models.CheckConstraint(
                                condition=models.Q(("timeouts__lte", models.F("failures"))),
                                name="connection_stats_timeouts_are_failures",
                            ),
                        ],
                    },
                ),
                migrations.CreateModel(
                    name="CertificateAnnouncement",
                    fields=[
                        (
                            "id",
                            models.BigAutoField(
                                auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                            ),
                        ),
                        ("message_id", models.UUIDField(editable=False, unique=True)),
                        ("posted_at", models.DateTimeField()),
                        ("answered_at", models.DateTimeField(null=True)),
                        ("accepted", models.BooleanField(null=True)),
                        (
                            "binding",
                            models.ForeignKey(
                                on_delete=django.db.models.deletion.CASCADE,
                                related_name="announcements",
                                to="connections.binding",
                            ),
                        ),
                        (
                            "certificate",
                            models.ForeignKey(
                                on_delete=django.db.models.deletion.PROTECT,
                                related_name="announcements",
                                to="connections.signingcertificate",
                            ),
                        ),
                        (
                            "retires",
                            models.ForeignKey(
                                null=True,
                                on_delete=django.db.models.deletion.PROTECT,
                                related_name="+",
                                to="connections.signingcertificate",
                            ),
                        ),
                    ],
                    options={
                        "ordering": ["pk"],
                        "constraints": [
                            models.UniqueConstraint(
                                condition=models.Q(("retires__isnull", True)),
                                fields=("binding", "certificate"),
                                name="announcement_once_per_certificate",
                            ),
                            models.UniqueConstraint(
                                condition=models.Q(("retires__isnull", False)),
                                fields=("binding", "certificate", "retires"),
                                name="announcement_once_per_retirement",
                            ),
                            models.CheckConstraint(
                                condition=models.Q(
                                    models.Q(("accepted__isnull", True), ("answered_at__isnull", True)),
                                    models.Q(("accepted__isnull", False), ("answered_at__isnull", False)),
                                    _connector="OR",
                                ),
                                name="announcement_answer_has_a_time",
                            ),
                            models.CheckConstraint(
                                condition=models.Q(
                                    ("retires__isnull", True),
                                    models.Q(("retires", models.F("certificate")), _negated=True),
                                    _connector="OR",
                                ),
                                name="announcement_retires_another_one",
                            ),
                        ],
                    },
                ),
                migrations.CreateModel(
                    name="PeerCertificate",
                    fields=[
                        (
                            "id",
                            models.BigAutoField(
                                auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                            ),
                        ),
                        (
                            "certificate_id",
                            models.CharField(
                                max_length=5,
                                validators=[
                                    django.core.validators.RegexValidator(
                                        "\\A[0-9]{5}\\Z", "A certificate ID has five digits."
                                    )
                                ],
                                verbose_name="Certificate ID",
                            ),
                        ),
                        ("pem", models.TextField()),
                        ("fingerprint", models.CharField(max_length=64, verbose_name="Fingerprint")),
                        ("not_before", models.DateTimeField(verbose_name="Valid from")),
                        ("not_after", models.DateTimeField(verbose_name="Valid until")),
                        ("in_use_from", models.DateTimeField(verbose_name="In use from")),
                        ("added_at", models.DateTimeField(verbose_name="Added")),
                        ("retired_at", models.DateTimeField(null=True, verbose_name="Retired")),
                        (
                            "binding",
                            models.ForeignKey(
                                on_delete=django.db.models.deletion.CASCADE,
                                related_name="peer_certificates",
                                to="connections.binding",
                            ),
                        ),
                    ],
                    options={
                        "ordering": ["added_at", "pk"],
                        "constraints": [
                            models.UniqueConstraint(
                                fields=("binding", "certificate_id"), name="peer_certificate_id_once_per_binding"
                            ),
                            models.UniqueConstraint(
                                fields=("binding", "fingerprint"), name="peer_certificate_once_per_binding"
                            ),
                            models.CheckConstraint(
                                condition=models.Q(("certificate_id__regex", "^[0-9]{5}$")),
                                name="peer_certificate_id_has_five_digits",
                            ),
                            models.CheckConstraint(
                                condition=models.Q(("not_before__lt", models.F("not_after"))),
                                name="peer_certificate_begins_before_it_ends",
                            ),
                        ],
                    },
                ),
                migrations.CreateModel(
                    name="VaultToken",
                    fields=[
                        (
                            "id",
                            models.BigAutoField(
                                auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                            ),
                        ),
                        ("name", models.CharField(max_length=40, verbose_name="Name")),
                        ("label", models.CharField(max_length=60, verbose_name="Label")),
                        ("is_active", models.BooleanField(default=True, verbose_name="Active")),
                        (
                            "type",
                            models.CharField(
                                choices=[
                                    ("string__sys", "String"),
                                    ("boolean__sys", "Boolean"),
                                    ("number__sys", "Number"),
                                    ("date__sys", "Date"),
                                    ("datetime__sys", "Datetime"),
                                    ("list_string__sys", "List of strings"),
                                ],
                                max_length=32,
                                verbose_name="Type",
                            ),
                        ),
                        ("value", models.CharField(blank=True, max_length=255, verbose_name="Value")),
                        (
                            "clone_behavior",
                            models.CharField(
                                choices=[("clear__sys", "Clear the value"), ("persist__sys", "Keep the value")],
                                max_length=32,
                                verbose_name="Clone behavior",
                            ),
                        ),
                        ("system_managed", models.BooleanField(default=False, verbose_name="System Managed")),
                        ("creation_key", models.UUIDField(editable=False, null=True, unique=True)),
                        ("created_at", models.DateTimeField()),
                        ("modified_at", models.DateTimeField()),
                        (
                            "vault",
                            models.ForeignKey(
                                on_delete=django.db.models.deletion.CASCADE,
                                related_name="tokens",
                                to="vaultadmin.vault",
                            ),
                        ),
                    ],
                    options={
                        "ordering": ["name", "pk"],
                        "constraints": [
                            models.UniqueConstraint(
                                models.F("vault"),
                                django.db.models.functions.text.Lower("name"),
                                name="vault_token_name_once_per_vault",
                            ),
                            models.CheckConstraint(
                                condition=models.Q(("name__regex", "^[A-Za-z][A-Za-z0-9_]*$")),
                                name="vault_token_name_is_written_right",
                            ),
                            models.CheckConstraint(
                                condition=models.Q(
                                    ("name__iregex", "^(dns|id|name|vaultdns|vaultid|vaultname)$"), _negated=True
                                ),
                                name="vault_token_name_is_not_reserved",
                            ),
                            models.CheckConstraint(
                                condition=models.Q(
                                    (
                                        "type__in",
                                        [
                                            "string__sys",
                                            "boolean__sys",
                                            "number__sys",
                                            "date__sys",
                                            "datetime__sys",
                                            "list_string__sys",
                                        ],
                                    )
                                ),
                                name="vault_token_type_is_known",
                            ),
                            models.CheckConstraint(
                                condition=models.Q(("clone_behavior__in", ["clear__sys", "persist__sys"])),
                                name="vault_token_clone_behavior_is_known",
                            ),
                        ],
                    },
                ),
                migrations.CreateModel(
                    name="PeerClock",
                    fields=[
                        ("installation_id", models.UUIDField(editable=False, primary_key=True, serialize=False)),
                        ("offset_seconds", models.BigIntegerField(help_text="Its time minus ours.")),
                        ("measured_at", models.DateTimeField()),
                    ],
                ),
                migrations.CreateModel(
                    name="ConnectionClient",
                    fields=[
                        (
                            "id",
                            models.BigAutoField(
                                auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                            ),
                        ),
                        ("name", models.CharField(max_length=128, verbose_name="Name")),
                        ("client_id", models.CharField(max_length=100, verbose_name="Client ID")),
                        (
                            "status",
                            models.CharField(
                                choices=[("active__v", "Active"), ("inactive__v", "Inactive")],
                                default="active__v",
                                editable=False,
                                max_length=16,
                                verbose_name="Status",
                            ),
                        ),
                        ("created_at", models.DateTimeField()),
                        ("modified_at", models.DateTimeField()),
                        (
                            "connection",
                            models.ForeignKey(
                                on_delete=django.db.models.deletion.CASCADE,
                                related_name="clients",
                                to="connections.connection",
                            ),
                        ),
                        (
                            "vault",
                            models.ForeignKey(
                                on_delete=django.db.models.deletion.CASCADE, related_name="+", to="vaultadmin.vault"
                            ),
                        ),
                    ],
                    options={
                        "ordering": ["pk"],
                        "constraints": [
                            models.UniqueConstraint(
                                condition=models.Q(("status", "active__v")),
                                fields=("vault", "client_id"),
                                name="connection_client_id_once_active_per_vault",
                            ),
                            models.UniqueConstraint(
                                fields=("connection", "client_id"), name="connection_client_id_once_per_connection"
                            ),
                            models.CheckConstraint(
                                condition=models.Q(("client_id__regex", "^[A-Za-z0-9._-]{1,100}$")),
                                name="connection_client_id_is_written_right",
                            ),
                        ],
                    },
                ),
            ]
        ),
        migrations.RunSQL(BOUNDS, NO_BOUNDS),
    ]
