import django.contrib.postgres.fields
import django.core.validators
import django.db.models.deletion
import django_fsm
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("connections", "0002_references_stay_in_their_vault"),
        ("ecoa", "0001_service_store"),
        ("vaultadmin", "0002_audit_append_only"),
    ]

    operations = [
        migrations.CreateModel(
            name="Site",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "number",
                    models.CharField(
                        db_collation="C",
                        max_length=255,
                        validators=[
                            django.core.validators.RegexValidator(
                                "\\A(?!\\.+\\Z)[^\\x00-\\x20\\x7f-\\x9f/\\\\](?:[^\\x00-\\x1f\\x7f-\\x9f/\\\\]*[^\\x00-\\x20\\x7f-\\x9f/\\\\])?\\Z",
                                "Leave out slashes, control characters and blanks at the ends.",
                            )
                        ],
                        verbose_name="site number",
                    ),
                ),
                ("name", models.CharField(blank=True, max_length=128, verbose_name="name")),
                (
                    "vault",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="ecoa_sites", to="vaultadmin.vault"
                    ),
                ),
            ],
            options={
                "ordering": ["number", "pk"],
            },
        ),
        migrations.CreateModel(
            name="SiteTally",
            fields=[
                (
                    "site",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE,
                        primary_key=True,
                        related_name="tally",
                        serialize=False,
                        to="ecoa.site",
                    ),
                ),
                ("waiting", models.BigIntegerField(default=0)),
                ("synced", models.BigIntegerField(default=0)),
                ("rejected", models.BigIntegerField(default=0)),
                ("unknown", models.BigIntegerField(default=0)),
                ("stamp", models.BigIntegerField(default=0)),
            ],
        ),
        migrations.CreateModel(
            name="StudyMapping",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("name", models.CharField(max_length=128, verbose_name="name")),
                (
                    "tenant_id",
                    models.CharField(
                        max_length=255,
                        validators=[
                            django.core.validators.RegexValidator(
                                "\\A(?!\\.+\\Z)[^\\x00-\\x20\\x7f-\\x9f/\\\\](?:[^\\x00-\\x1f\\x7f-\\x9f/\\\\]*[^\\x00-\\x20\\x7f-\\x9f/\\\\])?\\Z",
                                "Leave out slashes, control characters and blanks at the ends.",
                            )
                        ],
                        verbose_name="tenant ID",
                    ),
                ),
                (
                    "external_study_id",
                    models.CharField(
                        max_length=255,
                        validators=[
                            django.core.validators.RegexValidator(
                                "\\A(?!\\.+\\Z)[^\\x00-\\x20\\x7f-\\x9f/\\\\](?:[^\\x00-\\x1f\\x7f-\\x9f/\\\\]*[^\\x00-\\x20\\x7f-\\x9f/\\\\])?\\Z",
                                "Leave out slashes, control characters and blanks at the ends.",
                            )
                        ],
                        verbose_name="study ID",
                    ),
                ),
                (
                    "api_version",
                    models.CharField(
                        default="v24.3",
                        max_length=16,
                        validators=[
                            django.core.validators.RegexValidator("\\Av\\d+\\.\\d\\Z", "Enter a version such as v24.3.")
                        ],
                        verbose_name="API version",
                    ),
                ),
                ("fixed_region", models.CharField(blank=True, max_length=500, verbose_name="fixed region")),
                ("read_back", models.BooleanField(default=False, verbose_name="read every participant back")),
                ("is_active", models.BooleanField(default=True, verbose_name="active")),
                ("created_at", models.DateTimeField(auto_now_add=True)),
                (
                    "connection",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="study_mappings",
                        to="connections.connection",
                        verbose_name="connection",
                    ),
                ),
                (
                    "vault",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="study_mappings",
                        to="vaultadmin.vault",
                    ),
                ),
            ],
            options={
                "ordering": ["name", "pk"],
            },
        ),
        migrations.AddField(
            model_name="site",
            name="mapping",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT,
                related_name="sites",
                to="ecoa.studymapping",
                verbose_name="study",
            ),
        ),
        migrations.CreateModel(
            name="Participant",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("participant_id", models.CharField(db_collation="C", max_length=255, verbose_name="participant ID")),
                ("internal_id", models.CharField(db_collation="C", max_length=255, verbose_name="internal ID")),
                ("version", models.IntegerField(default=1)),
                ("synced_version", models.IntegerField(default=0)),
                (
                    "my_veeva_participant_id",
                    models.CharField(blank=True, max_length=255, verbose_name="MyVeeva participant ID"),
                ),
                (
                    "status",
                    models.CharField(
                        choices=[
                            ("waiting", "Waiting to be sent"),
                            ("sending", "Being sent"),
                            ("synced", "In eCOA"),
                            ("rejected", "Not accepted"),
                            ("unknown", "Not known yet"),
                        ],
                        default="waiting",
                        max_length=8,
                        verbose_name="state",
                    ),
                ),
                ("in_doubt", models.BooleanField(default=False)),
                ("stage", models.SmallIntegerField(default=0)),
                ("code", models.CharField(blank=True, max_length=32)),
                ("message", models.CharField(blank=True, max_length=500)),
                ("source", models.CharField(choices=[("file", "File import")], default="file", max_length=8)),
                ("created_at", models.DateTimeField()),
                ("changed_at", models.DateTimeField()),
                ("synced_at", models.DateTimeField(null=True)),
                (
                    "vault",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="+", to="vaultadmin.vault"
                    ),
                ),
                (
                    "site",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="participants",
                        to="ecoa.site",
                    ),
                ),
                (
                    "mapping",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="participants", to="ecoa.studymapping"
                    ),
                ),
            ],
            options={
                "ordering": ["participant_id"],
            },
        ),
        migrations.CreateModel(
            name="FileImport",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("file_name", models.CharField(max_length=255)),
                ("sha256", models.CharField(max_length=64)),
                ("encoding", models.CharField(blank=True, max_length=16)),
                ("notes", models.JSONField(default=list)),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("checking", "Being checked"),
                            ("ready", "Ready to import"),
                            ("refused", "Cannot be imported"),
                            ("storing", "Being imported"),
                            ("done", "Imported"),
                            ("discarded", "Discarded"),
                        ],
                        default="checking",
                        max_length=9,
                    ),
                ),
                ("refusal", models.CharField(blank=True, max_length=500)),
                ("starter_label", models.CharField(max_length=255)),
                ("created_at", models.DateTimeField()),
                ("confirmed_at", models.DateTimeField(null=True)),
                ("finished_at", models.DateTimeField(null=True)),
                ("lease_token", models.UUIDField(null=True)),
                ("lease_until", models.DateTimeField(null=True)),
                ("row_count", models.BigIntegerField(default=0)),
                ("bad", models.BigIntegerField(default=0)),
                ("new", models.BigIntegerField(default=0)),
                ("changed", models.BigIntegerField(default=0)),
                ("same", models.BigIntegerField(default=0)),
                ("cursor", models.BigIntegerField(default=0)),
                ("stored", models.BigIntegerField(default=0)),
                ("skipped", models.BigIntegerField(default=0)),
                (
                    "started_by",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="vaultadmin.membership",
                    ),
                ),
                (
                    "vault",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="file_imports", to="vaultadmin.vault"
                    ),
                ),
                (
                    "mapping",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="files",
                        to="ecoa.studymapping",
                        verbose_name="study",
                    ),
                ),
            ],
            options={
                "ordering": ["-id"],
            },
        ),
        migrations.CreateModel(
            name="SyncItem",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("site_number", models.CharField(max_length=255)),
                ("value", models.CharField(max_length=255)),
                ("internal_id", models.CharField(max_length=255)),
                ("version", models.IntegerField()),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("waiting", "Waiting"),
                            ("synced", "In eCOA"),
                            ("rejected", "Not accepted"),
                            ("unknown", "Not known"),
                            ("cancelled", "Not sent"),
                        ],
                        default="waiting",
                        max_length=9,
                    ),
                ),
                (
                    "doubtful",
                    models.BooleanField(default=False, help_text="An earlier try may have landed: ask before sending."),
                ),
                ("due_at", models.DateTimeField(null=True)),
                ("lease_token", models.UUIDField(null=True)),
                ("lease_until", models.DateTimeField(null=True)),
                ("attempts", models.SmallIntegerField(default=0)),
                ("crashes", models.SmallIntegerField(default=0)),
                ("code", models.CharField(blank=True, max_length=32)),
                ("read_back", models.BooleanField(default=False)),
                ("settled_at", models.DateTimeField(null=True)),
                (
                    "participant",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="items", to="ecoa.participant"
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="Attempt",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("number", models.SmallIntegerField()),
                ("value", models.CharField(max_length=255)),
                ("started_at", models.DateTimeField()),
                ("ended_at", models.DateTimeField(null=True)),
                (
                    "outcome",
                    models.CharField(
                        choices=[
                            ("started", "Started, no outcome noted"),
                            ("synced", "In eCOA"),
                            ("rejected", "Not accepted"),
                            ("unknown", "Not known"),
                            ("not_sent", "Nothing was sent"),
                        ],
                        default="started",
                        max_length=8,
                    ),
                ),
                ("stage", models.SmallIntegerField(default=0)),
                ("code", models.CharField(blank=True, max_length=32)),
                ("detail", models.CharField(blank=True, max_length=500)),
                ("read_back", models.BooleanField(default=False)),
                (
                    "participant",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="tries", to="ecoa.participant"
                    ),
                ),
                (
                    "item",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="tries", to="ecoa.syncitem"
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="SyncRun",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "scope",
                    models.CharField(
                        choices=[
                            ("incremental", "What changed or is not in eCOA yet"),
                            ("all", "Everything"),
                            ("chosen", "Chosen participants"),
                            ("file", "Participants of one file"),
                            ("retry", "What an earlier run could not bring over"),
                        ],
                        max_length=16,
                    ),
                ),
                (
                    "chosen",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.BigIntegerField(), editable=False, null=True, size=None
                    ),
                ),
                (
                    "state",
                    django_fsm.FSMField(
                        choices=[
                            ("planned", "Planned"),
                            ("running", "Running"),
                            ("finished", "Finished"),
                            ("cancelled", "Cancelled"),
                        ],
                        default="planned",
                        max_length=50,
                        protected=True,
                    ),
                ),
                ("starter_label", models.CharField(max_length=255)),
                ("created_at", models.DateTimeField()),
                ("started_at", models.DateTimeField(null=True)),
                ("finished_at", models.DateTimeField(null=True)),
                ("cancel_requested_at", models.DateTimeField(null=True)),
                ("silent_since", models.DateTimeField(null=True)),
                ("total", models.BigIntegerField(default=0)),
                ("synced", models.BigIntegerField(default=0)),
                ("rejected", models.BigIntegerField(default=0)),
                ("unknown", models.BigIntegerField(default=0)),
                ("dropped", models.BigIntegerField(default=0)),
                (
                    "file",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="runs",
                        to="ecoa.fileimport",
                    ),
                ),
                (
                    "mapping",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="runs",
                        to="ecoa.studymapping",
                        verbose_name="study",
                    ),
                ),
                (
                    "retry_of",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="retries",
                        to="ecoa.syncrun",
                    ),
                ),
                (
                    "started_by",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="vaultadmin.membership",
                    ),
                ),
                (
                    "vault",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="sync_runs", to="vaultadmin.vault"
                    ),
                ),
            ],
            options={
                "ordering": ["-id"],
            },
            bases=(django_fsm.ConcurrentTransitionMixin, models.Model),
        ),
        migrations.AddField(
            model_name="syncitem",
            name="run",
            field=models.ForeignKey(
                db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name="items", to="ecoa.syncrun"
            ),
        ),
        migrations.CreateModel(
            name="FileRow",
            fields=[
                (
                    "pk",
                    models.CompositePrimaryKey(
                        "file_id", "line", blank=True, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("line", models.BigIntegerField()),
                ("site", models.TextField(db_collation="C")),
                ("participant_id", models.TextField(db_collation="C")),
                ("internal_id", models.TextField(db_collation="C")),
                (
                    "problems",
                    django.contrib.postgres.fields.ArrayField(base_field=models.TextField(), null=True, size=None),
                ),
                (
                    "file",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="lines",
                        to="ecoa.fileimport",
                    ),
                ),
                (
                    "stored_as",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to="ecoa.participant",
                    ),
                ),
            ],
            options={
                "indexes": [
                    models.Index(
                        condition=models.Q(("problems__isnull", False)),
                        fields=["file", "line"],
                        name="file_row_with_problems",
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="SiteAssignment",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("assigned_at", models.DateTimeField(auto_now_add=True)),
                (
                    "member",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="site_assignments",
                        to="vaultadmin.membership",
                    ),
                ),
                (
                    "site",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="assignments", to="ecoa.site"
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
                "constraints": [models.UniqueConstraint(fields=("site", "member"), name="site_assignment_once")],
            },
        ),
        migrations.AddConstraint(
            model_name="studymapping",
            constraint=models.UniqueConstraint(fields=("vault", "name"), name="study_mapping_name_once"),
        ),
        migrations.AddConstraint(
            model_name="studymapping",
            constraint=models.UniqueConstraint(fields=("vault", "external_study_id"), name="study_mapping_study_once"),
        ),
        migrations.AddConstraint(
            model_name="studymapping",
            constraint=models.CheckConstraint(
                condition=models.Q(("fixed_region", ""), ("fixed_region__startswith", "https://"), _connector="OR"),
                name="study_mapping_region_https",
            ),
        ),
        migrations.AddConstraint(
            model_name="site",
            constraint=models.UniqueConstraint(fields=("mapping", "number"), name="site_number_once"),
        ),
        migrations.AddIndex(
            model_name="participant",
            index=models.Index(fields=["site", "participant_id"], name="participant_by_site"),
        ),
        migrations.AddIndex(
            model_name="participant",
            index=models.Index(fields=["site", "status", "participant_id"], name="participant_by_state"),
        ),
        migrations.AddConstraint(
            model_name="participant",
            constraint=models.UniqueConstraint(fields=("mapping", "internal_id"), name="participant_internal_id_once"),
        ),
        migrations.AddConstraint(
            model_name="participant",
            constraint=models.UniqueConstraint(fields=("mapping", "participant_id"), name="participant_id_once"),
        ),
        migrations.AddConstraint(
            model_name="participant",
            constraint=models.CheckConstraint(
                condition=models.Q(("synced_version__lte", models.F("version")), ("version__gte", 1)),
                name="participant_versions_in_order",
            ),
        ),
        migrations.AddConstraint(
            model_name="participant",
            constraint=models.CheckConstraint(
                condition=models.Q(("status__in", ["waiting", "synced", "rejected", "unknown"])),
                name="participant_status_known",
            ),
        ),
        migrations.AddIndex(
            model_name="fileimport",
            index=models.Index(
                condition=models.Q(("state__in", ["checking", "storing"])),
                fields=["state"],
                name="file_import_unfinished",
            ),
        ),
        migrations.AddIndex(
            model_name="syncrun",
            index=models.Index(fields=["vault", "-id"], name="sync_run_newest"),
        ),
        migrations.AddConstraint(
            model_name="syncrun",
            constraint=models.UniqueConstraint(
                condition=models.Q(("state__in", ["planned", "running"])), fields=("mapping",), name="sync_run_one_open"
            ),
        ),
        migrations.AddIndex(
            model_name="syncitem",
            index=models.Index(
                condition=models.Q(("due_at__isnull", False), ("lease_token__isnull", True)),
                fields=["run", "crashes", "due_at"],
                name="sync_item_claimable",
            ),
        ),
        migrations.AddIndex(
            model_name="syncitem",
            index=models.Index(
                condition=models.Q(("lease_token__isnull", False)), fields=["lease_until"], name="sync_item_leased"
            ),
        ),
        migrations.AddIndex(
            model_name="syncitem",
            index=models.Index(
                condition=models.Q(("lease_token__isnull", False)), fields=["lease_token"], name="sync_item_token"
            ),
        ),
        migrations.AddIndex(
            model_name="syncitem",
            index=models.Index(
                condition=models.Q(("due_at__isnull", True), ("state__in", ["rejected", "unknown"])),
                fields=["run", "id"],
                name="sync_item_failed",
            ),
        ),
        migrations.AddConstraint(
            model_name="syncitem",
            constraint=models.UniqueConstraint(fields=("run", "participant"), name="sync_item_once_per_run"),
        ),
        migrations.AddConstraint(
            model_name="syncitem",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("lease_token__isnull", True), ("lease_until__isnull", True)),
                    models.Q(("due_at__isnull", False), ("lease_token__isnull", False), ("lease_until__isnull", False)),
                    _connector="OR",
                ),
                name="sync_item_lease_whole",
            ),
        ),
    ]
