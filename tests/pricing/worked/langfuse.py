"""Langfuse: one attribute with JSON of several shapes, in which the input is without its parts, or with them."""

import json
from functools import partial

from worked.calls import EMBEDDING, PLAIN_4O, SONNET, SONNET_LIVES, reported
from worked.case import Case

_LANGFUSE = partial(Case, dialect="Langfuse")


def _observed(model, usage, kind="generation", **more):
    return {
        "langfuse.observation.type": kind,
        "langfuse.observation.model.name": model,
        "langfuse.observation.usage_details": json.dumps(usage),
        **more,
    }


_GPT_5 = {
    "bills": "openai",
    "listed": "openai/gpt-5",
    "items": {
        "input_uncached_tokens": (60, "0.000075", "1.25/M"),
        "cache_read_tokens": (40, "0.000005", "0.125/M"),
        "output_text_tokens": (15, "0.00015", "10/M"),
        "output_reasoning_tokens": (5, "0.00005", "10/M"),
    },
    "cost": "0.00028",
}
_USED_4O = {"input": 1000, "output": 100, "total": 1100}

CASES = (
    _LANGFUSE(
        name="langfuse-for-node-subtracts-the-parts",
        attributes=_observed(
            "gpt-5",
            {"input": 60, "output": 15, "total": 120, "input_cached_tokens": 40, "output_reasoning_tokens": 5},
        ),
        **_GPT_5,
    ),
    _LANGFUSE(
        name="langfuse-for-python-passes-on-what-openai-said",
        attributes=_observed(
            "gpt-5",
            {
                "prompt_tokens": 100,
                "completion_tokens": 20,
                "total_tokens": 120,
                "prompt_tokens_details": {"cached_tokens": 40, "audio_tokens": 0},
                "completion_tokens_details": {"reasoning_tokens": 5, "audio_tokens": 0},
            },
        ),
        **_GPT_5,
    ),
    _LANGFUSE(
        name="langfuse-for-python-passes-on-what-openai-responded",
        attributes=_observed(
            "gpt-5",
            {
                "input_tokens": 100,
                "output_tokens": 20,
                "total_tokens": 120,
                "input_tokens_details": {"cached_tokens": 40},
                "output_tokens_details": {"reasoning_tokens": 5},
            },
        ),
        **_GPT_5,
    ),
    _LANGFUSE(
        name="langfuse-with-what-anthropic-said",
        attributes=_observed(
            "claude-sonnet-4-5-20250929",
            {
                "input_tokens": 60,
                "cache_creation_input_tokens": 400,
                "cache_read_input_tokens": 2000,
                "cache_creation": {"ephemeral_5m_input_tokens": 100, "ephemeral_1h_input_tokens": 300},
                "output_tokens": 10,
            },
        ),
        **SONNET_LIVES,
    ),
    _LANGFUSE(
        name="what-anthropic-said-stands-beside-the-input-also-where-it-would-fit-in",
        attributes=_observed(
            "claude-sonnet-4-5-20250929",
            {
                "input_tokens": 1000,
                "cache_creation_input_tokens": 0,
                "cache_read_input_tokens": 400,
                "output_tokens": 10,
            },
        ),
        bills="anthropic",
        listed="anthropic/claude-sonnet-4-5",
        items={
            "input_uncached_tokens": (1000, "0.003", "3/M"),
            "cache_read_tokens": (400, "0.00012", "0.3/M"),
            "output_text_tokens": (10, "0.00015", "15/M"),
        },
        cost="0.00327",
    ),
    _LANGFUSE(
        name="langfuse-with-langchain",
        attributes=_observed(
            "claude-sonnet-4-5-20250929",
            {"input": 60, "input_cache_read": 2000, "input_cache_creation": 400, "output": 10, "total": 2470},
        ),
        **SONNET,
    ),
    _LANGFUSE(
        name="langfuse-embedding",
        attributes=_observed("text-embedding-3-small", {"input": 7, "total": 7}, "embedding")
        | {"gen_ai.system": "openai"},
        **EMBEDDING,
    ),
    _LANGFUSE(
        name="langfuse-reported-cost",
        attributes=_observed("gpt-4o", _USED_4O)
        | {"langfuse.observation.cost_details": json.dumps({"input": 0.003, "output": 0.0012, "total": 0.0042})},
        **reported(PLAIN_4O, "0.0042"),
    ),
    _LANGFUSE(
        name="langfuse-costs-without-a-total-add-up",
        attributes=_observed("gpt-4o", _USED_4O)
        | {"langfuse.observation.cost_details": json.dumps({"input": 0.003, "output": 0.0012})},
        **reported(PLAIN_4O, "0.0042"),
    ),
    _LANGFUSE(
        name="langfuse-zeros-are-not-believed",  # its SDK writes them where a call failed
        attributes=_observed("gpt-4o", _USED_4O)
        | {"langfuse.observation.cost_details": json.dumps({"input": 0, "output": 0, "total": 0})},
        computed_cost="0.0035",
        **PLAIN_4O,
    ),
)
