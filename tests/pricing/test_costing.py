"""Calls worked by hand, and the whole price list against the library it comes from.

Prices: https://openai.com/api/pricing and https://www.anthropic.com/pricing as genai-prices carries them.
"""

from datetime import UTC, datetime, time
from decimal import Decimal

import genai_prices
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from botanu.ingest.dialects import USAGE
from botanu.pricing.catalog import Catalog
from botanu.pricing.costing import UNUSABLE, Usage, price_calls
from botanu.pricing.meters import ABSENT
from botanu.pricing.money import decimal_amount, round_to_nano
from botanu.pricing.notes import Note
from botanu.pricing.price_list import Kind, PriceList
from botanu.pricing.rate_card import Layer, PriceSet, RateCard, Tier

CATALOG = Catalog()
PRICES = PriceList(CATALOG)
NOON = datetime(2026, 6, 1, 12, tzinfo=UTC)


def usage_of(calls):
    """Columns for calls given as (provider, model, instant, counts)."""
    kinds = list(dict.fromkeys(Kind(provider, (model,) if model else ()) for provider, model, _, _ in calls))
    return Usage(
        kinds=kinds,
        kind_of=np.array([kinds.index(Kind(provider, (model,) if model else ())) for provider, model, _, _ in calls]),
        times=np.array([int(instant.timestamp()) * 10**9 for _, _, instant, _ in calls], dtype=np.int64),
        totals={
            meter: np.array([counts.get(meter, ABSENT) for *_, counts in calls], dtype=np.int64) for meter in USAGE
        },
        reported=np.array([counts.get("reported", ABSENT) for *_, counts in calls], dtype=np.int64),
        believes_zero=np.array([counts.get("hit", False) for *_, counts in calls], dtype=np.bool_),
        lacks={Note.UNREADABLE_USAGE: np.array([counts.get("beyond", False) for *_, counts in calls], dtype=np.bool_)},
    )


def price(provider, model, prices=PRICES, at=NOON, **counts):
    """One call: its cost, whether that is all, and its line items."""
    costed = price_calls(usage_of([(provider, model, at, counts)]), prices)
    items = costed.items
    lines = {
        items.meters[meter]: (int(quantity), decimal_amount(int(nanos)) if nanos != ABSENT else None)
        for meter, quantity, nanos in zip(items.meter, items.quantity, items.nanos, strict=True)
    }
    return decimal_amount(int(costed.nanos[0])), bool(costed.complete[0]), lines


def test_cached_tokens_are_not_paid_twice():
    # gpt-4o: 2.50 dollars a million input, 1.25 cached, 10.00 output.
    # 400 x 2.50 + 600 x 1.25 + 100 x 10.00 = 1,000 + 750 + 1,000 millionths.
    cost, complete, lines = price("openai", "gpt-4o", input_tokens=1000, cache_read_tokens=600, output_tokens=100)

    assert (cost, complete) == (Decimal("0.002750000"), True)
    assert lines == {
        "input_uncached_tokens": (400, Decimal("0.001000000")),
        "cache_read_tokens": (600, Decimal("0.000750000")),
        "output_text_tokens": (100, Decimal("0.001000000")),
    }


def test_passing_a_threshold_rates_all_tokens_anew():
    # claude-sonnet-4-5: 3 and 15 dollars up to 200,000 input tokens, 6 and 22.50 above.
    below, _, _ = price("anthropic", "claude-sonnet-4-5", input_tokens=200_000, output_tokens=1000)
    above, _, _ = price("anthropic", "claude-sonnet-4-5", input_tokens=200_001, output_tokens=1000)

    assert below == Decimal("0.615000000")
    assert above == Decimal("1.222506000")


def test_a_model_without_a_price_is_unpriced_not_free():
    assert price("in-house", "router-3b", input_tokens=5, output_tokens=1) == (
        Decimal("0E-9"),
        False,
        {"input_uncached_tokens": (5, None), "output_text_tokens": (1, None)},
    )


def test_an_unknown_provider_does_not_borrow_the_price_of_a_model_of_the_same_name():
    assert price("in-house", "gpt-4o", input_tokens=5)[1] is False
    assert price(None, "gpt-4o", input_tokens=5)[:2] == (Decimal("0.000012500"), True)


