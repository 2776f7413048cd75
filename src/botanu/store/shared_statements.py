"""Shared costs in SQL: what the embedded store runs when they are set, and the rows it is given."""

from collections.abc import Sequence

import pyarrow as pa

from botanu.pricing.shared_costs import SharedCost

_SCHEMA = pa.schema(
    [
        ("name", pa.string()),
        ("amount", pa.decimal128(38, 9)),
        ("currency", pa.string()),
        ("period_start", pa.timestamp("us", tz="UTC")),
        ("period_end", pa.timestamp("us", tz="UTC")),
        ("basis", pa.string()),
        ("workflow", pa.string()),
        ("customer_id", pa.string()),
        ("environment", pa.string()),
        ("source", pa.string()),
    ]
)
_KEY = ("name", "period_start", "period_end")


def rows(costs: Sequence[SharedCost]) -> pa.Table:
    """Return *costs* as rows of the table ``shared_costs``, without when they were recorded and withdrawn."""
    return pa.Table.from_pylist([{name: getattr(cost, name) for name in _SCHEMA.names} for cost in costs], _SCHEMA)


def _same(names: Sequence[str], other: str) -> str:
    return " AND ".join(f"shared_costs.{name} IS NOT DISTINCT FROM {other}.{name}" for name in names)


SHARED_COSTS = "SELECT * FROM shared_costs ORDER BY name, period_start, period_end, recorded_at"
"""All shared costs ever recorded."""

WITHDRAW = (
    f"UPDATE shared_costs SET withdrawn_at = $now FROM gone WHERE withdrawn_at IS NULL AND {_same(_KEY, 'gone')}",
    f"""UPDATE shared_costs SET withdrawn_at = $now FROM given
    WHERE withdrawn_at IS NULL AND {_same(_KEY, "given")} AND NOT ({_same(_SCHEMA.names, "given")})""",
)
"""Withdraws the rows of the names and periods in ``gone``, then those that ``given`` says otherwise."""

NEW = f"""
INSERT INTO shared_costs BY NAME
SELECT given.*, $now AS recorded_at FROM given
WHERE NOT EXISTS (SELECT 1 FROM shared_costs WHERE withdrawn_at IS NULL AND {_same(_KEY, "given")})
"""
"""Records what ``given`` says and no row that holds does; its answer is how many."""
