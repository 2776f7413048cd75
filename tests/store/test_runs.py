"""Runs as they are derived from their spans."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from support.lab import NOW
from support.otlp import llm, run_spans, span

from botanu.pricing.value_card import BEGINNING, UnitValue

START = 1_795_000_000_123_456_789


def test_a_run_has_identity_times_and_outcome_of_its_root_span(lab):
    lab.send(
        *run_spans(
            run_id="r-1",
            start=START,
            seconds=1.5,
            status="partial",
            value_type="items",
            value_amount=3,
            confidence=0.5,
            reason="why",
            error_type="E",
            **{
                "botanu.environment": "prod",
                "botanu.tenant_id": "t",
                "botanu.workflow.version": "v2",
                "botanu.parent_run_id": "r-0",
            },
        )
    )

    run = lab.run("r-1")
    assert {
        name: run[name]
        for name in (
            "event_id",
            "customer_id",
            "workflow",
            "workflow_version",
            "environment",
            "tenant_id",
            "root_run_id",
            "parent_run_id",
        )
    } == {
        "event_id": "e-1",
        "customer_id": "c-1",
        "workflow": "work",
        "workflow_version": "v2",
        "environment": "prod",
        "tenant_id": "t",
        "root_run_id": "r-1",
        "parent_run_id": "r-0",
    }
    assert run["start_time"] == datetime(2026, 11, 18, 11, 6, 40, 123456, tzinfo=UTC)
    assert run["end_time"] - run["start_time"] == timedelta(seconds=1.5)
    assert run["duration_ms"] == 1500.0
    assert (run["outcome_status"], run["outcome_value_type"], run["outcome_value_amount"]) == ("partial", "items", 3)
    assert (run["outcome_confidence"], run["outcome_reason"], run["outcome_error_type"]) == (0.5, "why", "E")
    assert (run["outcome_auto"], run["outcome_count"]) == (False, 1)


def test_a_run_without_an_outcome_is_unrecorded(lab):
    lab.send(*run_spans(run_id="r-1"))

    run = lab.run("r-1")
    assert (run["outcome_status"], run["outcome_auto"], run["outcome_count"]) == (None, None, 0)
    assert run["end_time"] is not None


def test_a_run_that_broke_one_outcome_per_run_says_how_often(lab):
    lab.send(*run_spans(run_id="r-1", status="success", count=3))

    assert lab.run("r-1")["outcome_count"] == 3


def test_the_cost_of_a_run_is_the_sum_of_its_calls(lab):
    lab.send(
        *run_spans(
            run_id="r-1", status="failed", calls=[llm(input=1000), llm(input=0, output=100), {"http.method": "GET"}]
        )
    )

    run = lab.run("r-1")
    assert (run["total_cost"], run["calls"], run["unpriced_calls"], run["span_count"]) == (Decimal("0.0035"), 2, 0, 4)


@pytest.mark.parametrize(
    ("calls", "cost", "unpriced"),
    [
        ([], Decimal(0), 0),
        ([llm(input=1000), llm("private", "in-house", input=5)], Decimal("0.0025"), 1),
        ([llm("private", "in-house", input=5)], None, 1),
        ([llm()], None, 1),
        ([llm(input=1000), {"botanu.usage.pages": 2.5}], Decimal("0.0025"), 1),
        ([{"botanu.usage.pages": 2.5}], None, 1),
        ([{"botanu.cost.amount": "0.01", "botanu.cost.currency": "EUR"}], None, 1),
        ([{"botanu.cost.amount": "0.01"}, {"botanu.cost.amount": "0.000000001"}], Decimal("0.010000001"), 0),
    ],
)
def test_what_has_no_price_is_unknown_not_zero(lab, calls, cost, unpriced):
    lab.send(*run_spans(run_id="r-1", calls=calls))

    run = lab.run("r-1")
    assert (run["total_cost"], run["unpriced_calls"]) == (cost, unpriced)


def test_a_reported_cost_is_a_line_item_beside_quantities_without_amounts(lab):
    lab.send(*run_spans(run_id="r-1", calls=[{**llm(input=1000), "botanu.cost.amount": "0.5"}]))

    assert lab.rows("SELECT meter, quantity, unit_price, amount, currency FROM line_items ORDER BY meter") == [
        {"meter": "input_uncached_tokens", "quantity": 1000, "unit_price": None, "amount": None, "currency": None},
        {"meter": "reported_cost", "quantity": 1, "unit_price": None, "amount": Decimal("0.5"), "currency": "USD"},
    ]


def test_a_child_that_comes_before_its_root_makes_a_run_in_flight(lab):
    child, root = run_spans(run_id="r-1", status="success", calls=[llm(input=1000)])
    lab.send(child)

    run = lab.run("r-1")
    assert (run["end_time"], run["outcome_status"], run["total_cost"]) == (None, None, Decimal("0.0025"))
    assert (run["event_id"], run["customer_id"], run["workflow"]) == ("e-1", "c-1", "work")

    lab.send(root)
    assert lab.run("r-1")["outcome_status"] == "success"


def test_a_run_that_hears_nothing_for_too_long_is_abandoned_with_its_cost(lab):
    child, root = run_spans(run_id="r-1", status="success", calls=[llm(input=1000)])
    lab.send(child)

    assert lab.store.abandon(NOW + timedelta(minutes=59)) == 0
    assert lab.store.abandon(NOW + timedelta(minutes=61)) == 1
    assert lab.store.abandon(NOW + timedelta(minutes=62)) == 0

    run = lab.run("r-1")
    assert (run["outcome_status"], run["outcome_auto"], run["total_cost"]) == ("abandoned", True, Decimal("0.0025"))
    assert lab.event()["outcome_status"] == "abandoned"

    lab.send(root, now=NOW + timedelta(minutes=70))
    assert (lab.run("r-1")["outcome_status"], lab.event()["outcome_status"]) == ("success", "success")


def test_attempts_are_numbered_by_start_whatever_came_first(lab):
    first, second, third = (
        run_spans(run_id=f"r-{number}", start=START + number * 10**9, status="failed") for number in (1, 2, 3)
    )
    lab.send(*third)
    lab.send(*first)
    lab.send(*second)

    assert [lab.run(f"r-{number}")["attempt"] for number in (1, 2, 3)] == [1, 2, 3]


def test_attempts_are_counted_per_event_and_workflow(lab):
    lab.send(
        *run_spans(run_id="a", event_id="e-1", workflow="x", start=START),
        *run_spans(run_id="b", event_id="e-1", workflow="y", start=START + 1),
        *run_spans(run_id="c", event_id="e-2", workflow="x", start=START + 2),
        *run_spans(run_id="d", event_id="e-1", workflow="x", start=START + 3),
    )

    assert {row["run_id"]: row["attempt"] for row in lab.rows("SELECT * FROM runs")} == {"a": 1, "b": 1, "c": 1, "d": 2}


def test_an_attempt_that_the_program_gave_stands(lab):
    lab.send(*run_spans(run_id="r-1", **{"botanu.attempt": 5}), *run_spans(run_id="r-2"))

    assert (lab.run("r-1")["attempt"], lab.run("r-1")["attempt_given"]) == (5, 5)
    assert lab.run("r-2")["attempt_given"] is None


def test_a_span_sent_twice_counts_once(lab):
    spans = run_spans(run_id="r-1", status="success", calls=[llm(input=1000)])

    assert lab.send(*spans, spans[0]).accepted == 2
    before = lab.tables()
    again = lab.send(*spans)

    assert (again.accepted, again.duplicates) == (0, 2)
    assert lab.tables() == before


def test_a_relay_that_rounds_times_does_not_make_a_second_span(lab):
    (root,) = run_spans(run_id="r-1", start=START)
    lab.send(root)
    root.start_time_unix_nano = START // 10**9 * 10**9

    assert lab.send(root).duplicates == 1


def test_equal_span_ids_in_two_traces_are_two_spans(lab):
    lab.send(span(trace_id=b"a" * 16, span_id=b"s" * 8), span(trace_id=b"b" * 16, span_id=b"s" * 8))

    assert lab.row("SELECT count(*) AS n FROM spans")["n"] == 2


def test_a_span_outside_any_run_is_kept_unattributed(lab):
    lab.send(span(**llm(input=1000)))

    row = lab.row("SELECT run_id, cost FROM spans")
    assert row == {"run_id": None, "cost": Decimal("0.0025")}
    assert lab.rows("SELECT * FROM runs") == []


def test_two_spans_that_both_say_they_are_the_run_give_one_run(lab):
    early = run_spans(run_id="r-1", start=START, status="failed")
    late = run_spans(run_id="r-1", start=START + 10**9, status="success")
    lab.send(*late)
    lab.send(*early)

    assert lab.run("r-1")["outcome_status"] == "success"


class TestValues:
    def value(self, lab, amount, since=BEGINNING, **options):
        return lab.store.set_values([UnitValue.of("items", amount, valid_from=since, **options)], datetime.now(UTC))

    def runs(self, lab):
        for number in range(3):
            start = START + number * 86_400 * 10**9
            lab.send(
                *run_spans(
                    run_id=f"r-{number}",
                    event_id=f"e-{number}",
                    workflow=f"w-{number}",
                    start=start,
                    status="success",
                    value_type="items",
                    value_amount=2.5,
                )
            )
        return lambda: [row["value_per_unit"] for row in lab.rows("SELECT value_per_unit FROM runs ORDER BY run_id")]

    def test_a_value_set_before_or_after_the_run_is_the_same(self, lab):
        units = self.runs(lab)
        assert units() == [None] * 3
        assert lab.row("SELECT sum(value) AS v FROM runs")["v"] is None

        assert self.value(lab, "4.00") == 3
        assert units() == [4, 4, 4]
        lab.send(
            *run_spans(run_id="r-9", event_id="e-9", start=START, status="success", value_type="items", value_amount=1)
        )
        assert lab.run("r-9")["value"] == 4

    def test_each_run_has_the_value_of_its_own_time(self, lab):
        units = self.runs(lab)
        self.value(lab, 1)
        self.value(lab, 2, datetime(2026, 11, 19, tzinfo=UTC))

        assert units() == [1, 2, 2]
        assert [value.valid_to for value in lab.store.values()] == [datetime(2026, 11, 19, tzinfo=UTC), None]

    def test_a_value_for_one_workflow_goes_before_the_general_one(self, lab):
        units = self.runs(lab)
        self.value(lab, 1, datetime(2026, 11, 1, tzinfo=UTC))
        self.value(lab, 9, workflow="w-1")

        assert units() == [1, 9, 1]

    def test_a_correction_replaces_the_value_and_stays_visible(self, lab):
        units = self.runs(lab)
        self.value(lab, 1)
        self.value(lab, 3)

        assert units() == [3, 3, 3]
        assert [(value.amount, value.valid_to) for value in lab.store.values()] == [(1, BEGINNING), (3, None)]

    def test_the_same_value_again_is_nothing_new(self, lab):
        self.runs(lab)
        self.value(lab, 3)

        assert self.value(lab, 3) == 0
        assert len(lab.store.values()) == 1

    def test_value_is_amount_times_value_per_unit_to_the_nano(self, lab):
        self.runs(lab)
        self.value(lab, "0.333333333")

        assert lab.run("r-0")["value"] == Decimal("0.833333332")  # 0.8333333325, to the even neighbour
        event = lab.event("e-0")
        assert (event["value"], event["margin"]) == (Decimal("0.833333332"), Decimal("0.833333332"))
