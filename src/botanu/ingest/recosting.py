"""Prices booked calls anew, at their own time, with the prices of now: columns in, changes out."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from botanu.ingest import booked
from botanu.ingest.booked import Booked, Columns, Items
from botanu.ingest.costs import Spread, cost_columns
from botanu.ingest.reading import mask
from botanu.pricing.costing import price_calls
from botanu.pricing.line_items import LineItems, Mask
from botanu.pricing.meters import ABSENT
from botanu.pricing.money import CURRENCY, Int64s
from botanu.pricing.price_list import PriceList
from botanu.pricing.rate_card import Tier
from botanu.store.restating import KEY, RESTATED, STAMP

BATCH_CALLS = 50_000
"""How many calls are priced at once: what is held in memory, whatever the window."""

_SUM = pa.decimal128(38, 9)
_GROUP = ("provider", "model", "currency")
_COUNTS = ("calls", "changed", "newly_priced", "no_longer_priced", "left_out")
_AMOUNTS = ("cost_before", "cost_after")
_COMPARED = ("cost", "currency", "cost_source", "computed_cost", "priced", "provider", "model")


@dataclass(frozen=True, slots=True)
class Selection:
    """Booked calls: those that started from *start* to before *end*, perhaps of one *provider* or one *model*."""

    start: datetime
    end: datetime
    provider: str | None = None
    model: str | None = None

    def query(self, prices: PriceList) -> tuple[str, dict[str, object]]:
        """Return the SELECT that gives what ``recost`` needs of these calls for *prices*, and its parameters."""
        given = {"start": self.start, "end": self.end, "provider": self.provider, "model": self.model}
        columns = [*booked.COLUMNS, f"{STAMP} AS stamp"]
        if prices.has_services:
            columns += [f"""attributes ->> '$."{name}"' AS "{name}\"""" for name in booked.SERVICE_ATTRIBUTES]
        conditions = [
            "start_time >= $start AND start_time < $end AND (priced IS NOT NULL OR line_items IS NOT NULL)",
            *(f"{name} = ${name}" for name in ("provider", "model") if given[name] is not None),
        ]
        query = f"SELECT {', '.join(columns)} FROM spans WHERE {' AND '.join(conditions)}"
        return query, {name: value for name, value in given.items() if value is not None}


@dataclass(frozen=True, slots=True)
class Recosted:
    """What pricing a batch of calls anew comes to.

    *changes* has a row for each call whose line items or cost are others now, *used* the prices of those. *tally* sums
    up all calls by provider, model and currency.
    """

    changes: pa.Table
    used: tuple[Tier, ...]
    tally: pa.Table


def recost(batch: pa.RecordBatch, prices: PriceList) -> Recosted:
    """Price the calls of *batch* by *prices*; calls that take back what others count are left out."""
    before = dict(zip(batch.schema.names, batch.columns, strict=True))
    read = booked.read(before, prices)
    costed = price_calls(read.usage, prices)
    counts = mask(before["counted"]) | mask(before["cost"].is_valid())
    after = cost_columns(costed, Spread(np.arange(len(batch)), len(batch)), counts)
    after |= {"provider": read.provider, "model": read.model}
    changed = _changed(before, after, read, costed.items) & ~read.left_out
    kept = {name: before[name] for name in (*KEY, "stamp")}
    changes = pa.table({**kept, **{name: after[name] for name in RESTATED}}).filter(pa.array(changed))
    of_changed = costed.items.price[changed[costed.items.call] & costed.items.priced()]
    used = tuple(costed.items.tiers[number] for number in np.unique(of_changed).tolist())
    return Recosted(changes, used, _tally(before, after, changed, read.left_out))


def _changed(before: Columns, after: Columns, read: Booked, items: LineItems) -> Mask:
    """Return which calls have other line items or another cost; what is noted of them alone is no change."""
    changed = _others(read.items, items, len(before["span_id"]))
    for name in _COMPARED:
        old, new = before[name], after[name]
        both = mask(old.is_valid()) & mask(new.is_valid())
        either = mask(old.is_valid()) | mask(new.is_valid())
        changed |= np.where(both, mask(pc.not_equal(old, new)), either)
    return changed


