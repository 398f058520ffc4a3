"""Find the messages retention comes to next by when they entered."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("connections", "0019_resent_once"),
        ("vaultadmin", "0017_message_days"),
    ]

    operations = [
        migrations.RemoveIndex(
            model_name="sparkmessage",
            name="spark_message_kept",
        ),
        migrations.AddIndex(
            model_name="sparkmessage",
            index=models.Index(
                condition=models.Q(("payload_removed_at__isnull", True)),
                fields=["vault", "entered_at", "id"],
                name="spark_message_kept",
            ),
        ),
    ]
