"""Usage and rate cards to line items."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

import numpy as np

from botanu.pricing.line_items import LineItems, Mask, ordered
from botanu.pricing.meters import ABSENT
from botanu.pricing.money import CURRENCY, Int64s
from botanu.pricing.notes import INCOMPLETE, Note
from botanu.pricing.price_list import Kind
from botanu.pricing.rate_card import RateCard
from botanu.pricing.rating import Rates, Row, rate
from botanu.pricing.splitting import Split, split

REPORTED_COST = "reported_cost"

UNUSABLE = -2
"""Stands for "there is one, and it is not known" in a column of reported costs."""


class Prices(Protocol):
    """Where rate cards come from."""

    def card(self, kind: Kind) -> RateCard | None:
        """Return the prices of a *kind* of call, ``None`` where none is known."""


@dataclass(frozen=True, slots=True)
class Usage:
    """The usage of a number of calls, as columns of equal length.

    *kinds* lists what decides on prices; *kind_of* says which of them each call is, ``ABSENT`` where nothing of it has
    a price. *times* are Unix nanoseconds. *totals* gives quantities by meter as their source counted them, ``ABSENT``
    where unknown; see ``meters`` for their units. *reported* is what the source itself says that a call cost, in
    nano-units; ``ABSENT`` where it says nothing, ``UNUSABLE`` where it says what cannot be used. *believes_zero* says
    which calls are believed to have cost nothing where they say so. *lacks* gives, by note, which calls used more than
    the totals say. *split* goes before *totals*, where usage has been split already.
    """

    kinds: Sequence[Kind]
    kind_of: Int64s
    times: Int64s
    totals: Mapping[str, Int64s]
    reported: Int64s
    believes_zero: Mask
    lacks: Mapping[Note, Mask] = field(default_factory=dict)
    split: Split | None = None


@dataclass(frozen=True, slots=True)
class Costed:
    """What a number of calls cost.

    *nanos* is the sum of a call's line items that have an amount, in the currency of *currencies* that *currency_of*
    says. *computed* is what prices say of a call that reports its cost; ``ABSENT`` elsewhere, and where they say
    nothing. *told* says which calls cost what they report. *complete* is false for a call of which something has no
    price, or which reports no usage at all: what it cost is then not known, or not wholly. *notes* says why, and what
    else was odd.
    """

    items: LineItems
    nanos: Int64s
    currency_of: Int64s
    currencies: Sequence[str]
    computed: Int64s
    told: Mask
    complete: Mask
    notes: Mapping[Note, Mask]


def price_calls(usage: Usage, prices: Prices) -> Costed:
    """Price every call of *usage* at its own time.

    Calls are taken together by kind to find the prices that hold at their time; what they cost is then one
    multiplication for all. A cost that is reported goes before all prices: it is one line item for the whole
    call, beside which quantities have prices, and no amounts of their own.
    """
    count = len(usage.times)
    used = split(usage.totals, count) if usage.split is None else usage.split
    notes = _Notes(usage, used)
    items = rate(used.quantities, _rates(usage, used, prices, notes))
    notes.add(Note.NO_METER_PRICE, items.calls_with(items.unpriced(), count) & ~notes.without_prices())
    computed, has_price = _sum(items, items.known(), count), items.calls_with(items.priced(), count)
    told = _told(usage, computed, has_price, notes)
    # A cost that cannot be used is not replaced by a computed one.
    items = _with_reported(items, usage.reported, told, told | (usage.reported == UNUSABLE))
    currency_of, currencies = _currencies(items, count, notes)
    in_currency = items.known() & (_currency_of_items(items, currencies) == currency_of[items.call])
    return Costed(
        items,
        nanos=_sum(items, in_currency, count),
        currency_of=currency_of,
        currencies=currencies,
        computed=np.where((usage.reported != ABSENT) & has_price, computed, ABSENT),
        told=told,
        complete=told | ~notes.incomplete(),
        notes={note: mask & ~told if note in INCOMPLETE else mask for note, mask in notes.found.items()},
    )


_WITHOUT_PRICES = (Note.NO_PRICE, Note.NO_SERVICE_TIER_PRICE, Note.UNUSABLE_COST, Note.OTHER_CURRENCY)


class _Notes:
    """What there is to say of each call, as masks."""

    def __init__(self, usage: Usage, used: Split) -> None:
        """Begin with what *usage* itself shows, and with how it was split into what was *used*."""
        self.size = len(usage.times)
        self.found: dict[Note, Mask] = {}
        for note, mask in (*usage.lacks.items(), *used.notes.items()):
            self.add(note, mask)
        silent = ~_counted(usage, used) & ~self.of(Note.UNREADABLE_USAGE)
        self.add(Note.NO_USAGE, silent & (usage.reported == ABSENT))
        self.add(Note.UNUSABLE_COST, (usage.reported == UNUSABLE) & ~self.of(Note.OTHER_CURRENCY))

    def add(self, note: Note, mask: Mask) -> None:
        """Note something of the calls in *mask*."""
        if mask.any():
            self.found[note] = self.found[note] | mask if note in self.found else mask

    def of(self, note: Note) -> Mask:
        """Return of which calls something was noted."""
        return self.found.get(note, np.zeros(self.size, dtype=np.bool_))

    def without_prices(self) -> Mask:
        """Return which calls have no prices at all."""
        return np.logical_or.reduce([self.of(note) for note in _WITHOUT_PRICES])

    def incomplete(self) -> Mask:
        """Return which calls have a cost that is not known, or not wholly."""
        masks = (mask for note, mask in self.found.items() if note in INCOMPLETE)
        return np.logical_or.reduce([np.zeros(self.size, dtype=np.bool_), *masks])


def _counted(usage: Usage, used: Split) -> Mask:
    """Return which calls say what they used; of what is no model, that it was called at all says it."""
    is_model = np.array([kind.is_listed for kind in usage.kinds] or [True], dtype=np.bool_)
    return used.said | ((usage.kind_of != ABSENT) & ~is_model[np.maximum(usage.kind_of, 0)])


def _rates(usage: Usage, used: Split, prices: Prices, notes: _Notes) -> Rates:
    """Return which prices hold for each call, and note which have none."""
    inputs = used.inputs
    rows: list[Row | None] = [None]
    row_of = np.zeros(len(inputs), dtype=np.int64)
    lacks_tier = np.zeros(len(inputs), dtype=np.bool_)
    for kind, calls in _by_kind(usage):
        card = prices.card(kind)
        if card is None:
            continue
        for within, held in card.in_force(usage.times[calls]):
            members = calls[within]
            if held is None:
                lacks_tier[members] = card.needs_service_tier
                continue
            row_of[members] = len(rows) + np.searchsorted(held.steps, inputs[members])
            rows += [Row(held, steps, of_service=not kind.is_listed) for steps in range(len(held.steps) + 1)]
    notes.add(Note.NO_SERVICE_TIER_PRICE, lacks_tier)
    notes.add(Note.NO_PRICE, (row_of == 0) & ~lacks_tier & _counted(usage, used))
    return Rates(rows, row_of)


def _by_kind(usage: Usage) -> Iterator[tuple[Kind, Int64s]]:
    """Yield each kind that there is with its calls."""
    order = np.argsort(usage.kind_of, kind="stable")
    bounds = np.searchsorted(usage.kind_of[order], np.arange(len(usage.kinds) + 1)).tolist()
    for kind, first, end in zip(usage.kinds, bounds[:-1], bounds[1:], strict=True):
        if first < end:
            yield kind, order[first:end]


def _sum(items: LineItems, which: Mask, count: int) -> Int64s:
    nanos = np.zeros(count, dtype=np.int64)
    np.add.at(nanos, items.call[which], items.nanos[which])
    return nanos


def _told(usage: Usage, computed: Int64s, has_price: Mask, notes: _Notes) -> Mask:
    """Return which calls cost what is reported; zero for what has a price is believed only where there is a reason."""
    doubtful = (usage.reported == 0) & has_price & (computed > 0) & ~usage.believes_zero
    notes.add(Note.REPORTED_ZERO, doubtful)
    return (usage.reported >= 0) & ~doubtful


def _with_reported(items: LineItems, reported: Int64s, told: Mask, without_amounts: Mask) -> LineItems:
    """Return *items* with one more for each call that is *told* what it cost; of some others have no amounts."""
    if not without_amounts.any():
        return items
    calls = np.flatnonzero(told)
    ones, meter = np.ones_like(calls), np.full_like(calls, len(items.meters))
    added = np.vstack([calls, meter, ones, np.full_like(calls, ABSENT), reported[calls]])
    nanos = np.where(without_amounts[items.call], ABSENT, items.nanos)
    others = np.vstack([items.call, items.meter, items.quantity, items.price, nanos])
    return ordered(np.concatenate([added, others], axis=1), [*items.meters, REPORTED_COST], items.tiers)


def _currencies(items: LineItems, count: int, notes: _Notes) -> tuple[Int64s, Sequence[str]]:
    """Return each call's currency, as an index, and the currencies: the store's own where any line item is in it."""
    currencies = list(dict.fromkeys((CURRENCY, *(tier.currency for tier in items.tiers))))
    of_call = np.zeros(count, dtype=np.int64)
    if len(currencies) == 1:
        return of_call, currencies
    of_items = _currency_of_items(items, currencies)
    known = items.known()
    least, most = np.full(count, len(currencies)), np.zeros(count, dtype=np.int64)
    np.minimum.at(least, items.call[known], of_items[known])
    np.maximum.at(most, items.call[known], of_items[known])
    notes.add(Note.MIXED_CURRENCIES, most > least)
    return np.where(least == len(currencies), 0, least), currencies


def _currency_of_items(items: LineItems, currencies: Sequence[str]) -> Int64s:
    if len(currencies) == 1:
        return np.zeros(len(items.call), dtype=np.int64)
    of_tiers = np.array([*(currencies.index(tier.currency) for tier in items.tiers), 0])
    return of_tiers[items.price]  # what has no price is reported, in the store's own
