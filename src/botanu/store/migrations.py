"""How a store comes to this release's schema: by migration only, a new entry at the end of ``MIGRATIONS``."""

from collections.abc import Iterator, Sequence

from botanu.store.columns import LINE_ITEMS, Table
from botanu.store.schema import COST_CHANGES, EVENTS, PRICE_TERMS, PRICES, RUNS, SPANS, UNIT_VALUES
from botanu.store.shared_tables import ALLOCATIONS_SQL, SHARED_COSTS

_LINE_ITEMS_SQL = """
CREATE OR REPLACE VIEW line_items AS
SELECT s.trace_id, s.span_id, s.run_id, s.event_id, s.start_time, s.provider, s.model,
       s.item.meter AS meter, s.item.quantity AS quantity, s.item.price_id AS price_id,
       p.amount AS unit_price, p.per, p.above, p.service_tier, p.source AS price_source,
       p.valid_from AS price_valid_from, s.item.amount AS amount,
       CASE WHEN s.item.amount IS NOT NULL THEN coalesce(p.currency, s.currency) END AS currency
FROM (SELECT *, unnest(line_items) AS item FROM spans WHERE counted) AS s
LEFT JOIN prices AS p ON p.price_id = s.item.price_id
"""

_RETYPED = (
    "DROP VIEW IF EXISTS allocations",
    "DROP VIEW IF EXISTS line_items",
    f"ALTER TABLE spans ALTER COLUMN line_items TYPE {LINE_ITEMS}",
    "ALTER TABLE prices ALTER COLUMN valid_from TYPE TIMESTAMP WITH TIME ZONE",
    "ALTER TABLE prices ALTER COLUMN valid_to TYPE TIMESTAMP WITH TIME ZONE",
)

_STORED = (SPANS, RUNS, EVENTS, UNIT_VALUES, PRICES)
_SINCE_3 = (PRICE_TERMS, COST_CHANGES, SHARED_COSTS)


def _create(tables: Sequence[Table], version: int) -> tuple[str, ...]:
    return tuple(f"CREATE TABLE {table.name} ({', '.join(_columns(table, version))})" for table in tables)


def _add(version: int) -> tuple[str, ...]:
    return tuple(
        f"ALTER TABLE {table.name} ADD COLUMN {column}" for table in _STORED for column in _columns(table, version)
    )


def _columns(table: Table, version: int) -> Iterator[str]:
    return (f"{column.name} {column.type}" for column in table.columns if column.since == version)


MIGRATIONS: tuple[tuple[str, ...], ...] = (
    _create(_STORED, 1),
    _add(2),
    (*_RETYPED, *_add(3), *_create(_SINCE_3, 3), _LINE_ITEMS_SQL, ALLOCATIONS_SQL),
)
"""Statements that bring a store from version *n* to *n + 1*; the first makes a new store, the last its views."""

VERSION = len(MIGRATIONS)
"""The schema version of this release."""
