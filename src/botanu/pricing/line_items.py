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

    def calls_with(self, which: Mask, count: int) -> Mask:
        """Return which of *count* calls have one of the line items *which*."""
        calls = np.zeros(count, dtype=np.bool_)
        calls[self.call[which]] = True
        return calls


def ordered(columns: Int64s, meters: Sequence[str], tiers: Sequence[Tier]) -> LineItems:
    """Return line items from rows of *columns* (call, meter, quantity, price, nanos), by call."""
    call, meter, quantity, price, nanos = columns[:, np.argsort(columns[0], kind="stable")]
    return LineItems(call, meter, quantity, price, nanos, meters, tiers)
