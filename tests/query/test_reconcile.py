"""Faults planted between what was called and what is billed, and whether each is named, and nothing else is.

What is booked comes out of a store that spans were sent to; what is billed is computed from the same calls in
``support.billing``.
"""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from support.billing import (
    Call,
    anthropic_costs,
    anthropic_usage,
    at,
    focus,
    focus_row,
    focus_rows,
    openai_costs,
    openai_usage,
    span_of,
)
from support.otlp import by, llm, span

from botanu.errors import InvoiceError
from botanu.query.reconciling.booked import BookedLine, booked_lines, booked_sql
from botanu.query.reconciling.causes import SENTENCES, Cause
from botanu.query.reconciling.invoices import InvoiceLine, read_invoice
from botanu.query.reconciling.reconcile import reconcile
from botanu.query.sql import ask

GPT_4O = "gpt-4o-2024-08-06"
MINI = "gpt-4o-mini-2024-07-18"
GPT_41 = "gpt-4.1-2025-04-14"
SONNET = "claude-sonnet-4-5-20250929"
HAIKU = "claude-haiku-4-5-20251001"


def history(*models, days=range(1, 8)):
    """Calls of *models* on some *days* of June, of different sizes, three a day each."""
    return [
        Call(
            model,
            at(day, hour=6 * nth, minute=day),
            input=1000 * nth + 17 * day,
            cached=900 + 300 * nth + day,
            written_5m=250 * nth if model.startswith("claude") else 0,
            written_1h=130 * nth if model == SONNET else 0,
            output=400 + 70 * nth + 3 * day,
        )
        for day in days
        for model in models
        for nth in (1, 2, 3)
    ]


@pytest.fixture
def compare(lab, tmp_path):
    """Send the spans of calls, or spans as they are, and compare what is booked with a file."""

    def comparing(sent, text, **options):
        lab.send(*(span_of(each) if isinstance(each, Call) else each for each in sent))
        file = tmp_path / "invoice.csv"
        file.write_text(text, encoding="utf-8")
        invoice = read_invoice(file)
        answers = [
            ask(lab.store, sql, timeout_seconds=30, rows_max=10_000).table.to_pylist()
            for sql in booked_sql(invoice.first, invoice.last)
        ]
        made = reconcile(invoice.lines, booked_lines(*answers), **options)
        adds_up(made)
        return made

    return comparing


def adds_up(made):
    """The gaps are the whole difference, of the money and of each meter, and each finding is the sum of its gaps."""
    if made.invoiced is not None:
        assert sum(gap.difference or 0 for gap in made.gaps) == made.difference == made.invoiced - made.booked
        found = sum(each.difference or 0 for each in made.findings)
        assert found + (made.rounding or 0) == made.difference
    for each in made.meters:
        gaps = [gap for gap in made.gaps if gap.meter == each.meter and gap.cause is not Cause.CREDIT]
        known = [gap for gap in gaps if gap.invoiced_quantity is not None]
        assert sum(gap.invoiced_quantity - gap.booked_quantity for gap in known) == each.invoiced - each.booked


def named(made):
    return {(str(each.cause), each.model) for each in made.findings}


def shown(made):
    """Cause and model of the findings, in alphabetical order; twice if there are two."""
    return sorted((str(each.cause), each.model) for each in made.findings)


# --- Nothing planted ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "form", [focus, openai_usage, openai_costs, lambda calls: openai_costs(calls, line_items=False)]
)
def test_without_a_fault_nothing_is_found_in_a_file_of_openai(compare, form):
    calls = history(GPT_4O, MINI, GPT_41)

    assert compare(calls, form(calls)).findings == ()


@pytest.mark.parametrize("form", [focus, anthropic_usage, anthropic_costs])
def test_without_a_fault_nothing_is_found_in_a_file_of_anthropic(compare, form):
    calls = history(SONNET, HAIKU)

    assert compare(calls, form(calls)).findings == ()


def test_without_a_fault_the_money_is_the_same_to_the_rounding_of_its_parts(compare):
    calls = history(GPT_4O, SONNET)
    made = compare(calls, focus(calls))

    assert made.invoiced == sum(
        call.amount(part) for call in calls for part in ("input", "cached", "written_5m", "written_1h", "output")
    )
    assert abs(made.difference) < Decimal("0.000001")
    assert made.cells == 7 * 3 + 7 * 5


