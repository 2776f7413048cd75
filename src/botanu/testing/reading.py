"""A span's attributes read as the server's columns.

The server reads a column of many spans at a time, with libraries that a program does not have. What it reads each of
them for is in the same tables; how it reads one value is stated here once more, and a test compares the two.
"""

import re
from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any

from opentelemetry.sdk.trace import ReadableSpan

from botanu.ingest.dialects import BESIDE_SCOPES, COLUMNS, DIALECTS, JSON, TRANSLATIONS, Kind
from botanu.ingest.members import listed, members
from botanu.sdk.spans import attributes_of

_COUNT_MAX = 10**15
_COUNT_TEXT = re.compile(r"[0-9]{1,15}")
_QUANTITY_LIMIT = 10**12
_QUANTITY_TEXT = re.compile(r"[0-9]{1,12}(\.[0-9]{1,9})?")
_MONEY_TEXT = re.compile(r"0*[0-9]{1,9}(\.[0-9]+)?|[0-9](\.[0-9]+)?[eE]-0*[1-9][0-9]{0,2}")
_BESIDE = ("input_uncached_tokens", "input_tokens")  # the first is told by some under the names of the second
_MONEY_LIMIT = Decimal("999999999.9999999995")  # from here on it is rounded to more than a column holds


class Said:
    """What a span says: its attributes, with the members of those that hold JSON, and the name of its *scope*."""

    def __init__(self, span: ReadableSpan) -> None:
        """Read *span*."""
        self.attributes = _expanded(attributes_of(span))
        self.scope = span.instrumentation_scope.name if span.instrumentation_scope is not None else ""

    def read(self, column: str) -> Any:  # noqa: ANN401 - the column's kind says what
        """Return what is said for a *column* of the server's."""
        if self.scope not in BESIDE_SCOPES or column not in _BESIDE:
            return _read(self.attributes, column)
        known = (_read(self.attributes, each) for each in _BESIDE)
        return next((tokens for tokens in known if tokens is not None), None) if column == _BESIDE[0] else None


def _expanded(attributes: Mapping[str, Any]) -> dict[str, Any]:
    found = dict(attributes)
    for name in JSON:
        value = attributes.get(name)
        if isinstance(value, tuple | list):
            value = listed(item if isinstance(item, str) else "" for item in value)
        if isinstance(value, str):
            found |= members(name, value)
    return found


def _read(attributes: Mapping[str, Any], column: str) -> Any:  # noqa: ANN401 - the column's kind says what
    """Return what *attributes* say for a *column*: the first that can be read, in order of dialects."""
    reader = READERS[COLUMNS[column]]
    names = (name for dialect in DIALECTS for name in dialect.attributes.get(column, ()) if name in attributes)
    found = next((value for name in names if (value := reader(attributes[name])) is not None), None)
    return TRANSLATIONS[column](found) if column in TRANSLATIONS and found is not None else found


def _text(value: object) -> str | None:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, int | float):
        return str(value).removesuffix(".0")
    return value if isinstance(value, str) else None


def _flag(value: object) -> bool | None:
    if isinstance(value, str):
        return {"true": True, "false": False}.get(value.lower())
    return value if isinstance(value, bool) else None


def _count(value: object) -> int | None:
    is_whole = isinstance(value, float) and value.is_integer()
    if is_whole or (isinstance(value, str) and _COUNT_TEXT.fullmatch(value)):
        value = int(value)  # type: ignore[call-overload]
    return value if type(value) is int and 0 <= value <= _COUNT_MAX else None


def _quantity(value: object) -> int | float | None:
    if isinstance(value, str) and _QUANTITY_TEXT.fullmatch(value):
        value = float(value) if "." in value else int(value)
    return value if type(value) in (int, float) and 0 <= value < _QUANTITY_LIMIT else None  # type: ignore[operator, return-value]


def _money(value: object) -> Decimal | None:
    text = None if isinstance(value, bool) else _text(value)
    if text is None or not _MONEY_TEXT.fullmatch(text):
        return None
    amount = Decimal(text)
    return amount if amount < _MONEY_LIMIT else None


READERS: Mapping[Kind, Callable[[object], Any]] = {
    Kind.TEXT: _text,
    Kind.COUNT: _count,
    Kind.QUANTITY: _quantity,
    Kind.MONEY: _money,
    Kind.FLAG: _flag,
}
"""How a value of each kind is read that a call has; ``None`` is what is none."""
