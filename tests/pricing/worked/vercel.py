"""Vercel AI SDK: counts of its own, and what the provider said as JSON."""

import json
from functools import partial

from worked.calls import CACHED_4O, EMBEDDING, PLAIN_4O, REASONING_5, SONNET_LIVES
from worked.case import Case

_VERCEL = partial(Case, dialect="Vercel AI SDK")


def _ai(provider, model, given=1000, made=100, **more):
    return {
        "ai.operationId": "ai.generateText.doGenerate",
        "ai.model.provider": provider,
        "ai.model.id": model,
        "ai.usage.inputTokens": given,
        "ai.usage.outputTokens": made,
        **more,
    }


_ANTHROPIC_METADATA = {
    "anthropic": {
        "usage": {
            "input_tokens": 60,
            "cache_creation_input_tokens": 400,
            "cache_read_input_tokens": 2000,
            "cache_creation": {"ephemeral_5m_input_tokens": 100, "ephemeral_1h_input_tokens": 300},
            "output_tokens": 10,
        },
        "cacheCreationInputTokens": 400,
    }
}

CASES = (
    _VERCEL(
        name="vercel-openai",
        attributes=_ai("openai.chat", "gpt-4o") | {"ai.usage.cachedInputTokens": 600, "ai.usage.totalTokens": 1100},
        **CACHED_4O,
    ),
    _VERCEL(
        name="vercel-both-names-of-a-cached-token-count-once",
        attributes=_ai("openai.responses", "gpt-5")
        | {
            "ai.response.model": "gpt-5-2025-08-07",
            "ai.usage.cachedInputTokens": 600,
            "ai.usage.inputTokenDetails.noCacheTokens": 400,
            "ai.usage.inputTokenDetails.cacheReadTokens": 600,
            "ai.usage.reasoningTokens": 40,
            "ai.usage.outputTokenDetails.textTokens": 60,
            "ai.usage.outputTokenDetails.reasoningTokens": 40,
            "gen_ai.system": "openai.responses",
            "gen_ai.request.model": "gpt-5",
            "gen_ai.usage.input_tokens": 1000,
            "gen_ai.usage.output_tokens": 100,
        },
        **REASONING_5,
    ),
    _VERCEL(
        name="vercel-cached-tokens-in-the-providers-metadata",
        attributes={
            "ai.operationId": "ai.streamText.doStream",
            "ai.model.provider": "openai.chat",
            "ai.model.id": "gpt-5",
            "ai.usage.promptTokens": 1000,
            "ai.usage.completionTokens": 100,
            "ai.response.providerMetadata": json.dumps({"openai": {"cachedPromptTokens": 600, "reasoningTokens": 40}}),
        },
        **REASONING_5,
    ),
    _VERCEL(
        name="vercel-lives-of-the-cache-in-the-providers-metadata",
        attributes=_ai("anthropic.messages", "claude-sonnet-4-5-20250929", 2460, 10)
        | {
            "ai.usage.inputTokenDetails.noCacheTokens": 60,
            "ai.usage.inputTokenDetails.cacheReadTokens": 2000,
            "ai.usage.inputTokenDetails.cacheWriteTokens": 400,
            "ai.response.providerMetadata": json.dumps(_ANTHROPIC_METADATA),
        },
        **SONNET_LIVES,
    ),
    _VERCEL(
        name="vercel-anthropic-with-the-cache-beside-the-input",  # as its version 5 passed it on
        attributes=_ai("anthropic.messages", "claude-sonnet-4-5-20250929", 60, 10)
        | {
            "ai.usage.cachedInputTokens": 2000,
            "ai.response.providerMetadata": json.dumps(_ANTHROPIC_METADATA),
        },
        **SONNET_LIVES,
    ),
    _VERCEL(
        name="vercel-bedrock",  # Bedrock counts the cache beside the input
        attributes=_ai("amazon-bedrock", "us.amazon.nova-pro-v1:0", 100)
        | {
            "ai.response.providerMetadata": json.dumps(
                {"bedrock": {"usage": {"cacheReadInputTokens": 400, "cacheWriteInputTokens": 0}}}
            )
        },
        bills="aws",
        listed="aws/amazon.nova-pro-v1:0",
        items={
            "input_uncached_tokens": (100, "0.00008", "0.8/M"),
            "cache_read_tokens": (400, "0.00008", "0.2/M"),
            "output_text_tokens": (100, "0.00032", "3.2/M"),
        },
        cost="0.00048",
    ),
    _VERCEL(
        name="vercel-gemini",
        attributes=_ai("google.generative-ai", "gemini-2.5-flash") | {"ai.usage.reasoningTokens": 40},
        bills="google",
        listed="google/gemini-2.5-flash",
        items={
            "input_uncached_tokens": (1000, "0.0003", "0.3/M"),
            "output_text_tokens": (60, "0.00015", "2.5/M"),
            "output_reasoning_tokens": (40, "0.0001", "2.5/M"),
        },
        cost="0.00055",
    ),
    _VERCEL(
        name="vercel-grok",
        attributes=_ai("xai.chat", "grok-4-0709"),
        bills="x-ai",
        listed="x-ai/grok-4-0709",
        items={"input_uncached_tokens": (1000, "0.003", "3/M"), "output_text_tokens": (100, "0.0015", "15/M")},
        cost="0.0045",
    ),
    _VERCEL(
        name="vercel-azure",
        attributes=_ai("azure.chat", "prod-chat") | {"ai.response.model": "gpt-4o-2024-11-20"},
        **{**PLAIN_4O, "bills": "azure"},
    ),
    _VERCEL(
        name="vercel-embedding",
        attributes={
            "ai.operationId": "ai.embed.doEmbed",
            "ai.model.provider": "openai.embedding",
            "ai.model.id": "text-embedding-3-small",
            "ai.usage.tokens": 7,
        },
        **EMBEDDING,
    ),
)
