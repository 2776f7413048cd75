"""A real Anthropic client, which records its calls itself, against a local server that answers like the API."""

import pytest
from support.llm_api import serving
from support.process import run_python

PROGRAM = """
import sys
import anthropic
import botanu

botanu.enable(instrument=True)
client = anthropic.Anthropic(base_url=sys.argv[1], api_key="none", max_retries=0)
call = {"model": "claude-sonnet-4-6", "max_tokens": 10, "messages": [{"role": "user", "content": "private words"}]}

with botanu.run_botanu("answer", event_id="e", customer_id="acme"):
    client.messages.create(**call)
    with client.messages.stream(**call) as stream:
        list(stream)
"""

USAGE = {"input_tokens": 100, "cache_creation_input_tokens": 50, "cache_read_input_tokens": 1000, "output_tokens": 300}


def answer(_path, asked):
    text = {"type": "text", "text": "private answer"}
    about = {"id": "msg-1", "type": "message", "role": "assistant", "model": asked["model"], "stop_sequence": None}
    if not asked.get("stream"):
        return about | {"content": [text], "stop_reason": "end_turn", "usage": USAGE}
    begun = about | {"content": [], "stop_reason": None, "usage": USAGE | {"output_tokens": 1}}
    return [
        {"type": "message_start", "message": begun},
        {"type": "content_block_start", "index": 0, "content_block": text},
        {"type": "content_block_stop", "index": 0},
        {"type": "message_delta", "delta": {"stop_reason": "end_turn"}, "usage": {"output_tokens": 300}},
        {"type": "message_stop"},
    ]


@pytest.mark.parametrize("own_tracing", ["true", "false"])
def test_each_call_is_counted_once_with_all_kinds_of_tokens(served, own_tracing):
    """The client's own span when it makes one, the instrumentation's when it is told not to.

    Claude Sonnet: 3 dollars a million, 3.75 written to the cache, 0.30 read from it, 15 of output
    (https://claude.com/pricing): 100 x 3 + 50 x 3.75 + 1,000 x 0.30 + 300 x 15 = 5,287.5 millionths.
    """
    with serving(answer) as api:
        run_python(PROGRAM, api, BOTANU_ENDPOINT=served.url, ANTHROPIC_OPEN_TELEMETRY=own_tracing)

    calls = "SELECT model, provider, input_tokens, output_tokens, cost FROM spans WHERE counted"
    assert served.sql(calls) == [["claude-sonnet-4-6", "anthropic", 1150, 300, 0.0052875]] * 2
    assert served.sql("SELECT DISTINCT meter, quantity FROM line_items ORDER BY meter") == [
        ["cache_read_tokens", 1000],
        ["cache_write_other_tokens", 50],
        ["input_uncached_tokens", 100],
        ["output_text_tokens", 300],
    ]
    assert "private" not in str(served.sql("SELECT * FROM spans"))