def test_what_is_booked_with_others_is_not_looked_at(compare):
    calls = history(GPT_4O)

    assert compare([*calls, *history(SONNET)], focus(calls)).findings == ()


def test_what_is_free_need_not_be_on_the_invoice(compare):
    calls = history(GPT_4O)
    sent = [span_of(call, **{"botanu.usage.requests": 1}) for call in calls]

    assert compare(sent, focus(calls)).findings == ()


def test_a_dated_model_on_the_invoice_is_its_alias_on_the_spans(compare):
    calls = history(GPT_4O, SONNET)
    aliased = [
        span_of(call, **{"gen_ai.response.model": "gpt-4o" if call.provider == "openai" else "claude-sonnet-4-5"})
        for call in calls
    ]

    assert compare(aliased, focus(calls)).findings == ()


def test_calls_that_name_no_provider_are_with_the_only_one_there_is(compare):
    calls = history(GPT_4O)

    assert (
        compare([span_of(call, **{"gen_ai.provider.name": ""}) for call in calls], openai_usage(calls)).findings == ()
    )


def test_reasoning_is_billed_as_output(compare):
    calls = history(GPT_4O)

    sent = [span_of(call, **{"gen_ai.usage.reasoning.output_tokens": 300}) for call in calls]
    assert compare(sent, focus(calls)).findings == ()


def test_a_cache_write_of_unknown_life_is_billed_as_one_of_five_minutes(compare):
    calls = [call.but(written_5m=0, written_1h=0) for call in history(SONNET)]
    sent = [
        span_of(call.but(input=call.input + 500), **{"gen_ai.usage.cache_creation.input_tokens": 500}) for call in calls
    ]

    assert compare(sent, focus([call.but(written_5m=500) for call in calls])).findings == ()


# --- Five faults at once ------------------------------------------------------------------------------


def missing(calls, day, model):
    return [call for call in calls if not (call.model == model and call.start.day == day and call.start.hour == 12)]


def changed(calls, when, **changes):
    return [
        call.but(**{name: change(call) if callable(change) else change for name, change in changes.items()})
        if when(call)
        else call
        for call in calls
    ]


def next_day(call):
    return call.start.date() + timedelta(days=1)


def five_faults(calls, *, missing_from, priced, batched, misread, shifted):
    """What is sent and what is billed of *calls*, with a fault in each of five models."""
    late = [Call(shifted, at(4, 23, 59), input=5000, cached=700, output=900)]
    sent = missing(calls, 3, missing_from) + late
    sent = changed(
        sent,
        lambda call: call.model == misread and call.start.day == 6,
        input=lambda call: call.input + call.cached,
        cached=0,
    )
    billed = changed(calls + late, lambda call: call.model == priced and call.start.day >= 4, factor=Decimal("1.1"))
    billed = changed(billed, lambda call: call.model == batched and call.start.day == 2, tier="batch")
    billed = changed(billed, lambda call: call.start.hour == 23, billed=next_day)
    return sent, billed


FIVE = {
    "missing_from": GPT_4O,
    "priced": GPT_41,
    "batched": HAIKU,
    "misread": SONNET,
    "shifted": MINI,
}


def test_five_faults_are_named_and_no_sixth(compare):
    sent, billed = five_faults(history(GPT_4O, MINI, GPT_41, SONNET, HAIKU), **FIVE)

    made = compare(sent, focus(billed))

    assert shown(made) == sorted(
        [
            ("missing_spans", GPT_4O),
            ("price", GPT_41),
            ("service_tier", HAIKU),
            ("cache_class", SONNET),
            ("day_boundary", MINI),
        ]
    )
    days = {str(each.cause): [day.day for day in each.days] for each in made.findings}
    assert days == {
        "missing_spans": [3],
        "price": [4, 5, 6, 7],
        "service_tier": [2],
        "cache_class": [6],
        "day_boundary": [4, 5],
    }


def test_five_faults_in_one_model_are_named_and_no_sixth(compare):
    """Where two of them meet, on the days with another price, the more specific one is named for both."""
    sent, billed = five_faults(history(SONNET, days=range(1, 12)), **dict.fromkeys(FIVE, SONNET))
    billed = changed(billed, lambda call: call.start.day < 8, factor=Decimal(1))

    made = compare(sent, focus(billed))

    assert named(made) == {
        (cause, SONNET) for cause in ("missing_spans", "price", "service_tier", "cache_class", "day_boundary")
    }
    assert len(made.findings) == 5


