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
)
"""Every meter that usage is read for, each total before its parts."""

_BY_NAME = {meter.name: meter for meter in METERS}

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


def exclusive(totals: Mapping[str, Int64s]) -> dict[str, Int64s]:
    """Split *totals* (by meter, ``ABSENT`` where not known) into quantities that do not overlap.

    Where the parts of a total sum to more than it, the source counted them beside it, not within it: the
    total is then what remains. So nothing is negative, and nothing is counted twice.

    Worked number: 1,000 input tokens of which 600 are cache reads give 400 uncached and 600 cache reads.
    """
    split: dict[str, Int64s] = {}
    for meter in METERS:
        counted = totals.get(meter.name)
        if counted is None:
            continue
        if meter.rest is None:
            split[meter.name] = counted
            continue
        parts = _parts_sum(meter.name, totals)
        split[meter.rest] = np.where((counted == ABSENT) | (parts > counted), counted, counted - parts)
    return split


def total_with_parts(meter: str, totals: Mapping[str, Int64s]) -> Int64s:
    """Return the whole of *meter*: as counted, or counted plus its parts where the source kept them apart."""
    counted = np.maximum(totals[meter], 0)
    parts = _parts_sum(meter, totals)
    return np.where(parts > counted, counted + parts, counted)


def _parts_sum(meter: str, totals: Mapping[str, Int64s]) -> Int64s:
    parts = [np.maximum(totals[part.name], 0) for part in METERS if part.within == meter and part.name in totals]
    return sum(parts, start=np.zeros_like(totals[meter]))
