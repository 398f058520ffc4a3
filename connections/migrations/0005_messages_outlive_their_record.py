"""A message to a peer carries what sending it takes, so that a record's deletion is told after the record is gone."""

import django.db.models.deletion
from django.db import migrations, models

TYPES = [(name, name) for name in ("connect", "approve", "reject", "withdraw", "delete")]

FORWARD = """
UPDATE connections_outgoingpeermessage m SET
    vault_id = c.vault_id,
    exchange = b.exchange,
    peer_installation_id = b.peer_installation_id,
    peer_vault_id = b.peer_vault_id,
    peer_url = b.peer_url,
    peer_certificates = jsonb_build_object(b.peer_certificate_id, b.peer_certificate_pem),
    signing_certificate_id = c.signing_certificate_id
FROM connections_binding b JOIN connections_connection c ON c.id = b.connection_id
WHERE b.id = m.binding_id;
-- The rows' checks on keys run now: the columns are altered next.
SET CONSTRAINTS ALL IMMEDIATE;
SET CONSTRAINTS ALL DEFERRED;
"""


class Migration(migrations.Migration):
    dependencies = [
        ("vaultadmin", "0005_vault_settings"),
        ("connections", "0004_certificate_stages"),
    ]

    operations = [
        migrations.AlterField("outgoingpeermessage", "type", models.CharField(choices=TYPES, max_length=16)),
        migrations.AlterField("incomingpeermessage", "type", models.CharField(choices=TYPES, max_length=16)),
        migrations.AddField(
            "outgoingpeermessage",
            "vault",
            models.ForeignKey(
                null=True, on_delete=django.db.models.deletion.CASCADE, related_name="+", to="vaultadmin.vault"
            ),
        ),
        migrations.AddField("outgoingpeermessage", "exchange", models.UUIDField(null=True)),
        migrations.AddField("outgoingpeermessage", "peer_installation_id", models.UUIDField(null=True)),
        migrations.AddField("outgoingpeermessage", "peer_vault_id", models.BigIntegerField(null=True)),
        migrations.AddField("outgoingpeermessage", "peer_url", models.CharField(max_length=2000, null=True)),
        migrations.AddField("outgoingpeermessage", "peer_certificates", models.JSONField(null=True)),
        migrations.AddField(
            "outgoingpeermessage",
            "signing_certificate",
            models.ForeignKey(
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to="connections.signingcertificate",
            ),
        ),
        migrations.RunSQL(FORWARD, migrations.RunSQL.noop),
        migrations.AlterField(
            "outgoingpeermessage",
            "vault",
            models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name="+", to="vaultadmin.vault"),
        ),
        migrations.AlterField("outgoingpeermessage", "exchange", models.UUIDField()),
        migrations.AlterField("outgoingpeermessage", "peer_installation_id", models.UUIDField()),
        migrations.AlterField("outgoingpeermessage", "peer_vault_id", models.BigIntegerField()),
        migrations.AlterField("outgoingpeermessage", "peer_url", models.CharField(max_length=2000)),
        migrations.AlterField("outgoingpeermessage", "peer_certificates", models.JSONField()),
        migrations.AlterField(
            "outgoingpeermessage",
            "signing_certificate",
            models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT, related_name="+", to="connections.signingcertificate"
            ),
        ),
        migrations.AlterField(
            "outgoingpeermessage",
            "binding",
            models.ForeignKey(
                null=True,
                on_delete=django.db.models.deletion.SET_NULL,
                related_name="outgoing",
                to="connections.binding",
            ),
        ),
        migrations.RemoveIndex("outgoingpeermessage", "outgoing_order"),
        migrations.AddIndex(
            "outgoingpeermessage",
            models.Index(
                condition=models.Q(("settled_at__isnull", True)),
                fields=["vault", "exchange", "id"],
                name="outgoing_in_order",
            ),
        ),
    ]