def test_four_faults_show_in_quantities_alone(compare):
    """A usage export has no amounts, so it says nothing of prices."""
    calls = history(GPT_4O, MINI, GPT_41, days=range(1, 10))
    sent, billed = five_faults(calls, missing_from=GPT_4O, priced=GPT_4O, batched=GPT_41, misread=GPT_41, shifted=MINI)

    made = compare(sent, openai_usage(billed))

    assert made.invoiced is made.difference is None
    assert shown(made) == sorted(
        [("missing_spans", GPT_4O), ("service_tier", GPT_41), ("cache_class", GPT_41), ("day_boundary", MINI)]
    )


def test_faults_show_in_amounts_alone(compare):
    """A cost export in whole cents has no quantities: they are concluded from the prices that were booked."""
    calls = [
        call.but(input=call.input * 900, cached=call.cached * 900, written_5m=0, output=call.output * 100)
        for call in history(HAIKU, days=range(1, 11))
    ]
    sent = changed(calls, lambda call: call.start.day == 2, input=lambda call: call.input + call.cached, cached=0)
    billed = changed(calls, lambda call: call.start.day in (4, 5), factor=Decimal("0.9"))
    billed = changed(billed, lambda call: call.start.day == 7, factor=Decimal("0.5"))
    billed = changed(billed, lambda call: call.start == at(8, 18, 8), billed=next_day)

    made = compare(sent, anthropic_costs(billed))

    assert {str(each.cause): [day.day for day in each.days] for each in made.findings} == {
        "cache_class": [2],
        "price": [4, 5],
        "service_tier": [7],
        "day_boundary": [8, 9],
    }


# --- One fault at a time ------------------------------------------------------------------------------


def only(made):
    (finding,) = made.findings
    return finding


def test_spans_that_never_came_are_missing_in_each_meter_of_their_day_once(compare):
    calls = history(GPT_4O, days=range(1, 4))
    finding = only(compare(missing(calls, 2, GPT_4O), openai_usage(calls)))

    assert finding.cause is Cause.MISSING_SPANS
    assert finding.days == [date(2026, 6, 2)]
    assert finding.meters == ["cache_read_tokens", "input_uncached_tokens", "output_tokens"]
    assert finding.explanation.startswith(SENTENCES[Cause.MISSING_SPANS])
    assert "+2,034 input_uncached_tokens" in finding.explanation
    assert "requests billed: 3, calls seen: 2" in finding.explanation


def test_a_day_of_which_no_span_came_is_missing(compare):
    calls = history(GPT_4O)

    assert only(compare([call for call in calls if call.start.day != 3], focus(calls))).cause is Cause.MISSING_SPANS


def test_calls_that_say_no_usage_are_told_where_usage_is_missing(compare):
    calls = history(GPT_4O, days=[1])
    silent = span("chat", start=int(at(1).timestamp()) * 10**9, **llm(GPT_4O))

    finding = only(compare([*calls[:2], silent], focus(calls)))

    assert finding.cause is Cause.MISSING_SPANS
    assert "1 call says no usage" in finding.explanation


def test_spans_that_are_not_counted_are_told_where_usage_is_missing(compare):
    calls = history(GPT_4O, days=[1])
    again = span_of(calls[0], **{"gen_ai.response.id": "r-1"})
    sent = [span_of(calls[0], **{"gen_ai.response.id": "r-1"}), *calls[1:2], by("another", again)]

    assert "1 span is not counted" in only(compare(sent, focus(calls))).explanation


def test_usage_that_nobody_billed_is_extra(compare):
    calls = history(GPT_4O)
    finding = only(compare([*calls, calls[4].but(start=at(2, 20))], focus(calls)))

    assert (finding.cause, finding.days) == (Cause.EXTRA_SPANS, [date(2026, 6, 2)])
    assert finding.difference < 0


def test_a_model_that_nobody_billed_is_extra(compare):
    calls = history(GPT_4O)

    assert named(compare([*calls, *history(MINI)], focus(calls))) == {("extra_spans", MINI)}


def test_calls_told_of_twice_are_duplicates(compare):
    calls = history(GPT_4O)
    finding = only(compare([*calls, *[call for call in calls if call.start.day == 3]], focus(calls)))

    assert (finding.cause, finding.days) == (Cause.DUPLICATES, [date(2026, 6, 3)])
    assert "exactly 2 times" in finding.explanation


