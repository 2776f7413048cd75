"""Instrumentations of clients: deprecated conventions, OpenLLMetry, OpenLIT, AgentOps, LangSmith."""

import json
from functools import partial

from worked.calls import CACHED_4O, EMBEDDING, PLAIN_4O, REASONING_5, SONNET, SONNET_LIVES, reported
from worked.case import NOBODY, Case

_OLD = partial(Case, dialect="OpenTelemetry GenAI, deprecated")
_LLMETRY = partial(Case, dialect="OpenLLMetry")
_LIT = partial(Case, dialect="OpenLIT")
_OPS = partial(Case, dialect="AgentOps")
_SMITH = partial(Case, dialect="LangSmith")


def _old(system, model, given=1000, made=100):
    return {
        "gen_ai.operation.name": "chat",
        "gen_ai.system": system,
        "gen_ai.request.model": model,
        "gen_ai.usage.prompt_tokens": given,
        "gen_ai.usage.completion_tokens": made,
    }


DEPRECATED = (
    _OLD(name="the-deprecated-names", attributes=_old("openai", "gpt-4o"), **PLAIN_4O),
    _OLD(
        name="the-deprecated-name-of-vertex",
        attributes=_old("vertex_ai", "gemini-2.5-flash"),
        bills="google vertex",
        listed="google/gemini-2.5-flash",
        items={"input_uncached_tokens": (1000, "0.0003", "0.3/M"), "output_text_tokens": (100, "0.00025", "2.5/M")},
        cost="0.00055",
    ),
    _OLD(
        name="the-deprecated-name-of-azure",
        attributes=_old("az.ai.openai", "prod-chat") | {"gen_ai.response.model": "gpt-4o-2024-11-20"},
        **{**PLAIN_4O, "bills": "azure"},
    ),
    _OLD(
        name="current-and-deprecated-counts-of-the-same-tokens-count-once",
        attributes=_old("openai", "gpt-4o")
        | {"gen_ai.usage.input_tokens": 1000, "gen_ai.usage.output_tokens": 100, "gen_ai.usage.total_tokens": 1100},
        **PLAIN_4O,
    ),
    _OLD(
        name="without-a-provider-the-model-decides",
        attributes={
            "gen_ai.operation.name": "chat",
            "gen_ai.request.model": "gpt-4o",
            "gen_ai.usage.prompt_tokens": 1000,
            "gen_ai.usage.completion_tokens": 100,
        },
        **PLAIN_4O,
    ),
)

LLMETRY = (
    _LLMETRY(
        name="openllmetry-anthropic",
        attributes={
            "llm.request.type": "chat",
            "gen_ai.system": "Anthropic",
            "gen_ai.request.model": "claude-sonnet-4-5-20250929",
            "gen_ai.response.model": "claude-sonnet-4-5-20250929",
            "gen_ai.usage.prompt_tokens": 2460,
            "gen_ai.usage.completion_tokens": 10,
            "gen_ai.usage.cache_read_input_tokens": 2000,
            "gen_ai.usage.cache_creation_input_tokens": 400,
            "llm.usage.total_tokens": 2470,
        },
        **SONNET,
    ),
    _LLMETRY(
        name="openllmetry-anthropic-with-the-raw-input",  # one of its helpers writes what the provider said
        attributes={
            "llm.request.type": "chat",
            "gen_ai.system": "Anthropic",
            "gen_ai.request.model": "claude-sonnet-4-5-20250929",
            "gen_ai.usage.prompt_tokens": 60,
            "gen_ai.usage.completion_tokens": 10,
            "gen_ai.usage.cache_read_input_tokens": 2000,
            "gen_ai.usage.cache_creation_input_tokens": 400,
        },
        **SONNET,
    ),
    _LLMETRY(
        name="openllmetry-openai",
        attributes={
            "llm.request.type": "chat",
            "gen_ai.system": "OpenAI",
            "gen_ai.request.model": "gpt-5",
            "gen_ai.response.model": "gpt-5-2025-08-07",
            "gen_ai.usage.input_tokens": 1000,
            "gen_ai.usage.output_tokens": 100,
            "gen_ai.usage.cache_read_input_tokens": 600,
            "gen_ai.usage.reasoning_tokens": 40,
            "llm.usage.total_tokens": 1100,
        },
        **REASONING_5,
    ),
    _LLMETRY(
        name="openllmetry-openai-with-an-older-name-of-reasoning",
        attributes={
            "llm.request.type": "chat",
            "gen_ai.system": "OpenAI",
            "gen_ai.request.model": "gpt-5",
            "gen_ai.usage.prompt_tokens": 1000,
            "gen_ai.usage.completion_tokens": 100,
            "gen_ai.usage.cache_read_input_tokens": 600,
            "llm.usage.reasoning_tokens": 40,
        },
        **REASONING_5,
    ),
    _LLMETRY(
        name="openllmetry-embedding",
        attributes={
            "llm.request.type": "embedding",
            "gen_ai.system": "OpenAI",
            "gen_ai.request.model": "text-embedding-3-small",
            "gen_ai.usage.prompt_tokens": 7,
            "llm.usage.total_tokens": 7,
        },
        **EMBEDDING,
    ),
    _LLMETRY(
        name="openllmetry-groq",
        attributes={
            "llm.request.type": "chat",
            "gen_ai.system": "Groq",
            "gen_ai.request.model": "llama-3.1-8b-instant",
            "gen_ai.usage.prompt_tokens": 1000,
            "gen_ai.usage.completion_tokens": 100,
        },
        bills="groq",
        listed="groq/llama-3.1-8b-instant",
        items={"input_uncached_tokens": (1000, "0.00005", "0.05/M"), "output_text_tokens": (100, "0.000008", "0.08/M")},
        cost="0.000058",
    ),
    _LLMETRY(
        name="openllmetry-cohere",
        attributes={
            "llm.request.type": "chat",
            "gen_ai.system": "Cohere",
            "gen_ai.request.model": "command-a-03-2025",
            "gen_ai.usage.prompt_tokens": 1000,
            "gen_ai.usage.completion_tokens": 100,
        },
        bills="cohere",
        listed="cohere/command-a",
        items={"input_uncached_tokens": (1000, "0.0025", "2.5/M"), "output_text_tokens": (100, "0.001", "10/M")},
        cost="0.0035",
    ),
)


