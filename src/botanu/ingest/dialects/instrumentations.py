"""The words of instrumentations and frameworks that have their own, as releases of November 2026 write them."""

from botanu.ingest.dialects.columns import Dialect

_RAW = "gen_ai.usage.raw."
_DETAILS = "gen_ai.usage.details."
_LANGFUSE = "langfuse.observation.usage_details."
_VERCEL = "ai.response.providerMetadata."

OPENINFERENCE = Dialect(
    "OpenInference",
    "https://github.com/Arize-ai/openinference/blob/main/spec/semantic_conventions.md",
    {
        "operation": ("openinference.span.kind",),
        "provider": ("llm.provider", "llm.system"),
        "request_model": ("llm.model_name", "embedding.model_name", "reranker.model_name"),
        "service_tier": ("llm.invocation_parameters.service_tier",),
        "tool": ("tool.name",),
        "web_searches": ("metadata.server_tool_use.web_search_requests",),
        "input_tokens": ("llm.token_count.prompt",),
        "output_tokens": ("llm.token_count.completion",),
        "cache_read_tokens": ("llm.token_count.prompt_details.cache_read",),
        "cache_write_tokens": ("llm.token_count.prompt_details.cache_write",),
        "input_audio_tokens": ("llm.token_count.prompt_details.audio",),
        "output_reasoning_tokens": ("llm.token_count.completion_details.reasoning",),
        "output_audio_tokens": ("llm.token_count.completion_details.audio",),
        "claimed_cost": ("llm.cost.total",),
    },
)

OPENLLMETRY = Dialect(
    "OpenLLMetry",
    "https://github.com/traceloop/openllmetry",
    {
        "operation": ("llm.request.type", "traceloop.span.kind"),
        "input_tokens": ("llm.usage.prompt_tokens",),
        "output_tokens": ("llm.usage.completion_tokens",),
        "cache_read_tokens": ("gen_ai.usage.cache_read_input_tokens",),
        "cache_write_tokens": ("gen_ai.usage.cache_creation_input_tokens",),
        "output_reasoning_tokens": ("gen_ai.usage.reasoning_tokens", "llm.usage.reasoning_tokens"),
        "read_units": ("pinecone.usage.read_units",),
        "write_units": ("pinecone.usage.write_units",),
    },
)

VERCEL = Dialect(
    "AI SDK",
    "https://ai-sdk.dev/docs/ai-sdk-core/telemetry",
    {
        "operation": ("ai.operationId",),
        "provider": ("ai.model.provider",),
        "request_model": ("ai.model.id",),
        "response_model": ("ai.response.model",),
        "response_id": ("ai.response.id",),
        "service_tier": (f"{_VERCEL}openai.serviceTier", f"{_VERCEL}anthropic.usage.service_tier"),
        "tool": ("ai.toolCall.name",),
        "input_tokens": ("ai.usage.inputTokens", "ai.usage.promptTokens", "ai.usage.tokens"),
        "output_tokens": ("ai.usage.outputTokens", "ai.usage.completionTokens"),
        "cache_read_tokens": (
            "ai.usage.inputTokenDetails.cacheReadTokens",
            "ai.usage.cachedInputTokens",
            f"{_VERCEL}openai.cachedPromptTokens",
            f"{_VERCEL}anthropic.usage.cache_read_input_tokens",
            f"{_VERCEL}anthropic.cacheReadInputTokens",
            f"{_VERCEL}bedrock.usage.cacheReadInputTokens",
            f"{_VERCEL}google.usageMetadata.cachedContentTokenCount",
        ),
        "cache_write_tokens": (
            "ai.usage.inputTokenDetails.cacheWriteTokens",
            f"{_VERCEL}anthropic.usage.cache_creation_input_tokens",
            f"{_VERCEL}anthropic.cacheCreationInputTokens",
            f"{_VERCEL}bedrock.usage.cacheWriteInputTokens",
        ),
        "cache_write_5m_tokens": (f"{_VERCEL}anthropic.usage.cache_creation.ephemeral_5m_input_tokens",),
        "cache_write_1h_tokens": (f"{_VERCEL}anthropic.usage.cache_creation.ephemeral_1h_input_tokens",),
        "output_reasoning_tokens": (
            "ai.usage.outputTokenDetails.reasoningTokens",
            "ai.usage.reasoningTokens",
            f"{_VERCEL}openai.reasoningTokens",
        ),
        "web_searches": (f"{_VERCEL}anthropic.usage.server_tool_use.web_search_requests",),
    },
)

