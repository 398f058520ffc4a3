"""What queues carried by the hour, alerts about it, and indexes for what waits and for what is kept."""

import django.contrib.postgres.fields
import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("connections", "0016_filed_messages"),
        ("vaultadmin", "0016_notices_of_rejections"),
    ]

    operations = [
        migrations.CreateModel(
            name="Alert",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("opened_at", models.DateTimeField()),
                ("reason", models.CharField(max_length=500)),
                ("snoozed_until", models.DateTimeField(null=True)),
                ("snooze_note", models.CharField(blank=True, max_length=255)),
                ("closed_at", models.DateTimeField(null=True)),
                (
                    "ended_by",
                    models.CharField(
                        blank=True,
                        choices=[("resolved", "Resolved"), ("not_watched", "Not watched any more")],
                        max_length=12,
                    ),
                ),
            ],
            options={
                "ordering": ["-id"],
            },
        ),
        migrations.CreateModel(
            name="AlertCall",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("call_id", models.UUIDField(unique=True)),
                ("subject", models.CharField(choices=[("firing", "Firing"), ("resolved", "Resolved")], max_length=12)),
                ("created_at", models.DateTimeField()),
                ("due_at", models.DateTimeField()),
                ("attempts", models.PositiveSmallIntegerField(default=0)),
                ("lease_token", models.UUIDField(null=True)),
                ("lease_until", models.DateTimeField(null=True)),
                ("settled_at", models.DateTimeField(null=True)),
                (
                    "outcome",
                    models.CharField(
                        blank=True,
                        choices=[("sent", "Taken"), ("given_up", "Given up"), ("dropped", "Not sent")],
                        max_length=12,
                    ),
                ),
                ("status", models.PositiveSmallIntegerField(null=True)),
                ("last_error", models.CharField(blank=True, max_length=255)),
            ],
            options={
                "ordering": ["-pk"],
            },
        ),
        migrations.CreateModel(
            name="AlertRule",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "kind",
                    models.CharField(
                        choices=[("failures", "Failure rate"), ("backlog", "Backlog age"), ("silence", "Silence")],
                        max_length=16,
                        verbose_name="Alert on",
                    ),
                ),
                ("threshold", models.PositiveIntegerField(null=True, verbose_name="Threshold")),
                ("window", models.PositiveIntegerField(null=True, verbose_name="Window in minutes")),
                ("is_active", models.BooleanField(default=True, verbose_name="Active")),
                ("by_mail", models.BooleanField(default=True, verbose_name="E-mail")),
                ("webhook_url", models.CharField(blank=True, max_length=2000, verbose_name="Webhook URL")),
                ("watched_since", models.DateTimeField()),
                ("creation_key", models.UUIDField(editable=False, null=True, unique=True)),
                ("created_at", models.DateTimeField()),
                ("modified_at", models.DateTimeField()),
            ],
            options={
                "ordering": ["pk"],
            },
        ),
        migrations.CreateModel(
            name="TrafficSlot",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("minutes", models.PositiveSmallIntegerField()),
                ("starts_at", models.DateTimeField()),
                ("sent", models.PositiveIntegerField(default=0, verbose_name="Messages sent")),
                ("received", models.PositiveIntegerField(default=0, verbose_name="Messages received")),
                ("failures", models.PositiveIntegerField(default=0, verbose_name="Failures")),
                ("retries", models.PositiveIntegerField(default=0, verbose_name="Retries")),
                ("timeouts", models.PositiveIntegerField(default=0, verbose_name="Timeouts")),
                ("fatal", models.PositiveIntegerField(default=0, verbose_name="Fatal errors")),
                (
                    "waits",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.PositiveIntegerField(), default=list, size=None
                    ),
                ),
                ("last_at", models.DateTimeField(null=True)),
            ],
        ),
        migrations.AddIndex(
            model_name="incomingmessage",
            index=models.Index(
                condition=models.Q(("due_at__isnull", False)), fields=["queue", "id"], name="incoming_waiting"
            ),
        ),
        migrations.AddIndex(
            model_name="incomingmessage",
            index=models.Index(
                condition=models.Q(("body_removed_at__isnull", True), ("settled_at__isnull", False)),
                fields=["vault", "settled_at"],
                name="incoming_message_kept",
            ),
        ),
        migrations.AddIndex(
            model_name="messagecopy",
            index=models.Index(
                condition=models.Q(("due_at__isnull", False)),
                fields=["queue", "connection", "id"],
                name="copy_waiting_by_lane",
            ),
        ),
        migrations.AddIndex(
            model_name="sparkmessage",
            index=models.Index(
                condition=models.Q(("payload_removed_at__isnull", True)),
                fields=["vault", "id"],
                name="spark_message_kept",
            ),
        ),
        migrations.AddField(
            model_name="alert",
            name="snoozed_by",
            field=models.ForeignKey(
                null=True, on_delete=django.db.models.deletion.PROTECT, related_name="+", to="vaultadmin.membership"
            ),
        ),
        migrations.AddField(
            model_name="alert",
            name="vault",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.CASCADE, related_name="+", to="vaultadmin.vault"
            ),
        ),
        migrations.AddField(
            model_name="alertcall",
            name="alert",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.CASCADE, related_name="calls", to="connections.alert"
            ),
        ),
        migrations.AddField(
            model_name="alertrule",
            name="connection",
            field=models.ForeignKey(
                null=True,
                on_delete=django.db.models.deletion.CASCADE,
                related_name="alert_rules",
                to="connections.connection",
                verbose_name="Connection",
            ),
        ),
        migrations.AddField(
            model_name="alertrule",
            name="queue",
            field=models.ForeignKey(
                null=True,
                on_delete=django.db.models.deletion.CASCADE,
                related_name="alert_rules",
                to="connections.queue",
                verbose_name="Queue",
            ),
        ),
        migrations.AddField(
            model_name="alertrule",
            name="secret",
            field=models.OneToOneField(
                null=True, on_delete=django.db.models.deletion.PROTECT, related_name="+", to="vaultadmin.secret"
            ),
        ),
        migrations.AddField(
            model_name="alertrule",
            name="vault",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.CASCADE, related_name="+", to="vaultadmin.vault"
            ),
        ),
        migrations.AddField(
            model_name="alert",
            name="rule",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.CASCADE, related_name="alerts", to="connections.alertrule"
            ),
        ),
        migrations.AddField(
            model_name="trafficslot",
            name="link",
            field=models.ForeignKey(
                db_index=False,
                on_delete=django.db.models.deletion.CASCADE,
                related_name="traffic",
                to="connections.queueconnection",
            ),
        ),
        migrations.AddIndex(
            model_name="alertcall",
            index=models.Index(
                condition=models.Q(("settled_at__isnull", True)), fields=["due_at", "id"], name="alert_call_due"
            ),
        ),
        migrations.AddConstraint(
            model_name="alertcall",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("outcome", ""), ("settled_at__isnull", True)),
                    models.Q(("settled_at__isnull", False), models.Q(("outcome", ""), _negated=True)),
                    _connector="OR",
                ),
                name="alert_call_settled_has_an_outcome",
            ),
        ),
        migrations.AddConstraint(
            model_name="alertrule",
            constraint=models.CheckConstraint(
                condition=models.Q(("queue__isnull", False), ("connection__isnull", False), _connector="OR"),
                name="alert_rule_watches_something",
            ),
        ),
        migrations.AddConstraint(
            model_name="alertrule",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(
                        ("kind", "failures"), ("threshold__gte", 1), ("threshold__lte", 100), ("window__isnull", False)
                    ),
                    models.Q(("kind", "backlog"), ("threshold__gte", 1), ("window__isnull", True)),
                    models.Q(("kind", "silence"), ("threshold__isnull", True), ("window__isnull", False)),
                    _connector="OR",
                ),
                name="alert_rule_fits_its_kind",
            ),
        ),
        migrations.AddConstraint(
            model_name="alertrule",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("window__isnull", True), models.Q(("window__gte", 5), ("window__lte", 10080)), _connector="OR"
                ),
                name="alert_rule_window_in_range",
            ),
        ),
        migrations.AddConstraint(
            model_name="alertrule",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("secret__isnull", True), ("webhook_url", "")),
                    models.Q(("webhook_url", ""), _negated=True),
                    _connector="OR",
                ),
                name="alert_rule_secret_has_its_url",
            ),
        ),
        migrations.AddIndex(
            model_name="alert",
            index=models.Index(fields=["vault", "-id"], name="alert_by_vault"),
        ),
        migrations.AddConstraint(
            model_name="alert",
            constraint=models.UniqueConstraint(
                condition=models.Q(("closed_at__isnull", True)), fields=("rule",), name="alert_one_open_per_rule"
            ),
        ),
        migrations.AddConstraint(
            model_name="alert",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("closed_at__isnull", True), ("ended_by", "")),
                    models.Q(("closed_at__isnull", False), models.Q(("ended_by", ""), _negated=True)),
                    _connector="OR",
                ),
                name="alert_end_whole",
            ),
        ),
        migrations.AddIndex(
            model_name="trafficslot",
            index=models.Index(fields=["minutes", "starts_at"], name="traffic_slot_by_age"),
        ),
        migrations.AddConstraint(
            model_name="trafficslot",
            constraint=models.UniqueConstraint(fields=("link", "minutes", "starts_at"), name="traffic_slot_once"),
        ),
        migrations.AddConstraint(
            model_name="trafficslot",
            constraint=models.CheckConstraint(
                condition=models.Q(("minutes__in", [5, 60])), name="traffic_slot_length_is_known"
            ),
        ),
    ]
