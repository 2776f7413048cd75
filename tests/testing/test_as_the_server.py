"""A captured call is what the server makes of the same span, in all ways there are to record one."""

import json
import math
from dataclasses import asdict
from datetime import UTC, datetime
from decimal import Decimal

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st
from opentelemetry import trace
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.trace import StatusCode

from botanu import (
    record_cost,
    record_usage,
    run_botanu,
    semconv,
    track_db_operation,
    track_llm_call,
    track_tool_call,
)
from botanu.ingest.costs import add_costs
from botanu.ingest.dialects import CALL_OPERATIONS, DIALECTS, ROLL_UP_OPERATIONS, USAGE
from botanu.ingest.normalise import normalise
from botanu.ingest.otlp import PROTOBUF, decode, flatten
from botanu.pricing.catalog import Catalog
from botanu.pricing.money import round_to_nano
from botanu.pricing.price_list import PriceList
from botanu.sdk.encoding import encode_spans
from botanu.testing.calls import call_of

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
PRICES = PriceList(Catalog())


def ingested(span):
    """Return what the server makes of *span*: the columns that it reads, and those that pricing adds."""
    flat, refusals = flatten([decode(encode_spans([span]), PROTOBUF)])
    assert refusals == [None]
    read = normalise(flat, NOW)
    columns, _ = add_costs(read, PRICES)
    row = {name: column.to_pylist()[0] for name, column in columns.items() if isinstance(column, pa.Array)}
    if row["counted"] and row["operation"] in ROLL_UP_OPERATIONS:  # of the meters only two have columns after pricing
        row |= {meter: None for bit, meter in enumerate(USAGE) if not row["own_usage"] >> bit & 1}
    return row


def assert_the_same(span):
    """Assert that *span* is a call as captured if it is one on the server, and the same one."""
    call, row = call_of(span), ingested(span)
    if call is None:
        assert not row["counted"]
        return
    assert call.counted is bool(row["counted"])
    assert (call.provider, call.model) == (row["provider"], row["model"])
    assert (call.operation, call.error_type) == (row["operation"], row["error_type"])
    tokens = asdict(call.tokens)
    assert tokens == {meter: row[meter] for meter in tokens}
    assert tokens.keys() | {"requests"} == set(USAGE)
    assert_the_same_usage(call, row)
    is_ours = call.currency == "USD"
    assert (row["cost_source"] == "reported") == is_ours
    if is_ours:
        assert (row["cost"], row["currency"], row["priced"]) == (round_to_nano(call.cost), "USD", True)
    elif call.cost is not None:
        assert (row["cost"], row["priced"]) == (None, False)


def assert_the_same_usage(call, row):
    """Assert that what is not in a column is what the server has left, and the other way round."""
    if row["requests"] is not None:
        assert call.usage["requests"] == row["requests"]
    taken = {meter for meter in USAGE if row[meter] is not None}
    left = json.loads(row["attributes"] or "{}")
    names = (name for name in left if name.startswith(semconv.USAGE))
    meters = {meter for name in names if (meter := name.removeprefix(semconv.USAGE)) not in taken}
    assert call.usage.keys() - taken == meters
    assert {meter: as_json(call.usage[meter]) for meter in meters} == {
        meter: left[semconv.USAGE + meter] for meter in meters
    }


def as_json(value):
    """Return *value* as the server keeps it."""
    if isinstance(value, float) and not math.isfinite(value):
        return {"nan": "NaN", "inf": "Infinity"}[str(value)]
    return list(value) if isinstance(value, tuple) else value


# --- What botanu records ------------------------------------------------------------------------------


def model_call():
    with track_llm_call(provider="openai", model="gpt-4o") as call:
        call.set_tokens(1200, 300, cache_read_tokens=1000, cache_write_tokens=10, reasoning_tokens=0)
        call.set_response(model="gpt-4o-2024-08-06", response_id="r-1")


def failed_model_call():
    with track_llm_call(provider="openai", model="gpt-4o", operation="embeddings") as call:
        call.set_error("rate_limited")


def failed_model_call_with_usage():
    with track_llm_call(provider="openai", model="gpt-4o") as call:
        call.set_tokens(1200, 0).set_error("rate_limited")


def model_call_of_no_usage():
    with track_llm_call(provider="openai", model="gpt-4o"):
        pass