LANGFUSE = Dialect(
    "Langfuse",
    "https://langfuse.com/docs/observability/features/token-and-cost-tracking",
    {
        "operation": ("langfuse.observation.type",),
        "response_model": ("langfuse.observation.model.name",),
        "service_tier": ("langfuse.observation.model.parameters.service_tier",),
        "input_tokens": (
            f"{_LANGFUSE}prompt_tokens",
            f"{_LANGFUSE}input_tokens",
        ),
        "output_tokens": (f"{_LANGFUSE}completion_tokens", f"{_LANGFUSE}output_tokens"),
        "input_uncached_tokens": (f"{_LANGFUSE}input", f"{_LANGFUSE}beside.input_tokens"),
        "output_text_tokens": (f"{_LANGFUSE}output",),
        "cache_read_tokens": (
            f"{_LANGFUSE}input_cached_tokens",
            f"{_LANGFUSE}input_cache_read",
            f"{_LANGFUSE}cache_read_input_tokens",
            f"{_LANGFUSE}input_cached",
            f"{_LANGFUSE}prompt_tokens_details.cached_tokens",
            f"{_LANGFUSE}input_tokens_details.cached_tokens",
        ),
        "cache_write_tokens": (
            f"{_LANGFUSE}cache_creation_input_tokens",
            f"{_LANGFUSE}input_cache_creation",
        ),
        "cache_write_5m_tokens": (
            f"{_LANGFUSE}input_cache_creation_5m",
            f"{_LANGFUSE}cache_creation.ephemeral_5m_input_tokens",
        ),
        "cache_write_1h_tokens": (
            f"{_LANGFUSE}input_cache_creation_1h",
            f"{_LANGFUSE}cache_creation.ephemeral_1h_input_tokens",
        ),
        "input_audio_tokens": (f"{_LANGFUSE}input_audio_tokens", f"{_LANGFUSE}prompt_tokens_details.audio_tokens"),
        "output_reasoning_tokens": (
            f"{_LANGFUSE}output_reasoning_tokens",
            f"{_LANGFUSE}output_reasoning",
            f"{_LANGFUSE}completion_tokens_details.reasoning_tokens",
            f"{_LANGFUSE}output_tokens_details.reasoning_tokens",
        ),
        "output_audio_tokens": (
            f"{_LANGFUSE}output_audio_tokens",
            f"{_LANGFUSE}completion_tokens_details.audio_tokens",
        ),
        "claimed_cost": ("langfuse.observation.cost_details.total",),
    },
)

PYDANTIC = Dialect(
    "Pydantic AI and Logfire",
    "https://ai.pydantic.dev/logfire/",
    {
        "service_tier": (f"{_RAW}service_tier",),
        "cache_read_tokens": (
            "gen_ai.usage.cache_read_tokens",
            f"{_DETAILS}cache_read_tokens",
            f"{_DETAILS}cache_read_input_tokens",
            f"{_DETAILS}cached_tokens",
            f"{_RAW}cache_read_input_tokens",
            f"{_RAW}prompt_tokens_details.cached_tokens",
            f"{_RAW}input_tokens_details.cached_tokens",
        ),
        "cache_write_tokens": (
            "gen_ai.usage.cache_write_tokens",
            f"{_DETAILS}cache_write_tokens",
            f"{_DETAILS}cache_creation_input_tokens",
            f"{_RAW}cache_creation_input_tokens",
        ),
        "cache_write_5m_tokens": (
            f"{_DETAILS}ephemeral_5m_input_tokens",
            f"{_RAW}cache_creation.ephemeral_5m_input_tokens",
        ),
        "cache_write_1h_tokens": (
            f"{_DETAILS}ephemeral_1h_input_tokens",
            f"{_RAW}cache_creation.ephemeral_1h_input_tokens",
        ),
        "cache_audio_read_tokens": (f"{_DETAILS}cache_audio_read_tokens",),
        "input_tokens": (f"{_RAW}prompt_tokens", f"{_RAW}input_tokens"),
        "input_uncached_tokens": (f"{_RAW}beside.input_tokens",),
        "output_tokens": (f"{_RAW}completion_tokens", f"{_RAW}output_tokens"),
        "input_audio_tokens": (f"{_DETAILS}input_audio_tokens", f"{_RAW}prompt_tokens_details.audio_tokens"),
        "output_reasoning_tokens": (
            f"{_DETAILS}reasoning_tokens",
            f"{_RAW}completion_tokens_details.reasoning_tokens",
            f"{_RAW}output_tokens_details.reasoning_tokens",
        ),
        "output_audio_tokens": (f"{_DETAILS}output_audio_tokens", f"{_RAW}completion_tokens_details.audio_tokens"),
        "web_searches": (f"{_RAW}server_tool_use.web_search_requests", f"{_DETAILS}web_search_requests"),
        "claimed_cost": ("operation.cost",),
    },
)

LITELLM = Dialect(
    "LiteLLM",
    "https://docs.litellm.ai/docs/observability/opentelemetry_integration",
    {
        "response_model": ("litellm.provider.model",),
        "claimed_cost": ("litellm.cost.total", "gen_ai.cost.total_cost"),
        "cache_hit": ("litellm.cache_hit",),
    },
)

