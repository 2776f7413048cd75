"""Usage and rate cards to line items."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from botanu.pricing.catalog import Catalog
from botanu.pricing.meters import ABSENT, exclusive, priced_as, whole
from botanu.pricing.money import Int64s, cost, largest_quantity
from botanu.pricing.rate_card import PriceSet, RateCard, Tier

REQUESTS = "requests"
REPORTED_COST = "reported_cost"

UNUSABLE = -2
"""Stands for "there is one, and it is not known" in a column of reported costs."""


@dataclass(frozen=True, slots=True)
class Usage:
    """The usage of a number of calls, as columns of equal length.

    *models* lists the distinct pairs of provider and model names, the preferred name first; *model_of* says which
    pair each call used, ``ABSENT`` where nothing of it has a price. *times* are Unix nanoseconds. *totals* gives
    quantities by meter as their source counted them, ``ABSENT`` where unknown. *reported* is what the source itself
    says that a call cost, in nano-units; ``ABSENT`` where it says nothing, ``UNUSABLE`` where it says what cannot be
    used. *beyond* says which calls used something that none of the meters counts.
    """

    models: Sequence[tuple[str | None, Sequence[str | None]]]
    model_of: Int64s
    times: Int64s
    totals: Mapping[str, Int64s]
    reported: Int64s
    beyond: NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class LineItems:
    """Line items as columns, ordered by call.

    *meter* indexes *meters*. *price* indexes *tiers*, and is ``ABSENT`` where no price was found or none was asked for.
    *nanos* is ``ABSENT`` where the amount is not known.
    """

    call: Int64s
    meter: Int64s
    quantity: Int64s
    price: Int64s
    nanos: Int64s
    meters: Sequence[str]
    tiers: Sequence[Tier]

    def priced(self) -> NDArray[np.bool_]:
        """Return which line items have a price."""
        return self.price != ABSENT

    def known(self) -> NDArray[np.bool_]:
        """Return which line items have an amount."""
        return self.nanos != ABSENT


@dataclass(frozen=True, slots=True)
class _Part:
    """Line items of one meter at one price, one of each of *calls*; *nanos* are their amounts."""

    calls: Int64s
    meter: str
    quantities: Int64s
    tier: Tier | None
    nanos: Int64s


@dataclass(frozen=True, slots=True)
class Costed:
    """What a number of calls cost.

    *nanos* is the sum of a call's line items that have an amount. *complete* is false for a call of which something
    has no price, or which reports no usage at all: what it cost is then not known, or not wholly.
    """

    items: LineItems
    nanos: Int64s
    complete: NDArray[np.bool_]


def price_calls(usage: Usage, catalog: Catalog) -> Costed:
    """Price every call of *usage* at its own time.

    Calls are taken together by model, by the prices that hold at their time, and by tier; each such group is
    one multiplication per meter. A cost that is reported goes before all prices: it is one line item for the whole
    call, beside which quantities have no amounts of their own.
    """
    by_price, told = usage.reported == ABSENT, np.flatnonzero(usage.reported >= 0)
    quantities = _quantities(usage)
    parts = [_Part(told, REPORTED_COST, np.ones_like(told), None, usage.reported[told])]
    for calls, prices, inputs in _groups(usage, by_price, catalog):
        parts.extend(_lines(calls, quantities, prices, inputs))
    items = _collect(parts)
    known = items.known()
    nanos = np.zeros(len(by_price), dtype=np.int64)
    np.add.at(nanos, items.call[known], items.nanos[known])
    complete = _counted(usage) & by_price & ~usage.beyond
    complete[items.call[~known]] = False
    complete[told] = True
    return Costed(items, nanos, complete)


def _quantities(usage: Usage) -> dict[str, Int64s]:
    """Return quantities by meter that do not overlap, requests first."""
    totals = {REQUESTS: np.full(len(usage.times), ABSENT), **usage.totals}
    return {REQUESTS: totals.pop(REQUESTS), **exclusive(totals)}


def _counted(usage: Usage) -> NDArray[np.bool_]:
    """Return which calls say what they used; how many requests they are says nothing of that."""
    counted = np.zeros(len(usage.times), dtype=np.bool_)
    for meter, total in usage.totals.items():
        if meter != REQUESTS:
            counted |= total != ABSENT
    return counted


def _groups(
    usage: Usage, by_price: NDArray[np.bool_], catalog: Catalog
) -> Iterator[tuple[Int64s, PriceSet | None, Int64s]]:
    """Yield calls that share a price set, with that set and each call's input size (which decides the tier)."""
    inputs = np.maximum(_whole_input(usage), 0)
    others = np.flatnonzero(~by_price | (usage.model_of == ABSENT))
    yield others, None, inputs[others]
    for index, (provider, names) in enumerate(usage.models):
        calls = np.flatnonzero((usage.model_of == index) & by_price)
        card = _card(catalog, provider, names)
        if card is None:
            yield calls, None, inputs[calls]
            continue
        chosen = card.choose(usage.times[calls])
        for number in np.unique(chosen):
            members = calls[chosen == number]
            yield members, card.sets[number], inputs[members]


