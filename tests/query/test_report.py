"""Measures against a calculation by hand."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.lab import NOW
from support.otlp import llm, run_spans, span

from botanu.errors import QueryError
from botanu.pricing.value_card import BEGINNING, UnitValue
from botanu.query.measures import MEASURES, Coverage
from botanu.query.report import report
from botanu.query.window import Window

START = int((NOW - timedelta(days=1)).timestamp()) * 10**9
ALL = Window.of("all", now=NOW)


def run(number, event, status, *, workflow="work", calls=1, **options):
    return run_spans(
        run_id=f"r-{number}",
        event_id=event,
        workflow=workflow,
        start=START + number * 10**10,
        status=status,
        calls=[llm(input=1000)] * calls,
        **options,
    )


def test_the_measures_of_a_worked_example(lab):
    """Four events; a call costs 0.0025 dollars.

    e-1 succeeds at once (1 call); e-2 fails (2 calls), then succeeds (1 call); e-3 fails (4 calls); e-4 has no outcome
    (1 call). So 9 calls cost 0.0225; the two successful runs cost 0.0025 each; an outcome costs 0.0225 / 2 = 0.01125.
    """
    lab.store.set_values([UnitValue.of("orders", "0.05", valid_from=BEGINNING)], NOW)
    order = {"value_type": "orders", "value_amount": 1}
    lab.send(
        *run(1, "e-1", "success", **order),
        *run(2, "e-2", "failed", calls=2),
        *run(3, "e-2", "success", **order),
        *run(4, "e-3", "failed", calls=4),
        *run_spans(run_id="r-5", event_id="e-4", start=START, calls=[llm(input=1000)]),
    )

    made = report(lab.store, ALL)

    assert made.rows == [{"workflow": "work", **made.total}]
    assert made.total == {
        "events": 4,
        "runs": 5,
        "successes": 2,
        "success_rate": 2 / 3,
        "cost": Decimal("0.0225"),
        "cost_per_run": Decimal("0.0025"),
        "cost_per_outcome": Decimal("0.01125"),
        "value": Decimal("0.1"),
        "roi": pytest.approx((0.1 - 0.0225) / 0.0225),
    }
    assert made.coverage == Coverage(1.0, 1.0, 0.8, unpriced_calls=0, unvalued_runs=0, unvalued_types=())
    assert made.latest_start is None


def test_an_empty_store_has_no_rows_and_unknown_measures(lab):
    made = report(lab.store, ALL)

    assert made.rows == []
    assert made.total == {measure.name: 0 if measure.unit.value == "count" else None for measure in MEASURES}
    assert made.coverage == Coverage(None, None, None, 0, 0, ())
    assert made.latest_start is None


def test_an_empty_window_says_when_the_latest_run_started(lab):
    lab.send(*run(1, "e-1", "success"), *run(2, "e-2", "success"))

    made = report(lab.store, Window.of(None, now=NOW, until="2020-01-01"))

    assert (made.rows, made.latest_start) == ([], datetime.fromtimestamp((START + 2 * 10**10) / 1e9, UTC))


def test_without_a_value_there_is_no_roi(lab):
    lab.send(*run(1, "e-1", "success", value_type="orders", value_amount=1))

    assert (report(lab.store, ALL).total["value"], report(lab.store, ALL).total["roi"]) == (None, None)


def test_coverage_says_what_is_not_known(lab):
    lab.send(
        *run(1, "e-1", "success", calls=3),
        *run_spans(run_id="r-2", event_id="e-2", start=START, calls=[llm("private", "in-house", input=1)]),
        span(start=START, **llm(input=1000)),
    )

    coverage = report(lab.store, ALL).coverage
    assert replace(coverage, unpriced=()) == Coverage(0.75, 0.75, 0.5, 1, unvalued_runs=0, unvalued_types=())
    assert [(each.provider, each.model, each.calls) for each in coverage.unpriced] == [("in-house", "private", 1)]


def test_the_value_is_the_sum_of_the_runs_values(lab):
    lab.store.set_values([UnitValue.of("orders", "0.333333333", valid_from=BEGINNING)], NOW)
    for number in (1, 2, 3):
        lab.send(*run(number, f"e-{number}", "success", value_type="orders", value_amount=2.5))

    assert report(lab.store, ALL).total["value"] == lab.row("SELECT sum(value) AS total FROM runs")["total"]


def test_what_was_achieved_without_a_value_is_not_in_the_value_and_counted(lab):
    lab.store.set_values([UnitValue.of("orders", "2", valid_from=BEGINNING)], NOW)
    lab.send(
        *run(1, "e-1", "success", value_type="orders", value_amount=1),
        *run(2, "e-2", "success", value_type="returns", value_amount=1),
        *run(3, "e-3", "success", value_type="calls", value_amount=1),
        *run(4, "e-4", "success", value_amount=1),
        *run(5, "e-5", "success"),
    )

    made = report(lab.store, ALL)

    assert made.total["value"] == 2
    assert (made.coverage.unvalued_runs, made.coverage.unvalued_types) == (3, ("calls", "returns"))


def test_rows_come_with_the_largest_cost_first_and_sum_to_the_total(lab):
    lab.send(
        *run(1, "e-1", "success", workflow="small"),
        *run(2, "e-2", "failed", workflow="large", calls=5),
        *run(3, "e-3", "success", workflow="middle", calls=3),
    )

    made = report(lab.store, ALL)

    assert [row["workflow"] for row in made.rows] == ["large", "middle", "small"]
    for measure in ("events", "runs", "successes", "cost"):
        assert sum(row[measure] for row in made.rows) == made.total[measure]


def test_an_event_of_two_workflows_counts_once_in_the_total(lab):
    lab.send(*run(1, "e-1", "success", workflow="a"), *run(2, "e-1", "failed", workflow="b"))

    made = report(lab.store, ALL)

    assert {row["workflow"]: (row["events"], row["successes"]) for row in made.rows} == {"a": (1, 1), "b": (1, 0)}
    assert (made.total["events"], made.total["successes"]) == (1, 0)


def test_runs_without_an_event_count_each_for_themselves(lab):
    for number in (1, 2):
        (child, root) = run(number, "e", "success")
        for message in (child, root):
            (position,) = (i for i, pair in enumerate(message.attributes) if pair.key == "botanu.event_id")
            del message.attributes[position]
        lab.send(child, root)

    assert report(lab.store, ALL).total["events"] == 2


@pytest.mark.parametrize("by", ["customer_id", "workflow_version", "environment", "tenant_id"])
def test_a_report_can_be_broken_down_by(lab, by):
    attribute = {"workflow_version": "workflow.version"}.get(by, by)
    named = run_spans(run_id="r-1", start=START, status="success", **{f"botanu.{attribute}": "mine"})
    lab.send(*named, *run_spans(run_id="r-2", start=START, status="success"))

    found = {row[by]: row["runs"] for row in report(lab.store, ALL, by=by).rows}
    assert found == {"mine": 1, "c-1" if by == "customer_id" else None: 1}


def test_an_unknown_dimension_is_named(lab):
    with pytest.raises(QueryError, match=r"by must be one of workflow, .*, not 'color; DROP TABLE runs'"):
        report(lab.store, ALL, by="color; DROP TABLE runs")


def test_a_window_is_half_open(lab):
    lab.send(*run_spans(run_id="r-1", event_id="e-1", start=START, status="success"))
    moment = datetime.fromtimestamp(START // 10**9, UTC)

    def runs(since, until):
        return report(lab.store, Window("w", since, until)).total["runs"]

    second = timedelta(seconds=1)
    assert [runs(moment, moment + second), runs(moment - second, moment), runs(moment, None), runs(None, moment)] == [
        1,
        0,
        1,
        0,
    ]


@given(st.integers(1, 9999), st.sampled_from("hdw"))
def test_a_relative_window_ends_now(number, unit):
    window = Window.of(f"{number}{unit}", now=NOW) if number < 500 else None
    if window:
        hours = number * {"h": 1, "d": 24, "w": 168}[unit]
        assert (window.end, window.end - window.start) == (NOW, timedelta(hours=hours))


@pytest.mark.parametrize(
    ("name", "since", "until", "start", "end"),
    [
        (None, None, None, NOW - timedelta(days=28), NOW),
        ("all", None, None, None, None),
        (None, "2026-11-01", None, datetime(2026, 11, 1, tzinfo=UTC), None),
        (None, None, "2026-11-01T12:00+02:00", None, datetime(2026, 11, 1, 10, tzinfo=UTC)),
    ],
)
def test_windows_are_read(name, since, until, start, end):
    window = Window.of(name, now=NOW, since=since, until=until)
    assert (window.start, window.end) == (start, end)


@pytest.mark.parametrize(
    ("name", "since", "until", "message"),
    [
        ("28", None, None, "such as 28d, or all, not '28'"),
        ("0d", None, None, "not '0d'"),
        (None, "yesterday", None, "'yesterday' is no date"),
        (None, "2026-11-02", "2026-11-01", "holds no time"),
    ],
)
def test_what_is_no_window_is_refused(name, since, until, message):
    with pytest.raises(QueryError, match=message):
        Window.of(name, now=NOW, since=since, until=until)
