"""What a unit costs, and from when."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, time
from decimal import Decimal
from fractions import Fraction
from functools import cached_property, lru_cache
from hashlib import blake2s

import numpy as np
from numpy.typing import NDArray

from botanu.pricing.meters import priced_as, units_of
from botanu.pricing.money import Int64s, largest_quantity, nanos_per_unit

_DAY_NS = 86_400 * 10**9

NONE_HOLDS = -1
"""Stands for "no set of this layer holds" among chosen sets."""


@dataclass(frozen=True)
class Tier:
    """The price of *per* units of a meter when the call's input is above *above* tokens.

    *valid_from* is the first instant it holds; ``None``: always, until a later price. *service_tier* and *tenant_id*
    say for which calls alone it holds, *discount* how many per cent of a list price were taken off. *least* is the
    smallest quantity that is billed where there is any, as quantities of the meter are written.
    """

    provider: str
    model: str
    meter: str
    above: int
    amount: Decimal
    per: int
    currency: str
    valid_from: datetime | None
    hours: tuple[time, time] | None
    source: str
    service_tier: str | None = None
    tenant_id: str | None = None
    discount: Decimal | None = None
    least: int = 0

    @cached_property
    def id(self) -> str:
        """Sixteen characters that name exactly this price: the same on every machine, whatever release told it."""
        names = (name for name in self.__dataclass_fields__ if name not in ("source", "least"))
        content = "\x1f".join(str(getattr(self, name)) for name in names)
        return blake2s(content.encode(), digest_size=8).hexdigest()

    @cached_property
    def nanos_per_unit(self) -> Fraction:
        """Price of one unit, in nano-units of the currency."""
        return nanos_per_unit(self.amount, self.per)

    @cached_property
    def nanos_per_quantity(self) -> Fraction:
        """Price of a quantity of 1, as quantities of this meter are written."""
        return self.nanos_per_unit / units_of(self.meter)

    @cached_property
    def largest_quantity(self) -> int:
        """The largest quantity that this price gives a line item for, as quantities of this meter are written."""
        return largest_quantity(self.nanos_per_quantity)

    def less(self, percent: Decimal) -> "Tier":
        """Return this price with *percent* per cent taken off; a negative percentage adds."""
        amount = (self.amount * (100 - percent) / 100).normalize()
        return replace(self, amount=amount, discount=percent, source=f"{self.source}, less {percent:f} %")


@dataclass(frozen=True, slots=True)
class PriceSet:
    """The prices of one model that hold together: from an instant on, or between two times of day (UTC).

    *prices* gives the tiers of each meter, by rising threshold, the first from zero. Passing a threshold
    re-rates all units of the call, not only those above it.
    """

    prices: Mapping[str, tuple[Tier, ...]]
    valid_from: datetime | None = None
    hours: tuple[time, time] | None = None

    def holds(self, times: Int64s) -> NDArray[np.bool_]:
        """Return at which of *times* (Unix nanoseconds) these prices hold."""
        if self.hours is not None:
            start, end = (_nanos_of_day(moment) for moment in self.hours)
            clock = times % _DAY_NS
            return (clock >= start) & (clock < end) if start <= end else (clock >= start) | (clock < end)
        if self.valid_from is not None:
            return times >= nanos_of(self.valid_from)
        return np.ones(len(times), dtype=np.bool_)


@dataclass(frozen=True, slots=True)
class Layer:
    """Sets of prices, one after the other in time. Of those that hold, the last one counts.

    Where none holds yet, a layer that *always_holds* gives the first; another one gives nothing.
    *of_service_tier* says that it is for the calls of one service tier alone, *is_list* that discounts apply to it.
    """

    sets: tuple[PriceSet, ...]
    always_holds: bool = False
    of_service_tier: bool = False
    is_list: bool = False

    def choose(self, times: Int64s) -> Int64s:
        """Return, for each of *times*, the index of the set that counts, or ``NONE_HOLDS``."""
        chosen = np.full(len(times), 0 if self.always_holds else NONE_HOLDS, dtype=np.int64)
        for index, prices in enumerate(self.sets):
            chosen[prices.holds(times)] = index
        return chosen


@dataclass(frozen=True, slots=True)
class Discount:
    """Per cent off the list prices, by *meter* (or one that contains it, or ``None`` for all), from an instant on."""

    percent: Decimal
    meter: str | None = None
    valid_from: datetime | None = None

    def holds(self, times: Int64s) -> NDArray[np.bool_]:
        """Return at which of *times* it holds."""
        return PriceSet({}, self.valid_from).holds(times)


class Held:
    """The prices of a call: those that hold together at its time. Nothing of it ever changes.

    *steps* are the input sizes above which another tier of any meter counts.
    """

    def __init__(self, prices: Mapping[str, tuple[Tier, ...]]) -> None:
        """Take the tiers of each meter, by rising threshold, the first from zero."""
        self._prices = prices
        self.steps = np.array(sorted({tier.above for tiers in prices.values() for tier in tiers[1:]}), dtype=np.int64)
        self.tier = lru_cache(maxsize=1000)(self._tier)
        """Return the price of the exclusive meter after so many steps; ``None`` where there is none."""

    def _tier(self, meter: str, steps: int) -> Tier | None:
        tiers = next((self._prices[name] for name in priced_as(meter) if name in self._prices), ())
        passed = [tier for tier in tiers[1:] if steps and tier.above <= self.steps[steps - 1]]
        return next(reversed([*tiers[:1], *passed]), None)


@dataclass(frozen=True, slots=True)
class RateCard:
    """All prices of one model for one kind of call, over time.

    Of its *layers* the first that has a price for a meter counts. *discounts* come with the most specific first.
    *needs_service_tier* says that the calls are of a service tier of their own: they have no price where no layer of
    that tier holds, as what is asked for it is not known then.
    """

    provider: str
    model: str
    layers: tuple[Layer, ...]
    discounts: tuple[Discount, ...] = ()
    needs_service_tier: bool = False
    _merged: dict[tuple[int, ...], Held | None] = field(default_factory=dict, init=False, repr=False, compare=False)

    @property
    def sets(self) -> tuple[PriceSet, ...]:
        """All sets of all layers."""
        return tuple(prices for layer in self.layers for prices in layer.sets)

    def in_force(self, times: Int64s) -> Iterator[tuple[Int64s, Held | None]]:
        """Yield groups of *times* (as indices) with the prices that hold at them; ``None`` where none is known."""
        chosen = [layer.choose(times) for layer in self.layers]
        chosen += [discount.holds(times).astype(np.int64) for discount in self.discounts]
        code = np.zeros(len(times), dtype=np.int64)
        for each in chosen:
            code = code * (each.max(initial=0) - NONE_HOLDS + 1) + (each - NONE_HOLDS)
        if (code == code[:1]).all():
            yield np.arange(len(times)), self._held(tuple(int(each[0]) for each in chosen))
            return
        _, first, which = np.unique(code, return_index=True, return_inverse=True)
        for number, place in enumerate(first.tolist()):
            yield np.flatnonzero(which == number), self._held(tuple(int(each[place]) for each in chosen))

    def _held(self, chosen: tuple[int, ...]) -> Held | None:
        """Return the prices where of each layer that set counts, and of each discount whether it holds."""
        if chosen not in self._merged:
            merged = self._merge(chosen[: len(self.layers)], chosen[len(self.layers) :])
            self._merged[chosen] = Held(merged) if merged else None
        return self._merged[chosen]

    def _merge(self, sets: Sequence[int], holds: Sequence[int]) -> Mapping[str, tuple[Tier, ...]]:
        """Return the prices by meter; none where the service tier has none."""
        chosen = [(layer, index) for layer, index in zip(self.layers, sets, strict=True) if index != NONE_HOLDS]
        if self.needs_service_tier and not any(layer.of_service_tier for layer, _ in chosen):
            return {}
        discounts = [discount for discount, held in zip(self.discounts, holds, strict=True) if held]
        merged: dict[str, tuple[Tier, ...]] = {}
        for layer, index in chosen:
            for meter, tiers in layer.sets[index].prices.items():
                merged.setdefault(meter, _discounted(tiers, discounts) if layer.is_list else tiers)
        return merged


def _discounted(tiers: tuple[Tier, ...], discounts: Sequence[Discount]) -> tuple[Tier, ...]:
    for discount in discounts:
        if discount.meter is None or discount.meter in priced_as(tiers[0].meter):
            return tuple(tier.less(discount.percent) for tier in tiers)
    return tiers


def periods(layer: Layer) -> Iterator[tuple[PriceSet, datetime | None]]:
    """Yield each set of *layer* with the first instant at which a later one has taken its place, if there is one."""
    starts = sorted({prices.valid_from for prices in layer.sets if prices.valid_from is not None})
    for prices in layer.sets:
        later = (start for start in starts if prices.valid_from is None or start > prices.valid_from)
        yield prices, next(later, None)


def first_instant_of(day: date) -> datetime:
    """Return the first instant of *day* (UTC)."""
    return datetime.combine(day, time(), UTC)


def nanos_of(moment: datetime) -> int:
    """Return *moment* as Unix nanoseconds."""
    whole = int(moment.replace(microsecond=0).timestamp())
    return (whole * 10**6 + moment.microsecond) * 1000


def _nanos_of_day(moment: time) -> int:
    if moment.tzinfo is not None:
        moment = datetime.combine(date(1970, 1, 1), moment).astimezone(UTC).timetz()
    return ((moment.hour * 60 + moment.minute) * 60 + moment.second) * 10**9 + moment.microsecond * 1000
