"""Shared costs are allocated to the last nano-unit, whatever the runs and the order they arrive in."""

import random
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.lab import NOW, lab_after
from support.otlp import by, llm, run_spans, span

from botanu.pricing.meters import QUANTITY_MAX
from botanu.pricing.shared_costs import AMOUNT_MAX, Basis, SharedCost
from botanu.store.shared_tables import WEIGHT_MAX

MONTH = datetime(2026, 11, 1, tzinfo=UTC)
START = int(MONTH.timestamp()) * 10**9
SECOND = 10**9
ALLOCATED = "SELECT * FROM allocations ORDER BY shared_cost, period_start, start_time, run_id"


def shared(by="calls", amount="1", name="gpu", **fields):
    return SharedCost.of({"name": name, "amount": amount, "by": by, "month": "2026-11", **fields})


def record(lab, *costs, **options):
    return lab.store.set_shared_costs(costs, NOW, **options)


def run(number, *calls, **options):
    options = {"event_id": f"e-{number}", "start": START + number * SECOND, "status": "success", **options}
    return run_spans(run_id=f"r-{number}", calls=calls, **options)


def parts(lab):
    return {row["run_id"]: row["amount"] for row in lab.rows(ALLOCATED)}


# --- Worked by hand -----------------------------------------------------------------------------------


def test_the_parts_of_a_worked_example(lab):
    """100 dollars by tokens: 100, 200 and 0 tokens, so a third, two thirds and nothing; the last nano is the second's.

    floor(100 x 100 / 300) = 33.333333333, and up to the second run it is all of 100.
    """
    record(lab, shared("tokens", 100))
    lab.send(*run(1, llm(input=90, output=10)), *run(2, llm(input=100), llm(input=60, output=40)), *run(3))

    first, second = lab.rows(ALLOCATED)
    assert first == {
        "run_id": "r-1",
        "event_id": "e-1",
        "customer_id": "c-1",
        "workflow": "work",
        "start_time": MONTH + timedelta(seconds=1),
        "shared_cost": "gpu",
        "basis": "tokens",
        "weight": 100,
        "share": pytest.approx(1 / 3),
        "amount": Decimal("33.333333333"),
        "currency": "USD",
        "period_start": MONTH,
        "period_end": datetime(2026, 12, 1, tzinfo=UTC),
    }
    assert (second["run_id"], second["weight"], second["amount"]) == ("r-2", 200, Decimal("66.666666667"))


@pytest.mark.parametrize(
    ("by", "weights"),
    [
        ("tokens", {"r-1": 30}),
        ("seconds", {"r-1": Decimal("1.5"), "r-2": Decimal("0.5")}),
        ("calls", {"r-1": 2, "r-2": 1}),
        ("equal", {"r-1": 1, "r-2": 1, "r-3": 1}),
    ],
)
def test_a_run_weighs_what_the_basis_says_and_without_weight_it_gets_nothing(lab, by, weights):
    record(lab, shared(by))
    lab.send(
        *run(1, llm(input=10), llm(input=15, output=5), seconds=1.5),
        *run(2, {"gen_ai.operation.name": "execute_tool", "botanu.usage.pages": 3}, seconds=0.5),
        *run(3, seconds=0),
    )

    assert {row["run_id"]: row["weight"] for row in lab.rows(ALLOCATED)} == weights


def test_tokens_that_do_not_count_weigh_nothing(lab):
    """A call that two spans tell of is counted once, so it is in the weight once."""
    record(lab, shared("tokens"))
    told = {**llm(input=10), "gen_ai.response.id": "x"}
    first, again, root = run(1, told, told)
    lab.send(first, by("another", again), root, *run(2, llm(input=10)))

    assert parts(lab) == {"r-1": Decimal("0.5"), "r-2": Decimal("0.5")}


def test_only_runs_that_started_in_the_period_bear_it(lab):
    record(lab, shared("equal"))
    for name, start in {
        "before": START - SECOND,
        "first": START,
        "last": START + 30 * 86_400 * SECOND - SECOND,
        "after": START + 30 * 86_400 * SECOND,
    }.items():
        lab.send(*run_spans(run_id=name, event_id=name, start=start, status="success"))

    assert parts(lab) == {"first": Decimal("0.5"), "last": Decimal("0.5")}


@pytest.mark.parametrize(
    ("bearer", "runs"),
    [
        ({"workflow": "refund"}, {"r-2"}),
        ({"customer_id": "acme"}, {"r-1", "r-2"}),
        ({"environment": "prod"}, {"r-3"}),
        ({"workflow": "work", "customer_id": "acme"}, {"r-1"}),
        ({"environment": "prod", "customer_id": "acme"}, set()),
    ],
)
def test_only_the_runs_of_who_bears_it_get_a_part(lab, bearer, runs):
    record(lab, shared("equal", **bearer))
    lab.send(
        *run(1, customer_id="acme"),
        *run(2, customer_id="acme", workflow="refund"),
        *run(3, **{"deployment.environment.name": "prod"}, **{"botanu.environment": "prod"}),
    )

    assert parts(lab).keys() == runs


def test_what_no_run_has_weight_for_is_allocated_to_none(lab):
    record(lab, shared("tokens", 500))
    lab.send(*run(1), *run(2))

    assert lab.rows(ALLOCATED) == []


def test_no_part_is_in_the_cost_of_a_run(lab):
    lab.send(*run(1, llm(input=1000)))
    before = lab.tables()
    record(lab, shared(amount=500))

    assert lab.tables() == before
    assert parts(lab) == {"r-1": 500}


