"""A real OpenAI client with its OpenTelemetry instrumentation, against a local server that answers like the API."""

from decimal import Decimal

import pytest
from support.llm_api import serving
from support.process import run_python

BY_HAND = """
from opentelemetry.instrumentation.genai.openai import OpenAIInstrumentor
OpenAIInstrumentor().instrument()
"""

ALL_THAT_ARE_INSTALLED = "botanu.enable(instrument=True)"

PROGRAM = """
import sys
import botanu
import openai
TURN_ON
client = openai.OpenAI(base_url=sys.argv[1] + "/v1", api_key="none", max_retries=0)
asked = [{"role": "user", "content": "private words"}]

@botanu.botanu_workflow("answer", event_id=lambda number, *_: number, customer_id="acme")
def answer(number, model):
    client.chat.completions.create(model=model, messages=asked)
"""

CALLS = """
answer(1, "gpt-4o")
answer(2, "gpt-4o-mini")
try:
    answer(3, "overloaded")
except openai.RateLimitError:
    pass
"""

EVERY_WAY = """
with botanu.run_botanu("answer", event_id="e", customer_id="acme"):
    client.chat.completions.create(model="gpt-4o", messages=asked)
    list(client.chat.completions.create(
        model="gpt-4o", messages=asked, stream=True, stream_options={"include_usage": True}
    ))
    client.responses.create(model="gpt-4o", input="private words")
    list(client.responses.create(model="gpt-4o", input="private words", stream=True))
"""


def answer(path, asked):
    """Turn one model away; otherwise 1,200 input tokens and 300 output tokens, whatever was asked."""
    if asked["model"] == "overloaded":
        return 429, {"error": {"message": "slow down", "type": "requests", "code": "rate_limit_exceeded"}}
    model = {"gpt-4o": "gpt-4o-2024-08-06"}.get(asked["model"], asked["model"])
    if path.endswith("/responses"):
        return response(model, stream=asked.get("stream"))
    usage = {"prompt_tokens": 1200, "completion_tokens": 300, "total_tokens": 1500}
    about = {"id": "chatcmpl-1", "created": 1, "model": model}
    if asked.get("stream"):
        usage |= {
            "prompt_tokens_details": {"cached_tokens": 1000},
            "completion_tokens_details": {"reasoning_tokens": 200},
        }
        said = {"index": 0, "finish_reason": "stop", "delta": {"role": "assistant", "content": "private answer"}}
        return [about | {"choices": [said]}, about | {"choices": [], "usage": usage}]
    said = {"index": 0, "finish_reason": "stop", "message": {"role": "assistant", "content": "private answer"}}
    return about | {"object": "chat.completion", "choices": [said], "usage": usage}


def response(model, *, stream):
    """Answer as the Responses API does: 1,000 of the input tokens come from the cache, 200 of the output reason."""
    text = {"type": "output_text", "text": "private answer", "annotations": []}
    whole = {
        "id": "resp-1",
        "object": "response",
        "created_at": 1,
        "model": model,
        "status": "completed",
        "output": [
            {"type": "message", "id": "m", "role": "assistant", "status": "completed", "content": [text]},
        ],
        "parallel_tool_calls": True,
        "tool_choice": "auto",
        "tools": [],
        "usage": {
            "input_tokens": 1200,
            "input_tokens_details": {"cached_tokens": 1000},
            "output_tokens": 300,
            "output_tokens_details": {"reasoning_tokens": 200},
            "total_tokens": 1500,
        },
    }
    created = whole | {"status": "in_progress", "output": [], "usage": None}
    kinds = (("response.created", created), ("response.completed", whole))
    events = [{"type": kind, "sequence_number": n, "response": body} for n, (kind, body) in enumerate(kinds)]
    return events if stream else whole


@pytest.fixture
def api():
    with serving(answer) as address:
        yield address


@pytest.mark.parametrize("turn_on", [BY_HAND, ALL_THAT_ARE_INSTALLED], ids=["by hand", "by enable"])
def test_tokens_arrive_and_the_cost_is_what_the_price_list_says(served, api, turn_on):
    """gpt-4o: 2.50 and 10 dollars a million; 1,200 x 2.50 + 300 x 10 = 6,000 millionths of a dollar.

    gpt-4o-mini: 0.15 and 0.60; 1,200 x 0.15 + 300 x 0.60 = 360 millionths. (https://openai.com/api/pricing)
    """
    run_python(PROGRAM.replace("TURN_ON", turn_on) + CALLS, api, BOTANU_ENDPOINT=served.url)

    calls = """SELECT model, provider, input_tokens, output_tokens, cost, run_id IS NOT NULL
      FROM spans WHERE counted ORDER BY start_time"""
    assert served.sql(calls) == [
        ["gpt-4o-2024-08-06", "openai", 1200, 300, 0.006, True],
        ["gpt-4o-mini", "openai", 1200, 300, 0.00036, True],
    ]
    runs = "SELECT event_id, outcome_status, outcome_reason, total_cost, unpriced_calls FROM runs ORDER BY start_time"
    assert served.sql(runs) == [
        ["1", "success", None, 0.006, 0],
        ["2", "success", None, 0.00036, 0],
        ["3", "failed", "RateLimitError", 0, 0],
    ]
    items = served.sql(
        "SELECT meter, quantity, unit_price, per, amount FROM line_items WHERE event_id = '1' ORDER BY meter"
    )
    assert items == [
        ["input_uncached_tokens", 1200, 2.5, 1_000_000, 0.003],
        ["output_text_tokens", 300, 10, 1_000_000, 0.003],
    ]
    assert sum(Decimal(str(item[-1])) for item in items) == Decimal("0.006")
    assert "private" not in str(served.sql("SELECT * FROM spans"))


def test_streams_and_responses_are_metered_with_what_came_from_the_cache(served, api):
    """gpt-4o's cached input costs 1.25 dollars a million: 200 x 2.50 + 1,000 x 1.25 + 300 x 10 = 4,750 millionths."""
    run_python(PROGRAM.replace("TURN_ON", ALL_THAT_ARE_INSTALLED) + EVERY_WAY, api, BOTANU_ENDPOINT=served.url)

    assert served.sql("SELECT input_tokens, output_tokens, cost FROM spans WHERE counted ORDER BY start_time") == [
        [1200, 300, 0.006],
        [1200, 300, 0.00475],
        [1200, 300, 0.00475],
        [1200, 300, 0.00475],
    ]
    assert served.sql("SELECT meter, sum(quantity) FROM line_items GROUP BY meter ORDER BY meter") == [
        ["cache_read_tokens", 3000],
        ["input_uncached_tokens", 1800],
        ["output_reasoning_tokens", 600],
        ["output_text_tokens", 600],
    ]
    assert served.sql("SELECT total_cost, unpriced_calls FROM runs") == [[0.02025, 0]]
    assert "private" not in str(served.sql("SELECT * FROM spans"))
