"""What there is to say of a call's cost besides the amount."""

from enum import StrEnum


class Note(StrEnum):
    """Why the cost of a call is not known, or not wholly, or what was odd about its usage."""

    NO_USAGE = "no_usage"
    """It reports no usage."""
    PARTIAL_USAGE = "partial_usage"
    """It reports input without output, or output without input."""
    UNREADABLE_USAGE = "unreadable_usage"
    """It reports usage that is no quantity, or of too many meters."""
    NO_PRICE = "no_price"
    """There is no price for its provider and model."""
    NO_METER_PRICE = "no_meter_price"
    """There is a price for its model, but not for all it used."""
    NO_SERVICE_TIER_PRICE = "no_service_tier_price"
    """Its service tier has no price at its time; that of the standard tier would be a guess."""
    UNUSABLE_COST = "unusable_cost"
    """The cost that the program reports is no amount, or beyond what a call can cost."""
    OTHER_CURRENCY = "other_currency"
    """The cost that is reported is in a currency other than that of the store."""
    MIXED_CURRENCIES = "mixed_currencies"
    """Its line items are in several currencies, which are never added; the cost is that of one of them."""
    CACHE_BESIDE_INPUT = "cache_beside_input"
    """Its cached tokens are more than its input tokens: its source counts them beside the input, and both count."""
    PARTS_EXCEED_TOTAL = "parts_exceed_total"
    """Parts of its usage are more than the total they are in, and were cut to it."""
    REPORTED_ZERO = "reported_zero"
    """A cost of zero is reported for usage that has a price; the computed cost counts."""
    RESIDUAL = "residual"
    """It reports more usage than the calls inside it: only what they lack is counted here."""


INCOMPLETE = frozenset(
    {
        Note.NO_USAGE,
        Note.PARTIAL_USAGE,
        Note.UNREADABLE_USAGE,
        Note.NO_PRICE,
        Note.NO_METER_PRICE,
        Note.NO_SERVICE_TIER_PRICE,
        Note.UNUSABLE_COST,
        Note.OTHER_CURRENCY,
        Note.MIXED_CURRENCIES,
    }
)
"""Notes that say that a cost is not known, or not wholly."""

SENTENCES = {
    Note.NO_USAGE: "It was answered, and reports no usage.",
    Note.PARTIAL_USAGE: "It reports input without output, or output without input; what it reports is priced.",
    Note.UNREADABLE_USAGE: "It reports usage that is no quantity, or of too many meters.",
    Note.NO_PRICE: "There is no price for this provider and model.",
    Note.NO_METER_PRICE: "There is a price for this model, but not for all it used.",
    Note.NO_SERVICE_TIER_PRICE: "Its service tier has no price at that time; the standard one would be a guess.",
    Note.UNUSABLE_COST: "The cost that it reports is no amount, or beyond what a call can cost.",
    Note.OTHER_CURRENCY: "The cost that it reports is in another currency, which is never converted.",
    Note.MIXED_CURRENCIES: "Its prices are in several currencies, which are never added: the cost is that in one.",
    Note.CACHE_BESIDE_INPUT: "Its cached tokens are more than its input: they are counted beside it, and both count.",
    Note.PARTS_EXCEED_TOTAL: "Parts of its usage are more than the total they are in, and were cut to it.",
    Note.REPORTED_ZERO: "It reports a cost of zero for usage that has a price: the computed cost counts.",
    Note.RESIDUAL: "It reports more usage than the calls inside it: only what they lack is counted here.",
}
"""Each note in plain words, as a person is told it of one call."""
