"""A span's attributes read as the server's columns.

The server reads a column of many spans at a time, with libraries that a program does not have. What it reads each of
them for is in the same tables; how it reads one value is stated here once more, and a test compares the two.
"""

import re
from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any

from botanu import semconv
from botanu.ingest.dialects import COLUMNS, DIALECTS, USAGE, Kind

_COUNT_MAX = 10**12
_COUNT_TEXT = re.compile(r"[0-9]{1,12}")
_MONEY_TEXT = re.compile(r"0*[0-9]{1,9}(\.[0-9]+)?|[0-9](\.[0-9]+)?[eE]-0*[1-9][0-9]{0,2}")
_MONEY_LIMIT = Decimal("999999999.9999999995")  # from here on it is rounded to more than a column holds
_REQUESTS = "requests"
_CURRENCY = "USD"  # of a cost that names none


def read(attributes: Mapping[str, Any], column: str) -> Any:  # noqa: ANN401 - the column's kind says what
    """Return what *attributes* say for a *column* of the server's: the first that can be read, in order of dialects."""
    reader = _READERS[COLUMNS[column]]
    names = (name for dialect in DIALECTS for name in dialect.attributes.get(column, ()) if name in attributes)
    return next((value for name in names if (value := reader(attributes[name])) is not None), None)


def read_cost(attributes: Mapping[str, Any]) -> tuple[Decimal | None, str | None]:
    """Return what a call cost by its *attributes*, exactly, and the currency; ``None`` for both if one is unusable."""
    amount = read(attributes, "cost_amount")
    currency = read(attributes, "cost_currency") if semconv.COST_CURRENCY in attributes else _CURRENCY
    return (None, None) if amount is None or currency is None else (amount, currency.upper())


def read_usage(attributes: Mapping[str, Any], reader: Callable[[Mapping[str, Any], str], Any]) -> dict[str, Any]:
    """Return the usage that *attributes* report by meter: of the server's own meters as *reader* does, if it can."""
    counts = {meter: reader(attributes, meter) for meter in _reported(attributes) if meter in USAGE}
    return {
        meter: value if counts.get(meter) is None else counts[meter] for meter, value in _reported(attributes).items()
    }


def read_own(attributes: Mapping[str, Any], meter: str) -> int | None:
    """Return what *attributes* say of one of the server's meters in botanu's own words."""
    return _count(attributes.get(f"{semconv.USAGE}{meter}"))


def uses(attributes: Mapping[str, Any]) -> bool:
    """Return whether *attributes* say how much was used, in whatever words."""
    counts = {meter: read(attributes, meter) for meter in USAGE}
    return any(count is not None for meter, count in counts.items() if meter != _REQUESTS) or bool(counts[_REQUESTS])


def reports(attributes: Mapping[str, Any], *, rolls_up: bool) -> bool:
    """Return whether *attributes* report a cost, or usage in botanu's own words: all that counts if it *rolls_up*."""
    return semconv.COST_AMOUNT in attributes or any(
        _is_reported(attributes, meter, rolls_up=rolls_up) if meter in USAGE else not _is_zero(value)
        for meter, value in _reported(attributes).items()
    )


def _is_reported(attributes: Mapping[str, Any], meter: str, *, rolls_up: bool) -> bool:
    own = read_own(attributes, meter)
    if own is None:
        return rolls_up or read(attributes, meter) is None
    return own > 0 or meter != _REQUESTS


def is_answered(attributes: Mapping[str, Any]) -> bool:
    """Return whether the provider has answered something, by the *attributes* of a call."""
    return read(attributes, "response_id") is not None or semconv.GEN_AI_TIME_TO_FIRST_CHUNK in attributes


def _reported(attributes: Mapping[str, Any]) -> dict[str, Any]:
    return {
        name.removeprefix(semconv.USAGE): value for name, value in attributes.items() if name.startswith(semconv.USAGE)
    }


def _is_zero(value: object) -> bool:
    return type(value) in (int, float) and value == 0


def _text(value: object) -> str | None:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, int | float):
        return str(value).removesuffix(".0")
    return value if isinstance(value, str) else None


def _count(value: object) -> int | None:
    is_whole = isinstance(value, float) and value.is_integer()
    if is_whole or (isinstance(value, str) and _COUNT_TEXT.fullmatch(value)):
        value = int(value)  # type: ignore[call-overload]
    return value if type(value) is int and 0 <= value <= _COUNT_MAX else None


def _money(value: object) -> Decimal | None:
    text = None if isinstance(value, bool) else _text(value)
    if text is None or not _MONEY_TEXT.fullmatch(text):
        return None
    amount = Decimal(text)
    return amount if amount < _MONEY_LIMIT else None


_READERS: Mapping[Kind, Callable[[object], Any]] = {Kind.TEXT: _text, Kind.COUNT: _count, Kind.MONEY: _money}
