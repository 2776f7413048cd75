"""A real OpenAI client with its OpenTelemetry instrumentation, against a local server that answers like the API."""

from decimal import Decimal

import pytest
from support.process import run_python

PROGRAM = """
import sys
import botanu
import openai
from opentelemetry.instrumentation.openai_v2 import OpenAIInstrumentor

OpenAIInstrumentor().instrument()
client = openai.OpenAI(base_url=sys.argv[1], api_key="none", max_retries=0)

@botanu.botanu_workflow("answer", event_id=lambda number, *_: number, customer_id="acme")
def answer(number, model):
    client.chat.completions.create(model=model, messages=[{"role": "user", "content": "private words"}])

answer(1, "gpt-4o")
answer(2, "gpt-4o-mini")
try:
    answer(3, "overloaded")
except openai.RateLimitError:
    pass
"""


@pytest.mark.parametrize("opt_in", ["", "gen_ai_latest_experimental"])
def test_tokens_arrive_and_the_cost_is_what_the_price_list_says(served, api, opt_in):
    """gpt-4o: 2.50 and 10 dollars a million; 1,200 x 2.50 + 300 x 10 = 6,000 millionths of a dollar.

    gpt-4o-mini: 0.15 and 0.60; 1,200 x 0.15 + 300 x 0.60 = 360 millionths. (https://openai.com/api/pricing)
    """
    run_python(PROGRAM, api, BOTANU_ENDPOINT=served.url, OTEL_SEMCONV_STABILITY_OPT_IN=opt_in)

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
