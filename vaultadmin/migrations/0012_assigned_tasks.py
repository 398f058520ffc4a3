"""A task can be given to a named person of its vault, whoever writes the row."""

import django.db.models.deletion
from django.db import migrations, models

FORWARD = """
ALTER TABLE vaultadmin_task
    ADD CONSTRAINT task_assignee_of_same_vault FOREIGN KEY (assigned_to_id, vault_id)
        REFERENCES vaultadmin_membership (id, vault_id) DEFERRABLE INITIALLY DEFERRED;
"""
BACKWARD = "ALTER TABLE vaultadmin_task DROP CONSTRAINT task_assignee_of_same_vault;"


class Migration(migrations.Migration):
    dependencies = [
        ("vaultadmin", "0011_notices_of_apps"),
    ]

    operations = [
        migrations.RemoveConstraint(
            model_name="task",
            name="task_one_open_per_subject",
        ),
        migrations.AddField(
            model_name="task",
            name="assigned_to",
            field=models.ForeignKey(
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="assigned_tasks",
                to="vaultadmin.membership",
            ),
        ),
        migrations.AlterField(
            model_name="notice",
            name="kind",
            field=models.CharField(
                choices=[
                    ("opened", "A task waits for you"),
                    ("assigned", "A task was assigned to you"),
                    ("decided", "Your request was decided"),
                    ("due_soon", "A task is about to lapse"),
                    ("closed", "Your request ended"),
                    ("told", "Told by an app"),
                ],
                max_length=16,
            ),
        ),
        migrations.AlterField(
            model_name="task",
            name="status",
            field=models.CharField(
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
        migrations.AddConstraint(
            model_name="membership",
            constraint=models.UniqueConstraint(fields=("id", "vault"), name="membership_of_one_vault"),
        ),
        migrations.AddConstraint(
            model_name="task",
            constraint=models.UniqueConstraint(
                condition=models.Q(("status__in", ("available__v", "assigned__v"))),
                fields=("vault", "kind", "subject_type", "subject_id"),
                name="task_one_open_per_subject",
            ),
        ),
        migrations.AddConstraint(
            model_name="task",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("assigned_to__isnull", True), ("status", "available__v")),
                    models.Q(("assigned_to__isnull", False), ("status", "assigned__v")),
                    models.Q(("status__in", ("available__v", "assigned__v")), _negated=True),
                    _connector="OR",
                ),
                name="task_assigned_to_somebody",
            ),
        ),
        migrations.RunSQL(FORWARD, BACKWARD),
    ]
