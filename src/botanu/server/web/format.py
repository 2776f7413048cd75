"""Numbers as people read them: the page and the command line write them alike. Exports are exact instead.

The rules are in the documentation under "How numbers are shown". Rounding is half-even and for display only.
"""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from decimal import ROUND_HALF_EVEN, Context, Decimal
from typing import Any

from botanu.query.measures import Unit

UNKNOWN = "–"
"""Stands for what cannot be said. It is not zero."""

_SYMBOLS = {"USD": "$"}
_MINUS = "−"
_MILLION = 1_000_000
_WHOLE_FROM = 1000
_CENTS = 2
_WHOLE_PER_CENT_FROM = 10
_COLUMN_DECIMALS_MAX = 6
_COLUMN_SPREAD_MAX = 5000
_EXACT = Context(prec=60, rounding=ROUND_HALF_EVEN)

Number = Decimal | float | int


def money(amount: Number | None, currency: str = "USD", decimals: int | None = None) -> str:
    """Write an amount: ``$0.0042``, ``$0.40``, ``$331.03``, ``$1,234``, ``$1.23M``, ``−$0.61``.

    Below 1 up to three significant digits and at least two decimals; cents below 1,000; whole below a million.
    *decimals* overrides this, for columns.
    """
    if amount is None:
        return UNKNOWN
    exact = _decimal(amount)
    sign = _MINUS if exact < 0 else ""
    symbol = _SYMBOLS.get(currency, f"{currency} ")
    size = abs(exact)
    if size == 0 and decimals is None:
        return f"{symbol}0"
    if size >= _MILLION and decimals is None:
        return f"{sign}{symbol}{_rounded(size / _MILLION, 2):,}M"
    return f"{sign}{symbol}{_rounded(size, _decimals(size) if decimals is None else decimals):,f}"


def money_column(amounts: Sequence[Number | None], currency: str = "USD") -> list[str]:
    """Write a column of amounts with the same decimals, those its smallest needs, at most six.

    Where the largest is over 5,000 times the smallest, each has its own.
    """
    sizes = [abs(_decimal(amount)) for amount in amounts if amount]
    if not sizes or max(sizes) > _COLUMN_SPREAD_MAX * min(sizes):
        return [money(amount, currency) for amount in amounts]
    decimals = min(max(_decimals(size) for size in sizes), _COLUMN_DECIMALS_MAX)
    return [money(amount, currency, decimals) for amount in amounts]


def share(value: Number | None) -> str:
    """Write a share of 1 as a percentage: ``77.3%``."""
    return UNKNOWN if value is None else f"{_rounded(_decimal(value) * 100, 1)}%"


def ratio(value: Number | None) -> str:
    """Write a ratio such as ROI as a signed percentage: ``+190%``, ``−4.2%``."""
    if value is None:
        return UNKNOWN
    per_cent = _decimal(value) * 100
    rounded = _rounded(abs(per_cent), 0 if abs(per_cent) >= _WHOLE_PER_CENT_FROM else 1)
    sign = "" if rounded == 0 else _MINUS if per_cent < 0 else "+"
    return f"{sign}{rounded:,}%"


def count(value: Number | None) -> str:
    """Write a count: ``12,345``."""
    return UNKNOWN if value is None else f"{int(value):,}"


def column(unit: Unit, values: Sequence[Number | None], currency: str) -> list[str]:
    """Write the values of one measure, as its *unit* asks for."""
    if unit is Unit.MONEY:
        return money_column(values, currency)
    write = {Unit.COUNT: count, Unit.SHARE: share, Unit.RATIO: ratio}[unit]
    return [write(value) for value in values]


def minute(instant: datetime) -> str:
    """Write an instant to the minute, in UTC."""
    return f"{instant.astimezone(UTC):%Y-%m-%d %H:%M}"


def window(start: datetime | None, end: datetime | None) -> str:
    """Write which runs a report is about."""
    bounds = [f"{word} {minute(bound)}" for word, bound in (("from", start), ("until", end)) if bound is not None]
    return f"Runs that started {' '.join(bounds)} UTC" if bounds else "All runs"


def coverage(known: Mapping[str, Any], value: Number | None) -> list[tuple[str, str]]:
    """Write how much of an answer is known, *value* its total: a figure and of what it is, for each part."""
    unpriced, unvalued = known["unpriced_calls"], known["unvalued_runs"]
    missing = f" ({count(unpriced)} without a price, not in the cost)" if unpriced else ""
    parts = [
        (share(known["priced"]), f"of calls priced{missing}"),
        (share(known["attributed"]), "of cost attributed to a run"),
        (share(known["recorded"]), "of ended runs recorded an outcome"),
    ]
    if value is not None and unvalued:
        names = ", ".join(known["unvalued_types"]) or "no value type"
        runs = "run" if unvalued == 1 else "runs"
        parts.append((count(unvalued), f"{runs} achieved what no value is set for, not in the value: {names}"))
    return parts


def shared(known: Mapping[str, Any], currency: str) -> str:
    """Write what became of the shared costs of a report's time."""
    on_these, on_others, on_none = (
        money(known[part], currency) for part in ("on_these_runs", "on_other_runs", "unallocated")
    )
    why = f", as no run has weight: {', '.join(known['unallocated_names'])}" if known["unallocated_names"] else ""
    parts = [f"{on_these} on these runs", f"{on_others} on runs outside the window", f"{on_none} unallocated{why}"]
    if left_out := [f"{cost['name']} {money(cost['amount'], cost['currency'])}" for cost in known["left_out"]]:
        parts.append(f"left out, in another currency: {', '.join(left_out)}")
    return f"{money(known['total'], currency)} of shared costs: {' · '.join(parts)}"


def unpriced_lines(known: Mapping[str, Any]) -> list[str]:
    """Write what most often lacks a price, and what cost in other currencies stands beside a total."""
    lines = []
    if known["unpriced"]:
        first = known["unpriced"][0]
        name = "/".join(part for part in (first["provider"], first["model"]) if part) or "no provider named"
        calls = "call" if first["calls"] == 1 else "calls"
        lines.append(
            f"Most often without a price: {name}, {count(first['calls'])} {calls}; "
            "what to do about it: 'botanu prices missing'."
        )
    if known["other_costs"]:
        amounts = ", ".join(money(each["amount"], each["currency"]) for each in known["other_costs"])
        lines.append(f"Besides, in other currencies and not in the cost: {amounts}.")
    return lines


def no_value_hint(known: Mapping[str, Any]) -> str:
    """Write why there is no value at all, and what to do."""
    if not known["unvalued_types"]:
        return "No outcome says how much of what was achieved, so there is no value and no ROI."
    names = known["unvalued_types"]
    return f"No value is set for {', '.join(names)}: 'botanu values set {names[0]} AMOUNT' gives value and ROI."


def _decimal(value: Number) -> Decimal:
    return value if isinstance(value, Decimal) else Decimal(repr(value))


def _rounded(value: Decimal, decimals: int) -> Decimal:
    return value.quantize(Decimal(1).scaleb(-decimals), context=_EXACT)


def _decimals(size: Decimal) -> int:
    """Return how many decimals an amount of this *size* is shown with."""
    if size >= _WHOLE_FROM:
        return 0
    if size >= 1 or size == 0:
        return _CENTS
    digits = 2 - size.adjusted()  # three significant digits
    shown = _rounded(size, digits)
    while digits > _CENTS and shown == _rounded(shown, digits - 1):
        digits -= 1
    return digits
