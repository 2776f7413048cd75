"""OpenTelemetry's current conventions: caches, context tiers, and rounding."""

from functools import partial

from worked.case import Case, otel

_OTEL = partial(Case, dialect="OpenTelemetry GenAI")
_OPENAI = partial(_OTEL, bills="openai", listed="openai/gpt-4o")
_SONNET = partial(_OTEL, bills="anthropic", listed="anthropic/claude-sonnet-4-5")
_GEMINI = partial(_OTEL, bills="google", listed="google/gemini-2.5-pro")

# A prompt over 200,000 tokens of claude-sonnet-4-5 was possible until 2026-04-30.
_WINTER = "2026-01-15T12:00:00Z"

CACHED = (
    _OPENAI(
        name="nothing-cached",
        attributes=otel("openai", "gpt-4o", input=1000, output=100),
        items={"input_uncached_tokens": (1000, "0.0025", "2.5/M"), "output_text_tokens": (100, "0.001", "10/M")},
        cost="0.0035",
    ),
    _OPENAI(
        name="cached-tokens-are-part-of-the-input",
        attributes=otel("openai", "gpt-4o", input=1000, read=600, output=100),
        items={
            "input_uncached_tokens": (400, "0.001", "2.5/M"),
            "cache_read_tokens": (600, "0.00075", "1.25/M"),
            "output_text_tokens": (100, "0.001", "10/M"),
        },
        cost="0.00275",
    ),
    _OTEL(
        name="cached-tokens-without-a-price-cost-what-input-costs",  # OpenAI lists this snapshot without a cached rate
        bills="openai",
        listed="openai/gpt-4o-2024-05-13",
        attributes=otel("openai", "gpt-4o-2024-05-13", input=1000, read=600, output=100),
        items={
            "input_uncached_tokens": (400, "0.002", "5/M"),
            "cache_read_tokens": (600, "0.003", "5/M"),
            "output_text_tokens": (100, "0.0015", "15/M"),
        },
        cost="0.0065",
    ),
    _SONNET(
        name="cache-reads-and-writes-are-part-of-the-input",
        attributes=otel("anthropic", "claude-sonnet-4-5-20250929", input=2460, read=2000, write=400, output=10),
        items={
            "input_uncached_tokens": (60, "0.00018", "3/M"),
            "cache_read_tokens": (2000, "0.0006", "0.3/M"),
            "cache_write_other_tokens": (400, "0.0015", "3.75/M"),
            "output_text_tokens": (10, "0.00015", "15/M"),
        },
        cost="0.00243",
    ),
    _SONNET(
        name="a-cache-greater-than-the-input-stands-beside-it",  # the call before, as Anthropic's own API counts
        attributes=otel("anthropic", "claude-sonnet-4-5-20250929", input=60, read=2000, write=400, output=10),
        items={
            "input_uncached_tokens": (60, "0.00018", "3/M"),
            "cache_read_tokens": (2000, "0.0006", "0.3/M"),
            "cache_write_other_tokens": (400, "0.0015", "3.75/M"),
            "output_text_tokens": (10, "0.00015", "15/M"),
        },
        cost="0.00243",
    ),
    _SONNET(
        name="a-cache-as-large-as-the-input-is-all-of-it",
        attributes=otel("anthropic", "claude-sonnet-4-5-20250929", input=2400, read=2000, write=400, output=10),
        items={
            "cache_read_tokens": (2000, "0.0006", "0.3/M"),
            "cache_write_other_tokens": (400, "0.0015", "3.75/M"),
            "output_text_tokens": (10, "0.00015", "15/M"),
        },
        cost="0.00225",
    ),
    _SONNET(
        name="the-cache-write-of-the-anthropic-sdk-has-another-name",  # of its own spans
        attributes=otel(
            "anthropic",
            "claude-sonnet-4-5-20250929",
            input=2460,
            read=2000,
            output=10,
            also={"gen_ai.usage.cache_write.input_tokens": 400},
        ),
        items={
            "input_uncached_tokens": (60, "0.00018", "3/M"),
            "cache_read_tokens": (2000, "0.0006", "0.3/M"),
            "cache_write_other_tokens": (400, "0.0015", "3.75/M"),
            "output_text_tokens": (10, "0.00015", "15/M"),
        },
        cost="0.00243",
    ),
)

