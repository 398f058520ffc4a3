"""Message tables without the indexes that say what another one begins with, and with room for what is written again.

By statements of its own: to alter the fields would check every row's keys once more, and hold up writers meanwhile.
"""

from typing import Any

import django.db.models.deletion
from django.db import migrations, models

_REDUNDANT = {
    "connections_messagecopy_vault_id_799cfbad": "connections_messagecopy (vault_id)",
    "connections_messagecopy_queue_id_d1adb282": "connections_messagecopy (queue_id)",
    "connections_deliveryattempt_copy_id_64a4ab82": "connections_deliveryattempt (copy_id)",
    "connections_incomingmessage_vault_id_eec3107d": "connections_incomingmessage (vault_id)",
    "connections_incomingmessage_connection_id_a9352df3": "connections_incomingmessage (connection_id)",
}
# In percent, for pages that are begun from now on. A copy is written again when it is taken and when it is settled; an
# attempt grows fourfold when it is closed. What finds room in its page needs no new entry in the indexes.
_FILLED = {"connections_messagecopy": 50, "connections_deliveryattempt": 25}


def _own_statements() -> list[migrations.RunSQL]:
    dropped = [
        migrations.RunSQL(f"DROP INDEX IF EXISTS {name}", f"CREATE INDEX IF NOT EXISTS {name} ON {place}")
        for name, place in _REDUNDANT.items()
    ]
    roomy = [
        migrations.RunSQL(
            f"ALTER TABLE {table} SET (fillfactor = {percent})", f"ALTER TABLE {table} RESET (fillfactor)"
        )
        for table, percent in _FILLED.items()
    ]
    return [*dropped, *roomy]


def _parent(to: str, on_delete: Any = django.db.models.deletion.CASCADE, **options: Any) -> Any:
    return models.ForeignKey(db_index=False, on_delete=on_delete, to=to, **options)


class Migration(migrations.Migration):
    dependencies = [
        ("connections", "0023_arrivals"),
        ("vaultadmin", "0017_message_days"),
    ]

    operations = [
        migrations.SeparateDatabaseAndState(
            database_operations=_own_statements(),
            state_operations=[
                migrations.AlterField(
                    "deliveryattempt", "copy", _parent("connections.messagecopy", related_name="tries")
                ),
                migrations.AlterField(
                    "incomingmessage",
                    "connection",
                    _parent(
                        "connections.connection",
                        django.db.models.deletion.SET_NULL,
                        null=True,
                        related_name="incoming_messages",
                    ),
                ),
                migrations.AlterField("incomingmessage", "vault", _parent("vaultadmin.vault", related_name="+")),
                migrations.AlterField("messagecopy", "queue", _parent("connections.queue", related_name="copies")),
                migrations.AlterField("messagecopy", "vault", _parent("vaultadmin.vault", related_name="+")),
            ],
        ),
    ]
