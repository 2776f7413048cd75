"""What a unit costs, and from when."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from decimal import Decimal
from fractions import Fraction
from functools import cached_property
from hashlib import blake2s

import numpy as np
from numpy.typing import NDArray

from botanu.pricing.money import Int64s, nanos_per_unit

_DAY_NS = 86_400 * 10**9


@dataclass(frozen=True)
class Tier:
    """The price of *per* units of a meter when the call's input is above *above* tokens."""

    provider: str
    model: str
    meter: str
    above: int
    amount: Decimal
    per: int
    currency: str
    valid_from: date | None
    hours: tuple[time, time] | None
    source: str

    @cached_property
    def id(self) -> str:
        """Sixteen characters that name exactly this price: the same on every machine, whatever release told it."""
        content = "\x1f".join(str(getattr(self, name)) for name in self.__dataclass_fields__ if name != "source")
        return blake2s(content.encode(), digest_size=8).hexdigest()

    @cached_property
    def nanos_per_unit(self) -> Fraction:
        """Price of one unit, in nano-units of the currency."""
        return nanos_per_unit(self.amount, self.per)


@dataclass(frozen=True, slots=True)
class PriceSet:
    """The prices of one model that hold together: from a day on, or between two times of day (UTC).

    *prices* gives the tiers of each meter, by rising threshold, the first from zero. Passing a threshold
    re-rates all units of the call, not only those above it.
    """

    prices: Mapping[str, tuple[Tier, ...]]
    valid_from: date | None = None
    hours: tuple[time, time] | None = None

    def holds(self, times: Int64s) -> NDArray[np.bool_]:
        """Return at which of *times* (Unix nanoseconds) these prices hold."""
        if self.hours is not None:
            start, end = (_nanos_of_day(moment) for moment in self.hours)
            clock = times % _DAY_NS
            return (clock >= start) & (clock < end) if start <= end else (clock >= start) | (clock < end)
        if self.valid_from is not None:
            return times >= _nanos(self.valid_from)
        return np.ones(len(times), dtype=np.bool_)


@dataclass(frozen=True, slots=True)
class RateCard:
    """All prices of one model of one provider, over time. Of the sets that hold, the last one counts."""

    provider: str
    model: str
    sets: tuple[PriceSet, ...]

    def choose(self, times: Int64s) -> Int64s:
        """Return, for each of *times*, the index of the set that counts; the first where none holds yet."""
        chosen = np.zeros(len(times), dtype=np.int64)
        for index, prices in enumerate(self.sets):
            chosen[prices.holds(times)] = index
        return chosen

    def periods(self) -> Iterator[tuple[PriceSet, date | None]]:
        """Yield each set with the first day on which a later one has taken its place, if there is one."""
        starts = sorted({prices.valid_from for prices in self.sets if prices.valid_from is not None})
        for prices in self.sets:
            later = (day for day in starts if prices.valid_from is None or day > prices.valid_from)
            yield prices, next(later, None)


def _nanos(day: date) -> int:
    return int(datetime.combine(day, time(), UTC).timestamp()) * 10**9


def _nanos_of_day(moment: time) -> int:
    if moment.tzinfo is not None:
        moment = datetime.combine(date(1970, 1, 1), moment).astimezone(UTC).timetz()
    return ((moment.hour * 60 + moment.minute) * 60 + moment.second) * 10**9 + moment.microsecond * 1000
