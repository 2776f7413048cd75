"""Counts each call once, however many spans tell of it, and in whatever order and company they come.

A batch is looked at together with what the store has of the same traces and responses. Most traces show at a glance
that nothing in them is told twice; only the others are gone through call by call. What is decided anew of spans that
are stored already is given back as rows to be revised.
"""

from collections.abc import Mapping, Sequence
from decimal import Decimal
from functools import cached_property
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from botanu.ingest import same_call
from botanu.ingest.dialects import CALL_OPERATIONS, ROLL_UP_OPERATIONS
from botanu.ingest.residual import price_residuals
from botanu.ingest.same_call import Call
from botanu.pricing.costing import REPORTED_COST
from botanu.pricing.line_items import Mask
from botanu.pricing.meters import REQUESTS, is_part_of
from botanu.pricing.money import Int64s
from botanu.pricing.notes import Note
from botanu.pricing.price_list import PriceList

LOOKED_AT = (
    "trace_id", "span_id", "parent_span_id", "start_time_unix_nano", "duration_ns", "scope_name", "status_code",
    "error_type", "operation", "provider", "model", "request_model", "service_tier", "tenant_id", "response_id",
    "input_tokens", "output_tokens", "run_id", "told_by_program",
)  # fmt: skip
"""The columns of spans that counting looks at, besides those that it decides."""

DECIDED = ("line_items", "cost", "priced", "counted", "counted_reason", "cost_notes")
"""The columns of spans that counting decides."""

DEPTH_MAX = 1000
"""A call deeper below another one is taken for one that stands alone."""

_NOT_FOUND = -1


def count_once(spans: pa.Table, stored: pa.Table, prices: PriceList) -> tuple[pa.Table, pa.Table | None]:
    """Return *spans* with what is decided of each call, and rows that take the place of some *stored* ones.

    *stored* are all spans of the same traces, and those with the same response ids, with the columns ``LOOKED_AT`` and
    ``DECIDED``. The second table has ``trace_id``, ``span_id`` and ``DECIDED``; it is ``None`` where nothing changes.
    """
    here = _Together(spans, stored)
    suspects = here.suspects()
    if not len(suspects):
        return spans, None
    revised = _revised(here, suspects, prices)
    fresh = {row: values for row, values in revised.items() if row < len(spans)}
    older = {row: values for row, values in revised.items() if row >= len(spans)}
    return _with(spans, fresh), _rows(here.table, older) if older else None


