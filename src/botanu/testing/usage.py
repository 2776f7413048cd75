"""What a span says that was used, and what that cost."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from botanu import semconv
from botanu.ingest.dialects import COLUMNS, COSTS, METERED, NO_METER, OF_SERVICES, OWN_RESPONSE_IDS, OWN_USAGE, Kind
from botanu.testing.reading import READERS, Said

_REQUESTS = "requests"
_CURRENCY = "USD"  # of a cost that names none
_NOTHING = Decimal("0.0000000005")  # up to here a cost is rounded to zero
_IN_ANY_WORDS = tuple(meter for meter in METERED if meter not in OF_SERVICES)


def read_cost(said: Said, *, rolls_up: bool) -> tuple[Decimal | None, str | None]:
    """Return what a call cost, exactly, and the currency; ``None`` for both if one is unusable.

    What others than the program say is a claim: where the call *rolls_up*, that of the calls inside; and where it is
    zero, the price list decides, except where a cache answered.
    """
    given = said.attributes
    for amount, currency in COSTS:
        if amount in given:
            exact = READERS[Kind.MONEY](given[amount])
            code = READERS[Kind.TEXT](given.get(currency, _CURRENCY))
            return (None, None) if exact is None or code is None else (exact, code.upper())
    claimed = None if rolls_up else said.read("claimed_cost")
    is_believed = claimed is not None and (claimed > _NOTHING or said.read("cache_hit"))
    return (claimed, _CURRENCY) if is_believed else (None, None)


def read_usage(said: Said, *, own_only: bool) -> dict[str, Any]:
    """Return what was used by meter, in whatever words or in botanu's own alone."""
    own = {meter: quantity for meter, quantity in _reported(said).items() if quantity is not None}
    if own_only:
        return own
    others = {meter: said.read(meter) for meter in _IN_ANY_WORDS if meter not in own}
    return own | {meter: quantity for meter, quantity in others.items() if quantity is not None}


def unreadable(said: Said, usage: Mapping[str, Any]) -> dict[str, Any]:
    """Return by meter, as it is, what the program reports that is no quantity, where *usage* has none of the meter."""
    missing = [meter for meter, quantity in _reported(said).items() if quantity is None and meter not in usage]
    names = [name for name in said.attributes if name.startswith(semconv.USAGE) and _meter(name) in missing]
    return {name.removeprefix(semconv.USAGE): said.attributes[name] for name in names}


def uses(said: Said) -> bool:
    """Return whether a span says how much was used, or claims that it cost something, in words that make a call."""
    quantities = {meter: said.read(meter) for meter in _IN_ANY_WORDS}
    claimed = said.read("claimed_cost") or 0
    return claimed > _NOTHING or any(_is_some(*each) for each in quantities.items())


def reports(said: Said, *, rolls_up: bool) -> bool:
    """Return whether the program reports a cost or usage itself: all that counts of a span that *rolls_up*."""
    if any(amount in said.attributes for amount, _ in COSTS):
        return True
    readable = {} if rolls_up else read_usage(said, own_only=False)
    return bool(unreadable(said, readable)) or any(_is_some(*each) for each in _reported(said).items())


def is_answered(said: Said) -> bool:
    """Return whether the provider has answered something."""
    has_chunks = semconv.GEN_AI_TIME_TO_FIRST_CHUNK in said.attributes
    return said.scope not in OWN_RESPONSE_IDS and (has_chunks or said.read("response_id") is not None)


def _is_some(meter: str, quantity: float | None) -> bool:
    """Return whether a *quantity* is any usage: zero of a meter of the server's is, but for requests."""
    return quantity is not None and (quantity > 0 or (meter in METERED and meter != _REQUESTS))


def _reported(said: Said) -> dict[str, int | float | None]:
    """Return what is in botanu's own words by meter; ``None`` is what is no quantity."""
    found: dict[str, int | float | None] = {}
    for name in (name for name in said.attributes if name.startswith(semconv.USAGE)):
        meter = _meter(name)
        kind = COLUMNS[meter] if name in OWN_USAGE else Kind.QUANTITY
        quantity = None if meter == NO_METER else READERS[kind](said.attributes[name])
        is_preferred = name == semconv.USAGE + meter and quantity is not None
        if is_preferred or found.get(meter) is None:
            found[meter] = quantity
    return found


def _meter(name: str) -> str:
    return OWN_USAGE.get(name, name.removeprefix(semconv.USAGE))
