"""Files of providers, read: what each row says, and what is said where one cannot be read."""

from datetime import date
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.billing import (
    FOCUS,
    Call,
    anthropic_costs,
    anthropic_usage,
    at,
    focus,
    focus_row,
    openai_costs,
    openai_usage,
    written,
)

from botanu.errors import InvoiceError
from botanu.query.invoice_formats import FORMATS
from botanu.query.invoice_names import aliases, named_in, stem
from botanu.query.invoices import InvoiceLine, read_invoice

DAY = date(2026, 6, 3)
GPT = Call("gpt-4o-2024-08-06", at(3), input=1000, cached=600, output=50)
CLAUDE = Call("claude-sonnet-4-5-20250929", at(3), input=1000, cached=600, written_5m=80, written_1h=20, output=50)


@pytest.fixture
def read(tmp_path):
    def reading(text):
        file = tmp_path / "invoice.csv"
        file.write_bytes(text if isinstance(text, bytes) else text.encode())
        return read_invoice(file)

    return reading


def by_meter(invoice):
    return {line.meter: line.quantity for line in invoice.lines if line.quantity or line.amount}


# --- Each format --------------------------------------------------------------------------------------


def test_openai_counts_cached_tokens_within_the_input(read):
    invoice = read(openai_usage([GPT]))

    assert invoice.format == "OpenAI usage export"
    assert by_meter(invoice) == {
        "input_uncached_tokens": 1000,
        "cache_read_tokens": 600,
        "output_tokens": 50,
        "requests": 1,
    }
    assert invoice.lines[0] == InvoiceLine(
        provider="openai",
        model="gpt-4o-2024-08-06",
        day=DAY,
        meter="input_uncached_tokens",
        quantity=Decimal("1000.0"),
        amount=None,
        currency=None,
        service_tier="standard",
        credit=False,
        row=2,
    )


def test_openai_counts_audio_and_images_within_the_whole(read):
    header = "start_time,model,num_model_requests,input_tokens,input_cached_tokens,input_uncached_tokens,output_tokens"
    audio = "input_audio_tokens,input_cached_audio_tokens,output_audio_tokens,input_image_tokens"
    invoice = read(f"{header},{audio}\n1780444800,gpt-audio,1,1000,300,700,90,200,100,40,50\n")

    assert by_meter(invoice) == {
        "input_uncached_tokens": 450,
        "cache_read_tokens": 200,
        "input_audio_tokens": 200,
        "cache_audio_read_tokens": 100,
        "input_image_tokens": 50,
        "output_tokens": 50,
        "output_audio_tokens": 40,
        "requests": 1,
    }


def test_openai_without_a_column_for_the_uncached_input_is_read_from_the_others(read):
    header = "start_time,model,num_model_requests,input_tokens,input_cached_tokens,input_cache_write_tokens"
    invoice = read(f"{header}\n1780444800,gpt-5.6,2,1000,300,200\n")

    assert by_meter(invoice) == {
        "input_uncached_tokens": 500,
        "cache_read_tokens": 300,
        "cache_write_tokens": 200,
        "requests": 2,
    }


def test_a_total_that_counts_text_alone_is_left_as_it_is(read):
    header = "start_time,model,num_model_requests,input_tokens,output_tokens,output_audio_tokens"
    invoice = read(f"{header}\n1780444800,gpt-audio,2,1000,30,200\n")

    assert by_meter(invoice)["output_tokens"] == 30


@pytest.mark.parametrize(
    ("batch", "tier", "read_as"),
    [("TRUE", "default", "batch"), ("FALSE", "default", "standard"), ("FALSE", "flex", "flex"), ("", "", None)],
)
def test_openai_says_the_tier_in_two_columns(read, batch, tier, read_as):
    header = "start_time,model,num_model_requests,input_tokens,batch,service_tier"
    invoice = read(f"{header}\n1780444800,gpt-4o,1,5,{batch},{tier}\n")

    assert {line.service_tier for line in invoice.lines} == {read_as}


def test_days_without_usage_belong_to_the_file(read):
    text = openai_usage([GPT]) + "1781222400,1781308800,2026-06-12T00:00:00+00:00,2026-06-13T00:00:00+00:00\n"
    invoice = read(text)

    assert (invoice.first, invoice.last) == (DAY, date(2026, 6, 12))
    assert {line.day for line in invoice.lines} == {DAY}


