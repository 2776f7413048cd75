"""Measures by a dimension, over a window."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from botanu.errors import QueryError
from botanu.pricing.money import CURRENCY
from botanu.query import as_of as booked
from botanu.query.measures import MEASURES, PRICED, RECORDED, SUMS, UNVALUED, Coverage
from botanu.query.window import Window
from botanu.store.protocol import Store
from botanu.store.schema import OUTCOME_ORDER

DIMENSIONS = ("workflow", "workflow_version", "customer_id", "environment", "tenant_id")
"""Columns of ``runs`` that a report can be broken down by."""

UNVALUED_TYPES_MAX = 10
"""Most value types without a value that a report names."""

Row = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Report:
    """The answer: a row per value of the dimension *by*, the same measures in *total*, and how much is known.

    Each row gives the dimension's value under its name, and every measure under its own. Where there are no rows,
    *latest_start* says when the latest run of all started. Costs are those booked at *as_of*, or else those of now.
    """

    window: Window
    by: str
    rows: Sequence[Row]
    total: Row
    coverage: Coverage
    latest_start: datetime | None = None
    currency: str = CURRENCY
    as_of: datetime | None = None


def report(store: Store, window: Window, *, by: str = "workflow", as_of: datetime | None = None) -> Report:
    """Return the measures of all runs that started in *window*, broken down by the dimension *by*.

    Rows come with the largest cost first. Given *as_of*, costs are as they were booked at that instant.

    Raises:
        QueryError: *by* is no dimension.
    """
    if by not in DIMENSIONS:
        raise QueryError(f"by must be one of {', '.join(DIMENSIONS)}, not {by!r}")
    bounds = _bounds(window, as_of)
    rows = store.query(_sql(by, window, as_of), bounds).to_pylist()
    (total,) = store.query(_sql(None, window, as_of), bounds).to_pylist()
    coverage = _coverage(store, window, total, as_of)
    measures = (by, *(measure.name for measure in MEASURES))
    named = [{name: row[name] for name in measures} for row in rows]
    latest = None if rows else store.query("SELECT max(start_time) AS latest FROM runs").column("latest")[0].as_py()
    totals = {name: total[name] for name in measures[1:]}
    return Report(window, by, named, totals, coverage, latest, as_of=as_of)


def _coverage(store: Store, window: Window, total: Row, as_of: datetime | None) -> Coverage:
    bounds = _bounds(window)
    unvalued = int(total["unvalued"] or 0)
    types = store.query(_unvalued_types_sql(window), bounds).column(0).to_pylist() if unvalued else ()
    return Coverage(
        priced=total["priced"],
        attributed=store.query(_attributed_sql(window, as_of), _bounds(window, as_of)).column(0)[0].as_py(),
        recorded=total["recorded"],
        unpriced_calls=int(total["unpriced"] or 0),
        unvalued_runs=unvalued,
        unvalued_types=tuple(types),
    )


def _bounds(window: Window, as_of: datetime | None = None) -> dict[str, object]:
    given = {"start": window.start, "end": window.end, "as_of": as_of}
    return {name: moment for name, moment in given.items() if moment is not None}


def _within(window: Window) -> str:
    """Return the condition that a row started in *window*."""
    conditions = []
    if window.start is not None:
        conditions.append("start_time >= $start")
    if window.end is not None:
        conditions.append("start_time < $end")
    return " AND ".join(conditions) or "TRUE"


def _sql(by: str | None, window: Window, as_of: datetime | None) -> str:
    """Return the query for all measures: a row per value of *by*, or one row for everything."""
    runs, expressions = booked.runs(as_of)
    key, group = ("dimension, ", "GROUP BY dimension") if by else ("", "")
    dimension, named = (f"{by} AS dimension, ", f"r.dimension AS {by}, ") if by else ("", "")
    match = "e.dimension IS NOT DISTINCT FROM r.dimension" if by else "TRUE"
    measures = ", ".join(f"{measure.formula} AS {measure.name}" for measure in MEASURES)
    return f"""
WITH {expressions}scope AS (
  SELECT *, {dimension}coalesce(event_id, run_id) AS event FROM {runs} WHERE {_within(window)}
),
finals AS (
  SELECT {key}event,
    arg_max(outcome_status, {OUTCOME_ORDER}) FILTER (outcome_status IS NOT NULL) AS final_status
  FROM scope GROUP BY {key}event
),
run_sums AS (SELECT {key}{_sums("runs")} FROM scope {group}),
event_sums AS (SELECT {key}{_sums("events")} FROM finals {group})
SELECT {named}{measures}, {PRICED} AS priced, {RECORDED} AS recorded, unpriced_count AS unpriced,
  unvalued_count AS unvalued
FROM run_sums r JOIN event_sums e ON {match}
ORDER BY cost_sum DESC NULLS LAST, 1
"""


def _sums(of: str) -> str:
    return ", ".join(f"{total.formula} AS {total.name}" for total in SUMS if total.of == of)


def _attributed_sql(window: Window, as_of: datetime | None) -> str:
    spans, expressions = booked.spans(as_of)
    return f"""
{expressions}
SELECT sum(cost) FILTER (run_id IS NOT NULL) / nullif(sum(cost), 0) AS attributed
FROM {spans} WHERE counted AND {_within(window)}
"""


def _unvalued_types_sql(window: Window) -> str:
    return f"""
SELECT DISTINCT outcome_value_type FROM runs
WHERE outcome_value_type IS NOT NULL AND {UNVALUED} AND {_within(window)} ORDER BY 1 LIMIT {UNVALUED_TYPES_MAX}
"""
