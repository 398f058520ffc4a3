"""Sources with names, chosen columns of files, answers kept for pushes, moves between sites, and runs that queue."""

import django.db.models.deletion
import django_fsm
from django.db import migrations, models

# Uploaded bytes are read once or twice and dropped: compressing them costs more than their place.
PLAIN = "ALTER TABLE ecoa_filechunk ALTER COLUMN data SET STORAGE EXTERNAL"
COMPRESSED = "ALTER TABLE ecoa_filechunk ALTER COLUMN data SET STORAGE EXTENDED"

BOUNDS = """
ALTER TABLE ecoa_columnmapping
    ADD CONSTRAINT column_mapping_study_of_same_vault FOREIGN KEY (mapping_id, vault_id)
        REFERENCES ecoa_studymapping (id, vault_id) DEFERRABLE INITIALLY DEFERRED;
ALTER TABLE ecoa_sitetransfer
    ADD CONSTRAINT site_transfer_from_site_of_same_vault FOREIGN KEY (from_site_id, vault_id)
        REFERENCES ecoa_site (id, vault_id) DEFERRABLE INITIALLY DEFERRED,
    ADD CONSTRAINT site_transfer_to_site_of_same_vault FOREIGN KEY (to_site_id, vault_id)
        REFERENCES ecoa_site (id, vault_id) DEFERRABLE INITIALLY DEFERRED;
"""
NO_BOUNDS = """
ALTER TABLE ecoa_sitetransfer
    DROP CONSTRAINT site_transfer_to_site_of_same_vault, DROP CONSTRAINT site_transfer_from_site_of_same_vault;
ALTER TABLE ecoa_columnmapping DROP CONSTRAINT column_mapping_study_of_same_vault;
"""


class Migration(migrations.Migration):
    dependencies = [
        ("ecoa", "0014_corrections"),
        ("vaultadmin", "0014_audit_rows_in_bulk"),
    ]

    operations = [
        migrations.CreateModel(
            name="ColumnMapping",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("name", models.CharField(max_length=128, verbose_name="name")),
                ("heading", models.JSONField(verbose_name="first row")),
                ("heading_key", models.CharField(editable=False, max_length=64)),
                ("site", models.SmallIntegerField(verbose_name="site")),
                ("participant_id", models.SmallIntegerField(verbose_name="participant ID")),
                ("internal_id", models.SmallIntegerField(verbose_name="internal ID")),
                ("created_at", models.DateTimeField()),
            ],
            options={
                "ordering": ["mapping__name", "name", "pk"],
            },
        ),
        migrations.CreateModel(
            name="FileChunk",
            fields=[
                (
                    "pk",
                    models.CompositePrimaryKey(
                        "file_id", "number", blank=True, editable=False, primary_key=True, serialize=False
                    ),
                ),
                (
                    "file",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="chunks",
                        to="ecoa.fileimport",
                    ),
                ),
                ("number", models.IntegerField()),
                ("data", models.BinaryField()),
            ],
        ),
        migrations.CreateModel(
            name="PushReceipt",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("key", models.CharField(db_collation="C", max_length=255)),
                ("fingerprint", models.CharField(max_length=64)),
                ("answer", models.TextField()),
                ("created_at", models.DateTimeField(db_index=True)),
            ],
        ),
        migrations.CreateModel(
            name="SiteTransfer",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("reason", models.CharField(max_length=500)),
                ("mover_label", models.CharField(max_length=255)),
                ("moved_at", models.DateTimeField()),
                ("version", models.IntegerField()),
                ("my_id_before", models.CharField(blank=True, max_length=255)),
            ],
            options={
                "ordering": ["-id"],
            },
        ),
        migrations.AddField(
            model_name="fileimport",
            name="columns",
            field=models.JSONField(null=True),
        ),
        migrations.AddField(
            model_name="fileimport",
            name="heading",
            field=models.JSONField(db_default=[], default=list),
        ),
        migrations.AddField(
            model_name="fileimport",
            name="sample",
            field=models.JSONField(db_default=[], default=list),
        ),
        migrations.AddField(
            model_name="participant",
            name="source_name",
            field=models.CharField(blank=True, db_default="", default="", max_length=255, verbose_name="named"),
        ),
        migrations.AlterField(
            model_name="fileimport",
            name="state",
            field=models.CharField(
                choices=[
                    ("mapping", "Columns to be chosen"),
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
        migrations.AlterField(
            model_name="participant",
            name="source",
            field=models.CharField(default="file", max_length=16, verbose_name="source"),
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
                    ("arrived", "What arrived or changed"),
                ],
                max_length=16,
            ),
        ),
        migrations.AlterField(
            model_name="syncrun",
            name="state",
            field=django_fsm.FSMField(
                choices=[
                    ("queued", "Queued"),
                    ("planned", "Planned"),
                    ("running", "Running"),
                    ("paused", "Paused"),
                    ("finished", "Finished"),
                    ("cancelled", "Cancelled"),
                ],
                default="planned",
                max_length=50,
                protected=True,
            ),
        ),
        migrations.AddConstraint(
            model_name="syncrun",
            constraint=models.UniqueConstraint(
                condition=models.Q(("state", "queued")), fields=("mapping",), name="sync_run_one_queued"
            ),
        ),
        migrations.AddField(
            model_name="columnmapping",
            name="mapping",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.CASCADE,
                related_name="column_mappings",
                to="ecoa.studymapping",
                verbose_name="study",
            ),
        ),
        migrations.AddField(
            model_name="columnmapping",
            name="vault",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.CASCADE, related_name="+", to="vaultadmin.vault"
            ),
        ),
        migrations.AddField(
            model_name="fileimport",
            name="columns_from",
            field=models.ForeignKey(
                null=True,
                on_delete=django.db.models.deletion.SET_NULL,
                related_name="+",
                to="ecoa.columnmapping",
                verbose_name="saved columns",
            ),
        ),
        migrations.AddField(
            model_name="pushreceipt",
            name="member",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.CASCADE, related_name="+", to="vaultadmin.membership"
            ),
        ),
        migrations.AddField(
            model_name="pushreceipt",
            name="vault",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.CASCADE, related_name="+", to="vaultadmin.vault"
            ),
        ),
        migrations.AddField(
            model_name="sitetransfer",
            name="from_site",
            field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name="+", to="ecoa.site"),
        ),
        migrations.AddField(
            model_name="sitetransfer",
            name="participant",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.CASCADE, related_name="transfers", to="ecoa.participant"
            ),
        ),
        migrations.AddField(
            model_name="sitetransfer",
            name="to_site",
            field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name="+", to="ecoa.site"),
        ),
        migrations.AddField(
            model_name="sitetransfer",
            name="vault",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.CASCADE, related_name="+", to="vaultadmin.vault"
            ),
        ),
        migrations.AddConstraint(
            model_name="columnmapping",
            constraint=models.UniqueConstraint(fields=("mapping", "name"), name="column_mapping_name_once"),
        ),
        migrations.AddConstraint(
            model_name="columnmapping",
            constraint=models.UniqueConstraint(fields=("mapping", "heading_key"), name="column_mapping_heading_once"),
        ),
        migrations.AddConstraint(
            model_name="pushreceipt",
            constraint=models.UniqueConstraint(fields=("vault", "member", "key"), name="push_receipt_key_once"),
        ),
        migrations.RunSQL(PLAIN, COMPRESSED),
        migrations.RunSQL(BOUNDS, NO_BOUNDS),
    ]
