"""The tables of eCOA, the counters its triggers keep, and bounds no row crosses."""

import uuid

import django.contrib.postgres.fields
import django.core.validators
import django.db.models.deletion
import django.db.models.functions.datetime
import django_fsm
from django.db import migrations, models

import ecoa.models.schedule
from vaultadmin.tables import CreateTables

# Statement triggers with transition tables: one pass over what a statement changed, however many rows. The upserts
# go in site order, so that two batches touching the same sites cannot wait for each other in a circle.
_TALLY_UPSERT = """
        INSERT INTO ecoa_sitetally AS t (site_id, waiting, synced, rejected, unknown, stamp)
        SELECT site_id, COALESCE(sum(n) FILTER (WHERE status = 'waiting'), 0),
               COALESCE(sum(n) FILTER (WHERE status = 'synced'), 0),
               COALESCE(sum(n) FILTER (WHERE status = 'rejected'), 0),
               COALESCE(sum(n) FILTER (WHERE status = 'unknown'), 0), 1
          FROM ({moves}) AS moves
         GROUP BY site_id ORDER BY site_id
            ON CONFLICT (site_id) DO UPDATE
           SET waiting = t.waiting + excluded.waiting, synced = t.synced + excluded.synced,
               rejected = t.rejected + excluded.rejected, unknown = t.unknown + excluded.unknown, stamp = t.stamp + 1;
"""
_ADDED = "SELECT site_id, status, 1 AS n FROM new_rows"
_REMOVED = "SELECT site_id, status, -1 AS n FROM old_rows"
_TALLIED = {
    "insert": ("NEW TABLE AS new_rows", _ADDED),
    "update": ("OLD TABLE AS old_rows NEW TABLE AS new_rows", f"{_REMOVED} UNION ALL {_ADDED}"),
    "delete": ("OLD TABLE AS old_rows", _REMOVED),
}


def _tally(event: str, tables: str, moves: str) -> str:
    return f"""
CREATE FUNCTION ecoa_tally_{event}() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
{_TALLY_UPSERT.format(moves=moves)}
    RETURN NULL;
END $$;
CREATE TRIGGER ecoa_tally_{event} AFTER {event} ON ecoa_participant
    REFERENCING {tables} FOR EACH STATEMENT EXECUTE FUNCTION ecoa_tally_{event}();
"""


TALLIES = "".join(_tally(event, tables, moves) for event, (tables, moves) in _TALLIED.items())
NO_TALLIES = "".join(
    f"DROP TRIGGER ecoa_tally_{event} ON ecoa_participant; DROP FUNCTION ecoa_tally_{event}();" for event in _TALLIED
)

# What is read back is counted the same way; what our side changed is no longer confirmed.
_READING_UPSERT = """
        INSERT INTO ecoa_sitereading AS t (site_id, agreed, differing, open, stamp, region)
        SELECT site_id, {columns}, 1, ''
          FROM ({moves}) AS moves
         GROUP BY site_id ORDER BY site_id
            ON CONFLICT (site_id) DO UPDATE
           SET agreed = t.agreed + excluded.agreed, differing = t.differing + excluded.differing,
               open = t.open + excluded.open, stamp = t.stamp + 1;
"""
# A site that goes takes its counters along; nothing puts them back.
_READING_LESSEN = """
        UPDATE ecoa_sitereading t
           SET agreed = t.agreed + gone.agreed, differing = t.differing + gone.differing, open = t.open + gone.open,
               stamp = t.stamp + 1
          FROM (SELECT site_id, {columns} FROM ({moves}) AS moves GROUP BY site_id) gone
         WHERE gone.site_id = t.site_id;
"""
_COUNTED = {
    "ecoa_readback": (
        "COALESCE(sum(n) FILTER (WHERE agrees), 0) AS agreed,"
        " COALESCE(sum(n) FILTER (WHERE NOT agrees), 0) AS differing, 0 AS open",
        "agrees",
    ),
    "ecoa_discrepancy": (
        "0 AS agreed, 0 AS differing, COALESCE(sum(n) FILTER (WHERE state <> 'cleared'), 0) AS open",
        "state",
    ),
}
_SEEN_BY = {
    "insert": ("NEW TABLE AS new_rows", (("new_rows", 1),)),
    "update": ("OLD TABLE AS old_rows NEW TABLE AS new_rows", (("old_rows", -1), ("new_rows", 1))),
    "delete": ("OLD TABLE AS old_rows", (("old_rows", -1),)),
}


def _counter(table: str, event: str) -> str:
    columns, seen = _COUNTED[table]
    tables, parts = _SEEN_BY[event]
    # Every part is a constant of this file.
    each = [f"SELECT site_id, {seen}, {sign} AS n FROM {rows}" for rows, sign in parts]  # nosec B608
    moves = " UNION ALL ".join(each)
    statement = _READING_LESSEN if event == "delete" else _READING_UPSERT
    name = f"{table}_counts_{event}"
    return f"""
CREATE FUNCTION {name}() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
{statement.format(columns=columns, moves=moves)}
    RETURN NULL;
END $$;
CREATE TRIGGER {name} AFTER {event} ON {table}
    REFERENCING {tables} FOR EACH STATEMENT EXECUTE FUNCTION {name}();
"""


COUNTERS = "".join(_counter(table, event) for table in _COUNTED for event in _SEEN_BY)
NO_COUNTERS = "".join(
    f"DROP TRIGGER {table}_counts_{event} ON {table}; DROP FUNCTION {table}_counts_{event}();"
    for table in _COUNTED
    for event in _SEEN_BY
)

FORGET = """
CREATE FUNCTION ecoa_readback_forget() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    DELETE FROM ecoa_readback WHERE participant_id = NEW.id;
    RETURN NULL;
END $$;
CREATE TRIGGER ecoa_readback_forget AFTER UPDATE ON ecoa_participant FOR EACH ROW
    WHEN (OLD.version IS DISTINCT FROM NEW.version OR OLD.site_id IS DISTINCT FROM NEW.site_id)
    EXECUTE FUNCTION ecoa_readback_forget();
"""
REMEMBER = "DROP TRIGGER ecoa_readback_forget ON ecoa_participant; DROP FUNCTION ecoa_readback_forget();"

# Remembered configuration of the service is checked against a code that the database itself replaces. A fault that is
# used up changes nothing anybody remembers; one that is armed again does.
_REMEMBERED = ("system", "secret", "tenant", "study", "studymapping", "site")
_REPLACE = """
CREATE FUNCTION ecoa_service_changed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO ecoa_servicerevision (id, code) VALUES (1, gen_random_uuid())
    ON CONFLICT (id) DO UPDATE SET code = EXCLUDED.code;
    RETURN NULL;
END $$;
CREATE TRIGGER ecoa_service_changed AFTER INSERT OR DELETE OR TRUNCATE ON ecoa_servicefault
    FOR EACH STATEMENT EXECUTE FUNCTION ecoa_service_changed();
CREATE TRIGGER ecoa_service_rearmed AFTER UPDATE ON ecoa_servicefault
    FOR EACH ROW WHEN (
        coalesce(NEW.remaining, 2147483647) > coalesce(OLD.remaining, 2147483647)
        OR (NEW.region, NEW.call, NEW.is_on, NEW.ends_at) IS DISTINCT FROM (OLD.region, OLD.call, OLD.is_on, OLD.ends_at)
    )
    EXECUTE FUNCTION ecoa_service_changed();
"""
_WATCHED = [
    f"""
CREATE TRIGGER ecoa_service_changed AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE ON ecoa_service{table}
    FOR EACH STATEMENT EXECUTE FUNCTION ecoa_service_changed();
"""
    for table in _REMEMBERED
]
REVISION = "".join([_REPLACE, *_WATCHED])
NO_REVISION = "DROP FUNCTION ecoa_service_changed CASCADE;"
FIRST_REVISION = "INSERT INTO ecoa_servicerevision (id, code) VALUES (1, gen_random_uuid());"

# No row points across vaults or studies, whoever writes it (architecture decision 2).
BOUNDS = """
CREATE UNIQUE INDEX study_mapping_in_its_vault ON ecoa_studymapping (id, vault_id);
CREATE UNIQUE INDEX site_in_its_vault ON ecoa_site (id, vault_id);
CREATE UNIQUE INDEX site_in_its_study ON ecoa_site (id, mapping_id);
ALTER TABLE ecoa_studymapping
    ADD CONSTRAINT study_mapping_connection_of_same_vault FOREIGN KEY (connection_id, vault_id)
        REFERENCES connections_connection (id, vault_id) DEFERRABLE INITIALLY DEFERRED;
ALTER TABLE ecoa_site
    ADD CONSTRAINT site_study_of_same_vault FOREIGN KEY (mapping_id, vault_id)
        REFERENCES ecoa_studymapping (id, vault_id) DEFERRABLE INITIALLY DEFERRED;
ALTER TABLE ecoa_siteassignment
    ADD CONSTRAINT site_assignment_site_of_same_vault FOREIGN KEY (site_id, vault_id)
        REFERENCES ecoa_site (id, vault_id) DEFERRABLE INITIALLY DEFERRED,
    ADD CONSTRAINT site_assignment_member_of_same_vault FOREIGN KEY (member_id, vault_id)
        REFERENCES vaultadmin_membership (id, vault_id) DEFERRABLE INITIALLY DEFERRED;
ALTER TABLE ecoa_participant
    ADD CONSTRAINT participant_site_of_same_study FOREIGN KEY (site_id, mapping_id)
        REFERENCES ecoa_site (id, mapping_id) DEFERRABLE INITIALLY DEFERRED,
    ADD CONSTRAINT participant_study_of_same_vault FOREIGN KEY (mapping_id, vault_id)
        REFERENCES ecoa_studymapping (id, vault_id) DEFERRABLE INITIALLY DEFERRED;
ALTER TABLE ecoa_syncrun
    ADD CONSTRAINT sync_run_study_of_same_vault FOREIGN KEY (mapping_id, vault_id)
        REFERENCES ecoa_studymapping (id, vault_id) DEFERRABLE INITIALLY DEFERRED;
ALTER TABLE ecoa_fileimport
    ADD CONSTRAINT file_import_study_of_same_vault FOREIGN KEY (mapping_id, vault_id)
        REFERENCES ecoa_studymapping (id, vault_id) DEFERRABLE INITIALLY DEFERRED;
ALTER TABLE ecoa_evidencereport
    ADD CONSTRAINT evidence_report_site_of_same_vault FOREIGN KEY (site_id, vault_id)
        REFERENCES ecoa_site (id, vault_id) DEFERRABLE INITIALLY DEFERRED;
ALTER TABLE ecoa_setup
    ADD CONSTRAINT set_up_connection_of_same_vault FOREIGN KEY (connection_id, vault_id)
        REFERENCES connections_connection (id, vault_id) DEFERRABLE INITIALLY DEFERRED,
    ADD CONSTRAINT set_up_mapping_of_same_vault FOREIGN KEY (mapping_id, vault_id)
        REFERENCES ecoa_studymapping (id, vault_id) DEFERRABLE INITIALLY DEFERRED;
ALTER TABLE ecoa_discrepancy
    ADD CONSTRAINT discrepancy_site_of_same_study FOREIGN KEY (site_id, mapping_id)
        REFERENCES ecoa_site (id, mapping_id) DEFERRABLE INITIALLY DEFERRED,
    ADD CONSTRAINT discrepancy_study_of_same_vault FOREIGN KEY (mapping_id, vault_id)
        REFERENCES ecoa_studymapping (id, vault_id) DEFERRABLE INITIALLY DEFERRED;
ALTER TABLE ecoa_readbackcycle
    ADD CONSTRAINT cycle_study_of_same_vault FOREIGN KEY (mapping_id, vault_id)
        REFERENCES ecoa_studymapping (id, vault_id) DEFERRABLE INITIALLY DEFERRED;
ALTER TABLE ecoa_correction
    ADD CONSTRAINT correction_study_of_same_vault FOREIGN KEY (mapping_id, vault_id)
        REFERENCES ecoa_studymapping (id, vault_id) DEFERRABLE INITIALLY DEFERRED;
ALTER TABLE ecoa_columnmapping
    ADD CONSTRAINT column_mapping_study_of_same_vault FOREIGN KEY (mapping_id, vault_id)
        REFERENCES ecoa_studymapping (id, vault_id) DEFERRABLE INITIALLY DEFERRED;
ALTER TABLE ecoa_sitetransfer
    ADD CONSTRAINT site_transfer_from_site_of_same_vault FOREIGN KEY (from_site_id, vault_id)
        REFERENCES ecoa_site (id, vault_id) DEFERRABLE INITIALLY DEFERRED,
    ADD CONSTRAINT site_transfer_to_site_of_same_vault FOREIGN KEY (to_site_id, vault_id)
        REFERENCES ecoa_site (id, vault_id) DEFERRABLE INITIALLY DEFERRED;
"""
NO_BOUNDS = """
ALTER TABLE ecoa_sitetransfer
    DROP CONSTRAINT site_transfer_to_site_of_same_vault, DROP CONSTRAINT site_transfer_from_site_of_same_vault;
ALTER TABLE ecoa_columnmapping DROP CONSTRAINT column_mapping_study_of_same_vault;
ALTER TABLE ecoa_correction DROP CONSTRAINT correction_study_of_same_vault;
ALTER TABLE ecoa_readbackcycle DROP CONSTRAINT cycle_study_of_same_vault;
ALTER TABLE ecoa_discrepancy
    DROP CONSTRAINT discrepancy_study_of_same_vault, DROP CONSTRAINT discrepancy_site_of_same_study;
ALTER TABLE ecoa_setup DROP CONSTRAINT set_up_mapping_of_same_vault, DROP CONSTRAINT set_up_connection_of_same_vault;
ALTER TABLE ecoa_evidencereport DROP CONSTRAINT evidence_report_site_of_same_vault;
ALTER TABLE ecoa_fileimport DROP CONSTRAINT file_import_study_of_same_vault;
ALTER TABLE ecoa_syncrun DROP CONSTRAINT sync_run_study_of_same_vault;
ALTER TABLE ecoa_participant
    DROP CONSTRAINT participant_study_of_same_vault, DROP CONSTRAINT participant_site_of_same_study;
ALTER TABLE ecoa_siteassignment
    DROP CONSTRAINT site_assignment_member_of_same_vault, DROP CONSTRAINT site_assignment_site_of_same_vault;
ALTER TABLE ecoa_site DROP CONSTRAINT site_study_of_same_vault;
ALTER TABLE ecoa_studymapping DROP CONSTRAINT study_mapping_connection_of_same_vault;
DROP INDEX site_in_its_study;
DROP INDEX site_in_its_vault;
DROP INDEX study_mapping_in_its_vault;
"""

