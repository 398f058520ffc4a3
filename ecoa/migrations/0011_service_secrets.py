"""Secrets of a system move to rows of their own, so that two can hold while a caller changes over.

Systems and studies get the vault whose people look after them.
"""

import django.contrib.postgres.fields
import django.db.models.deletion
from django.db import migrations, models

FORWARD = """
INSERT INTO ecoa_servicesecret (system_id, version, salt, digest, created_at)
SELECT id, secret_version, secret_salt, secret_digest, created_at FROM ecoa_servicesystem;
CREATE TRIGGER ecoa_service_changed AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE ON ecoa_servicesecret
    FOR EACH STATEMENT EXECUTE FUNCTION ecoa_service_changed();
"""

BACKWARD = """
DROP TRIGGER ecoa_service_changed ON ecoa_servicesecret;
UPDATE ecoa_servicesystem sy
SET secret_version = se.version, secret_salt = se.salt, secret_digest = se.digest
FROM (SELECT DISTINCT ON (system_id) * FROM ecoa_servicesecret ORDER BY system_id, version DESC) se
WHERE se.system_id = sy.id;
"""


class Migration(migrations.Migration):
    dependencies = [
        ("ecoa", "0010_schedules_pauses_and_call_shares"),
        ("vaultadmin", "0012_assigned_tasks"),
    ]

    operations = [
        migrations.AddField(
            model_name="servicestudy",
            name="vault",
            field=models.ForeignKey(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.CASCADE,
                related_name="service_studies",
                to="vaultadmin.vault",
            ),
        ),
        migrations.AddField(
            model_name="servicesystem",
            name="vault",
            field=models.ForeignKey(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.CASCADE,
                related_name="service_systems",
                to="vaultadmin.vault",
            ),
        ),
        migrations.AlterField(
            model_name="servicestudy",
            name="external_id",
            field=models.CharField(max_length=255, unique=True, verbose_name="Study ID"),
        ),
        migrations.AlterField(
            model_name="servicestudy",
            name="integration_enabled",
            field=models.BooleanField(default=True, verbose_name="Integration enabled"),
        ),
        migrations.AlterField(
            model_name="servicestudy",
            name="internal_id",
            field=models.CharField(max_length=255, unique=True, verbose_name="MyVeeva study ID"),
        ),
        migrations.AlterField(
            model_name="servicesystem",
            name="allowed_addresses",
            field=django.contrib.postgres.fields.ArrayField(
                base_field=models.CharField(max_length=49),
                blank=True,
                default=list,
                size=None,
                verbose_name="Allowed addresses",
            ),
        ),
        migrations.AlterField(
            model_name="servicesystem",
            name="external_id",
            field=models.CharField(max_length=255, unique=True, verbose_name="External system ID"),
        ),
        migrations.AlterField(
            model_name="servicesystem",
            name="integration_enabled",
            field=models.BooleanField(default=True, verbose_name="Integration enabled"),
        ),
        migrations.CreateModel(
            name="ServiceSecret",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("version", models.PositiveIntegerField()),
                ("salt", models.BinaryField(max_length=16)),
                ("digest", models.BinaryField(max_length=32)),
                ("created_at", models.DateTimeField()),
                ("ends_at", models.DateTimeField(blank=True, null=True, verbose_name="Ends")),
                ("revoked_at", models.DateTimeField(blank=True, null=True, verbose_name="Revoked")),
                (
                    "system",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="secrets", to="ecoa.servicesystem"
                    ),
                ),
            ],
            options={
                "constraints": [models.UniqueConstraint(fields=("system", "version"), name="ecoa_service_secret_once")],
            },
        ),
        # Null on the way, so that going back can add the columns before it fills them.
        migrations.AlterField(
            model_name="servicesystem",
            name="secret_salt",
            field=models.BinaryField(max_length=16, null=True),
        ),
        migrations.AlterField(
            model_name="servicesystem",
            name="secret_digest",
            field=models.BinaryField(max_length=32, null=True),
        ),
        migrations.AlterField(
            model_name="servicesystem",
            name="secret_version",
            field=models.PositiveIntegerField(default=1, null=True),
        ),
        migrations.RunSQL(FORWARD, BACKWARD),
        migrations.RemoveField(model_name="servicesystem", name="secret_salt"),
        migrations.RemoveField(model_name="servicesystem", name="secret_digest"),
        migrations.RemoveField(model_name="servicesystem", name="secret_version"),
    ]
