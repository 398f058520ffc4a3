"""The counters of reading back follow its rows by trigger; what our side changed is no longer confirmed."""

from django.db import migrations

_UPSERT = """
        INSERT INTO ecoa_sitereading AS t (site_id, agreed, differing, open, stamp, region)
        SELECT site_id, {columns}, 1, ''
          FROM ({moves}) AS moves
         GROUP BY site_id ORDER BY site_id
            ON CONFLICT (site_id) DO UPDATE
           SET agreed = t.agreed + excluded.agreed, differing = t.differing + excluded.differing,
               open = t.open + excluded.open, stamp = t.stamp + 1;
"""
# A site that goes takes its counters along; nothing puts them back.
_LESSEN = """
        UPDATE ecoa_sitereading t
           SET agreed = t.agreed + gone.agreed, differing = t.differing + gone.differing, open = t.open + gone.open,
               stamp = t.stamp + 1
          FROM (SELECT site_id, {columns} FROM ({moves}) AS moves GROUP BY site_id) gone
         WHERE gone.site_id = t.site_id;
"""
_COLUMNS = {
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
_EVENTS = {
    "insert": ("NEW TABLE AS new_rows", (("new_rows", 1),)),
    "update": ("OLD TABLE AS old_rows NEW TABLE AS new_rows", (("old_rows", -1), ("new_rows", 1))),
    "delete": ("OLD TABLE AS old_rows", (("old_rows", -1),)),
}


def _create(table: str, event: str) -> str:
    columns, seen = _COLUMNS[table]
    tables, parts = _EVENTS[event]
    # Every part is a constant of this file.
    each = [f"SELECT site_id, {seen}, {sign} AS n FROM {rows}" for rows, sign in parts]  # nosec B608
    moves = " UNION ALL ".join(each)
    statement = _LESSEN if event == "delete" else _UPSERT
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


COUNTERS = "".join(_create(table, event) for table in _COLUMNS for event in _EVENTS)
NO_COUNTERS = "".join(
    f"DROP TRIGGER {table}_counts_{event} ON {table}; DROP FUNCTION {table}_counts_{event}();"
    for table in _COLUMNS
    for event in _EVENTS
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

BOUNDS = """
ALTER TABLE ecoa_discrepancy
    ADD CONSTRAINT discrepancy_site_of_same_study FOREIGN KEY (site_id, mapping_id)
        REFERENCES ecoa_site (id, mapping_id) DEFERRABLE INITIALLY DEFERRED,
    ADD CONSTRAINT discrepancy_study_of_same_vault FOREIGN KEY (mapping_id, vault_id)
        REFERENCES ecoa_studymapping (id, vault_id) DEFERRABLE INITIALLY DEFERRED;
ALTER TABLE ecoa_readbackcycle
    ADD CONSTRAINT cycle_study_of_same_vault FOREIGN KEY (mapping_id, vault_id)
        REFERENCES ecoa_studymapping (id, vault_id) DEFERRABLE INITIALLY DEFERRED;
"""
NO_BOUNDS = """
ALTER TABLE ecoa_discrepancy DROP CONSTRAINT discrepancy_site_of_same_study,
    DROP CONSTRAINT discrepancy_study_of_same_vault;
ALTER TABLE ecoa_readbackcycle DROP CONSTRAINT cycle_study_of_same_vault;
"""


class Migration(migrations.Migration):
    dependencies = [("ecoa", "0008_read_back_and_discrepancies")]

    operations = [
        migrations.RunSQL(COUNTERS, NO_COUNTERS),
        migrations.RunSQL(FORGET, REMEMBER),
        migrations.RunSQL(BOUNDS, NO_BOUNDS),
    ]
