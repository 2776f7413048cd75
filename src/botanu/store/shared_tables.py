"""Fixed and shared costs, and how they are allocated to runs, as a table and a view.

A shared cost is allocated to the runs that started in its period, by their weights. In the order of (start_time,
run_id), the runs up to the *i*-th bear floor(amount x weight up to the *i*-th / weight of all), in nano-units; the
*i*-th bears what that is more than the one before. So the parts add up to the amount, none is below zero, each is less
than a nano-unit off its exact share, and the order of arrival changes nothing.
"""

from botanu.store.columns import QUANTITY, TOTAL, Column, Table

WEIGHT_MAX = 10**13
"""What a run weighs at most: tokens, calls, or microseconds (115 days). More is no run but a fault.

So no sum overflows while the weights of a shared cost stay below 1.3 x 10^19, the root of the largest whole number."""

SHARED_COSTS = Table(
    "shared_costs",
    "One fixed or shared cost of a period, to be allocated to the runs in it.",
    (
        Column("name", "VARCHAR", "What it is: a reserved GPU, seats, a vector database, ...", since=3),
        Column("amount", TOTAL, "What it costs in all in the period.", since=3),
        Column("currency", "VARCHAR", "Currency of the amount.", since=3),
        Column("period_start", "TIMESTAMP WITH TIME ZONE", "First instant of the period.", since=3),
        Column("period_end", "TIMESTAMP WITH TIME ZONE", "First instant after the period.", since=3),
        Column("basis", "VARCHAR", "What it is allocated by: tokens, seconds, calls or equal.", since=3),
        Column("workflow", "VARCHAR", "The one workflow that bears it; null: all.", since=3),
        Column("customer_id", "VARCHAR", "The one customer it is for; null: all.", since=3),
        Column("environment", "VARCHAR", "The one environment that bears it; null: all.", since=3),
        Column("source", "VARCHAR", "Who said so: set, or a file.", since=3),
        Column("recorded_at", "TIMESTAMP WITH TIME ZONE", "When it was recorded.", since=3),
        Column(
            "withdrawn_at", "TIMESTAMP WITH TIME ZONE", "When it was withdrawn or replaced; null: it was not.", since=3
        ),
    ),
)

ALLOCATIONS_VIEW = Table(
    "allocations",
    "One run's part of one shared cost. A view: no part is stored, and none is in total_cost.",
    (
        Column("run_id", "VARCHAR", "The run that bears it.", since=3),
        Column("event_id", "VARCHAR", "The event the run served.", since=3),
        Column("customer_id", "VARCHAR", "The end customer the run served.", since=3),
        Column("workflow", "VARCHAR", "The run's workflow.", since=3),
        Column("start_time", "TIMESTAMP WITH TIME ZONE", "When the run started.", since=3),
        Column("shared_cost", "VARCHAR", "Name of the shared cost.", since=3),
        Column("basis", "VARCHAR", "What it is allocated by: tokens, seconds, calls or equal.", since=3),
        Column(
            "weight", QUANTITY, "The run's tokens, seconds or calls, or 1; always more than 0, at most 10^13.", since=3
        ),
        Column("share", "DOUBLE", "The weight among all weights of the shared cost, from 0 to 1.", since=3),
        Column(
            "amount", TOTAL, "The part, to the nano-unit; the parts of a shared cost add up to its amount.", since=3
        ),
        Column("currency", "VARCHAR", "Currency of the amount.", since=3),
        Column("period_start", "TIMESTAMP WITH TIME ZONE", "First instant of the shared cost's period.", since=3),
        Column("period_end", "TIMESTAMP WITH TIME ZONE", "First instant after that.", since=3),
    ),
)


_TOKENS = " + ".join(
    f"least(greatest(coalesce({name}, 0), 0), {WEIGHT_MAX})" for name in ("input_tokens", "output_tokens")
)
_MICROSECONDS = f"CAST(round(least(greatest(coalesce(r.duration_ms, 0), 0), {WEIGHT_MAX} / 1000) * 1000) AS BIGINT)"

ALLOCATIONS_SQL = f"""
CREATE OR REPLACE VIEW allocations AS
WITH live AS (SELECT * FROM shared_costs WHERE withdrawn_at IS NULL),
borne AS (
  SELECT r.run_id, r.event_id, r.customer_id, r.workflow, r.start_time, r.duration_ms, r.calls,
    c.name, c.basis, c.amount, c.currency, c.period_start, c.period_end
  FROM live AS c CROSS JOIN runs AS r
  WHERE r.start_time >= c.period_start AND r.start_time < c.period_end
    AND (c.workflow IS NULL OR c.workflow = r.workflow)
    AND (c.customer_id IS NULL OR c.customer_id = r.customer_id)
    AND (c.environment IS NULL OR c.environment = r.environment)
),
tokens AS (
  SELECT run_id, sum({_TOKENS}) AS tokens FROM spans
  WHERE counted AND run_id IN (SELECT run_id FROM borne WHERE basis = 'tokens') GROUP BY run_id
),
weighed AS (
  SELECT r.*, CAST(least({WEIGHT_MAX}, CASE r.basis
    WHEN 'tokens' THEN coalesce(t.tokens, 0)
    WHEN 'seconds' THEN {_MICROSECONDS}
    WHEN 'calls' THEN r.calls
    WHEN 'equal' THEN 1 END) AS BIGINT) AS units
  FROM borne AS r LEFT JOIN tokens AS t ON t.run_id = r.run_id
),
bearing AS (SELECT * FROM weighed WHERE units > 0),
totals AS (
  SELECT name, period_start, period_end, total, nanos // total AS whole, nanos % total AS rest
  FROM (
    SELECT name, period_start, period_end, CAST(amount * 1000000000 AS HUGEINT) AS nanos, sum(units) AS total
    FROM bearing GROUP BY name, period_start, period_end, amount
  )
),
reaching AS (
  SELECT *, sum(units) OVER (
    PARTITION BY name, period_start, period_end ORDER BY start_time, run_id
    ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW) AS reached
  FROM bearing
),
parts AS (
  SELECT r.*, t.total, whole * units + (rest * reached) // total - (rest * (reached - units)) // total AS part
  FROM reaching AS r JOIN totals AS t
    ON t.name = r.name AND t.period_start = r.period_start AND t.period_end = r.period_end
)
SELECT run_id, event_id, customer_id, workflow, start_time, name AS shared_cost, basis,
  CAST(CASE basis WHEN 'seconds' THEN units * 0.000001 ELSE units END AS {QUANTITY}) AS weight,
  units / total AS share, CAST(CAST(part AS DECIMAL(38,0)) * 0.000000001 AS {TOTAL}) AS amount, currency,
  period_start, period_end
FROM parts
"""
"""Derives the view ``allocations`` from live shared costs, runs and counted spans, in plain window functions.

The amount is divided by the total once, into *whole* nano-units for each unit of weight and a *rest* below the total.
So no product is greater than the square of the total. ``//`` is the exact division of whole numbers, ``intDiv`` in
ClickHouse; that of doubles would lose digits.
"""
