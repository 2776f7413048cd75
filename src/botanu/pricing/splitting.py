"""Usage of calls in quantities that do not overlap: what prices are put to."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from botanu.pricing.line_items import Mask
from botanu.pricing.meters import ABSENT, REQUESTS, exclusive, overlapping, whole
from botanu.pricing.money import Int64s
from botanu.pricing.notes import Note


@dataclass(frozen=True, slots=True)
class Split:
    """Usage by exclusive meter, as columns of equal length; ``ABSENT`` where nothing is known.

    *inputs* is each call's whole input in tokens, which decides the tier. *said* tells which calls say what they used;
    how many requests they are says nothing of that. *notes* gives what was odd.
    """

    quantities: Mapping[str, Int64s]
    inputs: Int64s
    said: Mask
    notes: Mapping[Note, Mask]


def split(totals: Mapping[str, Int64s], count: int) -> Split:
    """Split what *count* calls say they used, as their sources counted it."""
    said = np.zeros(count, dtype=np.bool_)
    for meter, total in totals.items():
        if meter != REQUESTS:
            said |= total != ABSENT
    inputs = whole("input_tokens", totals)
    beside, beyond = overlapping(totals)
    return Split(
        _requests_first(totals, count),
        np.zeros(count, dtype=np.int64) if inputs is None else np.maximum(inputs, 0),
        said,
        {Note.CACHE_BESIDE_INPUT: beside, Note.PARTS_EXCEED_TOTAL: beyond},
    )


def _requests_first(totals: Mapping[str, Int64s], count: int) -> dict[str, Int64s]:
    others = {meter: total for meter, total in totals.items() if meter != REQUESTS}
    return {REQUESTS: totals.get(REQUESTS, np.full(count, ABSENT)), **exclusive(others)}
