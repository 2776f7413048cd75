from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from botanu.query.measures import Unit
from botanu.server.web.format import UNKNOWN, column, count, money, money_column, ratio, share


@pytest.mark.parametrize(
    ("amount", "text"),
    [
        (None, "–"),
        (0, "$0"),
        (Decimal("0.0042"), "$0.0042"),
        (Decimal("0.408"), "$0.408"),
        (Decimal("0.4"), "$0.40"),
        (Decimal("0.40049"), "$0.40"),
        (Decimal("331.03"), "$331.03"),
        (Decimal("1234.5"), "$1,234"),
        (Decimal("1235.5"), "$1,236"),
        (1_234_567, "$1.23M"),
        (Decimal("-0.61"), "−$0.61"),
        (Decimal("0.000000001"), "$0.000000001"),
        (0.1 + 0.2, "$0.30"),
        (999.994, "$999.99"),
        (2_500_000_000, "$2,500.00M"),
    ],
)
def test_money(amount, text):
    assert money(amount) == text


def test_another_currency_is_named():
    assert money(3, "EUR") == "EUR 3.00"


def test_a_column_shares_the_decimals_its_smallest_amount_needs():
    assert money_column([Decimal("24.577"), Decimal("0.128"), None, 0]) == ["$24.577", "$0.128", "–", "$0.000"]


def test_a_column_of_wide_spread_lets_each_have_its_own():
    assert money_column([Decimal(1234), Decimal("0.01")]) == ["$1,234", "$0.01"]


def test_a_column_of_nothing():
    assert money_column([None, 0]) == ["–", "$0"]
    assert money_column([]) == []


@pytest.mark.parametrize(
    ("write", "value", "text"),
    [
        (share, 0.773, "77.3%"),
        (share, 1.0, "100.0%"),
        (share, None, UNKNOWN),
        (ratio, 1.9, "+190%"),
        (ratio, -0.042, "−4.2%"),
        (ratio, 13.66, "+1,366%"),
        (ratio, 0.0001, "0.0%"),
        (ratio, None, UNKNOWN),
        (count, 12345, "12,345"),
        (count, None, UNKNOWN),
    ],
)
def test_shares_ratios_and_counts(write, value, text):
    assert write(value) == text


@given(st.decimals(min_value=Decimal("1e-9"), max_value=Decimal("1e12"), places=9).filter(bool))
def test_an_amount_is_never_shown_as_nothing(amount):
    assert any(digit in money(amount) for digit in "123456789")


@given(st.lists(st.one_of(st.none(), st.decimals(Decimal("-1e6"), Decimal("1e6"), places=9))))
def test_a_column_has_a_text_for_each_value(amounts):
    for unit in Unit:
        assert len(column(unit, amounts, "USD")) == len(amounts)
