"""How runs and events are derived: from all their spans, from scratch, whatever the order of arrival.

Nothing is ever added to a stored total. A batch says which runs it touches; those are derived again from their
spans, and the events of those runs from their runs.
"""

from botanu.pricing.money import CURRENCY
from botanu.store.protocol import Rollup
from botanu.store.schema import OUTCOME_ORDER, VALUED_AT

_IDENTITY = ("event_id", "customer_id", "workflow", "workflow_version", "environment", "tenant_id")
_NESTING = ("root_run_id", "parent_run_id")
_OUTCOME = ("value_type", "value_amount", "confidence", "reason", "error_type")
_OTHER_COSTS = "list({currency: currency, amount: amount} ORDER BY currency)"
_COUNT_MAX = 2**31 - 1  # what the column holds


def _each(template: str, names: tuple[str, ...]) -> str:
    return ", ".join(template.format(name=name) for name in names)


def _outcome_of(span: str) -> str:
    """Return the outcome on *span* as one value, so that fields never mix; of several the greatest one counts."""
    return f"""{{
      explicit: {span}.outcome_auto IS NOT TRUE, unix_nano: {span}.end_unix_nano, late: {span}.late,
      trace_id: {span}.trace_id, span_id: {span}.span_id,
      status: {span}.outcome_status, {_each(f"{{name}}: {span}.outcome_{{name}}", _OUTCOME)}
    }}"""


_RUNS = f"""
WITH own AS (
  SELECT *, start_time_unix_nano + duration_ns AS end_unix_nano,
    outcome_late IS TRUE AND is_run IS NOT TRUE AND outcome_status IS NOT NULL AS late
  FROM spans WHERE run_id IN (SELECT run_id FROM touched)
),
roots AS (
  SELECT * FROM own WHERE is_run
  QUALIFY row_number() OVER (PARTITION BY run_id ORDER BY end_unix_nano DESC, trace_id, span_id) = 1
),
sums AS (
  SELECT run_id,
    {_each("min({name}) AS {name}", (*_IDENTITY, *_NESTING))}, min(attempt) AS attempt,
    min(start_time) AS start_time,
    sum(cost) FILTER (counted AND currency = '{CURRENCY}') AS cost,
    count(*) FILTER (counted) AS calls,
    count(*) FILTER (counted AND NOT priced) AS unpriced_calls,
    count(*) AS span_count,
    max(CASE WHEN late THEN {_outcome_of("own")} END) AS late_outcome,
    count(*) FILTER (late AND outcome_auto IS NOT TRUE) AS late_outcomes,
    max(end_unix_nano) AS last_end_unix_nano,
    max(received_at) AS last_received_at
  FROM own GROUP BY run_id
),
others AS (
  SELECT run_id, {_OTHER_COSTS} AS other_costs
  FROM (
    SELECT run_id, currency, sum(cost) AS amount FROM own WHERE counted AND currency <> '{CURRENCY}' GROUP BY ALL
  ) GROUP BY run_id
),
ended AS (
  SELECT s.run_id,
    {_each("coalesce(r.{name}, s.{name}) AS {name}", (*_IDENTITY, *_NESTING))},
    coalesce(r.attempt, s.attempt) AS attempt_given,
    coalesce(r.start_time, s.start_time) AS start_time,
    make_timestamptz(r.end_unix_nano // 1000) AS end_time,
    make_timestamptz(s.last_end_unix_nano // 1000) AS last_end_time,
    r.duration_ns / 1e6 AS duration_ms,
    greatest(CASE WHEN r.outcome_status IS NOT NULL THEN {_outcome_of("r")} END, s.late_outcome) AS last_outcome,
    r.run_id IS NULL AND s.late_outcome IS NULL
      AND s.last_received_at < $now - to_seconds($abandon_after_seconds) AS abandoned,
    least({_COUNT_MAX}, s.late_outcomes + coalesce(
      r.outcome_count, (r.outcome_status IS NOT NULL AND r.outcome_auto IS NOT TRUE)::INTEGER)) AS outcome_count,
    s.cost, s.calls, s.unpriced_calls, s.span_count, s.last_received_at, x.other_costs
  FROM sums s LEFT JOIN roots r ON r.run_id = s.run_id LEFT JOIN others x ON x.run_id = s.run_id
),
decided AS (
  SELECT *,
    CASE WHEN abandoned THEN 'abandoned' ELSE last_outcome.status END AS outcome_status,
    {_each("last_outcome.{name} AS outcome_{name}", _OUTCOME)},
    CASE WHEN abandoned THEN TRUE ELSE NOT last_outcome.explicit END AS outcome_auto,
    CASE WHEN abandoned THEN last_end_time ELSE make_timestamptz(last_outcome.unix_nano // 1000) END AS outcome_time
  FROM ended
),
valued AS (
  SELECT d.*, (
    SELECT v.amount FROM unit_values v
    WHERE v.value_type = d.outcome_value_type AND (v.workflow IS NULL OR v.workflow = d.workflow)
      AND v.valid_from <= {VALUED_AT} AND (v.valid_to IS NULL OR {VALUED_AT} < v.valid_to)
    ORDER BY v.workflow IS NULL LIMIT 1
  ) AS value_per_unit
  FROM decided d
)
SELECT run_id, coalesce(root_run_id, run_id) AS root_run_id, parent_run_id, {", ".join(_IDENTITY)},
  coalesce(attempt_given, 1) AS attempt, attempt_given, start_time, end_time, duration_ms,
  outcome_status, {_each("outcome_{name}", _OUTCOME)}, outcome_auto, outcome_count, outcome_time, value_per_unit,
  round_even(outcome_value_amount * value_per_unit, 9) AS value,
  CASE WHEN cost IS NULL AND (unpriced_calls > 0 OR other_costs IS NOT NULL) THEN NULL ELSE coalesce(cost, 0)
    END AS total_cost,
  unpriced_calls, calls, span_count, last_received_at, other_costs
FROM valued
"""

