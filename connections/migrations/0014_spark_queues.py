"""Spark queues, what is sent through them, and what arrives in them."""

import datetime

import django.contrib.postgres.fields
import django.contrib.postgres.indexes
import django.db.models.deletion
import django.db.models.functions.text
from django.db import migrations, models

import vaultadmin.tables


class Migration(migrations.Migration):
    dependencies = [
        ("connections", "0013_end_of_the_peer_certificate"),
        ("vaultadmin", "0016_notices_of_rejections"),
    ]

    operations = [
        vaultadmin.tables.CreateTables(
            tables=[
                migrations.CreateModel(
                    name="Queue",
                    fields=[
                        (
                            "id",
                            models.BigAutoField(
                                auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                            ),
                        ),
                        (
                            "vault",
                            models.ForeignKey(
                                on_delete=django.db.models.deletion.CASCADE, related_name="+", to="vaultadmin.vault"
                            ),
                        ),
                        ("name", models.CharField(max_length=40, verbose_name="Name")),
                        ("label", models.CharField(max_length=60, verbose_name="Label")),
                        ("description", models.CharField(blank=True, max_length=500, verbose_name="Description")),
                        (
                            "type",
                            models.CharField(
                                choices=[("inbound", "Inbound"), ("outbound", "Outbound"), ("job", "Job")],
                                max_length=16,
                                verbose_name="Queue Type",
                            ),
                        ),
                        ("is_active", models.BooleanField(default=True, verbose_name="Active")),
                        ("delivery_enabled", models.BooleanField(default=True, verbose_name="Delivery enabled")),
                        ("delivery_changed_at", models.DateTimeField(editable=False, null=True)),
                        ("processor", models.CharField(blank=True, max_length=64, verbose_name="Message Processor")),
                        (
                            "processor_user",
                            models.ForeignKey(
                                blank=True,
                                null=True,
                                on_delete=django.db.models.deletion.PROTECT,
                                related_name="+",
                                to="vaultadmin.membership",
                                verbose_name="Message Processor User",
                            ),
                        ),
                        (
                            "handler",
                            models.CharField(blank=True, max_length=64, verbose_name="Message Delivery Event Handler"),
                        ),
                        (
                            "handler_user",
                            models.ForeignKey(
                                blank=True,
                                null=True,
                                on_delete=django.db.models.deletion.PROTECT,
                                related_name="+",
                                to="vaultadmin.membership",
                                verbose_name="Message Delivery Event Handler User",
                            ),
                        ),
                        ("rollback_on_error", models.BooleanField(default=False, verbose_name="Rollback on Error")),
                        ("sequential", models.BooleanField(default=False, verbose_name="Sequential")),
                        ("creation_key", models.UUIDField(editable=False, null=True, unique=True)),
                        ("created_at", models.DateTimeField()),
                        ("modified_at", models.DateTimeField()),
                    ],
                    options={
                        "ordering": ["name", "pk"],
                        "indexes": [
                            models.Index(
                                models.F("vault"),
                                django.db.models.functions.text.Upper("name"),
                                models.F("id"),
                                name="queue_by_name",
                            )
                        ],
                        "constraints": [
                            models.UniqueConstraint(fields=("vault", "name"), name="queue_name_once_per_vault"),
                            models.UniqueConstraint(fields=("id", "vault"), name="queue_in_its_vault"),
                            models.CheckConstraint(
                                condition=models.Q(("name__regex", "^[a-z0-9]+(_+[a-z0-9]+)*__c$")),
                                name="queue_name_is_written_right",
                            ),
                            models.CheckConstraint(
                                condition=models.Q(("type__in", ["inbound", "outbound", "job"])),
                                name="queue_type_is_known",
                            ),
                            models.CheckConstraint(
                                condition=models.Q(
                                    models.Q(("type", "inbound"), models.Q(("processor", ""), _negated=True)),
                                    models.Q(
                                        models.Q(("type", "inbound"), _negated=True),
                                        ("processor", ""),
                                        ("processor_user__isnull", True),
                                    ),
                                    _connector="OR",
                                ),
                                name="queue_processor_is_for_inbound",
                            ),
                            models.CheckConstraint(
                                condition=models.Q(
                                    models.Q(("handler", ""), ("handler_user__isnull", True)),
                                    models.Q(
                                        ("handler_user__isnull", False),
                                        ("type", "outbound"),
                                        models.Q(("handler", ""), _negated=True),
                                    ),
                                    _connector="OR",
                                ),
                                name="queue_handler_has_its_user",
                            ),
                            models.CheckConstraint(
                                condition=models.Q(
                                    models.Q(("type", "inbound"), _negated=True),
                                    ("delivery_enabled", True),
                                    _connector="OR",
                                ),
                                name="queue_inbound_is_never_stopped",
                            ),
                        ],
                    },
                ),
                migrations.CreateModel(
                    name="QueueConnection",
                    fields=[
                        (
                            "id",
                            models.BigAutoField(
                                auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                            ),
                        ),
                        (
                            "vault",
                            models.ForeignKey(
                                on_delete=django.db.models.deletion.CASCADE, related_name="+", to="vaultadmin.vault"
                            ),
                        ),
                        (
                            "queue",
                            models.ForeignKey(
                                on_delete=django.db.models.deletion.CASCADE,
                                related_name="connections",
                                to="connections.queue",
                            ),
                        ),
                        (
                            "connection",
                            models.ForeignKey(
                                on_delete=django.db.models.deletion.PROTECT,
                                related_name="queue_connections",
                                to="connections.connection",
                            ),
                        ),
                        ("label", models.CharField(blank=True, max_length=60, verbose_name="Label")),
                        ("is_active", models.BooleanField(default=True, verbose_name="Active")),
                        (
                            "deliver_to_queue",
                            models.CharField(blank=True, max_length=40, verbose_name="Deliver to Queue"),
                        ),
                        ("created_at", models.DateTimeField()),
                        ("modified_at", models.DateTimeField()),
                    ],
                    options={
                        "verbose_name": "queue",
                        "verbose_name_plural": "queues",
                        "ordering": ["pk"],
                        "constraints": [
                            models.UniqueConstraint(
                                fields=("queue", "connection"), name="queue_connection_once_per_queue"
                            )
                        ],
                        "indexes": [],
                    },
                ),
                migrations.CreateModel(
                    name="QueueTally",
                    fields=[
                        (
                            "id",
                            models.BigAutoField(
                                auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                            ),
                        ),
                        (
                            "queue",
                            models.ForeignKey(
                                on_delete=django.db.models.deletion.CASCADE,
                                related_name="tallies",
                                to="connections.queue",
                            ),
                        ),
                        ("slot", models.PositiveSmallIntegerField()),
                        ("waiting", models.BigIntegerField(default=0)),
                    ],
                    options={
                        "constraints": [
                            models.UniqueConstraint(
                                models.F("queue"), models.F("slot"), name="queue_tally_once_per_slot"
                            )
                        ],
                        "indexes": [],
                    },
                ),
                migrations.CreateModel(
                    name="Lane",
                    fields=[
                        (
                            "link",
                            models.OneToOneField(
                                on_delete=django.db.models.deletion.CASCADE,
                                primary_key=True,
                                related_name="lane",
                                serialize=False,
                                to="connections.queueconnection",
                            ),
                        ),
                        ("stopped_since", models.DateTimeField(null=True)),
                        ("stood_still", models.DurationField(default=datetime.timedelta)),
                        ("taken_at", models.DateTimeField(null=True)),
                        ("lease_token", models.UUIDField(null=True)),
                        ("lease_until", models.DateTimeField(null=True)),
                        ("failures_in_row", models.PositiveIntegerField(default=0)),
                        ("paused_until", models.DateTimeField(null=True)),
                        (
                            "last_outcome",
                            models.CharField(
                                blank=True, choices=[("ok", "Delivered"), ("error", "Not delivered")], max_length=8
                            ),
                        ),
                        ("last_delivered_at", models.DateTimeField(null=True)),
                        ("last_error_at", models.DateTimeField(null=True)),
                        ("last_error_id", models.UUIDField(null=True)),
                        ("last_error", models.CharField(blank=True, max_length=255)),
                    ],
                    options={
                        "constraints": [
                            models.CheckConstraint(
                                condition=models.Q(("last_outcome__in", ["", "ok", "error"])),
                                name="lane_outcome_is_known",
                            )
                        ],
                        "indexes": [],
                    },
                ),
                migrations.CreateModel(
                    name="SparkMessage",
                    fields=[
                        (
                            "id",
                            models.BigAutoField(
                                auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                            ),
                        ),
                        (
                            "vault",
                            models.ForeignKey(
                                on_delete=django.db.models.deletion.CASCADE, related_name="+", to="vaultadmin.vault"
                            ),
                        ),
                        (
                            "queue",
                            models.ForeignKey(
                                on_delete=django.db.models.deletion.CASCADE,
                                related_name="messages",
                                to="connections.queue",
                            ),
                        ),
                        ("payload", models.TextField(blank=True)),
                        ("custom", models.JSONField(default=dict)),
                        ("has_tokens", models.BooleanField(default=False)),
                        (
                            "keys",
                            django.contrib.postgres.fields.ArrayField(
                                base_field=models.CharField(max_length=100), default=list, size=None
                            ),
                        ),
                        ("item_count", models.PositiveSmallIntegerField(default=0)),
                        ("is_receipt", models.BooleanField(default=False)),
                        ("execution_id", models.UUIDField()),
                        ("put_by", models.CharField(max_length=255)),
                        ("entered_at", models.DateTimeField()),
                        ("payload_removed_at", models.DateTimeField(null=True)),
                    ],
                    options={
                        "indexes": [
                            django.contrib.postgres.indexes.GinIndex(fields=["keys"], name="spark_message_by_key")
                        ],
                        "constraints": [],
                    },
                ),
                migrations.CreateModel(
                    name="MessageCopy",
                    fields=[
                        (
                            "id",
                            models.BigAutoField(
                                auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                            ),
                        ),
                        (
                            "vault",
                            models.ForeignKey(
                                on_delete=django.db.models.deletion.CASCADE, related_name="+", to="vaultadmin.vault"
                            ),
                        ),
                        (
                            "queue",
                            models.ForeignKey(
                                on_delete=django.db.models.deletion.CASCADE,
                                related_name="copies",
                                to="connections.queue",
                            ),
                        ),
                        (
                            "content",
                            models.ForeignKey(
                                on_delete=django.db.models.deletion.CASCADE,
                                related_name="copies",
                                to="connections.sparkmessage",
                            ),
                        ),
                        (
                            "connection",
                            models.ForeignKey(
                                null=True,
                                on_delete=django.db.models.deletion.SET_NULL,
                                related_name="message_copies",
                                to="connections.connection",
                            ),
                        ),
                        ("message_id", models.UUIDField(unique=True)),
                        ("path", models.CharField(blank=True, max_length=500)),
                        (
                            "state",
                            models.CharField(
                                choices=[
                                    ("waiting", "Waiting"),
                                    ("delivered", "Delivered"),
                                    ("failed", "Failed"),
                                    ("removed", "Removed"),
                                ],
                                default="waiting",
                                max_length=16,
                            ),
                        ),
                        ("entered_at", models.DateTimeField()),
                        ("stood_still_before", models.DurationField()),
                        ("due_at", models.DateTimeField(null=True)),
                        ("attempts", models.PositiveSmallIntegerField(default=0)),
                        ("crashes", models.PositiveSmallIntegerField(default=0)),
                        ("settled_at", models.DateTimeField(null=True)),
                        ("lease_token", models.UUIDField(null=True)),
                        ("lease_until", models.DateTimeField(null=True)),
                    ],
                    options={
                        "ordering": ["-pk"],
                        "indexes": [
                            models.Index(
                                condition=models.Q(("due_at__isnull", False)),
                                fields=["queue", "connection", "due_at", "id"],
                                name="copy_due_by_lane",
                            ),
                            models.Index(fields=["vault", "-id"], name="copy_by_vault"),
                            models.Index(fields=["queue", "-id"], name="copy_by_queue"),
                        ],
                        "constraints": [
                            models.CheckConstraint(
                                condition=models.Q(("state__in", ["waiting", "delivered", "failed", "removed"])),
                                name="copy_state_is_known",
                            ),
                            models.CheckConstraint(
                                condition=models.Q(
                                    models.Q(
                                        ("due_at__isnull", False), ("settled_at__isnull", True), ("state", "waiting")
                                    ),
                                    models.Q(
                                        models.Q(("state", "waiting"), _negated=True),
                                        ("due_at__isnull", True),
                                        ("settled_at__isnull", False),
                                    ),
                                    _connector="OR",
                                ),
                                name="copy_waits_or_is_settled",
                            ),
                        ],
                    },
                ),
                migrations.CreateModel(
                    name="DeliveryAttempt",
                    fields=[
                        (
                            "id",
                            models.BigAutoField(
                                auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                            ),
                        ),
                        (
                            "copy",
                            models.ForeignKey(
                                on_delete=django.db.models.deletion.CASCADE,
                                related_name="tries",
                                to="connections.messagecopy",
                            ),
                        ),
                        ("number", models.PositiveSmallIntegerField()),
                        ("execution_id", models.UUIDField()),
                        ("certificate_id", models.CharField(blank=True, max_length=5)),
                        ("url", models.CharField(blank=True, max_length=2600)),
                        ("started_at", models.DateTimeField()),
                        ("ended_at", models.DateTimeField(null=True)),
                        (
                            "outcome",
                            models.CharField(
                                choices=[
                                    ("started", "Outcome unknown"),
                                    ("delivered", "Delivered"),
                                    ("refused", "Not accepted"),
                                    ("timeout", "Timeout"),
                                    ("no_answer", "No answer"),
                                    ("not_sent", "Not sent"),
                                ],
                                default="started",
                                max_length=16,
                            ),
                        ),
                        ("status", models.PositiveSmallIntegerField(null=True)),
                        ("milliseconds", models.PositiveIntegerField(null=True)),
                        ("error", models.CharField(blank=True, max_length=255)),
                        ("answer", models.TextField(blank=True)),
                    ],
                    options={
                        "ordering": ["number"],
                        "constraints": [
                            models.UniqueConstraint(fields=("copy", "number"), name="attempt_number_once_per_copy"),
                            models.CheckConstraint(
                                condition=models.Q(
                                    (
                                        "outcome__in",
                                        ["started", "delivered", "refused", "timeout", "no_answer", "not_sent"],
                                    )
                                ),
                                name="delivery_attempt_outcome_is_known",
                            ),
                        ],
                        "indexes": [],
                    },
                ),
                migrations.CreateModel(
                    name="IncomingMessage",
                    fields=[
                        (
                            "id",
                            models.BigAutoField(
                                auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                            ),
                        ),
                        (
                            "vault",
                            models.ForeignKey(
                                on_delete=django.db.models.deletion.CASCADE, related_name="+", to="vaultadmin.vault"
                            ),
                        ),
                        (
                            "queue",
                            models.ForeignKey(
                                on_delete=django.db.models.deletion.CASCADE,
                                related_name="incoming",
                                to="connections.queue",
                            ),
                        ),
                        (
                            "connection",
                            models.ForeignKey(
                                null=True,
                                on_delete=django.db.models.deletion.SET_NULL,
                                related_name="incoming_messages",
                                to="connections.connection",
                            ),
                        ),
                        ("message_id", models.UUIDField()),
                        ("body", models.TextField(blank=True)),
                        (
                            "keys",
                            django.contrib.postgres.fields.ArrayField(
                                base_field=models.CharField(max_length=100), default=list, size=None
                            ),
                        ),
                        ("remote_vault_id", models.BigIntegerField(null=True)),
                        ("remote_queue_name", models.CharField(blank=True, max_length=128)),
                        ("certificate_id", models.CharField(blank=True, max_length=5)),
                        ("is_receipt", models.BooleanField(default=False)),
                        ("received_at", models.DateTimeField()),
                        (
                            "state",
                            models.CharField(
                                choices=[
                                    ("waiting", "Waiting"),
                                    ("processed", "Processed"),
                                    ("set_aside", "Set aside"),
                                    ("removed", "Removed"),
                                ],
                                default="waiting",
                                max_length=16,
                            ),
                        ),
                        ("due_at", models.DateTimeField(null=True)),
                        ("attempts", models.PositiveSmallIntegerField(default=0)),
                        ("crashes", models.PositiveSmallIntegerField(default=0)),
                        ("settled_at", models.DateTimeField(null=True)),
                        ("last_error", models.CharField(blank=True, max_length=255)),
                        ("lease_token", models.UUIDField(null=True)),
                        ("lease_until", models.DateTimeField(null=True)),
                        ("body_removed_at", models.DateTimeField(null=True)),
                    ],
                    options={
                        "ordering": ["-pk"],
                        "indexes": [
                            models.Index(
                                condition=models.Q(("due_at__isnull", False)),
                                fields=["queue", "due_at", "id"],
                                name="incoming_message_due",
                            ),
                            models.Index(fields=["vault", "-id"], name="incoming_by_vault"),
                            django.contrib.postgres.indexes.GinIndex(fields=["keys"], name="incoming_by_key"),
                        ],
                        "constraints": [
                            models.UniqueConstraint(
                                fields=("connection", "message_id"), name="incoming_message_once_per_connection"
                            ),
                            models.CheckConstraint(
                                condition=models.Q(("state__in", ["waiting", "processed", "set_aside", "removed"])),
                                name="incoming_state_is_known",
                            ),
                            models.CheckConstraint(
                                condition=models.Q(
                                    models.Q(
                                        ("due_at__isnull", False), ("settled_at__isnull", True), ("state", "waiting")
                                    ),
                                    models.Q(
                                        models.Q(("state", "waiting"), _negated=True),
                                        ("due_at__isnull", True),
                                        ("settled_at__isnull", False),
                                    ),
                                    _connector="OR",
                                ),
                                name="incoming_waits_or_is_settled",
                            ),
                        ],
                    },
                ),
            ],
        ),
    ]