class _Together:
    """The spans of a batch, and behind them those that are stored, with who is inside whom."""

    def __init__(self, spans: pa.Table, stored: pa.Table) -> None:
        columns = [*LOOKED_AT, *DECIDED]
        parts = [spans.select(columns), stored.select(columns).cast(spans.select(columns).schema)]
        self.table = pa.concat_tables(parts).combine_chunks()
        self.fresh = len(spans)

    def column(self, name: str) -> pa.Array:
        """Return a column in one piece."""
        column = self.table.column(name)
        return column.chunk(0) if column.num_chunks else pa.nulls(0, column.type)

    @cached_property
    def keys(self) -> pa.Array:
        """What names each span: its trace and its id."""
        return pc.binary_join_element_wise(self.column("trace_id"), self.column("span_id"), "")

    @cached_property
    def parent_keys(self) -> pa.Array:
        """What names the span around each; null at the top of a trace."""
        return pc.binary_join_element_wise(self.column("trace_id"), self.column("parent_span_id"), "")

    @cached_property
    def itself(self) -> Int64s:
        """The place of each span; of one that came again that of the first, stored ones before all."""
        order = np.concatenate([np.arange(self.fresh, len(self.table)), np.arange(self.fresh)])
        codes = self.keys.dictionary_encode().indices.to_numpy()
        distinct, first = np.unique(codes[order], return_index=True)
        places = np.empty(len(distinct), dtype=np.int64)
        places[distinct] = order[first]
        return places[codes]

    @cached_property
    def is_call(self) -> Mask:
        """Which spans are calls, and came for the first time."""
        is_call: Mask = self.column("counted").is_valid().to_numpy(zero_copy_only=False)
        return is_call & (self.itself == np.arange(len(self.table)))

    @cached_property
    def inside(self) -> Int64s:
        """Which call each span is inside of, the nearest one; ``-1`` where there is none."""
        found = pc.index_in(self.parent_keys, value_set=self.keys)
        parent = found.fill_null(_NOT_FOUND).to_numpy(zero_copy_only=False).astype(np.int64)
        parent = np.where(parent == _NOT_FOUND, _NOT_FOUND, self.itself[parent])
        nearest = parent.copy()
        for _ in range(DEPTH_MAX):
            onwards = (nearest != _NOT_FOUND) & ~self.is_call[nearest]
            if not onwards.any():
                return nearest
            nearest[onwards] = parent[nearest[onwards]]
        return np.where(self.is_call[nearest], nearest, _NOT_FOUND)

    def suspects(self) -> Int64s:
        """Return the calls of all traces in which something may be told twice."""
        calls = np.flatnonzero(self.is_call)
        around = pc.is_in(self.column("operation"), pa.array(ROLL_UP_OPERATIONS)).to_numpy(zero_copy_only=False)[calls]
        odd = around | (self.inside[calls] != _NOT_FOUND)
        odd |= _repeated(self.column("response_id").take(pa.array(calls)))
        odd |= self._beside(calls)
        traces = self.column("trace_id").take(pa.array(calls))
        return calls[pc.is_in(traces, pc.unique(traces.filter(pa.array(odd)))).to_numpy(zero_copy_only=False)]

    def _beside(self, calls: Int64s) -> Mask:
        """Return which of *calls* have siblings of another instrumentation, or siblings and no length."""
        rows = pa.array(calls)
        siblings = self.parent_keys.take(rows)
        with_scope = pc.binary_join_element_wise(siblings, self.column("scope_name").take(rows).fill_null(""), "/")
        instant = self.column("duration_ns").to_numpy()[calls] == 0
        several = _repeated(siblings)
        return several & (instant | (_sizes(siblings) != _sizes(with_scope)))


def _sizes(values: pa.Array) -> Int64s:
    """Return how often each of *values* is there."""
    codes = values.dictionary_encode("encode").indices.to_numpy()
    return np.bincount(codes, minlength=1)[codes]


def _repeated(values: pa.Array) -> Mask:
    """Return which of *values* are there more than once; null is not."""
    return (_sizes(values) > 1) & values.is_valid().to_numpy(zero_copy_only=False)


def _revised(here: _Together, suspects: Int64s, prices: PriceList) -> dict[int, dict[str, Any]]:
    """Return, by place, what is decided of those *suspects* of which it is not what it was."""
    rows = here.table.take(pa.array(suspects)).to_pylist()
    parents = here.parent_keys.take(pa.array(suspects)).to_pylist()
    calls = {
        int(place): _call(int(place), row, parent) for place, row, parent in zip(suspects, rows, parents, strict=True)
    }
    for place, call in calls.items():
        call.inside = calls.get(int(here.inside[place]))
    same_call.decide(list(calls.values()))
    by_place = dict(zip(calls, rows, strict=True))
    residuals = price_residuals(
        {place: (by_place[place], call.decision.residual) for place, call in calls.items() if call.decision.residual},
        prices,
    )
    revised = {}
    for place, call in calls.items():
        row = by_place[place]
        now = residuals.get(place) or _decided(row, call, [by_place[other] for other in call.decision.others])
        if any(row[name] != value for name, value in now.items()):
            revised[place] = now
    return revised


