"""A captured call is what the server makes of the same span, in all ways there are to record one."""

from dataclasses import fields
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from opentelemetry import trace
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.trace import StatusCode
from support.captured import ATTRIBUTES, assert_the_same, ingested

from botanu import record_cost, record_usage, run_botanu, track_db_operation, track_llm_call, track_tool_call
from botanu.ingest.dialects import BESIDE_SCOPES, METERED, OWN_RESPONSE_IDS
from botanu.pricing.money import round_to_nano
from botanu.sdk.encoding import encode_spans
from botanu.testing.calls import Tokens


def test_every_meter_of_tokens_has_a_field():
    assert {each.name for each in fields(Tokens)} == {meter for meter in METERED if meter.endswith("_tokens")}


# --- What botanu records ------------------------------------------------------------------------------


def model_call():
    with track_llm_call(provider="openai", model="gpt-4o") as call:
        call.set_tokens(1200, 300, cache_read_tokens=1000, cache_write_tokens=10, reasoning_tokens=0)
        call.set_response(model="gpt-4o-2024-08-06", response_id="r-1")


def model_call_at_a_service_tier():
    with track_llm_call(provider="openai", model="gpt-5-mini", service_tier="flex") as call:
        call.set_tokens(1200, 300)


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


def usage_by_the_names_of_line_items():
    with track_llm_call(provider="openai", model="gpt-4o"):
        record_usage(input_uncached_tokens=400, cache_read_tokens=600, output_text_tokens=5, web_searches=1)


def usage_of_services():
    with track_db_operation("snowflake", "SELECT") as query:
        query.set_rows(returned=5).set_bytes(scanned=2**30)
        record_usage(gpu_seconds=0.25)


def a_query_that_nobody_bills():
    with track_db_operation("postgresql", "SELECT") as query:
        query.set_rows(returned=5)


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
    model_call_at_a_service_tier,
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
    usage_by_the_names_of_line_items,
    usage_of_services,
    a_query_that_nobody_bills,
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
        {"openinference.span.kind": "TOOL", "llm.cost.total": 0.5},
        {"openinference.span.kind": "AGENT", "llm.cost.total": 0.5, "botanu.usage.pages": 2},
        {**GEN_AI, "gen_ai.usage.cost": 0.01},
        {**GEN_AI, "gen_ai.usage.cost": 0},
        {"gen_ai.usage.cost": "0.0000000005"},
        {"gen_ai.usage.cost": "0.0000000006"},
        {**GEN_AI, "gen_ai.usage.cost": 0, "litellm.cache_hit": "True"},
        {**GEN_AI, "gen_ai.usage.cost": 0.01, "botanu.cost.amount": "unknown"},
        {"gen_ai.usage.cost.amount": 0.2, "gen_ai.usage.cost.currency": "USD"},
        {"gen_ai.usage.cost.amount": 0.2, "gen_ai.usage.cost.currency": "EUR", "botanu.cost.amount": "0.1"},
        {**GEN_AI, "openai.response.service_tier": "default"},
        {**GEN_AI, "openai.response.service_tier": "Flex", "gen_ai.usage.output_tokens": 1},
        {"ai.operationId": "ai.generateText", "ai.usage.inputTokens": 5},
        {
            "ai.operationId": "ai.generateText.doGenerate",
            "ai.model.provider": "openai.chat",
            "ai.response.providerMetadata": '{"openai": {"cachedPromptTokens": 3, "serviceTier": "priority"}}',
        },
        {
            "langfuse.observation.type": "generation",
            "langfuse.observation.usage_details": '{"input": 60, "output": 15, "input_cached_tokens": 40}',
            "langfuse.observation.cost_details": '{"input": 0.1, "output": 0.02}',
        },
        {"gen_ai.usage.raw": '{"input_tokens": 5, "cache_read_input_tokens": 7, "cache_creation_input_tokens": 0}'},
        {"gen_ai.usage.raw": '{"input_tokens": 5, "input_tokens_details": {"cached_tokens": 3}}'},
        {"mlflow.spanType": '"CHAT_MODEL"', "mlflow.llm.model": '"gpt-4o"', "mlflow.llm.cost": '{"total_cost": 0.3}'},
        {"db.system.name": "postgresql", "db.response.returned_rows": 5},
        {"db.system.name": "postgresql", "db.response.returned_rows": 5, "botanu.usage.rows": 4},
        {"db.system.name": "postgresql", "db.response.returned_rows": 5, "botanu.usage.rows": "unknown"},
        {"pinecone.usage.read_units": 0.5, "botanu.usage.gpu_seconds": "0.25", "botanu.usage.images": 2},
        {
            "botanu.usage.input_uncached_tokens": 5,
            "botanu.usage.cached_tokens": 7,
            "botanu.usage.output_text_tokens": 1,
        },
        {"botanu.usage.cached_tokens": "unknown"},
        {"botanu.usage.pages": 0, "botanu.usage.requests": 0},
        {"botanu.usage.pages": True},
        {"botanu.usage.__class__": 1},
        {"botanu.usage.reported_cost": 1},
        {"botanu.usage.pages": 10**12, "botanu.usage.input_tokens": 10**15 + 1},
        {"botanu.usage.pages": 10**12 - 1, "botanu.usage.input_tokens": 10**15, "botanu.usage.output_tokens": "9" * 15},
        {"botanu.usage.searches": "9" * 12, "botanu.usage.gpu_seconds": "999999999999.5"},
        {"botanu.usage.cached_tokens": 7, "botanu.usage.cache_read_tokens": 8},
        {"gen_ai.operation.name": "invoke_agent", "botanu.usage.requests": 0, "botanu.usage.pages": 2},
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


@given(ATTRIBUTES, st.sampled_from(["t", *OWN_RESPONSE_IDS]), st.sampled_from(StatusCode))
def test_whatever_a_span_holds_is_read_the_same(attributes, scope, status):
    span = TracerProvider().get_tracer(scope).start_span("s", attributes=attributes)
    span.set_status(status)
    span.end()

    assert_the_same(span)


@pytest.mark.parametrize("scope", [*BESIDE_SCOPES, *OWN_RESPONSE_IDS])
@pytest.mark.parametrize(
    "attributes",
    [
        {**GEN_AI, "gen_ai.usage.cache_read.input_tokens": 40},
        {**GEN_AI, "gen_ai.usage.raw": '{"input_tokens": 7, "cache_read_input_tokens": 3}'},
        {"gen_ai.operation.name": "chat", "gen_ai.response.id": "r-1"},
        {"gen_ai.operation.name": "chat", "gen_ai.response.time_to_first_chunk": 0.5},
    ],
)
def test_what_some_instrumentations_mean_otherwise_is_read_the_same(attributes, scope):
    span = TracerProvider().get_tracer(scope).start_span("s", attributes=attributes)
    span.set_status(StatusCode.ERROR)
    span.end()

    assert_the_same(span)


def test_what_a_call_cost_is_exact(runs):
    with run_botanu("w", event_id="e", customer_id="c"):
        model_call_with_cost_and_usage()

    (call,) = runs.only().calls
    assert (call.cost, call.currency) == (Decimal("0.0300000000000005"), "USD")
    assert ingested(call.span)["cost"] == Decimal("0.030000000")
