import decimal
import threading
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from decimal import Decimal
from fractions import Fraction
from http import HTTPStatus

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import botanu
from botanu import (
    IdentityError,
    record_cost,
    record_usage,
    run_botanu,
    semconv,
    track_db_operation,
    track_llm_call,
    track_tool_call,
)
from botanu.sdk.usage import METERS_MAX, Tally


def run():
    return run_botanu("w", event_id="e", customer_id="c")


def reported(span):
    """What *span* says of usage and cost, without the prefixes."""
    return {
        name.removeprefix("botanu.").removeprefix("usage."): value
        for name, value in span.attributes.items()
        if name.startswith(("botanu.usage.", "botanu.cost.", "botanu.provider"))
    }


@pytest.fixture(autouse=True)
def nothing_said_yet(monkeypatch):
    monkeypatch.setattr("botanu.sdk.guard.guard._said", set())


class TestWhere:
    def test_usage_goes_to_the_innermost_call_and_adds_up(self, runs):
        with run(), track_tool_call("outer"):
            record_usage(pages=1)
            with track_tool_call("inner"):
                record_usage(pages=3, searches=1)
                record_usage(pages=2)
            record_usage(pages=1)

        outer, inner = runs.only().spans[1:]
        assert reported(inner) == {"pages": 5, "searches": 1}
        assert reported(outer) == {"pages": 2}

    def test_without_a_call_it_gets_a_span_of_its_own(self, runs):
        with run() as around:
            record_usage(provider="tavily", model="search-1", searches=1)
            record_cost("0.10", vendor="tavily")

        usage, cost = runs.only().spans[1:]
        assert (usage.name, cost.name) == ("usage", "cost")
        assert reported(usage) == {"provider": "tavily", "searches": 1}
        assert usage.attributes[semconv.GEN_AI_REQUEST_MODEL] == "search-1"
        assert reported(cost) == {"provider": "tavily", "cost.amount": "0.10", "cost.currency": "USD"}
        for span in (usage, cost):
            assert span.start_time == span.end_time
            assert span.parent.span_id == runs.only().root.context.span_id
            assert around.identity.items() <= span.attributes.items()

    def test_outside_any_run_it_is_recorded_too(self, runs):
        record_usage(pages=1)

        (span,) = runs.spans()
        assert reported(span) == {"pages": 1}

    def test_what_another_provider_bills_gets_a_span_of_its_own_inside_the_call(self, runs):
        with track_llm_call("openai", "gpt-4o"):
            record_usage(provider="openai", model="gpt-4o-2024-08-06", images=1)
            record_usage(provider="tavily", searches=1)

        call, usage = runs.spans()
        assert reported(usage) == {"provider": "tavily", "searches": 1}
        assert usage.parent.span_id == call.context.span_id
        assert reported(call) == {"images": 1}

    def test_what_is_billed_by_model_gets_a_span_of_its_own_inside_a_call_without_one(self, runs):
        with track_db_operation("snowflake", "SELECT", provider="snowflake"):
            record_usage(provider="snowflake", credits=2)
            record_usage(model="whisper-1", seconds=1.5)

        call, usage = runs.spans()
        assert (reported(usage), usage.attributes[semconv.GEN_AI_REQUEST_MODEL]) == ({"seconds": 1.5}, "whisper-1")
        assert reported(call) == {"provider": "snowflake", "credits": 2}

    def test_a_run_inside_a_call_does_not_report_to_it(self, runs):
        with track_tool_call("t"), run():
            record_usage(pages=1)

        usage = runs.only().spans[1]
        assert (usage.name, reported(usage)) == ("usage", {"pages": 1})

    def test_what_comes_after_the_call_gets_a_span_of_its_own(self, runs):
        with track_tool_call("t"):
            inside = copy_context()
        inside.run(record_usage, pages=1)

        call, usage = runs.spans()
        assert (reported(call), reported(usage)) == ({}, {"pages": 1})
        assert usage.parent.span_id == call.context.span_id

    def test_the_call_itself_takes_it_too_until_it_ends(self, runs, lenient, caplog):
        with track_tool_call("t", provider="Tavily") as outer, track_tool_call("inner"):
            assert outer.record_usage(searches=1).record_cost("0.1").record_cost("0.2").record_cost(5, "EUR") is outer
            record_usage(provider="tavily", searches=1)
            record_usage(searches=4)
        outer.record_usage(searches=1)
        outer.record_cost(1)

        call, inner, *others = runs.spans()
        assert reported(call) == {
            "provider": "Tavily",
            "searches": 1,
            "cost.amount": "0.3",
            "cost.currency": "USD",
        }
        assert reported(inner) == {"searches": 4}
        assert [reported(other) for other in others] == [
            {"provider": "Tavily", "cost.amount": "5", "cost.currency": "EUR"},
            {"provider": "tavily", "searches": 1},
        ]
        assert [record.getMessage() for record in caplog.records] == [
            "Call was told something outside its block: not recorded"
        ]

    def test_a_provider_is_the_same_in_capitals(self, runs):
        with track_llm_call("openai", "m"):
            record_usage(provider="OpenAI", searches=1)

        (span,) = runs.spans()
        assert reported(span) == {"searches": 1}

    @pytest.mark.parametrize("tokens_first", [True, False])
    def test_tokens_of_a_call_come_on_top_of_those_the_provider_counted(self, runs, tokens_first):
        with track_llm_call("openai", "m") as call:
            if tokens_first:
                call.set_tokens(1000, 20, reasoning_tokens=5)
            record_usage(input_tokens=50, output_reasoning_tokens=1, cache_read_tokens=7, pages=2)
            record_usage(input_tokens=50)
            if not tokens_first:
                call.set_tokens(1, 1)
                call.set_tokens(1000, 20, reasoning_tokens=5)

        (span,) = runs.spans()
        assert reported(span) == {
            "input_tokens": 1100,
            "output_reasoning_tokens": 6,
            "cache_read_tokens": 7,
            "pages": 2,
        }
        assert span.attributes[semconv.GEN_AI_INPUT_TOKENS] == 1000

    def test_threads_that_carry_the_context_add_to_one_call(self, runs):
        start = threading.Barrier(4)

        def work():
            start.wait()
            for _ in range(500):
                record_usage(pages=1)

        with track_tool_call("t"), ThreadPoolExecutor(4) as pool:
            for job in [pool.submit(copy_context().run, work) for _ in range(4)]:
                job.result()

        (span,) = runs.spans()
        assert reported(span) == {"pages": 2000}

    def test_switched_off_nothing_is_recorded(self):
        botanu.disable()
        record_usage(pages=1)
        record_cost(1)

    @pytest.mark.parametrize(
        "record", [lambda **given: record_usage(pages=1, **given), lambda **given: record_cost(1, **given)]
    )
    def test_names_that_cannot_be_meant_are_refused(self, record):
        with pytest.raises(IdentityError, match="not both"):
            record(provider="p", vendor="p")
        with pytest.raises(IdentityError, match="model must be text or a number, not list"):
            record(model=["m"])