def test_openai_names_model_and_meter_in_a_line_item(read):
    invoice = read(openai_costs([GPT]))

    assert invoice.format == "OpenAI costs export"
    found = {line.meter: (line.model, line.quantity, line.amount, line.currency) for line in invoice.lines}
    assert found == {
        "input_uncached_tokens": (GPT.model, 1000, Decimal("0.0025"), "USD"),
        "cache_read_tokens": (GPT.model, 600, Decimal("0.00075"), "USD"),
        "output_tokens": (GPT.model, 50, Decimal("0.0005"), "USD"),
    }


def test_openai_may_say_one_amount_a_day(read):
    (line,) = read(openai_costs([GPT], line_items=False)).lines

    assert (line.model, line.meter, line.quantity, line.amount) == (None, None, None, Decimal("0.00375"))


def test_a_line_item_of_something_else_is_what_is_billed(read):
    header = "start_time,amount_value,amount_currency,line_item"
    (line,) = read(f"{header}\n1780444800,0.5,usd,assistants api | file search\n").lines

    assert (line.model, line.meter) == ("assistants api | file search", None)


def test_anthropic_counts_each_class_of_input_apart(read):
    invoice = read(anthropic_usage([CLAUDE]))

    assert invoice.format == "Anthropic usage export"
    assert by_meter(invoice) == {
        "input_uncached_tokens": 1000,
        "cache_read_tokens": 600,
        "cache_write_5m_tokens": 80,
        "cache_write_1h_tokens": 20,
        "output_tokens": 50,
    }
    assert {(line.model, line.day, line.service_tier) for line in invoice.lines} == {
        ("claude-sonnet-4-5-20250929", DAY, "standard")
    }


def test_anthropic_says_batch_and_fast_in_two_columns(read):
    header = "usage_date_utc,model_version,usage_type,usage_input_tokens_no_cache,usage_output_tokens,speed"
    invoice = read(f"{header}\n2026-06-03,claude-x-1,batch,5,5,\n2026-06-03,claude-x-1,standard,5,5,fast\n")

    assert [line.service_tier for line in invoice.lines] == ["batch", "batch", "fast", "fast"]


def test_anthropics_costs_have_no_quantities(read):
    invoice = read(anthropic_costs([CLAUDE.but(input=10**6, written_1h=10**4)]))

    assert invoice.format == "Anthropic cost export"
    assert {line.meter: line.amount for line in invoice.lines if line.amount} == {
        "input_uncached_tokens": Decimal("3.00"),
        "cache_write_1h_tokens": Decimal("0.06"),
    }
    assert {(line.model, line.quantity, line.currency) for line in invoice.lines} == {
        ("Claude Sonnet 4.5", None, "USD")
    }


def test_focus_names_model_and_meter_where_the_provider_puts_them(read):
    rows = [
        focus_row(
            "2026-06-03",
            "OpenAI",
            BilledCost="1",
            ConsumedQuantity="2",
            ConsumedUnit="Tokens",
            ResourceId="openai/gpt-5.4-mini",
            ResourceType="Model",
            SkuMeter="Input Tokens",
        ),
        focus_row(
            "2026-06-03",
            "AWS",
            BilledCost="1",
            ConsumedQuantity="2",
            ConsumedUnit="1K tokens",
            SkuMeter="USE1-Claude3Sonnet-cache-read-input-token-count",
            ResourceId="arn:aws:bedrock:us-east-1:1:application-inference-profile/x",
        ),
        focus_row(
            "2026-06-03",
            "Microsoft",
            BilledCost="1",
            ConsumedQuantity="2",
            ConsumedUnit="1M",
            SkuMeter="gpt-4o-mini-0718-Batch-Outp-glbl Tokens",
            ResourceId="/subscriptions/1/accounts/shop",
            ResourceType="Cognitive Services",
        ),
        focus_row(
            "2026-06-03",
            "AWS",
            BilledCost="1",
            ConsumedQuantity="2",
            ConsumedUnit="Tokens",
            ResourceId="arn:aws:bedrock:us-east-1::foundation-model/anthropic.claude-3-haiku-20240307-v1:0",
            SkuMeter="Output Tokens",
        ),
    ]
    found = [
        (line.provider, line.model, line.meter, line.quantity, line.service_tier)
        for line in read(focus([], *rows)).lines
    ]

    assert found == [
        ("openai", "gpt-5.4-mini", "input_uncached_tokens", 2, None),
        ("aws", "Claude3Sonnet", "cache_read_tokens", 2000, None),
        ("azure", "gpt-4o-mini-0718", "output_tokens", 2_000_000, "batch"),
        ("aws", "anthropic.claude-3-haiku-20240307-v1:0", "output_tokens", 2, None),
    ]


