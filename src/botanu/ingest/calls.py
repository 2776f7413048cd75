"""Finds the calls among spans, and what each used."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from functools import cached_property
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from botanu.ingest import services
from botanu.ingest.dialects import (
    CALL_OPERATIONS,
    METERED,
    OF_SERVICES,
    OWN_RESPONSE_IDS,
    REMAINDERS,
    TWO_SIDED,
    USAGE,
)
from botanu.ingest.reading import mask
from botanu.ingest.reported import ROLL_UPS
from botanu.pricing.costing import UNUSABLE, Usage
from botanu.pricing.line_items import Mask
from botanu.pricing.meters import ABSENT, REQUESTS, parts_of, whole
from botanu.pricing.money import AMOUNT, Int64s, in_nanos
from botanu.pricing.notes import Note
from botanu.pricing.price_list import Kind, PriceList

Columns = Mapping[str, Any]

_CALLS = pa.array(CALL_OPERATIONS)
_TWO_SIDED = pa.array(TWO_SIDED)
_OWN_IDS = pa.array(OWN_RESPONSE_IDS)
_NOTHING = pa.scalar(Decimal(0), AMOUNT)
_NAMES = ("provider", "response_model", "request_model", "service_tier", "tenant_id")


@dataclass(frozen=True, slots=True)
class Calls:
    """The calls among spans: their *rows*, their *usage*, and which are *around* the calls that they tell of.

    *told_once* are columns of tokens, without those that a span repeats beside its own, and with all of those of which
    it tells in parts; *tells_itself* says which of all spans tell of usage or a cost of their own.
    """

    rows: Int64s
    usage: Usage
    around: Mask
    told_once: Mapping[str, pa.Array]
    tells_itself: Mask


def find_calls(columns: Columns, prices: PriceList) -> Calls:
    """Return the calls among the spans of *columns*, to be priced by *prices*.

    A call is a span that reports usage or a cost, or whose operation consumes some and did not fail before it was
    answered, or for which the user has a price.
    """
    spans = _Spans(columns)
    candidates = np.flatnonzero(~spans.has_model | spans.tells_itself)
    families = [*columns["services"], *([spans.teller()] if prices.has_services else [])]
    kinds, which = services.kinds_of(families, columns["tenant_id"], candidates, prices)
    service_of = np.full(spans.count, ABSENT, dtype=np.int64)
    service_of[candidates] = which
    rows = np.flatnonzero(spans.is_call | (service_of != ABSENT))
    usage = _usage(spans, rows, kinds, service_of[rows])
    told_once = {
        meter: _filled(spans.told_once(meter), rows, usage.totals.get(meter))
        for meter in ("input_tokens", "output_tokens")
    }
    around = (spans.rolls_up & ~spans.tells_itself)[rows] & (service_of[rows] == ABSENT)
    return Calls(rows, usage, around, told_once, spans.tells_itself)


class _Spans:
    """What decides on each span whether it is a call."""

    def __init__(self, columns: Columns) -> None:
        self.columns = columns
        self.count = len(columns["span_id"])
        self.own = columns["own_usage"].to_numpy()
        self.rolls_up = mask(pc.is_in(columns["operation"], ROLL_UPS))
        self.others: Mapping[str, pa.Array] = columns["other_usage"]

    @cached_property
    def has_model(self) -> Mask:
        """Which spans name a model."""
        return mask(pc.coalesce(self.columns["response_model"], self.columns["request_model"]).is_valid())

    @cached_property
    def tells_itself(self) -> Mask:
        """Which spans tell of usage or a cost of their own, whatever the calls inside them do."""
        tells = mask(self.columns["reports_cost"]) | mask(self.columns["reports_usage"]) | (self.own > 0)
        return np.logical_or.reduce([tells, *(mask(column.is_valid()) for column in self.others.values())])

    def teller(self) -> services.Named:
        """Return who bills the tools, and the spans that tell of usage of their own, in whatever words they say it."""
        tells = pa.array(self.tells_itself | mask(self.columns["tool"].is_valid()))
        provider = pc.if_else(tells, self.columns["provider"], pa.scalar(None, pa.string()))
        return services.Named(provider, [self.columns["tool"], self.columns["name"]])

    @cached_property
    def is_call(self) -> Mask:
        """Which spans report usage or a cost, or have an operation that consumes some, unless it failed at once."""
        uses = np.logical_or.reduce([np.zeros(self.count, dtype=np.bool_), *self._used()])
        failed = mask(self.columns["error_type"].is_valid())
        failed |= mask(pc.equal(self.columns["status_code"], pa.scalar("error")))
        answered = mask(self.columns["answered"]) & ~mask(pc.is_in(self.columns["scope_name"], _OWN_IDS))
        consumes = mask(pc.is_in(self.columns["operation"], _CALLS)) & (~failed | answered)
        return uses | consumes | self.tells_itself | mask(pc.greater(self.columns["claimed_cost"], _NOTHING))

    def _used(self) -> Iterator[Mask]:
        for meter in METERED:
            column = self.columns[meter]
            if meter not in OF_SERVICES and column.null_count < self.count:
                yield mask(pc.greater(column, 0) if meter == REQUESTS else column.is_valid())

    def told_once(self, meter: str) -> pa.Array:
        """Return the column of *meter*; of spans around calls that tell of usage of their own only that."""
        column = self.columns[meter]
        if meter not in METERED:
            return column
        repeated = self.rolls_up & self.tells_itself & ~self.is_own(meter)
        return pc.if_else(pa.array(repeated), None, column) if repeated.any() else column

    @cached_property
    def claimed_once(self) -> pa.Array:
        """The column of claimed costs; without those of spans around calls that tell of something of their own."""
        repeated = self.rolls_up & self.tells_itself
        return pc.if_else(pa.array(repeated), None, self.columns["claimed_cost"])

    def quantities(self, meter: str, rows: Int64s) -> Int64s:
        """Return what *rows* say of *meter*, ``ABSENT`` where nothing."""
        return self.told_once(meter).take(pa.array(rows)).fill_null(ABSENT).to_numpy()

    def is_own(self, meter: str) -> Mask:
        """Return which spans say in botanu's own words how much of *meter* they used."""
        return (self.own >> METERED.index(meter) & 1).astype(np.bool_)


