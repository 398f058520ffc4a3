"""What is fixed when an exchange begins, and what was agreed and signed. Exchanges that run get their terms, too."""

from datetime import timedelta

import django.db.models.deletion
import django_fsm
from django.db import migrations, models


def give_terms(apps, schema_editor):
    from connections import six_words
    from connections.peering.messages import Party

    installation = apps.get_model("vaultadmin", "Installation").objects.first()
    rows = apps.get_model("connections", "Binding").objects.filter(state__in=["proposed", "approving"])
    for binding in rows.select_related("connection", "own_certificate"):
        ours = six_words.End(Party(installation.pk, binding.connection.vault_id), binding.own_certificate.pem)
        peer = Party(binding.peer_installation_id, binding.peer_vault_id)
        theirs = six_words.End(peer, binding.peer_certificate_pem)
        binding.six_words = six_words.phrase(ours, theirs, file_sha256=binding.file_sha256)
        binding.lapses_at = binding.requested_at + timedelta(days=14)
        binding.save(update_fields=["six_words", "lapses_at"])


class Migration(migrations.Migration):
    dependencies = [
        ("connections", "0011_certificate_message"),
        ("vaultadmin", "0009_signatures"),
    ]

    operations = [
        migrations.AddField(
            model_name="binding",
            name="agreed",
            field=models.JSONField(editable=False, help_text="The plan in force since it was established.", null=True),
        ),
        migrations.AddField(
            model_name="binding",
            name="lapses_at",
            field=models.DateTimeField(null=True, verbose_name="Lapses"),
        ),
        migrations.AddField(
            model_name="binding",
            name="local_signature",
            field=models.OneToOneField(
                null=True, on_delete=django.db.models.deletion.PROTECT, related_name="+", to="vaultadmin.signature"
            ),
        ),
        migrations.AddField(
            model_name="binding",
            name="remote_meaning",
            field=models.CharField(blank=True, max_length=255),
        ),
        migrations.AddField(
            model_name="binding",
            name="remote_method",
            field=models.CharField(blank=True, max_length=32),
        ),
        migrations.AddField(
            model_name="binding",
            name="six_words",
            field=models.CharField(blank=True, max_length=96, verbose_name="Six words"),
        ),
        migrations.AddField(
            model_name="binding",
            name="words_compared",
            field=models.BooleanField(default=False, verbose_name="Six words compared"),
        ),
        migrations.AlterField(
            model_name="binding",
            name="state",
            field=django_fsm.FSMField(
                choices=[
                    ("proposed", "Waiting for the other Vault"),
                    ("approving", "Waiting for approval"),
                    ("in_force", "In force"),
                    ("refused", "Refused by the other Vault"),
                    ("rejected", "Rejected"),
                    ("withdrawn", "Withdrawn"),
                    ("lapsed", "Lapsed"),
                    ("ended", "Ended"),
                ],
                max_length=16,
                protected=True,
            ),
        ),
        migrations.AddIndex(
            model_name="binding",
            index=models.Index(
                condition=models.Q(("state__in", ("proposed", "approving"))),
                fields=["lapses_at"],
                name="binding_lapses",
            ),
        ),
        migrations.RunPython(give_terms, migrations.RunPython.noop),
    ]
