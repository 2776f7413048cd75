"""What botanu booked, by provider, model, day, meter and tier: the side that invoices are compared with."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from typing import Any

_DAY_NS = 86_400 * 10**9
_EPOCH = date(1970, 1, 1)

TIER = "s.service_tier"
"""The tier of a span, in SQL."""

_DAY = f"s.start_time_unix_nano // {_DAY_NS}"
_WITHIN = "s.start_time_unix_nano >= {start} AND s.start_time_unix_nano < {end}"

_LINES = f"""
SELECT l.provider, l.model, {_DAY} AS day, l.meter, {TIER} AS service_tier,
  sum(l.quantity) AS quantity, sum(l.amount) AS amount, max(l.currency) AS currency, count(*) AS calls,
  count(*) FILTER (l.amount IS NULL AND s.cost_source IS DISTINCT FROM 'reported') AS unpriced_calls,
  min(s.start_time_unix_nano) AS first_start, max(s.start_time_unix_nano) AS last_start
FROM line_items AS l JOIN spans AS s ON s.trace_id = l.trace_id AND s.span_id = l.span_id
WHERE s.counted AND {_WITHIN}
GROUP BY ALL
"""

_CALLS = f"""
SELECT s.provider, s.model, {_DAY} AS day, {TIER} AS service_tier,
  count(*) FILTER (s.counted) AS calls,
  count(*) FILTER (s.counted AND s.line_items IS NULL) AS silent_calls,
  count(*) FILTER (NOT s.counted) AS duplicates,
  count(s.response_id) FILTER (s.counted) - count(DISTINCT s.response_id) FILTER (s.counted) AS repeated_calls,
  min(s.start_time_unix_nano) AS first_start, max(s.start_time_unix_nano) AS last_start
FROM spans AS s
WHERE s.counted IS NOT NULL AND {_WITHIN}
GROUP BY ALL
"""


@dataclass(frozen=True, slots=True)
class BookedLine:
    """What calls of one model in one tier used of one meter on one day (UTC), and what that costs.

    *amount* is the sum of the amounts that are known; ``None`` where none is. *calls* made it up, *unpriced_calls* of
    them without an amount. A line without a *meter* is about all calls of the model, tier and day: *silent_calls* of
    them say no usage, *repeated_calls* share their response's id with another, *duplicates* are spans that are not
    counted. No *service_tier* is the standard. *first_start* and *last_start* are of these calls.
    """

    provider: str | None
    model: str | None
    day: date
    meter: str | None
    service_tier: str | None
    quantity: Decimal
    amount: Decimal | None
    currency: str | None
    calls: int
    unpriced_calls: int = 0
    duplicates: int = 0
    silent_calls: int = 0
    repeated_calls: int = 0
    first_start: datetime | None = None
    last_start: datetime | None = None


def booked_sql(first: date, last: date) -> tuple[str, str]:
    """Return the questions whose answers are what was booked from the day *first* to the day *last*, both included."""
    start, end = (_nanos(day) for day in (first, last + timedelta(days=1)))
    return _LINES.format(start=start, end=end), _CALLS.format(start=start, end=end)


def booked_lines(*answers: Iterable[Mapping[str, Any]]) -> list[BookedLine]:
    """Return the rows that answer ``booked_sql`` as lines."""
    return [_line(row) for rows in answers for row in rows]


def _line(row: Mapping[str, Any]) -> BookedLine:
    amount = row.get("amount")
    counts = ("calls", "unpriced_calls", "duplicates", "silent_calls", "repeated_calls")
    return BookedLine(
        provider=row["provider"],
        model=row["model"],
        day=_EPOCH + timedelta(days=int(row["day"])),
        meter=row.get("meter"),
        service_tier=row["service_tier"],
        quantity=Decimal(str(row.get("quantity") or 0)),
        amount=None if amount is None else Decimal(str(amount)),
        currency=row.get("currency"),
        first_start=_instant(row["first_start"]),
        last_start=_instant(row["last_start"]),
        **{name: int(row.get(name) or 0) for name in counts},
    )


def _nanos(day: date) -> int:
    return int(datetime.combine(day, time(), UTC).timestamp()) * 10**9


def _instant(nanos: int) -> datetime:
    return datetime.combine(_EPOCH, time(), UTC) + timedelta(microseconds=int(nanos) // 1000)
