"""Prices that change with the day and the hour."""

from functools import partial

from worked.case import Case, otel

_OTEL = partial(Case, dialect="OpenTelemetry GenAI")


def _simple(name, bills, listed, start, provider, model, items, cost):
    return _OTEL(
        name=name,
        bills=bills,
        listed=listed,
        start=start,
        attributes=otel(provider, model, input=1000, output=100),
        items={
            "input_uncached_tokens": (1000, *items[0]),
            "output_text_tokens": (100, *items[1]),
        },
        cost=cost,
    )


def _sonnet_46(name, start, cost, input_item, output_item):
    return _OTEL(
        name=name,
        bills="anthropic",
        listed="anthropic/claude-sonnet-4-6",
        start=start,
        attributes=otel("anthropic", "claude-sonnet-4-6", input=200_001, output=1000),
        items={"input_uncached_tokens": input_item, "output_text_tokens": output_item},
        cost=cost,
    )


def _deepseek(name, start, prices, amounts, cost):
    """One call to deepseek-chat: 600 uncached, 400 cached, 100 out."""
    counts = {"input_uncached_tokens": 600, "cache_read_tokens": 400, "output_text_tokens": 100}
    return _OTEL(
        name=name,
        bills="deepseek",
        listed="deepseek/deepseek-chat",
        start=start,
        attributes=otel("deepseek", "deepseek-chat", input=1000, read=400, output=100),
        items={
            meter: (count, amount, price)
            for (meter, count), amount, price in zip(counts.items(), amounts, prices, strict=True)
        },
        cost=cost,
    )


# Standard from 00:30 to 16:30 UTC, half of it in between, until 2025-09-05.
_BY_DAY = (("0.27/M", "0.07/M", "1.1/M"), ("0.000162", "0.000028", "0.00011"), "0.0003")
_BY_NIGHT = (("0.135/M", "0.035/M", "0.55/M"), ("0.000081", "0.000014", "0.000055"), "0.00015")

CASES = (
    _sonnet_46(
        "the-last-second-of-an-old-price",
        "2026-03-12T23:59:59.999Z",
        "1.222506",
        (200_001, "1.200006", "6/M"),
        (1000, "0.0225", "22.5/M"),
    ),
    _sonnet_46(
        "the-first-second-of-a-new-price",
        "2026-03-13T00:00:00Z",
        "0.615003",
        (200_001, "0.600003", "3/M"),
        (1000, "0.015", "15/M"),
    ),
    _simple(
        "o3-before-its-price-was-cut",
        "openai",
        "openai/o3",
        "2025-06-09T12:00:00Z",
        "openai",
        "o3",
        [("0.01", "10/M"), ("0.004", "40/M")],
        "0.014",
    ),
    _simple(
        "o3-after-its-price-was-cut",
        "openai",
        "openai/o3",
        "2025-06-10T12:00:00Z",
        "openai",
        "o3",
        [("0.002", "2/M"), ("0.0008", "8/M")],
        "0.0028",
    ),
    _deepseek("the-last-second-of-the-night", "2025-07-01T00:29:59.999Z", *_BY_NIGHT),
    _deepseek("the-first-second-of-the-day", "2025-07-01T00:30:00Z", *_BY_DAY),
    _deepseek("the-last-second-of-the-day", "2025-07-01T16:29:59.999Z", *_BY_DAY),
    _deepseek("the-first-second-of-the-night", "2025-07-01T16:30:00Z", *_BY_NIGHT),
    _simple(
        "a-day-with-an-older-price-outside-the-peak-hours",
        "deepseek",
        "deepseek/deepseek-v4-flash",
        "2026-08-20T05:00:00Z",
        "deepseek",
        "deepseek-v4-flash",
        [("0.00022", "0.22/M"), ("0.000066", "0.66/M")],
        "0.000286",
    ),
    _simple(
        "a-day-with-a-newer-price-outside-the-peak-hours",
        "deepseek",
        "deepseek/deepseek-v4-flash",
        "2026-09-15T05:00:00Z",
        "deepseek",
        "deepseek-v4-flash",
        [("0.00015", "0.15/M"), ("0.00006", "0.6/M")],
        "0.00021",
    ),
    _simple(
        "the-peak-hours-of-that-day",
        "deepseek",
        "deepseek/deepseek-v4-flash",
        "2026-09-15T03:59:59Z",
        "deepseek",
        "deepseek-v4-flash",
        [("0.0003", "0.3/M"), ("0.00012", "1.2/M")],
        "0.00042",
    ),
)
