"""A member can lend their approvals to a colleague of the same vault for some days, whoever writes the row."""

import django.contrib.postgres.constraints
import django.contrib.postgres.fields.ranges
import django.db.models.deletion
from django.db import migrations, models

FORWARD = """
ALTER TABLE vaultadmin_delegation
    ADD CONSTRAINT delegation_from_same_vault FOREIGN KEY (from_member_id, vault_id)
        REFERENCES vaultadmin_membership (id, vault_id) DEFERRABLE INITIALLY DEFERRED,
    ADD CONSTRAINT delegation_to_same_vault FOREIGN KEY (to_member_id, vault_id)
        REFERENCES vaultadmin_membership (id, vault_id) DEFERRABLE INITIALLY DEFERRED;
ALTER TABLE vaultadmin_task
    ADD CONSTRAINT task_place_of_same_vault FOREIGN KEY (completed_for_id, vault_id)
        REFERENCES vaultadmin_membership (id, vault_id) DEFERRABLE INITIALLY DEFERRED;
"""
BACKWARD = """
ALTER TABLE vaultadmin_task DROP CONSTRAINT task_place_of_same_vault;
ALTER TABLE vaultadmin_delegation DROP CONSTRAINT delegation_from_same_vault, DROP CONSTRAINT delegation_to_same_vault;
"""


def _member(related_name="+", **options):
    return models.ForeignKey(
        on_delete=django.db.models.deletion.PROTECT,
        related_name=related_name,
        to="vaultadmin.membership",
        **options,
    )


class Migration(migrations.Migration):
    dependencies = [
        ("vaultadmin", "0012_assigned_tasks"),
    ]

    operations = [
        migrations.CreateModel(
            name="Delegation",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("starts", models.DateField(verbose_name="First day")),
                ("ends", models.DateField(verbose_name="Last day")),
                ("created_at", models.DateTimeField()),
                ("ended_at", models.DateTimeField(null=True, verbose_name="Ended early")),
                ("created_by", _member()),
                ("ended_by", _member(null=True)),
                ("from_member", _member("given", verbose_name="From")),
                ("to_member", _member("received", verbose_name="To")),
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
                        condition=models.Q(("ends__gte", models.F("starts"))), name="delegation_ends_after_it_starts"
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
        migrations.AddField(model_name="task", name="completed_for", field=_member(null=True)),
        migrations.AddConstraint(
            model_name="task",
            constraint=models.CheckConstraint(
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
        ),
        migrations.AlterField(
            model_name="notice",
            name="kind",
            field=models.CharField(
                choices=[
                    ("opened", "A task waits for you"),
                    ("assigned", "A task was assigned to you"),
                    ("decided", "Your request was decided"),
                    ("in_place", "A task was decided in your place"),
                    ("due_soon", "A task is about to lapse"),
                    ("closed", "Your request ended"),
                    ("told", "Told by an app"),
                ],
                max_length=16,
            ),
        ),
        migrations.RunSQL(FORWARD, BACKWARD),
    ]
