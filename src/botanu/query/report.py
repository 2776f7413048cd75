"""Measures by a dimension, over a window."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from botanu.errors import QueryError
from botanu.pricing.money import CURRENCY
from botanu.query.measures import PRICED, RECORDED, UNVALUED, Coverage, measures, sums
from botanu.query.shared import RUN_PARTS, SharedPart, shared_part
from botanu.query.unpriced import unpriced
from botanu.query.window import Window
from botanu.store.columns import TOTAL
from botanu.store.protocol import Store
from botanu.store.schema import OUTCOME_ORDER

DIMENSIONS = ("workflow", "workflow_version", "customer_id", "environment", "tenant_id")
"""Columns of ``runs`` that a report can be broken down by."""

UNVALUED_TYPES_MAX = 10
"""Most value types without a value that a report names."""

UNPRICED_MAX = 10
"""Most kinds of call without a price that a report names."""

Row = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Report:
    """The answer: a row per value of the dimension *by*, the same measures in *total*, and how much is known.

    Each row gives the dimension's value under its name, and every measure under its own. Where there are no rows,
    *latest_start* says when the latest run of all started. *shared* is what became of the shared costs, if they were
    asked for: then the rows have the measures of those, too.
    """

    window: Window
    by: str
    rows: Sequence[Row]
    total: Row
    coverage: Coverage
    latest_start: datetime | None = None
    currency: str = CURRENCY
    shared: SharedPart | None = None


def report(store: Store, window: Window, *, by: str = "workflow", shared: bool = False) -> Report:
    """Return the measures of all runs that started in *window*, broken down by the dimension *by*.

    Rows come with the largest cost first. *shared* asks for shared costs beside the runs' own.

    Raises:
        QueryError: *by* is no dimension.
    """
    if by not in DIMENSIONS:
        raise QueryError(f"by must be one of {', '.join(DIMENSIONS)}, not {by!r}")
    bounds = window.bounds
    rows = store.query(_sql(by, window, shared=shared), bounds).to_pylist()
    (total,) = store.query(_sql(None, window, shared=shared), bounds).to_pylist()
    coverage = _coverage(store, window, total)
    names = (by, *(measure.name for measure in measures(shared=shared)))
    named = [{name: row[name] for name in names} for row in rows]
    latest = None if rows else store.query("SELECT max(start_time) AS latest FROM runs").column("latest")[0].as_py()
    part = shared_part(store, window) if shared else None
    return Report(window, by, named, {name: total[name] for name in names[1:]}, coverage, latest, shared=part)


def _coverage(store: Store, window: Window, total: Row) -> Coverage:
    bounds = window.bounds
    unvalued, lacking = int(total["unvalued"] or 0), int(total["unpriced"] or 0)
    types = store.query(_unvalued_types_sql(window), bounds).column(0).to_pylist() if unvalued else ()
    return Coverage(
        priced=total["priced"],
        attributed=store.query(_attributed_sql(window), bounds).column(0)[0].as_py(),
        recorded=total["recorded"],
        unpriced_calls=lacking,
        unvalued_runs=unvalued,
        unvalued_types=tuple(types),
        unpriced=tuple(unpriced(store, window, of_runs=True, most=UNPRICED_MAX)) if lacking else (),
        other_costs=tuple(store.query(_other_costs_sql(window), bounds).to_pylist()),
    )


def _sql(by: str | None, window: Window, *, shared: bool) -> str:
    """Return the query for all measures: a row per value of *by*, or one row for everything."""
    key, group = ("dimension, ", "GROUP BY dimension") if by else ("", "")
    dimension, named = (f"{by} AS dimension, ", f"r.dimension AS {by}, ") if by else ("", "")
    match = "e.dimension IS NOT DISTINCT FROM r.dimension" if by else "TRUE"
    formulas = ", ".join(f"{measure.formula} AS {measure.name}" for measure in measures(shared=shared))
    parts = RUN_PARTS.format(window=window) if shared else ""
    return f"""
WITH scope AS (
  SELECT *, {dimension}coalesce(event_id, run_id) AS event FROM runs {parts} WHERE {window.holds}
),
finals AS (
  SELECT {key}event,
    arg_max(outcome_status, {OUTCOME_ORDER}) FILTER (outcome_status IS NOT NULL) AS final_status
  FROM scope GROUP BY {key}event
),
run_sums AS (SELECT {key}{_sums("runs", shared=shared)} FROM scope {group}),
event_sums AS (SELECT {key}{_sums("events", shared=shared)} FROM finals {group})
SELECT {named}{formulas}, {PRICED} AS priced, {RECORDED} AS recorded, unpriced_count AS unpriced,
  unvalued_count AS unvalued
FROM run_sums r JOIN event_sums e ON {match}
ORDER BY cost_sum DESC NULLS LAST, 1
"""


def _sums(of: str, *, shared: bool) -> str:
    return ", ".join(f"{total.formula} AS {total.name}" for total in sums(shared=shared) if total.of == of)


def _attributed_sql(window: Window) -> str:
    return f"""
SELECT sum(cost) FILTER (run_id IS NOT NULL) / nullif(sum(cost), 0) AS attributed
FROM spans WHERE counted AND currency = '{CURRENCY}' AND {window.holds}
"""


def _unvalued_types_sql(window: Window) -> str:
    return f"""
SELECT DISTINCT outcome_value_type FROM runs
WHERE outcome_value_type IS NOT NULL AND {UNVALUED} AND {window.holds} ORDER BY 1 LIMIT {UNVALUED_TYPES_MAX}
"""


def _other_costs_sql(window: Window) -> str:
    return f"""
SELECT other.currency AS currency, sum(other.amount)::{TOTAL} AS amount
FROM (SELECT unnest(other_costs) AS other FROM runs WHERE other_costs IS NOT NULL AND {window.holds})
GROUP BY 1 ORDER BY 1
"""
