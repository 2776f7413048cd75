"""Names on clouds: Bedrock's ids, profiles and ARNs, Azure's deployments, Vertex.

Each call has 1,000 input and 100 output tokens.
"""

from worked.case import Case, otel
from worked.named import GPT_4O, HAIKU_REGIONAL, SONNET, SONNET_35, SONNET_GLOBAL, SONNET_REGIONAL, call, unpriced

_REGIONAL = "arn:aws:bedrock:us-east-1::foundation-model/"
_PROFILE = "arn:aws:bedrock:eu-west-1:123456789012:inference-profile/"


def _bedrock(name, model, of, **more):
    """Claude on Bedrock: since 4.5 a region, or a group of them, costs a tenth more than the global endpoint."""
    listed, amounts, prices, cost = of
    return call(name, "aws", f"aws/{listed}", ("aws.bedrock", model), amounts, prices, cost, **more)


BEDROCK = (
    _bedrock(  # while it was current: AWS asks more for old models
        "a-bedrock-model-id", "anthropic.claude-3-5-sonnet-20241022-v2:0", SONNET_35, start="2025-06-01T12:00:00Z"
    ),
    _bedrock("a-bedrock-model-id-in-a-region", "anthropic.claude-sonnet-4-5-20250929-v1:0", SONNET_REGIONAL),
    _bedrock("a-profile-of-american-regions", "us.anthropic.claude-sonnet-4-5-20250929-v1:0", SONNET_REGIONAL),
    _bedrock("a-profile-of-european-regions", "eu.anthropic.claude-haiku-4-5-20251001-v1:0", HAIKU_REGIONAL),
    _bedrock("the-global-profile", "global.anthropic.claude-sonnet-4-5-20250929-v1:0", SONNET_GLOBAL),
    _bedrock("the-arn-of-a-foundation-model", f"{_REGIONAL}anthropic.claude-sonnet-4-5-20250929-v1:0", SONNET_REGIONAL),
    _bedrock(
        "the-arn-of-an-inference-profile", f"{_PROFILE}eu.anthropic.claude-sonnet-4-5-20250929-v1:0", SONNET_REGIONAL
    ),
    _bedrock(
        "the-arn-of-a-global-profile", f"{_PROFILE}global.anthropic.claude-sonnet-4-5-20250929-v1:0", SONNET_GLOBAL
    ),
    unpriced(
        "a-profile-of-ones-own-says-no-model",
        ("aws.bedrock", "arn:aws:bedrock:us-east-1:123456789012:application-inference-profile/a1b2c3d4e5f6"),
    ),
    Case(
        dialect="OpenTelemetry GenAI",
        name="nova-with-cached-tokens",
        bills="aws",
        listed="aws/amazon.nova-pro-v1:0",
        attributes=otel("aws.bedrock", "us.amazon.nova-pro-v1:0", input=1000, read=400, output=100),
        items={
            "input_uncached_tokens": (600, "0.00048", "0.8/M"),
            "cache_read_tokens": (400, "0.00008", "0.2/M"),
            "output_text_tokens": (100, "0.00032", "3.2/M"),
        },
        cost="0.00088",
    ),
)

CLOUDS = (
    unpriced("an-azure-deployment-says-no-model", ("azure.ai.openai", "prod-chat")),
    call(
        "an-azure-deployment-whose-model-answered-by-name",
        "azure",
        "openai/gpt-4o",
        ("azure.ai.openai", "prod-chat"),
        *GPT_4O,
        also={"gen_ai.response.model": "gpt-4o-2024-11-20"},
    ),
    call(
        "a-model-of-azures-own",
        "azure",
        "azure/phi-4",
        ("azure.ai.inference", "phi-4"),
        ("0.000125", "0.00005"),
        ("0.125/M", "0.5/M"),
        "0.000175",
    ),
    call(
        "claude-on-vertex",
        "google vertex",
        "google/claude-sonnet-4-5",
        ("gcp.vertex_ai", "claude-sonnet-4-5@20250929"),
        *SONNET,
    ),
    call(
        "a-gemini-resource-name",
        "google",
        "google/gemini-2.5-flash",
        ("gcp.gemini", "models/gemini-2.5-flash"),
        ("0.0003", "0.00025"),
        ("0.3/M", "2.5/M"),
        "0.00055",
    ),
)

CASES = (*BEDROCK, *CLOUDS)
