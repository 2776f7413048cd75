"""A real OpenAI client with its OpenTelemetry instrumentation, against a local server that answers like the API."""

from decimal import Decimal

import pytest
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
