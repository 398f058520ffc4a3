"""The tables of the platform, and what the database itself refuses: changes of the audit trail and of signatures."""

import uuid

import django.contrib.postgres.constraints
import django.contrib.postgres.fields
import django.contrib.postgres.fields.ranges
import django.contrib.postgres.indexes
import django.core.validators
import django.db.models.deletion
import django.db.models.functions.text
import django_fsm
from django.conf import settings
from django.db import migrations, models

from vaultadmin.tables import CreateTables

# The database itself refuses to change the audit trail and electronic signatures (security.md L2).
APPEND_ONLY = """
CREATE FUNCTION vaultadmin_audit_refuse() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'The audit trail is append-only.' USING ERRCODE = 'insufficient_privilege';
END $$;
CREATE TRIGGER audit_no_change BEFORE UPDATE OR DELETE ON vaultadmin_auditevent
    FOR EACH ROW EXECUTE FUNCTION vaultadmin_audit_refuse();
CREATE TRIGGER audit_no_truncate BEFORE TRUNCATE ON vaultadmin_auditevent
    FOR EACH STATEMENT EXECUTE FUNCTION vaultadmin_audit_refuse();
CREATE FUNCTION vaultadmin_audithead_guard() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP <> 'UPDATE' OR NEW.chain <> OLD.chain OR NEW.sequence < OLD.sequence THEN
        RAISE EXCEPTION 'The audit trail only grows.' USING ERRCODE = 'insufficient_privilege';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER audithead_only_grows BEFORE UPDATE OR DELETE ON vaultadmin_audithead
    FOR EACH ROW EXECUTE FUNCTION vaultadmin_audithead_guard();
CREATE TRIGGER audithead_no_truncate BEFORE TRUNCATE ON vaultadmin_audithead
    FOR EACH STATEMENT EXECUTE FUNCTION vaultadmin_audit_refuse();
CREATE FUNCTION vaultadmin_signature_refuse() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'Electronic signatures are append-only.' USING ERRCODE = 'insufficient_privilege';
END $$;
CREATE TRIGGER signature_no_change BEFORE UPDATE OR DELETE ON vaultadmin_signature
    FOR EACH ROW EXECUTE FUNCTION vaultadmin_signature_refuse();
CREATE TRIGGER signature_no_truncate BEFORE TRUNCATE ON vaultadmin_signature
    FOR EACH STATEMENT EXECUTE FUNCTION vaultadmin_signature_refuse();
"""
# Triggers go with their functions.
CHANGEABLE = "DROP FUNCTION vaultadmin_audit_refuse, vaultadmin_audithead_guard, vaultadmin_signature_refuse CASCADE;"

# Nobody acts in another vault, whoever writes the row (architecture decision 2).
BOUNDS = """
ALTER TABLE vaultadmin_delegation
    ADD CONSTRAINT delegation_from_same_vault FOREIGN KEY (from_member_id, vault_id)
        REFERENCES vaultadmin_membership (id, vault_id) DEFERRABLE INITIALLY DEFERRED,
    ADD CONSTRAINT delegation_to_same_vault FOREIGN KEY (to_member_id, vault_id)
        REFERENCES vaultadmin_membership (id, vault_id) DEFERRABLE INITIALLY DEFERRED;
ALTER TABLE vaultadmin_task
    ADD CONSTRAINT task_assignee_of_same_vault FOREIGN KEY (assigned_to_id, vault_id)
        REFERENCES vaultadmin_membership (id, vault_id) DEFERRABLE INITIALLY DEFERRED,
    ADD CONSTRAINT task_place_of_same_vault FOREIGN KEY (completed_for_id, vault_id)
        REFERENCES vaultadmin_membership (id, vault_id) DEFERRABLE INITIALLY DEFERRED;
"""
NO_BOUNDS = """
ALTER TABLE vaultadmin_task DROP CONSTRAINT task_place_of_same_vault, DROP CONSTRAINT task_assignee_of_same_vault;
ALTER TABLE vaultadmin_delegation DROP CONSTRAINT delegation_to_same_vault, DROP CONSTRAINT delegation_from_same_vault;
"""