def _usage(spans: _Spans, rows: Int64s, service_kinds: list[Kind], service_of: Int64s) -> Usage:
    """Return what the calls in *rows* used; *service_of* says which of *service_kinds* each is, if any."""
    taken = pa.array(rows)
    kinds, kind_of = _model_kinds(spans, rows)
    of_service = service_of != ABSENT
    kind_of = np.where((spans.rolls_up & spans.tells_itself)[rows], ABSENT, kind_of)
    totals = _totals(spans, rows, of_service)
    own = mask(spans.columns["reports_cost"].take(taken))
    claimed = spans.claimed_once.take(taken)
    cost = in_nanos(spans.columns["cost_amount"].take(taken), UNUSABLE)
    return Usage(
        kinds=[*kinds, *service_kinds],
        kind_of=np.where(of_service, service_of + len(kinds), kind_of),
        times=spans.columns["start_time_unix_nano"].take(taken).to_numpy(),
        totals=totals,
        reported=np.where(own, cost, in_nanos(claimed, ABSENT)),
        believes_zero=own | mask(spans.columns["cache_hit"].take(taken)),
        lacks={
            Note.UNREADABLE_USAGE: mask(spans.columns["reports_usage"].take(taken)),
            Note.OTHER_CURRENCY: mask(spans.columns["other_currency"].take(taken)),
            Note.PARTIAL_USAGE: _partial(spans, rows, totals),
        },
    )


