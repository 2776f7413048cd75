"""Booked calls as the store has them: what each used, read back from its line items.

A line item is an exact quantity of an exclusive meter, so nothing that decides on a price is lost but that a total of
zero was said. What is known of a call without a price is kept in its notes.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from botanu.ingest import services
from botanu.ingest.dialects import SERVICES
from botanu.ingest.reading import mask
from botanu.ingest.reported import ROLL_UPS
from botanu.pricing.costing import REPORTED_COST, UNUSABLE, Usage
from botanu.pricing.line_items import Mask
from botanu.pricing.meters import ABSENT, METERS, MILLIONTHS, REQUESTS, exclusive, is_part_of, is_whole
from botanu.pricing.money import Int64s, in_nanos
from botanu.pricing.notes import Note
from botanu.pricing.price_list import Kind, PriceList
from botanu.pricing.splitting import Split
from botanu.semconv import GEN_AI_TOOL_NAME, PROVIDER

Columns = Mapping[str, pa.Array]

COLUMNS = (
    "trace_id", "span_id", "start_time", "start_time_unix_nano", "name", "operation", "tool", "provider", "model",
    "request_model", "service_tier", "tenant_id", "input_tokens", "output_tokens", "line_items", "cost", "currency",
    "cost_source", "reported_cost", "reported_by", "computed_cost", "cost_notes", "priced", "counted",
    "told_by_program",
)  # fmt: skip
"""The columns of ``spans`` that say what a call used and what it cost."""

_PROGRAM = pa.scalar("program")
_TAKEN = {PROVIDER: "provider", GEN_AI_TOOL_NAME: "tool"}
# Attributes that name services and are columns by now.

SERVICE_ATTRIBUTES = tuple(
    dict.fromkeys(name for each in SERVICES for name in (*each.provider, *each.billed) if name not in _TAKEN)
)
"""The attributes that say whether a span may be billed though it is no model's call."""

OF_PRICES = frozenset(
    {Note.NO_PRICE, Note.NO_METER_PRICE, Note.NO_SERVICE_TIER_PRICE, Note.MIXED_CURRENCIES, Note.REPORTED_ZERO}
)
"""What is noted anew whenever a call is priced; everything else was said by the call itself."""

_NAMES = ("provider", "model", "request_model", "service_tier", "tenant_id")
_MILLIONTHS = pa.scalar(MILLIONTHS, pa.decimal128(7, 0))
_WIDE = pa.decimal128(32, 6)
_ORDER = {meter: place for place, meter in enumerate(exclusive({each.name: np.zeros(1, np.int64) for each in METERS}))}


@dataclass(frozen=True, slots=True)
class Items:
    """Booked line items, flat: of which call, and in which of *meters*. A quantity is in its meter's units.

    *price_ids* is null where there was no price, *nanos* ``ABSENT`` where there is no amount. *is_report* marks the
    line items that are what a call was reported to cost.
    """

    call: Int64s
    meter: Int64s
    quantity: Int64s
    price_ids: pa.Array
    nanos: Int64s
    meters: list[str]
    is_report: Mask

    @classmethod
    def of(cls, lists: pa.ListArray) -> "Items":
        """Read a column of line items."""
        values = lists.flatten()
        meter = pc.struct_field(values, "meter").dictionary_encode()
        names, codes = meter.dictionary.to_pylist(), meter.indices.to_numpy()
        price_ids = pc.struct_field(values, "price_id")
        nanos = in_nanos(pc.struct_field(values, "amount"), ABSENT)
        return cls(
            pc.list_parent_indices(lists).to_numpy(),
            codes.astype(np.int64),
            _quantities(pc.struct_field(values, "quantity"), np.array([*map(is_whole, names)], np.bool_)[codes]),
            price_ids,
            nanos,
            names,
            _is(REPORTED_COST, names)[codes] & ~mask(price_ids.is_valid()) & (nanos != ABSENT),
        )


def _is(name: str, names: list[str]) -> Mask:
    return np.array([each == name for each in names], dtype=np.bool_)


def _quantities(column: pa.Array, whole: Mask) -> Int64s:
    wide = column.cast(_WIDE)
    return pc.if_else(pa.array(whole), wide, pc.multiply(column, _MILLIONTHS)).cast(pa.int64()).to_numpy()


@dataclass(frozen=True, slots=True)
class Booked:
    """Booked calls: what they used, and which are *left_out*.

    Those take back what other calls count, and are worked out from them. *provider* and *model* say who bills and what,
    also where that is no model.
    """

    usage: Usage
    items: Items
    left_out: Mask
    provider: pa.Array
    model: pa.Array


def read(columns: Columns, prices: PriceList) -> Booked:
    """Return what the calls of *columns* used, to be priced by *prices*."""
    items, notes = Items.of(columns["line_items"]), _notes(columns["cost_notes"])
    billed = _Billed(columns, prices)
    told = np.zeros(len(billed.kind_of), dtype=np.bool_)
    told[items.call[items.is_report]] = True
    unusable = notes[Note.UNUSABLE_COST] | notes[Note.OTHER_CURRENCY]
    # What others claim of a span that tells of its own usage is that of the calls inside it.
    repeated = _tell_their_own(columns) & ~mask(pc.equal(columns["reported_by"], _PROGRAM))
    claimed = np.where(repeated, ABSENT, in_nanos(columns["reported_cost"], ABSENT))
    reported = np.where(unusable, UNUSABLE, claimed)
    usage = Usage(
        kinds=billed.kinds,
        kind_of=billed.kind_of,
        times=columns["start_time_unix_nano"].to_numpy(),
        totals={},
        reported=reported,
        believes_zero=told,
        lacks={note: held for note, held in notes.items() if note not in OF_PRICES},
        split=_split(items, _said(columns, notes, reported)),
    )
    left_out = notes[Note.RESIDUAL].copy()
    left_out[items.call[items.quantity < 0]] = True
    return Booked(usage, items, left_out, billed.provider, billed.model)


