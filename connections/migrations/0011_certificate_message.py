"""Vaults tell each other of another signing certificate."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("connections", "0010_connection_clients"),
    ]

    operations = [
        migrations.AlterField(
            model_name="incomingpeermessage",
            name="type",
            field=models.CharField(
                choices=[
                    ("connect", "connect"),
                    ("approve", "approve"),
                    ("reject", "reject"),
                    ("withdraw", "withdraw"),
                    ("delete", "delete"),
                    ("certificate", "certificate"),
                ],
                max_length=16,
            ),
        ),
        migrations.AlterField(
            model_name="outgoingpeermessage",
            name="type",
            field=models.CharField(
                choices=[
                    ("connect", "connect"),
                    ("approve", "approve"),
                    ("reject", "reject"),
                    ("withdraw", "withdraw"),
                    ("delete", "delete"),
                    ("certificate", "certificate"),
                ],
                max_length=16,
            ),
        ),
    ]
