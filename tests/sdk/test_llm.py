import asyncio
import enum

import numpy as np
import pytest
from opentelemetry.trace import SpanKind

from botanu import IdentityError, run_botanu, semconv, track_llm_call
from botanu.sdk.encoding import encode_spans


def test_a_tracked_call_writes_the_conventions_names(runs):
    with run_botanu("w", event_id="e", customer_id="c"), track_llm_call(provider="anthropic", model="claude-x") as call:
        call.set_tokens(100, 20, cache_read_tokens=60, cache_write_tokens=0, reasoning_tokens=5)
        call.set_response(model="claude-x-1", response_id="msg_1")

    (span,) = runs.only().spans[1:]
    assert span.name == "chat claude-x"
    assert span.kind is SpanKind.CLIENT
    assert {name: value for name, value in span.attributes.items() if name.startswith("gen_ai.")} == {
        "gen_ai.operation.name": "chat",
        "gen_ai.provider.name": "anthropic",
        "gen_ai.request.model": "claude-x",
        "gen_ai.response.model": "claude-x-1",
        "gen_ai.response.id": "msg_1",
        "gen_ai.usage.input_tokens": 100,
        "gen_ai.usage.output_tokens": 20,
        "gen_ai.usage.cache_read.input_tokens": 60,
        "gen_ai.usage.cache_creation.input_tokens": 0,
        "gen_ai.usage.reasoning.output_tokens": 5,
    }


def test_tokens_that_are_not_known_stay_away(runs):
    async def work():
        async with track_llm_call(provider="openai", model="m", operation="embeddings") as call:
            call.set_tokens(7)

    asyncio.run(work())

    (span,) = runs.spans()
    assert span.attributes[semconv.GEN_AI_INPUT_TOKENS] == 7
    assert semconv.GEN_AI_OUTPUT_TOKENS not in span.attributes
    assert span.attributes[semconv.GEN_AI_OPERATION_NAME] == "embeddings"


@pytest.mark.parametrize(
    "call",
    [
        lambda: track_llm_call("openai", "gpt-4o"),
        lambda: track_llm_call(provider="openai", model="gpt-4o"),
        lambda: track_llm_call(vendor="openai", model="gpt-4o"),
    ],
)
def test_the_provider_may_be_called_vendor(runs, call):
    with call():
        pass

    (span,) = runs.spans()
    assert span.name == "chat gpt-4o"
    assert span.attributes[semconv.GEN_AI_PROVIDER_NAME] == "openai"


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"model": "m"}, "provider= must be given, or vendor="),
        ({"vendor": "", "model": "m"}, "provider must not be empty"),
        ({"provider": "p", "vendor": "p", "model": "m"}, "not both"),
        ({"provider": ["p"], "model": "m"}, "provider must be text or a number, not list"),
        ({"provider": "p"}, "model must be text or a number, not NoneType"),
        ({"provider": "p", "model": "m", "operation": ""}, "operation must not be empty"),
        ({"provider": "p", "model": "m", "service_tier": ["flex"]}, "service_tier must be text or a number, not list"),
    ],
)
def test_a_call_that_names_nobody_is_refused_where_it_is_written(given, message):
    with pytest.raises(IdentityError, match=message):
        track_llm_call(**given)


def test_names_are_text_that_can_be_sent(runs):
    class Model(str, enum.Enum):  # noqa: UP042 - as programs have them
        SMALL = "small"

    with track_llm_call(vendor="half \ud83d", model=Model.SMALL) as call:
        call.set_response(model=Model.SMALL, response_id=17)

    (span,) = runs.spans()
    assert span.name == "chat small"
    assert span.attributes[semconv.GEN_AI_PROVIDER_NAME] == "half ?"
    assert span.attributes[semconv.GEN_AI_RESPONSE_MODEL] == "small"
    assert span.attributes[semconv.GEN_AI_RESPONSE_ID] == "17"


def test_a_response_that_has_no_name_for_itself_is_left_out(runs, lenient, caplog):
    with track_llm_call("openai", "m") as call:
        call.set_response(model=object(), response_id=None)

    (span,) = runs.spans()
    assert semconv.GEN_AI_RESPONSE_MODEL not in span.attributes
    assert "gen_ai.response.model must be text, not object: not recorded" in caplog.text


@pytest.mark.parametrize(
    ("asked", "answered", "tier"),
    [
        (None, None, None),
        ("", None, None),
        ("batch", None, "batch"),
        (None, "flex", "flex"),
        ("priority", "default", "default"),
        ("flex", "", "flex"),
    ],
)
def test_the_service_tier_is_that_which_answered_or_else_the_one_asked_for(runs, asked, answered, tier):
    with track_llm_call("openai", "m", service_tier=asked) as call:
        call.set_response(service_tier=answered or None)

    (span,) = runs.spans()
    assert span.attributes.get(semconv.SERVICE_TIER) == tier


def test_a_service_tier_is_what_the_call_is_priced_at(runs, server, sql):
    """1,000 input tokens at 0.125 dollars for a million and 100 output tokens at 1: half the standard price."""
    with run_botanu("w", event_id="e", customer_id="c"):
        with track_llm_call("openai", "gpt-5-mini", service_tier="flex") as call:
            call.set_tokens(1000, 100)
        with track_llm_call("openai", "gpt-5-mini", service_tier="flex") as call:
            call.set_tokens(1000, 100).set_response(service_tier="default")
    body = encode_spans(runs.only().spans)
    server.post("/v1/traces", content=body, headers={"content-type": "application/x-protobuf"}).raise_for_status()

    rows = sql("SELECT service_tier, cost::VARCHAR FROM spans WHERE counted ORDER BY cost")
    assert rows == [["flex", "0.000225000"], [None, "0.000450000"]]


class Odd:
    def __index__(self):
        raise RuntimeError


def test_a_whole_number_may_come_as_a_float(runs):
    with run_botanu("w", event_id="e", customer_id="c"), track_llm_call("openai", "gpt-4o") as call:
        call.set_tokens(1000.0, 7)

    (_, span) = runs.only().spans
    assert span.attributes[semconv.GEN_AI_INPUT_TOKENS] == 1000


@pytest.mark.parametrize("count", [2.5, -1, True, 2**63, "7", Odd(), float("nan"), 10**400])
def test_what_counts_no_tokens_is_left_out_and_that_is_logged_once(runs, lenient, caplog, monkeypatch, count):
    monkeypatch.setattr("botanu.sdk.guard.guard._said", set())
    with track_llm_call(provider="openai", model="m") as call:
        for _ in range(3):
            call.set_tokens(np.int64(7), count)

    (span,) = runs.spans()
    assert span.attributes[semconv.GEN_AI_INPUT_TOKENS] == 7
    assert semconv.GEN_AI_OUTPUT_TOKENS not in span.attributes
    (record,) = caplog.records
    assert record.getMessage().startswith("gen_ai.usage.output_tokens must be a whole number from 0, not ")