def test_focus_columns_of_ones_own_go_before_what_is_concluded(read):
    header = "BilledCost,BillingCurrency,ChargeCategory,ChargePeriodStart,ProviderName,SkuMeter"
    own = "x_Model,x_Meter,x_ServiceTier"
    (line,) = read(f"{header},{own}\n1,USD,Usage,2026-06-03,OpenAI,gpt-4o Input,o3,output_text_tokens,Flex\n").lines

    assert (line.model, line.meter, line.service_tier) == ("o3", "output_text_tokens", "flex")


def test_focus_rows_that_are_no_usage_are_credits(read):
    rows = [
        focus_row("2026-06-03", "OpenAI", ChargeCategory=kind, BilledCost="1.5")
        for kind in ("Tax", "Credit", "Purchase")
    ]
    lines = read(focus([], *rows)).lines

    assert [(line.credit, line.meter, line.amount, line.quantity) for line in lines] == [
        (True, "tax", Decimal("1.5"), None),
        (True, "credit", Decimal("1.5"), None),
        (True, "purchase", Decimal("1.5"), None),
    ]


def test_what_is_negative_is_a_credit(read):
    (line,) = read(
        focus([], focus_row("2026-06-03", "OpenAI", BilledCost="-2", SkuMeter="Input Tokens", SkuId="gpt-4o"))
    ).lines

    assert (line.credit, line.model, line.meter) == (True, "gpt-4o", "input_uncached_tokens")


def test_other_services_of_a_cloud_are_left_out(read):
    machine = focus_row("2026-06-03", "AWS", BilledCost="9", ServiceCategory="Compute")
    invoice = read(focus([GPT], machine))

    assert invoice.left_out == 1
    assert {line.provider for line in invoice.lines} == {"openai"}


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
def test_a_file_may_have_a_mark_in_front_other_delimiters_and_other_capitals(read, delimiter):
    text = openai_usage([GPT]).replace(",", delimiter)
    invoice = read(b"\xef\xbb\xbf" + text.replace("start_time", "Start_Time", 1).encode())

    assert by_meter(invoice)["output_tokens"] == 50


@pytest.mark.parametrize(
    ("text", "day"),
    [
        ("2026-06-03", 3),
        ("2026-06-03T23:30:00-01:00", 4),
        ("2026-06-03T00:00Z", 3),
        ("2026-06-03 13:00", 3),
        ("1780444800", 3),
        ("1780444800.0", 3),
    ],
)
def test_days_are_utc_however_they_are_written(read, text, day):
    invoice = read(f"start_time,amount_value,amount_currency\n{text},1,usd\n")

    assert invoice.lines[0].day == date(2026, 6, day)


# --- What cannot be read ------------------------------------------------------------------------------

COSTS = "start_time,amount_value,amount_currency,line_item\n2026-06-03,1,usd,\n"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("date,cost\n2026-06-03,1\n", "no known invoice has these columns: date, cost. Known are"),
        ("", "no known invoice has these columns: none"),
        ("start_time,amount_value,amount_currency\n", "the header of an OpenAI costs export, and no rows"),
        (f"{COSTS}June,1,usd,\n", "row 3, column start_time: 'June' is not a date"),
        (f"{COSTS},1,usd,\n", "row 3, column start_time: '' is not a date"),
        (f"{COSTS}99999999999999999999,1,usd,\n", "is not a date"),
        (f'{COSTS}2026-06-03,"1,000",usd,\n', "row 3, column amount_value: '1,000' is not a number"),
        (f"{COSTS}\n2026-06-03,NaN,usd,\n", "row 4, column amount_value: 'NaN' is not a number"),
        (f"{COSTS}2026-06-03,1e999,usd,\n", "'1e999' is not a number"),
        (f"{COSTS}2026-06-03,1_0,usd,\n", "'1_0' is not a number"),
        (f"{COSTS}2026-06-03,1,,\n", "row 3, column amount_currency: '' is not a currency"),
        (f"{COSTS}2026-06-03,1,usd,,,\n", "row 3: it has 6 cells, the header has 4"),
        (f'{COSTS}2026-06-03,"1"2,usd,\n', "cannot be read as CSV"),
        (COSTS.encode() + b"\xff", "cannot be read as CSV"),
        (
            written(FOCUS, [focus_row("2026-06-03", "", BilledCost="1", ServiceName="")]),
            "row 2: none of .* says who bills",
        ),
    ],
)
def test_what_cannot_be_read_is_told_with_its_place(read, text, message):
    with pytest.raises(InvoiceError, match=message):
        read(text)


def test_an_unknown_header_is_told_with_the_formats_there_are(read):
    with pytest.raises(InvoiceError) as caught:
        read("a,b\n")

    for form in FORMATS:
        assert form.name in str(caught.value)


