"""A mark for audit rows another row tells as a whole, so that an import does not flood what people see."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("vaultadmin", "0013_delegations"),
    ]

    operations = [
        migrations.RemoveIndex(
            model_name="auditevent",
            name="audit_people",
        ),
        migrations.AddField(
            model_name="auditevent",
            name="in_bulk",
            field=models.BooleanField(db_default=False, default=False),
        ),
        migrations.AddIndex(
            model_name="auditevent",
            index=models.Index(
                condition=models.Q(models.Q(("actor_id", ""), _negated=True), ("in_bulk", False)),
                fields=["chain", "-sequence"],
                name="audit_deeds",
            ),
        ),
    ]
