"""Quantities and the prices that hold for them to line items, for all calls and all meters at once."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from botanu.pricing.line_items import LineItems, Mask
from botanu.pricing.meters import ABSENT, INCIDENTAL, REQUESTS
from botanu.pricing.money import Int64s, costs
from botanu.pricing.rate_card import Held, Tier


@dataclass(frozen=True, slots=True)
class Row:
    """The prices that hold for a call, how many of their *steps* its input has passed, and whether it is no model's."""

    prices: Held
    steps: int
    of_service: bool = False


@dataclass(frozen=True, slots=True)
class Rates:
    """The prices of calls: *row_of* says which of *rows* each call has. The first row is ``None``: none is known."""

    rows: Sequence[Row | None]
    row_of: Int64s


def rate(quantities: Mapping[str, Int64s], rates: Rates) -> LineItems:
    """Return a line item for each quantity above zero of each call, with its price and amount where there is a price.

    *quantities* do not overlap; ``REQUESTS`` are among them, and one for each call where a price is asked for each and
    the call does not say how many it is. What is ``INCIDENTAL`` to the call of a service has no line item without a
    price.
    """
    meters = [*quantities]
    table, tiers = _prices(rates.rows, meters)
    counted, requests = np.stack([*quantities.values()], axis=1), meters.index(REQUESTS)
    asked = (table[:, requests] != ABSENT)[rates.row_of]
    counted[asked & (counted[:, requests] == ABSENT), requests] = 1
    call, meter = np.nonzero(_is_used(counted, meters, rates, table))
    row, quantity = rates.row_of[call], counted[call, meter]
    price = table[row, meter]
    free = (price == ABSENT) & (meter == requests) & (row != 0)  # nothing is asked for each
    price, quantity, nanos = _amounts(price, quantity, tiers)
    price, tiers = _used(price, tiers)
    return LineItems(call, meter, quantity, price, np.where(free, 0, nanos), meters, tiers)


def _is_used(counted: Int64s, meters: Sequence[str], rates: Rates, table: Int64s) -> Mask:
    """Return which quantities are line items."""
    of_service = [row is not None and row.of_service for row in rates.rows]
    idle = np.outer(of_service, [meter in INCIDENTAL for meter in meters]) & (table == ABSENT)
    return (counted > 0) & ~idle[rates.row_of] if idle.any() else counted > 0


def _prices(rows: Sequence[Row | None], meters: Sequence[str]) -> tuple[Int64s, list[Tier]]:
    """Return the price of each of *meters* in each of *rows*, as an index, and the prices."""
    tiers: dict[str, Tier] = {}
    numbers: dict[str, int] = {}
    found = np.full((len(rows), len(meters)), ABSENT)
    for number, row in enumerate(rows):
        for column, meter in enumerate(meters):
            tier = row.prices.tier(meter, row.steps) if row is not None else None
            if tier is not None:
                tiers.setdefault(tier.id, tier)
                found[number, column] = numbers.setdefault(tier.id, len(numbers))
    return found, list(tiers.values())


def _amounts(price: Int64s, quantity: Int64s, tiers: Sequence[Tier]) -> tuple[Int64s, Int64s, Int64s]:
    """Return prices, billed quantities and amounts; what would be no bill but a fault has no price and no amount."""
    largest = np.array([*(tier.largest_quantity for tier in tiers), ABSENT])  # the last is for no price
    least = np.array([*(tier.least for tier in tiers), ABSENT])
    payable = quantity <= largest[price]
    price = np.where(payable, price, ABSENT)
    quantity = np.maximum(quantity, least[price])
    nanos = np.full_like(price, ABSENT)
    nanos[payable] = costs(quantity[payable], [tier.nanos_per_quantity for tier in tiers], price[payable])
    return price, quantity, nanos


def _used(price: Int64s, tiers: Sequence[Tier]) -> tuple[Int64s, list[Tier]]:
    """Leave out those of *tiers* that no line item has; return prices and tiers."""
    used = np.zeros(len(tiers) + 1, dtype=np.bool_)
    used[price] = True
    used[ABSENT] = False
    number = np.where(used, np.cumsum(used) - 1, ABSENT)
    return number[price], [tier for tier, has in zip(tiers, used, strict=False) if has]
