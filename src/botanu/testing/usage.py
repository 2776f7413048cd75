"""What a span's attributes say that was used, and what that cost; see ``reading``."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from botanu import semconv
from botanu.ingest.dialects import COLUMNS, COSTS, METERED, NO_METER, OF_SERVICES, OWN_USAGE, Kind
from botanu.testing.reading import READERS, read

_REQUESTS = "requests"
_CURRENCY = "USD"  # of a cost that names none
_IN_ANY_WORDS = tuple(meter for meter in METERED if meter not in OF_SERVICES)


def read_cost(attributes: Mapping[str, Any], *, rolls_up: bool) -> tuple[Decimal | None, str | None]:
    """Return what a call cost by its *attributes*, exactly, and the currency; ``None`` for both if one is unusable.

    What others than the program say is a claim: where the call *rolls_up*, that of the calls inside; and where it is
    zero, the price list decides, except where a cache answered.
    """
    for amount, currency in COSTS:
        if amount in attributes:
            exact = READERS[Kind.MONEY](attributes[amount])
            code = READERS[Kind.TEXT](attributes.get(currency, _CURRENCY))
            return (None, None) if exact is None or code is None else (exact, code.upper())
    claimed = None if rolls_up else read(attributes, "claimed_cost")
    return (claimed, _CURRENCY) if claimed or (claimed == 0 and read(attributes, "cache_hit")) else (None, None)


def read_usage(attributes: Mapping[str, Any], *, own_only: bool) -> dict[str, Any]:
    """Return the quantities that *attributes* report by meter, or those in botanu's own words alone."""
    own = {meter: quantity for meter, quantity in _reported(attributes).items() if quantity is not None}
    if own_only:
        return {meter: quantity for meter, quantity in own.items() if quantity or meter != _REQUESTS}
    others = {meter: read(attributes, meter) for meter in _IN_ANY_WORDS if meter not in own}
    return own | {meter: quantity for meter, quantity in others.items() if quantity is not None}


def unreadable(attributes: Mapping[str, Any], usage: Mapping[str, Any]) -> dict[str, Any]:
    """Return by meter, as it is, what the program reports that is no quantity, where *usage* has none of the meter."""
    missing = [meter for meter, quantity in _reported(attributes).items() if quantity is None and meter not in usage]
    names = [name for name in attributes if name.startswith(semconv.USAGE) and _meter(name) in missing]
    return {name.removeprefix(semconv.USAGE): attributes[name] for name in names}


def uses(attributes: Mapping[str, Any]) -> bool:
    """Return whether *attributes* say how much was used, or claim what it cost, in whatever words make a call."""
    return read(attributes, "claimed_cost") is not None or any(
        quantity is not None and _is_some(meter, quantity)
        for meter, quantity in ((meter, read(attributes, meter)) for meter in _IN_ANY_WORDS)
    )


def reports(attributes: Mapping[str, Any], *, rolls_up: bool) -> bool:
    """Return whether the program reports a cost or usage itself: all that counts of a span that *rolls_up*."""
    if any(amount in attributes for amount, _ in COSTS):
        return True
    usage = {} if rolls_up else read_usage(attributes, own_only=False)
    return bool(unreadable(attributes, usage)) or any(
        quantity is not None and _is_some(meter, quantity) for meter, quantity in _reported(attributes).items()
    )


def is_answered(attributes: Mapping[str, Any]) -> bool:
    """Return whether the provider has answered something, by the *attributes* of a call."""
    return read(attributes, "response_id") is not None or semconv.GEN_AI_TIME_TO_FIRST_CHUNK in attributes


def _is_some(meter: str, quantity: float) -> bool:
    """Return whether a *quantity* is any usage: zero of a meter of the server's is, but for requests."""
    return quantity > 0 or (meter in METERED and meter != _REQUESTS)


def _reported(attributes: Mapping[str, Any]) -> dict[str, int | float | None]:
    """Return what is in botanu's own words by meter; ``None`` is what is no quantity."""
    found: dict[str, int | float | None] = {}
    for name in (name for name in attributes if name.startswith(semconv.USAGE)):
        meter = _meter(name)
        kind = COLUMNS[meter] if name in OWN_USAGE else Kind.QUANTITY
        quantity = None if meter == NO_METER else READERS[kind](attributes[name])
        is_preferred = name == semconv.USAGE + meter and quantity is not None
        if is_preferred or found.get(meter) is None:
            found[meter] = quantity
    return found


def _meter(name: str) -> str:
    return OWN_USAGE.get(name, name.removeprefix(semconv.USAGE))
