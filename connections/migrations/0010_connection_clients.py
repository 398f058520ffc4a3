"""Connection Clients, and the default one of every connection there is."""

import django.db.models.deletion
from django.db import migrations, models

# Composite, so that a client cannot speak for another vault's connection.
FORWARD = """
ALTER TABLE connections_connectionclient
    ADD CONSTRAINT connection_client_of_same_vault FOREIGN KEY (connection_id, vault_id)
        REFERENCES connections_connection (id, vault_id) DEFERRABLE INITIALLY DEFERRED;
INSERT INTO connections_connectionclient (vault_id, connection_id, name, client_id, status, created_at, modified_at)
    SELECT vault_id, id, 'Default', 'veeva-vault-' || api_name, 'active__v', now(), now()
    FROM connections_connection ORDER BY id;
-- The rows' checks on keys run now: a table with checks still to come cannot be altered.
SET CONSTRAINTS ALL IMMEDIATE;
SET CONSTRAINTS ALL DEFERRED;
"""
BACKWARD = "ALTER TABLE connections_connectionclient DROP CONSTRAINT connection_client_of_same_vault;"


class Migration(migrations.Migration):
    dependencies = [
        ("connections", "0009_clocks_of_peers"),
        ("vaultadmin", "0007_api_sessions_and_usage"),
    ]

    operations = [
        migrations.CreateModel(
            name="ConnectionClient",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("name", models.CharField(max_length=128, verbose_name="Name")),
                ("client_id", models.CharField(max_length=100, verbose_name="Client ID")),
                (
                    "status",
                    models.CharField(
                        choices=[("active__v", "Active"), ("inactive__v", "Inactive")],
                        default="active__v",
                        editable=False,
                        max_length=16,
                        verbose_name="Status",
                    ),
                ),
                ("created_at", models.DateTimeField()),
                ("modified_at", models.DateTimeField()),
                (
                    "connection",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="clients", to="connections.connection"
                    ),
                ),
                (
                    "vault",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="+", to="vaultadmin.vault"
                    ),
                ),
            ],
            options={
                "ordering": ["pk"],
                "constraints": [
                    models.UniqueConstraint(
                        condition=models.Q(("status", "active__v")),
                        fields=("vault", "client_id"),
                        name="connection_client_id_once_active_per_vault",
                    ),
                    models.UniqueConstraint(
                        fields=("connection", "client_id"), name="connection_client_id_once_per_connection"
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("client_id__regex", "^[A-Za-z0-9._-]{1,100}$")),
                        name="connection_client_id_is_written_right",
                    ),
                ],
            },
        ),
        migrations.RunSQL(FORWARD, BACKWARD),
    ]