def _others(old: Items, new: LineItems, count: int) -> Mask:
    """Return which of *count* calls have other line items than before, in whatever order."""
    meters = list(dict.fromkeys([*old.meters, *new.meters]))
    ids = pa.concat_arrays([old.price_ids, pa.array([tier.id for tier in new.tiers], pa.string())]).dictionary_encode()
    codes = ids.indices.fill_null(ABSENT).to_numpy()
    was, now = codes[: len(old.call)], np.append(codes[len(old.call) :], ABSENT)
    rows = [
        _sorted(old.call, _renumbered(old.meters, meters)[old.meter], old.quantity, was, old.nanos),
        _sorted(new.call, _renumbered(new.meters, meters)[new.meter], new.quantity, now[new.price], new.nanos),
    ]
    sizes = [np.bincount(each[0], minlength=count) for each in rows]
    changed: Mask = sizes[0] != sizes[1]
    left, right = (each[:, ~changed[each[0]]] for each in rows)
    changed[left[0, (left != right).any(axis=0)]] = True
    return changed


def _renumbered(names: Iterable[str], among: list[str]) -> Int64s:
    return np.array([among.index(name) for name in names], dtype=np.int64)


def _sorted(call: Int64s, meter: Int64s, *others: Int64s) -> Int64s:
    return np.vstack([call, meter, *others])[:, np.lexsort((meter, call))]


def _tally(before: Columns, after: Columns, changed: Mask, left_out: Mask) -> pa.Table:
    """Sum up calls by provider, model and currency; what a call cost before may be in another than what it costs."""
    changes = pa.array(changed)
    cost, currency, priced = (pc.if_else(changes, after[name], before[name]) for name in ("cost", "currency", "priced"))
    was, now = mask(before["priced"]), mask(priced)
    counts = (np.ones(len(changed)), changed, now & ~was, was & ~now, left_out)
    names = {"provider": before["provider"], "model": before["model"]}
    current = {
        **names,
        "currency": pc.coalesce(currency, before["currency"], pa.scalar(CURRENCY)),
        **{name: pa.array(held.astype(np.int64)) for name, held in zip(_COUNTS, counts, strict=True)},
        "cost_before": pa.nulls(len(changed), _SUM),
        "cost_after": cost.cast(_SUM),
    }
    none = pa.array(np.zeros(len(changed), dtype=np.int64))
    earlier = {
        **names,
        "currency": pc.coalesce(before["currency"], currency, pa.scalar(CURRENCY)),
        **dict.fromkeys(_COUNTS, none),
        "cost_before": before["cost"].cast(_SUM),
        "cost_after": pa.nulls(len(changed), _SUM),
    }
    return summed([pa.table(current), pa.table(earlier)])


def summed(tallies: Iterable[pa.Table], by: tuple[str, ...] = _GROUP) -> pa.Table:
    """Add up tallies *by* some of their groups; an amount is null where none is known."""
    joined = pa.concat_tables(tallies)
    measures = [(name, "sum") for name in (*_COUNTS, *_AMOUNTS)]
    sums = joined.group_by(list(by), use_threads=False).aggregate(measures)
    table = sums.select([*by, *(f"{name}_sum" for name, _ in measures)])
    return table.rename_columns([*by, *(name for name, _ in measures)]).cast(_tally_schema(by))


def _tally_schema(by: tuple[str, ...]) -> pa.Schema:
    return pa.schema(
        [
            *((name, pa.string()) for name in by),
            *((name, pa.int64()) for name in _COUNTS),
            *((name, _SUM) for name in _AMOUNTS),
        ]
    )


NO_CALLS = _tally_schema(_GROUP).empty_table()
"""The tally of nothing."""