# Uploaded bytes are read once or twice and dropped: compressing them costs more than their place.
PLAIN = "ALTER TABLE ecoa_filechunk ALTER COLUMN data SET STORAGE EXTERNAL"
COMPRESSED = "ALTER TABLE ecoa_filechunk ALTER COLUMN data SET STORAGE EXTENDED"


class Migration(migrations.Migration):
    replaces = [
        ("ecoa", "0001_service_store"),
        ("ecoa", "0002_participants_and_sync"),
        ("ecoa", "0003_tallies_and_vault_bounds"),
        ("ecoa", "0004_service_revision"),
        ("ecoa", "0005_rhythm_reports_and_set_up"),
        ("ecoa", "0006_arrivals_on_the_site"),
        ("ecoa", "0007_fault_board"),
        ("ecoa", "0008_read_back_and_discrepancies"),
        ("ecoa", "0009_reading_counters"),
        ("ecoa", "0010_schedules_pauses_and_call_shares"),
        ("ecoa", "0011_service_secrets"),
        ("ecoa", "0012_leftovers_of_a_round"),
        ("ecoa", "0013_newest_service_participants"),
        ("ecoa", "0014_corrections"),
        ("ecoa", "0015_sources_and_queued_runs"),
    ]

    dependencies = [
        ("connections", "0001_squashed_0012_terms_of_an_exchange"),
        ("vaultadmin", "0001_squashed_0016_notices_of_rejections"),
    ]

    operations = [
        CreateTables(
            [
                migrations.CreateModel(
                    name="ServiceStudy",
                    fields=[
                        (
                            "id",
                            models.BigAutoField(
                                auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                            ),
                        ),
                        ("external_id", models.CharField(max_length=255, unique=True, verbose_name="Study ID")),
                        ("internal_id", models.CharField(max_length=255, unique=True, verbose_name="MyVeeva study ID")),
                        ("integration_enabled", models.BooleanField(default=True, verbose_name="Integration enabled")),
                        (
                            "vault",
                            models.ForeignKey(
                                blank=True,
                                null=True,
                                on_delete=django.db.models.deletion.CASCADE,
                                related_name="service_studies",
                                to="vaultadmin.vault",
                            ),
                        ),
                    ],
                    options={
                        "verbose_name_plural": "service studies",
                    },
                ),
                migrations.CreateModel(
                    name="ServiceSystem",
                    fields=[
                        (
                            "id",
                            models.BigAutoField(
                                auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                            ),
                        ),
                        (
                            "external_id",
                            models.CharField(max_length=255, unique=True, verbose_name="External system ID"),
                        ),
                        ("integration_enabled", models.BooleanField(default=True, verbose_name="Integration enabled")),
                        (
                            "allowed_addresses",
                            django.contrib.postgres.fields.ArrayField(
                                base_field=models.CharField(max_length=49),
                                blank=True,
                                default=list,
                                size=None,
                                verbose_name="Allowed addresses",
                            ),
                        ),
                        ("created_at", models.DateTimeField(auto_now_add=True)),
                        (
                            "vault",
                            models.ForeignKey(
                                blank=True,
                                null=True,
                                on_delete=django.db.models.deletion.CASCADE,
                                related_name="service_systems",
                                to="vaultadmin.vault",
                            ),
                        ),
                    ],
                ),
                migrations.CreateModel(
                    name="ServiceFault",
                    fields=[
                        (
                            "id",
                            models.BigAutoField(
                                auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                            ),
                        ),
                        ("region", models.CharField(max_length=16)),
                        (
                            "call",
                            models.CharField(
                                choices=[
                                    ("discover", "Discover Study Site"),
                                    ("authorize", "Authorize External"),
                                    ("get", "Get Participant"),
                                    ("post", "Create or Update Participant"),
                                ],
                                max_length=10,
                            ),
                        ),
                        (
                            "kind",
                            models.CharField(
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
                        (
                            "remaining",
                            models.PositiveIntegerField(blank=True, default=1, null=True, verbose_name="Times left"),
                        ),
                        (
                            "internal_id_prefix",
                            models.CharField(
                                blank=True, default="", max_length=255, verbose_name="Only internal IDs that begin with"
                            ),
                        ),
                        ("hold_seconds", models.FloatField(default=0, verbose_name="Seconds")),
                        (
                            "active_seconds",
                            models.PositiveIntegerField(blank=True, null=True, verbose_name="only the first … seconds"),
                        ),
                        ("created_at", models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
                        (
                            "cycle_seconds",
                            models.PositiveIntegerField(blank=True, null=True, verbose_name="In every … seconds"),
                        ),
                        (
                            "distribution",
                            models.CharField(
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
                        ("drawn", models.BigIntegerField(db_default=0, default=0, verbose_name="Calls seen")),
                        ("ends_at", models.DateTimeField(blank=True, null=True, verbose_name="Until")),
                        ("injected", models.BigIntegerField(db_default=0, default=0, verbose_name="Injected")),
                        ("injected_at", models.DateTimeField(blank=True, null=True, verbose_name="Last injected")),
                        ("is_on", models.BooleanField(db_default=True, default=True, verbose_name="On")),
                        ("least_seconds", models.FloatField(db_default=0, default=0, verbose_name="At least")),
                        ("most_seconds", models.FloatField(db_default=120.0, default=120.0, verbose_name="At most")),
                        ("scenario", models.CharField(blank=True, db_default="", default="", max_length=32)),
                        ("seed", models.BigIntegerField(db_default=0, default=0)),
                        (
                            "share",
                            models.FloatField(
                                db_default=100.0,
                                default=100.0,
                                validators=[
                                    django.core.validators.MinValueValidator(0),
                                    django.core.validators.MaxValueValidator(100.0),
                                ],
                                verbose_name="Share in %",
                            ),
                        ),
                        ("spread", models.FloatField(db_default=0.5, default=0.5)),
                        ("starts_at", models.DateTimeField(blank=True, null=True, verbose_name="From")),
                    ],
                    options={
                        "indexes": [
                            models.Index(
                                condition=models.Q(("is_on", True)),
                                fields=["region", "call"],
                                name="ecoa_service_fault_on",
                            )
                        ],
                        "constraints": [
                            models.CheckConstraint(
                                condition=models.Q(("share__gte", 0), ("share__lte", 100.0)),
                                name="ecoa_service_fault_share",
                            ),
                            models.CheckConstraint(
                                condition=models.Q(
                                    ("cycle_seconds__isnull", True), ("cycle_seconds__gt", 0), _connector="OR"
                                ),
                                name="ecoa_service_fault_cycle",
                            ),
                        ],
                    },
                ),
                migrations.CreateModel(
                    name="ServiceSite",
                    fields=[
                        (
                            "id",
                            models.BigAutoField(
                                auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                            ),
                        ),
                        ("number", models.CharField(max_length=255)),
                        ("internal_id", models.CharField(max_length=255, unique=True)),
                        ("region", models.CharField(max_length=16)),
                        (
                            "study",
                            models.ForeignKey(
                                on_delete=django.db.models.deletion.CASCADE,
                                related_name="sites",
                                to="ecoa.servicestudy",
                            ),
                        ),
                    ],
                    options={
                        "constraints": [
                            models.UniqueConstraint(fields=("study", "number"), name="ecoa_service_site_once")
                        ],
                    },
                ),
                migrations.CreateModel(
                    name="ServiceParticipant",
                    fields=[
                        (
                            "id",
                            models.BigAutoField(
                                auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                            ),
                        ),
                        ("region", models.CharField(max_length=16)),
                        ("internal_id", models.CharField(max_length=255)),
                        ("participant_id", models.CharField(max_length=255)),
                        ("my_veeva_participant_id", models.UUIDField(default=uuid.uuid4, unique=True)),
                        ("created_at", models.DateTimeField()),
                        ("updated_at", models.DateTimeField()),
                        (
                            "site",
                            models.ForeignKey(
                                db_index=False,
                                on_delete=django.db.models.deletion.PROTECT,
                                related_name="participants",
                                to="ecoa.servicesite",
                            ),
                        ),
                        (
                            "study",
                            models.ForeignKey(
                                db_index=False,
                                on_delete=django.db.models.deletion.PROTECT,
                                related_name="participants",
                                to="ecoa.servicestudy",
                            ),
                        ),
                    ],
                    options={
                        "indexes": [models.Index(fields=["study", "id"], name="ecoa_service_newest")],
                        "constraints": [
                            models.UniqueConstraint(fields=("study", "internal_id"), name="ecoa_service_internal_once"),
                            models.UniqueConstraint(
                                fields=("study", "participant_id"), name="ecoa_service_participant_once"
                            ),
                        ],
                    },
                ),
                migrations.CreateModel(
                    name="ServiceStudyMapping",
                    fields=[
                        (
                            "id",
                            models.BigAutoField(
                                auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                            ),
                        ),
                        (
                            "state",
                            models.CharField(
                                choices=[("enabled", "Enabled"), ("withdrawn", "Withdrawn")],
                                default="enabled",
                                max_length=10,
                            ),
                        ),
                        (
                            "study",
                            models.ForeignKey(
                                on_delete=django.db.models.deletion.CASCADE,
                                related_name="mappings",
                                to="ecoa.servicestudy",
                            ),
                        ),
                        (
                            "system",
                            models.ForeignKey(
                                on_delete=django.db.models.deletion.CASCADE,
                                related_name="mappings",
                                to="ecoa.servicesystem",
                            ),
                        ),
                    ],
                    options={
                        "constraints": [
                            models.UniqueConstraint(fields=("system", "study"), name="ecoa_service_mapping_once")
                        ],
                    },
                ),
                migrations.CreateModel(
                    name="ServiceTenant",
                    fields=[
                        (
                            "id",
                            models.BigAutoField(
                                auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                            ),
                        ),
                        ("tenant_id", models.CharField(max_length=255)),
                        (
                            "system",
                            models.ForeignKey(
                                on_delete=django.db.models.deletion.CASCADE,
                                related_name="tenants",
                                to="ecoa.servicesystem",
                            ),
                        ),
                    ],
                    options={
                        "constraints": [
                            models.UniqueConstraint(fields=("system", "tenant_id"), name="ecoa_service_tenant_once")
                        ],
                    },
                ),
                migrations.CreateModel(
                    name="StudyMapping",
                    fields=[
                        (
                            "id",
                            models.BigAutoField(
                                auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                            ),
                        ),
                        ("name", models.CharField(max_length=128, verbose_name="name")),
                        (
                            "tenant_id",
                            models.CharField(
                                max_length=255,
                                validators=[
                                    django.core.validators.RegexValidator(
                                        "\\A(?!\\.+\\Z)[^\\x00-\\x20\\x7f-\\x9f/\\\\](?:[^\\x00-\\x1f\\x7f-\\x9f/\\\\]*[^\\x00-\\x20\\x7f-\\x9f/\\\\])?\\Z",
                                        "Leave out slashes, control characters and blanks at the ends.",
                                    )
                                ],
                                verbose_name="tenant ID",
                            ),
                        ),
                        (
                            "external_study_id",
                            models.CharField(
                                max_length=255,
                                validators=[
                                    django.core.validators.RegexValidator(
                                        "\\A(?!\\.+\\Z)[^\\x00-\\x20\\x7f-\\x9f/\\\\](?:[^\\x00-\\x1f\\x7f-\\x9f/\\\\]*[^\\x00-\\x20\\x7f-\\x9f/\\\\])?\\Z",
                                        "Leave out slashes, control characters and blanks at the ends.",
                                    )
                                ],
                                verbose_name="study ID",
                            ),
                        ),
                        (
                            "api_version",
                            models.CharField(
                                default="v24.3",
                                max_length=16,
                                validators=[
                                    django.core.validators.RegexValidator(
                                        "\\Av\\d+\\.\\d\\Z", "Enter a version such as v24.3."
                                    )
                                ],
                                verbose_name="API version",
                            ),
                        ),
                        ("fixed_region", models.CharField(blank=True, max_length=500, verbose_name="fixed region")),
                        ("read_back", models.BooleanField(default=False, verbose_name="read every participant back")),
                        ("is_active", models.BooleanField(default=True, verbose_name="active")),
                        ("created_at", models.DateTimeField(auto_now_add=True)),
                        (
                            "connection",
                            models.ForeignKey(
                                on_delete=django.db.models.deletion.PROTECT,
                                related_name="study_mappings",
                                to="connections.connection",
                                verbose_name="connection",
                            ),
                        ),
                        (
                            "vault",
                            models.ForeignKey(
                                on_delete=django.db.models.deletion.CASCADE,
                                related_name="study_mappings",
                                to="vaultadmin.vault",
                            ),
                        ),
                        (
                            "radar_calls_per_hour",
                            models.PositiveIntegerField(
                                default=3600,
                                validators=[
                                    django.core.validators.MinValueValidator(10),
                                    django.core.validators.MaxValueValidator(360000),
                                ],
                                verbose_name="calls an hour",
                            ),
                        ),
                        (
                            "radar_every_hours",
                            models.PositiveSmallIntegerField(
                                default=24,
                                validators=[
                                    django.core.validators.MinValueValidator(1),
                                    django.core.validators.MaxValueValidator(720),
                                ],
                                verbose_name="hours between two rounds",
                            ),
                        ),
                        ("radar_is_on", models.BooleanField(default=True, verbose_name="read back by itself")),
                        (
                            "max_calls",
                            models.SmallIntegerField(
                                blank=True,
                                null=True,
                                validators=[
                                    django.core.validators.MinValueValidator(1),
                                    django.core.validators.MaxValueValidator(1000),
                                ],
                                verbose_name="calls at a time",
                            ),
                        ),
                        ("next_run_at", models.DateTimeField(editable=False, null=True, verbose_name="next run")),
                        (
                            "schedule_days",
                            django.contrib.postgres.fields.ArrayField(
                                base_field=models.SmallIntegerField(),
                                blank=True,
                                db_default=[],
                                default=list,
                                size=None,
                                verbose_name="days",
                            ),
                        ),
                        ("schedule_from", models.TimeField(blank=True, null=True, verbose_name="not before")),
                        (
                            "schedule_minutes",
                            models.IntegerField(blank=True, null=True, verbose_name="interval in minutes"),
                        ),
                        (
                            "schedule_note",
                            models.CharField(
                                blank=True,
                                choices=[
                                    ("nothing", "Nothing was waiting to be sent"),
                                    ("started", "A run was started"),
                                    ("waits", "Waits until the open run is over"),
                                ],
                                db_default="",
                                editable=False,
                                max_length=8,
                            ),
                        ),
                        ("schedule_noted_at", models.DateTimeField(editable=False, null=True)),
                        (
                            "schedule_paused",
                            models.BooleanField(db_default=False, default=False, verbose_name="schedule paused"),
                        ),
                        ("schedule_until", models.TimeField(blank=True, null=True, verbose_name="not after")),
                        (
                            "schedule_zone",
                            models.CharField(
                                db_default="UTC",
                                default="UTC",
                                max_length=64,
                                validators=[ecoa.models.schedule.known_zone],
                                verbose_name="time zone",
                            ),
                        ),
                    ],
                    options={
                        "ordering": ["name", "pk"],
                        "indexes": [
                            models.Index(
                                condition=models.Q(("next_run_at__isnull", False)),
                                fields=["next_run_at"],
                                name="study_mapping_next_run",
                            )
                        ],
                        "constraints": [
                            models.UniqueConstraint(fields=("vault", "name"), name="study_mapping_name_once"),
                            models.UniqueConstraint(
                                fields=("vault", "external_study_id"), name="study_mapping_study_once"
                            ),
                            models.CheckConstraint(
                                condition=models.Q(
                                    ("fixed_region", ""), ("fixed_region__startswith", "https://"), _connector="OR"
                                ),
                                name="study_mapping_region_https",
                            ),
                            models.CheckConstraint(
                                condition=models.Q(
                                    ("schedule_minutes__isnull", True), ("schedule_minutes__gte", 5), _connector="OR"
                                ),
                                name="study_mapping_interval_sane",
                            ),
                            models.CheckConstraint(
                                condition=models.Q(("max_calls__isnull", True), ("max_calls__gte", 1), _connector="OR"),
                                name="study_mapping_calls_positive",
                            ),
                        ],
                    },
                ),
                migrations.CreateModel(
                    name="Site",
                    fields=[
                        (
                            "id",
                            models.BigAutoField(
                                auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                            ),
                        ),
                        (
                            "number",
                            models.CharField(
                                db_collation="C",
                                max_length=255,
                                validators=[
                                    django.core.validators.RegexValidator(
                                        "\\A(?!\\.+\\Z)[^\\x00-\\x20\\x7f-\\x9f/\\\\](?:[^\\x00-\\x1f\\x7f-\\x9f/\\\\]*[^\\x00-\\x20\\x7f-\\x9f/\\\\])?\\Z",
                                        "Leave out slashes, control characters and blanks at the ends.",
                                    )
                                ],
                                verbose_name="site number",
                            ),
                        ),
                        ("name", models.CharField(blank=True, max_length=128, verbose_name="name")),
                        (
                            "vault",
                            models.ForeignKey(
                                on_delete=django.db.models.deletion.CASCADE,
                                related_name="ecoa_sites",
                                to="vaultadmin.vault",
                            ),
                        ),
                        (
                            "mapping",
                            models.ForeignKey(
                                on_delete=django.db.models.deletion.PROTECT,
                                related_name="sites",
                                to="ecoa.studymapping",
                                verbose_name="study",
                            ),
                        ),
                        ("closed_on", models.DateField(blank=True, null=True, verbose_name="closed on")),
                        ("last_arrival_at", models.DateTimeField(editable=False, null=True)),
                    ],
                    options={
                        "ordering": ["number", "pk"],
                        "constraints": [models.UniqueConstraint(fields=("mapping", "number"), name="site_number_once")],
                    },
                ),
                migrations.CreateModel(
                    name="SiteTally",
                    fields=[
                        (
                            "site",
                            models.OneToOneField(
                                on_delete=django.db.models.deletion.CASCADE,
                                primary_key=True,
                                related_name="tally",
                                serialize=False,
                                to="ecoa.site",
                            ),
                        ),
                        ("waiting", models.BigIntegerField(default=0)),
                        ("synced", models.BigIntegerField(default=0)),
                        ("rejected", models.BigIntegerField(default=0)),
                        ("unknown", models.BigIntegerField(default=0)),
                        ("stamp", models.BigIntegerField(default=0)),
                    ],
                ),
                migrations.CreateModel(
                    name="Participant",
                    fields=[
                        (
                            "id",
                            models.BigAutoField(
                                auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                            ),
                        ),
                        (
                            "participant_id",
                            models.CharField(db_collation="C", max_length=255, verbose_name="participant ID"),
                        ),
                        ("internal_id", models.CharField(db_collation="C", max_length=255, verbose_name="internal ID")),
                        ("version", models.IntegerField(default=1)),
                        ("synced_version", models.IntegerField(default=0)),
                        (
                            "my_veeva_participant_id",
                            models.CharField(blank=True, max_length=255, verbose_name="MyVeeva participant ID"),
                        ),
                        (
                            "status",
                            models.CharField(
                                choices=[
                                    ("waiting", "Waiting to be sent"),
                                    ("sending", "Being sent"),
                                    ("synced", "In eCOA"),
                                    ("rejected", "Not accepted"),
                                    ("unknown", "Not known yet"),
                                ],
                                default="waiting",
                                max_length=8,
                                verbose_name="state",
                            ),
                        ),
                        ("in_doubt", models.BooleanField(default=False)),
                        ("stage", models.SmallIntegerField(default=0)),
                        ("code", models.CharField(blank=True, max_length=32)),
                        ("message", models.CharField(blank=True, max_length=500)),
                        ("source", models.CharField(default="file", max_length=16, verbose_name="source")),
                        ("created_at", models.DateTimeField()),
                        ("changed_at", models.DateTimeField()),
                        ("synced_at", models.DateTimeField(null=True)),
                        (
                            "vault",
                            models.ForeignKey(
                                on_delete=django.db.models.deletion.CASCADE, related_name="+", to="vaultadmin.vault"
                            ),
                        ),
                        (
                            "site",
                            models.ForeignKey(
                                db_index=False,
                                on_delete=django.db.models.deletion.PROTECT,
                                related_name="participants",
                                to="ecoa.site",
                            ),
                        ),
                        (
                            "mapping",
                            models.ForeignKey(
                                on_delete=django.db.models.deletion.PROTECT,
                                related_name="participants",
                                to="ecoa.studymapping",
                            ),
                        ),
                        ("confirmed_at", models.DateTimeField(null=True)),
                        ("confirmed_by", models.CharField(blank=True, db_default="", max_length=64)),
                        ("confirmed_version", models.IntegerField(db_default=0, default=0)),
                        ("first_sent_at", models.DateTimeField(null=True)),
                        (
                            "source_name",
                            models.CharField(
                                blank=True, db_default="", default="", max_length=255, verbose_name="named"
                            ),
                        ),
                    ],
                    options={
                        "ordering": ["participant_id"],
                        "indexes": [
                            models.Index(fields=["site", "participant_id"], name="participant_by_site"),
                            models.Index(fields=["site", "status", "participant_id"], name="participant_by_state"),
                            models.Index(
                                condition=models.Q(("in_doubt", True)), fields=["mapping"], name="participant_in_doubt"
                            ),
                            models.Index(
                                condition=models.Q(
                                    ("synced_version__gt", 0), ("version__gt", models.F("synced_version"))
                                ),
                                fields=["mapping"],
                                name="participant_change_pending",
                            ),
                            models.Index(
                                condition=models.Q(("code", ""), _negated=True),
                                fields=["site", "code", "participant_id"],
                                name="participant_by_code",
                            ),
                        ],
                        "constraints": [
                            models.UniqueConstraint(
                                fields=("mapping", "internal_id"), name="participant_internal_id_once"
                            ),
                            models.UniqueConstraint(fields=("mapping", "participant_id"), name="participant_id_once"),
                            models.CheckConstraint(
                                condition=models.Q(("synced_version__lte", models.F("version")), ("version__gte", 1)),
                                name="participant_versions_in_order",
                            ),
                            models.CheckConstraint(
                                condition=models.Q(("status__in", ["waiting", "synced", "rejected", "unknown"])),
                                name="participant_status_known",
                            ),
                        ],
                    },
                ),
                migrations.CreateModel(
                    name="SiteAssignment",
                    fields=[
                        (
                            "id",
                            models.BigAutoField(
                                auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                            ),
                        ),
                        ("assigned_at", models.DateTimeField(auto_now_add=True)),
                        (
                            "member",
                            models.ForeignKey(
                                on_delete=django.db.models.deletion.CASCADE,
                                related_name="site_assignments",
                                to="vaultadmin.membership",
                            ),
                        ),
                        (
                            "site",
                            models.ForeignKey(
                                on_delete=django.db.models.deletion.CASCADE, related_name="assignments", to="ecoa.site"
                            ),
                        ),
                        (
                            "vault",
                            models.ForeignKey(
                                on_delete=django.db.models.deletion.CASCADE, related_name="+", to="vaultadmin.vault"
                            ),
                        ),
                    ],
                    options={
                        "constraints": [
                            models.UniqueConstraint(fields=("site", "member"), name="site_assignment_once")
                        ],
                    },
                ),
                migrations.CreateModel(
                    name="ServiceRevision",
                    fields=[
                        ("id", models.SmallIntegerField(default=1, primary_key=True, serialize=False)),
                        ("code", models.UUIDField()),
                    ],
                ),
                migrations.CreateModel(
                    name="DigestChoice",
                    fields=[
                        (
                            "member",
                            models.OneToOneField(
                                on_delete=django.db.models.deletion.CASCADE,
                                primary_key=True,
                                related_name="ecoa_digest",
                                serialize=False,
                                to="vaultadmin.membership",
                            ),
                        ),
                        (
                            "frequency",
                            models.CharField(
                                choices=[
                                    ("never", "No digest"),
                                    ("daily", "Every day"),
                                    ("weekly", "Every week, on Monday"),
                                ],
                                default="never",
                                max_length=8,
                            ),
                        ),
                        ("hour", models.PositiveSmallIntegerField(default=6, verbose_name="hour")),
                        ("time_zone", models.CharField(default="UTC", max_length=64, verbose_name="time zone")),
                        ("due_at", models.DateTimeField(null=True)),
                    ],
                    options={
                        "indexes": [
                            models.Index(
                                condition=models.Q(("due_at__isnull", False)), fields=["due_at"], name="digest_due"
                            )
                        ],
                        "constraints": [
                            models.CheckConstraint(condition=models.Q(("hour__lte", 23)), name="digest_hour_of_a_day"),
                            models.CheckConstraint(
                                condition=models.Q(
                                    models.Q(("due_at__isnull", True), ("frequency", "never")),
                                    models.Q(
                                        models.Q(("frequency", "never"), _negated=True), ("due_at__isnull", False)
                                    ),
                                    _connector="OR",
                                ),
                                name="digest_due_when_wanted",
                            ),
                        ],
                    },
                ),
                migrations.CreateModel(
                    name="EvidenceReport",
                    fields=[
                        (
                            "id",
                            models.BigAutoField(
                                auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                            ),
                        ),
                        (
                            "state",
                            models.CharField(
                                choices=[
                                    ("queued", "Waiting for a worker"),
                                    ("building", "Being made"),
                                    ("done", "Ready to download"),
                                    ("failed", "Could not be made"),
                                    ("cancelled", "Cancelled"),
                                ],
                                default="queued",
                                max_length=9,
                            ),
                        ),
                        ("asked_by_label", models.CharField(max_length=255)),
                        ("asked_at", models.DateTimeField()),
                        ("taken_at", models.DateTimeField(null=True)),
                        ("finished_at", models.DateTimeField(null=True)),
                        ("expires_at", models.DateTimeField(null=True)),
                        ("rows", models.BigIntegerField(default=0)),
                        ("done", models.BigIntegerField(default=0)),
                        ("total", models.BigIntegerField(default=0)),
                        ("sha256", models.CharField(blank=True, max_length=64)),
                        ("tries", models.PositiveSmallIntegerField(default=0)),
                        ("problem", models.CharField(blank=True, max_length=255)),
                        ("lease_token", models.UUIDField(null=True)),
                        ("lease_until", models.DateTimeField(null=True)),
                        (
                            "asked_by",
                            models.ForeignKey(
                                null=True,
                                on_delete=django.db.models.deletion.PROTECT,
                                related_name="+",
                                to="vaultadmin.membership",
                            ),
                        ),
                        (
                            "site",
                            models.ForeignKey(
                                on_delete=django.db.models.deletion.CASCADE, related_name="reports", to="ecoa.site"
                            ),
                        ),
                        (
                            "vault",
                            models.ForeignKey(
                                on_delete=django.db.models.deletion.CASCADE,
                                related_name="evidence_reports",
                                to="vaultadmin.vault",
                            ),
                        ),
                    ],
                    options={
                        "ordering": ["-id"],
                        "indexes": [
                            models.Index(fields=["vault", "-id"], name="evidence_report_newest"),
                            models.Index(
                                condition=models.Q(("state__in", ["queued", "building"])),
                                fields=["asked_at"],
                                name="evidence_report_unfinished",
                            ),
                        ],
                    },
                ),
                migrations.CreateModel(
                    name="ReportPart",
                    fields=[
                        (
                            "id",
                            models.BigAutoField(
                                auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                            ),
                        ),
                        (
                            "format",
                            models.CharField(choices=[("csv", "CSV"), ("xlsx", "XLSX"), ("pdf", "PDF")], max_length=4),
                        ),
                        ("number", models.IntegerField()),
                        ("content", models.BinaryField()),
                        (
                            "report",
                            models.ForeignKey(
                                db_index=False,
                                on_delete=django.db.models.deletion.CASCADE,
                                related_name="parts",
                                to="ecoa.evidencereport",
                            ),
                        ),
                    ],
                    options={
                        "ordering": ["report", "format", "number"],
                        "constraints": [
                            models.UniqueConstraint(fields=("report", "format", "number"), name="report_part_once")
                        ],
                    },
                ),
                migrations.CreateModel(
                    name="SetUp",
                    fields=[
                        (
                            "id",
                            models.BigAutoField(
                                auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                            ),
                        ),
                        (
                            "state",
                            models.CharField(
                                choices=[
                                    ("open", "Being set up"),
                                    ("finished", "Finished"),
                                    ("discarded", "Discarded"),
                                ],
                                default="open",
                                max_length=9,
                            ),
                        ),
                        ("name", models.CharField(max_length=128, verbose_name="study name")),
                        (
                            "external_study_id",
                            models.CharField(
                                max_length=255,
                                validators=[
                                    django.core.validators.RegexValidator(
                                        "\\A(?!\\.+\\Z)[^\\x00-\\x20\\x7f-\\x9f/\\\\](?:[^\\x00-\\x1f\\x7f-\\x9f/\\\\]*[^\\x00-\\x20\\x7f-\\x9f/\\\\])?\\Z",
                                        "Leave out slashes, control characters and blanks at the ends.",
                                    )
                                ],
                                verbose_name="study ID",
                            ),
                        ),
                        (
                            "site_numbers",
                            django.contrib.postgres.fields.ArrayField(
                                base_field=models.CharField(max_length=255),
                                default=list,
                                size=None,
                                verbose_name="sites",
                            ),
                        ),
                        (
                            "base_url",
                            models.CharField(
                                default="https://sponsors.myveeva.com/", max_length=500, verbose_name="base URL"
                            ),
                        ),
                        ("api_version", models.CharField(default="v24.3", max_length=16, verbose_name="API version")),
                        ("system_id", models.CharField(blank=True, max_length=255, verbose_name="system ID")),
                        ("tenant_id", models.CharField(blank=True, max_length=255, verbose_name="tenant ID")),
                        ("created_at", models.DateTimeField()),
                        ("changed_at", models.DateTimeField()),
                        (
                            "test_state",
                            models.CharField(
                                blank=True,
                                choices=[
                                    ("", "Not tested"),
                                    ("queued", "Waiting for a worker"),
                                    ("running", "Running"),
                                    ("passed", "Passed"),
                                    ("failed", "Failed"),
                                ],
                                default="",
                                max_length=8,
                            ),
                        ),
                        ("steps", models.JSONField(default=list)),
                        ("tested", models.CharField(blank=True, max_length=64)),
                        ("tested_at", models.DateTimeField(null=True)),
                        ("lease_token", models.UUIDField(null=True)),
                        ("lease_until", models.DateTimeField(null=True)),
                        (
                            "connection",
                            models.ForeignKey(
                                null=True,
                                on_delete=django.db.models.deletion.SET_NULL,
                                related_name="+",
                                to="connections.connection",
                                verbose_name="connection",
                            ),
                        ),
                        (
                            "mapping",
                            models.ForeignKey(
                                null=True,
                                on_delete=django.db.models.deletion.SET_NULL,
                                related_name="+",
                                to="ecoa.studymapping",
                            ),
                        ),
                        (
                            "secret",
                            models.OneToOneField(
                                null=True,
                                on_delete=django.db.models.deletion.SET_NULL,
                                related_name="+",
                                to="vaultadmin.secret",
                            ),
                        ),
                        (
                            "started_by",
                            models.ForeignKey(
                                null=True,
                                on_delete=django.db.models.deletion.PROTECT,
                                related_name="+",
                                to="vaultadmin.membership",
                            ),
                        ),
                        (
                            "vault",
                            models.ForeignKey(
                                on_delete=django.db.models.deletion.CASCADE,
                                related_name="ecoa_set_ups",
                                to="vaultadmin.vault",
                            ),
                        ),
                    ],
                    options={
                        "ordering": ["-id"],
                        "indexes": [
                            models.Index(
                                condition=models.Q(("test_state__in", ["queued", "running"])),
                                fields=["id"],
                                name="set_up_to_test",
                            )
                        ],
                        "constraints": [
                            models.CheckConstraint(
                                condition=models.Q(("state", "open"), ("secret__isnull", True), _connector="OR"),
                                name="set_up_keeps_no_secret_when_over",
                            )
                        ],
                    },
                ),
                migrations.CreateModel(
                    name="SilenceAlarm",
                    fields=[
                        (
                            "id",
                            models.BigAutoField(
                                auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                            ),
                        ),
                        ("opened_at", models.DateTimeField()),
                        ("expected_at", models.DateTimeField()),
                        ("last_arrival_at", models.DateTimeField(null=True)),
                        ("reason", models.CharField(max_length=500)),
                        ("snoozed_until", models.DateTimeField(null=True)),
                        ("snooze_note", models.CharField(blank=True, max_length=255)),
                        ("closed_at", models.DateTimeField(null=True)),
                        (
                            "ended_by",
                            models.CharField(
                                blank=True,
                                choices=[
                                    ("arrived", "Something arrived"),
                                    ("not_expected", "Nothing is expected any more"),
                                ],
                                max_length=12,
                            ),
                        ),
                        (
                            "site",
                            models.ForeignKey(
                                on_delete=django.db.models.deletion.CASCADE, related_name="alarms", to="ecoa.site"
                            ),
                        ),
                        (
                            "snoozed_by",
                            models.ForeignKey(
                                null=True,
                                on_delete=django.db.models.deletion.PROTECT,
                                related_name="+",
                                to="vaultadmin.membership",
                            ),
                        ),
                    ],
                    options={
                        "ordering": ["-id"],
                        "constraints": [
                            models.UniqueConstraint(
                                condition=models.Q(("closed_at__isnull", True)),
                                fields=("site",),
                                name="silence_alarm_one_open_per_site",
                            ),
                            models.CheckConstraint(
                                condition=models.Q(
                                    models.Q(("closed_at__isnull", True), ("ended_by", "")),
                                    models.Q(("closed_at__isnull", False), models.Q(("ended_by", ""), _negated=True)),
                                    _connector="OR",
                                ),
                                name="silence_alarm_end_whole",
                            ),
                        ],
                    },
                ),
                migrations.CreateModel(
                    name="SitePause",
                    fields=[
                        (
                            "id",
                            models.BigAutoField(
                                auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                            ),
                        ),
                        ("starts_at", models.DateTimeField(verbose_name="from")),
                        ("ends_at", models.DateTimeField(null=True, verbose_name="until")),
                        ("reason", models.CharField(max_length=255, verbose_name="reason")),
                        ("created_at", models.DateTimeField()),
                        (
                            "created_by",
                            models.ForeignKey(
                                null=True,
                                on_delete=django.db.models.deletion.PROTECT,
                                related_name="+",
                                to="vaultadmin.membership",
                            ),
                        ),
                        (
                            "site",
                            models.ForeignKey(
                                on_delete=django.db.models.deletion.CASCADE, related_name="pauses", to="ecoa.site"
                            ),
                        ),
                    ],
                    options={
                        "ordering": ["-starts_at", "-pk"],
                        "constraints": [
                            models.CheckConstraint(
                                condition=models.Q(
                                    ("ends_at__isnull", True), ("ends_at__gt", models.F("starts_at")), _connector="OR"
                                ),
                                name="site_pause_ends_after_start",
                            )
                        ],
                    },
                ),
                migrations.CreateModel(
                    name="SiteRhythm",
                    fields=[
                        (
                            "site",
                            models.OneToOneField(
                                on_delete=django.db.models.deletion.CASCADE,
                                primary_key=True,
                                related_name="rhythm",
                                serialize=False,
                                to="ecoa.site",
                            ),
                        ),
                        ("interval_hours", models.PositiveIntegerField(verbose_name="expected at least every")),
                        ("grace_hours", models.PositiveIntegerField(default=0, verbose_name="may be late by")),
                        ("time_zone", models.CharField(default="UTC", max_length=64, verbose_name="time zone")),
                        ("quiet_from", models.TimeField(null=True, verbose_name="night begins")),
                        ("quiet_until", models.TimeField(null=True, verbose_name="night ends")),
                        (
                            "quiet_days",
                            django.contrib.postgres.fields.ArrayField(
                                base_field=models.PositiveSmallIntegerField(),
                                default=list,
                                size=None,
                                verbose_name="days off",
                            ),
                        ),
                        ("declared_at", models.DateTimeField()),
                        ("due_at", models.DateTimeField(null=True)),
                    ],
                    options={
                        "indexes": [
                            models.Index(
                                condition=models.Q(("due_at__isnull", False)), fields=["due_at"], name="site_rhythm_due"
                            )
                        ],
                        "constraints": [
                            models.CheckConstraint(
                                condition=models.Q(
                                    ("grace_hours__lte", 8784),
                                    ("interval_hours__gte", 1),
                                    ("interval_hours__lte", 8784),
                                ),
                                name="site_rhythm_in_range",
                            ),
                            models.CheckConstraint(
                                condition=models.Q(
                                    models.Q(("quiet_from__isnull", True), ("quiet_until__isnull", True)),
                                    models.Q(
                                        ("quiet_from__isnull", False),
                                        ("quiet_until__isnull", False),
                                        models.Q(("quiet_from", models.F("quiet_until")), _negated=True),
                                    ),
                                    _connector="OR",
                                ),
                                name="site_rhythm_night_whole",
                            ),
                        ],
                    },
                ),
                migrations.CreateModel(
                    name="SyncDay",
                    fields=[
                        (
                            "id",
                            models.BigAutoField(
                                auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                            ),
                        ),
                        ("date", models.DateField(verbose_name="day")),
                        ("sent", models.BigIntegerField(default=0, verbose_name="Sent")),
                        ("confirmed", models.BigIntegerField(default=0, verbose_name="Confirmed")),
                        ("rejected", models.BigIntegerField(default=0, verbose_name="Not accepted")),
                        ("unknown", models.BigIntegerField(default=0, verbose_name="Not known")),
                        (
                            "mapping",
                            models.ForeignKey(
                                on_delete=django.db.models.deletion.CASCADE, related_name="days", to="ecoa.studymapping"
                            ),
                        ),
                    ],
                    options={
                        "ordering": ["-date"],
                        "constraints": [models.UniqueConstraint(fields=("mapping", "date"), name="sync_day_once")],
                    },
                ),
                migrations.CreateModel(
                    name="CallHour",
                    fields=[
                        (
                            "pk",
                            models.CompositePrimaryKey(
                                "mapping_id", "hour", blank=True, editable=False, primary_key=True, serialize=False
                            ),
                        ),
                        (
                            "mapping",
                            models.ForeignKey(
                                db_index=False,
                                on_delete=django.db.models.deletion.CASCADE,
                                related_name="+",
                                to="ecoa.studymapping",
                            ),
                        ),
                        ("hour", models.DateTimeField()),
                        ("calls", models.IntegerField(default=0)),
                    ],
                ),
                migrations.CreateModel(
                    name="Decision",
                    fields=[
                        (
                            "id",
                            models.BigAutoField(
                                auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                            ),
                        ),
                        (
                            "remedy",
                            models.CharField(
                                choices=[
                                    ("keep_ours", "Keep our value and send it again"),
                                    ("take_theirs", "Take the value eCOA holds"),
                                    ("at_source", "Correct it at the source"),
                                    ("accept_region", "Accept the new region"),
                                ],
                                max_length=13,
                                verbose_name="decision",
                            ),
                        ),
                        ("reason", models.CharField(max_length=500, verbose_name="reason")),
                        (
                            "state",
                            models.CharField(
                                choices=[("running", "Being carried out"), ("done", "Carried out")],
                                default="running",
                                max_length=7,
                            ),
                        ),
                        (
                            "chosen",
                            django.contrib.postgres.fields.ArrayField(base_field=models.BigIntegerField(), size=None),
                        ),
                        (
                            "stamps",
                            django.contrib.postgres.fields.ArrayField(base_field=models.IntegerField(), size=None),
                        ),
                        ("excluded", models.JSONField(default=list)),
                        ("cursor", models.IntegerField(default=0)),
                        ("done", models.IntegerField(default=0)),
                        ("decider_label", models.CharField(max_length=255)),
                        ("decided_at", models.DateTimeField()),
                        ("finished_at", models.DateTimeField(null=True)),
                        ("lease_token", models.UUIDField(null=True)),
                        ("lease_until", models.DateTimeField(null=True)),
                        (
                            "decided_by",
                            models.ForeignKey(
                                null=True,
                                on_delete=django.db.models.deletion.PROTECT,
                                related_name="+",
                                to="vaultadmin.membership",
                            ),
                        ),
                        (
                            "signature",
                            models.ForeignKey(
                                null=True,
                                on_delete=django.db.models.deletion.PROTECT,
                                related_name="+",
                                to="vaultadmin.signature",
                            ),
                        ),
                        (
                            "vault",
                            models.ForeignKey(
                                on_delete=django.db.models.deletion.CASCADE, related_name="+", to="vaultadmin.vault"
                            ),
                        ),
                    ],
                    options={
                        "ordering": ["-id"],
                        "indexes": [
                            models.Index(fields=["vault", "-id"], name="decision_newest"),
                            models.Index(
                                condition=models.Q(("state", "running")), fields=["id"], name="decision_unfinished"
                            ),
                        ],
                    },
                ),
                migrations.CreateModel(
                    name="ReadBack",
                    fields=[
                        (
                            "participant",
                            models.OneToOneField(
                                on_delete=django.db.models.deletion.CASCADE,
                                primary_key=True,
                                related_name="read_back",
                                serialize=False,
                                to="ecoa.participant",
                            ),
                        ),
                        ("agrees", models.BooleanField()),
                        ("their_value", models.CharField(blank=True, max_length=500)),
                        ("read_at", models.DateTimeField()),
                        ("confirmed_at", models.DateTimeField(null=True)),
                        (
                            "site",
                            models.ForeignKey(
                                db_index=False,
                                on_delete=django.db.models.deletion.CASCADE,
                                related_name="+",
                                to="ecoa.site",
                            ),
                        ),
                    ],
                ),
                migrations.CreateModel(
                    name="ReadBackCycle",
                    fields=[
                        (
                            "id",
                            models.BigAutoField(
                                auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                            ),
                        ),
                        (
                            "state",
                            models.CharField(
                                choices=[("running", "Running"), ("finished", "Finished")],
                                default="running",
                                max_length=8,
                            ),
                        ),
                        ("hurried", models.BooleanField(default=False)),
                        ("starter_label", models.CharField(max_length=255)),
                        ("started_at", models.DateTimeField()),
                        ("finished_at", models.DateTimeField(null=True)),
                        ("not_before", models.DateTimeField()),
                        ("cursor", models.CharField(blank=True, db_collation="C", max_length=255)),
                        ("planned", models.BigIntegerField(default=0)),
                        ("read", models.BigIntegerField(default=0)),
                        ("unread", models.BigIntegerField(default=0)),
                        ("found", models.BigIntegerField(default=0)),
                        ("cleared", models.BigIntegerField(default=0)),
                        ("calls", models.BigIntegerField(default=0)),
                        ("trouble", models.CharField(blank=True, max_length=32)),
                        ("setbacks", models.SmallIntegerField(default=0)),
                        ("lease_token", models.UUIDField(null=True)),
                        ("lease_until", models.DateTimeField(null=True)),
                        (
                            "mapping",
                            models.ForeignKey(
                                on_delete=django.db.models.deletion.CASCADE,
                                related_name="cycles",
                                to="ecoa.studymapping",
                            ),
                        ),
                        (
                            "vault",
                            models.ForeignKey(
                                on_delete=django.db.models.deletion.CASCADE, related_name="+", to="vaultadmin.vault"
                            ),
                        ),
                        (
                            "leftovers",
                            django.contrib.postgres.fields.ArrayField(
                                base_field=models.BigIntegerField(), default=list, size=None
                            ),
                        ),
                    ],
                    options={
                        "ordering": ["-id"],
                        "indexes": [models.Index(fields=["mapping", "-id"], name="cycle_newest")],
                        "constraints": [
                            models.UniqueConstraint(
                                condition=models.Q(("state", "running")), fields=("mapping",), name="cycle_one_running"
                            )
                        ],
                    },
                ),
                migrations.CreateModel(
                    name="SiteReading",
                    fields=[
                        (
                            "site",
                            models.OneToOneField(
                                on_delete=django.db.models.deletion.CASCADE,
                                primary_key=True,
                                related_name="reading",
                                serialize=False,
                                to="ecoa.site",
                            ),
                        ),
                        ("agreed", models.BigIntegerField(default=0)),
                        ("differing", models.BigIntegerField(default=0)),
                        ("open", models.BigIntegerField(default=0)),
                        ("stamp", models.BigIntegerField(default=0)),
                        ("region", models.CharField(blank=True, max_length=500)),
                        ("checked_in", models.BigIntegerField(null=True)),
                        ("last_read_at", models.DateTimeField(null=True)),
                    ],
                ),
                migrations.CreateModel(
                    name="ServiceSecret",
                    fields=[
                        (
                            "id",
                            models.BigAutoField(
                                auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                            ),
                        ),
                        ("version", models.PositiveIntegerField()),
                        ("salt", models.BinaryField(max_length=16)),
                        ("digest", models.BinaryField(max_length=32)),
                        ("created_at", models.DateTimeField()),
                        ("ends_at", models.DateTimeField(blank=True, null=True, verbose_name="Ends")),
                        ("revoked_at", models.DateTimeField(blank=True, null=True, verbose_name="Revoked")),
                        (
                            "system",
                            models.ForeignKey(
                                on_delete=django.db.models.deletion.CASCADE,
                                related_name="secrets",
                                to="ecoa.servicesystem",
                            ),
                        ),
                    ],
                    options={
                        "constraints": [
                            models.UniqueConstraint(fields=("system", "version"), name="ecoa_service_secret_once")
                        ],
                    },
                ),
                migrations.CreateModel(
                    name="ColumnMapping",
                    fields=[
                        (
                            "id",
                            models.BigAutoField(
                                auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                            ),
                        ),
                        ("name", models.CharField(max_length=128, verbose_name="name")),
                        ("heading", models.JSONField(verbose_name="first row")),
                        ("heading_key", models.CharField(editable=False, max_length=64)),
                        ("site", models.SmallIntegerField(verbose_name="site")),
                        ("participant_id", models.SmallIntegerField(verbose_name="participant ID")),
                        ("internal_id", models.SmallIntegerField(verbose_name="internal ID")),
                        ("created_at", models.DateTimeField()),
                        (
                            "mapping",
                            models.ForeignKey(
                                on_delete=django.db.models.deletion.CASCADE,
                                related_name="column_mappings",
                                to="ecoa.studymapping",
                                verbose_name="study",
                            ),
                        ),
                        (
                            "vault",
                            models.ForeignKey(
                                on_delete=django.db.models.deletion.CASCADE, related_name="+", to="vaultadmin.vault"
                            ),
                        ),
                    ],
                    options={
                        "ordering": ["mapping__name", "name", "pk"],
                        "constraints": [
                            models.UniqueConstraint(fields=("mapping", "name"), name="column_mapping_name_once"),
                            models.UniqueConstraint(
                                fields=("mapping", "heading_key"), name="column_mapping_heading_once"
                            ),
                        ],
                    },
                ),
                migrations.CreateModel(
                    name="FileImport",
                    fields=[
                        (
                            "id",
                            models.BigAutoField(
                                auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                            ),
                        ),
                        ("file_name", models.CharField(max_length=255)),
                        ("sha256", models.CharField(max_length=64)),
                        ("encoding", models.CharField(blank=True, max_length=16)),
                        ("notes", models.JSONField(default=list)),
                        (
                            "state",
                            models.CharField(
                                choices=[
                                    ("mapping", "Columns to be chosen"),
                                    ("checking", "Being checked"),
                                    ("ready", "Ready to import"),
                                    ("refused", "Cannot be imported"),
                                    ("storing", "Being imported"),
                                    ("done", "Imported"),
                                    ("discarded", "Discarded"),
                                ],
                                default="checking",
                                max_length=9,
                            ),
                        ),
                        ("refusal", models.CharField(blank=True, max_length=500)),
                        ("starter_label", models.CharField(max_length=255)),
                        ("created_at", models.DateTimeField()),
                        ("confirmed_at", models.DateTimeField(null=True)),
                        ("finished_at", models.DateTimeField(null=True)),
                        ("lease_token", models.UUIDField(null=True)),
                        ("lease_until", models.DateTimeField(null=True)),
                        ("row_count", models.BigIntegerField(default=0)),
                        ("bad", models.BigIntegerField(default=0)),
                        ("new", models.BigIntegerField(default=0)),
                        ("changed", models.BigIntegerField(default=0)),
                        ("same", models.BigIntegerField(default=0)),
                        ("cursor", models.BigIntegerField(default=0)),
                        ("stored", models.BigIntegerField(default=0)),
                        ("skipped", models.BigIntegerField(default=0)),
                        (
                            "started_by",
                            models.ForeignKey(
                                null=True,
                                on_delete=django.db.models.deletion.PROTECT,
                                related_name="+",
                                to="vaultadmin.membership",
                            ),
                        ),
                        (
                            "vault",
                            models.ForeignKey(
                                on_delete=django.db.models.deletion.CASCADE,
                                related_name="file_imports",
                                to="vaultadmin.vault",
                            ),
                        ),
                        (
                            "mapping",
                            models.ForeignKey(
                                on_delete=django.db.models.deletion.PROTECT,
                                related_name="files",
                                to="ecoa.studymapping",
                                verbose_name="study",
                            ),
                        ),
                        ("columns", models.JSONField(null=True)),
                        ("heading", models.JSONField(db_default=[], default=list)),
                        ("sample", models.JSONField(db_default=[], default=list)),
                        (
                            "columns_from",
                            models.ForeignKey(
                                null=True,
                                on_delete=django.db.models.deletion.SET_NULL,
                                related_name="+",
                                to="ecoa.columnmapping",
                                verbose_name="saved columns",
                            ),
                        ),
                    ],
                    options={
                        "ordering": ["-id"],
                        "indexes": [
                            models.Index(
                                condition=models.Q(("state__in", ["checking", "storing"])),
                                fields=["state"],
                                name="file_import_unfinished",
                            )
                        ],
                    },
                ),
                migrations.CreateModel(
                    name="SyncRun",
                    fields=[
                        (
                            "id",
                            models.BigAutoField(
                                auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                            ),
                        ),
                        (
                            "scope",
                            models.CharField(
                                choices=[
                                    ("incremental", "What changed or is not in eCOA yet"),
                                    ("all", "Everything"),
                                    ("chosen", "Chosen participants"),
                                    ("file", "Participants of one file"),
                                    ("retry", "What an earlier run could not bring over"),
                                    ("doubt", "What is not known yet: eCOA is asked"),
                                    ("correction", "Signed corrections, each read back"),
                                    ("arrived", "What arrived or changed"),
                                ],
                                max_length=16,
                            ),
                        ),
                        (
                            "chosen",
                            django.contrib.postgres.fields.ArrayField(
                                base_field=models.BigIntegerField(), editable=False, null=True, size=None
                            ),
                        ),
                        (
                            "state",
                            django_fsm.FSMField(
                                choices=[
                                    ("queued", "Queued"),
                                    ("planned", "Planned"),
                                    ("running", "Running"),
                                    ("paused", "Paused"),
                                    ("finished", "Finished"),
                                    ("cancelled", "Cancelled"),
                                ],
                                default="planned",
                                max_length=50,
                                protected=True,
                            ),
                        ),
                        ("starter_label", models.CharField(max_length=255)),
                        ("created_at", models.DateTimeField()),
                        ("started_at", models.DateTimeField(null=True)),
                        ("finished_at", models.DateTimeField(null=True)),
                        ("cancel_requested_at", models.DateTimeField(null=True)),
                        ("silent_since", models.DateTimeField(null=True)),
                        ("total", models.BigIntegerField(default=0)),
                        ("synced", models.BigIntegerField(default=0)),
                        ("rejected", models.BigIntegerField(default=0)),
                        ("unknown", models.BigIntegerField(default=0)),
                        ("dropped", models.BigIntegerField(default=0)),
                        (
                            "file",
                            models.ForeignKey(
                                null=True,
                                on_delete=django.db.models.deletion.PROTECT,
                                related_name="runs",
                                to="ecoa.fileimport",
                            ),
                        ),
                        (
                            "mapping",
                            models.ForeignKey(
                                on_delete=django.db.models.deletion.PROTECT,
                                related_name="runs",
                                to="ecoa.studymapping",
                                verbose_name="study",
                            ),
                        ),
                        (
                            "retry_of",
                            models.ForeignKey(
                                null=True,
                                on_delete=django.db.models.deletion.PROTECT,
                                related_name="retries",
                                to="ecoa.syncrun",
                            ),
                        ),
                        (
                            "started_by",
                            models.ForeignKey(
                                null=True,
                                on_delete=django.db.models.deletion.PROTECT,
                                related_name="+",
                                to="vaultadmin.membership",
                            ),
                        ),
                        (
                            "vault",
                            models.ForeignKey(
                                on_delete=django.db.models.deletion.CASCADE,
                                related_name="sync_runs",
                                to="vaultadmin.vault",
                            ),
                        ),
                        ("confirmed", models.BigIntegerField(db_default=0, default=0)),
                        ("held_asked", models.BigIntegerField(db_default=0, default=0)),
                        ("held_until", models.DateTimeField(null=True)),
                        ("paused_at", models.DateTimeField(null=True)),
                        ("paused_by_label", models.CharField(blank=True, db_default="", max_length=255)),
                    ],
                    options={
                        "ordering": ["-id"],
                        "indexes": [models.Index(fields=["vault", "-id"], name="sync_run_newest")],
                        "constraints": [
                            models.UniqueConstraint(
                                condition=models.Q(("state__in", ["planned", "running", "paused"])),
                                fields=("mapping",),
                                name="sync_run_one_open",
                            ),
                            models.UniqueConstraint(
                                condition=models.Q(("state", "queued")), fields=("mapping",), name="sync_run_one_queued"
                            ),
                        ],
                    },
                    bases=(django_fsm.ConcurrentTransitionMixin, models.Model),
                ),
                migrations.CreateModel(
                    name="SyncItem",
                    fields=[
                        (
                            "id",
                            models.BigAutoField(
                                auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                            ),
                        ),
                        ("site_number", models.CharField(max_length=255)),
                        ("value", models.CharField(max_length=255)),
                        ("internal_id", models.CharField(max_length=255)),
                        ("version", models.IntegerField()),
                        (
                            "state",
                            models.CharField(
                                choices=[
                                    ("waiting", "Waiting"),
                                    ("synced", "In eCOA"),
                                    ("rejected", "Not accepted"),
                                    ("unknown", "Not known"),
                                    ("cancelled", "Not sent"),
                                ],
                                default="waiting",
                                max_length=9,
                            ),
                        ),
                        (
                            "doubtful",
                            models.BooleanField(
                                default=False, help_text="An earlier try may have landed: ask before sending."
                            ),
                        ),
                        ("due_at", models.DateTimeField(null=True)),
                        ("lease_token", models.UUIDField(null=True)),
                        ("lease_until", models.DateTimeField(null=True)),
                        ("attempts", models.SmallIntegerField(default=0)),
                        ("crashes", models.SmallIntegerField(default=0)),
                        ("code", models.CharField(blank=True, max_length=32)),
                        ("read_back", models.BooleanField(default=False)),
                        ("settled_at", models.DateTimeField(null=True)),
                        (
                            "participant",
                            models.ForeignKey(
                                on_delete=django.db.models.deletion.CASCADE, related_name="items", to="ecoa.participant"
                            ),
                        ),
                        (
                            "run",
                            models.ForeignKey(
                                db_index=False,
                                on_delete=django.db.models.deletion.CASCADE,
                                related_name="items",
                                to="ecoa.syncrun",
                            ),
                        ),
                        ("ask_only", models.BooleanField(db_default=False, default=False)),
                    ],
                    options={
                        "indexes": [
                            models.Index(
                                condition=models.Q(("due_at__isnull", False), ("lease_token__isnull", True)),
                                fields=["run", "crashes", "due_at"],
                                name="sync_item_claimable",
                            ),
                            models.Index(
                                condition=models.Q(("lease_token__isnull", False)),
                                fields=["lease_until"],
                                name="sync_item_leased",
                            ),
                            models.Index(
                                condition=models.Q(("lease_token__isnull", False)),
                                fields=["lease_token"],
                                name="sync_item_token",
                            ),
                            models.Index(
                                condition=models.Q(("due_at__isnull", True), ("state__in", ["rejected", "unknown"])),
                                fields=["run", "id"],
                                name="sync_item_failed",
                            ),
                        ],
                        "constraints": [
                            models.UniqueConstraint(fields=("run", "participant"), name="sync_item_once_per_run"),
                            models.CheckConstraint(
                                condition=models.Q(
                                    models.Q(("lease_token__isnull", True), ("lease_until__isnull", True)),
                                    models.Q(
                                        ("due_at__isnull", False),
                                        ("lease_token__isnull", False),
                                        ("lease_until__isnull", False),
                                    ),
                                    _connector="OR",
                                ),
                                name="sync_item_lease_whole",
                            ),
                        ],
                    },
                ),
                migrations.CreateModel(
                    name="Attempt",
                    fields=[
                        (
                            "id",
                            models.BigAutoField(
                                auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                            ),
                        ),
                        ("number", models.SmallIntegerField()),
                        ("value", models.CharField(max_length=255)),
                        ("started_at", models.DateTimeField()),
                        ("ended_at", models.DateTimeField(null=True)),
                        (
                            "outcome",
                            models.CharField(
                                choices=[
                                    ("started", "Started, no outcome noted"),
                                    ("synced", "In eCOA"),
                                    ("rejected", "Not accepted"),
                                    ("unknown", "Not known"),
                                    ("not_sent", "Nothing was sent"),
                                ],
                                default="started",
                                max_length=8,
                            ),
                        ),
                        ("stage", models.SmallIntegerField(default=0)),
                        ("code", models.CharField(blank=True, max_length=32)),
                        ("detail", models.CharField(blank=True, max_length=500)),
                        ("read_back", models.BooleanField(default=False)),
                        (
                            "participant",
                            models.ForeignKey(
                                on_delete=django.db.models.deletion.CASCADE, related_name="tries", to="ecoa.participant"
                            ),
                        ),
                        (
                            "item",
                            models.ForeignKey(
                                on_delete=django.db.models.deletion.CASCADE, related_name="tries", to="ecoa.syncitem"
                            ),
                        ),
                    ],
                ),
                migrations.CreateModel(
                    name="FileRow",
                    fields=[
                        (
                            "pk",
                            models.CompositePrimaryKey(
                                "file_id", "line", blank=True, editable=False, primary_key=True, serialize=False
                            ),
                        ),
                        ("line", models.BigIntegerField()),
                        ("site", models.TextField(db_collation="C")),
                        ("participant_id", models.TextField(db_collation="C")),
                        ("internal_id", models.TextField(db_collation="C")),
                        (
                            "problems",
                            django.contrib.postgres.fields.ArrayField(
                                base_field=models.TextField(), null=True, size=None
                            ),
                        ),
                        (
                            "file",
                            models.ForeignKey(
                                db_index=False,
                                on_delete=django.db.models.deletion.CASCADE,
                                related_name="lines",
                                to="ecoa.fileimport",
                            ),
                        ),
                        (
                            "stored_as",
                            models.ForeignKey(
                                db_constraint=False,
                                db_index=False,
                                null=True,
                                on_delete=django.db.models.deletion.CASCADE,
                                related_name="+",
                                to="ecoa.participant",
                            ),
                        ),
                    ],
                    options={
                        "indexes": [
                            models.Index(
                                condition=models.Q(("problems__isnull", False)),
                                fields=["file", "line"],
                                name="file_row_with_problems",
                            )
                        ],
                    },
                ),
                migrations.CreateModel(
                    name="Discrepancy",
                    fields=[
                        (
                            "id",
                            models.BigAutoField(
                                auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                            ),
                        ),
                        (
                            "kind",
                            models.CharField(
                                choices=[
                                    ("conflict", "Conflict"),
                                    ("missing", "Missing in eCOA"),
                                    ("id_differs", "ID differs"),
                                    ("region_moved", "Region moved"),
                                    ("mapping_gone", "Study not mapped"),
                                    ("site_unmapped", "Site not mapped"),
                                ],
                                max_length=13,
                                verbose_name="kind",
                            ),
                        ),
                        (
                            "state",
                            models.CharField(
                                choices=[
                                    ("open", "Open"),
                                    ("decided", "Decided, proof to come"),
                                    ("cleared", "Cleared"),
                                ],
                                default="open",
                                max_length=7,
                                verbose_name="state",
                            ),
                        ),
                        ("code", models.CharField(blank=True, max_length=32)),
                        ("detail", models.CharField(blank=True, max_length=500)),
                        ("version", models.IntegerField(default=0)),
                        ("our_value", models.CharField(blank=True, max_length=500, verbose_name="our value")),
                        ("their_value", models.CharField(blank=True, max_length=500, verbose_name="eCOA's value")),
                        ("their_my_id", models.CharField(blank=True, max_length=255)),
                        ("holder_unknown", models.BooleanField(default=False)),
                        (
                            "found_by",
                            models.CharField(
                                choices=[("resolver", "While sending"), ("radar", "By the drift radar")], max_length=8
                            ),
                        ),
                        ("found_at", models.DateTimeField()),
                        ("seen_at", models.DateTimeField()),
                        ("send_due", models.BooleanField(default=False)),
                        ("cleared_at", models.DateTimeField(null=True)),
                        ("stamp", models.IntegerField(default=1)),
                        (
                            "decision",
                            models.ForeignKey(
                                null=True,
                                on_delete=django.db.models.deletion.SET_NULL,
                                related_name="discrepancies",
                                to="ecoa.decision",
                            ),
                        ),
                        (
                            "mapping",
                            models.ForeignKey(
                                on_delete=django.db.models.deletion.CASCADE,
                                related_name="discrepancies",
                                to="ecoa.studymapping",
                            ),
                        ),
                        (
                            "participant",
                            models.ForeignKey(
                                db_index=False,
                                null=True,
                                on_delete=django.db.models.deletion.CASCADE,
                                related_name="discrepancies",
                                to="ecoa.participant",
                            ),
                        ),
                        (
                            "run",
                            models.ForeignKey(
                                null=True,
                                on_delete=django.db.models.deletion.SET_NULL,
                                related_name="+",
                                to="ecoa.syncrun",
                            ),
                        ),
                        (
                            "site",
                            models.ForeignKey(
                                db_index=False,
                                on_delete=django.db.models.deletion.CASCADE,
                                related_name="discrepancies",
                                to="ecoa.site",
                            ),
                        ),
                        (
                            "vault",
                            models.ForeignKey(
                                on_delete=django.db.models.deletion.CASCADE, related_name="+", to="vaultadmin.vault"
                            ),
                        ),
                    ],
                    options={
                        "verbose_name_plural": "discrepancies",
                        "ordering": ["-id"],
                        "indexes": [
                            models.Index(fields=["vault", "-id"], name="discrepancy_newest"),
                            models.Index(
                                condition=models.Q(("state__in", ["open", "decided"])),
                                fields=["vault", "-id"],
                                name="discrepancy_standing",
                            ),
                            models.Index(
                                condition=models.Q(("state__in", ["open", "decided"])),
                                fields=["site", "-id"],
                                name="discrepancy_of_site",
                            ),
                            models.Index(
                                condition=models.Q(("send_due", True)), fields=["mapping"], name="discrepancy_to_send"
                            ),
                            models.Index(fields=["participant", "-id"], name="discrepancy_of_participant"),
                        ],
                        "constraints": [
                            models.UniqueConstraint(
                                condition=models.Q(("state__in", ["open", "decided"])),
                                fields=("participant",),
                                name="discrepancy_one_standing",
                            ),
                            models.UniqueConstraint(
                                condition=models.Q(("participant__isnull", True), ("state__in", ["open", "decided"])),
                                fields=("site", "kind"),
                                name="discrepancy_one_standing_of_site",
                            ),
                        ],
                    },
                ),
                migrations.CreateModel(
                    name="Evidence",
                    fields=[
                        (
                            "id",
                            models.BigAutoField(
                                auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                            ),
                        ),
                        ("asked_at", models.DateTimeField()),
                        ("asked_by", models.CharField(max_length=64)),
                        ("path", models.CharField(max_length=1000)),
                        ("status", models.SmallIntegerField(null=True)),
                        ("code", models.CharField(blank=True, max_length=32)),
                        ("answer", models.CharField(blank=True, max_length=500)),
                        ("my_veeva_participant_id", models.CharField(blank=True, max_length=255)),
                        (
                            "verdict",
                            models.CharField(
                                choices=[
                                    ("landed", "It had landed"),
                                    ("absent", "It had not landed: safe to send"),
                                    ("conflict", "Conflict: a person decides"),
                                    ("confirmed", "Confirmed"),
                                    ("differs", "Differs"),
                                    ("open", "No answer that settles it"),
                                ],
                                max_length=9,
                            ),
                        ),
                        (
                            "attempt",
                            models.ForeignKey(
                                db_index=False,
                                null=True,
                                on_delete=django.db.models.deletion.CASCADE,
                                related_name="evidence",
                                to="ecoa.attempt",
                            ),
                        ),
                        (
                            "discrepancy",
                            models.ForeignKey(
                                null=True,
                                on_delete=django.db.models.deletion.CASCADE,
                                related_name="evidence",
                                to="ecoa.discrepancy",
                            ),
                        ),
                        (
                            "participant",
                            models.ForeignKey(
                                db_index=False,
                                on_delete=django.db.models.deletion.CASCADE,
                                related_name="evidence",
                                to="ecoa.participant",
                            ),
                        ),
                    ],
                    options={
                        "verbose_name_plural": "evidence",
                        "ordering": ["-id"],
                        "indexes": [models.Index(fields=["participant", "-id"], name="evidence_of_participant")],
                    },
                ),
                migrations.CreateModel(
                    name="CallShare",
                    fields=[
                        (
                            "id",
                            models.BigAutoField(
                                auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                            ),
                        ),
                        ("pool", models.CharField(db_collation="C", max_length=600)),
                        ("holder", models.UUIDField()),
                        ("is_region", models.BooleanField(default=False)),
                        ("wanted", models.SmallIntegerField()),
                        ("granted", models.SmallIntegerField()),
                        ("until", models.DateTimeField()),
                        ("calls", models.SmallIntegerField(default=0)),
                        ("pace", models.SmallIntegerField(default=0)),
                        ("latency_ms", models.IntegerField(default=0)),
                        ("per_second", models.FloatField(default=0.0)),
                        ("slowed", models.CharField(blank=True, max_length=8)),
                        (
                            "run",
                            models.ForeignKey(
                                db_index=False,
                                on_delete=django.db.models.deletion.CASCADE,
                                related_name="shares",
                                to="ecoa.syncrun",
                            ),
                        ),
                    ],
                    options={
                        "indexes": [models.Index(fields=["run"], name="call_share_run")],
                        "constraints": [models.UniqueConstraint(fields=("pool", "holder"), name="call_share_once")],
                    },
                ),
                migrations.CreateModel(
                    name="RunReason",
                    fields=[
                        (
                            "id",
                            models.BigAutoField(
                                auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                            ),
                        ),
                        (
                            "state",
                            models.CharField(
                                choices=[
                                    ("waiting", "Waiting"),
                                    ("synced", "In eCOA"),
                                    ("rejected", "Not accepted"),
                                    ("unknown", "Not known"),
                                    ("cancelled", "Not sent"),
                                ],
                                max_length=9,
                            ),
                        ),
                        ("code", models.CharField(blank=True, max_length=32)),
                        ("amount", models.BigIntegerField()),
                        (
                            "run",
                            models.ForeignKey(
                                db_index=False,
                                on_delete=django.db.models.deletion.CASCADE,
                                related_name="reasons",
                                to="ecoa.syncrun",
                            ),
                        ),
                    ],
                    options={
                        "constraints": [
                            models.UniqueConstraint(fields=("run", "state", "code"), name="run_reason_once")
                        ],
                    },
                ),
                migrations.CreateModel(
                    name="Correction",
                    fields=[
                        (
                            "id",
                            models.BigAutoField(
                                auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                            ),
                        ),
                        ("old_value", models.CharField(max_length=255, verbose_name="participant ID before")),
                        (
                            "new_value",
                            models.CharField(db_collation="C", max_length=255, verbose_name="new participant ID"),
                        ),
                        ("reason", models.CharField(max_length=500, verbose_name="reason")),
                        (
                            "state",
                            django_fsm.FSMField(
                                choices=[
                                    ("asked", "Waits for the study team"),
                                    ("signed", "Signed, on its way"),
                                    ("confirmed", "In eCOA"),
                                    ("not_accepted", "Not accepted by eCOA"),
                                    ("overtaken", "Overtaken by the source"),
                                    ("rejected", "Rejected"),
                                    ("withdrawn", "Withdrawn"),
                                ],
                                default="asked",
                                max_length=50,
                                protected=True,
                                verbose_name="state",
                            ),
                        ),
                        ("asked_at", models.DateTimeField()),
                        ("decided_at", models.DateTimeField(null=True)),
                        ("comment", models.CharField(blank=True, max_length=2000, verbose_name="comment")),
                        ("version", models.IntegerField(null=True)),
                        ("push_at", models.DateTimeField(null=True)),
                        ("pushes", models.PositiveSmallIntegerField(default=0)),
                        ("ended_at", models.DateTimeField(null=True)),
                        (
                            "asked_by",
                            models.ForeignKey(
                                on_delete=django.db.models.deletion.PROTECT,
                                related_name="+",
                                to="vaultadmin.membership",
                            ),
                        ),
                        (
                            "decided_by",
                            models.ForeignKey(
                                null=True,
                                on_delete=django.db.models.deletion.PROTECT,
                                related_name="+",
                                to="vaultadmin.membership",
                            ),
                        ),
                        (
                            "evidence",
                            models.ForeignKey(
                                null=True,
                                on_delete=django.db.models.deletion.SET_NULL,
                                related_name="+",
                                to="ecoa.attempt",
                            ),
                        ),
                        (
                            "mapping",
                            models.ForeignKey(
                                on_delete=django.db.models.deletion.PROTECT, related_name="+", to="ecoa.studymapping"
                            ),
                        ),
                        (
                            "participant",
                            models.ForeignKey(
                                on_delete=django.db.models.deletion.CASCADE,
                                related_name="corrections",
                                to="ecoa.participant",
                            ),
                        ),
                        (
                            "run",
                            models.ForeignKey(
                                null=True,
                                on_delete=django.db.models.deletion.SET_NULL,
                                related_name="+",
                                to="ecoa.syncrun",
                            ),
                        ),
                        (
                            "signature",
                            models.OneToOneField(
                                null=True,
                                on_delete=django.db.models.deletion.PROTECT,
                                related_name="+",
                                to="vaultadmin.signature",
                            ),
                        ),
                        (
                            "vault",
                            models.ForeignKey(
                                on_delete=django.db.models.deletion.CASCADE, related_name="+", to="vaultadmin.vault"
                            ),
                        ),
                    ],
                    options={
                        "ordering": ["-id"],
                        "indexes": [
                            models.Index(
                                condition=models.Q(("state", "signed")),
                                fields=["push_at"],
                                name="correction_on_its_way",
                            )
                        ],
                        "constraints": [
                            models.UniqueConstraint(
                                condition=models.Q(("state__in", ["asked", "signed"])),
                                fields=("participant",),
                                name="correction_one_open",
                            ),
                            models.UniqueConstraint(
                                condition=models.Q(("state__in", ["asked", "signed"])),
                                fields=("mapping", "new_value"),
                                name="correction_new_id_once",
                            ),
                            models.CheckConstraint(
                                condition=models.Q(
                                    models.Q(
                                        ("decided_by__isnull", True),
                                        ("signature__isnull", True),
                                        ("state__in", ["asked", "withdrawn"]),
                                    ),
                                    models.Q(
                                        ("decided_at__isnull", False),
                                        ("decided_by__isnull", False),
                                        ("signature__isnull", False),
                                    ),
                                    _connector="OR",
                                ),
                                name="correction_decision_signed",
                            ),
                            models.CheckConstraint(
                                condition=models.Q(
                                    models.Q(("ended_at__isnull", True), ("state__in", ["asked", "signed"])),
                                    models.Q(
                                        models.Q(("state__in", ["asked", "signed"]), _negated=True),
                                        ("ended_at__isnull", False),
                                    ),
                                    _connector="OR",
                                ),
                                name="correction_end_dated",
                            ),
                        ],
                    },
                    bases=(django_fsm.ConcurrentTransitionMixin, models.Model),
                ),
                migrations.CreateModel(
                    name="FileChunk",
                    fields=[
                        (
                            "pk",
                            models.CompositePrimaryKey(
                                "file_id", "number", blank=True, editable=False, primary_key=True, serialize=False
                            ),
                        ),
                        (
                            "file",
                            models.ForeignKey(
                                db_index=False,
                                on_delete=django.db.models.deletion.CASCADE,
                                related_name="chunks",
                                to="ecoa.fileimport",
                            ),
                        ),
                        ("number", models.IntegerField()),
                        ("data", models.BinaryField()),
                    ],
                ),
                migrations.CreateModel(
                    name="PushReceipt",
                    fields=[
                        (
                            "id",
                            models.BigAutoField(
                                auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                            ),
                        ),
                        ("key", models.CharField(db_collation="C", max_length=255)),
                        ("fingerprint", models.CharField(max_length=64)),
                        ("answer", models.TextField()),
                        ("created_at", models.DateTimeField(db_index=True)),
                        (
                            "member",
                            models.ForeignKey(
                                on_delete=django.db.models.deletion.CASCADE,
                                related_name="+",
                                to="vaultadmin.membership",
                            ),
                        ),
                        (
                            "vault",
                            models.ForeignKey(
                                on_delete=django.db.models.deletion.CASCADE, related_name="+", to="vaultadmin.vault"
                            ),
                        ),
                    ],
                    options={
                        "constraints": [
                            models.UniqueConstraint(fields=("vault", "member", "key"), name="push_receipt_key_once")
                        ],
                    },
                ),
                migrations.CreateModel(
                    name="SiteTransfer",
                    fields=[
                        (
                            "id",
                            models.BigAutoField(
                                auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                            ),
                        ),
                        ("reason", models.CharField(max_length=500)),
                        ("mover_label", models.CharField(max_length=255)),
                        ("moved_at", models.DateTimeField()),
                        ("version", models.IntegerField()),
                        ("my_id_before", models.CharField(blank=True, max_length=255)),
                        (
                            "from_site",
                            models.ForeignKey(
                                on_delete=django.db.models.deletion.PROTECT, related_name="+", to="ecoa.site"
                            ),
                        ),
                        (
                            "participant",
                            models.ForeignKey(
                                on_delete=django.db.models.deletion.CASCADE,
                                related_name="transfers",
                                to="ecoa.participant",
                            ),
                        ),
                        (
                            "to_site",
                            models.ForeignKey(
                                on_delete=django.db.models.deletion.PROTECT, related_name="+", to="ecoa.site"
                            ),
                        ),
                        (
                            "vault",
                            models.ForeignKey(
                                on_delete=django.db.models.deletion.CASCADE, related_name="+", to="vaultadmin.vault"
                            ),
                        ),
                    ],
                    options={
                        "ordering": ["-id"],
                    },
                ),
            ]
        ),
        migrations.RunSQL(TALLIES, NO_TALLIES),
        migrations.RunSQL(COUNTERS, NO_COUNTERS),
        migrations.RunSQL(FORGET, REMEMBER),
        migrations.RunSQL(REVISION, NO_REVISION),
        migrations.RunSQL(FIRST_REVISION, migrations.RunSQL.noop),
        migrations.RunSQL(BOUNDS, NO_BOUNDS),
        migrations.RunSQL(PLAIN, COMPRESSED),
    ]
