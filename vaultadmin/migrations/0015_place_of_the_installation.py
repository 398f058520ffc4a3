"""Where the installation lives, so that a copy is told from the original."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("vaultadmin", "0014_audit_rows_in_bulk"),
    ]

    operations = [
        migrations.AddField(
            model_name="installation",
            name="place",
            field=models.JSONField(
                db_default={},
                default=dict,
                editable=False,
                help_text="Marks of where it lives (vaultadmin.place), as last recorded or confirmed by a person.",
            ),
        ),
    ]
