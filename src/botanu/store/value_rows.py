"""Values of the value card as rows of the ``unit_values`` table."""

from collections.abc import Iterable

import pyarrow as pa

from botanu.pricing.value_card import UnitValue

SCHEMA = pa.schema(
    [
        ("value_type", pa.string()),
        ("workflow", pa.string()),
        ("amount", pa.decimal128(18, 9)),
        ("currency", pa.string()),
        ("valid_from", pa.timestamp("us", tz="UTC")),
        ("source", pa.string()),
    ]
)


def value_rows(values: Iterable[UnitValue]) -> pa.Table:
    """Return *values* as rows."""
    rows = [{name: getattr(value, name) for name in SCHEMA.names} for value in values]
    return pa.Table.from_pylist(rows, schema=SCHEMA)
