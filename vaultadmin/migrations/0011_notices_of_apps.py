"""Mail from apps: a notice is of a task, or of a topic in a vault."""

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("vaultadmin", "0010_notices"),
    ]

    operations = [
        migrations.AddField(
            model_name="notice",
            name="data",
            field=models.JSONField(db_default={}, default=dict),
        ),
        migrations.AddField(
            model_name="notice",
            name="subject",
            field=models.CharField(blank=True, db_default="", max_length=64),
        ),
        migrations.AddField(
            model_name="notice",
            name="topic",
            field=models.CharField(blank=True, db_default="", max_length=32),
        ),
        migrations.AddField(
            model_name="notice",
            name="vault",
            field=models.ForeignKey(
                null=True, on_delete=django.db.models.deletion.CASCADE, related_name="+", to="vaultadmin.vault"
            ),
        ),
        migrations.AlterField(
            model_name="notice",
            name="kind",
            field=models.CharField(
                choices=[
                    ("opened", "A task waits for you"),
                    ("decided", "Your request was decided"),
                    ("due_soon", "A task is about to lapse"),
                    ("closed", "Your request ended"),
                    ("told", "Told by an app"),
                ],
                max_length=16,
            ),
        ),
        migrations.AlterField(
            model_name="notice",
            name="task",
            field=models.ForeignKey(
                null=True, on_delete=django.db.models.deletion.CASCADE, related_name="notices", to="vaultadmin.task"
            ),
        ),
        migrations.AddConstraint(
            model_name="notice",
            constraint=models.UniqueConstraint(
                condition=models.Q(("topic", ""), _negated=True),
                fields=("user", "vault", "topic", "subject"),
                name="notice_once_per_person_and_subject",
            ),
        ),
        migrations.AddConstraint(
            model_name="notice",
            constraint=models.CheckConstraint(
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
        ),
    ]
