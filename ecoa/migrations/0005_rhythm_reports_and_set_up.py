"""Rhythms and alarms of sites, days of health, evidence reports and set-ups; no row points across vaults."""

import django.contrib.postgres.fields
import django.core.validators
import django.db.models.deletion
from django.db import migrations, models

# Participants that went out before this release: their evidence says when.
FIRST_SENT = """
UPDATE ecoa_participant p SET first_sent_at = t.first
  FROM (SELECT participant_id, min(started_at) AS first FROM ecoa_attempt
         WHERE stage >= 3 OR outcome = 'started' GROUP BY participant_id) AS t
 WHERE t.participant_id = p.id
"""

BOUNDS = """
ALTER TABLE ecoa_evidencereport
    ADD CONSTRAINT evidence_report_site_of_same_vault FOREIGN KEY (site_id, vault_id)
        REFERENCES ecoa_site (id, vault_id) DEFERRABLE INITIALLY DEFERRED;
ALTER TABLE ecoa_setup
    ADD CONSTRAINT set_up_connection_of_same_vault FOREIGN KEY (connection_id, vault_id)
        REFERENCES connections_connection (id, vault_id) DEFERRABLE INITIALLY DEFERRED,
    ADD CONSTRAINT set_up_mapping_of_same_vault FOREIGN KEY (mapping_id, vault_id)
        REFERENCES ecoa_studymapping (id, vault_id) DEFERRABLE INITIALLY DEFERRED;
"""

NO_BOUNDS = """
ALTER TABLE ecoa_setup
    DROP CONSTRAINT set_up_mapping_of_same_vault, DROP CONSTRAINT set_up_connection_of_same_vault;
ALTER TABLE ecoa_evidencereport DROP CONSTRAINT evidence_report_site_of_same_vault;
"""


