"""A connection cannot point into another vault, whoever writes the row (architecture decision 2)."""

from django.db import migrations

FORWARD = """
CREATE UNIQUE INDEX membership_in_its_vault ON vaultadmin_membership (id, vault_id);
ALTER TABLE connections_connection
    ADD CONSTRAINT connection_authorization_of_same_vault FOREIGN KEY (authorization_id, vault_id)
        REFERENCES connections_connectionauthorization (id, vault_id) DEFERRABLE INITIALLY DEFERRED,
    ADD CONSTRAINT connection_user_of_same_vault FOREIGN KEY (authorized_user_id, vault_id)
        REFERENCES vaultadmin_membership (id, vault_id) DEFERRABLE INITIALLY DEFERRED;
ALTER TABLE connections_connectionalias
    ADD CONSTRAINT connection_alias_of_same_vault FOREIGN KEY (connection_id, vault_id)
        REFERENCES connections_connection (id, vault_id) DEFERRABLE INITIALLY DEFERRED;
"""

BACKWARD = """
ALTER TABLE connections_connectionalias DROP CONSTRAINT connection_alias_of_same_vault;
ALTER TABLE connections_connection
    DROP CONSTRAINT connection_user_of_same_vault,
    DROP CONSTRAINT connection_authorization_of_same_vault;
DROP INDEX membership_in_its_vault;
"""


class Migration(migrations.Migration):
    dependencies = [("connections", "0001_connections")]

    operations = [migrations.RunSQL(FORWARD, BACKWARD)]