CONTEXT = (
    _SONNET(
        name="input-of-exactly-200k-is-below-the-tier",
        start=_WINTER,
        attributes=otel("anthropic", "claude-sonnet-4-5-20250929", input=200_000, output=1000),
        items={"input_uncached_tokens": (200_000, "0.6", "3/M"), "output_text_tokens": (1000, "0.015", "15/M")},
        cost="0.615",
    ),
    _SONNET(
        name="one-token-more-re-rates-the-whole-call",
        start=_WINTER,
        attributes=otel("anthropic", "claude-sonnet-4-5-20250929", input=200_001, output=1000),
        items={"input_uncached_tokens": (200_001, "1.200006", "6/M"), "output_text_tokens": (1000, "0.0225", "22.5/M")},
        cost="1.222506",
    ),
    _SONNET(
        name="cached-tokens-count-towards-the-tier",
        start=_WINTER,
        attributes=otel("anthropic", "claude-sonnet-4-5-20250929", input=200_001, read=150_001, output=1000),
        items={
            "input_uncached_tokens": (50_000, "0.3", "6/M"),
            "cache_read_tokens": (150_001, "0.0900006", "0.6/M"),
            "output_text_tokens": (1000, "0.0225", "22.5/M"),
        },
        cost="0.4125006",
    ),
    _SONNET(
        name="cached-tokens-beside-the-input-count-towards-the-tier-too",
        start=_WINTER,
        attributes=otel("anthropic", "claude-sonnet-4-5-20250929", input=50_000, read=150_001, output=1000),
        items={
            "input_uncached_tokens": (50_000, "0.3", "6/M"),
            "cache_read_tokens": (150_001, "0.0900006", "0.6/M"),
            "output_text_tokens": (1000, "0.0225", "22.5/M"),
        },
        cost="0.4125006",
    ),
    _GEMINI(
        name="gemini-at-200k",
        attributes=otel("gcp.gemini", "gemini-2.5-pro", input=200_000, output=1000),
        items={"input_uncached_tokens": (200_000, "0.25", "1.25/M"), "output_text_tokens": (1000, "0.01", "10/M")},
        cost="0.26",
    ),
    _GEMINI(
        name="gemini-above-200k",
        attributes=otel("gcp.gemini", "gemini-2.5-pro", input=200_001, output=1000),
        items={"input_uncached_tokens": (200_001, "0.5000025", "2.5/M"), "output_text_tokens": (1000, "0.015", "15/M")},
        cost="0.5150025",
    ),
    _OTEL(
        name="grok-below-200k",  # xAI's table says "< 200k" and ">= 200k": the tier is above 199,999
        bills="x-ai",
        listed="x-ai/grok-4.3",
        attributes=otel("x_ai", "grok-4.3", input=199_999, output=100),
        items={
            "input_uncached_tokens": (199_999, "0.24999875", "1.25/M"),
            "output_text_tokens": (100, "0.00025", "2.5/M"),
        },
        cost="0.25024875",
    ),
    _OTEL(
        name="grok-at-200k",
        bills="x-ai",
        listed="x-ai/grok-4.3",
        attributes=otel("x_ai", "grok-4.3", input=200_000, output=100),
        items={"input_uncached_tokens": (200_000, "0.5", "2.5/M"), "output_text_tokens": (100, "0.0005", "5/M")},
        cost="0.5005",
    ),
)

# A token into command-r7b costs 37.5 nano-dollars: an odd number of them lands on half a nano-dollar.
ROUNDING = (
    _OTEL(
        name="half-a-nano-dollar-goes-up-to-the-even-one",  # 5 times 37.5 = 187.5
        bills="cohere",
        listed="cohere/command-r7b",
        attributes=otel("cohere", "command-r7b-12-2024", input=5, output=1),
        items={
            "input_uncached_tokens": (5, "0.000000188", "0.0375/M"),
            "output_text_tokens": (1, "0.00000015", "0.15/M"),
        },
        cost="0.000000338",
    ),
    _OTEL(
        name="half-a-nano-dollar-goes-down-to-the-even-one",  # 3 times 37.5 = 112.5
        bills="cohere",
        listed="cohere/command-r7b",
        attributes=otel("cohere", "command-r7b-12-2024", input=3, output=1),
        items={
            "input_uncached_tokens": (3, "0.000000112", "0.0375/M"),
            "output_text_tokens": (1, "0.00000015", "0.15/M"),
        },
        cost="0.000000262",
    ),
    _OTEL(
        name="each-line-item-is-rounded-not-their-sum",  # 125 + 12.5 + 1,000 would round up to 1,138
        bills="openai",
        listed="openai/gpt-5-mini",
        attributes=otel(
            "openai", "gpt-5-mini", input=2, read=1, output=1, also={"openai.response.service_tier": "flex"}
        ),
        items={
            "input_uncached_tokens": (1, "0.000000125", "0.125/M"),
            "cache_read_tokens": (1, "0.000000012", "0.0125/M"),
            "output_text_tokens": (1, "0.000001", "1/M"),
        },
        cost="0.000001137",
    ),
)

CASES = (*CACHED, *CONTEXT, *ROUNDING)
