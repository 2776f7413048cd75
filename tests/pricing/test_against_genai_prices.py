"""Every cost here against that of the library whose prices these are, over all of its price list."""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from random import Random

import genai_prices
import numpy as np
from generated import ENTRIES, METERS, MODELS, Call, call, calls, price_sets, situation
from hypothesis import given
from hypothesis import strategies as st

from botanu.ingest.dialects import STANDARD_TIERS
from botanu.pricing.catalog import Catalog
from botanu.pricing.costing import Usage, price_calls
from botanu.pricing.meters import ABSENT, units_of
from botanu.pricing.money import LINE_ITEM_MAX, decimal_amount
from botanu.pricing.notes import Note
from botanu.pricing.price_list import Kind, PriceList
from botanu.pricing.rate_card import nanos_of

PRICES = PriceList(Catalog())
COUNT = 10_000
HALF = Decimal("0.5e-9")

SERVICE_TIERS = {"processing", "service_tier", "speed"}


@dataclass(frozen=True)
class Compared:
    """What a call costs here and there; *theirs* is ``None`` where they refuse to say."""

    call: Call
    ours: Decimal
    items: int
    complete: bool
    notes: frozenset[Note]
    theirs: Decimal | None

    def is_equal(self) -> bool:
        """Return whether both know the cost, and it is the same."""
        return self.complete and self.is_near(self.theirs)

    def is_near(self, theirs: Decimal | None) -> bool:
        """Return whether nothing but the rounding of line items lies between the two."""
        return theirs is not None and abs(self.ours - theirs) <= HALF * self.items

    def is_near_as_read_here(self) -> bool:
        """Return whether the two are near where they get the usage without gaps, and the service tier in all fields."""
        tier = tier_of(self.call)
        context = dict.fromkeys(SERVICE_TIERS, tier) if tier else {}
        return self.is_near(their_price(self.call, self.call.meant, context))


def without_its_tier(one: Compared) -> bool:
    """It is of a service tier, and they ask what they ask for none."""
    standard = their_price(one.call, one.call.said, {})
    return Note.NO_SERVICE_TIER_PRICE in one.notes and one.ours == 0 and one.theirs == standard


def without_price(one: Compared) -> bool:
    """Its model has no price at all."""
    prices = [price for each in price_sets(one.call.entry.model) for price in vars(each.prices)]
    return Note.NO_PRICE in one.notes and one.ours == 0 and not prices


def without_usage(one: Compared) -> bool:
    """It tells of nothing that it used."""
    return Note.NO_USAGE in one.notes and not one.call.said and one.is_near(one.theirs)


def beyond_reason(one: Compared) -> bool:
    """They have a line item of ten million."""
    there = their_price(one.call, one.call.meant, one.call.context)
    return Note.NO_METER_PRICE in one.notes and there is not None and there >= decimal_amount(LINE_ITEM_MAX)


def without_meter_price(one: Compared) -> bool:
    """It used what its model has no price for, and the rest costs the same."""
    return Note.NO_METER_PRICE in one.notes and one.is_near_as_read_here()


def with_cache_beside(one: Compared) -> bool:
    """It tells of more cached than input tokens, and costs what both together do."""
    return Note.CACHE_BESIDE_INPUT in one.notes and one.is_near_as_read_here()


def refused(one: Compared) -> bool:
    """Its usage lacks a total, and costs what it does with it."""
    return one.theirs is None and one.is_near_as_read_here()


def tier_by_another_key(one: Compared) -> bool:
    """It is of a service tier that they have under another key."""
    return tier_of(one.call) is not None and one.is_near_as_read_here()


def by_another_choice(one: Compared) -> bool:
    """Its context is no service tier, and it costs what it does without."""
    return not SERVICE_TIERS.issuperset(one.call.context) and one.is_near_as_read_here()


