"""Corrections of participant IDs, from the question to the proof; and who needs somebody, by index."""

import django.db.models.deletion
import django_fsm
from django.db import migrations, models

BOUNDS = """
ALTER TABLE ecoa_correction
    ADD CONSTRAINT correction_study_of_same_vault FOREIGN KEY (mapping_id, vault_id)
        REFERENCES ecoa_studymapping (id, vault_id) DEFERRABLE INITIALLY DEFERRED;
"""

NO_BOUNDS = "ALTER TABLE ecoa_correction DROP CONSTRAINT correction_study_of_same_vault;"


class Migration(migrations.Migration):
    dependencies = [
        ("ecoa", "0013_newest_service_participants"),
        ("vaultadmin", "0011_notices_of_apps"),
    ]

    operations = [
        migrations.CreateModel(
            name="Correction",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("old_value", models.CharField(max_length=255, verbose_name="participant ID before")),
                ("new_value", models.CharField(db_collation="C", max_length=255, verbose_name="new participant ID")),
                ("reason", models.CharField(max_length=500, verbose_name="reason")),
                (
                    "state",
                    django_fsm.FSMField(
                        choices=[
                            ("asked", "Waits for the study team"),
                            ("signed", "Signed, on its way"),
                            ("confirmed", "In eCOA"),
                            ("not_accepted", "Not accepted by eCOA"),
                            ("overtaken", "Overtaken by the source"),
                            ("rejected", "Rejected"),
                            ("withdrawn", "Withdrawn"),
                        ],
                        default="asked",
                        max_length=50,
                        protected=True,
                        verbose_name="state",
                    ),
                ),
                ("asked_at", models.DateTimeField()),
                ("decided_at", models.DateTimeField(null=True)),
                ("comment", models.CharField(blank=True, max_length=2000, verbose_name="comment")),
                ("version", models.IntegerField(null=True)),
                ("push_at", models.DateTimeField(null=True)),
                ("pushes", models.PositiveSmallIntegerField(default=0)),
                ("ended_at", models.DateTimeField(null=True)),
            ],
            options={
                "ordering": ["-id"],
            },
            bases=(django_fsm.ConcurrentTransitionMixin, models.Model),
        ),
        migrations.AlterField(
            model_name="syncrun",
            name="scope",
            field=models.CharField(
                choices=[
                    ("incremental", "What changed or is not in eCOA yet"),
                    ("all", "Everything"),
                    ("chosen", "Chosen participants"),
                    ("file", "Participants of one file"),
                    ("retry", "What an earlier run could not bring over"),
                    ("doubt", "What is not known yet: eCOA is asked"),
                    ("correction", "Signed corrections, each read back"),
                ],
                max_length=16,
            ),
        ),
        migrations.AddIndex(
            model_name="participant",
            index=models.Index(
                condition=models.Q(("code", ""), _negated=True),
                fields=["site", "code", "participant_id"],
                name="participant_by_code",
            ),
        ),
        migrations.AddField(
            model_name="correction",
            name="asked_by",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT, related_name="+", to="vaultadmin.membership"
            ),
        ),
        migrations.AddField(
            model_name="correction",
            name="decided_by",
            field=models.ForeignKey(
                null=True, on_delete=django.db.models.deletion.PROTECT, related_name="+", to="vaultadmin.membership"
            ),
        ),
        migrations.AddField(
            model_name="correction",
            name="evidence",
            field=models.ForeignKey(
                null=True, on_delete=django.db.models.deletion.SET_NULL, related_name="+", to="ecoa.attempt"
            ),
        ),
        migrations.AddField(
            model_name="correction",
            name="mapping",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT, related_name="+", to="ecoa.studymapping"
            ),
        ),
        migrations.AddField(
            model_name="correction",
            name="participant",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.CASCADE, related_name="corrections", to="ecoa.participant"
            ),
        ),
        migrations.AddField(
            model_name="correction",
            name="run",
            field=models.ForeignKey(
                null=True, on_delete=django.db.models.deletion.SET_NULL, related_name="+", to="ecoa.syncrun"
            ),
        ),
        migrations.AddField(
            model_name="correction",
            name="signature",
            field=models.OneToOneField(
                null=True, on_delete=django.db.models.deletion.PROTECT, related_name="+", to="vaultadmin.signature"
            ),
        ),
        migrations.AddField(
            model_name="correction",
            name="vault",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.CASCADE, related_name="+", to="vaultadmin.vault"
            ),
        ),
        migrations.AddIndex(
            model_name="correction",
            index=models.Index(
                condition=models.Q(("state", "signed")), fields=["push_at"], name="correction_on_its_way"
            ),
        ),
        migrations.AddConstraint(
            model_name="correction",
            constraint=models.UniqueConstraint(
                condition=models.Q(("state__in", ["asked", "signed"])),
                fields=("participant",),
                name="correction_one_open",
            ),
        ),
        migrations.AddConstraint(
            model_name="correction",
            constraint=models.UniqueConstraint(
                condition=models.Q(("state__in", ["asked", "signed"])),
                fields=("mapping", "new_value"),
                name="correction_new_id_once",
            ),
        ),
        migrations.AddConstraint(
            model_name="correction",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(
                        ("decided_by__isnull", True), ("signature__isnull", True), ("state__in", ["asked", "withdrawn"])
                    ),
                    models.Q(
                        ("decided_at__isnull", False), ("decided_by__isnull", False), ("signature__isnull", False)
                    ),
                    _connector="OR",
                ),
                name="correction_decision_signed",
            ),
        ),
        migrations.AddConstraint(
            model_name="correction",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("ended_at__isnull", True), ("state__in", ["asked", "signed"])),
                    models.Q(models.Q(("state__in", ["asked", "signed"]), _negated=True), ("ended_at__isnull", False)),
                    _connector="OR",
                ),
                name="correction_end_dated",
            ),
        ),
        migrations.RunSQL(BOUNDS, NO_BOUNDS),
    ]