def test_another_price_is_one_finding_for_all_its_days_and_meters(compare):
    calls = history(GPT_4O)
    finding = only(compare(calls, focus(changed(calls, lambda _: True, factor=Decimal("1.25")))))

    assert finding.cause is Cause.PRICE
    assert len(finding.gaps) == 7 * 3
    assert "input_uncached_tokens at 3.125 a million, booked at 2.5" in finding.explanation


def test_another_price_of_one_meter_is_a_price(compare):
    calls = history(GPT_4O)
    rows = focus_rows(calls)
    for row in rows:
        if row["SkuMeter"] == "Output Tokens":
            row["BilledCost"] = Decimal(row["BilledCost"]) * 2
    finding = only(compare(calls, focus([], *rows)))

    assert (finding.cause, finding.meters) == (Cause.PRICE, ["output_tokens"])


@pytest.mark.parametrize("form", [focus, openai_usage])
def test_calls_billed_as_batch_are_a_tier(compare, form):
    calls = history(GPT_41)
    finding = only(compare(calls, form(changed(calls, lambda call: call.start == at(3, 12, 3), tier="batch"))))

    assert (finding.cause, finding.days) == (Cause.SERVICE_TIER, [date(2026, 6, 3)])
    assert "2,051 input_uncached_tokens in batch billed, 0 booked" in finding.explanation


def test_a_tier_that_nobody_names_is_known_by_its_factor(compare):
    calls = history(GPT_4O)
    finding = only(compare(calls, openai_costs(changed(calls, lambda call: call.start.day > 5, factor=Decimal("0.5")))))

    assert finding.cause is Cause.SERVICE_TIER
    assert "0.5 times the amount booked, as for batch or flex" in finding.explanation


def test_the_same_tier_on_both_sides_is_no_gap(compare):
    calls = changed(history(GPT_4O), lambda call: call.start.day > 5, tier="batch")

    assert compare(calls, openai_usage(calls)).findings == ()


def test_the_standard_has_several_names(compare):
    calls = history(GPT_4O)

    assert compare(changed(calls, lambda call: call.start.day > 5, tier="default"), openai_usage(calls)).findings == ()


def test_a_tier_that_we_alone_know_of_is_a_tier(compare):
    calls = history(SONNET)
    sent = changed(calls, lambda call: call.start.day == 2, tier="batch")

    assert only(compare(sent, anthropic_usage(calls))).cause is Cause.SERVICE_TIER


@pytest.mark.parametrize("form", [focus, anthropic_usage])
def test_cached_input_that_was_booked_as_new_is_one_finding(compare, form):
    calls = history(SONNET)
    sent = changed(calls, lambda call: call.start.day == 4, input=lambda call: call.input + call.cached, cached=0)
    finding = only(compare(sent, form(calls)))

    assert (finding.cause, finding.days) == (Cause.CACHE_CLASS, [date(2026, 6, 4)])
    assert finding.meters == ["cache_read_tokens", "input_uncached_tokens"]


def test_a_cache_write_of_another_life_is_a_cache_class(compare):
    calls = history(SONNET)
    sent = changed(
        calls, lambda call: call.start.day == 4, written_5m=lambda call: call.written_5m + call.written_1h, written_1h=0
    )
    finding = only(compare(sent, focus(calls)))

    assert (finding.cause, finding.meters) == (Cause.CACHE_CLASS, ["cache_write_1h_tokens", "cache_write_5m_tokens"])


@pytest.mark.parametrize(
    "form", [focus, openai_usage, openai_costs, lambda calls: openai_costs(calls, quantities=False)]
)
def test_a_call_before_midnight_that_is_billed_after_it_is_one_finding(compare, form):
    late = Call(GPT_4O, at(3, 23, 58), input=4000, cached=100, output=800)
    calls = [*history(GPT_4O), late]
    finding = only(compare(calls, form(changed(calls, lambda call: call is late, billed=next_day))))

    assert finding.cause is Cause.DAY_BOUNDARY
    assert finding.days == [date(2026, 6, 3), date(2026, 6, 4)]
    assert "The last call of 2026-06-03 started at 23:58:00 UTC" in finding.explanation
    assert not finding.difference


