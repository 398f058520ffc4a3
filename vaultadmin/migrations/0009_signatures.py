"""Electronic signatures, which the database itself refuses to change, and when a task is due (security.md L4)."""

from django.db import migrations, models

FORWARD = """
CREATE FUNCTION vaultadmin_signature_refuse() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'Electronic signatures are append-only.' USING ERRCODE = 'insufficient_privilege';
END $$;
CREATE TRIGGER signature_no_change BEFORE UPDATE OR DELETE ON vaultadmin_signature
    FOR EACH ROW EXECUTE FUNCTION vaultadmin_signature_refuse();
CREATE TRIGGER signature_no_truncate BEFORE TRUNCATE ON vaultadmin_signature
    FOR EACH STATEMENT EXECUTE FUNCTION vaultadmin_signature_refuse();
"""

BACKWARD = """
DROP TRIGGER signature_no_truncate ON vaultadmin_signature;
DROP TRIGGER signature_no_change ON vaultadmin_signature;
DROP FUNCTION vaultadmin_signature_refuse();
"""


class Migration(migrations.Migration):
    dependencies = [
        ("vaultadmin", "0008_sandboxes"),
    ]

    operations = [
        migrations.CreateModel(
            name="Signature",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("vault_number", models.BigIntegerField()),
                ("subject_type", models.CharField(max_length=64)),
                ("subject_id", models.CharField(max_length=64)),
                ("subject_label", models.CharField(max_length=255)),
                ("version", models.CharField(max_length=64)),
                ("statement", models.JSONField()),
                ("meaning", models.CharField(max_length=255)),
                ("signer_id", models.CharField(max_length=64)),
                ("signer_name", models.CharField(max_length=128)),
                ("signer_email", models.CharField(max_length=254)),
                (
                    "method",
                    models.CharField(
                        choices=[
                            ("password", "Password"),
                            ("password_code", "Password and second factor"),
                            ("passkey", "Passkey"),
                            ("code", "Second factor"),
                            ("single_sign_on", "Single sign-on"),
                        ],
                        max_length=16,
                    ),
                ),
                ("signed_at", models.DateTimeField()),
                ("seal", models.CharField(max_length=64)),
            ],
            options={
                "ordering": ["-signed_at", "-pk"],
                "indexes": [
                    models.Index(fields=["vault_number", "subject_type", "subject_id"], name="signature_subject")
                ],
            },
        ),
        migrations.RunSQL(FORWARD, BACKWARD),
        migrations.AddField(model_name="task", name="due_at", field=models.DateTimeField(null=True)),
    ]
