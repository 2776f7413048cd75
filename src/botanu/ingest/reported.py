"""What spans report themselves, where a column alone does not say it: what a call cost, and other usage."""

from collections.abc import Mapping, Sequence

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from botanu import semconv
from botanu.ingest.dialects import (
    COLUMNS,
    COSTS,
    DIALECTS,
    METERED,
    NO_METER,
    OF_SERVICES,
    OWN_USAGE,
    ROLL_UP_OPERATIONS,
    Kind,
)
from botanu.ingest.otlp import Attributes
from botanu.ingest.reading import Reader, mask
from botanu.pricing.meters import REQUESTS
from botanu.pricing.money import CURRENCY

ROLL_UPS = pa.array(ROLL_UP_OPERATIONS)

METERS_MAX = 100
"""Most meters of the program's own in one batch: each costs time for every span. Of more, usage is not read."""

_CURRENCY = pa.scalar(CURRENCY)


def reported(columns: Mapping[str, pa.Array], attributes: Attributes, reader: Reader) -> dict[str, pa.Array]:
    """Return what spans report, given the *columns* read from their *attributes*; it takes the place of some of them.

    ``cost_amount`` is in the store's currency; what is in another is null, and its attributes are left again.
    ``reports_cost`` says which spans report a cost in words that mean it as such, ``other_currency`` which of those in
    another one; ``claimed_by`` which dialect a ``claimed_cost`` is from. ``reports_usage`` says which report usage that
    cannot be read, ``own_usage`` which report usage in botanu's own words: bit *i* is set for ``METERED[i]``;
    ``other_usage`` holds the columns of meters that are the program's own. ``answered`` says of which calls the
    provider has answered something.
    """
    return {
        **_cost(columns, attributes, reader),
        "claimed_by": _claimed_by(columns["claimed_cost"], attributes),
        **_usage(columns, attributes, reader),
        "answered": pc.or_(
            columns["response_id"].is_valid(), pa.array(attributes.rows(semconv.GEN_AI_TIME_TO_FIRST_CHUNK) >= 0)
        ),
    }


def _cost(columns: Mapping[str, pa.Array], attributes: Attributes, reader: Reader) -> dict[str, pa.Array]:
    """Return ``cost_amount``, ``reports_cost`` and ``other_currency``: an amount has the currency of the same words."""
    cost = pa.nulls(attributes.owners, columns["cost_amount"].type)
    given, foreign = np.zeros((2, attributes.owners), dtype=np.bool_)
    for amount, currency in COSTS:
        rows, of_currency = attributes.rows(amount), attributes.rows(currency)
        decides = (rows >= 0) & ~given
        code = reader.value(currency, Kind.TEXT)
        ours = (of_currency < 0) | mask(pc.equal(pc.utf8_upper(code), _CURRENCY))
        cost = pc.if_else(pa.array(decides & ours), reader.value(amount, Kind.MONEY), cost)
        given |= decides
        foreign |= decides & ~ours
        unused = ~(decides & mask(cost.is_valid()))
        for each in (rows, of_currency):
            reader.left[each[(each >= 0) & unused]] = True
    return {"cost_amount": cost, "reports_cost": pa.array(given), "other_currency": pa.array(foreign)}


def _claimed_by(claimed: pa.Array, attributes: Attributes) -> pa.Array:
    """Return the name of the dialect that has a cost, where one is claimed."""
    by = pa.nulls(attributes.owners, pa.string())
    if claimed.null_count == len(claimed):
        return by
    for dialect in DIALECTS:
        for name in dialect.attributes.get("claimed_cost", ()):
            has = pa.array(attributes.rows(name) >= 0)
            by = pc.if_else(pc.and_(pc.and_(has, by.is_null()), claimed.is_valid()), pa.scalar(dialect.name), by)
    return by


def _usage(columns: Mapping[str, pa.Array], attributes: Attributes, reader: Reader) -> dict[str, object]:
    """Return ``reports_usage``, ``own_usage`` and ``other_usage``.

    On spans around calls, where quantities in other words are those of the calls, only our own word counts; so it does
    of the meters of services.
    """
    found = np.zeros(attributes.owners, dtype=np.bool_)
    own = np.zeros(attributes.owners, dtype=np.int64)
    others: dict[str, pa.Array] = {}
    names = attributes.keys.dictionary.to_pylist()
    if any(name.startswith(semconv.USAGE) for name in names):
        others, unread = _of_other_meters(names, attributes, reader)
        found |= unread
        rolls_up = mask(pc.is_in(columns["operation"], ROLL_UPS))
        for name, meter in OWN_USAGE.items():
            given = attributes.rows(name) >= 0
            if given.any():
                quantity = reader.value(name, COLUMNS[meter])
                own_only = pa.array(rolls_up | (meter in OF_SERVICES))
                found |= given & ~mask(pc.if_else(own_only, quantity, columns[meter]).is_valid())
                told = mask(pc.greater_equal(quantity, 1 if meter == REQUESTS else 0))
                own |= told.astype(np.int64) << METERED.index(meter)
    return {"reports_usage": pa.array(found), "own_usage": pa.array(own), "other_usage": others}


def _of_other_meters(
    names: Sequence[str], attributes: Attributes, reader: Reader
) -> tuple[dict[str, pa.Array], NDArray[np.bool_]]:
    """Return the columns of meters that are the program's own, and which spans have some that cannot be read.

    *names* are those of all *attributes*. Zero of something is nothing.
    """
    unread = np.zeros(attributes.owners, dtype=np.bool_)
    columns = {}
    others = [name for name in names if name.startswith(semconv.USAGE) and name not in OWN_USAGE]
    for number, name in enumerate(others):
        given, meter = attributes.rows(name) >= 0, name.removeprefix(semconv.USAGE)
        is_read = number < METERS_MAX and meter != NO_METER
        quantity = reader.quantity(name) if is_read else pa.nulls(attributes.owners, pa.int64())
        unread |= given & ~mask(quantity.is_valid())
        columns[meter] = pc.if_else(pc.greater(quantity, 0), quantity, None)
    return columns, unread
