"""What has no price: calls whose cost is not known, or not wholly, by what they lack."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from botanu import semconv
from botanu.pricing.notes import INCOMPLETE
from botanu.pricing.remedies import commands
from botanu.query.window import Window
from botanu.store.protocol import Store

SHOWN_MAX = 1000
"""Most kinds of call that are told."""


@dataclass(frozen=True, slots=True)
class Unpriced:
    """Calls of one provider, model and service tier that lack the same: *notes* says what.

    *meters* gives the quantities without a price, as ``meter`` and ``quantity``. *commands* are what gives them one.
    """

    provider: str | None
    model: str | None
    service_tier: str | None
    notes: tuple[str, ...]
    meters: Sequence[Mapping[str, Any]]
    calls: int
    first_seen: datetime
    last_seen: datetime
    commands: tuple[str, ...]


def unpriced(store: Store, window: Window, *, of_runs: bool = False, most: int = SHOWN_MAX) -> list[Unpriced]:
    """Return the calls without a price that started in *window*, those that are most often first.

    Where they are to be *of_runs*, those of the runs that started in it.
    """
    within = window.holds
    chosen = f"run_id IN (SELECT run_id FROM runs WHERE unpriced_calls > 0 AND {within})" if of_runs else within
    rows = store.query(_sql(chosen, most), window.bounds).to_pylist()
    return [_unpriced(row) for row in rows]


def _unpriced(row: Mapping[str, Any]) -> Unpriced:
    meters = row["meters"] or []
    remedies = commands(
        row["provider"],
        row["model"],
        [each["meter"] for each in meters],
        row["notes"],
        row["first_seen"],
        row["service_tier"],
    )
    return Unpriced(**{**row, "notes": tuple(row["notes"]), "meters": meters}, commands=tuple(remedies))


_PROVIDERS = (semconv.DB_SYSTEM_NAME, semconv.MESSAGING_SYSTEM, semconv.STORAGE_SYSTEM, semconv.SERVER_ADDRESS)
_GIVEN = [f"attributes->>'{name}'" for name in _PROVIDERS]
PROVIDER = f"coalesce(provider, {', '.join(_GIVEN)})"
"""Who bills a call: of what is no model, as own prices name it."""

MODEL = "coalesce(model, tool)"
_NOTES = ", ".join(f"'{note}'" for note in sorted(INCOMPLETE))
_KIND = ("provider", "model", "service_tier", "notes")


def _sql(chosen: str, most: int) -> str:
    kind = ", ".join(_KIND)
    same = " AND ".join(f"c.{name} IS NOT DISTINCT FROM u.{name}" for name in _KIND)
    return f"""
WITH chosen AS (
  SELECT {PROVIDER} AS provider, {MODEL} AS model, service_tier, start_time, line_items,
    list_sort(list_intersect(coalesce(cost_notes, []), [{_NOTES}])) AS notes
  FROM spans WHERE counted AND NOT priced AND {chosen}
),
items AS (
  SELECT {kind}, item.meter AS meter, sum(item.quantity) AS quantity
  FROM (SELECT {kind}, unnest(line_items) AS item FROM chosen)
  WHERE item.amount IS NULL AND item.price_id IS NULL GROUP BY ALL
),
used AS (
  SELECT {kind}, list({{meter: meter, quantity: quantity}} ORDER BY meter) AS meters FROM items GROUP BY {kind}
),
calls AS (
  SELECT {kind}, count(*) AS calls, min(start_time) AS first_seen, max(start_time) AS last_seen
  FROM chosen GROUP BY {kind}
)
SELECT c.*, u.meters FROM calls c LEFT JOIN used u ON {same}
ORDER BY c.calls DESC, c.provider, c.model, c.service_tier, c.notes LIMIT {most}
"""