MLFLOW = Dialect(
    "MLflow",
    "https://mlflow.org/docs/latest/genai/tracing/",
    {
        "operation": ("mlflow.spanType",),
        "provider": ("mlflow.llm.provider",),
        "request_model": ("mlflow.llm.model",),
        "input_tokens": ("mlflow.chat.tokenUsage.input_tokens",),
        "output_tokens": ("mlflow.chat.tokenUsage.output_tokens",),
        "cache_read_tokens": ("mlflow.chat.tokenUsage.cache_read_input_tokens",),
        "cache_write_tokens": ("mlflow.chat.tokenUsage.cache_creation_input_tokens",),
        "cache_write_1h_tokens": ("mlflow.chat.tokenUsage.cache_creation_input_tokens_above_1hr",),
        "claimed_cost": ("mlflow.llm.cost.total_cost",),
    },
)

LANGSMITH = Dialect(
    "LangSmith",
    "https://docs.smith.langchain.com/observability/how_to_guides/trace_with_opentelemetry",
    {
        "operation": ("langsmith.span.kind",),
        "cache_read_tokens": ("gen_ai.usage.input_token_details.cache_read",),
        "cache_write_tokens": ("gen_ai.usage.input_token_details.cache_creation",),
        "cache_write_5m_tokens": ("gen_ai.usage.input_token_details.ephemeral_5m_input_tokens",),
        "cache_write_1h_tokens": ("gen_ai.usage.input_token_details.ephemeral_1h_input_tokens",),
        "input_audio_tokens": ("gen_ai.usage.input_token_details.audio",),
        "output_reasoning_tokens": ("gen_ai.usage.output_token_details.reasoning",),
        "output_audio_tokens": ("gen_ai.usage.output_token_details.audio",),
    },
)

OPENLIT = Dialect(
    "OpenLIT",
    "https://docs.openlit.io/latest/sdk/features/pricing",
    {
        "cache_read_tokens": ("gen_ai.usage.prompt_tokens_details.cached_tokens",),
        "cache_write_tokens": ("gen_ai.usage.prompt_tokens_details.cache_creation_tokens",),
        "output_reasoning_tokens": ("gen_ai.usage.completion_tokens_details.reasoning_tokens",),
        "output_audio_tokens": ("gen_ai.usage.completion_tokens_details.audio_tokens",),
        "claimed_cost": ("gen_ai.usage.cost", "db.operation.cost"),
    },
)
"""``gen_ai.usage.cost`` is also what OpenRouter and exporters in its style write."""

AGENTOPS = Dialect(
    "AgentOps",
    "https://github.com/AgentOps-AI/agentops/blob/main/agentops/semconv/span_attributes.py",
    {
        "claimed_cost": ("gen_ai.usage.total_cost",),
    },
)

SENTRY = Dialect(
    "Sentry",
    "https://develop.sentry.dev/sdk/telemetry/traces/modules/ai-agents/",
    {
        "cache_read_tokens": ("gen_ai.usage.input_tokens.cached",),
        "cache_write_tokens": ("gen_ai.usage.input_tokens.cache_write",),
        "output_reasoning_tokens": ("gen_ai.usage.output_tokens.reasoning",),
        "claimed_cost": ("gen_ai.cost.total_tokens",),
    },
)

ANTHROPIC = Dialect(
    "Anthropic",
    "https://github.com/anthropics/anthropic-sdk-python",
    {
        "service_tier": ("anthropic.response.service_tier", "anthropic.request.service_tier"),
        "cache_write_5m_tokens": ("anthropic.usage.cache_creation.ephemeral_5m_input_tokens",),
        "cache_write_1h_tokens": ("anthropic.usage.cache_creation.ephemeral_1h_input_tokens",),
    },
)

JSON = (
    "ai.response.providerMetadata",
    "aws.dynamodb.consumed_capacity",
    "gen_ai.usage.input_token_details",
    "gen_ai.usage.output_token_details",
    "gen_ai.usage.raw",
    "langfuse.observation.cost_details",
    "langfuse.observation.model.parameters",
    "langfuse.observation.usage_details",
    "llm.invocation_parameters",
    "metadata",
    "mlflow.chat.tokenUsage",
    "mlflow.llm.cost",
)
"""Attributes whose values are JSON objects, or lists of such, read as if their members were attributes."""

BESIDE_SCOPES = ("openlit.instrumentation.anthropic",)
"""Instrumentations that leave the cache out of the input under the names that mean all of it."""

OWN_RESPONSE_IDS = ("litellm",)
"""Instrumentations that make up a response's id where there was none: it does not say that anything was answered."""

BESIDE = {
    "gen_ai.usage.raw": "input_tokens",
    "langfuse.observation.usage_details": "input_tokens",
}
"""Of these, the member that leaves the cache out where ``BESIDE_IF`` are members as well: Anthropic's own shape
(https://platform.claude.com/docs/en/build-with-claude/prompt-caching#tracking-cache-performance). It is read under
``beside.``, as other sources give the same name to a total."""

SUMS = {"langfuse.observation.cost_details": "total"}
"""Of these, the member that is the sum of the others where it is not there."""

BESIDE_IF = frozenset({"cache_creation_input_tokens", "cache_read_input_tokens"})
