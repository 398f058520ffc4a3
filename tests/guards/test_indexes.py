from django.db import connection

# Written and settled by the million; a parent that is deleted looks for its rows in them.
TABLES = (
    "connections_sparkmessage",
    "connections_messagecopy",
    "connections_deliveryattempt",
    "connections_incomingmessage",
)
REFERENCES = """
SELECT c.conrelid::regclass::text, a.attname FROM pg_constraint c
  JOIN pg_attribute a ON a.attrelid = c.conrelid AND a.attnum = c.conkey[1]
 WHERE c.contype = 'f' AND c.conrelid::regclass::text = ANY(%s)
"""
# Of every row, or of all that refer to something.
LEADING = """
SELECT i.indrelid::regclass::text, a.attname, i.indexrelid::regclass::text, i.indnkeyatts FROM pg_index i
  JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = i.indkey[0]
 WHERE i.indrelid::regclass::text = ANY(%s)
   AND (i.indpred IS NULL OR pg_get_expr(i.indpred, i.indrelid) = format('(%%I IS NOT NULL)', a.attname))
"""


def asked(question):
    with connection.cursor() as cursor:
        cursor.execute(question, [list(TABLES)])
        return cursor.fetchall()


def test_whatever_refers_to_a_parent_is_found_by_an_index_when_that_is_deleted(db):
    found = {(table, column) for table, column, _name, _columns in asked(LEADING)}

    assert set(asked(REFERENCES)) - found == set()


def test_no_index_of_messages_says_what_another_one_begins_with(db):
    whole = asked(LEADING)

    alone = {(table, column) for table, column, _name, columns in whole if columns == 1}
    beginning = {(table, column) for table, column, _name, columns in whole if columns > 1}
    assert alone & beginning == set()
