"""What the user says of prices as rows of the ``price_terms`` table, and back."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pyarrow as pa

from botanu.pricing.own_prices import Alias, OwnDiscount, OwnPrice, Scope
from botanu.pricing.terms import Recorded, Term, term_id

SCHEMA = pa.schema(
    [
        ("term_id", pa.string()),
        ("kind", pa.string()),
        ("provider", pa.string()),
        ("model", pa.string()),
        ("meter", pa.string()),
        ("amount", pa.decimal128(38, 18)),
        ("per", pa.int64()),
        ("above", pa.int64()),
        ("currency", pa.string()),
        ("percent", pa.decimal128(18, 9)),
        ("as_provider", pa.string()),
        ("as_model", pa.string()),
        ("tenant_id", pa.string()),
        ("service_tier", pa.string()),
        ("valid_from", pa.timestamp("us", tz="UTC")),
        ("source", pa.string()),
        ("origin", pa.string()),
    ]
)


def term_rows(terms: Iterable[Term], origin: str) -> pa.Table:
    """Return *terms* as rows, each once."""
    rows = {term_id(term): {"source": term.source, "origin": origin, **_fields(term)} for term in terms}
    return pa.Table.from_pylist([{"term_id": name, **row} for name, row in rows.items()], schema=SCHEMA)


def id_rows(names: Sequence[str]) -> pa.Table:
    """Return names of terms as rows."""
    return pa.table({"term_id": pa.array(names, pa.string())})


def _fields(term: Term) -> dict[str, object]:
    if isinstance(term, Alias):
        names = {name: getattr(term, name) for name in ("provider", "model", "as_provider", "as_model")}
        return {"kind": "alias", **names}
    scope = {name: getattr(term.scope, name) for name in ("provider", "model", "tenant_id", "service_tier")}
    common = {**scope, "meter": term.meter, "valid_from": term.valid_from}
    if isinstance(term, OwnDiscount):
        return {"kind": "discount", "percent": term.percent, **common}
    return {"kind": "price", **{name: getattr(term, name) for name in ("amount", "per", "above", "currency")}, **common}


def recorded_of(row: Mapping[str, Any]) -> Recorded:
    """Return the term of a *row*, with where it is from."""
    return Recorded(_term_of(row), row["origin"], _utc(row["recorded_at"]))


def _term_of(row: Mapping[str, Any]) -> Term:
    if row["kind"] == "alias":
        return Alias(row["provider"], row["model"], row["as_model"], row["as_provider"], row["source"])
    scope = Scope(row["provider"], row["model"], row["tenant_id"], row["service_tier"])
    valid_from = None if row["valid_from"] is None else _utc(row["valid_from"])
    if row["kind"] == "discount":
        return OwnDiscount(scope, _short(row["percent"]), row["meter"], valid_from, row["source"])
    return OwnPrice(
        scope,
        row["meter"],
        _short(row["amount"]),
        row["currency"],
        row["per"],
        row["above"],
        valid_from,
        row["source"],
    )


def _short(number: Decimal) -> Decimal:
    """Return *number* without the zeros its column adds, as a person's is kept: names of terms depend on it."""
    return number.normalize() if number else Decimal(0)


def _utc(moment: datetime) -> datetime:
    return moment.astimezone(UTC)
