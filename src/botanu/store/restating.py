"""Changed costs in the embedded store: the ledger row, the span, its run and its event, in one transaction."""

from collections.abc import Callable, Iterable
from contextlib import AbstractContextManager, suppress
from datetime import datetime

import duckdb
import pyarrow as pa

from botanu.store.schema import SPANS

KEY = ("trace_id", "span_id", "start_time")
"""The columns that name a span."""

RESTATED = (
    "provider", "model", "line_items", "cost", "currency", "cost_source", "computed_cost", "cost_notes", "priced",
)  # fmt: skip
"""The columns of a span that may change."""

STAMP = f"hash({', '.join((*RESTATED, 'counted'))})"
"""Says whether a span is still as it was when it was read."""

_TYPES = {column.name: column.type for column in SPANS.columns}
_SAME = " AND ".join(f"s.{name} = c.{name}" for name in KEY)
_NEAR = "s.start_time BETWEEN (SELECT min(start_time) FROM restated) AND (SELECT max(start_time) FROM restated)"
_STAMP_OF_SPAN = f"hash({', '.join(f's.{name}' for name in (*RESTATED, 'counted'))})"

STAGE = f"""
CREATE OR REPLACE TEMP TABLE restated
  ({", ".join(f"{name} {_TYPES[name]}" for name in (*KEY, *RESTATED))}, stamp UBIGINT)
"""
UNSTAGE = "DROP TABLE IF EXISTS temp.restated"

STALE = f"""
DELETE FROM restated AS c WHERE NOT EXISTS (
  FROM spans s WHERE {_SAME} AND {_NEAR} AND {_STAMP_OF_SPAN} = c.stamp
)
"""
"""Drops the changes of spans that are no longer as they were read: they were priced for what they are not."""

LEDGER = f"""
INSERT INTO cost_changes BY NAME
SELECT $now AS recorded_at, $by AS changed_by, $reason AS reason, s.trace_id, s.span_id, s.run_id, s.event_id,
  s.start_time, c.provider, c.model, s.cost AS cost_before, c.cost AS cost_after,
  s.currency AS currency_before, c.currency AS currency_after,
  s.priced AS priced_before, c.priced AS priced_after, s.line_items AS line_items_before
FROM spans s JOIN restated c ON {_SAME} WHERE {_NEAR}
"""

UPDATE = f"""
UPDATE spans AS s SET {", ".join(f"{name} = c.{name}" for name in RESTATED)}
FROM restated c WHERE {_SAME} AND {_NEAR}
"""

TOUCHED = f"SELECT DISTINCT s.run_id FROM spans s JOIN restated c ON {_SAME} WHERE {_NEAR} AND s.run_id IS NOT NULL"

Transaction = Callable[..., AbstractContextManager[duckdb.DuckDBPyConnection]]
Rebuild = Callable[[duckdb.DuckDBPyConnection, str, dict[str, object], datetime], int]


def restate(
    transaction: Transaction,
    rebuild: Rebuild,
    changes: Iterable[pa.Table],
    now: datetime,
    *,
    by: str | None,
    reason: str | None,
) -> int:
    """Write *changes* as ``Store.restate`` promises; return how many.

    They are put aside a batch at a time, so that spans may arrive meanwhile, and then written all at once.
    """
    try:
        with transaction() as connection:
            connection.execute(STAGE)
        for batch in changes:
            if len(batch):
                with transaction(given=batch) as connection:
                    connection.execute("INSERT INTO restated BY NAME SELECT * FROM given")
        with transaction() as connection:
            connection.execute(STALE)
            connection.execute(LEDGER, {"now": now, "by": by, "reason": reason})
            connection.execute(UPDATE)
            rebuild(connection, TOUCHED, {}, now)
            return int(connection.execute("SELECT count(*) FROM restated").fetchall()[0][0])
    finally:
        with suppress(Exception), transaction() as connection:  # what has gone wrong already is what is to be told
            connection.execute(UNSTAGE)