def test_calls_shifted_over_two_midnights_in_a_row_are_one_finding(compare):
    late = [Call(GPT_4O, at(day, 23, 58), input=4000 * day, output=800) for day in (3, 4)]
    calls = [*history(GPT_4O), *late]
    finding = only(compare(calls, focus(changed(calls, lambda call: call in late, billed=next_day))))

    assert (finding.cause, [day.day for day in finding.days]) == (Cause.DAY_BOUNDARY, [3, 4, 5])


def test_a_credit_is_a_credit_and_no_usage(compare):
    calls = history(GPT_4O)
    credit = focus_row("2026-06-07", "OpenAI", ChargeCategory="Credit", BilledCost="-5.00")
    finding = only(compare(calls, focus(calls, credit)))

    assert (finding.cause, finding.model, finding.difference) == (Cause.CREDIT, None, Decimal("-5.00"))


def test_tax_and_refunds_are_no_usage(compare):
    calls = history(GPT_4O)
    tax = focus_row("2026-06-07", "OpenAI", ChargeCategory="Tax", BilledCost="1.90")
    refund = focus_row(
        "2026-06-02",
        "OpenAI",
        BilledCost="-0.01",
        ResourceId=GPT_4O,
        ResourceType="Model",
        SkuMeter="Output Tokens",
        ConsumedQuantity="-1000",
    )
    made = compare(calls, focus(calls, tax, refund))

    assert named(made) == {("credit", GPT_4O), ("credit", None)}


def test_usage_without_a_price_is_unpriced(compare):
    calls = history(GPT_4O)
    sent = [span_of(call, **{"gen_ai.response.model": "gpt-9-secret"}) for call in calls]
    renamed = focus(calls).replace(GPT_4O, "gpt-9-secret")
    finding = only(compare(sent, renamed))

    assert (finding.cause, finding.model) == (Cause.UNPRICED, "gpt-9-secret")
    assert "3 calls have usage without a price" in finding.explanation


def test_calls_without_a_price_do_not_hide_that_others_are_missing(compare):
    """One of three calls says its cost itself, one has no price as it says so in another currency, one never came."""
    calls = history(GPT_4O, days=[1])
    told = reporting(calls[:1])
    foreign = span_of(calls[1], **{"botanu.cost.amount": 1.0, "botanu.cost.currency": "EUR"})
    finding = only(compare([*told, foreign], focus(calls)))

    assert finding.cause is Cause.MISSING_SPANS
    assert finding.difference == sum(call.amount(part) for call in calls[1:] for part in ("input", "cached", "output"))


def test_amounts_alone_of_a_cache_that_was_never_booked_are_no_cache_class(compare):
    calls = [call.but(cached=0, written_5m=0, input=call.input * 900) for call in history(HAIKU, days=[1])]
    billed = [call.but(input=call.input - 500_000, cached=500_000) for call in calls]

    assert named(compare(calls, anthropic_costs(billed))) == {
        ("missing_spans", "Claude Haiku 4.5"),
        ("extra_spans", "Claude Haiku 4.5"),
    }


def test_a_model_that_no_span_tells_of_is_unknown(compare):
    calls = history(GPT_4O)
    finding = only(compare(calls, focus([*calls, *history(MINI, days=[3])])))

    assert (finding.cause, finding.model, len(finding.gaps)) == (Cause.UNKNOWN_MODEL, MINI, 3)


def test_a_model_that_was_called_and_said_no_usage_is_not_unknown(compare):
    calls = history(GPT_4O)
    silent = span("chat", start=int(at(3).timestamp()) * 10**9, **llm(MINI))

    assert named(compare([*calls, silent], focus([*calls, *history(MINI, days=[3])]))) == {("missing_spans", MINI)}


def test_a_difference_within_the_tolerance_is_rounding_and_no_gap(compare):
    calls = history(GPT_4O)
    billed = focus(changed(calls, lambda _: True, factor=Decimal("1.001")))
    made = compare(calls, billed, share=Decimal("0.01"))

    assert made.findings == ()
    assert made.rounding == made.difference > 0
    assert {gap.cause for gap in made.gaps} == {Cause.ROUNDING}


# --- What programs and providers say less finely ------------------------------------------------------


def reporting(calls):
    """Spans of *calls* that say themselves what they cost."""
    costs = [sum(call.amount(part) for part in ("input", "cached", "output")) for call in calls]
    return [span_of(call, **{"botanu.cost.amount": f"{cost:.9f}"}) for call, cost in zip(calls, costs, strict=True)]