class Migration(migrations.Migration):
    replaces = [
        ("vaultadmin", "0001_platform"),
        ("vaultadmin", "0002_audit_append_only"),
        ("vaultadmin", "0003_attempt_window"),
        ("vaultadmin", "0004_index_what_people_did"),
        ("vaultadmin", "0005_vault_settings"),
        ("vaultadmin", "0006_system_accounts"),
        ("vaultadmin", "0007_api_sessions_and_usage"),
        ("vaultadmin", "0008_sandboxes"),
        ("vaultadmin", "0009_signatures"),
        ("vaultadmin", "0010_notices"),
        ("vaultadmin", "0011_notices_of_apps"),
        ("vaultadmin", "0012_assigned_tasks"),
        ("vaultadmin", "0013_delegations"),
        ("vaultadmin", "0014_audit_rows_in_bulk"),
        ("vaultadmin", "0015_place_of_the_installation"),
        ("vaultadmin", "0016_notices_of_rejections"),
    ]

    dependencies = []

    operations = [
        CreateTables(
            [
                migrations.CreateModel(
                    name="AuditHead",
                    fields=[
                        ("chain", models.BigIntegerField(primary_key=True, serialize=False)),
                        ("sequence", models.BigIntegerField(default=0)),
                        ("hash", models.BinaryField(default=bytes)),
                    ],
                ),
                migrations.CreateModel(
                    name="Heartbeat",
                    fields=[
                        ("name", models.CharField(max_length=64, primary_key=True, serialize=False)),
                        ("at", models.DateTimeField()),
                    ],
                ),
                migrations.CreateModel(
                    name="User",
                    fields=[
                        (
                            "id",
                            models.BigAutoField(
                                auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                            ),
                        ),
                        ("password", models.CharField(max_length=128, verbose_name="password")),
                        ("last_login", models.DateTimeField(blank=True, null=True, verbose_name="last login")),
                        ("email", models.EmailField(max_length=254, unique=True, verbose_name="e-mail address")),
                        (
                            "name",
                            models.CharField(help_text="Printed on approvals and in the audit trail.", max_length=128),
                        ),
                        ("is_active", models.BooleanField(default=True)),
                        (
                            "is_domain_admin",
                            models.BooleanField(
                                default=False,
                                help_text="May create vaults and see every person of the installation.",
                                verbose_name="Domain Administrator",
                            ),
                        ),
                        ("created_at", models.DateTimeField(auto_now_add=True)),
                        (
                            "is_system",
                            models.BooleanField(
                                default=False,
                                editable=False,
                                help_text="Acts for the product; nobody can sign in with it.",
                                verbose_name="system account",
                            ),
                        ),
                        (
                            "mail_notices",
                            models.BooleanField(
                                default=True,
                                help_text="Mails about tasks that wait and requests that were decided.",
                                verbose_name="E-mail notices",
                            ),
                        ),
                    ],
                    options={
                        "constraints": [
                            models.UniqueConstraint(
                                django.db.models.functions.text.Lower("email"), name="user_email_once"
                            ),
                            models.CheckConstraint(
                                condition=models.Q(
                                    ("is_system", False),
                                    models.Q(("is_domain_admin", False), ("password__startswith", "!")),
                                    _connector="OR",
                                ),
                                name="user_system_account_cannot_sign_in",
                            ),
                        ],
                    },
                ),
                migrations.CreateModel(
                    name="AuditEvent",
                    fields=[
                        (
                            "id",
                            models.BigAutoField(
                                auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                            ),
                        ),
                        ("chain", models.BigIntegerField()),
                        ("sequence", models.BigIntegerField()),
                        ("at", models.DateTimeField()),
                        ("actor", models.CharField(max_length=255)),
                        ("actor_id", models.CharField(blank=True, max_length=64)),
                        ("event", models.CharField(max_length=96)),
                        ("subject_type", models.CharField(blank=True, max_length=64)),
                        ("subject_id", models.CharField(blank=True, max_length=64)),
                        ("subject_label", models.CharField(blank=True, max_length=255)),
                        ("changes", models.JSONField(default=dict)),
                        ("reason", models.TextField(blank=True)),
                        ("source_ip", models.CharField(blank=True, max_length=64)),
                        ("request_id", models.CharField(blank=True, max_length=64)),
                        ("hash", models.BinaryField()),
                        ("in_bulk", models.BooleanField(db_default=False, default=False)),
                    ],
                    options={
                        "ordering": ["-id"],
                        "indexes": [
                            models.Index(
                                fields=["chain", "subject_type", "subject_id", "-sequence"], name="audit_subject"
                            ),
                            models.Index(fields=["chain", "event", "-sequence"], name="audit_event"),
                            models.Index(fields=["chain", "actor_id", "-sequence"], name="audit_actor"),
                            models.Index(
                                condition=models.Q(models.Q(("actor_id", ""), _negated=True), ("in_bulk", False)),
                                fields=["chain", "-sequence"],
                                name="audit_deeds",
                            ),
                        ],
                        "constraints": [
                            models.UniqueConstraint(fields=("chain", "sequence"), name="audit_one_link_per_place")
                        ],
                    },
                ),
                migrations.CreateModel(
                    name="Installation",
                    fields=[
                        ("id", models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                        ("name", models.CharField(default="vaultadmin", max_length=128)),
                        ("accent", models.CharField(default="blue", max_length=16)),
                        ("singleton", models.BooleanField(default=True, editable=False, unique=True)),
                        (
                            "ready_at",
                            models.DateTimeField(
                                help_text="When set-up finished; until then readiness says no.", null=True
                            ),
                        ),
                        ("created_at", models.DateTimeField(auto_now_add=True)),
                        (
                            "place",
                            models.JSONField(
                                db_default={},
                                default=dict,
                                editable=False,
                                help_text="Marks of where it lives (vaultadmin.place), as last recorded or confirmed by a person.",
                            ),
                        ),
                    ],
                    options={
                        "constraints": [
                            models.CheckConstraint(
                                condition=models.Q(("singleton", True)), name="installation_only_one"
                            )
                        ],
                    },
                ),
                migrations.CreateModel(
                    name="Invitation",
                    fields=[
                        (
                            "id",
                            models.BigAutoField(
                                auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                            ),
                        ),
                        ("token_hash", models.BinaryField(unique=True)),
                        (
                            "purpose",
                            models.CharField(
                                choices=[("invitation", "Invitation"), ("reset", "Password reset")], max_length=16
                            ),
                        ),
                        ("created_at", models.DateTimeField(auto_now_add=True)),
                        ("expires_at", models.DateTimeField()),
                        ("used_at", models.DateTimeField(null=True)),
                        (
                            "user",
                            models.ForeignKey(
                                on_delete=django.db.models.deletion.CASCADE,
                                related_name="invitations",
                                to=settings.AUTH_USER_MODEL,
                            ),
                        ),
                    ],
                ),
                migrations.CreateModel(
                    name="Vault",
                    fields=[
                        (
                            "id",
                            models.BigIntegerField(
                                primary_key=True,
                                serialize=False,
                                validators=[django.core.validators.MinValueValidator(1)],
                                verbose_name="Vault ID",
                            ),
                        ),
                        ("name", models.CharField(max_length=128)),
                        (
                            "dns",
                            models.CharField(
                                max_length=253,
                                unique=True,
                                validators=[
                                    django.core.validators.RegexValidator(
                                        "\\A[a-z0-9-]+(\\.[a-z0-9-]+)+\\Z",
                                        "Enter a DNS name such as quality.example.com.",
                                    )
                                ],
                                verbose_name="DNS name",
                            ),
                        ),
                        ("domain", models.CharField(blank=True, max_length=253)),
                        (
                            "application",
                            models.CharField(
                                choices=[
                                    ("clinical_operations", "Clinical Operations"),
                                    ("cdms", "CDMS"),
                                    ("safety", "Safety"),
                                    ("quality", "Quality"),
                                    ("lims", "LIMS"),
                                    ("rim", "RIM"),
                                    ("promomats", "PromoMats"),
                                    ("medical", "Medical"),
                                    ("study_training", "Study Training"),
                                ],
                                max_length=32,
                            ),
                        ),
                        ("is_sandbox", models.BooleanField(default=False)),
                        ("created_at", models.DateTimeField(auto_now_add=True)),
                        (
                            "source_vault",
                            models.ForeignKey(
                                blank=True,
                                null=True,
                                on_delete=django.db.models.deletion.PROTECT,
                                related_name="sandboxes",
                                to="vaultadmin.vault",
                            ),
                        ),
                    ],
                    options={
                        "ordering": ["id"],
                    },
                ),
                migrations.CreateModel(
                    name="SecurityProfile",
                    fields=[
                        (
                            "id",
                            models.BigAutoField(
                                auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                            ),
                        ),
                        ("name", models.CharField(max_length=128)),
                        (
                            "api_name",
                            models.CharField(
                                max_length=60,
                                validators=[
                                    django.core.validators.RegexValidator(
                                        "\\A[a-z0-9]+(_+[a-z0-9]+)*\\Z", "Use lowercase letters, digits and single _."
                                    )
                                ],
                            ),
                        ),
                        ("is_standard", models.BooleanField(default=False, editable=False)),
                        (
                            "permissions",
                            django.contrib.postgres.fields.ArrayField(
                                base_field=models.CharField(
                                    choices=[
                                        ("application_manage_connections", "Application: Manage Connections"),
                                        ("application_manage_integrations", "Application: Manage Integrations"),
                                        ("workflow_start", "Workflow: Start"),
                                        ("workflow_participate", "Workflow: Participate"),
                                        ("connection_read", "Objects: Connection: Read"),
                                        ("connection_create", "Objects: Connection: Create"),
                                        ("connection_edit", "Objects: Connection: Edit"),
                                        ("connection_delete", "Objects: Connection: Delete"),
                                        ("connection_authorization_read", "Objects: Connection Authorization: Read"),
                                        (
                                            "connection_authorization_create",
                                            "Objects: Connection Authorization: Create",
                                        ),
                                        ("connection_authorization_edit", "Objects: Connection Authorization: Edit"),
                                        (
                                            "connection_authorization_delete",
                                            "Objects: Connection Authorization: Delete",
                                        ),
                                        ("admin_spark_queues", "Admin: Spark Queues"),
                                        ("admin_sdk_job_queues", "Admin: SDK Job Queues"),
                                        ("configuration_queue_log", "Configuration: Queues: Queue Log"),
                                        ("admin_api_usage_logs", "Admin: Logs: API Usage Logs"),
                                        ("messages_operate", "Messages: Operate"),
                                        ("api_access", "API: Access API"),
                                        ("admin_users", "Admin: Users"),
                                        ("admin_security_profiles", "Admin: Security Profiles"),
                                        ("admin_sandboxes", "Admin: Sandboxes"),
                                        ("admin_settings", "Admin: Settings"),
                                        ("admin_audit", "Admin: Audit"),
                                        ("admin_status", "Admin: Status"),
                                        ("ecoa_manage", "eCOA: Manage"),
                                        ("ecoa_study_team", "eCOA: Study Team"),
                                        ("ecoa_view_sites", "eCOA: View Sites"),
                                    ],
                                    max_length=64,
                                ),
                                blank=True,
                                default=list,
                                size=None,
                            ),
                        ),
                        (
                            "requires_second_factor",
                            models.BooleanField(
                                default=False,
                                help_text="Members must set up a passkey or authenticator app before they can work.",
                            ),
                        ),
                        (
                            "vault",
                            models.ForeignKey(
                                on_delete=django.db.models.deletion.CASCADE,
                                related_name="security_profiles",
                                to="vaultadmin.vault",
                            ),
                        ),
                    ],
                    options={
                        "ordering": ["name"],
                        "constraints": [
                            models.UniqueConstraint(fields=("vault", "api_name"), name="security_profile_api_name_once")
                        ],
                    },
                ),
                migrations.CreateModel(
                    name="Membership",
                    fields=[
                        (
                            "id",
                            models.BigAutoField(
                                auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                            ),
                        ),
                        ("is_active", models.BooleanField(default=True)),
                        ("created_at", models.DateTimeField(auto_now_add=True)),
                        (
                            "user",
                            models.ForeignKey(
                                on_delete=django.db.models.deletion.PROTECT,
                                related_name="memberships",
                                to=settings.AUTH_USER_MODEL,
                            ),
                        ),
                        (
                            "profile",
                            models.ForeignKey(
                                on_delete=django.db.models.deletion.PROTECT,
                                related_name="members",
                                to="vaultadmin.securityprofile",
                            ),
                        ),
                        (
                            "vault",
                            models.ForeignKey(
                                on_delete=django.db.models.deletion.CASCADE,
                                related_name="memberships",
                                to="vaultadmin.vault",
                            ),
                        ),
                    ],
                    options={
                        "ordering": ["user__name", "pk"],
                        "constraints": [
                            models.UniqueConstraint(fields=("user", "vault"), name="membership_once_per_vault"),
                            models.UniqueConstraint(fields=("id", "vault"), name="membership_of_one_vault"),
                        ],
                    },
                ),
                migrations.CreateModel(
                    name="ApiToken",
                    fields=[
                        (
                            "id",
                            models.BigAutoField(
                                auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                            ),
                        ),
                        ("name", models.CharField(max_length=128)),
                        ("token_hash", models.BinaryField(unique=True)),
                        (
                            "hint",
                            models.CharField(
                                editable=False,
                                help_text="First characters, so that people can tell them.",
                                max_length=12,
                            ),
                        ),
                        (
                            "scopes",
                            django.contrib.postgres.fields.ArrayField(
                                base_field=models.CharField(
                                    choices=[
                                        ("application_manage_connections", "Application: Manage Connections"),
                                        ("application_manage_integrations", "Application: Manage Integrations"),
                                        ("workflow_start", "Workflow: Start"),
                                        ("workflow_participate", "Workflow: Participate"),
                                        ("connection_read", "Objects: Connection: Read"),
                                        ("connection_create", "Objects: Connection: Create"),
                                        ("connection_edit", "Objects: Connection: Edit"),
                                        ("connection_delete", "Objects: Connection: Delete"),
                                        ("connection_authorization_read", "Objects: Connection Authorization: Read"),
                                        (
                                            "connection_authorization_create",
                                            "Objects: Connection Authorization: Create",
                                        ),
                                        ("connection_authorization_edit", "Objects: Connection Authorization: Edit"),
                                        (
                                            "connection_authorization_delete",
                                            "Objects: Connection Authorization: Delete",
                                        ),
                                        ("admin_spark_queues", "Admin: Spark Queues"),
                                        ("admin_sdk_job_queues", "Admin: SDK Job Queues"),
                                        ("configuration_queue_log", "Configuration: Queues: Queue Log"),
                                        ("admin_api_usage_logs", "Admin: Logs: API Usage Logs"),
                                        ("messages_operate", "Messages: Operate"),
                                        ("api_access", "API: Access API"),
                                        ("admin_users", "Admin: Users"),
                                        ("admin_security_profiles", "Admin: Security Profiles"),
                                        ("admin_sandboxes", "Admin: Sandboxes"),
                                        ("admin_settings", "Admin: Settings"),
                                        ("admin_audit", "Admin: Audit"),
                                        ("admin_status", "Admin: Status"),
                                        ("ecoa_manage", "eCOA: Manage"),
                                        ("ecoa_study_team", "eCOA: Study Team"),
                                        ("ecoa_view_sites", "eCOA: View Sites"),
                                    ],
                                    max_length=64,
                                ),
                                size=None,
                            ),
                        ),
                        ("created_at", models.DateTimeField(auto_now_add=True)),
                        ("expires_at", models.DateTimeField()),
                        ("last_used_at", models.DateTimeField(null=True)),
                        ("revoked_at", models.DateTimeField(null=True)),
                        (
                            "membership",
                            models.ForeignKey(
                                on_delete=django.db.models.deletion.CASCADE,
                                related_name="api_tokens",
                                to="vaultadmin.membership",
                            ),
                        ),
                    ],
                    options={
                        "ordering": ["-created_at", "-pk"],
                    },
                ),
                migrations.CreateModel(
                    name="Secret",
                    fields=[
                        ("id", models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                        ("purpose", models.CharField(max_length=64)),
                        ("ciphertext", models.TextField()),
                        ("changed_at", models.DateTimeField()),
                        ("changed_by", models.CharField(max_length=128)),
                        (
                            "vault",
                            models.ForeignKey(
                                null=True,
                                on_delete=django.db.models.deletion.CASCADE,
                                related_name="secrets",
                                to="vaultadmin.vault",
                            ),
                        ),
                    ],
                ),
                migrations.CreateModel(
                    name="Task",
                    fields=[
                        (
                            "id",
                            models.BigAutoField(
                                auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                            ),
                        ),
                        ("kind", models.CharField(max_length=64)),
                        ("subject_type", models.CharField(max_length=64)),
                        ("subject_id", models.CharField(max_length=64)),
                        ("title", models.CharField(max_length=255)),
                        ("requester_label", models.CharField(blank=True, max_length=255)),
                        (
                            "status",
                            models.CharField(
                                choices=[
                                    ("available__v", "Available"),
                                    ("assigned__v", "Assigned"),
                                    ("completed__v", "Completed"),
                                    ("cancelled__v", "Cancelled"),
                                ],
                                default="available__v",
                                max_length=16,
                            ),
                        ),
                        ("verdict", models.CharField(blank=True, max_length=32)),
                        ("comment", models.TextField(blank=True)),
                        ("completed_at", models.DateTimeField(null=True)),
                        ("created_at", models.DateTimeField()),
                        (
                            "completed_by",
                            models.ForeignKey(
                                null=True,
                                on_delete=django.db.models.deletion.PROTECT,
                                related_name="completed_tasks",
                                to="vaultadmin.membership",
                            ),
                        ),
                        (
                            "requested_by",
                            models.ForeignKey(
                                null=True,
                                on_delete=django.db.models.deletion.PROTECT,
                                related_name="requested_tasks",
                                to="vaultadmin.membership",
                            ),
                        ),
                        (
                            "vault",
                            models.ForeignKey(
                                on_delete=django.db.models.deletion.CASCADE, related_name="tasks", to="vaultadmin.vault"
                            ),
                        ),
                        ("due_at", models.DateTimeField(null=True)),
                        (
                            "assigned_to",
                            models.ForeignKey(
                                null=True,
                                on_delete=django.db.models.deletion.PROTECT,
                                related_name="assigned_tasks",
                                to="vaultadmin.membership",
                            ),
                        ),
                        (
                            "completed_for",
                            models.ForeignKey(
                                null=True,
                                on_delete=django.db.models.deletion.PROTECT,
                                related_name="+",
                                to="vaultadmin.membership",
                            ),
                        ),
                    ],
                    options={
                        "ordering": ["-created_at", "-pk"],
                        "indexes": [models.Index(fields=["vault", "status", "-created_at"], name="task_inbox")],
                        "constraints": [
                            models.CheckConstraint(
                                condition=models.Q(
                                    models.Q(("completed_by__isnull", True), ("verdict", "")),
                                    models.Q(
                                        ("completed_at__isnull", False),
                                        ("completed_by__isnull", False),
                                        ("status", "completed__v"),
                                    ),
                                    _connector="OR",
                                ),
                                name="task_verdict_has_a_person_and_a_time",
                            ),
                            models.UniqueConstraint(
                                condition=models.Q(("status__in", ("available__v", "assigned__v"))),
                                fields=("vault", "kind", "subject_type", "subject_id"),
                                name="task_one_open_per_subject",
                            ),
                            models.CheckConstraint(
                                condition=models.Q(
                                    models.Q(("assigned_to__isnull", True), ("status", "available__v")),
                                    models.Q(("assigned_to__isnull", False), ("status", "assigned__v")),
                                    models.Q(("status__in", ("available__v", "assigned__v")), _negated=True),
                                    _connector="OR",
                                ),
                                name="task_assigned_to_somebody",
                            ),
                            models.CheckConstraint(
                                condition=models.Q(
                                    ("completed_for__isnull", True),
                                    models.Q(
                                        ("completed_by__isnull", False),
                                        models.Q(("completed_by", models.F("completed_for")), _negated=True),
                                    ),
                                    _connector="OR",
                                ),
                                name="task_decided_in_the_place_of_another",
                            ),
                        ],
                    },
                ),
                migrations.CreateModel(
                    name="AttemptWindow",
                    fields=[
                        ("key", models.CharField(max_length=160, primary_key=True, serialize=False)),
                        (
                            "stamps",
                            django.contrib.postgres.fields.ArrayField(base_field=models.DateTimeField(), size=None),
                        ),
                    ],
                ),
                migrations.CreateModel(
                    name="VaultSettings",
                    fields=[
                        (
                            "vault",
                            models.OneToOneField(
                                on_delete=django.db.models.deletion.CASCADE,
                                primary_key=True,
                                related_name="settings_row",
                                serialize=False,
                                to="vaultadmin.vault",
                            ),
                        ),
                        (
                            "client_id_filtering",
                            models.BooleanField(
                                default=False,
                                help_text="Refuse API calls whose Client ID belongs to no active connection of this Vault.",
                                verbose_name="Client ID Filtering",
                            ),
                        ),
                        (
                            "own_requests",
                            models.BooleanField(
                                default=False,
                                help_text="Only in a sandbox: one person can then try an approval out alone.",
                                verbose_name="Requesters may approve their own requests",
                            ),
                        ),
                        (
                            "request_days",
                            models.PositiveSmallIntegerField(
                                default=14,
                                help_text="A request nobody decided by then ends by itself.",
                                validators=[
                                    django.core.validators.MinValueValidator(1),
                                    django.core.validators.MaxValueValidator(90),
                                ],
                                verbose_name="Days until a request lapses",
                            ),
                        ),
                        ("modified_at", models.DateTimeField(null=True)),
                        (
                            "session_minutes",
                            models.PositiveSmallIntegerField(
                                db_default=20,
                                default=20,
                                help_text="A program whose session has ended signs in again.",
                                validators=[
                                    django.core.validators.MinValueValidator(10),
                                    django.core.validators.MaxValueValidator(480),
                                ],
                                verbose_name="Minutes until an idle API session ends",
                            ),
                        ),
                    ],
                    options={
                        "verbose_name": "settings",
                        "constraints": [
                            models.CheckConstraint(
                                condition=models.Q(("request_days__gte", 1), ("request_days__lte", 90)),
                                name="vault_settings_request_days_in_range",
                            ),
                            models.CheckConstraint(
                                condition=models.Q(("session_minutes__gte", 10), ("session_minutes__lte", 480)),
                                name="vault_settings_session_minutes_in_range",
                            ),
                        ],
                    },
                ),
                migrations.CreateModel(
                    name="ApiSession",
                    fields=[
                        (
                            "id",
                            models.BigAutoField(
                                auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                            ),
                        ),
                        (
                            "origin",
                            models.CharField(
                                choices=[
                                    ("password", "Signed in with a password"),
                                    ("connection", "Made for a connection"),
                                ],
                                max_length=16,
                            ),
                        ),
                        ("token_hash", models.BinaryField(unique=True)),
                        (
                            "hint",
                            models.CharField(
                                editable=False, help_text="First characters, so that logs can name it.", max_length=12
                            ),
                        ),
                        ("password_mark", models.CharField(editable=False, max_length=64)),
                        ("client_id", models.CharField(blank=True, max_length=100)),
                        ("connection_id", models.BigIntegerField(null=True)),
                        ("connection", models.CharField(blank=True, max_length=64)),
                        ("ip", models.CharField(blank=True, max_length=45)),
                        ("created_at", models.DateTimeField()),
                        ("last_used_at", models.DateTimeField()),
                        ("expires_at", models.DateTimeField()),
                        ("ended_at", models.DateTimeField(null=True)),
                        (
                            "membership",
                            models.ForeignKey(
                                on_delete=django.db.models.deletion.CASCADE,
                                related_name="api_sessions",
                                to="vaultadmin.membership",
                            ),
                        ),
                    ],
                    options={
                        "ordering": ["-created_at", "-pk"],
                        "indexes": [
                            models.Index(fields=["membership", "-created_at"], name="api_session_by_member"),
                            models.Index(fields=["expires_at"], name="api_session_by_end"),
                        ],
                    },
                ),
                migrations.CreateModel(
                    name="ApiUsage",
                    fields=[
                        (
                            "id",
                            models.BigAutoField(
                                auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                            ),
                        ),
                        ("at", models.DateTimeField(verbose_name="timestamp")),
                        ("session_id", models.CharField(blank=True, max_length=12)),
                        ("user_id", models.BigIntegerField(null=True)),
                        ("username", models.CharField(blank=True, max_length=255)),
                        ("http_method", models.CharField(max_length=16)),
                        ("endpoint", models.CharField(max_length=500)),
                        ("http_response_status", models.PositiveSmallIntegerField()),
                        ("api_version", models.CharField(blank=True, max_length=16)),
                        ("api_response_status", models.CharField(max_length=16)),
                        ("api_response_error_type", models.CharField(blank=True, max_length=64)),
                        ("api_response_error_message", models.CharField(blank=True, max_length=500)),
                        ("api_response_warning_type", models.CharField(blank=True, max_length=64)),
                        ("api_response_warning_message", models.CharField(blank=True, max_length=500)),
                        ("execution_id", models.UUIDField()),
                        ("client_id", models.CharField(max_length=100)),
                        ("client_ip", models.CharField(blank=True, max_length=45)),
                        ("burst_limit_remaining", models.IntegerField()),
                        ("duration", models.PositiveIntegerField(help_text="Milliseconds")),
                        ("response_delay", models.PositiveIntegerField(default=0, help_text="Milliseconds")),
                        ("connection", models.CharField(blank=True, max_length=64)),
                        ("api_resource", models.CharField(blank=True, max_length=200)),
                        ("reference_id", models.CharField(blank=True, max_length=100)),
                        (
                            "vault",
                            models.ForeignKey(
                                db_index=False,
                                null=True,
                                on_delete=django.db.models.deletion.CASCADE,
                                related_name="+",
                                to="vaultadmin.vault",
                            ),
                        ),
                    ],
                    options={
                        "ordering": ["-pk"],
                        "indexes": [
                            models.Index(fields=["vault", "id"], name="api_usage_by_vault"),
                            models.Index(fields=["vault", "client_id", "id"], name="api_usage_by_client_id"),
                            django.contrib.postgres.indexes.BrinIndex(
                                fields=["at"], name="api_usage_by_time", pages_per_range=32
                            ),
                        ],
                    },
                ),
                migrations.CreateModel(
                    name="CallWindow",
                    fields=[
                        ("key", models.CharField(max_length=160, primary_key=True, serialize=False)),
                        ("began_at", models.DateTimeField()),
                        ("calls", models.PositiveIntegerField()),
                    ],
                    options={
                        "indexes": [models.Index(fields=["began_at"], name="call_window_by_age")],
                    },
                ),
                migrations.CreateModel(
                    name="Sandbox",
                    fields=[
                        (
                            "vault",
                            models.OneToOneField(
                                on_delete=django.db.models.deletion.CASCADE,
                                primary_key=True,
                                related_name="sandbox",
                                serialize=False,
                                to="vaultadmin.vault",
                            ),
                        ),
                        (
                            "state",
                            django_fsm.FSMField(
                                choices=[("building", "Building"), ("active", "Active"), ("failed", "Failed")],
                                default="building",
                                max_length=50,
                                protected=True,
                                verbose_name="Status",
                            ),
                        ),
                        ("with_people", models.BooleanField(default=True, verbose_name="Copy people")),
                        ("requested_at", models.DateTimeField()),
                        ("started_at", models.DateTimeField(null=True)),
                        ("built_at", models.DateTimeField(null=True, verbose_name="last built")),
                        ("refreshed_at", models.DateTimeField(null=True, verbose_name="last refreshed")),
                        ("is_refresh", models.BooleanField(default=False)),
                        ("attempts", models.PositiveSmallIntegerField(default=0)),
                        ("step", models.PositiveSmallIntegerField(default=0)),
                        ("steps", models.PositiveSmallIntegerField(default=0)),
                        ("doing", models.CharField(blank=True, max_length=64)),
                        ("copied", models.JSONField(default=dict)),
                        ("error", models.CharField(blank=True, max_length=255)),
                        ("lease_token", models.UUIDField(null=True)),
                        ("lease_until", models.DateTimeField(null=True)),
                        (
                            "requested_by",
                            models.ForeignKey(
                                null=True,
                                on_delete=django.db.models.deletion.PROTECT,
                                related_name="+",
                                to=settings.AUTH_USER_MODEL,
                            ),
                        ),
                        (
                            "source",
                            models.ForeignKey(
                                on_delete=django.db.models.deletion.PROTECT, related_name="+", to="vaultadmin.vault"
                            ),
                        ),
                    ],
                    options={
                        "verbose_name_plural": "sandboxes",
                        "ordering": ["vault_id"],
                        "indexes": [
                            models.Index(
                                condition=models.Q(("state", "building")), fields=["requested_at"], name="sandbox_due"
                            )
                        ],
                        "constraints": [
                            models.CheckConstraint(
                                condition=models.Q(("vault", models.F("source")), _negated=True),
                                name="sandbox_is_not_its_own_source",
                            ),
                            models.CheckConstraint(
                                condition=models.Q(
                                    models.Q(("state", "active"), _negated=True),
                                    ("built_at__isnull", False),
                                    _connector="OR",
                                ),
                                name="sandbox_active_was_built",
                            ),
                            models.CheckConstraint(
                                condition=models.Q(
                                    models.Q(("lease_token__isnull", True), ("lease_until__isnull", True)),
                                    models.Q(("lease_token__isnull", False), ("lease_until__isnull", False)),
                                    _connector="OR",
                                ),
                                name="sandbox_lease_has_an_end",
                            ),
                        ],
                    },
                    bases=(django_fsm.ConcurrentTransitionMixin, models.Model),
                ),
                migrations.CreateModel(
                    name="SandboxLink",
                    fields=[
                        (
                            "id",
                            models.BigAutoField(
                                auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                            ),
                        ),
                        ("kind", models.CharField(max_length=32)),
                        ("subject_id", models.BigIntegerField()),
                        ("label", models.CharField(max_length=255)),
                        ("note", models.CharField(blank=True, max_length=2000)),
                        (
                            "sandbox",
                            models.ForeignKey(
                                on_delete=django.db.models.deletion.CASCADE,
                                related_name="links",
                                to="vaultadmin.sandbox",
                            ),
                        ),
                    ],
                    options={
                        "ordering": ["kind", "label", "pk"],
                        "constraints": [
                            models.UniqueConstraint(fields=("sandbox", "kind", "subject_id"), name="sandbox_link_once")
                        ],
                    },
                ),
                migrations.CreateModel(
                    name="Signature",
                    fields=[
                        (
                            "id",
                            models.BigAutoField(
                                auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                            ),
                        ),
                        ("vault_number", models.BigIntegerField()),
                        ("subject_type", models.CharField(max_length=64)),
                        ("subject_id", models.CharField(max_length=64)),
                        ("subject_label", models.CharField(max_length=255)),
                        ("version", models.CharField(max_length=64)),
                        ("statement", models.JSONField()),
                        ("meaning", models.CharField(max_length=255)),
                        ("signer_id", models.CharField(max_length=64)),
                        ("signer_name", models.CharField(max_length=128)),
                        ("signer_email", models.CharField(max_length=254)),
                        (
                            "method",
                            models.CharField(
                                choices=[
                                    ("password", "Password"),
                                    ("password_code", "Password and second factor"),
                                    ("passkey", "Passkey"),
                                    ("code", "Second factor"),
                                    ("single_sign_on", "Single sign-on"),
                                ],
                                max_length=16,
                            ),
                        ),
                        ("signed_at", models.DateTimeField()),
                        ("seal", models.CharField(max_length=64)),
                    ],
                    options={
                        "ordering": ["-signed_at", "-pk"],
                        "indexes": [
                            models.Index(
                                fields=["vault_number", "subject_type", "subject_id"], name="signature_subject"
                            )
                        ],
                    },
                ),
                migrations.CreateModel(
                    name="Notice",
                    fields=[
                        (
                            "id",
                            models.BigAutoField(
                                auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                            ),
                        ),
                        (
                            "kind",
                            models.CharField(
                                choices=[
                                    ("opened", "A task waits for you"),
                                    ("assigned", "A task was assigned to you"),
                                    ("decided", "Your request was decided"),
                                    ("in_place", "A task was decided in your place"),
                                    ("overturned", "The other Vault rejected what was approved"),
                                    ("due_soon", "A task is about to lapse"),
                                    ("closed", "Your request ended"),
                                    ("told", "Told by an app"),
                                ],
                                max_length=16,
                            ),
                        ),
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
                                blank=True,
                                choices=[
                                    ("sent", "Sent"),
                                    ("dropped", "No longer true when it was to be sent"),
                                    ("given_up", "Given up after the last try"),
                                ],
                                max_length=16,
                            ),
                        ),
                        (
                            "task",
                            models.ForeignKey(
                                null=True,
                                on_delete=django.db.models.deletion.CASCADE,
                                related_name="notices",
                                to="vaultadmin.task",
                            ),
                        ),
                        (
                            "user",
                            models.ForeignKey(
                                on_delete=django.db.models.deletion.CASCADE,
                                related_name="+",
                                to=settings.AUTH_USER_MODEL,
                            ),
                        ),
                        ("data", models.JSONField(db_default={}, default=dict)),
                        ("subject", models.CharField(blank=True, db_default="", max_length=64)),
                        ("topic", models.CharField(blank=True, db_default="", max_length=32)),
                        (
                            "vault",
                            models.ForeignKey(
                                null=True,
                                on_delete=django.db.models.deletion.CASCADE,
                                related_name="+",
                                to="vaultadmin.vault",
                            ),
                        ),
                    ],
                    options={
                        "indexes": [
                            models.Index(
                                condition=models.Q(("settled_at__isnull", True)),
                                fields=["due_at", "id"],
                                name="notice_due",
                            )
                        ],
                        "constraints": [
                            models.UniqueConstraint(
                                fields=("user", "task", "kind"), name="notice_once_per_person_and_task"
                            ),
                            models.CheckConstraint(
                                condition=models.Q(
                                    models.Q(("outcome", ""), ("settled_at__isnull", True)),
                                    models.Q(("settled_at__isnull", False), models.Q(("outcome", ""), _negated=True)),
                                    _connector="OR",
                                ),
                                name="notice_settled_has_an_outcome",
                            ),
                            models.UniqueConstraint(
                                condition=models.Q(("topic", ""), _negated=True),
                                fields=("user", "vault", "topic", "subject"),
                                name="notice_once_per_person_and_subject",
                            ),
                            models.CheckConstraint(
                                condition=models.Q(
                                    models.Q(("task__isnull", False), ("topic", "")),
                                    models.Q(
                                        ("kind", "told"),
                                        ("task__isnull", True),
                                        ("vault__isnull", False),
                                        models.Q(("topic", ""), _negated=True),
                                    ),
                                    _connector="OR",
                                ),
                                name="notice_of_a_task_or_a_topic",
                            ),
                        ],
                    },
                ),
                migrations.CreateModel(
                    name="Delegation",
                    fields=[
                        (
                            "id",
                            models.BigAutoField(
                                auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                            ),
                        ),
                        ("starts", models.DateField(verbose_name="First day")),
                        ("ends", models.DateField(verbose_name="Last day")),
                        ("created_at", models.DateTimeField()),
                        ("ended_at", models.DateTimeField(null=True, verbose_name="Ended early")),
                        (
                            "created_by",
                            models.ForeignKey(
                                on_delete=django.db.models.deletion.PROTECT,
                                related_name="+",
                                to="vaultadmin.membership",
                            ),
                        ),
                        (
                            "ended_by",
                            models.ForeignKey(
                                null=True,
                                on_delete=django.db.models.deletion.PROTECT,
                                related_name="+",
                                to="vaultadmin.membership",
                            ),
                        ),
                        (
                            "from_member",
                            models.ForeignKey(
                                on_delete=django.db.models.deletion.PROTECT,
                                related_name="given",
                                to="vaultadmin.membership",
                                verbose_name="From",
                            ),
                        ),
                        (
                            "to_member",
                            models.ForeignKey(
                                on_delete=django.db.models.deletion.PROTECT,
                                related_name="received",
                                to="vaultadmin.membership",
                                verbose_name="To",
                            ),
                        ),
                        (
                            "vault",
                            models.ForeignKey(
                                on_delete=django.db.models.deletion.CASCADE,
                                related_name="delegations",
                                to="vaultadmin.vault",
                            ),
                        ),
                    ],
                    options={
                        "ordering": ["-starts", "-pk"],
                        "indexes": [
                            models.Index(
                                condition=models.Q(("ended_at__isnull", True)),
                                fields=["to_member", "ends"],
                                name="delegation_received",
                            )
                        ],
                        "constraints": [
                            models.CheckConstraint(
                                condition=models.Q(("ends__gte", models.F("starts"))),
                                name="delegation_ends_after_it_starts",
                            ),
                            models.CheckConstraint(
                                condition=models.Q(("from_member", models.F("to_member")), _negated=True),
                                name="delegation_to_somebody_else",
                            ),
                            models.CheckConstraint(
                                condition=models.Q(
                                    models.Q(("ended_at__isnull", True), ("ended_by__isnull", True)),
                                    models.Q(("ended_at__isnull", False), ("ended_by__isnull", False)),
                                    _connector="OR",
                                ),
                                name="delegation_ended_by_somebody",
                            ),
                            django.contrib.postgres.constraints.ExclusionConstraint(
                                condition=models.Q(("ended_at__isnull", True)),
                                expressions=[
                                    (
                                        models.Func(
                                            models.F("from_member"),
                                            models.F("from_member"),
                                            models.Value("[]"),
                                            function="int8range",
                                            output_field=models.BigIntegerField(),
                                        ),
                                        "&&",
                                    ),
                                    (
                                        models.Func(
                                            models.F("starts"),
                                            models.F("ends"),
                                            models.Value("[]"),
                                            function="daterange",
                                            output_field=django.contrib.postgres.fields.ranges.DateRangeField(),
                                        ),
                                        "&&",
                                    ),
                                ],
                                name="delegation_one_at_a_time",
                            ),
                        ],
                    },
                ),
            ]
        ),
        migrations.RunSQL(APPEND_ONLY, CHANGEABLE),
        migrations.RunSQL(BOUNDS, NO_BOUNDS),
    ]