DIFFERENCES: dict[str, Callable[[Compared], bool]] = {
    "A service tier without a price at that time is unpriced here, and standard there.": without_its_tier,
    "A model without any price is unpriced here, and free there.": without_price,
    "A call that tells of no usage is not known here, and free there.": without_usage,
    "A line item of ten million or more is taken for a fault here.": beyond_reason,
    "A meter without a price makes the cost incomplete here, and is left out there.": without_meter_price,
    "More cached than input tokens are beside the input here; there they are refused or left out.": with_cache_beside,
    "Parts without their total are the total here; there they are refused.": refused,
    "A service tier is one word here, whatever field it stands in; there the field matters, too.": tier_by_another_key,
    "A route or a kind of search chooses a price there; here nothing tells it.": by_another_choice,
}
"""Every reason for a cost that is not equal, and how such a call is told."""


def test_ten_thousand_calls_of_every_model_cost_what_genai_prices_says_or_differ_for_a_listed_reason():
    compared = compare(list(calls(Random(20261122), COUNT)))
    reasons = Counter(reason_of(one) for one in compared)

    assert len(compared) == COUNT
    assert len({id(one.call.entry.model) for one in compared}) == MODELS
    assert {meter for one in compared for meter, used in one.call.said.items() if used} >= METERS - {"requests"}
    assert reasons.keys() == {None, *DIFFERENCES}
    assert reasons[None] > COUNT / 2


@given(st.randoms(use_true_random=False), st.lists(st.sampled_from(ENTRIES), min_size=1, max_size=20))
def test_any_call_costs_what_genai_prices_says_or_differs_for_a_listed_reason(rng, entries):
    for one in compare([call(rng, entry, *situation(rng, entry)) for entry in entries]):
        reason_of(one)


def reason_of(one: Compared) -> str | None:
    """Return why the costs differ, ``None`` where they do not; fail where it is not listed."""
    if one.is_equal():
        return None
    reasons = [reason for reason, holds in DIFFERENCES.items() if holds(one)]
    assert reasons, one
    return reasons[0]


def compare(generated: list[Call]) -> list[Compared]:
    """Price all calls here at once, and there one by one."""
    costed = price_calls(usage_of(generated), PRICES)
    items = np.bincount(costed.items.call, minlength=len(generated))
    return [
        Compared(
            one,
            decimal_amount(int(costed.nanos[number])),
            int(items[number]),
            bool(costed.complete[number]),
            frozenset(note for note, mask in costed.notes.items() if mask[number]),
            their_price(one, one.said, one.context),
        )
        for number, one in enumerate(generated)
    ]


def their_price(one: Call, usage: dict[str, int], context: dict[str, str]) -> Decimal | None:
    """Return what ``genai-prices`` asks for *usage* at the time of the call; ``None`` where it refuses that."""
    quantities = {meter: Decimal(quantity) / units_of(meter) for meter, quantity in usage.items()}
    try:
        return genai_prices.calc_price(
            genai_prices.Usage(**quantities),
            one.entry.name,
            provider_id=one.entry.provider,
            genai_request_timestamp=one.at,
            price_context=context,
        ).total_price
    except ValueError:
        return None


def usage_of(generated: list[Call]) -> Usage:
    """Return the calls as columns."""
    kinds = [Kind(one.entry.provider, (one.entry.name,), None, tier_of(one)) for one in generated]
    distinct = list(dict.fromkeys(kinds))
    numbers = {kind: number for number, kind in enumerate(distinct)}
    meters = dict.fromkeys(meter for one in generated for meter in one.said)
    return Usage(
        kinds=distinct,
        kind_of=np.array([numbers[kind] for kind in kinds]),
        times=np.array([nanos_of(one.at) for one in generated]),
        totals={meter: np.array([one.said.get(meter, ABSENT) for one in generated]) for meter in meters},
        reported=np.full(len(generated), ABSENT),
        believes_zero=np.zeros(len(generated), dtype=np.bool_),
    )


def tier_of(one: Call) -> str | None:
    """Return the service tier that the context of a call is."""
    return next(
        (tier for key, tier in one.context.items() if key in SERVICE_TIERS and tier not in STANDARD_TIERS), None
    )
