"""Booked calls priced anew, from their line items alone."""

from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from decimal import ROUND_HALF_EVEN, Decimal

import duckdb
import pyarrow as pa
import pyarrow.compute as pc
import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.lab import CATALOG, NOW, PRICES, lab_after, priced
from support.otlp import llm, span

from botanu.ingest.dialects import USAGE
from botanu.ingest.recosting import NO_CALLS, Selection, recost, summed
from botanu.pricing.own_prices import Alias, OwnDiscount, OwnPrice, Scope
from botanu.pricing.price_list import OwnTerms, PriceList

FIRST, LAST = datetime(2020, 1, 1, tzinfo=UTC), datetime(2040, 1, 1, tzinfo=UTC)
ALL = Selection(FIRST, LAST)
START = int(NOW.timestamp()) * 10**9
NANO = Decimal("1e-9")


def own(provider, model, meter, amount, per=1, **more):
    names = ("tenant_id", "service_tier")
    scope = Scope(provider, model, **{name: more.pop(name) for name in names if name in more})
    return OwnPrice(scope, meter, Decimal(amount), more.pop("currency", "USD"), per, **more)


def with_terms(*prices, discounts=(), aliases=()):
    return PriceList(CATALOG, OwnTerms(prices, discounts, aliases))


def recosted(lab, prices=PRICES, chosen=ALL, rows=7):
    """The changes and the tally of everything *chosen*."""
    query, parameters = chosen.query(prices)
    return sums(recost(batch, prices) for batch in lab.store.stream(query, parameters, rows=rows))


def sums(done):
    done = list(done)
    changes = [row for each in done for row in each.changes.to_pylist()]
    return changes, summed([NO_CALLS, *(each.tally for each in done)]).to_pylist()


@contextmanager
def booked(*spans, prices=PRICES):
    """A store with *spans* that were priced by *prices*."""
    with lab_after([]) as lab:
        lab.send(*spans, prices=prices)
        yield lab


def items_of(change):
    return {item["meter"]: (item["quantity"], item["amount"]) for item in change["line_items"]}


# --- The same prices change nothing -----------------------------------------------------------------------


SERVICES = with_terms(
    own("tavily", "search", "requests", "0.008"),
    own("tavily", "search", "pages", "0.5", per=3),
    own("postgresql", "select", "rows", "0.001", per=7),
    own("aws.lambda", "*", "gb_seconds", "0.0000166667"),
    own("*", "gpt-4o", "requests", "0.01"),
    own("openai", "gpt-4o", "output_tokens", "7", per=10**6, currency="EUR", valid_from=NOW - timedelta(days=1)),
    own("in-house", "*", "gpu_seconds", "0.37"),
    discounts=(OwnDiscount(Scope("anthropic"), Decimal("12.5")), OwnDiscount(Scope(tenant_id="t-1"), Decimal(5))),
    aliases=(Alias("azure", "our-deployment", "gpt-4o"),),
)

counts = st.one_of(st.integers(0, 10), st.integers(0, 300_000), st.just(10**15))
usage = st.dictionaries(
    st.sampled_from(
        [
            *(f"botanu.usage.{meter}" for meter in USAGE),
            "botanu.usage.pages",
            "botanu.usage.credits",
            "gen_ai.usage.input_tokens",
            "gen_ai.usage.output_tokens",
            "gen_ai.usage.cache_read.input_tokens",
            "gen_ai.usage.cache_creation.input_tokens",
            "gen_ai.usage.reasoning.output_tokens",
            "gen_ai.usage.audio.input_tokens",
            "gen_ai.usage.image.input_tokens",
        ]
    ),
    st.one_of(counts, st.floats(0, 1e6, allow_nan=False), st.just("odd")),
    max_size=7,
)
names = st.sampled_from(
    [
        {"gen_ai.provider.name": "openai", "gen_ai.request.model": "gpt-4o"},
        {"gen_ai.provider.name": "openai", "gen_ai.request.model": "mine", "gen_ai.response.model": "gpt-4o-mini"},
        {"gen_ai.provider.name": "openai", "gen_ai.request.model": "gpt-4o-audio-preview"},
        {"gen_ai.provider.name": "openai", "gen_ai.response.model": "gpt-5"},
        {"gen_ai.provider.name": "anthropic", "gen_ai.request.model": "claude-sonnet-4-5"},
        {"gen_ai.provider.name": "perplexity", "gen_ai.request.model": "sonar"},
        {"gen_ai.provider.name": "azure", "gen_ai.request.model": "our-deployment"},
        {"gen_ai.provider.name": "in-house", "gen_ai.request.model": "router"},
        {"gen_ai.request.model": "gemini-2.5-pro"},
        {"botanu.provider": "tavily", "gen_ai.tool.name": "search"},
        {"botanu.provider": "tavily", "gen_ai.tool.name": "search", "gen_ai.request.model": "gpt-4o"},
        {"gen_ai.tool.name": "other"},
        {"db.system.name": "postgresql", "db.collection.name": "orders", "db.operation.name": "SELECT"},
        {"faas.invoked_provider": "aws.lambda", "faas.invoked_name": "resize", "faas.max_memory": 2**29},
        {},
    ]
)
others = st.fixed_dictionaries(
    {},
    optional={
        "gen_ai.operation.name": st.sampled_from(
            ["chat", "embeddings", "execute_tool", "invoke_agent", "text_completion", "rerank"]
        ),
        "botanu.cost.amount": st.sampled_from([0, "0.5", 1.25, "much", 10**12]),
        "botanu.cost.currency": st.sampled_from(["USD", "EUR"]),
        "langfuse.observation.cost_details": st.sampled_from(['{"total": 0}', '{"total": 0.25}']),
        "botanu.request.cache_hit": st.booleans(),
        "botanu.tenant_id": st.sampled_from(["t-1", "t-2"]),
        "botanu.service_tier": st.sampled_from(["batch", "flex", "priority", "default"]),
    },
)
calls = st.tuples(names, usage, others, st.booleans(), st.floats(-800, 1).map(lambda days: int(days * 86_400)))


