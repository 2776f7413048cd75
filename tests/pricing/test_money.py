from decimal import Decimal
from fractions import Fraction

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from botanu.pricing.money import (
    LINE_ITEM_MAX,
    amounts,
    cost,
    decimal_amount,
    in_nanos,
    largest_quantity,
    nanos_per_unit,
    read_amounts,
    round_to_nano,
)

prices = st.builds(Fraction, st.integers(0, 10**12), st.integers(1, 10**9))


@pytest.mark.parametrize(
    ("quantity", "price", "nanos"),
    [
        (5, Fraction(75, 2), 188),  # 187.5, to the even neighbour
        (3, Fraction(75, 2), 112),  # 112.5, to the even neighbour
        (10_000_000, Fraction(75), 750_000_000),  # ten million tokens at 75 nano-dollars are 0.75 dollars
        (0, Fraction(75, 2), 0),
        (7, Fraction(0), 0),
        (2, Fraction(1, 3), 1),
        (10**12, Fraction(10**8 + 1, 10**8), 1_000_000_010_000),  # beyond 64 bits on the way
    ],
)
def test_a_line_item_is_rounded_once_halves_to_even(quantity, price, nanos):
    assert cost(np.array([quantity]), price).tolist() == [nanos]


@given(quantities=st.lists(st.integers(0, 10**12), max_size=20), price=prices)
def test_a_column_costs_what_exact_arithmetic_says(quantities, price):
    payable = [quantity for quantity in quantities if quantity <= largest_quantity(price)]

    costs = cost(np.array(payable, dtype=np.int64), price)

    assert costs.tolist() == [round(quantity * price) for quantity in payable]  # Fraction rounds halves to even


@given(price=prices.filter(bool))
def test_the_largest_quantity_is_the_largest(price):
    largest = largest_quantity(price)

    assert largest * price < LINE_ITEM_MAX
    assert (largest + 1) * price >= LINE_ITEM_MAX or largest == 2**63 - 1


def test_a_price_is_a_fraction_of_nano_units():
    assert nanos_per_unit(Decimal("2.50"), 1_000_000) == 2500
    assert nanos_per_unit(Decimal("0.0375"), 1_000_000) == Fraction(75, 2)
    assert nanos_per_unit(Decimal("0.111"), 3600) == Fraction(92_500, 3)


def test_amounts_become_decimals_with_nine_places():
    column = amounts(np.array([1, 0, -2_500_000_000]), np.array([True, False, True]))

    assert column.to_pylist() == [Decimal("0.000000001"), None, Decimal("-2.500000000")]
    assert decimal_amount(123) == Decimal("0.000000123")


@given(nanos=st.lists(st.integers(-(10**18) + 1, 10**18 - 1)))
def test_every_amount_survives_the_column(nanos):
    column = amounts(np.array(nanos, dtype=np.int64))

    column.validate(full=True)
    assert column.to_pylist() == [decimal_amount(value) for value in nanos]
    assert in_nanos(column, absent=-1).tolist() == nanos


def test_an_absent_amount_is_what_the_caller_says():
    assert in_nanos(amounts(np.array([7, 7]), np.array([True, False])), absent=-2).tolist() == [7, -2]


def test_rounding_to_nano_is_half_even():
    assert round_to_nano(Decimal("0.0000000005")) == Decimal("0E-9")
    assert round_to_nano(Decimal("0.0000000015")) == Decimal("2E-9")


@pytest.mark.parametrize(
    ("text", "amount"),
    [
        ("0.0125", "0.0125"),
        ("12", "12"),
        ("0", "0"),
        ("007.50", "7.5"),
        ("999999999.999999999", "999999999.999999999"),
        ("3.5e-05", "0.000035"),
        ("1.25E-7", "0.000000125"),
        ("2e-9", "0.000000002"),
        # Beyond nine decimals: to the nearest nano-unit, halves to the even neighbour.
        ("0.0000000005", "0"),
        ("0.0000000015", "0.000000002"),
        ("0.00000000050000000000000000000000000000000000000000", "0"),
        ("0.00000000050000000000000000000000000000000000000001", "0.000000001"),
        ("0.1000000000000000055511151231257827021181583404541015625", "0.1"),
        ("2.5e-9", "0.000000002"),
        ("9e-300", "0"),
        # What is no such amount.
        ("999999999.9999999995", None),
        ("1000000000", None),
        ("-1", None),
        ("", None),
        ("1.", None),
        (".5", None),
        ("1,5", None),
        ("1_000", None),
        (" 1", None),
        ("1e3", None),
        ("1e-0", None),
        ("12e-3", None),
        ("NaN", None),
        ("Infinity", None),
        ("1/2", None),
        ("\u0661", None),  # a digit, but not one of ours
        (None, None),
    ],
)
def test_an_amount_is_read_as_it_is_written(text, amount):
    column = read_amounts(pa.array([text, "1"], pa.string()))

    assert column.type == pa.decimal128(18, 9)
    assert column.to_pylist() == [None if amount is None else Decimal(amount), 1]


@given(texts=st.lists(st.decimals(0, 10**9, allow_nan=False, allow_infinity=False, places=14).map(str)))
def test_a_column_of_amounts_is_read_as_exact_arithmetic_says(texts):
    rounded = [round_to_nano(Decimal(text)) for text in texts]

    assert read_amounts(pa.array(texts, pa.string())).to_pylist() == [
        amount if amount < 10**9 else None for amount in rounded
    ]


@given(numbers=st.lists(st.floats(0.0, 1e9, exclude_max=True)))
def test_a_double_is_read_as_the_shortest_text_that_gives_it(numbers):
    exact = [round_to_nano(Decimal(repr(number))) for number in numbers]

    assert read_amounts(pa.array(numbers, pa.float64()).cast(pa.string())).to_pylist() == [
        amount if amount < 10**9 else None for amount in exact
    ]
