"""Gives each call among spans its line items and cost."""

from collections.abc import Mapping, Sequence

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from botanu.ingest import services
from botanu.ingest.calls import Calls, Columns, find_calls
from botanu.ingest.same_call import AROUND
from botanu.pricing.costing import Costed, price_calls
from botanu.pricing.line_items import LineItems, Mask
from botanu.pricing.meters import ABSENT, units_of
from botanu.pricing.money import AMOUNT, Int64s, amounts, unscaled
from botanu.pricing.notes import Note
from botanu.pricing.price_list import PriceList
from botanu.pricing.rate_card import Tier

QUANTITY = pa.decimal128(24, 6)
"""Arrow type of a line item's quantity, in units of its meter."""

LINE_ITEM = pa.struct([("meter", pa.string()), ("quantity", QUANTITY), ("price_id", pa.string()), ("amount", AMOUNT)])

_PROGRAM = pa.scalar("program")


def add_costs(columns: Columns, prices: PriceList) -> tuple[dict[str, pa.Array], tuple[Tier, ...]]:
    """Return *columns* with ``model``, ``line_items``, ``cost`` and what goes with them, and the prices that were used.

    Usage on spans around calls does not count here: the calls report it themselves, and ``counting`` sees to what they
    lack. But a cost or usage that the program reports in botanu's own words is that of the span it stands on, whatever
    the span is.
    """
    calls = find_calls(columns, prices)
    costed = price_calls(calls.usage, prices)
    model = pc.coalesce(columns["response_model"], columns["request_model"])
    billed = _billed(columns["provider"], model, calls)
    return {**columns, **calls.told_once, **billed, **_cost_columns(columns, costed, calls)}, tuple(costed.items.tiers)


def _billed(provider: pa.Array, model: pa.Array, calls: Calls) -> dict[str, pa.Array]:
    """Return who bills and what is billed, also where it is no model."""
    kinds, kind_of = calls.usage.kinds, calls.usage.kind_of
    of_service = np.array([not kind.is_listed for kind in kinds], dtype=np.bool_)
    chosen = (kind_of != ABSENT) & np.append(of_service, False)[kind_of]
    named = [kinds[number] for number in kind_of[chosen]]
    provider, model = services.billed((provider, model), calls.rows[chosen], named)
    return {"provider": provider, "model": model}


def _cost_columns(columns: Columns, costed: Costed, calls: Calls) -> dict[str, pa.Array]:
    counts = ~calls.around
    spread = Spread(calls.rows, len(columns["span_id"]))
    return {
        **cost_columns(costed, spread, counts),
        "told_by_program": pa.array(calls.tells_itself),
        "reported_cost": pc.coalesce(columns["cost_amount"], columns["claimed_cost"]),
        "reported_by": pc.if_else(columns["cost_amount"].is_valid(), _PROGRAM, columns["claimed_by"]),
        "counted": spread.flags(counts),
        "counted_reason": spread.texts((AROUND,), np.where(counts, ABSENT, 0)),
    }


def cost_columns(costed: Costed, spread: "Spread", counts: Mask) -> dict[str, pa.Array]:
    """Return the columns that say what calls cost; those that do not count have no cost."""
    items = costed.items
    known = items.calls_with(items.priced() & items.known(), len(counts)) | costed.complete
    return {
        "line_items": spread.line_items(items),
        "cost": spread.amounts(costed.nanos, known & counts),
        "currency": spread.texts(costed.currencies, np.where(known, costed.currency_of, ABSENT)),
        "cost_source": spread.texts(("computed", "reported"), np.where(known, costed.told.astype(np.int64), ABSENT)),
        "computed_cost": spread.amounts(costed.computed, costed.computed != ABSENT),
        "cost_notes": spread.lists(costed.notes),
        "priced": spread.flags(costed.complete),
    }


class Spread:
    """Spreads what is known of the calls in *rows* over all *count* spans; null elsewhere."""

    def __init__(self, rows: Int64s, count: int) -> None:
        """Spread over *count* spans."""
        self._rows, self._count = rows, count

    def _over(self, values: Int64s, otherwise: int) -> Int64s:
        column = np.full(self._count, otherwise, dtype=np.int64)
        column[self._rows] = values
        return column

    def _mask(self, values: Mask) -> Mask:
        mask = np.zeros(self._count, dtype=np.bool_)
        mask[self._rows] = values
        return mask

    def amounts(self, nanos: Int64s, known: Mask) -> pa.Array:
        """Return amounts of money, null where not *known*."""
        return amounts(self._over(nanos, 0), self._mask(known))

    def texts(self, words: Sequence[str], which: Int64s) -> pa.Array:
        """Return one of *words* for each, null where it is ``ABSENT``."""
        codes = self._over(which, ABSENT)
        return pa.array([*words], pa.string()).take(pa.array(codes, mask=codes == ABSENT))

    def flags(self, values: Mask) -> pa.Array:
        """Return truth values."""
        return pa.array(self._mask(values), mask=~self._mask(np.ones_like(values)))

    def lists(self, masks: Mapping[Note, Mask]) -> pa.Array:
        """Return for each the names of the *masks* that hold for it; null where none does."""
        rows = [self._rows[held] for held in masks.values()]
        names = np.repeat(np.arange(len(rows)), [len(each) for each in rows])
        owner = np.concatenate([np.zeros(0, dtype=np.int64), *rows])
        order = np.argsort(owner, kind="stable")
        values = pa.array([str(note) for note in masks], pa.string()).take(pa.array(names[order]))
        return _lists(values, np.bincount(owner, minlength=self._count))

    def line_items(self, items: LineItems) -> pa.Array:
        """Return for each its line items as a list; null where it has none."""
        price_ids = pa.array([tier.id for tier in items.tiers], pa.string())
        values = pa.StructArray.from_arrays(
            [
                pa.array(items.meters, pa.string()).take(pa.array(items.meter)),
                _quantities(items),
                price_ids.take(pa.array(items.price, mask=~items.priced())),
                amounts(items.nanos, items.known()),
            ],
            fields=list(LINE_ITEM),
        )
        return _lists(values, np.bincount(self._rows[items.call], minlength=self._count))


def _lists(values: pa.Array, sizes: Int64s) -> pa.Array:
    offsets = np.concatenate([[0], np.cumsum(sizes)]).astype(np.int32)
    return pa.ListArray.from_arrays(pa.array(offsets), values, mask=pa.array(sizes == 0))


def _quantities(items: LineItems) -> pa.Array:
    """Return quantities in units of their meters."""
    in_parts = np.array([units_of(meter) != 1 for meter in items.meters], dtype=np.bool_)[items.meter]
    whole = pa.array(np.where(in_parts, 0, items.quantity)).cast(pa.decimal128(19, 0)).cast(QUANTITY)
    if not in_parts.any():
        return whole
    return pc.if_else(pa.array(in_parts), unscaled(items.quantity, QUANTITY), whole)
