"""Line items as columns: a quantity of one meter of one call, and what it costs."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from botanu.pricing.meters import ABSENT
from botanu.pricing.money import Int64s
from botanu.pricing.rate_card import Tier

Mask = NDArray[np.bool_]


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

    def priced(self) -> Mask:
        """Return which line items have a price."""
        return self.price != ABSENT

    def known(self) -> Mask:
        """Return which line items have an amount."""
        return self.nanos != ABSENT

    def unpriced(self) -> Mask:
        """Return which line items should have an amount, and have no price."""
        return ~self.known() & ~self.priced()


@dataclass(frozen=True, slots=True)
class Part:
    """Line items of one meter at one price, one of each of *calls*; *nanos* are their amounts."""

    calls: Int64s
    meter: str
    quantities: Int64s
    tier: Tier | None
    nanos: Int64s


def collect(parts: Sequence[Part]) -> LineItems:
    """Return the line items of *parts*, by call."""
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
    joined = np.concatenate([np.zeros((5, 0), dtype=np.int64), *columns], axis=1)
    return ordered(joined, meters, tiers)


def ordered(columns: Int64s, meters: Sequence[str], tiers: Sequence[Tier]) -> LineItems:
    """Return line items from rows of *columns* (call, meter, quantity, price, nanos), by call."""
    call, meter, quantity, price, nanos = columns[:, np.argsort(columns[0], kind="stable")]
    return LineItems(call, meter, quantity, price, nanos, meters, tiers)
