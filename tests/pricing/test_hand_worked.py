"""The cost of calls worked by hand, through the real path from the wire to the priced row."""

from datetime import datetime
from decimal import ROUND_HALF_EVEN, Decimal

import pytest
from genai_prices.data_snapshot import get_snapshot
from support import lab
from support.otlp import span
from worked import CASES, NOBODY, PRICE_PAGES, SOURCES, UNSAID

PER = {"M": 1_000_000, "K": 1_000, "H": 3_600}

each_case = pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)


def row_of(case):
    """Return the row that *case* becomes."""
    start = int(datetime.fromisoformat(case.start).timestamp() * 1000) * 1_000_000
    return lab.row_of(span(start=start, error=case.error, **case.attributes))


def decimal(text):
    return None if text is None else Decimal(text)


@each_case
def test_a_call_costs_what_it_costs_by_hand(case):
    row = row_of(case)
    lines = row["line_items"] or []

    assert {line["meter"]: (line["quantity"], line["amount"]) for line in lines} == {
        meter: (item[0], decimal(item[1])) for meter, item in case.items.items()
    }
    assert len(lines) == len(case.items)
    assert (row["cost"], row["priced"], row["cost_source"]) == (decimal(case.cost), case.priced, case.cost_source)
    if case.computed_cost != UNSAID:
        assert row["computed_cost"] == decimal(case.computed_cost)


class TestTheTableItself:
    """What was written by hand is right: each product, each sum, each price, each source."""

    @each_case
    def test_amounts_are_quantities_times_prices(self, case):
        for meter, item in case.items.items():
            if meter != "reported_cost" and item[1] is not None:
                assert Decimal(item[1]) == product(item), meter
            assert len(item) == 3 or item[1] is None or meter == "reported_cost", meter

    @each_case
    def test_costs_are_sums_of_amounts(self, case):
        amounts = [Decimal(item[1]) for item in case.items.values() if item[1] is not None]

        assert decimal(case.cost) == (sum(amounts) if amounts else None)

    @each_case
    def test_computed_costs_are_sums_of_products(self, case):
        if case.computed_cost != UNSAID:
            products = [product(item) for item in case.items.values() if len(item) == 3]
            assert decimal(case.computed_cost) == (sum(products) if products else None)

    @each_case
    def test_prices_are_in_the_price_list(self, case):
        prices = {item[2] for item in case.items.values() if len(item) == 3}

        assert {price_of(price) for price in prices} <= (listed(case.listed) if prices else set())

    @each_case
    def test_what_is_said_fits_together(self, case):
        assert case.priced is False or case.cost is not None
        assert (case.cost is None) is (case.cost_source is None)
        assert ("reported_cost" in case.items) is (case.cost_source == "reported")
        assert (case.computed_cost != UNSAID) is any("cost" in name for name in case.attributes)
        assert all(item[0] > 0 for item in case.items.values())

    def test_there_are_enough_of_all(self):
        assert len(CASES) >= 60
        assert len({case.dialect for case in CASES}) >= 12
        assert len({case.bills for case in CASES} - {NOBODY}) >= 10
        assert len({case.name for case in CASES}) == len(CASES)

    def test_every_dialect_and_provider_has_a_source(self):
        assert {case.dialect for case in CASES} == SOURCES.keys()
        assert {case.bills for case in CASES} - {NOBODY} == PRICE_PAGES.keys()


def product(item):
    """Return quantity times price to the nano-dollar, halves to the even one."""
    quantity, _, price = item
    amount, per = price_of(price)
    return (quantity * amount / per).quantize(Decimal("1e-9"), ROUND_HALF_EVEN)


def price_of(text):
    amount, unit = text.split("/")
    return Decimal(amount), PER[unit]


def listed(name):
    """Return every price that the price list has for the model *name*, of whatever unit, day and tier."""
    provider_id, model_id = name.split("/", 1)
    (provider,) = (provider for provider in get_snapshot().providers if provider.id == provider_id)
    (model,) = (model for model in provider.models if model.id == model_id)
    sets = model.prices if isinstance(model.prices, list) else [model]
    found = set()
    for prices in [*(entry.prices for entry in sets), *(entry.prices for entry in model.price_variants or ())]:
        for key, price in vars(prices).items():
            per = {"mtok": "M", "mchars": "M", "kcount": "K", "kpages": "K", "hours": "H"}.get(key.rpartition("_")[2])
            if price is not None and per is not None:
                steps = [price] if isinstance(price, Decimal) else [price.base, *(tier.price for tier in price.tiers)]
                found |= {(step, PER[per]) for step in steps}
    return found
