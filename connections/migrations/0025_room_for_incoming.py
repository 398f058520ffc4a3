"""Room in the pages of what came in for what is written again, when a message is taken and when it is processed."""

from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [
        ("connections", "0024_lean_message_tables"),
    ]

    operations = [
        # In percent, for pages that are begun from now on.
        migrations.RunSQL(
            "ALTER TABLE connections_incomingmessage SET (fillfactor = 50)",
            "ALTER TABLE connections_incomingmessage RESET (fillfactor)",
        ),
    ]
