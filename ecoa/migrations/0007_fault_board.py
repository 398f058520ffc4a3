"""Faults get a share, a seed, a schedule, a switch and counters; what arms one anew is seen in more columns."""

import django.core.validators
import django.db.models.functions.datetime
from django.db import migrations, models

FORWARD = """
DROP TRIGGER ecoa_service_rearmed ON ecoa_servicefault;
CREATE TRIGGER ecoa_service_rearmed AFTER UPDATE ON ecoa_servicefault
    FOR EACH ROW WHEN (
        coalesce(NEW.remaining, 2147483647) > coalesce(OLD.remaining, 2147483647)
        OR (NEW.region, NEW.call, NEW.is_on, NEW.ends_at) IS DISTINCT FROM (OLD.region, OLD.call, OLD.is_on, OLD.ends_at)
    )
    EXECUTE FUNCTION ecoa_service_changed();
"""

BACKWARD = """
DROP TRIGGER ecoa_service_rearmed ON ecoa_servicefault;
CREATE TRIGGER ecoa_service_rearmed AFTER UPDATE ON ecoa_servicefault
    FOR EACH ROW WHEN (NEW.remaining > OLD.remaining OR NEW.region <> OLD.region OR NEW.call <> OLD.call)
    EXECUTE FUNCTION ecoa_service_changed();
UPDATE ecoa_servicefault SET remaining = 0 WHERE NOT is_on OR remaining IS NULL;
"""


class Migration(migrations.Migration):
    dependencies = [
        ("ecoa", "0006_arrivals_on_the_site"),
    ]

    operations = [
        migrations.RemoveIndex(
            model_name="servicefault",
            name="ecoa_service_fault_armed",
        ),
        migrations.AddField(
            model_name="servicefault",
            name="active_seconds",
            field=models.PositiveIntegerField(blank=True, null=True, verbose_name="only the first … seconds"),
        ),
        migrations.AddField(
            model_name="servicefault",
            name="created_at",
            field=models.DateTimeField(db_default=django.db.models.functions.datetime.Now()),
        ),
        migrations.AddField(
            model_name="servicefault",
            name="cycle_seconds",
            field=models.PositiveIntegerField(blank=True, null=True, verbose_name="In every … seconds"),
        ),
        migrations.AddField(
            model_name="servicefault",
            name="distribution",
            field=models.CharField(
                choices=[
                    ("fixed", "Fixed"),
                    ("uniform", "Uniform between the bounds"),
                    ("lognormal", "Log-normal around the value, within the bounds"),
                ],
                db_default="fixed",
                default="fixed",
                max_length=10,
            ),
        ),
        migrations.AddField(
            model_name="servicefault",
            name="drawn",
            field=models.BigIntegerField(db_default=0, default=0, verbose_name="Calls seen"),
        ),
        migrations.AddField(
            model_name="servicefault",
            name="ends_at",
            field=models.DateTimeField(blank=True, null=True, verbose_name="Until"),
        ),
        migrations.AddField(
            model_name="servicefault",
            name="injected",
            field=models.BigIntegerField(db_default=0, default=0, verbose_name="Injected"),
        ),
        migrations.AddField(
            model_name="servicefault",
            name="injected_at",
            field=models.DateTimeField(blank=True, null=True, verbose_name="Last injected"),
        ),
        migrations.AddField(
            model_name="servicefault",
            name="is_on",
            field=models.BooleanField(db_default=True, default=True, verbose_name="On"),
        ),
        migrations.AddField(
            model_name="servicefault",
            name="least_seconds",
            field=models.FloatField(db_default=0, default=0, verbose_name="At least"),
        ),
        migrations.AddField(
            model_name="servicefault",
            name="most_seconds",
            field=models.FloatField(db_default=120.0, default=120.0, verbose_name="At most"),
        ),
        migrations.AddField(
            model_name="servicefault",
            name="scenario",
            field=models.CharField(blank=True, db_default="", default="", max_length=32),
        ),
        migrations.AddField(
            model_name="servicefault",
            name="seed",
            field=models.BigIntegerField(db_default=0, default=0),
        ),
        migrations.AddField(
            model_name="servicefault",
            name="share",
            field=models.FloatField(
                db_default=100.0,
                default=100.0,
                validators=[
                    django.core.validators.MinValueValidator(0),
                    django.core.validators.MaxValueValidator(100.0),
                ],
                verbose_name="Share in %",
            ),
        ),
        migrations.AddField(
            model_name="servicefault",
            name="spread",
            field=models.FloatField(db_default=0.5, default=0.5),
        ),
        migrations.AddField(
            model_name="servicefault",
            name="starts_at",
            field=models.DateTimeField(blank=True, null=True, verbose_name="From"),
        ),
        migrations.AlterField(
            model_name="servicefault",
            name="hold_seconds",
            field=models.FloatField(default=0, verbose_name="Seconds"),
        ),
        migrations.AlterField(
            model_name="servicefault",
            name="internal_id_prefix",
            field=models.CharField(
                blank=True, default="", max_length=255, verbose_name="Only internal IDs that begin with"
            ),
        ),
        migrations.AlterField(
            model_name="servicefault",
            name="kind",
            field=models.CharField(
                choices=[
                    ("latency", "Takes its time before it works (done)"),
                    ("error_500", "Fails inside (not done)"),
                    ("html", "Answers an HTML page (not done)"),
                    ("close", "Ends the connection before any answer body (not done)"),
                    ("drop_reply", "Cuts the reply off (done)"),
                    ("hang", "Answers late (done)"),
                    ("slow_body", "Drips the answer out (done)"),
                    ("rate_limit", "Says 429 and when to come again (not done)"),
                    ("expired_token", "Takes or gives an expired token (not done)"),
                    ("wrong_region", "Names or means another region (not done)"),
                ],
                max_length=16,
                verbose_name="What happens",
            ),
        ),
        migrations.AlterField(
            model_name="servicefault",
            name="remaining",
            field=models.PositiveIntegerField(blank=True, default=1, null=True, verbose_name="Times left"),
        ),
        migrations.AddIndex(
            model_name="servicefault",
            index=models.Index(
                condition=models.Q(("is_on", True)), fields=["region", "call"], name="ecoa_service_fault_on"
            ),
        ),
        migrations.AddConstraint(
            model_name="servicefault",
            constraint=models.CheckConstraint(
                condition=models.Q(("share__gte", 0), ("share__lte", 100.0)), name="ecoa_service_fault_share"
            ),
        ),
        migrations.AddConstraint(
            model_name="servicefault",
            constraint=models.CheckConstraint(
                condition=models.Q(("cycle_seconds__isnull", True), ("cycle_seconds__gt", 0), _connector="OR"),
                name="ecoa_service_fault_cycle",
            ),
        ),
        migrations.RunSQL(FORWARD, BACKWARD),
    ]