def _whole_input(usage: Usage) -> Int64s:
    counted = whole("input_tokens", usage.totals)
    return np.zeros(len(usage.times), dtype=np.int64) if counted is None else counted


def _card(catalog: Catalog, provider: str | None, names: Sequence[str | None]) -> RateCard | None:
    found = (catalog.card(provider, name) for name in names if name)
    return next((card for card in found if card is not None), None)


def _lines(calls: Int64s, quantities: Mapping[str, Int64s], prices: PriceSet | None, inputs: Int64s) -> Iterator[_Part]:
    """Yield, for each meter and price, the line items of the calls that used it."""
    for meter, column in quantities.items():
        tiers, counted = _tiers(prices, meter), column[calls]
        if meter == REQUESTS and tiers is not None:
            counted = np.where(counted == ABSENT, 1, counted)  # a call is one, unless it says how many it is
        used = counted > 0
        if not used.any():
            continue
        if tiers is None:
            free = meter == REQUESTS and prices is not None  # nothing is asked for each
            yield _Part(calls[used], meter, counted[used], None, np.full(int(used.sum()), 0 if free else ABSENT))
            continue
        for tier, above, upto in _spans_of(tiers):
            within = used & (inputs > above) & (inputs <= upto)
            payable = counted <= largest_quantity(tier.nanos_per_unit)
            for chosen, price in ((within & payable, tier), (within & ~payable, None)):
                if chosen.any():
                    yield _part(calls[chosen], meter, counted[chosen], price)


def _part(calls: Int64s, meter: str, quantities: Int64s, tier: Tier | None) -> _Part:
    nanos = np.full_like(quantities, ABSENT) if tier is None else cost(quantities, tier.nanos_per_unit)
    return _Part(calls, meter, quantities, tier, nanos)


def _tiers(prices: PriceSet | None, meter: str) -> tuple[Tier, ...] | None:
    if prices is None:
        return None
    return next((prices.prices[name] for name in priced_as(meter) if name in prices.prices), None)


def _spans_of(tiers: Sequence[Tier]) -> Iterator[tuple[Tier, int, int]]:
    """Yield each tier with the input sizes it spans: above the one, up to the other."""
    bounds = [-1, *(tier.above for tier in tiers[1:]), 2**63 - 1]
    yield from zip(tiers, bounds[:-1], bounds[1:], strict=True)


def _collect(parts: Sequence[_Part]) -> LineItems:
    tiers = list({part.tier.id: part.tier for part in parts if part.tier is not None}.values())
    meters = list(dict.fromkeys(part.meter for part in parts))
    price_number = {tier.id: index for index, tier in enumerate(tiers)}
    columns = [
        np.vstack(
            [
                part.calls,
                np.full(len(part.calls), meters.index(part.meter)),
                part.quantities,
                np.full(len(part.calls), ABSENT if part.tier is None else price_number[part.tier.id]),
                part.nanos,
            ]
        )
        for part in parts
    ]
    joined = np.concatenate(columns, axis=1)
    call, meter, quantity, price, nanos = joined[:, np.argsort(joined[0], kind="stable")]
    return LineItems(call, meter, quantity, price, nanos, meters, tiers)
