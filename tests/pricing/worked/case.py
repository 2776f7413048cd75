"""What one hand-worked call is written in, and where its words and figures are from."""

from collections.abc import Mapping
from dataclasses import dataclass

SOURCES = {
    "OpenTelemetry GenAI": "https://github.com/open-telemetry/semantic-conventions-genai",
    "OpenTelemetry GenAI, deprecated": "https://opentelemetry.io/docs/specs/semconv/registry/attributes/gen-ai/",
    "OpenInference": "https://arize-ai.github.io/openinference/spec/semantic_conventions.html",
    "OpenLLMetry": "https://github.com/traceloop/openllmetry/tree/main/packages",
    "Vercel AI SDK": "https://ai-sdk.dev/docs/ai-sdk-core/telemetry#collected-data",
    "Langfuse": "https://langfuse.com/docs/observability/features/token-and-cost-tracking",
    "Pydantic AI": "https://github.com/pydantic/pydantic-ai/blob/main/pydantic_ai_slim/pydantic_ai/usage.py",
    "Logfire": "https://github.com/pydantic/logfire/tree/main/logfire/_internal/integrations/llm_providers",
    "LiteLLM": "https://docs.litellm.ai/docs/observability/opentelemetry_v2",
    "OpenLIT": "https://github.com/openlit/openlit/blob/main/sdk/python/src/openlit/semcov/__init__.py",
    "MLflow": "https://github.com/mlflow/mlflow/blob/master/mlflow/tracing/constant.py",
    "LangSmith": "https://github.com/langchain-ai/langsmith-sdk/blob/main/python/langsmith/_internal/otel/_otel_exporter.py",
    "AgentOps": "https://github.com/AgentOps-AI/agentops/blob/main/agentops/semconv/span_attributes.py",
    "OpenRouter": "https://openrouter.ai/docs/use-cases/usage-accounting",
    "botanu": "botanu.semconv",
}
"""Where the attribute names of each dialect are defined (read 2026-11-22)."""

PRICE_PAGES = {
    "anthropic": "https://platform.claude.com/docs/en/about-claude/pricing",
    "aws": "https://aws.amazon.com/bedrock/pricing/",
    "azure": "https://azure.microsoft.com/en-us/pricing/details/cognitive-services/openai-service/",
    "cohere": "https://cohere.com/pricing",
    "deepseek": "https://api-docs.deepseek.com/quick_start/pricing",
    "fireworks": "https://fireworks.ai/pricing",
    "google": "https://ai.google.dev/gemini-api/docs/pricing",
    "google vertex": "https://cloud.google.com/vertex-ai/generative-ai/pricing",
    "groq": "https://groq.com/pricing",
    "mistral": "https://mistral.ai/pricing/api",
    "openai": "https://developers.openai.com/api/docs/pricing",
    "openrouter": "https://openrouter.ai/models",
    "perplexity": "https://docs.perplexity.ai/docs/getting-started/pricing",
    "together": "https://www.together.ai/pricing",
    "x-ai": "https://docs.x.ai/docs/models",
}
"""Where each provider states its prices. The figures are those of genai-prices 0.2.3 for the model and the day."""

NOBODY = "nobody known"
"""Stands for who bills where no price may be found for the provider."""

NOON = "2026-11-10T12:00:00Z"

UNSAID = "unsaid"
"""What the computed cost beside it should be is not said, as no cost was reported."""

Item = tuple[int, str | None] | tuple[int, str | None, str]


@dataclass(frozen=True, kw_only=True)
class Case:
    """One call, and what it costs by hand.

    *bills* is the provider that bills it. *listed* names the model under which the price list has the prices, as
    provider and id. *items* are quantity, amount in dollars, and the price as it was read: ``2.5/M`` is 2.50 dollars
    for a million, ``/K`` for a thousand, ``/H`` for 3,600 (the seconds of an hour). An item with a price and no amount
    is one that a reported cost stands for: its price is that of ``computed_cost``. ``None`` is an amount not known.
    """

    name: str
    dialect: str
    bills: str
    attributes: Mapping[str, object]
    items: Mapping[str, Item]
    cost: str | None
    priced: bool = True
    cost_source: str | None = "computed"
    computed_cost: str | None = UNSAID
    listed: str | None = None
    start: str = NOON
    error: bool = False


_COUNTS = {
    "input": "gen_ai.usage.input_tokens",
    "output": "gen_ai.usage.output_tokens",
    "read": "gen_ai.usage.cache_read.input_tokens",
    "write": "gen_ai.usage.cache_creation.input_tokens",
    "reasoning": "gen_ai.usage.reasoning.output_tokens",
    "audio_in": "gen_ai.usage.audio.input_tokens",
    "audio_out": "gen_ai.usage.audio.output_tokens",
    "image_in": "gen_ai.usage.image.input_tokens",
    "video_in": "gen_ai.usage.video.input_tokens",
}


def otel(provider, model, *, operation="chat", also=None, **counts):
    """Attributes of a call as OpenTelemetry's current conventions name them, and those it has *also*."""
    return {
        "gen_ai.operation.name": operation,
        "gen_ai.provider.name": provider,
        "gen_ai.request.model": model,
        **{_COUNTS[name]: count for name, count in counts.items()},
        **(also or {}),
    }
