from datetime import UTC, datetime
from decimal import Decimal

import pytest

from botanu.errors import PriceError
from botanu.pricing.value_card import BEGINNING, UnitValue, first_instant

NOW = datetime(2026, 11, 1, tzinfo=UTC)


@pytest.mark.parametrize("amount", ["12.50", 12.5, Decimal("12.5"), 12])
def test_a_value_is_exact(amount):
    value = UnitValue.of("orders", amount, valid_from=NOW)

    assert value.amount == Decimal(str(amount))
    assert value.currency == "USD"


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"value_type": ""}, "needs the value type"),
        ({"amount": "much"}, "must be a number, not 'much'"),
        ({"amount": "NaN"}, "must be below"),
        ({"amount": 10_000_000}, "must be below 10,000,000"),
        ({"amount": "0.0000000001"}, "at most nine decimals"),
        ({"currency": "EUR"}, "is in EUR, costs are in USD: convert it first"),
        ({"valid_from": datetime(2026, 11, 1)}, "needs a time zone"),
    ],
)
def test_what_cannot_be_meant_is_refused(fields, message):
    given = {"value_type": "orders", "amount": 1, "valid_from": NOW, **fields}
    with pytest.raises(PriceError, match=message):
        UnitValue.of(given.pop("value_type"), given.pop("amount"), **given)


def test_the_first_value_of_a_type_holds_for_all_time_and_a_later_one_from_now():
    known = [UnitValue.of("orders", 1, valid_from=BEGINNING)]

    assert first_instant([], "orders", None, NOW) == BEGINNING
    assert first_instant(known, "orders", None, NOW) == NOW
    assert first_instant(known, "orders", "refund", NOW) == BEGINNING
    assert first_instant(known, "leads", None, NOW) == BEGINNING
