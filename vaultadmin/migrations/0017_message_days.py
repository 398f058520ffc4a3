"""For how many days each vault keeps what its Spark messages said."""

import django.core.validators
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("vaultadmin", "0016_notices_of_rejections"),
    ]

    operations = [
        migrations.AddField(
            model_name="vaultsettings",
            name="message_days",
            field=models.PositiveSmallIntegerField(
                db_default=30,
                default=30,
                help_text="Counted from when a message was delivered, processed or given up. Then what it said and its attempts are removed; its row stays, but it cannot be sent again. What still waits is kept.",
                validators=[django.core.validators.MinValueValidator(1), django.core.validators.MaxValueValidator(365)],
                verbose_name="Days the content of Spark messages is kept",
            ),
        ),
        migrations.AddConstraint(
            model_name="vaultsettings",
            constraint=models.CheckConstraint(
                condition=models.Q(("message_days__gte", 1), ("message_days__lte", 365)),
                name="vault_settings_message_days_in_range",
            ),
        ),
    ]
