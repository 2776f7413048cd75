"""A few calls that many dialects tell of: what they cost is the same from all of them."""

PLAIN_4O = {
    "bills": "openai",
    "listed": "openai/gpt-4o",
    "items": {"input_uncached_tokens": (1000, "0.0025", "2.5/M"), "output_text_tokens": (100, "0.001", "10/M")},
    "cost": "0.0035",
}
"""gpt-4o: 1,000 in, 100 out."""

CACHED_4O = {
    "bills": "openai",
    "listed": "openai/gpt-4o",
    "items": {
        "input_uncached_tokens": (400, "0.001", "2.5/M"),
        "cache_read_tokens": (600, "0.00075", "1.25/M"),
        "output_text_tokens": (100, "0.001", "10/M"),
    },
    "cost": "0.00275",
}
"""gpt-4o: 1,000 in, of which 600 from the cache, 100 out."""

REASONING_5 = {
    "bills": "openai",
    "listed": "openai/gpt-5",
    "items": {
        "input_uncached_tokens": (400, "0.0005", "1.25/M"),
        "cache_read_tokens": (600, "0.000075", "0.125/M"),
        "output_text_tokens": (60, "0.0006", "10/M"),
        "output_reasoning_tokens": (40, "0.0004", "10/M"),
    },
    "cost": "0.001575",
}
"""gpt-5: 1,000 in, of which 600 from the cache, 100 out, of which 40 reasoning."""

SONNET = {
    "bills": "anthropic",
    "listed": "anthropic/claude-sonnet-4-5",
    "items": {
        "input_uncached_tokens": (60, "0.00018", "3/M"),
        "cache_read_tokens": (2000, "0.0006", "0.3/M"),
        "cache_write_other_tokens": (400, "0.0015", "3.75/M"),
        "output_text_tokens": (10, "0.00015", "15/M"),
    },
    "cost": "0.00243",
}
"""claude-sonnet-4-5: 60 uncached, 2,000 from the cache, 400 to it, for how long is not told, 10 out."""

SONNET_LIVES = {
    "bills": "anthropic",
    "listed": "anthropic/claude-sonnet-4-5",
    "items": {
        "input_uncached_tokens": (60, "0.00018", "3/M"),
        "cache_read_tokens": (2000, "0.0006", "0.3/M"),
        "cache_write_5m_tokens": (100, "0.000375", "3.75/M"),
        "cache_write_1h_tokens": (300, "0.0018", "6/M"),
        "output_text_tokens": (10, "0.00015", "15/M"),
    },
    "cost": "0.003105",
}
"""The same call, of which 100 tokens are kept for five minutes and 300 for an hour."""

SONNET_HOUR = {
    "bills": "anthropic",
    "listed": "anthropic/claude-sonnet-4-5",
    "items": {
        "input_uncached_tokens": (60, "0.00018", "3/M"),
        "cache_read_tokens": (2000, "0.0006", "0.3/M"),
        "cache_write_1h_tokens": (300, "0.0018", "6/M"),
        "cache_write_other_tokens": (100, "0.000375", "3.75/M"),
        "output_text_tokens": (10, "0.00015", "15/M"),
    },
    "cost": "0.003105",
}
"""The same call once more: 300 tokens are kept for an hour, of the other 100 it is not told."""

AUDIO = {
    "bills": "openai",
    "listed": "openai/gpt-audio",
    "items": {
        "input_uncached_tokens": (200, "0.0005", "2.5/M"),
        "input_audio_tokens": (800, "0.0256", "32/M"),
        "output_text_tokens": (100, "0.001", "10/M"),
        "output_audio_tokens": (400, "0.0256", "64/M"),
    },
    "cost": "0.0527",
}
"""gpt-audio: 1,000 in, of which 800 audio, 500 out, of which 400 audio."""

EMBEDDING = {
    "bills": "openai",
    "listed": "openai/text-embedding-3-small",
    "items": {"input_uncached_tokens": (7, "0.00000014", "0.02/M")},
    "cost": "0.00000014",
}
"""text-embedding-3-small: 7 in."""


def reported(call, amount):
    """Return *call* as one whose cost was reported as *amount*: the computed cost stays beside it."""
    beside = {meter: (count, None, price) for meter, (count, _, price) in call["items"].items()}
    return {
        **call,
        "items": {"reported_cost": (1, amount), **beside},
        "cost": amount,
        "cost_source": "reported",
        "computed_cost": call["cost"],
    }
