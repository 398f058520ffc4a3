"""Stages of signing certificates, and what each side of a binding knows of the other's certificates."""

import django.core.validators
import django.db.models.deletion
import django_fsm
from django.db import migrations, models

# Every certificate so far was the only one: the newest is active, and what was signed was signed with the record's.
_FILL = """
UPDATE connections_signingcertificate SET stage = 'retired', retired_at = now(), retired_reason = 'Replaced.'
    WHERE certificate_id <> (SELECT max(certificate_id) FROM connections_signingcertificate);
UPDATE connections_signingcertificate SET stage = 'active' WHERE stage IS NULL;
UPDATE connections_signingcertificate
    SET published_at = created_at, test_at = created_at, release_at = created_at, final_at = created_at;
UPDATE connections_binding SET own_certificate_id = connection.signing_certificate_id
    FROM connections_connection connection WHERE connection.id = connections_binding.connection_id;
UPDATE connections_issuedfile SET certificate_id = connection.signing_certificate_id
    FROM connections_connection connection WHERE connection.id = connections_issuedfile.connection_id;
-- Deferred checks of the rows above are done now: a table with checks still to come cannot be altered.
SET CONSTRAINTS ALL IMMEDIATE;
SET CONSTRAINTS ALL DEFERRED;
"""


class Migration(migrations.Migration):
    dependencies = [
        ("connections", "0003_data_of_connections"),
        ("vaultadmin", "0005_vault_settings"),
    ]

    operations = [
        migrations.CreateModel(
            name="CertificateAnnouncement",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("message_id", models.UUIDField(editable=False, unique=True)),
                ("posted_at", models.DateTimeField()),
                ("answered_at", models.DateTimeField(null=True)),
                ("accepted", models.BooleanField(null=True)),
            ],
            options={
                "ordering": ["pk"],
            },
        ),
        migrations.CreateModel(
            name="PeerCertificate",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "certificate_id",
                    models.CharField(
                        max_length=5,
                        validators=[
                            django.core.validators.RegexValidator("\\A[0-9]{5}\\Z", "A certificate ID has five digits.")
                        ],
                        verbose_name="Certificate ID",
                    ),
                ),
                ("pem", models.TextField()),
                ("fingerprint", models.CharField(max_length=64, verbose_name="Fingerprint")),
                ("not_before", models.DateTimeField(verbose_name="Valid from")),
                ("not_after", models.DateTimeField(verbose_name="Valid until")),
                ("in_use_from", models.DateTimeField(verbose_name="In use from")),
                ("added_at", models.DateTimeField(verbose_name="Added")),
                ("retired_at", models.DateTimeField(null=True, verbose_name="Retired")),
            ],
            options={
                "ordering": ["added_at", "pk"],
            },
        ),
        migrations.AddField(
            model_name="binding",
            name="own_certificate",
            field=models.ForeignKey(
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to="connections.signingcertificate",
            ),
        ),
        migrations.AddField(
            model_name="connection",
            name="signing_certificate_chosen_at",
            field=models.DateTimeField(editable=False, null=True),
        ),
        migrations.AddField(
            model_name="issuedfile",
            name="certificate",
            field=models.ForeignKey(
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to="connections.signingcertificate",
            ),
        ),
        migrations.AddField(
            model_name="signingcertificate",
            name="final_at",
            field=models.DateTimeField(null=True, verbose_name="Rollover ends"),
        ),
        migrations.AddField(
            model_name="signingcertificate",
            name="published_at",
            field=models.DateTimeField(null=True, verbose_name="Published"),
        ),
        migrations.AddField(
            model_name="signingcertificate",
            name="release_at",
            field=models.DateTimeField(null=True, verbose_name="Rollover begins"),
        ),
        migrations.AddField(
            model_name="signingcertificate",
            name="retired_at",
            field=models.DateTimeField(null=True, verbose_name="Retired"),
        ),
        migrations.AddField(
            model_name="signingcertificate",
            name="retired_reason",
            field=models.CharField(blank=True, max_length=255, verbose_name="Why retired"),
        ),
        migrations.AddField(
            model_name="signingcertificate",
            name="stage",
            field=django_fsm.FSMField(
                choices=[
                    ("published", "Published"),
                    ("test", "Test"),
                    ("rollover", "Rollover"),
                    ("active", "Active"),
                    ("retired", "Retired"),
                ],
                max_length=16,
                null=True,
                protected=True,
                verbose_name="Stage",
            ),
        ),
        migrations.AddField(
            model_name="signingcertificate",
            name="test_at",
            field=models.DateTimeField(null=True, verbose_name="Test begins"),
        ),
        migrations.AlterField(
            model_name="signingcertificate",
            name="certificate_id",
            field=models.CharField(
                max_length=5,
                unique=True,
                validators=[
                    django.core.validators.RegexValidator("\\A[0-9]{5}\\Z", "A certificate ID has five digits.")
                ],
                verbose_name="Certificate ID",
            ),
        ),
        migrations.AlterField(
            model_name="signingcertificate",
            name="fingerprint",
            field=models.CharField(max_length=64, unique=True, verbose_name="Fingerprint"),
        ),
        migrations.AlterField(
            model_name="signingcertificate",
            name="not_after",
            field=models.DateTimeField(verbose_name="Valid until"),
        ),
        migrations.AlterField(
            model_name="signingcertificate",
            name="not_before",
            field=models.DateTimeField(verbose_name="Valid from"),
        ),
        migrations.AlterField(
            model_name="signingcertificate",
            name="private_key",
            field=models.OneToOneField(
                null=True, on_delete=django.db.models.deletion.PROTECT, related_name="+", to="vaultadmin.secret"
            ),
        ),
        migrations.RunSQL(_FILL, migrations.RunSQL.noop),
        migrations.AlterField(
            model_name="binding",
            name="own_certificate",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT, related_name="+", to="connections.signingcertificate"
            ),
        ),
        migrations.AlterField(
            model_name="issuedfile",
            name="certificate",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT, related_name="+", to="connections.signingcertificate"
            ),
        ),
        migrations.AlterField(
            model_name="signingcertificate",
            name="published_at",
            field=models.DateTimeField(verbose_name="Published"),
        ),
        migrations.AlterField(
            model_name="signingcertificate",
            name="test_at",
            field=models.DateTimeField(verbose_name="Test begins"),
        ),
        migrations.AlterField(
            model_name="signingcertificate",
            name="release_at",
            field=models.DateTimeField(verbose_name="Rollover begins"),
        ),
        migrations.AlterField(
            model_name="signingcertificate",
            name="final_at",
            field=models.DateTimeField(verbose_name="Rollover ends"),
        ),
        migrations.AlterField(
            model_name="signingcertificate",
            name="stage",
            field=django_fsm.FSMField(
                choices=[
                    ("published", "Published"),
                    ("test", "Test"),
                    ("rollover", "Rollover"),
                    ("active", "Active"),
                    ("retired", "Retired"),
                ],
                max_length=16,
                protected=True,
                verbose_name="Stage",
            ),
        ),
        migrations.AddConstraint(
            model_name="signingcertificate",
            constraint=models.UniqueConstraint(
                condition=models.Q(("stage", "active")), fields=("stage",), name="certificate_one_active"
            ),
        ),
        migrations.AddConstraint(
            model_name="signingcertificate",
            constraint=models.UniqueConstraint(
                models.Value(1),
                condition=models.Q(("stage__in", ("published", "test", "rollover"))),
                name="certificate_one_on_its_way",
            ),
        ),
        migrations.AddConstraint(
            model_name="signingcertificate",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("published_at__lte", models.F("test_at")),
                    ("release_at__lte", models.F("final_at")),
                    ("test_at__lte", models.F("release_at")),
                ),
                name="certificate_stages_in_order",
            ),
        ),
        migrations.AddConstraint(
            model_name="signingcertificate",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(
                        ("retired_at__isnull", False),
                        ("stage", "retired"),
                        models.Q(("retired_reason", ""), _negated=True),
                    ),
                    models.Q(
                        models.Q(("stage", "retired"), _negated=True),
                        ("retired_at__isnull", True),
                        ("retired_reason", ""),
                    ),
                    _connector="OR",
                ),
                name="certificate_retirement_has_a_time_and_a_reason",
            ),
        ),
        migrations.AddConstraint(
            model_name="signingcertificate",
            constraint=models.CheckConstraint(
                condition=models.Q(("stage", "retired"), ("private_key__isnull", False), _connector="OR"),
                name="certificate_in_use_has_its_key",
            ),
        ),
        migrations.AddField(
            model_name="certificateannouncement",
            name="binding",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.CASCADE, related_name="announcements", to="connections.binding"
            ),
        ),
        migrations.AddField(
            model_name="certificateannouncement",
            name="certificate",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT,
                related_name="announcements",
                to="connections.signingcertificate",
            ),
        ),
        migrations.AddField(
            model_name="certificateannouncement",
            name="retires",
            field=models.ForeignKey(
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to="connections.signingcertificate",
            ),
        ),
        migrations.AddField(
            model_name="peercertificate",
            name="binding",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.CASCADE, related_name="peer_certificates", to="connections.binding"
            ),
        ),
        migrations.AddConstraint(
            model_name="certificateannouncement",
            constraint=models.UniqueConstraint(
                condition=models.Q(("retires__isnull", True)),
                fields=("binding", "certificate"),
                name="announcement_once_per_certificate",
            ),
        ),
        migrations.AddConstraint(
            model_name="certificateannouncement",
            constraint=models.UniqueConstraint(
                condition=models.Q(("retires__isnull", False)),
                fields=("binding", "certificate", "retires"),
                name="announcement_once_per_retirement",
            ),
        ),
        migrations.AddConstraint(
            model_name="certificateannouncement",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("accepted__isnull", True), ("answered_at__isnull", True)),
                    models.Q(("accepted__isnull", False), ("answered_at__isnull", False)),
                    _connector="OR",
                ),
                name="announcement_answer_has_a_time",
            ),
        ),
        migrations.AddConstraint(
            model_name="certificateannouncement",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("retires__isnull", True),
                    models.Q(("retires", models.F("certificate")), _negated=True),
                    _connector="OR",
                ),
                name="announcement_retires_another_one",
            ),
        ),
        migrations.AddConstraint(
            model_name="peercertificate",
            constraint=models.UniqueConstraint(
                fields=("binding", "certificate_id"), name="peer_certificate_id_once_per_binding"
            ),
        ),
        migrations.AddConstraint(
            model_name="peercertificate",
            constraint=models.UniqueConstraint(
                fields=("binding", "fingerprint"), name="peer_certificate_once_per_binding"
            ),
        ),
        migrations.AddConstraint(
            model_name="peercertificate",
            constraint=models.CheckConstraint(
                condition=models.Q(("certificate_id__regex", "^[0-9]{5}$")), name="peer_certificate_id_has_five_digits"
            ),
        ),
        migrations.AddConstraint(
            model_name="peercertificate",
            constraint=models.CheckConstraint(
                condition=models.Q(("not_before__lt", models.F("not_after"))),
                name="peer_certificate_begins_before_it_ends",
            ),
        ),
    ]
