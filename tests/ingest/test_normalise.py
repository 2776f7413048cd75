"""Dialects to columns, and spans to calls with a cost."""

import json
from decimal import Decimal

import pytest
from support.lab import row_of, rows_of
from support.otlp import llm, span

from botanu.ingest.dialects import COLUMNS, DIALECTS, USAGE
from botanu.pricing.meters import METERS
from botanu.store.schema import SPANS


def test_the_columns_are_those_of_the_spans_table():
    assert set(row_of(span())) == set(SPANS.names)


def test_every_dialect_names_columns_that_there_are():
    for dialect in DIALECTS:
        assert dialect.attributes.keys() <= COLUMNS.keys(), dialect.name


@pytest.mark.parametrize(
    ("attribute", "given", "column", "read"),
    [
        ("botanu.event_id", "order-17", "event_id", "order-17"),
        ("botanu.event_id", 17, "event_id", "17"),
        ("botanu.event_id", 1.5, "event_id", "1.5"),
        ("botanu.event_id", False, "event_id", "false"),
        ("botanu.attempt", 2, "attempt", 2),
        ("botanu.run.root", True, "is_run", True),
        ("botanu.outcome.status", "partial", "outcome_status", "partial"),
        ("botanu.outcome.value_amount", 3, "outcome_value_amount", Decimal(3)),
        ("botanu.outcome.value_amount", 1299.99, "outcome_value_amount", Decimal("1299.99")),
        ("botanu.outcome.value_amount", 1e-9, "outcome_value_amount", Decimal("1e-9")),
        ("botanu.outcome.value_amount", -4.5, "outcome_value_amount", Decimal("-4.5")),
        ("botanu.outcome.value_amount", 562950.1744254259, "outcome_value_amount", Decimal("562950.174425426")),
        ("botanu.outcome.value_amount", 123456789012.12346, "outcome_value_amount", Decimal("123456789012.12346")),
        ("botanu.outcome.value_amount", "12.345678901", "outcome_value_amount", Decimal("12.345678901")),
        ("botanu.outcome.confidence", 0.92, "outcome_confidence", 0.92),
        ("botanu.outcome.confidence", 1, "outcome_confidence", 1.0),
        ("gen_ai.usage.input_tokens", 12, "input_tokens", 12),
        ("gen_ai.usage.input_tokens", 12.0, "input_tokens", 12),
        ("gen_ai.usage.input_tokens", "12", "input_tokens", 12),
        ("botanu.usage.input_tokens", 12, "input_tokens", 12),
        ("botanu.outcome.late", True, "outcome_late", True),
        ("botanu.cost.amount", "0.0125", "cost", Decimal("0.0125")),
        ("botanu.cost.amount", 3, "cost", Decimal(3)),
        ("botanu.cost.amount", 0.1, "cost", Decimal("0.1")),
        ("botanu.cost.amount", 3.5e-7, "cost", Decimal("0.00000035")),
    ],
)
def test_a_readable_value_becomes_a_column_and_is_not_kept_twice(attribute, given, column, read):
    row = row_of(span(**{attribute: given}))

    assert row[column] == read
    assert row["attributes"] is None


@pytest.mark.parametrize(
    ("attribute", "given", "column"),
    [
        ("gen_ai.usage.input_tokens", -1, "input_tokens"),
        ("gen_ai.usage.input_tokens", 2**62, "input_tokens"),
        ("gen_ai.usage.input_tokens", 1.5, "input_tokens"),
        ("gen_ai.usage.input_tokens", 1e308, "input_tokens"),
        ("gen_ai.usage.input_tokens", float("nan"), "input_tokens"),
        ("gen_ai.usage.input_tokens", "abc", "input_tokens"),
        ("gen_ai.usage.input_tokens", True, "input_tokens"),
        ("gen_ai.usage.input_tokens", [1], "input_tokens"),
        ("gen_ai.usage.input_tokens", b"1", "input_tokens"),
        ("botanu.outcome.value_amount", 1e308, "outcome_value_amount"),
        ("botanu.outcome.value_amount", float("inf"), "outcome_value_amount"),
        ("botanu.outcome.value_amount", 2**62, "outcome_value_amount"),
        ("botanu.outcome.value_amount", "much", "outcome_value_amount"),
        ("botanu.outcome.confidence", float("nan"), "outcome_confidence"),
        ("botanu.outcome.status", "ok", "outcome_status"),
        ("botanu.run.root", "yes", "is_run"),
    ],
)
def test_a_value_that_cannot_be_read_is_unknown_and_kept_as_it_came(attribute, given, column):
    good = span(**{attribute: {"text": "x"}.get(attribute, "neighbour")})
    row, neighbour = rows_of(span(**{attribute: given}), good)

    assert row[column] is None
    assert attribute in json.loads(row["attributes"])
    assert neighbour["name"] == "work"