def test_a_file_that_is_not_there_is_told(tmp_path):
    with pytest.raises(InvoiceError, match=r"none\.csv cannot be read"):
        read_invoice(tmp_path / "none.csv")


def test_each_format_says_where_it_is_from():
    for form in FORMATS:
        assert form.sources
        assert all(source.startswith("https://") for source in form.sources)


@given(st.text(max_size=300))
def test_no_text_breaks_the_reader(tmp_path_factory, text):
    file = tmp_path_factory.mktemp("files") / "any.csv"
    file.write_text(COSTS + text, encoding="utf-8", newline="")

    try:
        invoice = read_invoice(file)
    except InvoiceError:
        return
    assert invoice.lines[0].amount == 1


# --- Names --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "model", "meter", "tier"),
    [
        ("gpt-4o-2024-08-06, cached input", "gpt-4o-2024-08-06", "cache_read_tokens", None),
        ("priority | gpt-5.6-sol, output, long context", "gpt-5.6-sol", "output_tokens", "priority"),
        ("gpt-5.6, cache writes", "gpt-5.6", "cache_write_tokens", None),
        ("gpt-image-1 text, input", "gpt-image-1", "input_uncached_tokens", None),
        ("gpt-image-2 image, output", "gpt-image-2", "output_image_tokens", None),
        ("gpt-audio-mini-2025-12-15 audio, input", "gpt-audio-mini-2025-12-15", "input_audio_tokens", None),
        ("gemini-2.5-flash-image, output", "gemini-2.5-flash-image", "output_tokens", None),
        ("grok-4-fast, input", "grok-4-fast", "input_uncached_tokens", None),
        ("text-embedding-3-small, input", "text-embedding-3-small", "input_uncached_tokens", None),
        ("web search tool calls", None, "web_searches", None),
        ("USE1-Qwen3-32B-output-tokens-batch", "Qwen3-32B", "output_tokens", "batch"),
        ("APN1-Nova2.0Lite-input-tokens-cross-region-global", "Nova2.0Lite", "input_uncached_tokens", None),
        ("gpt 4o 0806 cached Inp glbl Tokens", "gpt 4o 0806", "cache_read_tokens", None),
        ("openai/gpt-5.4-mini/input-tokens/default", "gpt-5.4-mini", "input_uncached_tokens", "standard"),
        (
            "anthropic/claude-opus-4-5/cache_creation.ephemeral_1h_input_tokens/0-200k",
            "claude-opus-4-5",
            "cache_write_1h_tokens",
            None,
        ),
        ("Cache Write Tokens (5m)", None, "cache_write_tokens", None),
        ("input_no_cache", None, "input_uncached_tokens", None),
        ("output_reasoning_tokens", None, "output_reasoning_tokens", None),
        ("Vector storage", None, None, None),
    ],
)
def test_a_text_names_a_model_a_meter_and_a_tier(text, model, meter, tier):
    named = named_in(text)

    assert (named.model, named.meter, named.tier) == (model, meter, tier)


@pytest.mark.parametrize(
    "names",
    [
        ("gpt-4o", "gpt-4o-2024-08-06", "gpt 4o 0806", "openai/gpt-4o", "GPT-4o"),
        ("Claude Haiku 4.5", "claude-haiku-4-5-20251001", "us.anthropic.claude-haiku-4-5-20251001-v1:0"),
        ("claude-3-5-sonnet-latest", "claude-3-5-sonnet@20240620", "Claude 3.5 Sonnet"),
        ("Claude Sonnet 4", "claude-sonnet-4-20250514", "claude-sonnet-4-0"),
        ("gemini-2.0-flash", "gemini-2.0-flash-001"),
    ],
)
def test_names_of_one_model_have_one_stem(names):
    assert len({stem(name) for name in names}) == 1


def test_different_models_have_different_stems():
    names = ("gpt-4o", "gpt-4o-mini", "gpt-4.1", "gpt-4", "o1", "o1-mini", "claude-sonnet-4", "claude-sonnet-4-5")

    assert len({stem(name) for name in names}) == len(names)


def test_names_that_both_sides_know_stay_apart():
    dated = {"gpt-4o-2024-08-06", "gpt-4o-2024-05-13"}

    assert aliases(dated, dated) == {name: name for name in dated}
    assert aliases(dated, {"gpt-4o-2024-08-06"}) == {name: name for name in dated}
    assert aliases(dated, {"gpt-4o"}) == dict.fromkeys((*dated, "gpt-4o"), "gpt-4o")
    assert aliases({"gpt-4o-2024-08-06"}, {"gpt-4o"}) == dict.fromkeys(
        ("gpt-4o-2024-08-06", "gpt-4o"), "gpt-4o-2024-08-06"
    )
