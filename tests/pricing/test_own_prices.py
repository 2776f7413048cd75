"""The user's own prices: before the price list, the most specific first, each from its own instant on."""

from datetime import UTC, datetime
from decimal import Decimal

import pytest
from support.lab import CATALOG, row_of
from support.otlp import llm, span

from botanu.errors import PriceError
from botanu.pricing.own_prices import Alias, OwnDiscount, OwnPrice
from botanu.pricing.price_list import OwnTerms, PriceList

MILLION = 1_000_000
NOON = int(datetime(2026, 6, 1, 12, tzinfo=UTC).timestamp()) * 10**9
DAY = 86_400 * 10**9


def price(provider, model, amount, meter="input_tokens", **given):
    fields = {"provider": provider, "model": model, "meter": meter, "amount": amount, "per": MILLION, **given}
    return OwnPrice.of(fields, source="test")


def terms(*given):
    kinds = {OwnPrice: [], OwnDiscount: [], Alias: []}
    for each in given:
        kinds[type(each)].append(each)
    return PriceList(CATALOG, OwnTerms(*(tuple(each) for each in kinds.values())))


def cost(prices, model="gpt-4o", provider="openai", *, at=NOON, **attributes):
    """What a million input tokens cost."""
    call = llm(model, provider, input=MILLION) | attributes
    return row_of(span(start=at, **call), prices=prices)["cost"]


class TestWhichCounts:
    def test_ones_own_price_goes_before_the_price_list_meter_by_meter(self):
        prices = terms(price("openai", "gpt-4o", "2"))

        assert cost(prices) == 2
        assert cost(prices, **{"gen_ai.usage.output_tokens": MILLION}) == 2 + 10

    def test_a_price_for_a_model_holds_for_all_names_of_it(self):
        prices = terms(price("openai", "gpt-4o", "2"))

        assert cost(prices, "gpt-4o-2024-08-06") == 2
        assert cost(prices, "gpt-4o-mini") == Decimal("0.15")

    def test_a_name_in_full_goes_before_a_pattern_and_a_longer_pattern_before_a_shorter_one(self):
        prices = terms(price("openai", "*", "7"), price("openai", "gpt-4*", "6"), price("openai", "gpt-4o-mini", "5"))

        assert [cost(prices, model) for model in ("gpt-4o-mini", "gpt-4o", "o3")] == [5, 6, 7]

    def test_the_price_of_a_tenant_is_that_tenants_alone(self):
        prices = terms(price("openai", "*", "7", tenant_id="t-1"), price("openai", "gpt-4o", "6"))

        assert cost(prices, **{"botanu.tenant_id": "t-1"}) == 7
        assert cost(prices, **{"botanu.tenant_id": "t-2"}) == cost(prices) == 6

    def test_the_price_of_a_service_tier_is_for_it_alone_and_makes_it_known(self):
        prices = terms(price("openai", "gpt-4o", "9", service_tier="scale"))

        assert cost(prices) == Decimal("2.5")
        assert cost(prices, **{"openai.response.service_tier": "scale"}) == 9
        assert cost(terms(), **{"openai.response.service_tier": "scale"}) is None

    def test_a_model_that_nobody_else_has_is_priced(self):
        prices = terms(price("in-house", "router-3b", "1"), price("in-house", "router-3b", "3", meter="output_tokens"))

        assert cost(prices, "router-3b", "in-house", **{"gen_ai.usage.output_tokens": MILLION}) == 4

    def test_a_meter_of_the_programs_own_is_priced(self):
        prices = terms(OwnPrice.of({"provider": "acme", "meter": "pages", "amount": "0.0015"}, source="test"))

        row = row_of(span(**{"botanu.provider": "acme", "botanu.usage.pages": 2.5}), prices=prices)

        assert (row["cost"], row["priced"]) == (Decimal("0.00375"), True)


class TestWhen:
    def test_each_call_has_the_price_of_its_own_instant_also_within_a_day(self):
        noon = datetime(2026, 6, 1, 12, tzinfo=UTC).isoformat()
        prices = terms(price("openai", "gpt-4o", "2"), price("openai", "gpt-4o", "3", **{"from": noon}))

        assert [cost(prices, at=NOON + offset) for offset in (-1000, 0, DAY)] == [2, 3, 3]

    def test_before_its_first_day_the_price_list_counts(self):
        prices = terms(price("openai", "gpt-4o", "2", **{"from": "2026-06-02"}))

        assert [cost(prices, at=NOON + offset) for offset in (0, DAY)] == [Decimal("2.5"), 2]

    def test_a_price_above_a_threshold_re_rates_all_of_the_call_until_the_meter_is_set_anew(self):
        prices = terms(
            price("openai", "gpt-4o", "2"),
            price("openai", "gpt-4o", "4", above=200_000),
            price("openai", "gpt-4o", "1", **{"from": "2026-06-02"}),
        )

        assert cost(prices, **{"gen_ai.usage.input_tokens": 200_000}) == Decimal("0.4")
        assert cost(prices) == 4
        assert cost(prices, at=NOON + DAY) == 1


