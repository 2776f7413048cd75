"""What is counted, which meter contains which, and quantities that overlap no more.

Providers count in totals with parts: cached tokens are part of input tokens, reasoning is part of output.
Priced as they come, the parts would be paid twice. So each total is split into its parts and what remains,
and only these exclusive meters are priced. Names are those of ``genai-prices`` where it has one.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from botanu.pricing.money import Int64s

ABSENT = -1
"""Stands for "not known" in a column of quantities; a quantity itself is never negative."""

QUANTITY_MAX = 10**12
"""A count above this is no count: one call cannot use a million million tokens."""


@dataclass(frozen=True, slots=True)
class Meter:
    """A countable kind of usage.

    *within* names the meter that contains it. *rest* names what remains of this meter once the parts within it
    are taken out; only meters with parts have one.
    """

    name: str
    sentence: str
    within: str | None = None
    rest: str | None = None


METERS = (
    Meter("input_tokens", "All input tokens.", rest="input_uncached_tokens"),
    Meter("cache_read_tokens", "Input tokens read from the provider's cache.", "input_tokens"),
    Meter(
        "cache_write_tokens",
        "Input tokens written to the provider's cache.",
        "input_tokens",
        rest="cache_write_other_tokens",
    ),
    Meter("cache_write_5m_tokens", "Cache writes kept for five minutes.", "cache_write_tokens"),
    Meter("cache_write_1h_tokens", "Cache writes kept for an hour.", "cache_write_tokens"),
    Meter("input_audio_tokens", "Input tokens that are audio.", "input_tokens"),
    Meter("output_tokens", "All output tokens.", rest="output_text_tokens"),
    Meter("output_reasoning_tokens", "Output tokens spent on reasoning.", "output_tokens"),
    Meter("output_audio_tokens", "Output tokens that are audio.", "output_tokens"),
    Meter("requests", "Calls, where a price is asked for each."),
    Meter("reported_cost", "Costs that the program or the provider reports itself, for all a call used: one a call."),
)
"""Every meter that usage is read for, each total before its parts."""

_BY_NAME = {meter.name: meter for meter in METERS}
_PARTS = {meter.name: tuple(part.name for part in METERS if part.within == meter.name) for meter in METERS}

_BESIDE = ("cache_read_tokens", "cache_write_tokens")
# Parts of the input that some sources do not count as input.

RESTS = {meter.rest: meter.name for meter in METERS if meter.rest}
"""Exclusive meters that are what remains of another, with that other."""


def priced_as(meter: str) -> tuple[str, ...]:
    """Return the meters whose price applies to the exclusive *meter*, the most specific first.

    One-hour cache writes are priced as such; where a model has no such price, as cache writes; where it has
    none either, as input.
    """
    name: str | None = RESTS.get(meter, meter)
    chain = []
    while name is not None:
        chain.append(name)
        name = _BY_NAME[name].within
    return tuple(chain)


def whole(meter: str, totals: Mapping[str, Int64s]) -> Int64s | None:
    """Return all of *meter*, parts included; ``ABSENT`` where nothing is known of it, ``None`` if that is everywhere.

    Where the cache's part of the input alone is more than the input, the source counts it beside the rest, and the two
    together are the whole. Otherwise the whole is what was counted, but no less than any one part. Where only parts are
    known, they are the whole.
    """
    parts = {part: quantity for part in _PARTS[meter] if (quantity := whole(part, totals)) is not None}
    counted = totals.get(meter)
    if not parts:
        return counted
    known = {part: np.maximum(quantity, 0) for part, quantity in parts.items()}
    any_part = np.logical_or.reduce([quantity != ABSENT for quantity in parts.values()])
    of_parts = np.where(any_part, sum(known.values()), ABSENT)
    if counted is None:
        return of_parts
    beside = sum((known[part] for part in _BESIDE if part in known), start=np.zeros_like(counted))
    largest = np.maximum.reduce([counted, *known.values()])
    return np.where(counted == ABSENT, of_parts, np.where(beside > counted, counted + beside, largest))


def exclusive(totals: Mapping[str, Int64s]) -> dict[str, Int64s]:
    """Split *totals* (by meter, ``ABSENT`` where not known) into quantities that do not overlap.

    They sum up to the whole that was counted: parts that would be more than it are cut, the later ones in ``METERS``
    first, as they overlap (the audio that was cached counts as cached). So nothing is negative, and nothing is paid
    twice.

    Worked number: 1,000 input tokens of which 600 are cache reads give 400 uncached and 600 cache reads.
    """
    split: dict[str, Int64s] = {}
    for meter in METERS:
        if meter.within is None and (available := whole(meter.name, totals)) is not None:
            _share_out(meter, available, totals, split)
    return split


def _share_out(meter: Meter, available: Int64s, totals: Mapping[str, Int64s], split: dict[str, Int64s]) -> None:
    """Put the *available* quantity of *meter* into *split*: to each part what it counted, and the rest to the rest."""
    if meter.rest is None:
        split[meter.name] = available
        return
    remaining = np.maximum(available, 0)
    taken = {}
    for part in _PARTS[meter.name]:
        counted = whole(part, totals)
        if counted is not None:
            taken[part] = np.minimum(counted, remaining)
            remaining = remaining - np.maximum(taken[part], 0)
    total = totals.get(meter.name)
    if total is not None:
        split[meter.rest] = np.where(total == ABSENT, ABSENT, remaining)
    for part, quantity in taken.items():
        _share_out(_BY_NAME[part], quantity, totals, split)
