"""What real instrumentations sent, read again: each call costs what it costs, however it is told.

The files in ``wire`` say of what they are; ``tests/app/test_same_cost.py`` runs some of it anew.
"""

from pathlib import Path

import pytest

WIRE = Path(__file__).parent / "wire"

UNKNOWN = (None, 1, 1)
"""A call of which nobody says what it used."""

NONE = (None, 0, 0)
"""No call: it was turned away, or there is no span of it."""

OPENAI = {
    "chat": (0.00475, 1, 0),
    "chat, flex": (0.000908, 1, 0),
    "chat, left early": UNKNOWN,
    "chat, streamed": (0.00475, 1, 0),
    "chat, streamed without usage": UNKNOWN,
    "chat, turned away": NONE,
    "embedding": (0.00000014, 1, 0),
    "response": (0.00475, 1, 0),
    "response, streamed": (0.00475, 1, 0),
}
"""What calls of OpenAI cost, how many calls each is, and of how many the cost is not known.

gpt-4o: 200 x 2.50 + 1,000 x 1.25 + 300 x 10 = 4,750 millionths; o4-mini on the flex tier: 200 x 0.55 + 1,000 x 0.138 +
300 x 2.20 = 908 millionths; text-embedding-3-small: 7 x 0.02 = 0.14 millionths (https://openai.com/api/pricing).
"""

ANTHROPIC = {
    "message": (0.0053325, 1, 0),
    "message, streamed": (0.0053325, 1, 0),
    "message, streamed by the helper": (0.0053325, 1, 0),
    "message, turned away": NONE,
    "message, with two searches": (0.0253325, 1, 0),
}
"""The same of Anthropic: 100 x 3 + 1,000 x 0.30 + 30 x 3.75 + 20 x 6 + 300 x 15 = 5,332.5 millionths of a dollar, and
2 x 10,000 for the searches (https://claude.com/pricing)."""

BOTH = {**OPENAI, **ANTHROPIC}

NO_SEARCHES = {"message, with two searches": (0.0053325, 1, 0)}
"""Where nothing says that there were searches."""

NO_TIER = {"chat, flex": (0.001815, 1, 0)}
"""Where nothing says what tier it was: 200 x 1.10 + 1,000 x 0.275 + 300 x 4.40 = 1,815 millionths."""

NO_LIFE = 0.0052875
"""What a message costs where nothing says how long what was written to the cache stays: 50 x 3.75 in the place of
30 x 3.75 + 20 x 6."""

TWO_CHATS = {"agent": (0.0095, 2, 0)}
"""An agent that calls a tool: two chats."""


def of(calls, *names):
    """Return those of *calls* with these *names*."""
    return {name: calls[name] for name in names}


PLAIN = ("chat", "chat, streamed", "chat, turned away", "embedding", "response", "message")
"""What is captured of products that make the calls themselves."""

EXPECTED = {
    "opentelemetry": {**BOTH, **NO_SEARCHES},
    "openinference": BOTH,
    "openllmetry": {**BOTH, **NO_SEARCHES},
    "openinference_openllmetry": BOTH,
    "logfire": {**BOTH, **NO_TIER},
    "pydantic_ai": {
        **of(BOTH, *PLAIN, "response, streamed", "message, streamed by the helper", "message, turned away"),
        **TWO_CHATS,
    },
    "pydantic_ai_v2": {**of(BOTH, "message"), **TWO_CHATS},
    "langfuse": {**BOTH, **NO_SEARCHES},
    "litellm": of(BOTH, "chat", "chat, turned away", "embedding", "message"),
    "openai_v2": {  # it says nothing of the cache, and makes no span for responses and for streams that are left
        **OPENAI,
        "chat": (0.006, 1, 0),
        "chat, streamed": (0.006, 1, 0),
        "chat, flex": (0.00132, 1, 0),
        "chat, left early": NONE,
        "response": NONE,
        "response, streamed": NONE,
    },
    "openlit": {  # where the stream tells no usage it makes some up: 10 x 2.50 + 7 x 10
        **BOTH,
        **{name: (NO_LIFE, 1, 0) for name, cost in ANTHROPIC.items() if cost != NONE},
        "chat, left early": NONE,
        "chat, streamed without usage": (0.000095, 1, 0),
    },
    "vercel_6": {**of(BOTH, *PLAIN, "message, streamed"), **NO_TIER, **TWO_CHATS},
    "vercel_7": {
        **of(BOTH, *PLAIN),
        **NO_TIER,
        **TWO_CHATS,
        "message": (NO_LIFE, 1, 0),
        "message, streamed": (NO_LIFE, 1, 0),
    },
}
"""What each file comes to: what its calls cost, less or more only where it leaves something out."""

COSTS = """SELECT around.name, sum(told.cost), count(*) FILTER (told.counted),
    count(*) FILTER (told.counted AND NOT told.priced)
  FROM spans AS around JOIN spans AS told USING (trace_id)
  WHERE around.scope_name = 'program' GROUP BY around.name"""


def test_every_file_is_read():
    assert {path.stem for path in WIRE.glob("*.json")} == EXPECTED.keys()


@pytest.mark.parametrize("name", EXPECTED)
def test_calls_cost_what_they_cost(server, sql, name):
    sent = server.post(
        "/v1/traces", content=(WIRE / f"{name}.json").read_bytes(), headers={"content-type": "application/json"}
    )
    assert sent.text == "{}"

    found = {call: tuple(row) for call, *row in sql(COSTS)}
    right = EXPECTED[name]
    assert {call: found.get(call) for call in right if found.get(call) != right[call]} == {}
