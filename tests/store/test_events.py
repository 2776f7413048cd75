"""Events as they are derived from their runs."""

from datetime import timedelta
from decimal import Decimal

import pytest
from support.lab import NOW, Lab
from support.otlp import llm, run_spans

from botanu.query.report import report
from botanu.query.window import Window

START = 1_795_000_000_000_000_000
SECOND = 10**9


def attempt(number, status, **options):
    return run_spans(
        run_id=f"r-{number}", start=START + number * 10 * SECOND, status=status, calls=[llm(input=1000)], **options
    )


def test_success_after_a_failure_is_a_success_with_two_attempts(lab):
    lab.send(*attempt(2, "success", value_type="orders", value_amount=1))
    lab.send(*attempt(1, "failed", reason="rate_limit", error_type="RateLimitError"))

    event = lab.event()
    assert (event["outcome_status"], event["outcome_run_id"], event["attempts"], event["runs"]) == (
        "success",
        "r-2",
        2,
        2,
    )
    assert (event["outcome_value_type"], event["outcome_value_amount"], event["outcome_reason"]) == ("orders", 1, None)
    assert event["total_cost"] == Decimal("0.005")
    assert event["end_time"] - event["start_time"] == timedelta(seconds=11)


def test_failure_after_a_success_is_a_failure(lab):
    lab.send(*attempt(1, "success"), *attempt(2, "failed"))

    assert lab.event()["outcome_status"] == "failed"


def test_an_attempt_without_an_outcome_leaves_the_one_before(lab):
    lab.send(*attempt(1, "partial"), *run_spans(run_id="r-2", start=START + 99 * SECOND))

    event = lab.event()
    assert (event["outcome_status"], event["attempts"]) == ("partial", 2)


def test_a_nested_run_of_the_event_is_no_attempt_of_its_own(lab):
    outer = run_spans(run_id="outer", workflow="ship", start=START, seconds=10.0, status="success")
    inner = run_spans(
        run_id="inner",
        workflow="label",
        start=START + SECOND,
        seconds=1.0,
        status="failed",
        calls=[llm(input=1000)],
        **{"botanu.parent_run_id": "outer"},
    )
    lab.send(*inner)
    lab.send(*outer)

    event = lab.event()
    assert (event["workflow"], event["attempts"], event["runs"]) == ("ship", 1, 2)
    assert (event["outcome_status"], event["total_cost"]) == ("success", Decimal("0.0025"))


def test_a_nested_run_of_another_event_counts_there(lab):
    lab.send(
        *run_spans(run_id="batch", event_id="batch-1", status="success", seconds=10.0, start=START),
        *run_spans(
            run_id="item",
            event_id="item-1",
            status="failed",
            start=START + SECOND,
            calls=[llm(input=1000)],
            **{"botanu.parent_run_id": "batch"},
        ),
    )

    assert (lab.event("batch-1")["runs"], lab.event("batch-1")["total_cost"]) == (1, 0)
    assert (lab.event("item-1")["attempts"], lab.event("item-1")["outcome_status"]) == (1, "failed")


def test_an_event_with_a_run_in_flight_has_not_ended(lab):
    child, root = run_spans(run_id="r-9", start=START + 50 * SECOND, status="success", calls=[llm(input=1000)])
    lab.send(*attempt(1, "failed"), child)

    event = lab.event()
    assert (event["end_time"], event["outcome_status"], event["total_cost"]) == (None, "failed", Decimal("0.005"))

    lab.send(root)
    assert (lab.event()["end_time"] is None, lab.event()["outcome_status"]) == (False, "success")


def test_unpriced_calls_of_any_run_are_seen_on_the_event(lab):
    lab.send(*attempt(1, "failed"), *run_spans(run_id="r-2", calls=[llm("private", "in-house", input=1)]))

    event = lab.event()
    assert (event["total_cost"], event["unpriced_calls"]) == (Decimal("0.0025"), 1)


def test_a_run_whose_event_becomes_known_later_moves_there(lab):
    child, root = run_spans(run_id="r-1", event_id="right", status="success", calls=[llm(input=1000)])
    for attribute in child.attributes:
        if attribute.key == "botanu.event_id":
            attribute.value.string_value = "wrong"
    lab.send(child)
    assert lab.event("wrong")["runs"] == 1

    lab.send(root)
    assert lab.rows("SELECT event_id, runs FROM events") == [{"event_id": "right", "runs": 1}]


def test_a_run_without_an_event_makes_none(lab):
    (root,) = run_spans(run_id="r-1", status="success")
    del root.attributes[2]
    lab.send(root)

    assert lab.run("r-1")["event_id"] is None
    assert lab.run("r-1")["attempt"] == 1
    assert lab.rows("SELECT * FROM events") == []


@pytest.mark.parametrize("together", [True, False])
def test_a_success_after_an_abandoned_attempt_is_a_success_whenever_its_spans_come(tmp_path, together):
    """An abandoned run is ordered by when it was last active, not by when it was given up."""
    lab = Lab(tmp_path / "store", abandon_after_seconds=60)
    start = int(NOW.timestamp()) * 10**9
    (child, _) = run_spans(run_id="r-1", start=start, calls=[llm(input=1)])
    later = run_spans(run_id="r-2", start=start + 10 * 10**9, status="success")
    arrivals = [[child, *later]] if together else [[child], later]
    for number, batch in enumerate(arrivals):
        lab.send(*batch, now=NOW + timedelta(seconds=number))
    lab.store.abandon(NOW + timedelta(hours=1))

    assert lab.run("r-1")["outcome_status"] == "abandoned"
    assert (lab.event()["outcome_status"], lab.event()["outcome_run_id"]) == ("success", "r-2")
    assert report(lab.store, Window.of("all", now=NOW)).total["successes"] == 1
    lab.store.close()
