"""Reading attributes as columns: one function per kind of value, each over a whole column."""

from collections.abc import Callable, Mapping

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from botanu.ingest.dialects import COLUMNS, DIALECTS, KEPT, TRANSLATIONS, Kind
from botanu.ingest.otlp import Attributes
from botanu.pricing.meters import MILLIONTHS, QUANTITY_MAX
from botanu.pricing.money import AMOUNT, read_amounts
from botanu.semconv import USAGE, OutcomeStatus

VALUE_AMOUNT = pa.decimal128(28, 9)
"""Arrow type of an outcome's amount. Amounts stay below 10¹², so that times a value they fit the same type."""

_VALUE_AMOUNT_MAX = 1e12
_ORDINAL_MAX = 2**31 - 1
_COUNT_TEXT = r"^[0-9]{1,15}$"
_QUANTITY_TEXT = r"^[0-9]{1,12}(\.[0-9]{1,9})?$"
_MEASURED_MAX = 1e12
_MEASURED = pa.decimal128(28, 9)
_AMOUNT_TEXT = r"^-?[0-9]{1,12}(\.[0-9]{1,9})?$"
_FALSE = pa.scalar(value=False)
_TRUTHS = pa.array(["true", "false"])

_ATTRIBUTES = {
    column: tuple(name for dialect in DIALECTS for name in dialect.attributes.get(column, ())) for column in COLUMNS
}
# Of each column all that may hold it, the preferred first.

_SCALARS = ("string_value", "bool_value", "int_value", "double_value")
# All that is read of a value. To carry the rest about costs more than to read.


class Reader:
    """Reads columns from attributes, and remembers which attributes are left."""

    def __init__(self, attributes: Attributes) -> None:
        """Read from *attributes*."""
        self._attributes = attributes
        scalars = [pc.struct_field(attributes.values, name) for name in _SCALARS]
        self._values = pa.StructArray.from_arrays(scalars, _SCALARS)
        self._nulls = {kind: pa.nulls(attributes.owners, of) for kind, of in TYPES.items()}
        self.left = np.ones(len(attributes.owner), dtype=np.bool_)
        """Which attributes no column has taken, by row."""

    def column(self, name: str, kind: Kind) -> pa.Array:
        """Return our column *name*, per owner: the first dialect that has a readable value decides.

        A value that cannot be read as *kind* is left where it is, so nothing that was sent is lost.
        """
        column = self._nulls[kind]
        for attribute in _ATTRIBUTES[name]:
            if attribute in self._attributes.codes:  # as few are, of the many names there are for a thing
                taken = name not in KEPT or attribute.startswith(USAGE)
                column = self._fill(column, attribute, kind, taken=taken)
        return column

    def attribute(self, *names: str, taken: bool = True) -> pa.Array:
        """Return the first of the attributes *names* as text, per owner; those *taken* are no longer left."""
        column = self._nulls[Kind.TEXT]
        for name in names:
            column = self._fill(column, name, Kind.TEXT, taken=taken)
        return column

    def value(self, attribute: str, kind: Kind) -> pa.Array:
        """Return what an *attribute* says, read as *kind*, per owner."""
        return self._fill(self._nulls[kind], attribute, kind, taken=False)

    def quantity(self, attribute: str) -> pa.Array:
        """Return an *attribute* as a quantity in millionths, per owner."""
        return self._fill(self._nulls[Kind.QUANTITY], attribute, Kind.QUANTITY, taken=True)

    def _fill(self, column: pa.Array, attribute: str, kind: Kind, *, taken: bool) -> pa.Array:
        rows = self._attributes.rows(attribute)
        rows[column.is_valid().to_numpy(zero_copy_only=False)] = -1
        wanted = rows >= 0
        if not wanted.any():
            return column
        values = _READERS[kind](self._values.take(pa.array(rows[wanted])))
        if taken:
            self.left[rows[wanted][values.is_valid().to_numpy(zero_copy_only=False)]] = False
        return pc.replace_with_mask(column, pa.array(wanted), values)


def translated(column: pa.Array, name: str) -> pa.Array:
    """Return the *column* of this *name* in our words, where its attributes have others."""
    if name not in TRANSLATIONS or column.null_count == len(column):
        return column
    encoded = column.dictionary_encode()
    words = pa.array([TRANSLATIONS[name](word) for word in encoded.dictionary.to_pylist()], pa.string())
    return words.take(encoded.indices)


def mask(column: pa.Array) -> NDArray[np.bool_]:
    """Return where a column of truth values is true; null is not."""
    return pc.fill_null(column, _FALSE).to_numpy(zero_copy_only=False)


def _text(values: pa.StructArray) -> pa.Array:
    text = pc.struct_field(values, "string_value")
    if text.null_count == 0:
        return text
    others = (pc.struct_field(values, f"{kind}_value").cast(pa.string()) for kind in ("int", "double", "bool"))
    return pc.coalesce(text, *others)


