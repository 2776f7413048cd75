"""Provider names to the ids that prices are kept under."""

PROVIDER_IDS = {
    "aws.bedrock": "aws",
    "aws_bedrock": "aws",
    "azure.ai.inference": "azure",
    "azure.ai.openai": "azure",
    "az.ai.inference": "azure",
    "az.ai.openai": "azure",
    "gcp.gemini": "google",
    "gcp.gen_ai": "google",
    "gcp.vertex_ai": "google",
    "gemini": "google",
    "mistral_ai": "mistral",
    "moonshot_ai": "moonshotai",
    "vertex_ai": "google",
    "x_ai": "x-ai",
    "xai": "x-ai",
}
"""OpenTelemetry's well-known provider names, current and deprecated, where prices use another
(https://opentelemetry.io/docs/specs/semconv/registry/attributes/gen-ai/, checked 2026-11-22)."""


def provider_id(provider: str) -> str:
    """Return the id under which prices of *provider* are kept; the name itself where it has no other."""
    name = provider.strip().lower()
    return PROVIDER_IDS.get(name, name)