class Broken:
    """A number whose own code fails."""

    def __float__(self):
        raise RuntimeError("secret")


class TestQuantities:
    @pytest.mark.parametrize(
        ("given", "recorded"),
        [
            (3, 3),
            (0, 0),
            (2.5, 2.5),
            (np.int64(7), 7),
            (np.float32(0.5), 0.5),
            (Decimal("1.25"), 1.25),
            (Fraction(1, 4), 0.25),
            (2**63, float(2**63)),
        ],
    )
    def test_numbers_of_every_kind_are_recorded(self, runs, given, recorded):
        record_usage(pages=given)

        (span,) = runs.spans()
        assert reported(span) == {"pages": recorded}
        assert type(span.attributes["botanu.usage.pages"]) is type(recorded)

    @pytest.mark.parametrize(
        ("given", "shown"),
        [
            (-1, "-1"),
            (-0.5, "-0.5"),
            (float("nan"), "nan"),
            (float("inf"), "inf"),
            (10**400, "int"),
            (True, "bool"),
            ("3", "'3'"),
            (None, "NoneType"),
            ([3], "list"),
            (Decimal("NaN"), "Decimal('NaN')"),
            (Broken(), "Broken"),
            (np.array([1, 2]), "ndarray"),
        ],
    )
    def test_what_is_none_is_not_known_and_that_is_logged_once(self, runs, lenient, caplog, given, shown):
        for _ in range(2):
            record_usage(pages=given, searches=1)

        for span in runs.spans():
            assert reported(span) == {"searches": 1, "pages": "unknown"}
        assert [record.getMessage() for record in caplog.records] == [
            f"pages must be a finite number from 0, not {shown}: not recorded"
        ]

    def test_a_record_of_nothing_makes_no_span(self, runs, lenient, caplog):
        record_usage()

        assert runs.spans() == []
        assert "record_usage() was given no meter, such as pages=3: nothing is recorded" in caplog.text

    def test_a_meter_is_a_name(self, runs, lenient, caplog):
        record_usage(**{"two words": 1, "": 1, "Seiten": 2})

        (span,) = runs.spans()
        assert reported(span) == {"Seiten": 2}
        assert [record.getMessage() for record in caplog.records] == [
            "meters must be names such as pages, not 'two words': not recorded"
        ]

    def test_a_sum_beyond_all_numbers_is_not_known(self, runs, lenient, caplog):
        with track_tool_call("t"):
            for _ in range(2):
                record_usage(pages=1.5e308, searches=2**63 - 1)

        (span,) = runs.spans()
        assert reported(span) == {"pages": "unknown", "searches": float(2**64)}
        assert "pages must be a finite number from 0, not inf: not recorded" in caplog.text

    def test_meters_without_end_do_not_push_the_identity_out(self, runs, lenient, caplog):
        with run() as around, track_tool_call("t"):
            for number in range(300):
                record_usage(**{f"meter_{number}": 1, "meter_0": 1})

        (span,) = runs.only().spans[1:]
        assert around.identity.items() <= span.attributes.items()
        assert len(reported(span)) == METERS_MAX
        assert reported(span)["meter_0"] == 300
        assert len(caplog.records) == 1