def test_costs_that_a_program_reports_are_compared_for_all_meters_together(compare):
    calls = history(GPT_4O, days=range(1, 5))

    assert compare(reporting(calls), focus(calls)).findings == ()


def test_costs_that_a_program_reports_do_not_matter_to_quantities(compare):
    calls = history(GPT_4O, days=range(1, 5))

    assert compare(reporting(calls), openai_usage(calls)).findings == ()


def test_requests_alone_are_no_usage(compare):
    calls = history(GPT_4O, days=[1])
    refused = Call("o3-2025-04-16", at(1))

    assert compare(calls, openai_usage([*calls, refused])).findings == ()


def test_a_missing_call_with_a_reported_cost_is_one_finding(compare):
    calls = history(GPT_4O, days=range(1, 5))
    finding = only(compare(reporting(missing(calls, 2, GPT_4O)), focus(calls)))

    assert finding.cause is Cause.MISSING_SPANS
    assert finding.difference == sum(calls[4].amount(part) for part in ("input", "cached", "output"))


def test_a_reported_cost_that_is_wrong_is_a_price(compare):
    calls = history(GPT_4O, days=range(1, 5))
    sent = [span_of(call, **{"botanu.cost.amount": 0.5}) for call in calls]

    assert only(compare(sent, focus(calls))).cause is Cause.PRICE


def test_one_amount_a_day_is_compared_with_all_models_of_the_provider(compare):
    calls = history(GPT_4O, MINI)
    finding = only(compare(missing(calls, 3, GPT_4O), openai_costs(calls, line_items=False)))

    assert (finding.cause, finding.model, finding.meters) == (Cause.MISSING_SPANS, None, [])
    assert [day.day for day in finding.days] == [3]


def test_what_is_billed_without_its_model_is_compared_with_all_models():
    day = date(2026, 6, 1)
    billed = InvoiceLine(
        "openai", None, day, "web_searches", Decimal(7), Decimal("0.07"), "USD", None, credit=False, row=2
    )

    def searched(model, count):
        amount = count * Decimal("0.01")
        return BookedLine("openai", model, day, "web_searches", None, Decimal(count), amount, "USD", count)

    assert reconcile([billed], [searched("gpt-4o", 4), searched("o3", 3)]).gaps == ()
    gap = only(reconcile([billed], [searched("gpt-4o", 4)])).gaps[0]
    assert (gap.cause, gap.model, gap.meter, gap.difference) == (
        Cause.MISSING_SPANS,
        None,
        "web_searches",
        Decimal("0.03"),
    )


def test_an_amount_in_another_currency_is_refused(compare):
    calls = history(GPT_4O)

    with pytest.raises(InvoiceError, match="row 2 is in EUR, what is booked is in USD"):
        compare(calls, focus(calls).replace(",USD,", ",EUR,"))


# --- Whatever is planted ------------------------------------------------------------------------------

DAYS = st.dates(date(2026, 6, 1), date(2026, 6, 5))
METERS = st.sampled_from(["input_uncached_tokens", "cache_read_tokens", "output_tokens", "cache_write_1h_tokens"])
MODELS = st.sampled_from(["gpt-4o", "gpt-4o-2024-08-06", "gpt-4o-mini", "o3"])
QUANTITIES = st.integers(0, 10**6).map(Decimal)
AMOUNTS = st.decimals("-1000", "1000", places=12)

INVOICED = st.builds(
    InvoiceLine,
    provider=st.sampled_from(["openai", "azure"]),
    model=st.one_of(MODELS, st.none()),
    day=DAYS,
    meter=st.one_of(METERS, st.none()),
    quantity=st.one_of(QUANTITIES, st.none()),
    amount=st.one_of(AMOUNTS, st.none()),
    currency=st.sampled_from(["USD", None]),
    service_tier=st.sampled_from([None, "standard", "batch"]),
    credit=st.sampled_from([False, False, False, True]),
    row=st.integers(2, 1000),
)
BOOKED = st.builds(
    BookedLine,
    provider=st.sampled_from(["openai", "openai", "azure.ai.openai", None]),
    model=st.one_of(MODELS, st.none()),
    day=DAYS,
    meter=st.one_of(METERS, st.sampled_from(["output_text_tokens", "reported_cost"]), st.none()),
    service_tier=st.sampled_from([None, "batch"]),
    quantity=QUANTITIES,
    amount=st.one_of(st.decimals("0", "1000", places=9), st.none()),
    currency=st.just("USD"),
    calls=st.integers(0, 9),
    unpriced_calls=st.integers(0, 2),
    repeated_calls=st.integers(0, 1),
)