def _call(place: int, row: Mapping[str, Any], parent: str | None) -> Call:
    used = [item for item in row["line_items"] or () if item["meter"] != REQUESTS]
    start = row["start_time_unix_nano"]
    tokens = row["input_tokens"] is not None or row["output_tokens"] is not None
    tells_of_calls = tokens or any(item["meter"] == REPORTED_COST for item in used)
    is_around = row["operation"] in ROLL_UP_OPERATIONS and tells_of_calls and not row["told_by_program"]
    return Call(
        key=place,
        trace_id=row["trace_id"],
        span_id=row["span_id"],
        parent_id=parent,
        start=start,
        end=start + row["duration_ns"],
        scope=row["scope_name"] or "",
        models=frozenset(_without_prefix(name) for name in (row["model"], row["request_model"]) if name),
        response_id=row["response_id"] or None,
        input_tokens=row["input_tokens"],
        output_tokens=row["output_tokens"],
        detail=len(used),
        is_attributed=row["run_id"] is not None,
        failed=row["error_type"] is not None or row["status_code"] == "error",
        is_around=is_around,
        is_service=not tokens and not is_around and row["operation"] not in CALL_OPERATIONS,
        tells_itself=bool(row["told_by_program"]) and row["operation"] not in CALL_OPERATIONS,
        tells_cost=bool(row["told_by_program"]) and any(item["meter"] == REPORTED_COST for item in used),
    )


def _without_prefix(model: str) -> str:
    """Return the name of a model without who sells it, which gateways write before it."""
    return model.rpartition("/")[2].lower()


def _decided(row: Mapping[str, Any], call: Call, others: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Return what is decided of a call: its line items are what it told, and what only *others* tell of it."""
    added = _only_told_by(others, row)
    items = [*(row["line_items"] or ()), *added]
    return {
        "line_items": items or None,
        "cost": _cost(row, items, is_new=bool(added)) if call.decision.counts else None,
        "priced": row["priced"],
        "counted": call.decision.counts,
        "counted_reason": call.decision.reason,
        "cost_notes": [note for note in row["cost_notes"] or () if note != Note.RESIDUAL] or None,
    }


def _cost(row: Mapping[str, Any], items: Sequence[Mapping[str, Any]], *, is_new: bool) -> Decimal | None:
    """Return the sum of *items*; ``None`` where none has an amount, and the usage is not known to be nothing."""
    if row["cost"] is not None and not is_new:
        return Decimal(row["cost"])
    amounts = [item["amount"] for item in items if item["amount"] is not None]
    return sum(amounts, Decimal(0)) if row["priced"] or amounts else None


def _only_told_by(others: Sequence[Mapping[str, Any]], row: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return line items of further witnesses, of meters apart from tokens that the call itself does not tell of.

    Beside a cost that is reported for the whole call nothing is missing.
    """
    told = {item["meter"] for item in row["line_items"] or ()}
    found = []
    for item in (item for other in others for item in other["line_items"] or ()):
        if item["meter"] not in told and not _is_of_tokens(item["meter"]) and REPORTED_COST not in told:
            told.add(item["meter"])
            found.append(item)
    return found


def _is_of_tokens(meter: str) -> bool:
    return meter in (REQUESTS, REPORTED_COST) or any(
        is_part_of(meter, whole) for whole in ("input_tokens", "output_tokens")
    )


def _with(spans: pa.Table, revised: Mapping[int, Mapping[str, Any]]) -> pa.Table:
    """Return *spans* with some rows *revised*."""
    if not revised:
        return spans
    places = sorted(revised)
    where = np.zeros(len(spans), dtype=np.bool_)
    where[places] = True
    for name in DECIDED:
        index, kind = spans.schema.get_field_index(name), spans.schema.field(name).type
        values = pa.array([revised[place][name] for place in places], kind)
        column = _replaced(spans.column(name).combine_chunks(), where, values)
        spans = spans.set_column(index, name, column)
    return spans


def _replaced(column: pa.Array, where: Mask, values: pa.Array) -> pa.Array:
    """Return *column* with *values* in the places *where*; of nested types, too."""
    take = np.arange(len(column))
    take[where] = len(column) + np.arange(len(values))
    return pa.concat_arrays([column, values]).take(pa.array(take))


def _rows(table: pa.Table, revised: Mapping[int, Mapping[str, Any]]) -> pa.Table:
    places = sorted(revised)
    ids = table.select(["trace_id", "span_id"]).take(pa.array(places))
    for name in DECIDED:
        kind = table.schema.field(name).type
        ids = ids.append_column(name, pa.array([revised[place][name] for place in places], kind))
    return ids
