"""What the user says of prices, in the store: recorded once, never changed, withdrawn but not forgotten."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal

from botanu.pricing.own_prices import Alias, OwnDiscount, OwnPrice
from botanu.pricing.price_list import OwnTerms
from botanu.pricing.terms import term_id

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
LATER = NOW + timedelta(days=1)


def price(amount="1.50", source="set", **fields):
    return OwnPrice.of({"provider": "acme", "model": "m", "meter": "pages", "amount": amount, **fields}, source=source)


def rows(lab):
    return lab.rows("SELECT amount, origin, recorded_at, withdrawn_at FROM price_terms ORDER BY recorded_at, rowid")


def test_terms_come_back_as_they_were_said(lab):
    terms = [
        price("0.000000000000000001", per=7, above=200_000, currency="eur", tenant_id="T", service_tier="batch"),
        price("100"),
        OwnDiscount.of({"percent": "10.0", "provider": "openai", "from": "2026-01-01"}, source="set"),
        Alias.of({"provider": "azure", "model": "prod-1", "as_model": "gpt-4o", "as_provider": "openai"}, source="x"),
    ]

    assert lab.store.set_terms(terms, NOW) == 4
    assert lab.store.terms() == OwnTerms((terms[0], terms[1]), (terms[2],), (terms[3],))
    assert [term_id(each.term) for each in lab.store.recorded_terms()] == [term_id(term) for term in terms]


def test_a_term_in_force_is_nothing_new_and_a_correction_is(lab):
    for amount, new in (("1.5", 1), ("1.50", 0), ("2", 1), ("1.5", 1), ("1.5", 0)):
        assert lab.store.set_terms([price(amount)], NOW) == new

    assert [each.amount for each in lab.store.terms().prices] == [Decimal("1.5"), 2, Decimal("1.5")]


def test_every_own_price_is_a_row_of_prices_so_that_line_items_find_it(lab):
    lab.store.set_terms([price("3", **{"from": "2026-01-01", "per": 100})], NOW)

    row = lab.row("SELECT * FROM prices")
    assert (row["price_id"], row["provider"], row["amount"], row["per"]) == (
        lab.row("SELECT term_id FROM price_terms")["term_id"],
        "acme",
        3,
        100,
    )


def test_a_price_ends_where_the_next_begins_and_holds_on_when_that_is_withdrawn(lab):
    first, second = price("1"), price("2", **{"from": "2026-06-01"})
    lab.store.set_terms([first, second], NOW)
    ends = "SELECT amount, valid_to FROM prices ORDER BY amount"
    june = datetime(2026, 6, 1, tzinfo=UTC)

    assert [row["valid_to"] for row in lab.rows(ends)] == [june, None]
    lab.store.withdraw_terms([term_id(second)], LATER)
    assert [row["valid_to"] for row in lab.rows(ends)] == [None, LATER]
    lab.store.set_terms([price("1.25")], LATER)
    assert [row["valid_to"] for row in lab.rows(ends)] == [LATER, None, LATER]


def test_a_withdrawn_term_stays_readable_and_counts_no_more(lab):
    lab.store.set_terms([price()], NOW)

    assert lab.store.withdraw_terms([term_id(price())], LATER) == 1
    assert lab.store.withdraw_terms([term_id(price())], LATER) == 0
    assert lab.store.terms() == OwnTerms()
    assert [(row["recorded_at"], row["withdrawn_at"]) for row in rows(lab)] == [(NOW, LATER)]
    assert lab.store.set_terms([price()], LATER) == 1


def test_what_is_gone_from_a_file_takes_nothing_away_that_was_set_by_hand(lab):
    lab.store.set_terms([price("1")], NOW, origin="prices.toml")
    lab.store.set_terms([price("2")], NOW)
    lab.store.set_terms([price("1")], NOW)

    lab.store.set_terms([], LATER, origin="prices.toml", gone=[term_id(price("1"))])

    assert [(row["amount"], row["origin"], row["withdrawn_at"]) for row in rows(lab)] == [
        (1, "prices.toml", LATER),
        (2, "set", None),
        (1, "set", None),
    ]


def test_terms_outlive_the_process(lab):
    lab.store.set_terms([price()], NOW)
    lab.store.close()
    lab.store = type(lab)(lab.directory).store

    assert lab.store.terms().prices == (price(),)