def a_span(call):
    called, used, more, failed, seconds = call
    return span(start=START + seconds * 10**9, error=failed, **called, **used, **more)


@given(st.lists(calls, min_size=1, max_size=40), st.sampled_from([PRICES, SERVICES]))
def test_with_the_same_prices_nothing_changes_whatever_was_used(called, prices):
    """So usage that is read back from line items is what was priced: to the tier, the note and the nano-unit."""
    table = pa.table(priced(*map(a_span, called), prices=prices))
    query, parameters = ALL.query(prices)
    with duckdb.connect() as connection:
        connection.register("spans", table)
        changes, tallies = sums(
            recost(batch, prices) for batch in connection.sql(query, params=parameters).to_arrow_reader(7)
        )

    assert changes == []
    assert sum(tally["calls"] for tally in tallies) == pc.sum(table.column("priced").is_valid()).as_py()
    assert all(tally["cost_before"] == tally["cost_after"] for tally in tallies)


# --- Other prices change what they should -----------------------------------------------------------------


def rounded(quantity, amount, per):
    """An amount worked out apart: quantity x price, to the nano-unit, halves to the even one."""
    return (Decimal(quantity) * Decimal(amount) / per).quantize(NANO, ROUND_HALF_EVEN)


def test_a_corrected_price_gives_each_call_what_it_should_have_cost():
    wrong, right = (with_terms(own("openai", "gpt-4o", "input_tokens", price, 10**6)) for price in ("25", "3.333333"))
    inputs = [1, 999, 123_457]
    with booked(*(span(**llm(input=tokens, output=7)) for tokens in inputs), prices=wrong) as lab:
        changes, (tally,) = recosted(lab, right)

    output = rounded(7, 10, 10**6)  # gpt-4o costs 10 dollars a million output tokens
    expected = [rounded(tokens, "3.333333", 10**6) + output for tokens in inputs]
    assert sorted(change["cost"] for change in changes) == expected
    assert tally == {
        "provider": "openai",
        "model": "gpt-4o",
        "currency": "USD",
        "calls": 3,
        "changed": 3,
        "newly_priced": 0,
        "no_longer_priced": 0,
        "left_out": 0,
        "cost_before": sum(rounded(tokens, "25", 10**6) + output for tokens in inputs),
        "cost_after": sum(expected),
    }


def test_each_call_is_priced_at_its_own_time():
    early, late = (span(start=START + days * 86_400 * 10**9, **llm("m", "p", input=10)) for days in (-10, 0))
    prices = with_terms(
        own("p", "m", "input_tokens", "1"),
        own("p", "m", "input_tokens", "2", valid_from=NOW - timedelta(days=5)),
    )
    with booked(early, late) as lab:
        changes, _ = recosted(lab, prices)

    assert sorted(change["cost"] for change in changes) == [10, 20]