def test_the_current_name_goes_before_the_deprecated_one_which_is_kept():
    row = row_of(span(**{"gen_ai.system": "old", "gen_ai.provider.name": "new", "gen_ai.usage.prompt_tokens": 5}))

    assert (row["provider"], row["input_tokens"]) == ("new", 5)
    assert json.loads(row["attributes"]) == {"gen_ai.system": "old"}


def test_a_repeated_key_has_its_last_value():
    one = span(**{"gen_ai.usage.input_tokens": 1})
    one.attributes.add(key="gen_ai.usage.input_tokens").value.int_value = 2

    assert row_of(one)["input_tokens"] == 2


def test_service_and_environment_come_from_the_resource():
    resource = {"service.name": "shop", "deployment.environment": "old", "deployment.environment.name": "prod", "k": 1}

    mine, other = rows_of(span(), span(**{"botanu.environment": "test"}), resource=resource)

    assert (mine["service_name"], mine["environment"], other["environment"]) == ("shop", "prod", "test")
    assert json.loads(mine["resource"]) == {"k": 1}


def test_a_call_has_line_items_and_a_cost():
    row = row_of(span(**llm("gpt-4o", input=1000, cached=600, output=100)))

    assert (row["cost"], row["currency"], row["cost_source"]) == (Decimal("0.00275"), "USD", "computed")
    assert (row["priced"], row["counted"], row["model"]) == (True, True, "gpt-4o")
    assert [(item["meter"], item["quantity"], item["amount"]) for item in row["line_items"]] == [
        ("input_uncached_tokens", 400, Decimal("0.001")),
        ("cache_read_tokens", 600, Decimal("0.00075")),
        ("output_text_tokens", 100, Decimal("0.001")),
    ]


def test_the_model_that_answered_goes_before_the_one_asked_for():
    call = llm("gpt-4o", input=1000) | {"gen_ai.response.model": "gpt-4o-mini"}
    row = row_of(span(**call))

    assert (row["model"], row["request_model"], row["cost"]) == ("gpt-4o-mini", "gpt-4o", Decimal("0.00015"))


def test_an_answering_model_without_a_price_is_priced_as_the_one_asked_for():
    row = row_of(span(**(llm("gpt-4o", input=1000) | {"gen_ai.response.model": "private-alias"})))

    assert (row["model"], row["cost"]) == ("private-alias", Decimal("0.0025"))


def test_usage_without_a_price_is_unpriced_not_zero():
    row = row_of(span(**llm("router-3b", "in-house", input=5)))

    assert (row["cost"], row["currency"], row["priced"], row["counted"]) == (None, None, False, True)
    assert row["line_items"] == [{"meter": "input_uncached_tokens", "quantity": 5, "price_id": None, "amount": None}]


@pytest.mark.parametrize(
    ("one", "is_call"),
    [
        (span(**llm()), True),  # a call that reports no usage has a cost, and it is not known
        (span(**llm(), error=True), False),  # turned away: it used nothing
        (span(**llm(), **{"error.type": "RateLimitError"}), False),
        (span(**llm(input=5), error=True), True),  # a broken stream is billed for what it reports
        (span(**llm(), error=True, **{"gen_ai.response.id": "r-1"}), True),  # and for what it does not
        (span(**llm(), error=True, **{"gen_ai.response.time_to_first_chunk": 0.2}), True),
        (span(**{"gen_ai.operation.name": "execute_tool"}), False),
        (span(**{"http.request.method": "GET"}), False),
    ],
)
def test_what_is_a_call(one, is_call):
    row = row_of(one)

    assert (row["counted"] is True) is is_call
    assert (row["priced"] is None) is not is_call


