"""The same calls through four instrumentations, and through two at once: real packages, one local provider, one server.

Those that the other tests do not have are in a layer over the environment, which ``scripts/peers`` lays.
"""

import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from support import providers
from support.llm_api import serving
from support.process import environment

LAYER = Path(sys.prefix) / "peers" / "bin" / "python"

pytestmark = pytest.mark.skipif(not LAYER.exists(), reason="the layer with instrumentations is laid by scripts/peers")

OPENTELEMETRY = """
from opentelemetry.instrumentation.genai.anthropic import AnthropicInstrumentor
from opentelemetry.instrumentation.genai.openai import OpenAIInstrumentor
OpenAIInstrumentor().instrument()
AnthropicInstrumentor().instrument()
"""

OPENINFERENCE = """
from openinference.instrumentation.anthropic import AnthropicInstrumentor
from openinference.instrumentation.openai import OpenAIInstrumentor
OpenAIInstrumentor().instrument()
AnthropicInstrumentor().instrument()
"""

OPENLLMETRY = """
from opentelemetry.instrumentation.anthropic import AnthropicInstrumentor
from opentelemetry.instrumentation.openai import OpenAIInstrumentor
OpenAIInstrumentor().instrument()
AnthropicInstrumentor().instrument()
"""

LOGFIRE = """
import logfire
logfire.configure(send_to_logfire=False, console=False)
logfire.instrument_openai()
logfire.instrument_anthropic()
"""

WAYS = {
    "OpenTelemetry": OPENTELEMETRY,
    "OpenInference": OPENINFERENCE,
    "OpenLLMetry": OPENLLMETRY,
    "Logfire": LOGFIRE,
    "OpenInference and OpenLLMetry": OPENINFERENCE + OPENLLMETRY,
}
"""How a program turns its instrumentation on, by what it is called here."""

CALLS = """
import asyncio
import contextlib
import sys
import anthropic
import botanu
import openai

botanu.enable()
gpt = openai.OpenAI(base_url=sys.argv[1] + "/v1", api_key="none", max_retries=0)
claude = anthropic.Anthropic(base_url=sys.argv[1], api_key="none", max_retries=0)
several = anthropic.AsyncAnthropic(base_url=sys.argv[1], api_key="none", max_retries=0)
asked = [{"role": "user", "content": "private words"}]
chat = {"model": "gpt-4o", "messages": asked}
message = {"model": "claude-sonnet-4-6", "max_tokens": 10, "messages": asked}

def run(call):
    return botanu.run_botanu(sys.argv[2], event_id=call, customer_id="acme")

async def stream_message():
    async with several.messages.stream(**message) as stream:
        async for _ in stream:
            pass

async def three_at_once():
    await asyncio.gather(*(stream_message() for _ in range(3)))

with run("chat"):
    gpt.chat.completions.create(**chat)
with run("chat, streamed"):
    list(gpt.chat.completions.create(**chat, stream=True, stream_options={"include_usage": True}))
with run("chat, streamed without usage"):
    list(gpt.chat.completions.create(**chat, stream=True))
with run("chat, turned away"), contextlib.suppress(openai.RateLimitError):
    gpt.chat.completions.create(**{**chat, "model": "overloaded"})
with run("response"):
    gpt.responses.create(model="gpt-4o", input="private words")
with run("response, streamed"):
    list(gpt.responses.create(model="gpt-4o", input="private words", stream=True))
with run("embedding"):
    gpt.embeddings.create(model="text-embedding-3-small", input="private words", encoding_format="float")
with run("message"):
    claude.messages.create(**message)
with run("message, streamed"):
    list(claude.messages.create(**message, stream=True))
with run("message, streamed by the helper"), claude.messages.stream(**message) as stream:
    list(stream)
with run("message, turned away"), contextlib.suppress(anthropic.RateLimitError):
    claude.messages.create(**{**message, "model": "overloaded"})
with run("messages, three at once"):
    asyncio.run(three_at_once())
"""

COSTS = {
    "chat": (0.00475, 1, 0),
    "chat, streamed": (0.00475, 1, 0),
    "chat, streamed without usage": (None, 1, 1),
    "chat, turned away": (0, 0, 0),
    "embedding": (0.00000014, 1, 0),
    "message": (0.0053325, 1, 0),
    "message, streamed": (0.0053325, 1, 0),
    "message, streamed by the helper": (0.0053325, 1, 0),
    "message, turned away": (0, 0, 0),
    "messages, three at once": (0.0159975, 3, 0),
    "response": (0.00475, 1, 0),
    "response, streamed": (0.00475, 1, 0),
}
"""What the run of each call costs, how many calls it has, and of how many the cost is not known.

gpt-4o: 2.50 dollars a million, 1.25 from the cache, 10 of output (https://openai.com/api/pricing):
200 x 2.50 + 1,000 x 1.25 + 300 x 10 = 4,750 millionths. text-embedding-3-small: 7 x 0.02 = 0.14 millionths.
Claude Sonnet: 3 dollars a million, 0.30 from the cache, 3.75 written to it for 5 minutes, 6 for an hour, 15 of output
(https://claude.com/pricing): 100 x 3 + 1,000 x 0.30 + 30 x 3.75 + 20 x 6 + 300 x 15 = 5,332.5 millionths.
"""

TOTAL = 0.05099514
"""4 x 4,750 + 0.14 + 6 x 5,332.5 = 50,995.14 millionths."""


def play(api, endpoint):
    """Make the calls in every way, side by side."""

    def program(name):
        done = subprocess.run(
            [LAYER, "-c", WAYS[name] + CALLS, api, name],
            env=environment(BOTANU_ENDPOINT=endpoint),
            capture_output=True,
            text=True,
            timeout=100,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        assert done.stderr == "", done.stderr

    with ThreadPoolExecutor() as programs:
        list(programs.map(program, WAYS))


def test_the_same_calls_cost_the_same_through_every_instrumentation(served):
    """A call is counted once, however many spans tell of it, and what one of them does not say another does."""
    with serving(providers.answer) as api:
        play(api, served.url)

    rows = served.sql("SELECT event_id, workflow, total_cost, calls, unpriced_calls FROM runs")
    found = {(call, name): tuple(row) for call, name, *row in rows}
    right = {(call, name): cost for call, cost in COSTS.items() for name in WAYS}
    assert {what: row for what, row in found.items() if row != right[what]} == {}
    assert found.keys() == right.keys()
    totals = served.sql("SELECT workflow, sum(total_cost) FROM runs GROUP BY workflow")
    assert dict(totals) == dict.fromkeys(WAYS, TOTAL)
    assert served.sql("SELECT sum(amount) FROM line_items") == [[round(TOTAL * len(WAYS), 9)]]
    assert "private" not in str(served.sql("SELECT * FROM spans"))
