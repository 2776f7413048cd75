"""What calls and runs cost as it was booked at an instant: before their costs were changed later."""

from datetime import datetime

from botanu.pricing.money import CURRENCY
from botanu.store.columns import TOTAL

_SPANS = """
changed_later AS (
  SELECT trace_id, span_id, start_time, cost_before, currency_before, priced_before FROM cost_changes
  WHERE recorded_at > $as_of
  QUALIFY row_number() OVER (PARTITION BY trace_id, span_id, start_time ORDER BY recorded_at) = 1
),
spans_then AS (
  SELECT s.* REPLACE (
    CASE WHEN c.span_id IS NULL THEN s.cost ELSE c.cost_before END AS cost,
    CASE WHEN c.span_id IS NULL THEN s.currency ELSE c.currency_before END AS currency,
    CASE WHEN c.span_id IS NULL THEN s.priced ELSE c.priced_before END AS priced)
  FROM spans s LEFT JOIN changed_later c USING (trace_id, span_id, start_time)
)"""

_RUNS = f"""{_SPANS},
calls_then AS (
  FROM spans_then WHERE counted
    AND run_id IN (SELECT run_id FROM spans JOIN changed_later USING (trace_id, span_id, start_time))
),
sums_then AS (
  SELECT run_id, sum(cost) FILTER (currency = '{CURRENCY}') AS cost, count(*) FILTER (NOT priced) AS unpriced_calls
  FROM calls_then GROUP BY run_id
),
others_then AS (
  SELECT run_id, list({{currency: currency, amount: amount}} ORDER BY currency) AS other_costs FROM (
    SELECT run_id, currency, sum(cost)::{TOTAL} AS amount FROM calls_then
    WHERE currency <> '{CURRENCY}' AND cost IS NOT NULL GROUP BY run_id, currency)
  GROUP BY run_id
),
runs_then AS (
  SELECT r.* REPLACE (
    CASE WHEN t.run_id IS NULL THEN r.total_cost
      WHEN t.cost IS NULL AND (t.unpriced_calls > 0 OR o.run_id IS NOT NULL) THEN NULL
      ELSE coalesce(t.cost, 0) END AS total_cost,
    CASE WHEN t.run_id IS NULL THEN r.other_costs ELSE o.other_costs END AS other_costs,
    coalesce(t.unpriced_calls, r.unpriced_calls) AS unpriced_calls)
  FROM runs r LEFT JOIN sums_then t USING (run_id) LEFT JOIN others_then o USING (run_id)
)"""


def runs(as_of: datetime | None) -> tuple[str, str]:
    """Return the relation of runs with the costs booked at *as_of*, and the expressions that make it, with a comma.

    Of a run with calls that were changed since, all is summed up again: one that was not known then is not zero.
    """
    return ("runs", "") if as_of is None else ("runs_then", f"{_RUNS},")


def spans(as_of: datetime | None) -> tuple[str, str]:
    """Return the relation of spans with the costs booked at *as_of*, and the WITH clause that makes it."""
    return ("spans", "") if as_of is None else ("spans_then", f"WITH {_SPANS}")