def _count(values: pa.StructArray) -> pa.Array:
    whole = pc.struct_field(values, "int_value")
    if whole.null_count:
        double = pc.struct_field(values, "double_value")
        is_count = pc.and_(pc.equal(pc.floor(double), double), pc.less_equal(pc.abs(double), float(QUANTITY_MAX)))
        digits = pc.struct_field(values, "string_value")
        are_digits = pc.match_substring_regex(digits, _COUNT_TEXT)
        whole = pc.coalesce(
            whole,
            pc.if_else(is_count, double, None).cast(pa.int64()),
            pc.if_else(are_digits, digits, None).cast(pa.int64()),
        )
    in_range = pc.and_(pc.greater_equal(whole, 0), pc.less_equal(whole, QUANTITY_MAX))
    return pc.if_else(in_range, whole, pa.scalar(None, pa.int64()))


def _quantity(values: pa.StructArray) -> pa.Array:
    texts = _decimal_texts(values, _MEASURED_MAX, _QUANTITY_TEXT)
    exact = texts.cast(_MEASURED)
    usable = pc.if_else(pc.greater_equal(exact, pa.scalar(0, _MEASURED)), exact, pa.scalar(None, _MEASURED))
    return pc.multiply(pc.round(usable, 6, "half_to_even"), pa.scalar(MILLIONTHS, pa.decimal128(7, 0))).cast(pa.int64())


def _ordinal(values: pa.StructArray) -> pa.Array:
    count = _count(values)
    return pc.if_else(pc.less_equal(count, _ORDINAL_MAX), count, pa.scalar(None, pa.int64())).cast(pa.int32())


def _number(values: pa.StructArray) -> pa.Array:
    number = pc.coalesce(
        pc.struct_field(values, "double_value"),
        pc.struct_field(values, "int_value").cast(pa.float64(), safe=False),
    )
    return pc.if_else(pc.is_finite(number), number, pa.scalar(None, pa.float64()))


def _amount(values: pa.StructArray) -> pa.Array:
    return _decimal_texts(values, _VALUE_AMOUNT_MAX, _AMOUNT_TEXT).cast(VALUE_AMOUNT)


def _decimal_texts(values: pa.StructArray, limit: float, pattern: str) -> pa.Array:
    """Return numbers below *limit* as decimal digits with at most nine decimals; null is what is none."""
    double = pc.struct_field(values, "double_value")
    fits = pc.and_(pc.is_finite(double), pc.less(pc.abs(double), limit))
    whole = pc.struct_field(values, "int_value")
    small = pc.less(pc.abs(whole.cast(pa.float64(), safe=False)), limit)
    written = pc.struct_field(values, "string_value")
    # The shortest text that gives the same double: 499.99 was meant as 499.99, not as the nearest binary fraction.
    return pc.coalesce(
        pc.round(pc.if_else(fits, double, None), 9).cast(pa.string()),
        pc.if_else(small, whole.cast(pa.string()), None),
        pc.if_else(pc.match_substring_regex(written, pattern), written, None),
    )


def _money(values: pa.StructArray) -> pa.Array:
    # A double as the shortest text that gives it, for the reason above.
    texts = (pc.struct_field(values, f"{kind}_value").cast(pa.string()) for kind in ("string", "int", "double"))
    return read_amounts(pc.coalesce(*texts))


def _flag(values: pa.StructArray) -> pa.Array:
    word = pc.utf8_lower(pc.struct_field(values, "string_value"))
    is_word = pc.is_in(word, _TRUTHS)
    return pc.coalesce(
        pc.struct_field(values, "bool_value"), pc.if_else(is_word, pc.equal(word, pa.scalar("true")), None)
    )


def _status(values: pa.StructArray) -> pa.Array:
    text = pc.struct_field(values, "string_value")
    return pc.if_else(pc.is_in(text, pa.array([*OutcomeStatus])), text, pa.scalar(None, pa.string()))


_READERS: Mapping[Kind, Callable[[pa.StructArray], pa.Array]] = {
    Kind.TEXT: _text,
    Kind.COUNT: _count,
    Kind.QUANTITY: _quantity,
    Kind.ORDINAL: _ordinal,
    Kind.NUMBER: _number,
    Kind.AMOUNT: _amount,
    Kind.MONEY: _money,
    Kind.FLAG: _flag,
    Kind.STATUS: _status,
}

TYPES: Mapping[Kind, pa.DataType] = {
    Kind.TEXT: pa.string(),
    Kind.COUNT: pa.int64(),
    Kind.QUANTITY: pa.int64(),
    Kind.ORDINAL: pa.int32(),
    Kind.NUMBER: pa.float64(),
    Kind.AMOUNT: VALUE_AMOUNT,
    Kind.MONEY: AMOUNT,
    Kind.FLAG: pa.bool_(),
    Kind.STATUS: pa.string(),
}
"""Arrow type of a column of each kind."""
