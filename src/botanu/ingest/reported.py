"""What a program reports itself, where a column alone does not say it: what a call cost, and other usage."""

from collections.abc import Mapping, Sequence

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from botanu import semconv
from botanu.ingest.dialects import ROLL_UP_OPERATIONS, USAGE
from botanu.ingest.otlp import Attributes
from botanu.ingest.reading import mask
from botanu.pricing.costing import REQUESTS
from botanu.pricing.money import CURRENCY

ROLL_UPS = pa.array(ROLL_UP_OPERATIONS)

_CURRENCY = pa.scalar(CURRENCY)
_OURS = {f"{semconv.USAGE}{meter}": meter for meter in USAGE}


def reported(columns: Mapping[str, pa.Array], attributes: Attributes, left: NDArray[np.bool_]) -> dict[str, pa.Array]:
    """Return what spans report, given the *columns* read from their *attributes*; it takes the place of some of them.

    ``cost_amount`` is in the store's currency; what is in another is null, and its attributes are *left* again.
    ``reports_cost`` says which spans report a cost at all, ``reports_usage`` which report usage that is in no column,
    ``own_usage`` which report usage that is in one in botanu's own words: bit *i* is set for the meter ``USAGE[i]``.
    ``answered`` says of which calls the provider has answered something.
    """
    amount, currency = attributes.rows(semconv.COST_AMOUNT), attributes.rows(semconv.COST_CURRENCY)
    cost = columns["cost_amount"]
    if (amount >= 0).any() or (currency >= 0).any():
        ours = (currency < 0) | mask(pc.equal(pc.utf8_upper(columns["cost_currency"]), _CURRENCY))
        cost = pc.if_else(pa.array(ours), cost, pa.scalar(None, cost.type))
        for rows in (amount, currency):
            left[rows[(rows >= 0) & ~mask(cost.is_valid())]] = True
    return {
        "cost_amount": cost,
        "reports_cost": pa.array(amount >= 0),
        **_usage(columns, attributes, left),
        "answered": pc.or_(
            columns["response_id"].is_valid(), pa.array(attributes.rows(semconv.GEN_AI_TIME_TO_FIRST_CHUNK) >= 0)
        ),
    }


def _usage(columns: Mapping[str, pa.Array], attributes: Attributes, left: NDArray[np.bool_]) -> dict[str, pa.Array]:
    """Return ``reports_usage`` and ``own_usage``: the former where a meter has no column, or its column no quantity.

    On spans around calls, where quantities in other words are those of the calls, only our own word counts.
    """
    found = np.zeros(attributes.owners, dtype=np.bool_)
    own = np.zeros(attributes.owners, dtype=np.int64)
    names = attributes.keys.dictionary.to_pylist()
    if any(name.startswith(semconv.USAGE) for name in names):
        found |= _of_other_meters(names, attributes)
        rolls_up = mask(pc.is_in(columns["operation"], ROLL_UPS))
        for bit, (name, meter) in enumerate(_OURS.items()):
            rows = attributes.rows(name)
            given = rows >= 0
            if given.any():
                read = given & ~left[rows]
                found |= given & ~np.where(rolls_up, read, mask(columns[meter].is_valid()))
                told = read & mask(pc.greater_equal(columns[meter], 1 if meter == REQUESTS else 0))
                own |= told.astype(np.int64) << bit
    return {"reports_usage": pa.array(found), "own_usage": pa.array(own)}


def _of_other_meters(names: Sequence[str], attributes: Attributes) -> NDArray[np.bool_]:
    """Return which spans report usage of a meter that has no column, given the *names* of all *attributes*."""
    found = np.zeros(attributes.owners, dtype=np.bool_)
    others = np.array([name.startswith(semconv.USAGE) and name not in _OURS for name in names])
    at = np.flatnonzero(others[attributes.keys.indices.to_numpy()])
    values = attributes.values.take(pa.array(at))
    none = np.logical_or.reduce(
        [mask(pc.equal(pc.struct_field(values, f"{kind}_value"), 0)) for kind in ("int", "double")]
    )
    found[attributes.owner[at[~none]]] = True
    return found
