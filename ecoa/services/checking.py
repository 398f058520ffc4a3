"""What is wrong with staged rows that only other rows can tell: duplicates, unknown sites, clashes with the study.

Only rows with a problem are written; the counts of the preview come from one pass at the end.
"""

from __future__ import annotations

from typing import Any

from django.db import connection

from ecoa import sources
from ecoa.imports import problems
from ecoa.models import FileImport

_UNKNOWN_SITES = """
UPDATE ecoa_filerow r SET problems = array_append(r.problems, %(problem)s)
 WHERE r.file_id = %(file)s AND r.site <> ''
   AND NOT EXISTS (SELECT FROM ecoa_site s WHERE s.mapping_id = %(mapping)s AND s.number = r.site)
"""

_DUPLICATES = """
UPDATE ecoa_filerow r SET problems = array_append(r.problems, %(problem)s || ':' || d.first)
  FROM (SELECT {column} AS value, min(line) AS first FROM ecoa_filerow WHERE file_id = %(file)s AND {column} <> ''
         GROUP BY {column} HAVING count(*) > 1) d
 WHERE r.file_id = %(file)s AND r.{column} = d.value
"""

_OTHER_SITE = """
UPDATE ecoa_filerow r SET problems = array_append(r.problems, %(problem)s || ':' || s.number)
  FROM ecoa_participant p JOIN ecoa_site s ON s.id = p.site_id
 WHERE r.file_id = %(file)s AND p.mapping_id = %(mapping)s AND p.internal_id = r.internal_id AND s.number <> r.site
"""

# The participant ID is stored with another internal ID. Is that internal ID new, then somebody tries to change it;
# does it belong to yet another participant, then the participant ID is simply taken.
_CLASHES = """
UPDATE ecoa_filerow r
   SET problems = array_append(r.problems, CASE WHEN EXISTS (
           SELECT FROM ecoa_participant k WHERE k.mapping_id = %(mapping)s AND k.internal_id = r.internal_id
       ) THEN %(taken)s ELSE %(change)s END)
  FROM ecoa_participant p
 WHERE r.file_id = %(file)s AND p.mapping_id = %(mapping)s AND p.participant_id = r.participant_id
   AND p.internal_id <> r.internal_id
"""

# The participant ID would change, and it belongs to a source whose word counts more than a file's.
_OWNED = """
UPDATE ecoa_filerow r SET problems = array_append(r.problems, %(problem)s)
  FROM ecoa_participant p
 WHERE r.file_id = %(file)s AND p.mapping_id = %(mapping)s AND p.internal_id = r.internal_id
   AND p.participant_id <> r.participant_id AND p.source = ANY(%(above)s)
"""

_COUNTS = """
SELECT count(*), count(r.problems),
       count(*) FILTER (WHERE r.problems IS NULL AND p.id IS NULL),
       count(*) FILTER (WHERE r.problems IS NULL AND p.participant_id <> r.participant_id),
       count(*) FILTER (WHERE r.problems IS NULL AND p.participant_id = r.participant_id)
  FROM ecoa_filerow r
  LEFT JOIN ecoa_participant p ON p.mapping_id = %(mapping)s AND p.internal_id = r.internal_id
 WHERE r.file_id = %(file)s
"""


def check(file: FileImport) -> None:
    """Find the problems of all rows and set the counts of `file`; the caller saves it in the same transaction."""
    values = {"file": file.pk, "mapping": file.mapping_id}
    with connection.cursor() as cursor:
        # Enough for the sorts and hashes of a million rows, for this transaction only.
        cursor.execute("SET LOCAL work_mem = '64MB'")
        cursor.execute("ANALYZE ecoa_filerow")
        cursor.execute(_UNKNOWN_SITES, {**values, "problem": problems.UNKNOWN_SITE})
        for column, problem in (
            ("participant_id", problems.DUPLICATE_PARTICIPANT_ID),
            ("internal_id", problems.DUPLICATE_INTERNAL_ID),
        ):
            cursor.execute(_DUPLICATES.format(column=column), {**values, "problem": problem})
        cursor.execute(_OTHER_SITE, {**values, "problem": problems.OTHER_SITE})
        clash = {"taken": problems.PARTICIPANT_ID_TAKEN, "change": problems.INTERNAL_ID_CHANGE}
        cursor.execute(_CLASHES, {**values, **clash})
        owned: dict[str, Any] = {"problem": problems.OWNED_ELSEWHERE, "above": sources.above(sources.FILE)}
        cursor.execute(_OWNED, {**values, **owned})
        cursor.execute(_COUNTS, values)
        counts: tuple[Any, ...] = cursor.fetchone()
    file.row_count, file.bad, file.new, file.changed, file.same = counts
