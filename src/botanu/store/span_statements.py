"""Spans in SQL: what the embedded store runs when a batch comes."""

from collections.abc import Sequence

FRESH = """
CREATE OR REPLACE TEMP TABLE fresh AS
SELECT a.* FROM arrived a
ANTI JOIN (
  SELECT trace_id, span_id FROM spans WHERE start_time BETWEEN $low AND $high {or_undated}
) known ON known.trace_id = a.trace_id AND known.span_id = a.span_id
"""
OR_UNDATED = "OR start_time = received_at"
# A span that says no start has that of its arrival, which is another each time. Asked only where there is one: it looks
# through all that is stored.

RELATED = """
SELECT {columns} FROM spans
WHERE start_time BETWEEN $low AND $high AND (
  trace_id IN (SELECT trace_id FROM arrived_ids)
  OR response_id IN (SELECT response_id FROM arrived_ids WHERE response_id IS NOT NULL))
"""

TOUCHED = "SELECT DISTINCT run_id FROM fresh WHERE run_id IS NOT NULL"
TOUCHED_AND_REVISED = f"""
{TOUCHED} UNION
SELECT run_id FROM spans SEMI JOIN revised USING (trace_id, span_id) WHERE run_id IS NOT NULL
"""


def revise(columns: Sequence[str]) -> str:
    """Return the statement that puts *columns* of ``revised`` in the place of what is stored."""
    changed = ", ".join(f"{name} = revised.{name}" for name in columns if name not in ("trace_id", "span_id"))
    return f"""
UPDATE spans SET {changed} FROM revised
WHERE revised.trace_id = spans.trace_id AND revised.span_id = spans.span_id
"""
