"""One call is one cost, however many spans tell of it, and in whatever order they come."""

import random
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.lab import CATALOG, lab_after
from support.otlp import by, llm, span

from botanu.ingest import counting
from botanu.pricing.own_prices import OwnPrice
from botanu.pricing.price_list import OwnTerms, PriceList

START = 1_795_000_000_000_000_000
MS = 10**6
TRACE = (7).to_bytes(16)

CHAT = Decimal("0.0035")
"""gpt-4o: 1,000 input at 2.50 and 100 output at 10.00 dollars a million."""


def ident(number):
    return number.to_bytes(8)


def told(number, *, parent=0, at=0, ms=1000, usage=True, operation="chat", **attributes):
    """A span of 1,000 input and 100 output tokens of gpt-4o, *at* milliseconds after the start."""
    call = llm(input=1000, output=100) if usage else llm()
    return span(
        name=f"span {number}",
        trace_id=TRACE,
        span_id=ident(number),
        parent=ident(parent) if parent else b"",
        start=START + at * MS,
        seconds=ms / 1000,
        **(call | {"gen_ai.operation.name": operation} | attributes),
    )


def batch(*spans):
    return [(one,) for one in spans]


@pytest.fixture
def count():
    """Send spans one by one; return the numbers of those that count, and the cost of all."""

    def ask(*spans):
        with lab_after(batch(*spans)) as lab:
            rows = lab.rows("SELECT name, counted, cost FROM spans WHERE counted IS NOT NULL ORDER BY name")
        return [int(row["name"].split()[1]) for row in rows if row["counted"]], sum(row["cost"] or 0 for row in rows)

    return ask


class TestNested:
    def test_an_instrumentation_around_the_clients_own_span_is_one_call(self, count):
        assert count(told(1), told(2, parent=1, at=1, ms=990)) == ([2], CHAT)

    def test_also_with_spans_between_them_that_are_no_calls(self, count):
        between = span(name="http", trace_id=TRACE, span_id=ident(3), parent=ident(1), start=START, seconds=1)

        assert count(told(1), told(2, parent=3, at=1, ms=990), between) == ([2], CHAT)

    def test_another_model_inside_is_another_call(self, count):
        inner = told(2, parent=1, at=1, ms=9, **{"gen_ai.request.model": "gpt-4o-mini"})

        assert count(told(1), inner)[0] == [1, 2]

    def test_a_call_of_unknown_usage_is_told_of_by_the_one_inside(self, count):
        assert count(told(1, usage=False), told(2, parent=1, at=1, ms=9)) == ([2], CHAT)

    def test_a_call_that_is_tracked_by_hand_around_an_instrumented_one_costs_what_the_program_says(self, count):
        by_hand = told(1, usage=False, **{"botanu.cost.amount": "1"})

        assert count(by_hand, told(2, parent=1, at=1, ms=9)) == ([1], 1)

    def test_usage_of_another_meter_that_is_recorded_by_hand_is_added_to_the_instrumented_call(self):
        by_hand = told(1, usage=False, **{"botanu.usage.pages": 3})
        with lab_after(batch(by_hand, told(2, parent=1, at=1, ms=9))) as lab:
            (row,) = lab.rows("SELECT name, cost, line_items FROM spans WHERE counted")

        assert (row["name"], row["cost"]) == ("span 2", CHAT)
        assert [item["meter"] for item in row["line_items"]] == ["input_uncached_tokens", "output_text_tokens", "pages"]

    def test_the_request_of_a_call_is_its_transport_also_where_its_host_has_a_price(self):
        own = OwnPrice.of({"provider": "api.example.com", "meter": "requests", "amount": 1}, source="test")
        http = span(
            name="span 2",
            trace_id=TRACE,
            span_id=ident(2),
            parent=ident(1),
            start=START,
            **{"server.address": "api.example.com", "url.path": "/v1/chat"},
        )
        with lab_after([]) as lab:
            lab.send(told(1), http, prices=PriceList(CATALOG, OwnTerms((own,))))
            rows = lab.rows("SELECT name, cost, counted_reason FROM spans ORDER BY name")

        assert [row["cost"] for row in rows] == [CHAT, None]
        assert rows[1]["counted_reason"] == "transport of the call around it, span 0000000000000001"

    def test_what_is_too_deep_stands_alone(self, count, monkeypatch):
        monkeypatch.setattr(counting, "DEPTH_MAX", 1)
        between = [
            span(name="between", trace_id=TRACE, span_id=ident(number), parent=ident(number - 1), start=START)
            for number in (2, 3)
        ]

        assert count(told(1), *between, told(4, parent=3, at=1, ms=9))[0] == [1, 4]


