"""What a person may write about a shared cost, and what is refused."""

from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from botanu.errors import PriceError
from botanu.pricing.shared_costs import Basis, SharedCost, overlapping, period_of, period_text

GPU = {"name": "gpu", "amount": "1200.50", "by": "tokens", "month": "2026-11"}


def cost(**fields):
    return SharedCost.of({name: value for name, value in {**GPU, **fields}.items() if value is not ...})


def test_a_shared_cost_is_exact_and_its_month_is_of_utc():
    assert cost() == SharedCost(
        "gpu",
        Decimal("1200.5"),
        "USD",
        datetime(2026, 11, 1, tzinfo=UTC),
        datetime(2026, 12, 1, tzinfo=UTC),
        "tokens",
    )


@pytest.mark.parametrize("amount", ["0.1", 0.1, Decimal("0.1")])
def test_an_amount_is_what_is_written(amount):
    assert cost(amount=amount).amount == Decimal("0.1")


def test_one_may_name_who_bears_it_and_its_currency():
    made = cost(workflow="refund", customer_id="acme", environment="prod", currency="eur")

    assert (made.workflow, made.customer_id, made.environment, made.currency) == ("refund", "acme", "prod", "EUR")


@pytest.mark.parametrize("since", ["2026-11-05", date(2026, 11, 5), datetime(2026, 11, 5), "2026-11-05T01:00+01:00"])
def test_a_period_may_begin_and_end_at_any_instant(since):
    made = cost(month=..., **{"from": since, "to": "2026-11-05T12:00"})

    assert made.period_start == datetime(2026, 11, 5, tzinfo=UTC)
    assert made.period_end - made.period_start == timedelta(hours=12)


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"name": ...}, "shared cost None: name is missing: say what it is"),
        ({"name": " "}, "name must be text, not ' '"),
        ({"name": 3}, "name must be text, not 3"),
        ({"amount": ...}, "shared cost 'gpu': amount is missing"),
        ({"amount": "much"}, "amount must be a number, not 'much'"),
        ({"amount": True}, "amount must be a number, not True"),
        ({"amount": [1]}, r"amount must be a number, not \[1\]"),
        ({"amount": "NaN"}, "amount must be 0 or more and below 1,000,000,000,000, not NaN"),
        ({"amount": -1}, "amount must be 0 or more and below 1,000,000,000,000, not -1"),
        ({"amount": 10**12}, "amount must be 0 or more and below"),
        ({"amount": "0.0000000001"}, "at most nine decimals, not 0.0000000001"),
        ({"currency": "dollars"}, "currency must be a code such as USD, not 'dollars'"),
        ({"currency": 840}, "currency must be a code such as USD, not 840"),
        ({"by": ...}, "by is missing: say what it is allocated by, one of tokens, seconds, calls, equal"),
        ({"by": "weight"}, "by must be one of tokens, seconds, calls, equal, not 'weight'"),
        ({"by": ["tokens"]}, r"by must be one of tokens, seconds, calls, equal, not \['tokens'\]"),
        ({"month": "2026-13"}, "month must be one such as 2026-11, not '2026-13'"),
        ({"month": "0000-01"}, "month must be one such as 2026-11, not '0000-01'"),
        ({"month": "9999-12"}, "month must be one such as 2026-11, not '9999-12'"),
        ({"month": "2026-11-01"}, "month must be one such as 2026-11, not '2026-11-01'"),
        ({"month": ...}, "give the period as month, such as 2026-11, or as from and to"),
        ({"month": ..., "from": "2026-11-01"}, "give the period as month"),
        ({"to": "2026-11-01"}, "give either month, or from and to"),
        ({"month": ..., "from": "2026-11-02", "to": "2026-11-02"}, "from 2026-11-02 to 2026-11-02 there is no time"),
        ({"month": ..., "from": "soon", "to": "2026-11-02"}, "from must be a date such as 2026-11-01 or an .*'soon'"),
        ({"month": ..., "from": "2026-11-01", "to": 20261102}, "to must be a date .*, not 20261102"),
        ({"month": ..., "from": "0001-01-01T00:00+23:00", "to": "2026-11-01"}, "from must be a date"),
        ({"month": ..., "from": "2026-11-01", "to": "9999-01-01"}, "to must be a date"),
        ({"workflow": ""}, "workflow must be text, not ''; leave it away if all bear the cost"),
        ({"customer_id": 3}, "customer_id must be text, not 3"),
        ({"environment": ["prod"]}, r"environment must be text, not \['prod'\]"),
        (
            {"basis": "tokens"},
            "unknown basis; known: name, amount, currency, month, from, to, by, workflow, customer_id",
        ),
    ],
)
def test_what_cannot_be_meant_is_refused(fields, message):
    with pytest.raises(PriceError, match=message):
        cost(**fields)


def test_all_faults_are_told_at_once():
    with pytest.raises(PriceError) as refused:
        cost(amount="much", by="weight", month="soon", workflow=7, form=1)

    for fault in ("unknown form", "'much'", "'weight'", "'soon'", "not 7"):
        assert fault in str(refused.value)


@pytest.mark.parametrize(
    ("since", "until", "text"),
    [
        ("2026-11-01", "2026-12-01", "2026-11"),
        ("2026-12-01", "2027-01-01", "2026-12"),
        ("2024-02-01", "2024-03-01", "2024-02"),
        ("2026-11-01", "2027-01-01", "2026-11-01 to 2027-01-01"),
        ("2026-11-02", "2026-12-01", "2026-11-02 to 2026-12-01"),
        ("2026-11-01", "2026-11-01T06:00", "2026-11-01T00:00:00+00:00 to 2026-11-01T06:00:00+00:00"),
    ],
)
def test_a_period_is_written_as_short_as_it_can_be_given(since, until, text):
    start, end = period_of({"from": since, "to": until})

    assert period_text(start, end) == text


@given(st.datetimes(datetime(2, 1, 1), datetime(9997, 1, 1)), st.integers(1, 10**6))
def test_a_period_that_is_written_can_be_read_again(start, minutes):
    bounds = (start.replace(tzinfo=UTC), start.replace(tzinfo=UTC) + timedelta(minutes=minutes))
    since, _, until = period_text(*bounds).partition(" to ")

    assert period_of({"from": since, "to": until} if until else {"month": since}) == bounds


def test_one_of_the_same_name_may_not_overlap_another_unless_it_replaces_it():
    november, december = cost(), cost(month="2026-12")
    half = cost(month=..., **{"from": "2026-11-15", "to": "2026-12-15"})
    elsewhere = SharedCost.of({**GPU, "month": "2026-11", "name": "seats"})

    assert overlapping([november, december, elsewhere, cost(amount=7)]) == []
    first, second = overlapping([december, november, half])
    assert first == (
        "shared cost 'gpu': 2026-11 and 2026-11-15 to 2026-12-15 overlap, so a part would be allocated twice: "
        "withdraw one, or give it another name"
    )
    assert "2026-11-15 to 2026-12-15 and 2026-12 overlap" in second


def test_a_zone_other_than_utc_is_the_same_instant():
    berlin = timezone(timedelta(hours=1))
    made = cost(month=..., **{"from": datetime(2026, 11, 1, tzinfo=berlin), "to": datetime(2026, 12, 1, tzinfo=berlin)})

    assert made.period_start == datetime(2026, 10, 31, 23, tzinfo=UTC)
    assert Basis(made.basis) is Basis.TOKENS
