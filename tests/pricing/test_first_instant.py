"""From when a price holds that names no day, and which of several discounts counts."""

from datetime import UTC, datetime

import pytest
from support.lab import CATALOG

from botanu.pricing.notes import SENTENCES, Note
from botanu.pricing.own_prices import Alias, OwnDiscount, OwnPrice, discounts
from botanu.pricing.price_list import OwnTerms, PriceList
from botanu.pricing.terms import first_instant

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)


def price(provider="acme", model="m", meter="pages", amount="1", **fields):
    return OwnPrice.of({"provider": provider, "model": model, "meter": meter, "amount": amount, **fields}, source="set")


@pytest.mark.parametrize(
    ("asked", "known", "holds_always"),
    [
        (price(), [], True),
        (price(), [price()], False),
        (price(), [price(model="*")], False),  # the one for all models was a price for this one
        (price(model="*"), [price(model="m")], True),  # the more specific one stays before it
        (price(), [price(meter="requests")], True),
        (price(), [price(provider="other")], True),
        (price(), [price(tenant_id="T")], True),
        (price(tenant_id="T"), [price()], False),
        (price(service_tier="batch"), [price()], True),  # a tier without a price of its own was unpriced
        (price(meter="cache_read_tokens"), [price(meter="input_tokens")], False),  # it was priced as input
        (price(meter="input_tokens"), [price(meter="cache_read_tokens")], True),
        (price("openai", "gpt-4o", "input_tokens"), [], False),  # the price list has it
        (price("openai", "gpt-4o-2024-08-06", "cache_read_tokens"), [], False),
        (price("*", "gpt-4o", "input_tokens"), [], False),
        (price("openai", "gpt-4o*", "input_tokens"), [], False),
        (price("openai", "gpt-4o", "pages"), [], True),
        (price("openai", "gpt-4o", "input_tokens", service_tier="nightly"), [], True),
        (price("openai", "no-such-*", "input_tokens"), [], True),
    ],
)
def test_a_price_holds_always_where_none_was_known_and_from_now_on_elsewhere(asked, known, holds_always):
    prices = PriceList(CATALOG, OwnTerms(tuple(known)))

    assert first_instant(asked, prices, NOW) == (None if holds_always else NOW)


def test_a_discount_holds_from_now_on_and_an_alias_always():
    prices = PriceList(CATALOG)

    assert first_instant(OwnDiscount.of({"percent": 10}, source="set"), prices, NOW) == NOW
    assert first_instant(Alias.of({"model": "a", "as_model": "b"}, source="set"), prices, NOW) is None


@pytest.mark.parametrize("order", [(10, 20), (20, 10)])
def test_of_two_discounts_from_one_instant_the_last_recorded_counts(order):
    given = [OwnDiscount.of({"percent": percent, "from": "2026-01-01"}, source="set") for percent in order]

    assert discounts(given)[0][1].percent == order[-1]


def test_every_note_has_a_sentence_for_people():
    assert SENTENCES.keys() == set(Note)
