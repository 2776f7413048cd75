"""Service tiers: batch, flex, priority, fast, and those without a price."""

from functools import partial

from worked.case import NOBODY, Case, otel

_OTEL = partial(Case, dialect="OpenTelemetry GenAI")
_UNPRICED = partial(_OTEL, bills=NOBODY, cost=None, cost_source=None, priced=False)
_PLAIN = {"input": 1000, "output": 100}
_BATCH = {"botanu.service_tier": "batch"}

CASES = (
    _OTEL(
        name="batch-keeps-the-standard-price-of-what-it-has-no-price-for",  # the batch table has no cached input
        bills="openai",
        listed="openai/gpt-4.1",
        attributes=otel("openai", "gpt-4.1", input=1000, read=600, output=100, also=_BATCH),
        items={
            "input_uncached_tokens": (400, "0.0004", "1/M"),
            "cache_read_tokens": (600, "0.0003", "0.5/M"),
            "output_text_tokens": (100, "0.0004", "4/M"),
        },
        cost="0.0011",
    ),
    _OTEL(
        name="flex-of-openai",
        bills="openai",
        listed="openai/o3",
        attributes=otel(
            "openai", "o3", input=1000, output=500, reasoning=300, also={"openai.response.service_tier": "flex"}
        ),
        items={
            "input_uncached_tokens": (1000, "0.001", "1/M"),
            "output_text_tokens": (200, "0.0008", "4/M"),
            "output_reasoning_tokens": (300, "0.0012", "4/M"),
        },
        cost="0.003",
    ),
    _OTEL(
        name="priority-of-openai-in-the-deprecated-name",
        bills="openai",
        listed="openai/gpt-4o",
        attributes=otel(
            "openai",
            "gpt-4o",
            input=1000,
            read=600,
            output=100,
            also={"gen_ai.openai.response.service_tier": "priority"},
        ),
        items={
            "input_uncached_tokens": (400, "0.0017", "4.25/M"),
            "cache_read_tokens": (600, "0.001275", "2.125/M"),
            "output_text_tokens": (100, "0.0017", "17/M"),
        },
        cost="0.004675",
    ),
    _OTEL(
        name="the-tier-that-was-served-goes-before-the-one-asked-for",
        bills="openai",
        listed="openai/gpt-4o",
        attributes=otel(
            "openai",
            "gpt-4o",
            **_PLAIN,
            also={"openai.request.service_tier": "priority", "openai.response.service_tier": "default"},
        ),
        items={"input_uncached_tokens": (1000, "0.0025", "2.5/M"), "output_text_tokens": (100, "0.001", "10/M")},
        cost="0.0035",
    ),
    _OTEL(
        name="the-tier-asked-for-counts-where-no-other-is-told",
        bills="openai",
        listed="openai/gpt-5-mini",
        attributes=otel("openai", "gpt-5-mini", input=8000, output=2000, also={"openai.request.service_tier": "flex"}),
        items={"input_uncached_tokens": (8000, "0.001", "0.125/M"), "output_text_tokens": (2000, "0.002", "1/M")},
        cost="0.003",
    ),
    _OTEL(
        name="auto-is-the-standard-tier",
        bills="openai",
        listed="openai/gpt-4o",
        attributes=otel("openai", "gpt-4o", **_PLAIN, also={"openai.request.service_tier": "auto"}),
        items={"input_uncached_tokens": (1000, "0.0025", "2.5/M"), "output_text_tokens": (100, "0.001", "10/M")},
        cost="0.0035",
    ),
    _OTEL(
        name="on-demand-is-the-standard-tier-of-groq",
        bills="groq",
        listed="groq/llama-3.3-70b-versatile",
        attributes=otel(
            "groq", "llama-3.3-70b-versatile", **_PLAIN, also={"gen_ai.response.service_tier": "on_demand"}
        ),
        items={"input_uncached_tokens": (1000, "0.00059", "0.59/M"), "output_text_tokens": (100, "0.000079", "0.79/M")},
        cost="0.000669",
    ),
    _OTEL(
        name="standard-is-the-standard-tier-of-anthropic",
        bills="anthropic",
        listed="anthropic/claude-haiku-4-5",
        attributes=otel(
            "anthropic", "claude-haiku-4-5-20251001", **_PLAIN, also={"anthropic.response.service_tier": "standard"}
        ),
        items={"input_uncached_tokens": (1000, "0.001", "1/M"), "output_text_tokens": (100, "0.0005", "5/M")},
        cost="0.0015",
    ),
    _OTEL(
        name="batch-of-anthropic",
        bills="anthropic",
        listed="anthropic/claude-haiku-4-5",
        attributes=otel(
            "anthropic",
            "claude-haiku-4-5-20251001",
            input=3000,
            output=200,
            also={"anthropic.response.service_tier": "batch"},
        ),
        items={"input_uncached_tokens": (3000, "0.0015", "0.5/M"), "output_text_tokens": (200, "0.0005", "2.5/M")},
        cost="0.002",
    ),
    _OTEL(
        name="the-fast-mode-of-anthropic",  # its price list calls it speed
        bills="anthropic",
        listed="anthropic/claude-opus-4-8",
        attributes=otel("anthropic", "claude-opus-4-8", **_PLAIN, also={"botanu.service_tier": "fast"}),
        items={"input_uncached_tokens": (1000, "0.01", "10/M"), "output_text_tokens": (100, "0.005", "50/M")},
        cost="0.015",
    ),
    _OTEL(
        name="batch-of-gemini-above-its-context-tier",  # context caching stays at the standard rate
        bills="google",
        listed="google/gemini-2.5-pro",
        attributes=otel("gcp.gemini", "gemini-2.5-pro", input=200_001, read=100_001, output=1000, also=_BATCH),
        items={
            "input_uncached_tokens": (100_000, "0.125", "1.25/M"),
            "cache_read_tokens": (100_001, "0.02500025", "0.25/M"),
            "output_text_tokens": (1000, "0.0075", "7.5/M"),
        },
        cost="0.15750025",
    ),
    _UNPRICED(
        name="flex-of-a-model-without-flex-is-unpriced",
        attributes=otel("openai", "gpt-4o", **_PLAIN, also={"openai.response.service_tier": "flex"}),
        items={"input_uncached_tokens": (1000, None), "output_text_tokens": (100, None)},
    ),
    _UNPRICED(
        name="priority-of-anthropic-is-unpriced",  # its price is a contract's
        attributes=otel(
            "anthropic", "claude-sonnet-4-5-20250929", **_PLAIN, also={"anthropic.response.service_tier": "priority"}
        ),
        items={"input_uncached_tokens": (1000, None), "output_text_tokens": (100, None)},
    ),
    _UNPRICED(
        name="batch-on-bedrock-is-unpriced",  # AWS has batch prices, the price list has none of them
        attributes=otel("aws.bedrock", "us.anthropic.claude-sonnet-4-5-20250929-v1:0", **_PLAIN, also=_BATCH),
        items={"input_uncached_tokens": (1000, None), "output_text_tokens": (100, None)},
    ),
    _UNPRICED(
        name="batch-on-azure-is-unpriced",  # the list has OpenAI's batch prices for its models, not Azure's
        attributes=otel("azure.ai.openai", "gpt-4o", **_PLAIN, also=_BATCH),
        items={"input_uncached_tokens": (1000, None), "output_text_tokens": (100, None)},
    ),
    _UNPRICED(
        name="batch-before-its-price-was-known-is-unpriced",
        start="2026-10-13T23:59:59Z",
        attributes=otel("openai", "gpt-4o", **_PLAIN, also=_BATCH),
        items={"input_uncached_tokens": (1000, None), "output_text_tokens": (100, None)},
    ),
    _OTEL(
        name="batch-from-the-day-its-price-is-known",
        bills="openai",
        listed="openai/gpt-4o",
        start="2026-10-14T00:00:00Z",
        attributes=otel("openai", "gpt-4o", **_PLAIN, also=_BATCH),
        items={"input_uncached_tokens": (1000, "0.00125", "1.25/M"), "output_text_tokens": (100, "0.0005", "5/M")},
        cost="0.00175",
    ),
    _OTEL(
        name="of-the-batch-prices-that-hold-the-latest-counts",  # listed latest first: from 10-29, 10-20 and 10-14
        bills="mistral",
        listed="mistral/mistral-large-4",
        start="2026-10-25T12:00:00Z",
        attributes=otel("mistral_ai", "mistral-large-4-0", **_PLAIN, also=_BATCH),
        items={"input_uncached_tokens": (1000, "0.00068", "0.68/M"), "output_text_tokens": (100, "0.000209", "2.09/M")},
        cost="0.000889",
    ),
)
