"""When the certificate ends that a connection file pinned, taken from the certificate of the rows there are."""

from cryptography import x509
from django.db import migrations, models

_BATCH = 500


def fill(apps, schema_editor):
    rows = apps.get_model("connections", "Binding").objects.using(schema_editor.connection.alias)
    batch = []
    for row in rows.filter(state="in_force", peer_certificate_not_after=None).only("peer_certificate_pem").iterator():
        row.peer_certificate_not_after = _end(row.peer_certificate_pem)
        batch.append(row)
        if len(batch) == _BATCH:
            rows.bulk_update(batch, ["peer_certificate_not_after"])
            batch.clear()
    rows.bulk_update(batch, ["peer_certificate_not_after"])


def _end(pem):
    try:
        return x509.load_pem_x509_certificate(pem.encode()).not_valid_after_utc
    except ValueError:
        # Nothing of such a peer can be verified either; a record nobody can use does not stop an upgrade.
        return None


class Migration(migrations.Migration):
    dependencies = [("connections", "0012_terms_of_an_exchange")]

    operations = [
        migrations.AddField("binding", "peer_certificate_not_after", models.DateTimeField(null=True)),
        migrations.RunPython(fill, migrations.RunPython.noop, elidable=True),
    ]