def model_call_with_cost_and_usage():
    with track_llm_call(vendor="openai", model="gpt-4o") as call:
        call.set_tokens(1200, 300)
        record_usage(pages=3, output_tokens=400, requests=2)
        record_cost("0.0100000000000005")
        record_cost("0.02")


def tool_call():
    with track_tool_call("search"):
        pass


def tool_call_with_usage():
    with track_tool_call("search", provider="acme"):
        record_usage(searches=2)


def tool_call_with_usage_of_tokens():
    with track_tool_call("search", provider="acme"):
        record_usage(input_tokens=2)


def tool_call_with_cost_of_another():
    with track_tool_call("search", provider="acme"):
        record_cost("0.3", provider="other", model="m")


def tool_call_with_cost():
    with track_tool_call("search", vendor="acme"):
        record_cost(0.1)
        record_cost(0.2)


def usage_on_its_own():
    record_usage(provider="ocr", pages=3, input_tokens=7.0, seconds=1.5)


def nothing_used():
    record_usage(pages=0)


def usage_of_a_model_on_its_own():
    record_usage(provider="openai", model="gpt-4o", input_tokens=1000, output_tokens=10)


def cost_on_its_own():
    record_cost("0.045", provider="ocr")


def cost_in_another_currency():
    record_cost("0.045", "eur", vendor="ocr")


def cost_beyond_what_the_server_takes():
    record_cost("1e12")


def cost_on_a_database_operation():
    with track_db_operation("snowflake", "SELECT"):
        record_cost("0.002")


RECORDED = (
    model_call,
    failed_model_call,
    failed_model_call_with_usage,
    model_call_of_no_usage,
    model_call_with_cost_and_usage,
    tool_call,
    tool_call_with_usage,
    tool_call_with_usage_of_tokens,
    tool_call_with_cost_of_another,
    tool_call_with_cost,
    usage_on_its_own,
    nothing_used,
    usage_of_a_model_on_its_own,
    cost_on_its_own,
    cost_in_another_currency,
    cost_beyond_what_the_server_takes,
    cost_on_a_database_operation,
)


@pytest.mark.parametrize("record", RECORDED)
def test_what_botanu_records_is_the_same(runs, record):
    with run_botanu("w", event_id="e", customer_id="c"):
        record()

    run = runs.only()
    assert len(run.spans) > 1
    for span in run.spans:
        assert_the_same(span)


def test_a_run_has_the_calls_that_the_server_counts_and_they_cost_what_it_says(runs, server, sql):
    with run_botanu("w", event_id="e", customer_id="c"):
        for record in RECORDED:
            record()
    run = runs.only()
    body = encode_spans(run.spans)
    sent = server.post("/v1/traces", content=body, headers={"content-type": "application/x-protobuf"})
    assert sent.status_code == 200

    counted = {f"{call.span.context.span_id:016x}": call for call in run.calls if call.counted}
    rows = sql("SELECT span_id, provider, model, operation, error_type, cost_source FROM spans WHERE counted")
    assert {row[0]: row[1:5] for row in rows} == {
        span_id: [call.provider, call.model, call.operation, call.error_type] for span_id, call in counted.items()
    }
    assert sql("SELECT calls FROM runs") == [[len(counted)]]
    assert {row[0] for row in rows if row[5] == "reported"} == {
        span_id for span_id, call in counted.items() if call.currency == "USD"
    }
    total = sum(round_to_nano(call.cost) for call in counted.values() if call.currency == "USD")
    assert sql("SELECT sum(cost)::VARCHAR FROM spans WHERE cost_source = 'reported'") == [[f"{total:.9f}"]]


# --- What others write --------------------------------------------------------------------------------

GEN_AI = {
    "gen_ai.operation.name": "chat",
    "gen_ai.provider.name": "openai",
    "gen_ai.request.model": "gpt-4o",
    "gen_ai.usage.input_tokens": 12,
}