def test_the_tier_is_that_of_the_whole_input_cached_tokens_included():
    prices = with_terms(own("p", "m", "input_tokens", "1"), own("p", "m", "input_tokens", "3", above=100))
    with booked(span(**llm("m", "p", input=100, cached=60)), span(**llm("m", "p", input=101, cached=60))) as lab:
        changes, _ = recosted(lab, prices)

    assert [items_of(change) for change in changes] == [
        {"input_uncached_tokens": (40, 40), "cache_read_tokens": (60, 60)},
        {"input_uncached_tokens": (41, 123), "cache_read_tokens": (60, 180)},
    ]


def test_a_call_without_a_price_is_filled_where_there_is_one_now():
    with booked(span(**llm("router", "in-house", input=400, output=2))) as lab:
        changes, (tally,) = recosted(
            lab,
            with_terms(
                own("in-house", "router", "input_tokens", "0.01"),
            ),
        )
        (partly,) = changes
        (whole,), _ = recosted(
            lab,
            with_terms(
                own("in-house", "router", "input_tokens", "0.01"), own("in-house", "router", "output_tokens", "0.5")
            ),
        )

    assert (partly["cost"], partly["priced"], partly["cost_notes"]) == (4, False, ["no_meter_price"])
    assert (whole["cost"], whole["priced"], whole["cost_notes"], whole["currency"]) == (5, True, None, "USD")
    assert (tally["cost_before"], tally["cost_after"], tally["newly_priced"]) == (None, 4, 0)


def test_a_call_that_said_no_usage_stays_unpriced():
    with booked(span(**llm("router", "in-house"))) as lab:
        changes, _ = recosted(lab, with_terms(own("in-house", "router", "requests", "0.25")))

    (change,) = changes
    assert (change["cost"], change["priced"], change["cost_notes"]) == (Decimal("0.25"), False, ["no_usage"])


def test_a_tool_that_reported_usage_is_filled_by_a_price_for_it():
    tool = {"gen_ai.operation.name": "execute_tool", "botanu.provider": "tavily", "gen_ai.tool.name": "search"}
    prices = with_terms(own("tavily", "search", "pages", "0.5"), own("tavily", "*", "requests", "0.008"))
    with booked(span(**tool, **{"botanu.usage.pages": 3})) as lab:
        (change,), (tally,) = recosted(lab, prices)

    assert items_of(change) == {"requests": (1, Decimal("0.008")), "pages": (3, Decimal("1.5"))}
    assert (change["cost"], change["provider"], change["model"]) == (Decimal("1.508"), "tavily", "search")
    assert tally["newly_priced"] == 1


def test_a_service_stays_one_and_loses_its_cost_with_its_price():
    query = {"db.system.name": "postgresql", "db.collection.name": "orders", "db.operation.name": "SELECT"}
    prices = with_terms(own("postgresql", "select", "requests", "0.25"), own("postgresql", "select", "seconds", 0))
    with booked(span(**query), prices=prices) as lab:
        same, _ = recosted(lab, prices)
        (dearer,), _ = recosted(lab, with_terms(own("postgresql", "select", "requests", "0.5")))
        (gone,), (tally,) = recosted(lab, with_terms(own("x", "y", "requests", "1")))
        (nothing,), _ = recosted(lab)

    assert same == []
    assert dearer["cost"] == Decimal("0.5")
    for change in (gone, nothing):
        assert (change["cost"], change["priced"], change["cost_notes"]) == (None, False, ["no_price"])
    assert (tally["no_longer_priced"], tally["cost_after"]) == (1, None)


def test_a_reported_cost_stays_and_its_computed_one_is_computed_anew():
    wrong = with_terms(own("openai", "gpt-4o", "input_tokens", "25", 10**6))
    with booked(span(**llm(input=1000), **{"botanu.cost.amount": "0.5"}), prices=wrong) as lab:
        assert lab.row("SELECT computed_cost AS c FROM spans")["c"] == Decimal("0.025")
        (change,), (tally,) = recosted(lab)

    assert (change["cost"], change["cost_source"], change["computed_cost"]) == (
        Decimal("0.5"),
        "reported",
        Decimal("0.0025"),
    )
    assert items_of(change) == {"reported_cost": (1, Decimal("0.5")), "input_uncached_tokens": (1000, None)}
    assert tally["cost_before"] == tally["cost_after"] == Decimal("0.5")


def test_a_cost_of_zero_that_was_believed_stays_believed():
    claimed = {"langfuse.observation.cost_details": '{"total": 0}'}
    with booked(span(**llm("router", "in-house", input=4, output=1), **claimed)) as lab:
        booked_as = lab.row("SELECT cost, cost_source FROM spans")
        (change,), _ = recosted(lab, with_terms(own("in-house", "*", "input_tokens", 1)))

    assert booked_as == {"cost": 0, "cost_source": "reported"}
    assert (change["cost"], change["cost_source"], change["computed_cost"]) == (0, "reported", 4)


