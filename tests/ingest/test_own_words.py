"""Usage that a program reports by the names of line items, and beside what others repeat on the same span."""

import json
from decimal import Decimal

import pytest
from support.lab import row_of
from support.otlp import span

CALL = {"gen_ai.operation.name": "chat", "gen_ai.provider.name": "openai", "gen_ai.request.model": "gpt-4o"}
AROUND = {"gen_ai.operation.name": "invoke_agent"}


def used(row):
    return {line["meter"]: line["quantity"] for line in row["line_items"] or ()}


def test_what_remains_of_the_input_is_told_by_the_name_of_its_line_item():
    """400 tokens at 2.50 dollars for a million, 600 at 1.25, and 20 of output at 10, of which 5 were reasoning."""
    usage = {
        "botanu.usage.input_uncached_tokens": 400,
        "botanu.usage.cache_read_tokens": 600,
        "botanu.usage.output_text_tokens": 15,
        "botanu.usage.output_reasoning_tokens": 5,
    }
    row = row_of(span(**CALL, **usage))

    assert used(row) == {name.removeprefix("botanu.usage."): count for name, count in usage.items()}
    assert (row["input_tokens"], row["output_tokens"]) == (1000, 20)
    assert (row["cost"], row["priced"]) == (Decimal("0.00195"), True)


def test_a_cache_write_of_unknown_life_is_part_of_the_input_and_of_all_cache_writes():
    lives = {"botanu.usage.cache_write_other_tokens": 30, "botanu.usage.cache_write_1h_tokens": 20}
    row = row_of(span(**CALL, gen_ai__usage__input_tokens=100, gen_ai__usage__output_tokens=1, **lives))

    assert used(row) == {
        "input_uncached_tokens": 50,
        "cache_write_other_tokens": 30,
        "cache_write_1h_tokens": 20,
        "output_text_tokens": 1,
    }


@pytest.mark.parametrize(
    "attributes",
    [
        {"botanu.usage.reported_cost": 5},
        {"botanu.usage.cached_tokens": "unknown"},
        {"botanu.usage.output_text_tokens": "unknown"},
        {"botanu.usage.rows": "unknown", "db.response.returned_rows": 5},
    ],
)
def test_what_is_no_quantity_of_its_meter_leaves_the_call_unpriced(attributes):
    row = row_of(span(**attributes))

    assert used(row) == {}
    assert (row["priced"], row["cost_notes"]) == (False, ["unreadable_usage"])


@pytest.mark.parametrize("name", ["cached_tokens", "input_uncached_tokens"])
def test_our_own_words_on_a_span_around_calls_are_its_own(name):
    row = row_of(span(**AROUND, **{f"botanu.usage.{name}": 7}))

    assert list(used(row).values()) == [7]
    assert row["counted"]


def test_what_a_span_around_calls_repeats_is_not_its_own_whatever_else_it_tells():
    row = row_of(
        span(
            **AROUND,
            **{
                "botanu.usage.pages": 3,
                "langfuse.observation.usage_details": '{"input": 60, "output": 5}',
                "langfuse.observation.cost_details": '{"total": 0.5}',
                "gen_ai.usage.cache_read.input_tokens": 7,
            },
        )
    )

    assert used(row) == {"pages": 3}
    assert (row["counted"], row["cost"], row["reported_cost"]) == (True, None, Decimal("0.5"))


OURS, THEIRS = (
    ("botanu.cost.amount", "botanu.cost.currency"),
    ("gen_ai.usage.cost.amount", "gen_ai.usage.cost.currency"),
)


@pytest.mark.parametrize(
    ("ours", "theirs", "cost"),
    [
        (("0.1",), ("0.2", "EUR"), "0.1"),
        (("0.1", "USD"), ("0.2", "EUR"), "0.1"),
        ((), ("0.2", "usd"), "0.2"),
        ((), ("0.2", "EUR"), None),
        (("0.1", "EUR"), ("0.2", "USD"), None),
        (("unknown", "USD"), ("0.2", "EUR"), None),
        (("unknown", "USD"), ("0.2",), None),
    ],
)
def test_an_amount_has_the_currency_of_the_same_words(ours, theirs, cost):
    given = dict(zip(OURS, ours, strict=False)) | dict(zip(THEIRS, theirs, strict=False))
    row = row_of(span(**given))

    assert (row["cost"], row["priced"]) == (None if cost is None else Decimal(cost), cost is not None)


def test_what_no_amount_is_taken_from_stays_as_it_came():
    row = row_of(span(**{"botanu.cost.amount": "0.1", "gen_ai.usage.cost.currency": "EUR"}))

    assert json.loads(row["attributes"]) == {"gen_ai.usage.cost.currency": "EUR"}