def _current(model, **more):
    return {
        "gen_ai.operation.name": "chat",
        "gen_ai.system": "openai",
        "gen_ai.request.model": model,
        "gen_ai.usage.input_tokens": 1000,
        "gen_ai.usage.output_tokens": 100,
        **more,
    }


LIT = (
    _LIT(
        name="openlit-details",
        attributes=_current("gpt-5")
        | {
            "gen_ai.usage.prompt_tokens_details.cached_tokens": 600,
            "gen_ai.usage.completion_tokens_details.reasoning_tokens": 40,
        },
        **REASONING_5,
    ),
    _LIT(
        name="openlit-cache-creation",
        attributes={
            "gen_ai.operation.name": "chat",
            "gen_ai.system": "anthropic",
            "gen_ai.request.model": "claude-sonnet-4-5-20250929",
            "gen_ai.usage.input_tokens": 2460,
            "gen_ai.usage.output_tokens": 10,
            "gen_ai.usage.prompt_tokens_details.cached_tokens": 2000,
            "gen_ai.usage.prompt_tokens_details.cache_creation_tokens": 400,
        },
        **SONNET,
    ),
    _LIT(
        name="openlit-reported-cost",
        attributes=_current("gpt-4o") | {"gen_ai.usage.cost": 0.0034},
        **reported(PLAIN_4O, "0.0034"),
    ),
    _LIT(
        name="openlit-zero-is-not-believed-where-usage-has-a-price",
        attributes=_current("gpt-4o") | {"gen_ai.usage.cost": 0.0},
        computed_cost="0.0035",
        **PLAIN_4O,
    ),
    _LIT(
        name="openlit-zero-is-believed-where-nothing-has-a-price",  # a model of one's own
        attributes=_current("house-model-9") | {"gen_ai.usage.cost": 0.0},
        bills=NOBODY,
        items={
            "reported_cost": (1, "0"),
            "input_uncached_tokens": (1000, None),
            "output_text_tokens": (100, None),
        },
        cost="0",
        cost_source="reported",
        computed_cost=None,
    ),
)

OPS = (
    _OPS(
        name="agentops-cached",
        attributes={
            "gen_ai.operation.name": "chat",
            "gen_ai.system": "OpenAI",
            "gen_ai.request.model": "gpt-5",
            "gen_ai.usage.prompt_tokens": 1000,
            "gen_ai.usage.completion_tokens": 100,
            "gen_ai.usage.total_tokens": 1100,
            "gen_ai.usage.cache_read_input_tokens": 600,
            "gen_ai.usage.reasoning_tokens": 40,
        },
        **REASONING_5,
    ),
    _OPS(
        name="agentops-reported-cost",
        attributes=_current("gpt-4o") | {"gen_ai.usage.total_cost": "0.0036"},
        **reported(PLAIN_4O, "0.0036"),
    ),
)

_REPR = "{'cache_read': 2000, 'cache_creation': 0, 'ephemeral_5m_input_tokens': 100, 'ephemeral_1h_input_tokens': 300}"

SMITH = (
    _SMITH(
        name="langsmith-details-as-json",
        attributes=_current("gpt-5")
        | {
            "langsmith.span.kind": "llm",
            "gen_ai.usage.input_token_details": json.dumps({"cache_read": 600, "audio": 0}),
            "gen_ai.usage.output_token_details": json.dumps({"reasoning": 40, "audio": 0}),
            "gen_ai.response.service_tier": "default",
        },
        **REASONING_5,
    ),
    _SMITH(
        name="langsmith-details-as-python-writes-them",
        attributes=_current("gpt-4o")
        | {
            "langsmith.span.kind": "llm",
            "gen_ai.usage.input_token_details": "{'audio': 0, 'cache_read': 600}",
            "gen_ai.usage.output_token_details": "{}",
        },
        **CACHED_4O,
    ),
    _SMITH(
        name="langsmith-lives-of-the-cache",
        attributes={
            "langsmith.span.kind": "llm",
            "gen_ai.operation.name": "chat",
            "gen_ai.system": "anthropic",
            "gen_ai.request.model": "claude-sonnet-4-5-20250929",
            "gen_ai.usage.input_tokens": 2460,
            "gen_ai.usage.output_tokens": 10,
            "gen_ai.usage.input_token_details": _REPR,
        },
        **SONNET_LIVES,
    ),
)

CASES = (*DEPRECATED, *LLMETRY, *LIT, *OPS, *SMITH)
