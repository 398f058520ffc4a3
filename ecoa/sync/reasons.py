"""Why participants of a run did not arrive, counted as items settle. Call it after the run itself was updated."""

from __future__ import annotations

from collections import Counter

from django.db import connection

_COUNT = """
INSERT INTO ecoa_runreason AS r (run_id, state, code, amount)
SELECT %(run)s, o.state, o.code, o.amount
  FROM unnest(%(states)s::text[], %(codes)s::text[], %(amounts)s::bigint[]) AS o(state, code, amount)
 ORDER BY o.state, o.code
    ON CONFLICT (run_id, state, code) DO UPDATE SET amount = r.amount + excluded.amount
"""


def count(run_id: int, ended: Counter[tuple[str, str]]) -> None:
    """Add items that ended in a state with a code; those that are in eCOA need no reason."""
    rows = [(state, code, amount) for (state, code), amount in sorted(ended.items()) if state != "synced"]
    if rows:
        states, codes, amounts = (list(column) for column in zip(*rows, strict=True))
        with connection.cursor() as cursor:
            cursor.execute(_COUNT, {"run": run_id, "states": states, "codes": codes, "amounts": amounts})
