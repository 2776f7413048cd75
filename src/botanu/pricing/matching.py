"""Provider and model names, as programs write them, to those that prices are kept under."""

import re
from collections.abc import Iterator

PROVIDER_IDS = {
    "amazon": "aws",
    "amazon-bedrock": "aws",
    "amazon_bedrock": "aws",
    "aws.bedrock": "aws",
    "aws_bedrock": "aws",
    "az.ai.inference": "azure",
    "az.ai.openai": "azure",
    "azure-openai": "azure",
    "azure.ai.inference": "azure",
    "azure.ai.openai": "azure",
    "azure_ai": "azure",
    "azure_openai": "azure",
    "azureopenai": "azure",
    "bedrock": "aws",
    "bedrock_converse": "aws",
    "cohere_chat": "cohere",
    "fireworks_ai": "fireworks",
    "gcp.gemini": "google",
    "gcp.gen_ai": "google",
    "gcp.vertex_ai": "google",
    "gemini": "google",
    "google-generative-ai": "google",
    "google_genai": "google",
    "google_generativeai": "google",
    "google_vertexai": "google",
    "ibm.watsonx.ai": "watsonx",
    "mistral_ai": "mistral",
    "mistralai": "mistral",
    "moonshot": "moonshotai",
    "moonshot_ai": "moonshotai",
    "open_router": "openrouter",
    "together_ai": "together",
    "togetherai": "together",
    "vertex": "google",
    "vertex_ai": "google",
    "vertexai": "google",
    "x.ai": "x-ai",
    "x_ai": "x-ai",
    "xai": "x-ai",
    "z.ai": "zai",
}
"""Provider names where prices use another: OpenTelemetry's well-known ones, current and deprecated
(https://opentelemetry.io/docs/specs/semconv/registry/attributes/gen-ai/, checked 2026-11-22), and those that
OpenInference, LangChain, LiteLLM and the AI SDK write."""

_PREFIXES = {
    "google": ("models/", "publishers/google/models/"),
    "openrouter": ("openrouter/",),
    "aws": ("bedrock/", "converse/", "invoke/"),
    "azure": ("azure/", "azure_ai/"),
    "fireworks": ("fireworks_ai/",),
    "together": ("together_ai/",),
}
# What some write before a model's name without it being part of it.

_ARN = re.compile(r"^arn:aws[a-z-]*:bedrock:[^:]*:[^:]*:(?:foundation-model|inference-profile)/(?P<model>.+)$")
# https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazonbedrock.html#amazonbedrock-resources-for-iam-policies

_PROJECT = re.compile(r"^projects/[^/]+/locations/[^/]+/publishers/(?P<publisher>[^/]+)/models/(?P<model>.+)$")
# https://cloud.google.com/vertex-ai/docs/reference/rest/v1/projects.locations.publishers.models

GATEWAYS = frozenset(
    {"_other", "agno", "ai-gateway", "autogen", "crewai", "dspy", "gateway", "haystack", "langchain", "langgraph",
     "litellm", "litellm_proxy", "llama_index", "llamaindex", "portkey", "vercel"}
)  # fmt: skip
"""Names that say who passes a call on, or nothing: the model's own name says who bills."""

MAKERS = ("openai", "anthropic", "google", "mistral", "cohere", "deepseek", "x-ai", "voyageai", "perplexity",
          "moonshotai", "zai", "minimax")  # fmt: skip
"""Providers of their own models: a model whose name alone is known is that of the one that has it."""


def provider_id(provider: str) -> str:
    """Return the id under which prices of *provider* are kept; the name itself where it has no other.

    Of a name that also says which interface was called, such as the AI SDK's ``openai.chat``, the first part counts.
    """
    name = provider.strip().lower()
    return PROVIDER_IDS.get(name) or PROVIDER_IDS.get(first := name.partition(".")[0], first)


def spellings(provider: str | None, model: str) -> Iterator[tuple[str | None, str]]:
    """Yield pairs of provider id and model name under which the price of *model* may be kept, the likeliest first."""
    billed_by = provider_id(provider) if provider else None
    name = model.strip().lower()
    if matched := _ARN.match(name) or _PROJECT.match(name):
        name = matched["model"]
        billed_by = billed_by or ("aws" if matched.re is _ARN else "google")
    prefix, slash, rest = name.partition("/")
    if billed_by in GATEWAYS or (billed_by is None and slash):
        if slash:
            yield from spellings(prefix, rest)
            return
        billed_by = None  # the model's name decides
    yield billed_by, name
    for added in (*_PREFIXES.get(billed_by or "", ()), *((f"{billed_by}/",) if billed_by else ())):
        if name.startswith(added):
            yield from spellings(billed_by, name.removeprefix(added))