def _notes(lists: pa.ListArray) -> dict[Note, Mask]:
    """Return of which calls each note was made."""
    words, call = lists.flatten(), pc.list_parent_indices(lists).to_numpy()
    notes = {}
    for note in Note:
        notes[note] = np.zeros(len(lists), dtype=np.bool_)
        notes[note][call[mask(pc.equal(words, str(note)))]] = True
    return notes


def _said(columns: Columns, notes: Mapping[Note, Mask], reported: Int64s) -> Mask:
    """Return which calls said what they used, if that was nothing: of the others their line items say it."""
    tokens = mask(columns["input_tokens"].is_valid()) | mask(columns["output_tokens"].is_valid())
    unsaid = notes[Note.NO_USAGE] | notes[Note.UNREADABLE_USAGE] | (reported != ABSENT)
    return tokens | notes[Note.NO_PRICE] | ~unsaid


def _split(items: Items, said: Mask) -> Split:
    count = len(said)
    by_meter = {}
    for code, meter in enumerate(items.meters):
        chosen = (items.meter == code) & ~items.is_report
        if meter == REQUESTS:  # one that has a price may have been taken for granted, and is again if it has one now
            chosen &= (items.quantity != 1) | ~mask(items.price_ids.is_valid())
        by_meter[meter] = np.full(count, ABSENT, dtype=np.int64)
        by_meter[meter][items.call[chosen]] = items.quantity[chosen]
    requests = by_meter.pop(REQUESTS, np.full(count, ABSENT, dtype=np.int64))
    ordered = sorted(by_meter, key=lambda meter: (_ORDER.get(meter, len(_ORDER)), meter))
    inputs = np.zeros(count, dtype=np.int64)
    for meter, quantity in by_meter.items():
        said = said | (quantity != ABSENT)
        if is_part_of(meter, "input_tokens"):
            inputs += np.maximum(quantity, 0)
    return Split({REQUESTS: requests, **{meter: by_meter[meter] for meter in ordered}}, inputs, said, {})


class _Billed:
    """Who bills booked calls, and what: *kinds*, and which of them each call is.

    A call that was booked as that of a service stays one; one without a model may have become one by a new price.
    """

    def __init__(self, columns: Columns, prices: PriceList) -> None:
        self.provider, self.model = columns["provider"], columns["model"]
        distinct, which = services.distinct_rows([columns[name] for name in _NAMES])
        self.kinds = [
            Kind(provider, tuple(dict.fromkeys(name for name in (model, request) if name)), tenant, tier)
            for provider, model, request, tier, tenant in distinct
        ]
        self.kind_of = np.where(_tell_their_own(columns), ABSENT, which)
        if prices.has_services:
            self._find_services(columns, prices)

    def _find_services(self, columns: Columns, prices: PriceList) -> None:
        families = services.named(_Texts(columns), columns["name"])
        was = [self._was(family) for family in families]
        was_service = np.logical_or.reduce([np.zeros(len(self.kind_of), dtype=np.bool_), *was])
        rows = np.flatnonzero(was_service | ~mask(self.model.is_valid()))
        asked = [_only(family, mine | ~was_service) for family, mine in zip(families, was, strict=True)]
        kinds, found = services.kinds_of(asked, columns["tenant_id"], rows, prices)
        self.kind_of[was_service] = ABSENT
        chosen, found = rows[found != ABSENT], found[found != ABSENT]
        self.kind_of[chosen] = found + len(self.kinds)
        self.kinds = [*self.kinds, *kinds]
        self.provider, self.model = services.billed(
            (self.provider, self.model), chosen, [kinds[number] for number in found]
        )

    def _was(self, family: services.Named) -> Mask:
        """Return which calls were booked as those of a service of this *family*."""
        first = pc.coalesce(*family.billed)
        return mask(pc.equal(family.provider, self.provider)) & mask(pc.equal(first, self.model))


def _only(family: services.Named, calls: Mask) -> services.Named:
    """Return *family* with no provider for others than *calls*."""
    nobody = pa.scalar(None, pa.string())
    return services.Named(pc.if_else(pa.array(calls), family.provider, nobody), family.billed)


def _tell_their_own(columns: Columns) -> Mask:
    """Return which calls are spans around others with usage of their own, for which prices of a model do not hold."""
    return mask(pc.is_in(columns["operation"], ROLL_UPS)) & mask(columns["told_by_program"])


class _Texts:
    """Attributes that the store has kept, read as ``Reader`` reads those that arrive."""

    def __init__(self, columns: Columns) -> None:
        self._columns = columns

    def attribute(self, *names: str, taken: bool = True) -> pa.Array:  # noqa: ARG002 - nothing is left to be taken
        """Return the first of the attributes *names*."""
        return pc.coalesce(*(self._columns[_TAKEN.get(name, name)] for name in names))
