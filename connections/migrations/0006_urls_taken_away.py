"""An External connection remembers that its URL was taken away, and stays Inactive until somebody enters one."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("connections", "0005_messages_outlive_their_record")]

    operations = [
        migrations.AddField(
            "connection",
            "url_removed",
            models.BooleanField(db_default=False, default=False, editable=False),
        ),
        migrations.AddConstraint(
            "connection",
            models.CheckConstraint(
                condition=models.Q(url_removed=False)
                | models.Q(state="inactive_state__sys", type="external__sys", url=""),
                name="connection_without_its_url_is_inactive",
            ),
        ),
    ]
