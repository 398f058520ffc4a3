"""Who approved is told when the other side rejects it after that."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("vaultadmin", "0015_place_of_the_installation"),
    ]

    operations = [
        migrations.AlterField(
            model_name="notice",
            name="kind",
            field=models.CharField(
                choices=[
                    ("opened", "A task waits for you"),
                    ("assigned", "A task was assigned to you"),
                    ("decided", "Your request was decided"),
                    ("in_place", "A task was decided in your place"),
                    ("overturned", "The other Vault rejected what was approved"),
                    ("due_soon", "A task is about to lapse"),
                    ("closed", "Your request ended"),
                    ("told", "Told by an app"),
                ],
                max_length=16,
            ),
        ),
    ]
