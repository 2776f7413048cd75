"""Answers as plain JSON values, exact: a decimal is a JSON number with all its digits."""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from datetime import date, datetime, time
from decimal import Decimal
from typing import Any

import pyarrow as pa
import simplejson

from botanu.pricing.own_prices import Alias, OwnDiscount, OwnPrice
from botanu.pricing.shared_costs import SharedCost
from botanu.pricing.terms import Term, term_id
from botanu.pricing.value_card import UnitValue
from botanu.query.report import Report
from botanu.query.sql import Answer
from botanu.query.unpriced import Unpriced
from botanu.query.window import Window

Plain = dict[str, Any]


class _Written(Decimal):
    """A decimal that writes itself with all its places and no exponent."""

    def __str__(self) -> str:
        return format(self, "f")


def dumps(document: object) -> bytes:
    """Write *document* as JSON."""
    return simplejson.dumps(document, use_decimal=True, ensure_ascii=False, separators=(",", ":")).encode()


def loads(text: bytes) -> Any:  # noqa: ANN401 - whatever JSON holds
    """Read JSON; numbers with a fraction become decimals."""
    return simplejson.loads(text, use_decimal=True)


def answer(asked: Answer) -> Plain:
    """Return the answer to a SQL query: the columns with their types, and the rows."""
    columns = [_values(column) for column in asked.table.columns]
    return {
        "columns": [{"name": name, "type": kind} for name, kind in asked.columns],
        "rows": [[_plain(value) for value in row] for row in zip(*columns, strict=True)],
    }


def _values(column: pa.ChunkedArray) -> list[Any]:
    try:
        return list(column.to_pylist())
    except (ValueError, OverflowError):  # an instant that Python has no value for
        return list(column.cast(pa.string()).to_pylist())


def report(made: Report) -> Plain:
    """Return a report."""
    shared = {} if made.shared is None else {"shared": _plain(asdict(made.shared))}
    return {
        "window": _plain(asdict(made.window)),
        "by": made.by,
        "currency": made.currency,
        "rows": [_plain(row) for row in made.rows],
        "total": _plain(made.total),
        "coverage": _plain(asdict(made.coverage)),
        "latest_start": _plain(made.latest_start),
        **shared,
    }


def missing(window: Window, found: Sequence[Unpriced]) -> Plain:
    """Return what has no price."""
    return {"window": _plain(asdict(window)), "unpriced": [_plain(asdict(each)) for each in found]}


def document(values: Mapping[str, object]) -> Plain:
    """Return what *values* name, all of it in plain values."""
    return dict(_plain(values))


def unit_value(value: UnitValue) -> Plain:
    """Return one entry of the value card."""
    return dict(_plain(asdict(value)))


def shared_cost(cost: SharedCost) -> Plain:
    """Return one shared cost."""
    return dict(_plain(asdict(cost)))


def term(said: Term, origin: str) -> Plain:
    """Return one thing that the user says of prices, with its id and where it is from."""
    fields = asdict(said)
    scope = fields.pop("scope", {})
    return {"id": term_id(said), "kind": _KINDS[type(said)], **_plain({**scope, **fields, "origin": origin})}


_KINDS: Mapping[type, str] = {OwnPrice: "price", OwnDiscount: "discount", Alias: "alias"}


def _plain(value: object) -> Any:  # noqa: ANN401 - a JSON value
    if isinstance(value, Mapping):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    write = next((write for kinds, write in _WRITERS if isinstance(value, kinds)), str)
    return write(value)


_WRITERS: tuple[tuple[Any, Callable[[Any], object]], ...] = (
    (bool | int | str | None, lambda value: value),
    (float, lambda value: value if math.isfinite(value) else str(value)),
    (Decimal, _Written),
    (bytes, bytes.hex),
    (datetime | date | time, lambda value: value.isoformat()),
)
