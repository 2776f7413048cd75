"""Finds the calls among spans, and gives each its line items and cost."""

from collections.abc import Mapping

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from botanu.ingest.dialects import CALL_OPERATIONS, USAGE
from botanu.ingest.reading import mask
from botanu.ingest.reported import ROLL_UPS
from botanu.pricing.catalog import Catalog
from botanu.pricing.costing import REQUESTS, UNUSABLE, Costed, LineItems, Usage, price_calls
from botanu.pricing.meters import ABSENT
from botanu.pricing.money import AMOUNT, CURRENCY, Int64s, amounts, in_nanos

LINE_ITEM = pa.struct([("meter", pa.string()), ("quantity", pa.int64()), ("price_id", pa.string()), ("amount", AMOUNT)])

_COMPUTED = pa.scalar("computed")
_REPORTED = pa.scalar("reported")
_CURRENCY = pa.scalar(CURRENCY)
_ROLL_UP = pa.scalar("its calls report the same usage")
_NO_TEXT = pa.scalar(None, pa.string())
_REPORTS = ("reports_cost", "reports_usage", "own_usage", "answered")
_CONSUMED = frozenset({*USAGE, "response_model", "cost_amount", "cost_currency", *_REPORTS})
_CALLS = pa.array(CALL_OPERATIONS)


def add_costs(columns: Mapping[str, pa.Array], catalog: Catalog) -> dict[str, pa.Array]:
    """Return *columns* with ``model``, ``line_items``, ``cost`` and what goes with them.

    A call is a span that reports usage, or whose operation consumes some and did not fail before it was answered; a
    call that reports none has a cost that is not known. Usage on spans around calls is not counted: the calls report it
    themselves. But a cost or usage that the program reports in botanu's own words is that of the span it stands on,
    whatever the span is.
    """
    count = len(columns["span_id"])
    uses = np.zeros(count, dtype=np.bool_)
    for meter in USAGE:
        uses |= mask(pc.greater(columns[meter], 0) if meter == REQUESTS else columns[meter].is_valid())
    own = columns["own_usage"].to_numpy()
    reports = mask(columns["reports_cost"]) | mask(columns["reports_usage"]) | (own > 0)
    rolls_up = mask(pc.is_in(columns["operation"], ROLL_UPS))
    failed = mask(columns["error_type"].is_valid()) | mask(pc.equal(columns["status_code"], pa.scalar("error")))
    should_use = mask(pc.is_in(columns["operation"], _CALLS)) & (~failed | mask(columns["answered"]))
    calls = np.flatnonzero((uses & ~rolls_up) | should_use | reports)

    costed = price_calls(_usage(columns, calls, rolls_up), catalog)
    counted = np.zeros(count, dtype=np.bool_)
    counted[calls] = True
    return {
        **{name: column for name, column in columns.items() if name not in _CONSUMED},
        "model": pc.coalesce(columns["response_model"], columns["request_model"]),
        **{meter: _told_once(columns, meter, rolls_up & counted) for meter in ("input_tokens", "output_tokens")},
        **_cost_columns(costed, calls, columns["cost_amount"].is_valid()),
        "counted": pa.array(counted, mask=~(uses | counted)),
        "counted_reason": pc.if_else(pa.array(uses & ~counted), _ROLL_UP, _NO_TEXT),
    }


def _usage(columns: Mapping[str, pa.Array], calls: Int64s, rolls_up: NDArray[np.bool_]) -> Usage:
    """Return what *calls* used; of those where *rolls_up* only what they report in botanu's own words."""
    rows = pa.array(calls)
    names = [columns[name].take(rows) for name in ("provider", "response_model", "request_model")]
    models, model_of = _distinct(names)
    reports_cost, beyond = (mask(columns[name].take(rows)) for name in ("reports_cost", "reports_usage"))
    known = (meter for meter in USAGE if columns[meter].null_count < len(columns[meter]))
    totals = {meter: _told_once(columns, meter, rolls_up).take(rows).fill_null(ABSENT).to_numpy() for meter in known}
    return Usage(
        models=[(provider, (response, request)) for provider, response, request in models],
        model_of=np.where(rolls_up[calls], ABSENT, model_of),
        times=columns["start_time_unix_nano"].take(rows).to_numpy(),
        totals=totals,
        reported=np.where(reports_cost, in_nanos(columns["cost_amount"].take(rows), UNUSABLE), ABSENT),
        beyond=beyond,
    )


def _told_once(columns: Mapping[str, pa.Array], meter: str, around: NDArray[np.bool_]) -> pa.Array:
    """Return quantities of *meter*, null on spans *around* calls that do not report theirs in botanu's own words."""
    repeated = around & (columns["own_usage"].to_numpy() >> USAGE.index(meter) & 1 == 0)
    return pc.if_else(pa.array(~repeated), columns[meter], None) if repeated.any() else columns[meter]


def _distinct(columns: list[pa.Array]) -> tuple[list[tuple[str | None, ...]], Int64s]:
    """Return the distinct rows of some text *columns*, and for each row which of them it is."""
    table = pa.table(columns, names=[str(number) for number in range(len(columns))])
    combined = np.zeros(len(table), dtype=np.int64)
    for column in columns:
        encoded = column.dictionary_encode("encode")
        combined = combined * (len(encoded.dictionary) + 1) + encoded.indices.to_numpy()
    _, first, which = np.unique(combined, return_index=True, return_inverse=True)
    distinct = table.take(pa.array(first)).to_pylist()
    return [tuple(row.values()) for row in distinct], which


def _cost_columns(costed: Costed, calls: Int64s, reported: pa.Array) -> dict[str, pa.Array]:
    count = len(reported)
    any_priced = np.zeros(len(calls), dtype=np.bool_)
    any_priced[costed.items.call[costed.items.priced()]] = True
    known = np.zeros(count, dtype=np.bool_)
    known[calls] = any_priced | costed.complete
    nanos = np.zeros(count, dtype=np.int64)
    nanos[calls] = costed.nanos
    complete = np.zeros(count, dtype=np.bool_)
    complete[calls] = costed.complete
    is_call = np.zeros(count, dtype=np.bool_)
    is_call[calls] = True
    has_cost = pa.array(known)
    return {
        "line_items": _line_items(costed.items, calls, count),
        "cost": amounts(nanos, known),
        "currency": pc.if_else(has_cost, _CURRENCY, _NO_TEXT),
        "cost_source": pc.if_else(has_cost, pc.if_else(reported, _REPORTED, _COMPUTED), _NO_TEXT),
        "priced": pa.array(complete, mask=~is_call),
    }


def _line_items(items: LineItems, calls: Int64s, count: int) -> pa.Array:
    """Return, per span, its line items as a list; null where it has none."""
    price_ids = pa.array([tier.id for tier in items.tiers], pa.string())
    values = pa.StructArray.from_arrays(
        [
            pa.array(items.meters, pa.string()).take(pa.array(items.meter)),
            pa.array(items.quantity),
            price_ids.take(pa.array(items.price, mask=~items.priced())),
            amounts(items.nanos, items.known()),
        ],
        fields=list(LINE_ITEM),
    )
    per_span = np.bincount(calls[items.call], minlength=count)
    offsets = np.concatenate([[0], np.cumsum(per_span)]).astype(np.int32)
    return pa.ListArray.from_arrays(pa.array(offsets), values, mask=pa.array(per_span == 0))
