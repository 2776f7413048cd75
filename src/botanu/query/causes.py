"""The causes of gaps between an invoice and what is booked."""

from collections.abc import Mapping
from decimal import Decimal
from enum import StrEnum


class Cause(StrEnum):
    """The likely cause of a gap."""

    MISSING_SPANS = "missing_spans"
    EXTRA_SPANS = "extra_spans"
    DUPLICATES = "duplicates"
    PRICE = "price"
    SERVICE_TIER = "service_tier"
    CACHE_CLASS = "cache_class"
    DAY_BOUNDARY = "day_boundary"
    CREDIT = "credit"
    UNPRICED = "unpriced"
    UNKNOWN_MODEL = "unknown_model"
    ROUNDING = "rounding"


SENTENCES: Mapping[Cause, str] = {
    Cause.MISSING_SPANS: "More usage was billed than was booked: some calls send no spans, or spans were lost.",
    Cause.EXTRA_SPANS: "More usage was booked than was billed.",
    Cause.DUPLICATES: "Usage was booked more than once: several spans tell of the same call, and all were counted.",
    Cause.PRICE: "The same usage was billed at another price.",
    Cause.SERVICE_TIER: "The same usage was billed in another tier of service.",
    Cause.CACHE_CLASS: "The same input was billed with more or less of it as cached.",
    Cause.DAY_BOUNDARY: "The same usage was billed on a neighbouring day.",
    Cause.CREDIT: "A charge that is no usage, or takes some back: a credit, a refund, a tax.",
    Cause.UNPRICED: "The usage was booked, but some of it has no price.",
    Cause.UNKNOWN_MODEL: "A model was billed that no span tells of.",
    Cause.ROUNDING: "The difference is within the tolerance.",
}

INPUT_CLASSES = ("input_uncached_tokens", "cache_read_tokens", "cache_write_5m_tokens", "cache_write_1h_tokens")
"""The meters that an input token may be billed as, by what the provider's cache had to do with it."""

TIER_FACTORS: Mapping[Decimal, str] = {
    Decimal("0.5"): "batch or flex",
    Decimal("1.7"): "priority or fast",
    Decimal("1.75"): "priority or fast",
    Decimal("1.8"): "priority or fast",
    Decimal(2): "priority or fast, or for the standard where batch was booked",
}
"""What tiers cost, as a factor of the standard price: the usual ones of OpenAI, Anthropic, Google and Mistral in
``genai-prices`` 0.2.3 (``price_variants``)."""