def test_a_run_that_arrives_late_takes_from_those_before(lab):
    """Nothing is stored of an allocation: it is always that of all runs there are, which still add up."""
    record(lab, shared("calls", 100))
    lab.send(*run(1, llm(input=1)), *run(3, llm(input=1)))
    assert parts(lab) == {"r-1": 50, "r-3": 50}

    lab.send(*run(2, llm(input=1), llm(input=1)))
    assert parts(lab) == {"r-1": 25, "r-2": 50, "r-3": 25}


def test_each_currency_is_allocated_in_itself(lab):
    record(lab, shared(), shared(name="seats", amount=9, currency="EUR"))
    lab.send(*run(1, llm(input=1)))

    found = {row["shared_cost"]: (row["amount"], row["currency"]) for row in lab.rows(ALLOCATED)}
    assert found == {"gpu": (1, "USD"), "seats": (9, "EUR")}


# --- The rows -----------------------------------------------------------------------------------------


def test_a_shared_cost_replaces_that_of_its_name_and_period_and_nothing_is_lost(lab):
    later = NOW + timedelta(hours=1)
    assert record(lab, shared(amount=1), shared(amount=5, month="2026-12")) == 2
    assert record(lab, shared(amount=1)) == 0
    assert lab.store.set_shared_costs([shared(amount=2)], later) == 1
    lab.send(*run(1, llm(input=1)))

    rows = [(cost.amount, cost.recorded_at, cost.withdrawn_at) for cost in lab.store.shared_costs()]
    assert rows == [(1, NOW, later), (2, later, None), (5, NOW, None)]
    assert parts(lab) == {"r-1": 2}


def test_what_is_withdrawn_is_allocated_no_more_and_may_come_again(lab):
    lab.send(*run(1, llm(input=1)))
    record(lab, shared())
    assert record(lab, withdrawn=[shared()]) == 0
    assert parts(lab) == {}

    assert record(lab, shared()) == 1
    assert parts(lab) == {"r-1": 1}
    assert [cost.withdrawn_at for cost in lab.store.shared_costs()] == [NOW, None]


# --- Whatever comes -----------------------------------------------------------------------------------

tokens = st.one_of(st.integers(0, 9), st.integers(0, QUANTITY_MAX))
calls = st.lists(
    st.one_of(st.builds(llm, input=tokens, output=tokens), st.just(llm()), st.just({"http.method": "GET"})), max_size=3
)
amounts = st.one_of(
    st.decimals(0, 3, places=9), st.decimals(0, AMOUNT_MAX - 1, places=9), st.just(AMOUNT_MAX - Decimal("1e-9"))
)


@st.composite
def histories(draw):
    """Spans of a few runs, of which some share a start, lack a root, or are outside the period."""
    spans = []
    for number in range(draw(st.integers(1, 7))):
        spans += run_spans(
            run_id=f"r-{number}",
            event_id=f"e-{draw(st.integers(1, 3))}",
            workflow=draw(st.sampled_from(["a", "b"])),
            start=START + draw(st.integers(-1, 4)) * SECOND,
            seconds=draw(st.sampled_from([0.0, 0.000001, 1.0, 86_400.0, 10.0**9])),
            calls=draw(calls),
            root=draw(st.integers(0, 3)) > 0,
        )
    if draw(st.booleans()):
        spans.append(span(start=START, **llm(input=draw(tokens))))
    return spans


costs = st.builds(
    lambda number, by, amount, workflow: shared(by, amount, f"cost-{number}", workflow=workflow),
    st.integers(1, 5),
    st.sampled_from(Basis),
    amounts,
    st.sampled_from([None, "a", "c"]),
)


def allocated_after(batches, given_costs):
    with lab_after(batches) as lab:
        record(lab, *given_costs)
        return lab.rows(ALLOCATED)


@given(spans=histories(), some=st.lists(costs, min_size=1, unique_by=lambda cost: cost.name), seed=st.integers(0, 99))
def test_parts_add_up_exactly_and_the_order_of_arrival_changes_nothing(spans, some, seed):
    found = allocated_after([spans], some)

    for cost in some:
        mine = [row for row in found if row["shared_cost"] == cost.name]
        assert sum(row["amount"] for row in mine) in ({cost.amount} if mine else {0})
        assert len({row["run_id"] for row in mine}) == len(mine)
        total = sum(row["weight"] for row in mine)
        for row in mine:
            assert 0 < row["weight"] <= WEIGHT_MAX
            exact = int(cost.amount * 10**9) * int(row["weight"] * 10**6)
            assert row["amount"] >= 0
            assert abs(int(row["amount"] * 10**9) * int(total * 10**6) - exact) < int(total * 10**6)

    rng = random.Random(seed)
    shuffled = [*spans, *rng.sample(spans, rng.randint(0, len(spans)))]
    rng.shuffle(shuffled)
    pieces = [shuffled[at : at + 2] for at in range(0, len(shuffled), 2)]
    assert allocated_after(pieces, some) == found


@pytest.mark.parametrize("by", Basis)
def test_the_largest_amount_and_weights_are_allocated_without_overflow(lab, by):
    largest = AMOUNT_MAX - Decimal("1e-9")
    record(lab, shared(by, largest))
    for number in range(3):
        huge = llm(input=QUANTITY_MAX, output=QUANTITY_MAX)
        lab.send(*run(number, huge, huge, seconds=10.0**9))

    assert sum(parts(lab).values()) == largest
    assert len(parts(lab)) == 3