def test_usage_around_calls_is_not_counted_again():
    outer = span(**(llm(input=1000) | {"gen_ai.operation.name": "invoke_agent"}))
    inner = span(**llm(input=1000))

    around, call = rows_of(outer, inner)

    assert (around["counted"], around["cost"], len(around["line_items"])) == (False, None, 1)
    assert around["counted_reason"] == "its calls report the same usage"
    assert (call["counted"], call["counted_reason"]) == (True, None)


class TestReportedCost:
    def test_it_is_the_cost_exactly_and_marked(self):
        row = row_of(span(**{"botanu.cost.amount": "0.000000007", "botanu.cost.currency": "USD"}))

        assert (row["cost"], row["currency"], row["cost_source"]) == (Decimal("0.000000007"), "USD", "reported")
        assert (row["priced"], row["counted"], row["counted_reason"]) == (True, True, None)
        assert row["line_items"] == [
            {"meter": "reported_cost", "quantity": 1, "price_id": None, "amount": Decimal("0.000000007")}
        ]
        assert row["attributes"] is None

    def test_it_goes_before_the_price_list_and_leaves_the_quantities(self):
        reported, computed = rows_of(
            span(**llm(input=1000, cached=600, output=100), **{"botanu.cost.amount": "0.5"}), span(**llm(input=1000))
        )

        assert (reported["cost"], reported["cost_source"], reported["input_tokens"]) == (
            Decimal("0.5"),
            "reported",
            1000,
        )
        assert [(item["meter"], item["quantity"], item["amount"]) for item in reported["line_items"]] == [
            ("reported_cost", 1, Decimal("0.5")),
            ("input_uncached_tokens", 400, None),
            ("cache_read_tokens", 600, None),
            ("output_text_tokens", 100, None),
        ]
        assert (computed["cost"], computed["cost_source"]) == (Decimal("0.0025"), "computed")

    def test_nothing_is_a_cost_too(self):
        row = row_of(span(**{"botanu.cost.amount": 0}))

        assert (row["cost"], row["cost_source"], row["priced"], row["counted"]) == (0, "reported", True, True)

    @pytest.mark.parametrize("currency", ["usd", "USD"])
    def test_the_stores_currency_may_be_named(self, currency):
        assert row_of(span(**{"botanu.cost.amount": "1", "botanu.cost.currency": currency}))["cost"] == 1

    @pytest.mark.parametrize(
        "given",
        [
            {"botanu.cost.amount": "1", "botanu.cost.currency": "EUR"},
            {"botanu.cost.amount": "0", "botanu.cost.currency": "EUR"},
            {"botanu.cost.amount": "1", "botanu.cost.currency": ""},
            {"botanu.cost.amount": "1", "botanu.cost.currency": ["USD"]},
            {"botanu.cost.amount": "-1"},
            {"botanu.cost.amount": -0.5},
            {"botanu.cost.amount": float("nan")},
            {"botanu.cost.amount": float("inf")},
            {"botanu.cost.amount": 10**9},
            {"botanu.cost.amount": "a lot"},
            {"botanu.cost.amount": True},
            {"botanu.cost.amount": ["1"]},
            {"botanu.cost.amount": b"1"},
        ],
    )
    @pytest.mark.parametrize("usage", [{}, llm(input=1000), llm(input=0)])
    def test_one_that_cannot_be_used_makes_the_call_unpriced_and_stays_readable(self, given, usage):
        row = row_of(span(**usage, **given))

        assert (row["cost"], row["currency"], row["cost_source"]) == (None, None, None)
        assert (row["priced"], row["counted"]) == (False, True)
        assert json.loads(row["attributes"]).keys() == given.keys()

    def test_a_currency_without_an_amount_is_no_cost(self):
        row = row_of(span(**{"botanu.cost.currency": "USD"}))

        assert (row["counted"], row["cost"]) == (None, None)
        assert json.loads(row["attributes"]) == {"botanu.cost.currency": "USD"}

    def test_it_is_that_of_the_span_it_stands_on_whatever_that_is(self):
        """A tool that costs money is no repetition of the calls inside, but the tokens on its span are."""
        tool = {"gen_ai.operation.name": "execute_tool", "botanu.cost.amount": "0.01"}
        agent = llm("sonar", "perplexity", input=1000) | {  # each request to it has a price
            "gen_ai.operation.name": "invoke_agent",
            "botanu.usage.searches": 2,
        }

        paid, around = rows_of(span(**tool, error=True), span(**agent))

        assert (paid["cost"], paid["counted"], paid["counted_reason"]) == (Decimal("0.01"), True, None)
        assert (around["cost"], around["priced"], around["counted"]) == (None, False, True)
        assert around["line_items"] == [{"meter": "searches", "quantity": 2, "price_id": None, "amount": None}]
        assert row_of(span(**llm("sonar", "perplexity")))["line_items"][0]["meter"] == "requests"

    @pytest.mark.parametrize("told", [0.5, -1, "abc", True, 2**62])
    def test_an_agents_own_tokens_that_cannot_be_read_are_not_those_of_its_calls(self, told):
        agent = llm(input=1000) | {"gen_ai.operation.name": "invoke_agent", "botanu.usage.input_tokens": told}

        row = row_of(span(**agent))

        assert (row["counted"], row["priced"], row["cost"], row["line_items"]) == (True, False, None, None)

    @pytest.mark.parametrize("operation", [{}, {"gen_ai.operation.name": "execute_tool"}])
    @pytest.mark.parametrize("meter", ["requests", "pages"])
    def test_none_of_something_is_no_usage(self, operation, meter):
        row = row_of(span(**operation, **{f"botanu.usage.{meter}": 0}))

        assert (row["counted"], row["cost"]) == (None, None)

    def test_tokens_in_our_own_words_are_that_spans_and_others_there_are_repeated(self):
        tool = {"gen_ai.operation.name": "execute_tool", "botanu.usage.input_tokens": 100}
        agent = llm(input=1000, output=5) | {"gen_ai.operation.name": "invoke_agent", "botanu.usage.input_tokens": 7}

        used, around = rows_of(span(**tool), span(**agent))

        assert (around["input_tokens"], around["output_tokens"]) == (7, None)
        assert (used["cost"], used["priced"], used["counted"], used["counted_reason"]) == (None, False, True, None)
        for row, quantity in ((used, 100), (around, 7)):
            assert row["line_items"] == [
                {"meter": "input_uncached_tokens", "quantity": quantity, "price_id": None, "amount": None}
            ]