@given(st.lists(INVOICED, max_size=25), st.lists(BOOKED, max_size=25), st.sampled_from(["0", "0.0001", "0.2"]))
def test_whatever_is_planted_the_gaps_add_up_to_the_difference(lines, booked, share):
    made = reconcile(lines, booked, share=Decimal(share))

    adds_up(made)
    assert sum(line.amount or 0 for line in lines) == (made.invoiced or 0)
    keys = [(gap.provider, gap.model, gap.day, gap.meter) for gap in made.gaps if gap.cause is not Cause.CREDIT]
    assert len(keys) == len(set(keys))
    assert len({(each.cause, each.provider, each.model) for each in made.findings}) == len(made.findings)


@given(st.lists(INVOICED, max_size=25), st.lists(BOOKED, max_size=25))
def test_the_order_of_rows_changes_nothing(lines, booked):
    def answer(made):
        return sorted(
            (str(gap.cause), str(gap.model), gap.day, str(gap.meter), str(gap.difference)) for gap in made.gaps
        )

    assert answer(reconcile(lines, booked)) == answer(reconcile(lines[::-1], booked[::-1]))


# --- One fault in any history -------------------------------------------------------------------------

SIZES = st.integers(1, 300_000)
HISTORIES = st.lists(
    st.builds(
        Call,
        model=st.sampled_from([GPT_4O, MINI, HAIKU]),
        start=st.datetimes(datetime(2026, 6, 2), datetime(2026, 6, 9), timezones=st.just(UTC)),
        input=SIZES,
        cached=SIZES,
        output=SIZES,
    ),
    min_size=2,
    max_size=20,
)
METER_OF = {"input": "input_uncached_tokens", "cached": "cache_read_tokens", "output": "output_text_tokens"}


def as_booked(calls):
    """What is booked of *calls*, a line for each meter of each call."""
    return [
        BookedLine(
            call.provider,
            call.model,
            call.start.date(),
            meter,
            call.tier,
            Decimal(getattr(call, part)),
            round(call.amount(part), 9),
            "USD",
            calls=1,
        )
        for call in calls
        for part, meter in METER_OF.items()
    ]


def as_billed(calls):
    """What is billed for *calls*, as lines of an invoice that says tiers, quantities and amounts."""
    return [
        InvoiceLine(
            call.provider,
            call.model,
            call.day,
            meter,
            Decimal(getattr(call, part)),
            call.amount(part),
            "USD",
            call.tier or "standard",
            credit=False,
            row=2,
        )
        for call in calls
        for part, meter in METER_OF.items()
    ]


def all_of(calls, one):
    """All of *calls* with the model and day of *one*."""
    return [call for call in calls if (call.model, call.day) == (one.model, one.day)]


PLANTED = {
    Cause.MISSING_SPANS: lambda calls, one: ([call for call in calls if call is not one], calls),
    Cause.PRICE: lambda calls, one: (
        calls,
        [call.but(factor=Decimal("1.37")) if call.model == one.model else call for call in calls],
    ),
    Cause.SERVICE_TIER: lambda calls, one: (calls, [call.but(tier="batch") if call is one else call for call in calls]),
    Cause.CACHE_CLASS: lambda calls, one: (
        [call.but(input=call.input + call.cached, cached=0) if call is one else call for call in calls],
        calls,
    ),
    Cause.DAY_BOUNDARY: lambda calls, one: (
        calls,
        [call.but(billed=next_day(call)) if call is one else call for call in calls],
    ),
    Cause.UNKNOWN_MODEL: lambda calls, one: ([call for call in calls if call.model != one.model], calls),
    Cause.DUPLICATES: lambda calls, one: (calls + all_of(calls, one), calls),
}


@given(HISTORIES, st.integers(0, 19), st.sampled_from(sorted(PLANTED)))
def test_one_fault_in_any_history_is_named_and_no_other(calls, number, cause):
    one = calls[number % len(calls)]
    others = [call for call in calls if call is not one]
    assume(cause is not Cause.MISSING_SPANS or any(call.model == one.model for call in others))
    sent, billed = PLANTED[cause](calls, one)

    made = reconcile(as_billed(billed), as_booked(sent))

    adds_up(made)
    assert named(made) == {(str(cause), one.model)}
