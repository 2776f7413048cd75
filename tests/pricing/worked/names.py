"""Names by way of gateways, fine-tunes, and the model that answered.

Each call has 1,000 input and 100 output tokens.
"""

from worked.named import GPT_4O, SONNET, SONNET_REGIONAL, call, unpriced

GATEWAYS = (
    call(
        "litellm-to-openrouter",
        "openrouter",
        "openrouter/anthropic/claude-sonnet-4.5",
        ("litellm", "openrouter/anthropic/claude-sonnet-4.5"),
        *SONNET,
    ),
    call(
        "litellm-to-bedrock",
        "aws",
        f"aws/{SONNET_REGIONAL[0]}",
        ("litellm", "bedrock/anthropic.claude-sonnet-4-5-20250929-v1:0"),
        *SONNET_REGIONAL[1:],
    ),
    call("litellm-to-azure", "azure", "openai/gpt-4o", ("litellm", "azure/gpt-4o"), *GPT_4O),
    unpriced("litellm-to-a-deployment-on-azure", ("litellm", "azure/prod-chat")),
    call(
        "litellm-to-vertex",
        "google vertex",
        "google/gemini-2.5-pro",
        ("litellm", "vertex_ai/gemini-2.5-pro"),
        ("0.00125", "0.001"),
        ("1.25/M", "10/M"),
        "0.00225",
    ),
    call(
        "openrouter-itself",
        "openrouter",
        "openrouter/anthropic/claude-sonnet-4.5",
        ("openrouter", "anthropic/claude-sonnet-4.5"),
        *SONNET,
    ),
    call(
        "openrouters-price-is-not-the-makers",
        "openrouter",
        "openrouter/deepseek/deepseek-chat-v3.1",
        ("openrouter", "deepseek/deepseek-chat-v3.1"),
        ("0.00027", "0.0001"),
        ("0.27/M", "1/M"),
        "0.00037",
    ),
    call(
        "openrouters-price-a-week-before",
        "openrouter",
        "openrouter/deepseek/deepseek-chat-v3.1",
        ("openrouter", "deepseek/deepseek-chat-v3.1"),
        ("0.00055", "0.000165"),
        ("0.55/M", "1.65/M"),
        "0.000715",
        start="2026-11-05T12:00:00Z",
    ),
    call(
        "together",
        "together",
        "together/meta-llama/Llama-3.3-70B-Instruct-Turbo",
        ("together_ai", "meta-llama/Llama-3.3-70B-Instruct-Turbo"),
        ("0.00088", "0.000088"),
        ("0.88/M", "0.88/M"),
        "0.000968",
    ),
    call(
        "fireworks",
        "fireworks",
        "fireworks/deepseek-v3p2",
        ("fireworks", "accounts/fireworks/models/deepseek-v3p2"),
        ("0.00056", "0.000168"),
        ("0.56/M", "1.68/M"),
        "0.000728",
    ),
)

FINE_TUNES = (
    call(
        "a-fine-tuned-gpt-4o",
        "openai",
        "openai/ft:gpt-4o",
        ("openai", "ft:gpt-4o-2024-08-06:acme::AbC123"),
        ("0.00375", "0.0015"),
        ("3.75/M", "15/M"),
        "0.00525",
    ),
    call(
        "a-fine-tuned-gpt-4o-mini",
        "openai",
        "openai/ft:gpt-4o-mini",
        ("openai", "ft:gpt-4o-mini-2024-07-18:acme:support:AbC123"),
        ("0.0003", "0.00012"),
        ("0.3/M", "1.2/M"),
        "0.00042",
    ),
    call(
        "a-fine-tune-in-a-batch",
        "openai",
        "openai/ft:gpt-4o-mini",
        ("openai", "ft:gpt-4o-mini-2024-07-18:acme:support:AbC123"),
        ("0.00015", "0.00006"),
        ("0.15/M", "0.6/M"),
        "0.00021",
        also={"botanu.service_tier": "batch"},
    ),
    unpriced(
        "a-fine-tune-without-a-batch-price",
        ("openai", "ft:gpt-4o-2024-08-06:acme::AbC123"),
        also={"botanu.service_tier": "batch"},
    ),
    unpriced("a-fine-tune-is-not-priced-as-its-base-model", ("openai", "ft:gpt-4.1-2025-04-14:acme::AbC123")),
    unpriced("a-fine-tune-on-azure-is-not-its-base-model", ("azure.ai.openai", "gpt-4o-2024-08-06.ft-0f1e2d3c")),
)

MODELS = (
    call(
        "the-model-that-answered-goes-before-the-one-asked-for",
        "openai",
        "openai/gpt-4o-mini",
        ("openai", "gpt-4o"),
        ("0.00015", "0.00006"),
        ("0.15/M", "0.6/M"),
        "0.00021",
        also={"gen_ai.response.model": "gpt-4o-mini-2024-07-18"},
    ),
    call(
        "an-answering-model-nobody-knows-costs-what-was-asked-for",
        "openai",
        "openai/gpt-4o",
        ("openai", "gpt-4o"),
        *GPT_4O,
        also={"gen_ai.response.model": "house-alias"},
    ),
    call(
        "mistral",
        "mistral",
        "mistral/mistral-large",
        ("mistral_ai", "mistral-large-2411"),
        ("0.002", "0.0006"),
        ("2/M", "6/M"),
        "0.0026",
    ),
    call(
        "an-alias-of-mistral-that-moved",
        "mistral",
        "mistral/mistral-small-latest",
        ("mistral_ai", "mistral-small-latest"),
        ("0.0001", "0.00003"),
        ("0.1/M", "0.3/M"),
        "0.00013",
        start="2026-03-15T12:00:00Z",
    ),
    call(
        "grok",
        "x-ai",
        "x-ai/grok-4-0709",
        ("x_ai", "grok-4-0709"),
        ("0.003", "0.0015"),
        ("3/M", "15/M"),
        "0.0045",
    ),
)

CASES = (*GATEWAYS, *FINE_TUNES, *MODELS)
