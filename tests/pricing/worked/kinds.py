"""OpenTelemetry's current conventions: kinds of tokens, and usage that is not all there."""

from functools import partial

from worked.case import NOBODY, Case, otel

_OTEL = partial(Case, dialect="OpenTelemetry GenAI")
_OPENAI = partial(_OTEL, bills="openai", listed="openai/gpt-4o")

KINDS = (
    _OTEL(
        name="reasoning-is-part-of-the-output",
        bills="openai",
        listed="openai/gpt-5",
        attributes=otel("openai", "gpt-5", input=100, output=1000, reasoning=640),
        items={
            "input_uncached_tokens": (100, "0.000125", "1.25/M"),
            "output_text_tokens": (360, "0.0036", "10/M"),
            "output_reasoning_tokens": (640, "0.0064", "10/M"),
        },
        cost="0.010125",
    ),
    _OTEL(
        name="audio-in-and-out-has-its-own-prices",
        bills="openai",
        listed="openai/gpt-audio",
        attributes=otel("openai", "gpt-audio", input=1000, audio_in=800, output=500, audio_out=400),
        items={
            "input_uncached_tokens": (200, "0.0005", "2.5/M"),
            "input_audio_tokens": (800, "0.0256", "32/M"),
            "output_text_tokens": (100, "0.001", "10/M"),
            "output_audio_tokens": (400, "0.0256", "64/M"),
        },
        cost="0.0527",
    ),
    _OTEL(
        name="audio-into-gemini",
        bills="google",
        listed="google/gemini-2.5-flash",
        attributes=otel("gcp.gemini", "gemini-2.5-flash", input=1000, audio_in=600, output=100),
        items={
            "input_uncached_tokens": (400, "0.00012", "0.3/M"),
            "input_audio_tokens": (600, "0.0006", "1/M"),
            "output_text_tokens": (100, "0.00025", "2.5/M"),
        },
        cost="0.00097",
    ),
    _OTEL(
        name="parts-that-exceed-the-total-are-cut",  # 600 cached and 600 audio of 1,000 overlap: cached counts first
        bills="openai",
        listed="openai/gpt-realtime",
        attributes=otel("openai", "gpt-realtime", input=1000, read=600, audio_in=600, output=100),
        items={
            "cache_read_tokens": (600, "0.00024", "0.4/M"),
            "input_audio_tokens": (400, "0.0128", "32/M"),
            "output_text_tokens": (100, "0.0016", "16/M"),
        },
        cost="0.01464",
    ),
    _OTEL(
        name="images-into-an-image-model",
        bills="openai",
        listed="openai/gpt-image-1",
        attributes=otel("openai", "gpt-image-1", operation="generate_content", input=1000, image_in=800, output=1000),
        items={
            "input_uncached_tokens": (200, "0.001", "5/M"),
            "input_image_tokens": (800, "0.008", "10/M"),
            "output_text_tokens": (1000, "0.04", "40/M"),
        },
        cost="0.049",
    ),
    _OTEL(
        name="video-into-gemini",
        bills="google",
        listed="google/gemini-3.1-flash-live-preview",
        attributes=otel("gcp.gemini", "gemini-3.1-flash-live-preview", input=1000, video_in=900, output=100),
        items={
            "input_uncached_tokens": (100, "0.000075", "0.75/M"),
            "input_video_tokens": (900, "0.0009", "1/M"),
            "output_text_tokens": (100, "0.00045", "4.5/M"),
        },
        cost="0.001425",
    ),
    _OTEL(
        name="each-request-to-perplexity-costs",
        bills="perplexity",
        listed="perplexity/sonar",
        start="2026-09-01T12:00:00Z",
        attributes=otel("perplexity", "sonar", input=1000, output=100),
        items={
            "requests": (1, "0.012", "12/K"),
            "input_uncached_tokens": (1000, "0.001", "1/M"),
            "output_text_tokens": (100, "0.0001", "1/M"),
        },
        cost="0.0131",
    ),
    _OTEL(
        name="embeddings-have-input-only",
        bills="openai",
        listed="openai/text-embedding-3-small",
        attributes=otel("openai", "text-embedding-3-small", operation="embeddings", input=7),
        items={"input_uncached_tokens": (7, "0.00000014", "0.02/M")},
        cost="0.00000014",
    ),
    _OTEL(
        name="embeddings-by-cohere",
        bills="cohere",
        listed="cohere/embed-v4.0",
        attributes=otel("cohere", "embed-v4.0", operation="embeddings", input=1000),
        items={"input_uncached_tokens": (1000, "0.00012", "0.12/M")},
        cost="0.00012",
    ),
)

COMPLETENESS = (
    _OPENAI(
        name="a-refusal-has-no-output-and-that-is-known",
        attributes=otel("openai", "gpt-4o", input=1000, output=0),
        items={"input_uncached_tokens": (1000, "0.0025", "2.5/M")},
        cost="0.0025",
    ),
    _OPENAI(
        name="input-alone-is-not-all-a-chat-used",
        attributes=otel("openai", "gpt-4o", input=1000),
        items={"input_uncached_tokens": (1000, "0.0025", "2.5/M")},
        cost="0.0025",
        priced=False,
    ),
    _OPENAI(
        name="output-alone-is-not-all-a-chat-used",
        attributes=otel("openai", "gpt-4o", output=100),
        items={"output_text_tokens": (100, "0.001", "10/M")},
        cost="0.001",
        priced=False,
    ),
    _OPENAI(
        name="a-stream-that-broke-is-billed-for-what-it-says",
        attributes=otel("openai", "gpt-4o", input=1000, also={"error.type": "APIConnectionError"}),
        error=True,
        items={"input_uncached_tokens": (1000, "0.0025", "2.5/M")},
        cost="0.0025",
        priced=False,
    ),
    _OPENAI(
        name="an-answered-chat-without-usage-is-unpriced",
        attributes=otel("openai", "gpt-4o", also={"gen_ai.response.id": "chatcmpl-1"}),
        items={},
        cost=None,
        cost_source=None,
        priced=False,
    ),
    _OTEL(
        name="a-model-nobody-knows-is-unpriced",
        bills=NOBODY,
        attributes=otel("openai", "house-model-9", input=1000, output=100),
        items={"input_uncached_tokens": (1000, None), "output_text_tokens": (100, None)},
        cost=None,
        cost_source=None,
        priced=False,
    ),
    _OTEL(
        name="a-provider-nobody-knows-has-no-price-for-a-known-model",
        bills=NOBODY,
        attributes=otel("acme-inference", "gpt-4o", input=1000, output=100),
        items={"input_uncached_tokens": (1000, None), "output_text_tokens": (100, None)},
        cost=None,
        cost_source=None,
        priced=False,
    ),
)

CASES = (*KINDS, *COMPLETENESS)