class TestDiscounts:
    def test_it_is_taken_off_the_list_price(self):
        prices = terms(OwnDiscount.of({"provider": "openai", "percent": "12.5"}, source="test"))

        assert cost(prices) == Decimal("2.1875")
        assert cost(prices, "claude-opus-4-5", "anthropic") == 5

    def test_the_most_specific_one_counts_alone_and_from_its_own_day(self):
        prices = terms(
            OwnDiscount.of({"percent": 10}, source="test"),
            OwnDiscount.of({"provider": "openai", "model": "gpt-4o", "percent": 20, "from": "2026-06-02"}, source="t"),
        )

        assert [cost(prices, at=NOON + offset) for offset in (0, DAY)] == [Decimal("2.25"), 2]

    def test_one_for_a_meter_leaves_the_others_alone(self):
        prices = terms(OwnDiscount.of({"provider": "openai", "meter": "output_tokens", "percent": 50}, source="t"))

        assert cost(prices, **{"gen_ai.usage.output_tokens": MILLION}) == Decimal("2.5") + 5

    def test_ones_own_price_is_what_is_paid_already(self):
        prices = terms(price("openai", "gpt-4o", "2"), OwnDiscount.of({"percent": 50}, source="test"))

        assert cost(prices) == 2

    def test_less_than_nothing_is_a_surcharge(self):
        assert cost(terms(OwnDiscount.of({"percent": -10}, source="test"))) == Decimal("2.75")


class TestAliases:
    def test_a_deployment_is_priced_as_the_model_behind_it(self):
        prices = terms(Alias.of({"provider": "azure", "model": "prod-chat", "as_model": "gpt-4o"}, source="test"))

        assert cost(prices, "prod-chat", "azure.ai.openai") == Decimal("2.5")
        assert cost(prices, "prod-chat", "openai") is None

    def test_it_may_name_another_provider(self):
        alias = {"model": "fast", "as_provider": "groq", "as_model": "llama-3.1-8b-instant"}

        assert cost(terms(Alias.of(alias, source="test")), "fast", "gateway-of-ours") == Decimal("0.05")


class TestCurrencies:
    def test_a_price_in_another_currency_makes_a_cost_in_it(self):
        prices = terms(price("in-house", "m", "2", currency="eur"))
        row = row_of(span(start=NOON, **llm("m", "in-house", input=MILLION)), prices=prices)

        assert (row["cost"], row["currency"], row["priced"]) == (2, "EUR", True)

    def test_two_currencies_are_never_added(self):
        prices = terms(price("openai", "gpt-4o", "2", currency="EUR"))
        row = row_of(span(start=NOON, **llm(input=MILLION, output=MILLION)), prices=prices)

        assert (row["cost"], row["currency"], row["priced"]) == (10, "USD", False)
        assert row["cost_notes"] == ["mixed_currencies"]
        assert [item["amount"] for item in row["line_items"]] == [2, 10]


@pytest.mark.parametrize(
    ("make", "given", "wrong"),
    [
        (OwnPrice, {"provider": "p", "amount": 1}, "meter is missing"),
        (OwnPrice, {"provider": "p", "meter": "m"}, "its amount is missing"),
        (OwnPrice, {"provider": "p", "meter": "m", "amount": "much"}, "must be a number, not 'much'"),
        (OwnPrice, {"provider": "p", "meter": "m", "amount": "NaN"}, "must be a number, not 'NaN'"),
        (OwnPrice, {"provider": "p", "meter": "m", "amount": -1}, "must be 0 or more"),
        (OwnPrice, {"provider": "p", "meter": "m", "amount": 10**12}, "below 1,000,000,000,000"),
        (OwnPrice, {"provider": "p", "meter": "m", "amount": "1e-19"}, "at most 18 decimals"),
        (OwnPrice, {"provider": "p", "meter": "m", "amount": 1, "per": 0}, "per must be a whole number of 1 or more"),
        (OwnPrice, {"provider": "p", "meter": "m", "amount": 1, "per": 1.5}, "per must be a whole number"),
        (OwnPrice, {"provider": "p", "meter": "m", "amount": 1, "above": -1}, "above must be a whole number of 0"),
        (OwnPrice, {"provider": "p", "meter": "m", "amount": 1, "currency": "dollars"}, "a code such as USD"),
        (OwnPrice, {"provider": "p", "meter": "m", "amount": 1, "from": "soon"}, "from must be a date"),
        (OwnPrice, {"provider": "p", "meter": "m", "amount": 1, "colour": "x"}, "unknown colour; known: above, amount"),
        (OwnDiscount, {"provider": "p"}, "its amount is missing"),
        (OwnDiscount, {"percent": 101}, "percent must be from -1000"),
        (Alias, {"model": "x"}, "as_model is missing"),
    ],
)
def test_what_cannot_be_meant_is_said(make, given, wrong):
    with pytest.raises(PriceError, match=wrong):
        make.of(given, source="test")
