"""Exact amounts of money, and the one rounding rule.

An amount is a whole number of nano-units (10⁻⁹) of its currency. A price per unit is a fraction of nano-units,
so no binary fraction ever enters. Rounding happens once, when a quantity meets its price: to the nearest
nano-unit, halves to the even neighbour (IEEE 754 ``roundTiesToEven``), which favours nobody in long sums.
"""

import math
from collections.abc import Sequence
from decimal import ROUND_HALF_EVEN, Decimal
from fractions import Fraction

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

CURRENCY = "USD"
"""The currency of all costs and values: that of the price list. Two currencies are never added."""

NANO = 10**9
"""Nano-units in one unit of currency."""

LINE_ITEM_MAX = 10**16
"""A line item stays below this many nano-units (ten million units of currency); more is no bill but a fault.

So the sum of a call's line items always fits ``DECIMAL(18,9)``."""

AMOUNT = pa.decimal128(18, 9)
"""Arrow type of an amount of money, in units of its currency."""

_INT64_MAX = 2**63 - 1
_LIMIT = pa.scalar(Decimal(10) ** 9)
_NANO = pa.scalar(Decimal(NANO))
_PLAIN = r"^0*[0-9]{1,9}(?:\.[0-9]+)?$"
_SMALL = r"^(?P<first>[0-9])(?:\.(?P<rest>[0-9]+))?[eE]-0*(?P<places>[1-9][0-9]{0,2})$"
_EXACT = pa.decimal128(38, 11)

Int64s = NDArray[np.int64]


def nanos_per_unit(amount: Decimal, per: int) -> Fraction:
    """Return the price of one unit in nano-units, where *per* units cost *amount*.

    2.50 USD per million tokens is 2,500 nano-dollars a token.
    """
    return Fraction(amount) * NANO / per


def decimal_amount(nanos: int) -> Decimal:
    """Return *nanos* nano-units as units of currency, with nine decimals."""
    return Decimal(nanos).scaleb(-9)


def round_to_nano(amount: Decimal) -> Decimal:
    """Return *amount* rounded to nine decimals, halves to even."""
    return amount.quantize(Decimal(1).scaleb(-9), rounding=ROUND_HALF_EVEN)


def read_amounts(texts: pa.Array) -> pa.Array:
    """Return amounts written in decimal digits, such as 0.0125 or 3.5e-05, as a column of type ``AMOUNT``.

    They are rounded to nine decimals, halves to even. Null is what is no number, negative, or beyond the column.
    """
    parts = pc.extract_regex(texts, _SMALL)
    first, rest, places = (pc.struct_field(parts, name) for name in ("first", "rest", "places"))
    zeros = pc.binary_repeat("0", pc.subtract(places.cast(pa.int64()).fill_null(1), 1))
    small = pc.binary_join_element_wise("0.", zeros, first, rest, "")
    digits = pc.coalesce(
        pc.if_else(pc.match_substring_regex(texts, _PLAIN), texts, pa.scalar(None, pa.string())), small
    )
    # Of what stands behind the tenth decimal it only matters whether it is nothing: one more digit says that.
    digits = pc.replace_substring_regex(digits, r"(\.[0-9]{10})0+$", r"\1")
    digits = pc.replace_substring_regex(digits, r"(\.[0-9]{10})[0-9]+$", r"\11")
    rounded = pc.round(digits.cast(_EXACT), 9, "half_to_even")
    return pc.if_else(pc.less(rounded, _LIMIT), rounded, pa.scalar(None, _EXACT)).cast(AMOUNT)


def cost(quantities: Int64s, price: Fraction) -> Int64s:
    """Return each of *quantities* times *price*, in nano-units, rounded halves to even.

    Quantities are 0 or more, and at most ``largest_quantity(price)``.

    Worked number: 5 tokens at 37.5 nano-dollars are 187.5, rounded to 188; 3 tokens are 112.5, rounded to 112.
    """
    return costs(quantities, [price], np.zeros_like(quantities))


def costs(quantities: Int64s, prices: Sequence[Fraction], price_of: Int64s) -> Int64s:
    """Return what ``cost`` does, where each quantity has a price of its own: *price_of* says which of *prices*."""
    small = [max(price.numerator, price.denominator) <= _INT64_MAX for price in prices]
    terms = [
        (price.numerator, price.denominator) if fits else (1, 1) for price, fits in zip(prices, small, strict=True)
    ]
    most = [_INT64_MAX // max(above, 1) if fits else -1 for (above, _), fits in zip(terms, small, strict=True)]
    numerators, denominators = np.array(terms, dtype=np.int64).reshape(-1, 2).T
    nanos = _rounded(quantities * numerators[price_of], denominators[price_of])
    for place in np.flatnonzero(quantities > np.array(most, dtype=np.int64)[price_of]).tolist():
        nanos[place] = round(int(quantities[place]) * prices[price_of[place]])
    return nanos


def largest_quantity(price: Fraction) -> int:
    """Return the largest quantity that costs less than ``LINE_ITEM_MAX`` at *price*."""
    return _INT64_MAX if price == 0 else min(_INT64_MAX, math.ceil(LINE_ITEM_MAX / price) - 1)


def _rounded(products: Int64s, denominators: Int64s) -> Int64s:
    whole = products // denominators
    rest = products - whole * denominators
    # Compared as rest against what is missing to the next whole, so that doubling cannot overflow.
    missing = denominators - rest
    return whole + ((rest > missing) | ((rest == missing) & (whole % 2 == 1)))


def in_nanos(column: pa.Array, absent: int) -> Int64s:
    """Return a column of type ``AMOUNT`` in nano-units; *absent* where it is null."""
    return pc.multiply(column, _NANO).cast(pa.int64()).fill_null(absent).to_numpy()


def amounts(nanos: Int64s, known: NDArray[np.bool_] | None = None) -> pa.Array:
    """Return *nanos* as an Arrow column of type ``AMOUNT``; null where *known* is false."""
    return unscaled(nanos, AMOUNT, known)


def unscaled(values: Int64s, kind: pa.Decimal128Type, known: NDArray[np.bool_] | None = None) -> pa.Array:
    """Return whole *values*, counted in the last decimal of *kind*, as a column of it; null where *known* is false."""
    words = np.empty((len(values), 2), dtype="<i8")
    words[:, 0] = values
    words[:, 1] = np.where(values < 0, -1, 0)  # sign of the 128-bit number
    validity = None if known is None else pa.py_buffer(np.packbits(known, bitorder="little").tobytes())
    return pa.Array.from_buffers(kind, len(values), [validity, pa.py_buffer(words.tobytes())])