@pytest.mark.parametrize(
    "attributes",
    [
        GEN_AI,
        {**GEN_AI, "botanu.provider": "azure", "gen_ai.system": "openai"},
        {**GEN_AI, "gen_ai.response.model": ""},
        {**GEN_AI, "gen_ai.usage.input_tokens": "12", "botanu.usage.input_tokens": 1.5},
        {**GEN_AI, "gen_ai.usage.input_tokens": -1, "gen_ai.usage.prompt_tokens": 7},
        {**GEN_AI, "gen_ai.operation.name": "invoke_agent"},
        {**GEN_AI, "gen_ai.operation.name": "invoke_agent", "botanu.usage.searches": 1},
        {**GEN_AI, "gen_ai.operation.name": "execute_tool", "botanu.cost.amount": "0.01"},
        {**GEN_AI, "botanu.cost.amount": 0.1, "botanu.cost.currency": "usd"},
        {**GEN_AI, "botanu.cost.amount": "much", "botanu.cost.currency": "USD"},
        {**GEN_AI, "botanu.cost.amount": "0.1", "botanu.cost.currency": ["USD"]},
        {"gen_ai.system": "Anthropic", "llm.request.type": "chat", "gen_ai.usage.completion_tokens": 3},
        {"gen_ai.usage.cache_write.input_tokens": 5, "gen_ai.usage.cache_creation.input_tokens": 6},
        {
            "openinference.span.kind": "LLM",
            "llm.provider": "openai",
            "llm.model_name": "gpt-4o",
            "llm.token_count.prompt": 12,
        },
        {"openinference.span.kind": "LLM", **GEN_AI},
        {"botanu.usage.pages": 0, "botanu.usage.requests": 0},
        {"botanu.usage.pages": True},
        {"botanu.usage.__class__": 1},
    ],
)
@pytest.mark.parametrize("failed", [False, True])
def test_what_others_write_is_the_same(runs, attributes, failed):
    with (
        run_botanu("w", event_id="e", customer_id="c"),
        trace.get_tracer("theirs").start_as_current_span("s", attributes=attributes) as span,
    ):
        if failed:
            span.set_status(StatusCode.ERROR)

    assert_the_same(runs.only().spans[1])


NAMES = sorted(
    {
        name
        for dialect in DIALECTS
        for column, names in dialect.attributes.items()
        for name in names
        if column in {"operation", "provider", "request_model", "response_model", "error_type", *USAGE}
    }
)
DIGITS = st.text("0123456789", min_size=1, max_size=12)
MONEY = st.one_of(
    st.from_regex(r"\A[0-9]{1,10}(\.[0-9]{1,14})?([eE][-+]?[0-9]{1,2})?\Z"),
    st.decimals(0, 10**9, places=10).map("{:f}".format),
    st.sampled_from(["999999999.9999999994", "999999999.9999999995", "-1", "+1", " 1", "1.", ".5", "٣", "", "nan"]),
    st.floats(0, 1e10),
    st.sampled_from([-0.0, -1.0, float("nan"), float("inf"), 5e-324, True]),
    st.integers(-1, 10**10),
)
COUNTS = st.one_of(
    st.integers(-2, 10**12 + 2),
    st.integers(-2, 5).map(float),
    st.sampled_from([1.5, 1e12, 2e12, float("nan"), float("inf"), "٣", "-1", "1.0", " 1", "", True]),
    DIGITS,
    st.lists(st.integers(0, 3), max_size=2),
)
WORDS = st.one_of(
    st.sampled_from([*CALL_OPERATIONS, *ROLL_UP_OPERATIONS, "openai", "gpt-4o", "USD", "usd", "EUR", ""]),
    st.booleans(),
    st.integers(-5, 5),
    st.sampled_from([0.5, 1.0, -2.25]),
    st.just(["x"]),
)
ATTRIBUTES = st.builds(
    lambda words, counts, others, amount: {**words, **counts, **others, **amount},
    st.dictionaries(st.sampled_from([name for name in NAMES if ".usage." not in name]), WORDS, max_size=4),
    st.dictionaries(st.sampled_from([name for name in NAMES if ".usage." in name]), COUNTS, max_size=4),
    st.dictionaries(st.sampled_from([semconv.USAGE + meter for meter in ("pages", "seconds")]), COUNTS, max_size=2),
    st.fixed_dictionaries({}, optional={semconv.COST_AMOUNT: MONEY, semconv.COST_CURRENCY: WORDS}),
)


@given(ATTRIBUTES, st.sampled_from(StatusCode))
def test_whatever_a_span_holds_is_read_the_same(attributes, status):
    span = TracerProvider().get_tracer("t").start_span("s", attributes=attributes)
    span.set_status(status)
    span.end()

    assert_the_same(span)


def test_what_a_call_cost_is_exact(runs):
    with run_botanu("w", event_id="e", customer_id="c"):
        model_call_with_cost_and_usage()

    (call,) = runs.only().calls
    assert (call.cost, call.currency) == (Decimal("0.0300000000000005"), "USD")
    assert ingested(call.span)["cost"] == Decimal("0.030000000")
