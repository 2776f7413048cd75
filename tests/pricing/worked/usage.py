"""Usage in botanu's own words: lives of a cache, searches, seconds, pages, and what has no price."""

from functools import partial

from worked.calls import SONNET_HOUR, SONNET_LIVES
from worked.case import NOBODY, Case, otel

_OWN = partial(Case, dialect="botanu")
_SONNET_CALL = otel("anthropic", "claude-sonnet-4-5-20250929")

CASES = (
    _OWN(
        name="the-lives-of-cache-writes-in-our-words",
        attributes=_SONNET_CALL
        | {
            "botanu.usage.input_tokens": 2460,
            "botanu.usage.cache_read_tokens": 2000,
            "botanu.usage.cache_write_5m_tokens": 100,
            "botanu.usage.cache_write_1h_tokens": 300,
            "botanu.usage.output_tokens": 10,
        },
        **SONNET_LIVES,
    ),
    _OWN(
        name="what-of-a-cache-write-is-not-told-of-is-left-over",
        attributes=_SONNET_CALL
        | {
            "botanu.usage.input_tokens": 2460,
            "botanu.usage.cache_read_tokens": 2000,
            "botanu.usage.cache_write_tokens": 400,
            "botanu.usage.cache_write_1h_tokens": 300,
            "botanu.usage.output_tokens": 10,
        },
        **SONNET_HOUR,
    ),
    _OWN(
        name="an-hour-without-a-price-costs-what-any-cache-write-costs",
        attributes=otel("aws.bedrock", "us.anthropic.claude-sonnet-4-20250514-v1:0")
        | {
            "botanu.usage.input_tokens": 1000,
            "botanu.usage.cache_write_1h_tokens": 400,
            "botanu.usage.output_tokens": 100,
        },
        bills="aws",
        listed="aws/regional.anthropic.claude-sonnet-4-20250514-v1:0",
        items={
            "input_uncached_tokens": (600, "0.0018", "3/M"),
            "cache_write_1h_tokens": (400, "0.0015", "3.75/M"),
            "output_text_tokens": (100, "0.0015", "15/M"),
        },
        cost="0.0048",
    ),
    _OWN(
        name="cached-audio-in-our-words",
        attributes=otel("openai", "gpt-realtime-mini", input=1000, read=500, output=100, audio_out=60)
        | {"botanu.usage.cache_audio_read_tokens": 200},
        bills="openai",
        listed="openai/gpt-realtime-mini",
        items={
            "input_uncached_tokens": (500, "0.0003", "0.6/M"),
            "cache_read_tokens": (300, "0.000018", "0.06/M"),
            "cache_audio_read_tokens": (200, "0.00006", "0.3/M"),
            "output_text_tokens": (40, "0.000096", "2.4/M"),
            "output_audio_tokens": (60, "0.0012", "20/M"),
        },
        cost="0.001674",
    ),
    _OWN(
        name="web-searches-of-claude",
        attributes=otel("anthropic", "claude-sonnet-4-5-20250929", input=1000, output=100)
        | {"botanu.usage.web_searches": 3},
        bills="anthropic",
        listed="anthropic/claude-sonnet-4-5",
        items={
            "input_uncached_tokens": (1000, "0.003", "3/M"),
            "output_text_tokens": (100, "0.0015", "15/M"),
            "web_searches": (3, "0.03", "10/K"),
        },
        cost="0.0345",
    ),
    _OWN(
        name="searches-citations-and-reasoning-of-perplexity",
        start="2026-09-01T12:00:00Z",
        attributes=otel("perplexity", "sonar-deep-research", input=1000, output=5000, reasoning=3000)
        | {"botanu.usage.output_citation_tokens": 1000, "botanu.usage.web_searches": 4},
        bills="perplexity",
        listed="perplexity/sonar-deep-research",
        items={
            "input_uncached_tokens": (1000, "0.002", "2/M"),
            "output_text_tokens": (1000, "0.008", "8/M"),
            "output_reasoning_tokens": (3000, "0.009", "3/M"),
            "output_citation_tokens": (1000, "0.002", "2/M"),
            "web_searches": (4, "0.02", "5/K"),
        },
        cost="0.041",
    ),
    _OWN(
        name="several-requests-in-one-call",
        start="2026-09-01T12:00:00Z",
        attributes=otel("perplexity", "sonar", input=1000, output=100) | {"botanu.usage.requests": 3},
        bills="perplexity",
        listed="perplexity/sonar",
        items={
            "requests": (3, "0.036", "12/K"),
            "input_uncached_tokens": (1000, "0.001", "1/M"),
            "output_text_tokens": (100, "0.0001", "1/M"),
        },
        cost="0.0371",
    ),
    _OWN(
        name="seconds-of-audio",  # 111 ten-thousandths of a dollar an hour: 30 seconds are a 120th of it
        attributes={
            "gen_ai.provider.name": "groq",
            "gen_ai.request.model": "whisper-large-v3",
            "botanu.usage.audio_seconds": 30,
        },
        bills="groq",
        listed="groq/whisper-large-v3",
        items={"audio_seconds": (30, "0.000925", "0.111/H")},
        cost="0.000925",
    ),
    _OWN(
        name="pages-of-documents",
        attributes={
            "gen_ai.provider.name": "mistral_ai",
            "gen_ai.request.model": "mistral-ocr-4-1",
            "botanu.usage.input_document_pages": 10,
        },
        bills="mistral",
        listed="mistral/mistral-ocr-4-1",
        items={"input_document_pages": (10, "0.04", "4/K")},
        cost="0.04",
    ),
    _OWN(
        name="characters-of-speech",
        attributes={
            "gen_ai.provider.name": "openai",
            "gen_ai.request.model": "tts-1",
            "botanu.usage.input_characters": 1000,
        },
        bills="openai",
        listed="openai/tts-1",
        items={"input_characters": (1000, "0.015", "15/M")},
        cost="0.015",
    ),
    _OWN(
        name="searches-of-a-reranker-have-no-price",
        attributes={
            "gen_ai.provider.name": "cohere",
            "gen_ai.request.model": "rerank-v3.5",
            "botanu.usage.rerank_searches": 1,
        },
        bills=NOBODY,
        items={"rerank_searches": (1, None)},
        cost=None,
        cost_source=None,
        priced=False,
    ),
    _OWN(
        name="a-meter-without-a-price-is-unpriced",
        attributes={"botanu.usage.images": 2},
        bills=NOBODY,
        items={"images": (2, None)},
        cost=None,
        cost_source=None,
        priced=False,
    ),
)
