import asyncio

import numpy as np
import pytest
from opentelemetry.trace import SpanKind

from botanu import run_botanu, semconv, track_llm_call


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


def test_a_call_that_fails_says_so_and_the_exception_goes_on(runs):
    with pytest.raises(ConnectionError, match="secret"), track_llm_call(provider="openai", model="m"):
        raise ConnectionError("secret")

    (span,) = runs.spans()
    assert span.attributes[semconv.ERROR_TYPE] == "ConnectionError"
    assert "secret" not in span.to_json()


def test_a_call_whose_consumer_stops_early_is_no_failed_call(runs):
    def stream():
        with track_llm_call(provider="openai", model="m"):
            yield "a"

    next(stream())

    (span,) = runs.spans()
    assert semconv.ERROR_TYPE not in span.attributes
    assert span.status.is_unset


def test_counts_of_other_libraries_are_whole_numbers_and_others_are_left_out(runs, lenient, caplog):
    with track_llm_call(provider="openai", model="m") as call:
        call.set_tokens(np.int64(7), 2.5)

    (span,) = runs.spans()
    assert span.attributes[semconv.GEN_AI_INPUT_TOKENS] == 7
    assert semconv.GEN_AI_OUTPUT_TOKENS not in span.attributes
    assert "gen_ai.usage.output_tokens must be a whole number, not float: not recorded" in caplog.text


def test_calls_inside_a_call_are_its_children(runs):
    with track_llm_call(provider="openai", model="outer"), track_llm_call(provider="openai", model="inner"):
        pass

    outer, inner = runs.spans()
    assert inner.parent.span_id == outer.context.span_id