def test_a_call_without_any_usage_is_not_known():
    assert price("openai", "gpt-4o") == (Decimal("0E-9"), False, {})


def test_a_call_that_used_nothing_costs_nothing():
    assert price("openai", "gpt-4o", input_tokens=0, output_tokens=0) == (Decimal("0E-9"), True, {})


def test_an_absurd_quantity_is_unpriced_and_spoils_no_neighbour():
    # o1-pro output is 600 dollars a million: 10^12 tokens would pass what a line item may be.
    cost, complete, lines = price("openai", "o1-pro", input_tokens=1000, output_tokens=10**12)

    assert (cost, complete) == (Decimal("0.150000000"), False)
    assert lines["output_text_tokens"] == (10**12, None)


@pytest.mark.parametrize(
    ("provider", "model"),
    [
        ("openai", "gpt-4o-2024-08-06"),
        ("azure.ai.openai", "gpt-4o"),
        ("langchain", "gpt-4o"),
        ("litellm", "azure/gpt-4o"),
        ("aws.bedrock", "anthropic.claude-3-5-sonnet-20241022-v2:0"),
        ("gcp.vertex_ai", "gemini-2.5-flash"),
        ("gcp.gemini", "gemini-2.5-flash"),
        ("mistral_ai", "mistral-large-latest"),
        ("x_ai", "grok-4"),
        ("deepseek", "deepseek-chat"),
        ("groq", "llama-3.3-70b-versatile"),
        ("cohere", "command-r-plus"),
    ],
)
def test_the_conventions_provider_names_find_their_prices(provider, model):
    assert CATALOG.card(provider, model) is not None


class OneCard:
    """A catalog of one rate card, of *sets* that always hold or of *layers*."""

    def __init__(self, *sets, layers=(), needs_service_tier=False):
        layers = layers or (Layer(sets, always_holds=True),)
        self._card = RateCard("p", "m", layers, needs_service_tier=needs_service_tier)

    def card(self, kind):
        return self._card


def price_set(amount, *, starts=None, hours=None):
    starts = starts and starts.replace(tzinfo=UTC)
    tier = Tier("p", "m", "input_tokens", 0, Decimal(amount), 1, "USD", starts, hours, "test")
    return PriceSet({"input_tokens": (tier,)}, starts, hours)


def test_a_price_for_each_call_is_a_line_item_of_its_own():
    tier = Tier("p", "m", "requests", 0, Decimal(5), 1000, "USD", None, None, "test")
    catalog = OneCard(PriceSet({"requests": (tier,)}))

    cost, complete, lines = price("p", "m", catalog, input_tokens=7)

    assert (cost, complete) == (Decimal("0.005"), False)
    assert lines == {"requests": (1, Decimal("0.005000000")), "input_uncached_tokens": (7, None)}


def requests_card(amount="0.005"):
    tier = Tier("p", "m", "requests", 0, Decimal(amount), 1, "USD", None, None, "test")
    return OneCard(PriceSet({"requests": (tier,), **price_set("1").prices}))


@pytest.mark.parametrize(
    ("counts", "cost", "complete", "requests"),
    [
        ({"input_tokens": 1}, "1.005", True, (1, Decimal("0.005"))),
        ({"input_tokens": 1, "requests": 3}, "1.015", True, (3, Decimal("0.015"))),
        ({"input_tokens": 1, "requests": 0}, "1", True, (0, Decimal(0))),
        ({"requests": 3}, "0.015", False, (3, Decimal("0.015"))),  # what else it used is not known
        ({"input_tokens": 1, "requests": 10**12}, "1", False, (10**12, None)),
    ],
)
def test_a_call_is_one_request_unless_it_says_how_many(counts, cost, complete, requests):
    found, known, lines = price("p", "m", requests_card(), **counts)

    assert (found, known, lines.get("requests")) == (Decimal(cost), complete, requests)


def test_requests_cost_nothing_where_nothing_is_asked_for_them_and_are_unpriced_where_nothing_is_known():
    assert price("p", "m", OneCard(price_set("1")), input_tokens=1, requests=3) == (
        1,
        True,
        {"requests": (3, Decimal(0)), "input_uncached_tokens": (1, Decimal(1))},
    )
    assert price("in-house", "router-3b", requests=3) == (0, False, {"requests": (3, None)})