_ATTEMPTS = """
UPDATE runs SET attempt = numbered.attempt
FROM (
  SELECT run_id, coalesce(attempt_given, row_number() OVER (
    PARTITION BY event_id, workflow ORDER BY start_time, run_id)) AS attempt
  FROM runs
  WHERE event_id IN (SELECT event_id FROM touched)
) AS numbered
WHERE runs.run_id = numbered.run_id AND runs.attempt <> numbered.attempt
"""

_EVENTS = f"""
WITH mine AS (SELECT * FROM runs WHERE event_id IN (SELECT event_id FROM touched)),
own AS (
  SELECT m.*, EXISTS (FROM mine p WHERE p.run_id = m.parent_run_id AND p.event_id = m.event_id) AS nested
  FROM mine m
),
firsts AS (
  SELECT * FROM own
  QUALIFY row_number() OVER (PARTITION BY event_id ORDER BY nested, start_time, run_id) = 1
),
finals AS (
  SELECT * FROM own WHERE outcome_status IS NOT NULL
  QUALIFY row_number() OVER (PARTITION BY event_id ORDER BY {OUTCOME_ORDER} DESC) = 1
),
sums AS (
  SELECT o.event_id,
    count(*) FILTER (o.workflow = f.workflow AND NOT o.nested) AS attempts,
    count(*) AS runs,
    min(o.start_time) AS start_time,
    CASE WHEN count(*) = count(o.end_time) THEN max(o.end_time) END AS end_time,
    sum(o.total_cost) AS total_cost,
    sum(o.unpriced_calls) AS unpriced_calls,
    sum(o.value) AS value
  FROM own o JOIN firsts f ON f.event_id = o.event_id GROUP BY o.event_id
),
others AS (
  SELECT event_id, {_OTHER_COSTS} AS other_costs
  FROM (
    SELECT event_id, other.currency AS currency, sum(other.amount) AS amount
    FROM (SELECT event_id, unnest(other_costs) AS other FROM mine WHERE other_costs IS NOT NULL) GROUP BY ALL
  ) GROUP BY event_id
)
SELECT {_each("f.{name}", _IDENTITY)}, s.attempts, s.runs, s.start_time, s.end_time, l.outcome_status,
  {_each("l.outcome_{name}", _OUTCOME)}, l.run_id AS outcome_run_id,
  s.total_cost, s.unpriced_calls, s.value, s.value - s.total_cost AS margin, x.other_costs
FROM sums s JOIN firsts f ON f.event_id = s.event_id LEFT JOIN finals l ON l.event_id = s.event_id
LEFT JOIN others x ON x.event_id = s.event_id
"""

RUNS = Rollup(
    table="runs",
    key="run_id",
    touches="SELECT DISTINCT run_id FROM {touched} WHERE run_id IS NOT NULL",
    select=_RUNS,
    by_clock=True,
)
EVENTS = Rollup(
    table="events",
    key="event_id",
    touches="SELECT DISTINCT event_id FROM runs WHERE run_id IN (FROM {touched}) AND event_id IS NOT NULL",
    before=(_ATTEMPTS,),
    select=_EVENTS,
)
ROLLUPS = (RUNS, EVENTS)
"""In the order they are rebuilt: each from the one before."""