class Migration(migrations.Migration):
    dependencies = [
        ("connections", "0012_terms_of_an_exchange"),
        ("ecoa", "0004_service_revision"),
        ("vaultadmin", "0011_notices_of_apps"),
    ]

    operations = [
        migrations.AddField(
            model_name="participant",
            name="confirmed_at",
            field=models.DateTimeField(null=True),
        ),
        migrations.AddField(
            model_name="participant",
            name="confirmed_by",
            field=models.CharField(blank=True, db_default="", max_length=64),
        ),
        migrations.AddField(
            model_name="participant",
            name="confirmed_version",
            field=models.IntegerField(db_default=0, default=0),
        ),
        migrations.AddField(
            model_name="participant",
            name="first_sent_at",
            field=models.DateTimeField(null=True),
        ),
        migrations.AddField(
            model_name="site",
            name="closed_on",
            field=models.DateField(blank=True, null=True, verbose_name="closed on"),
        ),
        migrations.AddField(
            model_name="sitetally",
            name="last_arrival_at",
            field=models.DateTimeField(null=True),
        ),
        migrations.CreateModel(
            name="DigestChoice",
            fields=[
                (
                    "member",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE,
                        primary_key=True,
                        related_name="ecoa_digest",
                        serialize=False,
                        to="vaultadmin.membership",
                    ),
                ),
                (
                    "frequency",
                    models.CharField(
                        choices=[("never", "No digest"), ("daily", "Every day"), ("weekly", "Every week, on Monday")],
                        default="never",
                        max_length=8,
                    ),
                ),
                ("hour", models.PositiveSmallIntegerField(default=6, verbose_name="hour")),
                ("time_zone", models.CharField(default="UTC", max_length=64, verbose_name="time zone")),
                ("due_at", models.DateTimeField(null=True)),
            ],
            options={
                "indexes": [
                    models.Index(condition=models.Q(("due_at__isnull", False)), fields=["due_at"], name="digest_due")
                ],
                "constraints": [
                    models.CheckConstraint(condition=models.Q(("hour__lte", 23)), name="digest_hour_of_a_day"),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("due_at__isnull", True), ("frequency", "never")),
                            models.Q(models.Q(("frequency", "never"), _negated=True), ("due_at__isnull", False)),
                            _connector="OR",
                        ),
                        name="digest_due_when_wanted",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="EvidenceReport",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("queued", "Waiting for a worker"),
                            ("building", "Being made"),
                            ("done", "Ready to download"),
                            ("failed", "Could not be made"),
                            ("cancelled", "Cancelled"),
                        ],
                        default="queued",
                        max_length=9,
                    ),
                ),
                ("asked_by_label", models.CharField(max_length=255)),
                ("asked_at", models.DateTimeField()),
                ("taken_at", models.DateTimeField(null=True)),
                ("finished_at", models.DateTimeField(null=True)),
                ("expires_at", models.DateTimeField(null=True)),
                ("rows", models.BigIntegerField(default=0)),
                ("done", models.BigIntegerField(default=0)),
                ("total", models.BigIntegerField(default=0)),
                ("sha256", models.CharField(blank=True, max_length=64)),
                ("tries", models.PositiveSmallIntegerField(default=0)),
                ("problem", models.CharField(blank=True, max_length=255)),
                ("lease_token", models.UUIDField(null=True)),
                ("lease_until", models.DateTimeField(null=True)),
                (
                    "asked_by",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="vaultadmin.membership",
                    ),
                ),
                (
                    "site",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="reports", to="ecoa.site"
                    ),
                ),
                (
                    "vault",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="evidence_reports",
                        to="vaultadmin.vault",
                    ),
                ),
            ],
            options={
                "ordering": ["-id"],
            },
        ),
        migrations.CreateModel(
            name="ReportPart",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("format", models.CharField(choices=[("csv", "CSV"), ("xlsx", "XLSX"), ("pdf", "PDF")], max_length=4)),
                ("number", models.IntegerField()),
                ("content", models.BinaryField()),
                (
                    "report",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="parts",
                        to="ecoa.evidencereport",
                    ),
                ),
            ],
            options={
                "ordering": ["report", "format", "number"],
            },
        ),
        migrations.CreateModel(
            name="SetUp",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "state",
                    models.CharField(
                        choices=[("open", "Being set up"), ("finished", "Finished"), ("discarded", "Discarded")],
                        default="open",
                        max_length=9,
                    ),
                ),
                ("name", models.CharField(max_length=128, verbose_name="study name")),
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
                    "site_numbers",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.CharField(max_length=255), default=list, size=None, verbose_name="sites"
                    ),
                ),
                (
                    "base_url",
                    models.CharField(default="https://sponsors.myveeva.com/", max_length=500, verbose_name="base URL"),
                ),
                ("api_version", models.CharField(default="v24.3", max_length=16, verbose_name="API version")),
                ("system_id", models.CharField(blank=True, max_length=255, verbose_name="system ID")),
                ("tenant_id", models.CharField(blank=True, max_length=255, verbose_name="tenant ID")),
                ("created_at", models.DateTimeField()),
                ("changed_at", models.DateTimeField()),
                (
                    "test_state",
                    models.CharField(
                        blank=True,
                        choices=[
                            ("", "Not tested"),
                            ("queued", "Waiting for a worker"),
                            ("running", "Running"),
                            ("passed", "Passed"),
                            ("failed", "Failed"),
                        ],
                        default="",
                        max_length=8,
                    ),
                ),
                ("steps", models.JSONField(default=list)),
                ("tested", models.CharField(blank=True, max_length=64)),
                ("tested_at", models.DateTimeField(null=True)),
                ("lease_token", models.UUIDField(null=True)),
                ("lease_until", models.DateTimeField(null=True)),
                (
                    "connection",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to="connections.connection",
                        verbose_name="connection",
                    ),
                ),
                (
                    "mapping",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to="ecoa.studymapping",
                    ),
                ),
                (
                    "secret",
                    models.OneToOneField(
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to="vaultadmin.secret",
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
                        on_delete=django.db.models.deletion.CASCADE, related_name="ecoa_set_ups", to="vaultadmin.vault"
                    ),
                ),
            ],
            options={
                "ordering": ["-id"],
            },
        ),
        migrations.CreateModel(
            name="SilenceAlarm",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("opened_at", models.DateTimeField()),
                ("expected_at", models.DateTimeField()),
                ("last_arrival_at", models.DateTimeField(null=True)),
                ("reason", models.CharField(max_length=500)),
                ("snoozed_until", models.DateTimeField(null=True)),
                ("snooze_note", models.CharField(blank=True, max_length=255)),
                ("closed_at", models.DateTimeField(null=True)),
                (
                    "ended_by",
                    models.CharField(
                        blank=True,
                        choices=[("arrived", "Something arrived"), ("not_expected", "Nothing is expected any more")],
                        max_length=12,
                    ),
                ),
                (
                    "site",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="alarms", to="ecoa.site"
                    ),
                ),
                (
                    "snoozed_by",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="vaultadmin.membership",
                    ),
                ),
            ],
            options={
                "ordering": ["-id"],
            },
        ),
        migrations.CreateModel(
            name="SitePause",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("starts_at", models.DateTimeField(verbose_name="from")),
                ("ends_at", models.DateTimeField(null=True, verbose_name="until")),
                ("reason", models.CharField(max_length=255, verbose_name="reason")),
                ("created_at", models.DateTimeField()),
                (
                    "created_by",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="vaultadmin.membership",
                    ),
                ),
                (
                    "site",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="pauses", to="ecoa.site"
                    ),
                ),
            ],
            options={
                "ordering": ["-starts_at", "-pk"],
            },
        ),
        migrations.CreateModel(
            name="SiteRhythm",
            fields=[
                (
                    "site",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE,
                        primary_key=True,
                        related_name="rhythm",
                        serialize=False,
                        to="ecoa.site",
                    ),
                ),
                ("interval_hours", models.PositiveIntegerField(verbose_name="expected at least every")),
                ("grace_hours", models.PositiveIntegerField(default=0, verbose_name="may be late by")),
                ("time_zone", models.CharField(default="UTC", max_length=64, verbose_name="time zone")),
                ("quiet_from", models.TimeField(null=True, verbose_name="night begins")),
                ("quiet_until", models.TimeField(null=True, verbose_name="night ends")),
                (
                    "quiet_days",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.PositiveSmallIntegerField(), default=list, size=None, verbose_name="days off"
                    ),
                ),
                ("declared_at", models.DateTimeField()),
                ("due_at", models.DateTimeField(null=True)),
            ],
            options={
                "indexes": [
                    models.Index(
                        condition=models.Q(("due_at__isnull", False)), fields=["due_at"], name="site_rhythm_due"
                    )
                ],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(
                            ("grace_hours__lte", 8784), ("interval_hours__gte", 1), ("interval_hours__lte", 8784)
                        ),
                        name="site_rhythm_in_range",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("quiet_from__isnull", True), ("quiet_until__isnull", True)),
                            models.Q(
                                ("quiet_from__isnull", False),
                                ("quiet_until__isnull", False),
                                models.Q(("quiet_from", models.F("quiet_until")), _negated=True),
                            ),
                            _connector="OR",
                        ),
                        name="site_rhythm_night_whole",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="SyncDay",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("date", models.DateField(verbose_name="day")),
                ("sent", models.BigIntegerField(default=0, verbose_name="Sent")),
                ("confirmed", models.BigIntegerField(default=0, verbose_name="Confirmed")),
                ("rejected", models.BigIntegerField(default=0, verbose_name="Not accepted")),
                ("unknown", models.BigIntegerField(default=0, verbose_name="Not known")),
                (
                    "mapping",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="days", to="ecoa.studymapping"
                    ),
                ),
            ],
            options={
                "ordering": ["-date"],
            },
        ),
        migrations.AddIndex(
            model_name="evidencereport",
            index=models.Index(fields=["vault", "-id"], name="evidence_report_newest"),
        ),
        migrations.AddIndex(
            model_name="evidencereport",
            index=models.Index(
                condition=models.Q(("state__in", ["queued", "building"])),
                fields=["asked_at"],
                name="evidence_report_unfinished",
            ),
        ),
        migrations.AddConstraint(
            model_name="reportpart",
            constraint=models.UniqueConstraint(fields=("report", "format", "number"), name="report_part_once"),
        ),
        migrations.AddIndex(
            model_name="setup",
            index=models.Index(
                condition=models.Q(("test_state__in", ["queued", "running"])), fields=["id"], name="set_up_to_test"
            ),
        ),
        migrations.AddConstraint(
            model_name="setup",
            constraint=models.CheckConstraint(
                condition=models.Q(("state", "open"), ("secret__isnull", True), _connector="OR"),
                name="set_up_keeps_no_secret_when_over",
            ),
        ),
        migrations.AddConstraint(
            model_name="silencealarm",
            constraint=models.UniqueConstraint(
                condition=models.Q(("closed_at__isnull", True)),
                fields=("site",),
                name="silence_alarm_one_open_per_site",
            ),
        ),
        migrations.AddConstraint(
            model_name="silencealarm",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("closed_at__isnull", True), ("ended_by", "")),
                    models.Q(("closed_at__isnull", False), models.Q(("ended_by", ""), _negated=True)),
                    _connector="OR",
                ),
                name="silence_alarm_end_whole",
            ),
        ),
        migrations.AddConstraint(
            model_name="sitepause",
            constraint=models.CheckConstraint(
                condition=models.Q(("ends_at__isnull", True), ("ends_at__gt", models.F("starts_at")), _connector="OR"),
                name="site_pause_ends_after_start",
            ),
        ),
        migrations.AddConstraint(
            model_name="syncday",
            constraint=models.UniqueConstraint(fields=("mapping", "date"), name="sync_day_once"),
        ),
        migrations.RunSQL(FIRST_SENT, migrations.RunSQL.noop),
        migrations.RunSQL(BOUNDS, NO_BOUNDS),
    ]