def test_a_reported_cost_goes_before_all_prices():
    assert price("openai", "gpt-4o", input_tokens=1000, output_tokens=100, requests=2, reported=12_500_000) == (
        Decimal("0.0125"),
        True,
        {
            "reported_cost": (1, Decimal("0.0125")),
            "requests": (2, None),
            "input_uncached_tokens": (1000, None),
            "output_text_tokens": (100, None),
        },
    )


def test_a_reported_cost_needs_no_usage_and_covers_what_has_no_meter():
    assert price(None, None, reported=0) == (0, True, {"reported_cost": (1, Decimal(0))})
    assert price(None, None, reported=5, beyond=True) == (
        Decimal("5e-9"),
        True,
        {"reported_cost": (1, Decimal("5e-9"))},
    )


@pytest.mark.parametrize("tokens", [{}, {"input_tokens": 0}, {"input_tokens": 1000}])
def test_a_reported_cost_that_cannot_be_used_is_not_replaced_by_a_computed_one(tokens):
    cost, complete, lines = price("openai", "gpt-4o", reported=UNUSABLE, **tokens)

    assert (cost, complete) == (0, False)
    assert all(amount is None for _, amount in lines.values())


def test_what_no_meter_counts_is_missing_from_the_cost():
    assert price("openai", "gpt-4o", input_tokens=1000, beyond=True)[:2] == (Decimal("0.0025"), False)


def test_reported_costs_leave_their_neighbours_alone():
    counts = [
        {"input_tokens": 1000},
        {"input_tokens": 1000, "reported": 7},
        {"input_tokens": 1000, "reported": UNUSABLE},
    ]
    costed = price_calls(usage_of([("openai", "gpt-4o", NOON, one) for one in counts]), PRICES)

    assert costed.nanos.tolist() == [2_500_000, 7, 0]
    assert costed.complete.tolist() == [True, True, False]


@pytest.mark.parametrize(("service_tier", "note"), [(None, Note.NO_PRICE), ("batch", Note.NO_SERVICE_TIER_PRICE)])
def test_a_model_whose_prices_do_not_hold_yet_has_none_and_says_whether_the_service_tier_is_why(service_tier, note):
    usage = usage_of([("p", "m", NOON, {"input_tokens": 1})])
    has_tier = service_tier is not None
    later = Layer((price_set("1", starts=datetime(2026, 7, 1)),), of_service_tier=has_tier)
    costed = price_calls(usage, OneCard(layers=(later,), needs_service_tier=has_tier))

    assert list(costed.notes) == [note]
    assert costed.complete.tolist() == [False]


@pytest.mark.parametrize(("heard", "billed"), [(0, None), (1, 10), (9_999_999, 10), (10_000_000, 10), (36_000_000, 36)])
def test_groq_bills_ten_seconds_of_audio_at_least(heard, billed):
    # 0.111 dollars an hour: https://groq.com/pricing
    cost, complete, lines = price("groq", "whisper-large-v3", input_audio_seconds=heard)

    assert lines.keys() == ({"input_audio_seconds"} if billed else set())
    assert [quantity for quantity, _ in lines.values()] == ([billed * 10**6] if billed else [])
    assert cost == round_to_nano(Decimal("0.111") * (billed or 0) / 3600)
    assert complete


def test_hours_without_a_zone_are_utc():
    catalog = OneCard(price_set("4"), price_set("1", hours=(time(8), time(9))))

    assert price("p", "m", catalog, NOON.replace(hour=8), input_tokens=1)[0] == 1


def test_a_list_with_an_absent_price_has_none(monkeypatch):
    model = CATALOG._snapshot.find_provider_model("gpt-4o", None, "openai", None)[1]
    monkeypatch.setitem(vars(model.prices), "cache_read_mtok", None)
    card = Catalog().card("openai", "gpt-4o")

    assert "cache_read_tokens" not in card.sets[0].prices
    prices = PriceList(Catalog())
    assert price("openai", "gpt-4o", prices, input_tokens=10, cache_read_tokens=10)[0] == Decimal("0.000025")