def test_usage_on_a_span_around_calls_is_priced_anew_and_still_does_not_count():
    agent = {**llm(input=1000), "gen_ai.operation.name": "invoke_agent"}
    trace_id, span_id = (7).to_bytes(16), (1).to_bytes(8)
    spans = (
        span(name="around", trace_id=trace_id, span_id=span_id, **agent),
        span(name="call", trace_id=trace_id, parent=span_id, **llm(input=1000)),
    )
    with booked(*spans, prices=with_terms(own("openai", "*", "input_tokens", 1))) as lab:
        changed, (tally,) = recosted(lab)
        (around,) = (each for each in changed if each["span_id"] == span_id.hex())

    assert (around["cost"], items_of(around)) == (None, {"input_uncached_tokens": (1000, Decimal("0.0025"))})
    costs = Decimal(1000), Decimal("0.0025")
    assert ((tally["cost_before"], tally["cost_after"]), tally["calls"]) == (costs, 2)


def test_a_model_that_a_span_around_calls_names_does_not_price_the_spans_own_usage():
    agent = {"gen_ai.operation.name": "invoke_agent", "gen_ai.provider.name": "p", "gen_ai.request.model": "m"}
    with booked(span(**agent, **{"botanu.usage.pages": 2})) as lab:
        assert recosted(lab, with_terms(own("p", "m", "pages", 1)))[0] == []


def test_a_cost_in_another_currency_is_not_added_to_the_others():
    prices = with_terms(own("openai", "gpt-4o", "input_tokens", "1", currency="EUR"))
    with booked(span(**llm(input=10))) as lab:
        (change,), tallies = recosted(lab, prices)

    assert (change["cost"], change["currency"]) == (10, "EUR")
    assert [(each["currency"], each["calls"], each["cost_before"], each["cost_after"]) for each in tallies] == [
        ("EUR", 1, None, 10),
        ("USD", 0, Decimal("0.000025"), None),
    ]


@pytest.mark.parametrize(
    ("chosen", "names"),
    [
        (Selection(FIRST, LAST, provider="openai"), {"gpt-4o", "mine"}),
        (Selection(FIRST, LAST, model="claude"), {"claude"}),
        (Selection(FIRST, LAST, "openai", "mine"), {"mine"}),
        (Selection(FIRST, LAST, "nobody"), set()),
        (Selection(NOW, NOW + timedelta(seconds=1)), {"gpt-4o"}),
        (Selection(NOW + timedelta(microseconds=1), LAST), {"claude", "mine"}),
        (Selection(FIRST, NOW), set()),
    ],
)
def test_only_the_calls_that_are_meant_are_priced_anew(chosen, names):
    spans = [
        span(start=START, **llm(input=1)),
        span(start=START + 10**9, **llm("claude", "anthropic", input=1)),
        span(start=START + 2 * 10**9, **llm("mine", input=1)),
        span(start=START),
    ]
    with booked(*spans) as lab:
        changes, _ = recosted(lab, with_terms(own("*", "*", "input_tokens", 1)), chosen)

    assert {change["model"] for change in changes} == names


def test_what_takes_back_what_other_calls_count_is_left_as_it_is():
    item = "[{'meter': 'input_uncached_tokens', 'quantity': -5, 'price_id': NULL, 'amount': NULL}]"
    with booked(span(**llm("a", "p", input=1)), span(**llm("b", "p", input=1))) as lab:
        with lab.store._transaction() as connection:
            connection.execute("UPDATE spans SET cost_notes = ['residual'] WHERE model = 'a'")
            connection.execute(f"UPDATE spans SET line_items = {item} WHERE model = 'b'")
        changes, tallies = recosted(lab, with_terms(own("p", "*", "input_tokens", 1)))

    assert changes == []
    assert [tally["left_out"] for tally in tallies] == [1, 1]


def test_however_the_calls_are_cut_into_batches_they_sum_up_alike():
    wrong = with_terms(own("openai", "*", "input_tokens", "25", 10**6))
    models = ("gpt-4o", "gpt-4o-mini", "none")
    with booked(*(span(**llm(models[n % 3], input=n)) for n in range(50)), prices=wrong) as lab:
        whole, in_parts = (recosted(lab, rows=rows) for rows in (1000, 3))

    assert len(whole[0]) == len(in_parts[0]) == 49  # the first used nothing
    by_model = [sorted(tallies, key=lambda tally: tally["model"]) for _, tallies in (whole, in_parts)]
    assert by_model[0] == by_model[1]