class TestAround:
    def test_an_agent_repeats_its_calls(self, count):
        agent = told(
            1, operation="invoke_agent", **{"gen_ai.usage.input_tokens": 2000, "gen_ai.usage.output_tokens": 200}
        )

        assert count(told(2, parent=1), told(3, parent=1, at=1500), agent) == ([2, 3], 2 * CHAT)

    def test_also_where_it_tells_of_the_cache_beside_the_rest(self, count):
        """400 tokens at 2.50 dollars a million, 600 at 1.25, 100 at 10."""
        apart = {"langfuse.observation.usage_details": '{"input": 400, "input_cached_tokens": 600, "output": 100}'}
        agent = told(1, usage=False, operation="invoke_agent", **apart)
        assert count(agent, told(2, parent=1, usage=False, **apart)) == ([2], Decimal("0.00275"))

    def test_an_agent_whose_calls_nobody_tells_of_counts_itself(self, count):
        assert count(told(1, operation="invoke_agent")) == ([1], CHAT)

    def test_what_an_agent_used_beyond_its_calls_is_priced_by_itself(self):
        """2,500 − 1,000 input at 2.50 and 130 − 100 output at 10.00 dollars a million."""
        agent = told(
            1, operation="invoke_agent", **{"gen_ai.usage.input_tokens": 2500, "gen_ai.usage.output_tokens": 130}
        )
        with lab_after(batch(agent, told(2, parent=1))) as lab:
            row = lab.row("SELECT * FROM spans WHERE name = 'span 1'")

        assert (row["cost"], row["cost_notes"], row["counted"]) == (Decimal("0.00405"), ["residual"], True)
        assert [(item["meter"], item["quantity"]) for item in row["line_items"]] == [
            ("input_uncached_tokens", 1500),
            ("output_text_tokens", 30),
        ]
        assert row["input_tokens"] == 2500

    def test_agents_within_agents_count_once(self, count):
        outer, inner = (told(number, parent=number - 1, operation="invoke_agent") for number in (1, 2))

        assert count(outer, inner, told(3, parent=2)) == ([3], CHAT)
        assert count(outer, inner) == ([2], CHAT)

    def test_a_token_or_two_more_is_how_streams_are_counted(self, count):
        agent = told(1, operation="invoke_agent", **{"gen_ai.usage.output_tokens": 102})

        assert count(agent, told(2, parent=1)) == ([2], CHAT)

    def test_what_the_program_says_of_an_agents_own_cost_counts_beside_its_calls(self, count):
        agent = told(1, operation="invoke_agent", **{"botanu.cost.amount": "1"})

        assert count(agent, told(2, parent=1)) == ([1, 2], 1 + CHAT)


class TestResponses:
    def test_a_program_and_its_gateway_tell_of_one_response(self):
        mine = told(1, **{"gen_ai.response.id": "chatcmpl-1", "botanu.run_id": "r-1"})
        gateway = told(2, at=2, ms=900, **{"gen_ai.response.id": "chatcmpl-1"})
        gateway.trace_id = (8).to_bytes(16)
        for order in ((mine, by("litellm", gateway)), (by("litellm", gateway), mine)):
            with lab_after(batch(*order)) as lab:
                rows = lab.rows("SELECT name, counted_reason FROM spans WHERE NOT counted")
                assert rows == [
                    {"name": "span 2", "counted_reason": "the same call as span 0000000000000001: the same response"}
                ]
                assert lab.run("r-1")["total_cost"] == CHAT

    def test_an_id_that_is_always_the_same_makes_no_two_calls_one(self, count):
        same = {"gen_ai.response.id": "x"}

        for again in (told(2, at=10, **same), by("b", told(2, at=5000, **same))):
            assert count(told(1, **same), again) == ([1, 2], 2 * CHAT)

    def test_the_same_id_and_another_model_is_another_call(self, count):
        other = told(2, at=1, ms=9, **{"gen_ai.response.id": "x", "gen_ai.request.model": "gpt-4o-mini"})

        assert count(told(1, **{"gen_ai.response.id": "x"}), by("b", other))[0] == [1, 2]


class TestInAnyOrder:
    @given(seed=st.integers(0, 2**32))
    def test_the_same_spans_count(self, seed):
        usage = {"gen_ai.usage.input_tokens": 4000, "gen_ai.usage.output_tokens": 400}
        spans = [
            told(1, operation="invoke_agent", **usage),
            told(2, parent=1, at=1),
            told(3, parent=2, at=2, ms=990),
            told(4, parent=1, at=1500, ms=500),
            told(5, parent=1, at=2500, **{"gen_ai.response.id": "r"}),
            by("another", told(6, parent=1, at=2501, ms=900, **{"gen_ai.response.id": "r"})),
            told(7, parent=1, at=4000, usage=False),
            told(8, parent=7, at=4001, ms=900),
        ]
        rng = random.Random(seed)
        shuffled = [*spans, *rng.sample(spans, rng.randint(0, 3))]
        rng.shuffle(shuffled)
        size = rng.randint(1, 4)
        with lab_after([shuffled[start : start + size] for start in range(0, len(shuffled), size)]) as lab:
            counting = lab.rows("SELECT name FROM spans WHERE counted ORDER BY name")
            assert [row["name"] for row in counting] == ["span 3", "span 4", "span 6", "span 8"]
            assert lab.row("SELECT sum(cost) AS cost FROM spans")["cost"] == 4 * CHAT
            assert lab.row("SELECT sum(amount) AS cost FROM line_items")["cost"] == 4 * CHAT
