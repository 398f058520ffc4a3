"""The site counters follow the participants by trigger, and no row points across vaults or studies."""

from django.db import migrations

# Statement triggers with transition tables: one pass over what a statement changed, however many rows. The upserts
# go in site order, so that two batches touching the same sites cannot wait for each other in a circle.
_UPSERT = """
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
_TRIGGERS = {
    "insert": ("NEW TABLE AS new_rows", _ADDED),
    "update": ("OLD TABLE AS old_rows NEW TABLE AS new_rows", f"{_REMOVED} UNION ALL {_ADDED}"),
    "delete": ("OLD TABLE AS old_rows", _REMOVED),
}


def _create(event: str, tables: str, moves: str) -> str:
    return f"""
CREATE FUNCTION ecoa_tally_{event}() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
{_UPSERT.format(moves=moves)}
    RETURN NULL;
END $$;
CREATE TRIGGER ecoa_tally_{event} AFTER {event} ON ecoa_participant
    REFERENCING {tables} FOR EACH STATEMENT EXECUTE FUNCTION ecoa_tally_{event}();
"""


TALLIES = "".join(_create(event, tables, moves) for event, (tables, moves) in _TRIGGERS.items())
NO_TALLIES = "".join(
    f"DROP TRIGGER ecoa_tally_{event} ON ecoa_participant; DROP FUNCTION ecoa_tally_{event}();" for event in _TRIGGERS
)

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
"""

NO_BOUNDS = """
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


class Migration(migrations.Migration):
    dependencies = [
        ("ecoa", "0002_participants_and_sync"),
        ("connections", "0002_references_stay_in_their_vault"),
    ]

    operations = [
        migrations.RunSQL(TALLIES, NO_TALLIES),
        migrations.RunSQL(BOUNDS, NO_BOUNDS),
    ]
