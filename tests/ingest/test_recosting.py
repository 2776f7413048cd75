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
