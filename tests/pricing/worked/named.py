"""Calls that differ in their names alone: each has 1,000 input and 100 output tokens."""

from functools import partial

from worked.case import NOBODY, Case, otel

_NAMES = partial(Case, dialect="OpenTelemetry GenAI")

SONNET_REGIONAL = (
    "regional.anthropic.claude-sonnet-4-5-20250929-v1:0",
    ("0.0033", "0.00165"),
    ("3.3/M", "16.5/M"),
    "0.00495",
)
SONNET_GLOBAL = (
    "global.anthropic.claude-sonnet-4-5-20250929-v1:0",
    ("0.003", "0.0015"),
    ("3/M", "15/M"),
    "0.0045",
)
SONNET_35 = (
    "regional.anthropic.claude-3-5-sonnet-20241022-v2:0",
    ("0.003", "0.0015"),
    ("3/M", "15/M"),
    "0.0045",
)
HAIKU_REGIONAL = (
    "regional.anthropic.claude-haiku-4-5-20251001-v1:0",
    ("0.0011", "0.00055"),
    ("1.1/M", "5.5/M"),
    "0.00165",
)
GPT_4O = (("0.0025", "0.001"), ("2.5/M", "10/M"), "0.0035")
SONNET = (("0.003", "0.0015"), ("3/M", "15/M"), "0.0045")


def call(name, bills, listed, names, amounts, prices, cost, **more):
    """A priced call: *names* are its provider and model, *amounts* and *prices* those of input and output."""
    return _NAMES(
        name=name,
        bills=bills,
        listed=listed,
        attributes=otel(*names, input=1000, output=100, also=more.pop("also", None)),
        items={
            "input_uncached_tokens": (1000, amounts[0], prices[0]),
            "output_text_tokens": (100, amounts[1], prices[1]),
        },
        cost=cost,
        **more,
    )


def unpriced(name, names, *, also=None):
    return _NAMES(
        name=name,
        bills=NOBODY,
        attributes=otel(*names, input=1000, output=100, also=also),
        items={"input_uncached_tokens": (1000, None), "output_text_tokens": (100, None)},
        cost=None,
        cost_source=None,
        priced=False,
    )
