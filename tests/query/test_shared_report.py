"""Shared costs in reports, against a calculation by hand."""

from datetime import UTC, datetime
from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st
from support.lab import NOW, lab_after
from support.otlp import llm, run_spans

from botanu.pricing.shared_costs import SharedCost
from botanu.query.measures import MEASURES
from botanu.query.report import report
from botanu.query.shared import LeftOut, SharedPart, allocated, shared_part
from botanu.query.window import Window

HOUR = 3600 * 10**9
START = int(datetime(2026, 11, 2, tzinfo=UTC).timestamp()) * 10**9
ALL = Window.of("all", now=NOW)


def run(number, *calls, **options):
    """A run that starts *number* hours after START; a call of 1,000 input tokens costs 0.0025 dollars."""
    options = {"run_id": f"r-{number}", "event_id": f"e-{number}", "status": "success", **options}
    return run_spans(start=START + number * HOUR, calls=calls, **options)


def record(lab, *costs):
    entries = ({"by": "calls", "month": "2026-11", **cost} for cost in costs)
    lab.store.set_shared_costs([SharedCost.of(entry) for entry in entries], NOW)


def hours(since, until):
    return Window("hours", *(datetime.fromtimestamp((START + hour * HOUR) / 1e9, UTC) for hour in (since, until)))


def test_the_shared_measures_of_a_worked_example(lab):
    """300 dollars by calls: one, two and three calls bear 50, 100 and 150; nobody bears the 40 of another workflow."""
    call = llm(input=1000)
    lab.send(*run(1, call), *run(2, call, call, workflow="sort"), *run(3, call, call, call))
    plain = report(lab.store, ALL)
    record(
        lab,
        {"name": "gpu", "amount": 300},
        {"name": "db", "amount": 40, "workflow": "other"},
        {"name": "seats", "amount": 7, "currency": "EUR", "by": "equal"},
        {"name": "old", "amount": 5, "month": "2026-10"},
    )

    made = report(lab.store, ALL, shared=True)
    found = {row["workflow"]: (row["cost"], row["shared_cost"], row["full_cost"]) for row in made.rows}
    assert found == {
        "work": (Decimal("0.01"), 200, Decimal("200.01")),
        "sort": (Decimal("0.005"), 100, Decimal("100.005")),
    }
    assert (made.total["shared_cost"], made.total["full_cost"]) == (300, Decimal("300.015"))
    assert made.shared == SharedPart(
        total=Decimal(345),
        on_these_runs=Decimal(300),
        on_other_runs=Decimal(0),
        unallocated=Decimal(45),
        unallocated_names=("db (2026-11)", "old (2026-10)"),
        left_out=(LeftOut("seats (2026-11)", Decimal(7), "EUR"),),
    )
    assert report(lab.store, ALL) == plain
    assert {measure.name: made.total[measure.name] for measure in MEASURES} == plain.total


def test_a_part_of_a_period_has_the_part_that_its_runs_bear_of_the_whole_period(lab):
    record(lab, {"name": "gpu", "amount": 100})
    lab.send(*run(1, llm(input=1)), *run(5, llm(input=1), llm(input=1), llm(input=1)))

    made = report(lab.store, hours(0, 2), shared=True)
    assert made.total["shared_cost"] == 25
    assert (made.shared.total, made.shared.on_these_runs, made.shared.on_other_runs) == (100, 25, 75)
    elsewhere = report(lab.store, Window.of(None, now=NOW, until="2026-10-31"), shared=True)
    assert (elsewhere.total["shared_cost"], elsewhere.shared.total) == (None, 0)


def test_where_the_cost_is_not_known_the_full_cost_is_not_either(lab):
    record(lab, {"name": "gpu", "amount": 100})
    lab.send(*run(1, llm("private", "in-house", input=1)))

    total = report(lab.store, ALL, shared=True).total
    assert (total["cost"], total["shared_cost"], total["full_cost"]) == (None, 100, None)


def test_it_is_said_how_many_runs_bear_a_shared_cost(lab):
    record(lab, {"name": "gpu", "amount": 100}, {"name": "db", "amount": 1, "by": "tokens"})
    lab.send(
        *run(1, llm(input=1)), *run(2, {"gen_ai.operation.name": "execute_tool", "botanu.usage.pages": 1}), *run(3)
    )

    assert {cost.named: cost.runs for cost in allocated(lab.store, ALL)} == {"db (2026-11)": 1, "gpu (2026-11)": 2}


@given(
    runs=st.lists(st.tuples(st.integers(0, 9), st.integers(0, 3)), max_size=6),
    amount=st.decimals(0, 1000, places=9),
    cut=st.integers(0, 9),
)
def test_reports_of_parts_of_the_time_add_up_to_that_of_all_and_nothing_gets_lost(runs, amount, cut):
    spans = [
        each
        for number, (hour, calls) in enumerate(runs)
        for each in run(hour, *[llm(input=9)] * calls, run_id=f"r-{number}", event_id=f"e-{number}")
    ]
    with lab_after([spans] if spans else []) as lab:
        record(lab, {"name": "gpu", "amount": amount})
        parts = [report(lab.store, window, shared=True) for window in (hours(-1, cut), hours(cut, 24))]
        whole = shared_part(lab.store, ALL)

    assert sum(made.total["shared_cost"] or 0 for made in parts) == whole.on_these_runs
    for part in (*(made.shared for made in parts), whole):
        assert part.total == amount == part.on_these_runs + part.on_other_runs + part.unallocated