def _model_kinds(spans: _Spans, rows: Int64s) -> tuple[list[Kind], Int64s]:
    """Return the kinds of call that *rows* are by their models, and which of them each is."""
    distinct, which = services.distinct_rows([spans.columns[name].take(pa.array(rows)) for name in _NAMES])
    kinds = [
        Kind(provider, tuple(name for name in (response, request) if name), tenant, tier)
        for provider, response, request, tier, tenant in distinct
    ]
    return kinds, which


def _totals(spans: _Spans, rows: Int64s, of_service: Mask) -> dict[str, Int64s]:
    """Return the quantities of *rows* by meter, as their sources counted them."""
    totals = {}
    for meter in USAGE:
        if spans.columns[meter].null_count < spans.count:
            quantities = spans.quantities(meter, rows)
            if meter in OF_SERVICES:  # what a database tells of a model's call is no usage of the model
                quantities = np.where(of_service | spans.is_own(meter)[rows], quantities, ABSENT)
            totals[meter] = quantities
    for rest, meter in REMAINDERS.items():
        if spans.columns[rest].null_count < spans.count:
            totals[meter] = _with_rest(meter, spans.quantities(rest, rows), totals)
    for meter, column in spans.others.items():
        totals[meter] = column.take(pa.array(rows)).fill_null(ABSENT).to_numpy()
    if of_service.any():
        totals |= dict(_of_services(spans, rows, of_service, totals))
    return totals


def _with_rest(meter: str, rest: Int64s, totals: Mapping[str, Int64s]) -> Int64s:
    """Return all of *meter* where what remains of it beside its parts is known as *rest*."""
    known = totals.get(meter, np.full_like(rest, ABSENT))
    parts = [np.maximum(quantity, 0) for part in parts_of(meter) if (quantity := whole(part, totals)) is not None]
    return np.where((known == ABSENT) & (rest != ABSENT), sum(parts, start=rest), known)


def _filled(column: pa.Array, rows: Int64s, totals: Int64s | None) -> pa.Array:
    """Return the *column* of a meter with the *totals* of those *rows* whose source counts only parts of it."""
    if totals is None or column.null_count == 0:
        return column
    lacking = column.take(pa.array(rows)).is_null().to_numpy(zero_copy_only=False) & (totals != ABSENT)
    if not lacking.any():
        return column
    where = np.zeros(len(column), dtype=np.bool_)
    where[rows[lacking]] = True
    return pc.replace_with_mask(column, pa.array(where), pa.array(totals[lacking]))


def _of_services(
    spans: _Spans, rows: Int64s, of_service: Mask, totals: Mapping[str, Int64s]
) -> Iterator[tuple[str, Int64s]]:
    """Yield the quantities that follow from what else a span of a service says, where it does not say them itself."""
    duration = spans.columns["duration_ns"].take(pa.array(rows)).to_numpy()
    sizes = {name: spans.quantities(name, rows) for name in ("message_bytes", "memory_bytes")}
    derived = {
        "message_chunks_64kb": services.chunks(sizes["message_bytes"]),
        "gb_seconds": services.gb_seconds(sizes["memory_bytes"], duration),
        "seconds": duration // 1000,
    }
    for meter, quantities in derived.items():
        said = totals.get(meter, np.full_like(quantities, ABSENT))
        yield meter, np.where(of_service & (said == ABSENT), quantities, said)


def _partial(spans: _Spans, rows: Int64s, totals: Mapping[str, Int64s]) -> Mask:
    """Return which calls report input and not output, or output and not input, where they have both."""
    sides = [whole(meter, totals) for meter in ("input_tokens", "output_tokens")]
    known = [np.zeros(len(rows), dtype=np.bool_) if side is None else side != ABSENT for side in sides]
    two_sided = mask(pc.is_in(spans.columns["operation"].take(pa.array(rows)), _TWO_SIDED))
    one = known[0] ^ known[1]
    return one & (two_sided | known[1]) & ~spans.rolls_up[rows]
