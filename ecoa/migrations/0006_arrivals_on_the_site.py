"""Arrivals stand with the site: the tally's rows are locked by triggers in an order of their own."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("ecoa", "0005_rhythm_reports_and_set_up"),
    ]

    operations = [
        migrations.RemoveField(
            model_name="sitetally",
            name="last_arrival_at",
        ),
        migrations.AddField(
            model_name="site",
            name="last_arrival_at",
            field=models.DateTimeField(editable=False, null=True),
        ),
    ]