def test_each_call_has_the_price_of_its_own_time():
    catalog = OneCard(
        price_set("1"), price_set("2", starts=datetime(2026, 6, 1)), price_set("3", starts=datetime(2026, 7, 1))
    )
    at = [datetime(2026, 5, 31, 23, 59, 59), datetime(2026, 6, 1), datetime(2026, 6, 30), datetime(2026, 7, 1)]

    costs = [price("p", "m", catalog, moment.replace(tzinfo=UTC), input_tokens=1)[0] for moment in at]

    assert costs == [1, 2, 2, 3]


def test_before_the_first_day_the_first_price_holds():
    catalog = OneCard(price_set("2", starts=datetime(2026, 6, 1)), price_set("3", starts=datetime(2026, 7, 1)))

    assert price("p", "m", catalog, datetime(2020, 1, 1, tzinfo=UTC), input_tokens=1)[0] == 2


def test_a_price_for_some_hours_holds_in_them_alone_also_across_midnight():
    catalog = OneCard(price_set("4"), price_set("1", hours=(time(16, 30, tzinfo=UTC), time(0, 30, tzinfo=UTC))))
    at = {(16, 29): 4, (16, 30): 1, (23, 59): 1, (0, 29): 1, (0, 30): 4}

    for (hour, minute), expected in at.items():
        moment = datetime(2026, 6, 1, hour, minute, tzinfo=UTC)
        assert price("p", "m", catalog, moment, input_tokens=1)[0] == expected


def test_a_price_has_the_same_id_whatever_release_told_it():
    first, second = (Tier("p", "m", "x", 0, Decimal(1), 1, "USD", None, None, source) for source in ("a 1", "a 2"))
    other = Tier("p", "m", "x", 0, Decimal(2), 1, "USD", None, None, "a 1")

    assert first.id == second.id != other.id
    assert (
        len({tier.id for card in CATALOG.cards() for s in card.sets for ts in s.prices.values() for tier in ts}) > 5000
    )


TEXT_MODELS = [
    ("openai", "gpt-4o"),
    ("openai", "gpt-4o-mini"),
    ("openai", "o3"),
    ("anthropic", "claude-sonnet-4-5"),
    ("anthropic", "claude-3-5-haiku-latest"),
    ("google", "gemini-2.5-pro"),
    ("google", "gemini-2.5-flash"),
    ("mistral", "mistral-large-latest"),
    ("deepseek", "deepseek-chat"),
    ("x-ai", "grok-4"),
]


@given(
    calls=st.lists(
        st.tuples(
            st.sampled_from(TEXT_MODELS),
            st.datetimes(datetime(2024, 1, 1), datetime(2027, 1, 1)),
            st.integers(0, 400_000),
            st.integers(0, 30_000),
            st.floats(0, 1),
        ),
        min_size=1,
        max_size=30,
    )
)
def test_costs_are_those_of_genai_prices(calls):
    """Line by line it rounds; so our sum is within half a nano-dollar for each line item."""
    rows = [
        (
            *names,
            moment.replace(microsecond=0, tzinfo=UTC),
            {"input_tokens": tokens, "output_tokens": output, "cache_read_tokens": int(tokens * cached)},
        )
        for names, moment, tokens, output, cached in calls
    ]

    costed = price_calls(usage_of(rows), PRICES)

    for nanos, (provider, model, moment, counts) in zip(costed.nanos, rows, strict=True):
        theirs = genai_prices.calc_price(
            genai_prices.Usage(**counts), model, provider_id=provider, genai_request_timestamp=moment
        ).total_price
        assert abs(decimal_amount(int(nanos)) - theirs) <= Decimal("1.5e-9")


@given(seed=st.integers(0, 2**32), size=st.integers(1, 200))
def test_a_call_costs_the_sum_of_its_line_items_in_whatever_company(seed, size):
    rng = np.random.default_rng(seed)
    rows = [
        (
            *TEXT_MODELS[rng.integers(len(TEXT_MODELS))],
            NOON,
            {"input_tokens": int(rng.integers(0, 300_000)), "output_tokens": int(rng.integers(0, 9_000))},
        )
        for _ in range(size)
    ]

    together = price_calls(usage_of(rows), PRICES)
    alone = [price_calls(usage_of([row]), PRICES).nanos[0] for row in rows]

    assert together.nanos.tolist() == alone
    sums = np.zeros(size, dtype=np.int64)
    np.add.at(sums, together.items.call, together.items.nanos)
    assert sums.tolist() == together.nanos.tolist()
