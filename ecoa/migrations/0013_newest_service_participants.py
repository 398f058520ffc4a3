"""The newest participants of a study are found by an index of their own, which stands in for that of the site."""

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("ecoa", "0012_leftovers_of_a_round"),
    ]

    operations = [
        migrations.AlterField(
            model_name="serviceparticipant",
            name="site",
            field=models.ForeignKey(
                db_index=False,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="participants",
                to="ecoa.servicesite",
            ),
        ),
        migrations.AddIndex(
            model_name="serviceparticipant",
            index=models.Index(fields=["study", "id"], name="ecoa_service_newest"),
        ),
    ]