class TestReportedUsage:
    def test_a_meter_that_has_prices_is_read_as_the_conventions_attribute(self):
        names = {"input_tokens": 1000, "cache_read_tokens": 600, "output_tokens": 100}
        row = row_of(span(**llm(), **{f"botanu.usage.{name}": quantity for name, quantity in names.items()}))

        assert (
            row_of(span(**llm(input=1000, cached=600, output=100))).items()
            >= {
                name: row[name] for name in ("cost", "priced", "counted", "line_items", "input_tokens", "output_tokens")
            }.items()
        )
        assert row["attributes"] is None

    def test_every_count_is_of_a_meter(self):
        assert set(USAGE) <= {meter.name for meter in METERS}

    @pytest.mark.parametrize("meter", USAGE)
    def test_every_meter_that_has_a_column_is_read(self, meter):
        row = row_of(span(**{f"botanu.usage.{meter}": 7}))

        assert (row["counted"], row["priced"], row["attributes"]) == (True, False, None)
        assert sum(item["quantity"] for item in row["line_items"]) == 7

    def test_cache_writes_have_the_price_of_how_long_they_are_kept(self):
        """Of claude-sonnet-4-5 a million written to the cache cost 3.75 dollars for five minutes, 6 for an hour."""
        call = llm("claude-sonnet-4-5", "anthropic", input=0)
        five, hour = rows_of(
            span(**call, **{"botanu.usage.cache_write_5m_tokens": 1000}),
            span(**call, **{"botanu.usage.cache_write_1h_tokens": 1000}),
        )

        assert (five["cost"], hour["cost"]) == (Decimal("0.00375"), Decimal("0.006"))

    @pytest.mark.parametrize("quantity", [-1, float("nan"), "many", True, [3], b"3", 1e12, 2**62])
    def test_what_is_no_quantity_makes_the_span_an_unpriced_call_and_stays_readable(self, quantity):
        row, neighbour = rows_of(span(**{"botanu.usage.pages": quantity}), span())

        assert (row["counted"], row["priced"], row["cost"], row["line_items"]) == (True, False, None, None)
        assert row["cost_notes"] == ["unreadable_usage"]
        assert json.loads(row["attributes"]).keys() == {"botanu.usage.pages"}
        assert (neighbour["counted"], neighbour["priced"]) == (None, None)

    @pytest.mark.parametrize(
        ("given", "quantity"),
        [(3, "3"), (2.5, "2.5"), ("0.0125", "0.0125"), (0.0000015, "0.000002"), (10**12 - 1, "999999999999")],
    )
    def test_a_meter_of_the_programs_own_is_a_line_item(self, given, quantity):
        row = row_of(span(**{"botanu.usage.pages": given}))

        assert (row["counted"], row["priced"], row["cost"], row["attributes"]) == (True, False, None, None)
        assert row["cost_notes"] == ["no_price"]
        assert row["line_items"] == [
            {"meter": "pages", "quantity": Decimal(quantity), "price_id": None, "amount": None}
        ]

    def test_a_program_may_have_a_hundred_meters_of_its_own_in_one_batch(self):
        row = row_of(span(**{f"botanu.usage.meter_{number:03}": 1 for number in range(102)}))

        assert (len(row["line_items"]), row["cost_notes"]) == (100, ["unreadable_usage", "no_price"])
        assert len(json.loads(row["attributes"])) == 2

    @pytest.mark.parametrize("quantity", [0, 0.0])
    def test_none_of_a_meter_is_no_usage(self, quantity):
        alone, call = rows_of(
            span(**{"botanu.usage.pages": quantity}), span(**llm(input=1000), **{"botanu.usage.pages": quantity})
        )

        assert (alone["counted"], alone["cost"]) == (None, None)
        assert (call["priced"], call["cost"]) == (True, Decimal("0.0025"))

    def test_what_is_known_of_a_calls_cost_stays_known_beside_another_meter(self):
        row = row_of(span(**llm(input=1000), **{"botanu.usage.searches": 2}))

        assert (row["cost"], row["cost_source"], row["priced"]) == (Decimal("0.0025"), "computed", False)

    def test_a_reported_cost_is_that_of_other_meters_too(self):
        row = row_of(span(**{"botanu.usage.pages": 3, "botanu.cost.amount": "0.03"}))

        assert (row["cost"], row["priced"], row["counted"]) == (Decimal("0.03"), True, True)
        assert row["line_items"][1] == {"meter": "pages", "quantity": 3, "price_id": None, "amount": None}

    @pytest.mark.parametrize("quantity", [12.5, -1, "many"])
    def test_tokens_that_cannot_be_read_are_usage_that_is_not_known(self, quantity):
        alone, beside = rows_of(
            span(**llm(output=100), **{"botanu.usage.input_tokens": quantity}),
            span(**llm(input=1000), **{"botanu.usage.input_tokens": quantity}),
        )

        assert (alone["cost"], alone["priced"]) == (Decimal("0.001"), False)
        assert (beside["cost"], beside["priced"]) == (Decimal("0.0025"), True)  # the other attribute says it

    def test_a_repeated_key_of_ours_has_its_last_value(self):
        one = span(**llm(output=0), **{"botanu.usage.input_tokens": 1})
        one.attributes.add(key="botanu.usage.input_tokens").value.int_value = 1000

        assert (row_of(one)["cost"], row_of(one)["priced"]) == (Decimal("0.0025"), True)