class TestCost:
    @pytest.mark.parametrize(
        ("given", "text"),
        [
            (Decimal("0.0125"), "0.0125"),
            (3, "3"),
            (0, "0"),
            ("0.10", "0.10"),
            ("1E-9", "0.000000001"),
            (0.1, "0.1"),
            (1e-7, "0.0000001"),
            (1e22, "10000000000000000000000"),
            (np.float64(0.1), "0.1"),
            (np.int64(4), "4"),
            (np.float32(0.5), "0.5"),
            (HTTPStatus.OK, "200"),
            (Fraction(1, 8), "0.125"),
            ("-0", "0"),
            (Decimal(1) / 3, "0." + 28 * "3"),
        ],
    )
    def test_an_amount_is_recorded_exactly(self, runs, given, text):
        record_cost(given)

        (span,) = runs.spans()
        assert reported(span) == {"cost.amount": text, "cost.currency": "USD"}

    @pytest.mark.parametrize(
        "given",
        [
            -1,
            "-0.01",
            float("nan"),
            Decimal("sNaN"),
            "Infinity",
            "much",
            "",
            None,
            True,
            [1],
            "1E+100",
            "1E-101",
            Broken(),
        ],
    )
    def test_what_is_none_is_not_known_and_that_is_logged_once(self, runs, lenient, caplog, given):
        for _ in range(2):
            record_cost(given)

        assert [reported(span) for span in runs.spans()] == [{"cost.amount": "unknown"}] * 2
        (record,) = caplog.records
        assert record.getMessage().startswith("cost must be a decimal number from 0, not ")
        assert record.getMessage().endswith(": not recorded")

    @pytest.mark.parametrize("currency", ["US$", "DOLLARS", "", None, 840, ["USD"], "EUR\n"])
    def test_a_currency_that_is_none_makes_the_amount_unknown(self, runs, lenient, caplog, currency):
        for _ in range(2):
            record_cost(1, currency)

        assert [reported(span) for span in runs.spans()] == [{"cost.amount": "unknown"}] * 2
        assert [record.getMessage() for record in caplog.records] == [
            "currency must be an ISO 4217 code, such as USD: cost not recorded"
        ]

    def test_a_currency_in_small_letters_is_the_same(self, runs):
        with run_botanu("w", event_id="e", customer_id="c"):
            record_cost("0.5", "usd")

        (_, span) = runs.only().spans
        assert reported(span) == {"cost.amount": "0.5", "cost.currency": "USD"}

    def test_what_is_known_of_a_cost_is_not_all_of_it_where_something_could_not_be_read(self, runs, lenient):
        with track_tool_call("t"):
            record_cost(1)
            record_cost("$2")
            record_cost(3)

        (span,) = runs.spans()
        assert reported(span) == {"cost.amount": "unknown", "cost.currency": "USD"}

    def test_costs_in_one_currency_add_up_exactly_whatever_the_programs_precision(self, runs):
        with decimal.localcontext(prec=3), track_tool_call("t"):
            for _ in range(10):
                record_cost(0.1)
            record_cost("1000000000000.000000000001")

        (span,) = runs.spans()
        assert reported(span) == {"cost.amount": "1000000000001.000000000001", "cost.currency": "USD"}

    def test_a_cost_in_another_currency_gets_a_span_of_its_own(self, runs):
        with track_tool_call("t"):
            record_cost(1, "EUR")
            record_cost(2, "USD")
            record_cost(3, "EUR")

        call, other = runs.spans()
        assert reported(other) == {"cost.amount": "2", "cost.currency": "USD"}
        assert reported(call) == {"cost.amount": "4", "cost.currency": "EUR"}

    @given(st.lists(st.decimals(min_value=0, max_value=10**12, places=9), min_size=1))
    def test_no_order_changes_the_sum(self, amounts):
        sums = []
        for ordered in (amounts, amounts[::-1]):
            tally = Tally()
            for amount in ordered:
                assert tally.add_cost(amount, "USD")
            sums.append(tally.attributes()[semconv.COST_AMOUNT])

        assert sums[0] == sums[1]
        assert Fraction(sums[0]) == sum(map(Fraction, amounts))
