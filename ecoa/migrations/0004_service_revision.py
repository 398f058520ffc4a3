"""Remembered configuration of the eCOA service is checked against a code that the database itself replaces."""

from django.db import migrations, models

# A fault that is used up changes nothing anybody remembers; one that is armed again does.
FORWARD = """
CREATE FUNCTION ecoa_service_changed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO ecoa_servicerevision (id, code) VALUES (1, gen_random_uuid())
    ON CONFLICT (id) DO UPDATE SET code = EXCLUDED.code;
    RETURN NULL;
END $$;
CREATE TRIGGER ecoa_service_changed AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE ON ecoa_servicesystem
    FOR EACH STATEMENT EXECUTE FUNCTION ecoa_service_changed();
CREATE TRIGGER ecoa_service_changed AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE ON ecoa_servicetenant
    FOR EACH STATEMENT EXECUTE FUNCTION ecoa_service_changed();
CREATE TRIGGER ecoa_service_changed AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE ON ecoa_servicestudy
    FOR EACH STATEMENT EXECUTE FUNCTION ecoa_service_changed();
CREATE TRIGGER ecoa_service_changed AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE ON ecoa_servicestudymapping
    FOR EACH STATEMENT EXECUTE FUNCTION ecoa_service_changed();
CREATE TRIGGER ecoa_service_changed AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE ON ecoa_servicesite
    FOR EACH STATEMENT EXECUTE FUNCTION ecoa_service_changed();
CREATE TRIGGER ecoa_service_changed AFTER INSERT OR DELETE OR TRUNCATE ON ecoa_servicefault
    FOR EACH STATEMENT EXECUTE FUNCTION ecoa_service_changed();
CREATE TRIGGER ecoa_service_rearmed AFTER UPDATE ON ecoa_servicefault
    FOR EACH ROW WHEN (NEW.remaining > OLD.remaining OR NEW.region <> OLD.region OR NEW.call <> OLD.call)
    EXECUTE FUNCTION ecoa_service_changed();
INSERT INTO ecoa_servicerevision (id, code) VALUES (1, gen_random_uuid());
"""

BACKWARD = """
DROP TRIGGER ecoa_service_rearmed ON ecoa_servicefault;
DROP TRIGGER ecoa_service_changed ON ecoa_servicefault;
DROP TRIGGER ecoa_service_changed ON ecoa_servicesite;
DROP TRIGGER ecoa_service_changed ON ecoa_servicestudymapping;
DROP TRIGGER ecoa_service_changed ON ecoa_servicestudy;
DROP TRIGGER ecoa_service_changed ON ecoa_servicetenant;
DROP TRIGGER ecoa_service_changed ON ecoa_servicesystem;
DROP FUNCTION ecoa_service_changed();
"""


class Migration(migrations.Migration):
    dependencies = [("ecoa", "0003_tallies_and_vault_bounds")]

    operations = [
        migrations.CreateModel(
            name="ServiceRevision",
            fields=[
                ("id", models.SmallIntegerField(default=1, primary_key=True, serialize=False)),
                ("code", models.UUIDField()),
            ],
        ),
        migrations.RunSQL(FORWARD, BACKWARD),
    ]
