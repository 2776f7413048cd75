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


@dataclass(frozen=True, slots=True)
class Usage:
    """The usage of a number of calls, as columns of equal length.

    *models* lists the distinct pairs of provider and model names, the preferred name first; *model_of* says which
    pair each call used. *times* are Unix nanoseconds. *totals* gives quantities by meter as their source counted
    them, ``ABSENT`` where unknown.
    """

    models: Sequence[tuple[str | None, Sequence[str | None]]]
    model_of: Int64s
    times: Int64s
    totals: Mapping[str, Int64s]


@dataclass(frozen=True, slots=True)
class LineItems:
    """Line items as columns, ordered by call.

    *meter* indexes *meters*. *price* indexes *tiers*; where it is ``ABSENT``, no price was found and *nanos* is 0.
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


@dataclass(frozen=True, slots=True)
class Costed:
    """What a number of calls cost.

    *nanos* is the sum of a call's priced line items. *complete* is false for a call of which something has no
    price, or which reports no usage at all: what it cost is then not known, or not wholly.
    """

    items: LineItems
    nanos: Int64s
    complete: NDArray[np.bool_]


def price_calls(usage: Usage, catalog: Catalog) -> Costed:
    """Price every call of *usage* at its own time.

    Calls are taken together by model, by the prices that hold at their time, and by tier; each such group is
    one multiplication per meter.
    """
    count = len(usage.times)
    parts: list[tuple[Int64s, str, Int64s, Tier | None]] = []
    quantities = exclusive(usage.totals)
    for calls, prices, tier_of in _groups(usage, catalog):
        parts.extend(_lines(calls, quantities, prices, tier_of))
    items = _collect(parts)
    nanos = np.zeros(count, dtype=np.int64)
    np.add.at(nanos, items.call, items.nanos)
    complete = _reported(usage, count)
    complete[items.call[~items.priced()]] = False
    return Costed(items, nanos, complete)


def _reported(usage: Usage, count: int) -> NDArray[np.bool_]:
    reported = np.zeros(count, dtype=np.bool_)
    for counted in usage.totals.values():
        reported |= counted != ABSENT
    return reported


def _groups(usage: Usage, catalog: Catalog) -> Iterator[tuple[Int64s, PriceSet | None, Int64s]]:
    """Yield calls that share a price set, with that set and each call's input size (which decides the tier)."""
    inputs = np.maximum(_whole_input(usage), 0)
    for index, (provider, names) in enumerate(usage.models):
        calls = np.flatnonzero(usage.model_of == index)
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


def _lines(
    calls: Int64s, quantities: Mapping[str, Int64s], prices: PriceSet | None, inputs: Int64s
) -> Iterator[tuple[Int64s, str, Int64s, Tier | None]]:
    """Yield, for each meter and tier, the calls that used it, their quantities and the price."""
    if prices is not None and REQUESTS in prices.prices:
        yield calls, REQUESTS, np.ones(len(calls), dtype=np.int64), prices.prices[REQUESTS][0]
    for meter, column in quantities.items():
        counted = column[calls]
        used = counted > 0
        if not used.any():
            continue
        tiers = _tiers(prices, meter)
        if tiers is None:
            yield calls[used], meter, counted[used], None
            continue
        for tier, above, upto in _spans_of(tiers):
            within = used & (inputs > above) & (inputs <= upto)
            payable = counted <= largest_quantity(tier.nanos_per_unit)
            for chosen, price in ((within & payable, tier), (within & ~payable, None)):
                if chosen.any():
                    yield calls[chosen], meter, counted[chosen], price


def _tiers(prices: PriceSet | None, meter: str) -> tuple[Tier, ...] | None:
    if prices is None:
        return None
    return next((prices.prices[name] for name in priced_as(meter) if name in prices.prices), None)


def _spans_of(tiers: Sequence[Tier]) -> Iterator[tuple[Tier, int, int]]:
    """Yield each tier with the input sizes it spans: above the one, up to the other."""
    bounds = [-1, *(tier.above for tier in tiers[1:]), 2**63 - 1]
    yield from zip(tiers, bounds[:-1], bounds[1:], strict=True)


def _collect(parts: Sequence[tuple[Int64s, str, Int64s, Tier | None]]) -> LineItems:
    tiers = list({tier.id: tier for *_, tier in parts if tier is not None}.values())
    meters = list(dict.fromkeys(meter for _, meter, _, _ in parts))
    price_number = {tier.id: index for index, tier in enumerate(tiers)}
    columns = [
        np.vstack(
            [
                calls,
                np.full(len(calls), meters.index(meter)),
                counted,
                np.full(len(calls), ABSENT if tier is None else price_number[tier.id]),
                np.zeros_like(calls) if tier is None else cost(counted, tier.nanos_per_unit),
            ]
        )
        for calls, meter, counted, tier in parts
    ]
    joined = np.concatenate([np.zeros((5, 0), dtype=np.int64), *columns], axis=1)
    call, meter, quantity, price, nanos = joined[:, np.argsort(joined[0], kind="stable")]
    return LineItems(call, meter, quantity, price, nanos, meters, tiers)
