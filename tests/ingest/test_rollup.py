"""Outcomes that come after their run has ended."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.lab import NOW, lab_after
from support.otlp import late_outcome, llm, run_spans, span

from botanu.pricing.value_card import BEGINNING, UnitValue

START = 1_795_000_000_000_000_000
SECOND = 10**9
END = START + SECOND
LATER = END + 60 * SECOND
AUTO = {"botanu.outcome.auto": True}
FIELDS = ("status", "value_type", "value_amount", "confidence", "reason", "error_type")


def instant(unix_nano):
    return datetime.fromtimestamp(unix_nano / SECOND, UTC)


def outcome(run):
    return tuple(run[f"outcome_{name}"] for name in FIELDS)


def test_a_late_outcome_stands_before_the_automatic_one(lab):
    lab.send(*run_spans(start=START, status="failed", reason="ValueError", error_type="ValueError", **AUTO))
    lab.send(late_outcome(at=LATER, status="success", value_type="orders", value_amount=1))

    run = lab.run("r-1")
    assert outcome(run) == ("success", "orders", 1, None, None, None)
    assert (run["outcome_auto"], run["outcome_count"]) == (False, 1)


def test_the_last_of_several_explicit_outcomes_counts_as_a_whole(lab):
    first = late_outcome(at=LATER, status="partial", value_type="orders", value_amount=2, confidence=0.5)
    last = late_outcome(at=LATER + 1, status="failed", reason="returned")
    lab.send(last, first, *run_spans(start=START, status="success", value_type="orders", value_amount=3))

    assert outcome(lab.run("r-1")) == ("failed", None, None, None, "returned", None)


def test_the_last_is_the_last_by_its_time_not_by_its_arrival(lab):
    lab.send(late_outcome(at=LATER + SECOND, status="failed"))
    lab.send(late_outcome(at=LATER, status="partial"))
    lab.send(*run_spans(start=START, status="success"))
    assert lab.run("r-1")["outcome_status"] == "failed"

    lab.send(*run_spans(run_id="r-2", start=START, seconds=120.0, status="success"))
    lab.send(late_outcome(run_id="r-2", at=LATER, status="failed"))
    assert lab.run("r-2")["outcome_status"] == "success"


def test_outcomes_of_one_instant_are_told_apart_by_their_ids_and_follow_the_run(lab):
    lab.send(*run_spans(start=START, status="success"))
    for trace, own, status in ((b"b", b"a", "partial"), (b"a", b"z", "failed"), (b"b", b"b", "timeout")):
        lab.send(late_outcome(at=END, status=status, trace_id=trace * 16, span_id=own * 8))

    assert lab.run("r-1")["outcome_status"] == "timeout"


def test_an_automatic_outcome_never_takes_the_place_of_an_explicit_one(lab):
    lab.send(late_outcome(at=START, status="partial"), late_outcome(at=LATER, status="failed", **AUTO))
    lab.send(*run_spans(start=START, status="success", **AUTO))

    run = lab.run("r-1")
    assert (run["outcome_status"], run["outcome_auto"], run["outcome_count"]) == ("partial", False, 1)


@pytest.mark.parametrize(
    ("root", "late", "count"),
    [
        ({}, 0, 0),
        ({"status": "success", **AUTO}, 0, 0),
        ({"status": "success"}, 0, 1),
        ({}, 1, 1),
        ({"status": "success", **AUTO}, 2, 2),
        ({"status": "success"}, 2, 3),
        ({"status": "success", "count": 3}, 2, 5),
        ({"status": "success", "count": 2**31 - 1}, 2, 2**31 - 1),
    ],
)
def test_the_outcomes_that_the_program_emitted_are_counted_late_ones_too(lab, root, late, count):
    lab.send(*run_spans(start=START, **root))
    for number in range(late):
        lab.send(late_outcome(at=LATER + number, status="partial"))

    assert lab.run("r-1")["outcome_count"] == count


def test_a_late_outcome_makes_its_run_no_longer_and_is_no_call(lab):
    lab.send(*run_spans(start=START, status="success", calls=[llm(input=1000)]))
    before = lab.run("r-1")
    lab.send(late_outcome(at=LATER, status="failed"))

    run = lab.run("r-1")
    same = ("start_time", "end_time", "duration_ms", "total_cost", "calls", "unpriced_calls", "attempt")
    assert [run[name] for name in same] == [before[name] for name in same]
    assert (run["span_count"], run["duration_ms"]) == (3, 1000.0)
    assert run["outcome_time"] == instant(LATER)
    assert lab.event()["end_time"] == run["end_time"]


def test_a_late_outcome_sent_twice_counts_once(lab):
    late = late_outcome(at=LATER, status="failed")
    lab.send(*run_spans(start=START, status="success"), late)
    before = lab.tables()

    assert lab.send(late, late).accepted == 0
    assert lab.tables() == before
    assert lab.run("r-1")["outcome_count"] == 2


def test_a_run_whose_root_never_comes_keeps_its_late_outcome(lab):
    child, _ = run_spans(start=START, calls=[llm(input=1000)])
    lab.send(child, late_outcome(at=LATER, status="success"))
    assert lab.store.abandon(NOW + timedelta(days=1)) == 0

    run = lab.run("r-1")
    assert (run["outcome_status"], run["outcome_auto"], run["outcome_count"]) == ("success", False, 1)
    assert (run["end_time"], run["duration_ms"], run["outcome_time"]) == (None, None, instant(LATER))
    assert (run["start_time"], run["total_cost"], run["workflow"]) == (instant(START), Decimal("0.0025"), "work")


def test_a_late_outcome_of_an_abandoned_run_stands(lab):
    child, root = run_spans(start=START, status="success", calls=[llm(input=1000)], **AUTO)
    lab.send(child)
    assert lab.store.abandon(NOW + timedelta(hours=2)) == 1

    lab.send(late_outcome(at=LATER, status="partial"), now=NOW + timedelta(hours=3))
    assert (lab.run("r-1")["outcome_status"], lab.event()["outcome_status"]) == ("partial", "partial")

    lab.send(root, now=NOW + timedelta(hours=4))
    assert (lab.run("r-1")["outcome_status"], lab.run("r-1")["end_time"]) == ("partial", instant(END))


def test_a_run_of_a_late_outcome_alone_is_a_run(lab):
    lab.send(late_outcome(at=LATER, status="failed"))

    run = lab.run("r-1")
    assert (run["event_id"], run["customer_id"], run["workflow"], run["root_run_id"]) == ("e-1", "c-1", "work", "r-1")
    assert (run["outcome_status"], run["total_cost"], run["span_count"]) == ("failed", 0, 1)


@pytest.mark.parametrize(
    "odd",
    [
        late_outcome(at=LATER, status="excellent"),
        late_outcome(at=LATER),
        span(start=LATER, **{"botanu.run_id": "r-1", "botanu.outcome.status": "failed"}),
        span(start=LATER, **{"botanu.run_id": "r-1", "botanu.outcome.status": "failed", "botanu.outcome.late": False}),
    ],
)
def test_what_reports_no_late_outcome_changes_none(lab, odd):
    lab.send(*run_spans(start=START, status="success"), odd)

    run = lab.run("r-1")
    assert (run["outcome_status"], run["outcome_count"], run["span_count"]) == ("success", 1, 2)


def test_a_root_that_calls_its_outcome_late_is_the_run_all_the_same(lab):
    lab.send(*run_spans(start=START, status="success", **{"botanu.outcome.late": True}))

    run = lab.run("r-1")
    assert (run["outcome_status"], run["outcome_count"], run["duration_ms"]) == ("success", 1, 1000.0)


def test_an_events_final_outcome_may_be_a_late_one(lab):
    lab.send(*run_spans(run_id="r-1", start=START, status="success"))
    lab.send(*run_spans(run_id="r-2", start=START + 10 * SECOND, status="failed"))
    assert (lab.event()["outcome_status"], lab.event()["outcome_run_id"]) == ("failed", "r-2")

    lab.send(late_outcome(run_id="r-1", at=LATER, status="partial", reason="half came back"))
    event = lab.event()
    assert (event["outcome_status"], event["outcome_reason"], event["outcome_run_id"]) == (
        "partial",
        "half came back",
        "r-1",
    )


class TestValue:
    """What a unit is worth changes after the run has ended, and before its outcome is known."""

    def set_values(self, lab):
        for amount, since in ((2, BEGINNING), (5, instant(END + 10 * SECOND))):
            lab.store.set_values([UnitValue.of("orders", amount, valid_from=since)], NOW)

    @pytest.mark.parametrize("values_first", [True, False])
    @pytest.mark.parametrize(("rooted", "worth"), [(True, 6), (False, 15)])
    def test_a_late_outcome_is_worth_what_it_was_when_the_run_ended(self, lab, values_first, rooted, worth):
        """Where no root says when that was, what it was when the outcome was emitted."""
        child, root = run_spans(start=START, status="success", calls=[llm(input=1)], **AUTO)
        late = late_outcome(at=LATER, status="success", value_type="orders", value_amount=3)
        if values_first:
            self.set_values(lab)
        lab.send(child, late, *([root] if rooted else []))
        if not values_first:
            self.set_values(lab)

        assert (lab.run("r-1")["value"], lab.event()["value"]) == (worth, worth)


@st.composite
def stories(draw):
    """One run: a call, perhaps a root with an outcome of one kind or none, and late outcomes, some at one instant."""
    statuses = st.sampled_from(["success", "partial", "failed", "timeout", "canceled"])
    ending = draw(st.sampled_from(["none", "automatic", "explicit", "several"]))
    fields = {"none": {}, "automatic": AUTO, "explicit": {}, "several": {"count": draw(st.integers(2, 4))}}[ending]
    if ending != "none":
        fields = {**fields, "status": draw(statuses), "value_type": "root", "value_amount": 7, "reason": "root"}
    spans = run_spans(start=START, calls=[llm(input=1000)], root=draw(st.booleans()), **fields)
    late = [
        late_outcome(
            at=END + draw(st.integers(-1, 1)) * SECOND,
            trace_id=bytes([draw(st.integers(1, 2))]) * 16,
            span_id=bytes([number + 1]) * 8,
            status=draw(statuses),
            **draw(st.sampled_from([{}, {"value_type": "late", "value_amount": number}, {"confidence": 0.5}])),
        )
        for number in range(draw(st.integers(1, 4)))
    ]
    return spans, late, len(late) + {"none": 0, "automatic": 0, "explicit": 1}.get(ending, fields.get("count", 0))


def attributes_of(message):
    return {pair.key: getattr(pair.value, pair.value.WhichOneof("value")) for pair in message.attributes}


def expected(spans, late):
    """The outcome that counts, from the spans themselves."""
    root = [one for one in spans if attributes_of(one).get("botanu.run.root")]
    explicit = [(one.end_time_unix_nano, False, b"", b"", one) for one in root]
    explicit = [one for one in explicit if not {"botanu.outcome.auto"} & attributes_of(one[-1]).keys()]
    explicit = [one for one in explicit if "botanu.outcome.status" in attributes_of(one[-1])]
    explicit += [(one.end_time_unix_nano, True, one.trace_id, one.span_id, one) for one in late]
    found = attributes_of(max(explicit, key=lambda one: one[:-1])[-1])
    return tuple(found.get(f"botanu.outcome.{name}") for name in FIELDS)


@given(story=stories(), data=st.data())
def test_every_order_and_batching_gives_the_same_tables(story, data):
    spans, late, count = story
    everything = [*spans, *late]
    shuffled = data.draw(st.permutations(everything))
    cuts = sorted(data.draw(st.sets(st.integers(1, len(everything) - 1))))
    batches = [shuffled[low:high] for low, high in zip([0, *cuts], [*cuts, len(everything)], strict=True)]

    at_once, in_pieces = tables_after([everything]), tables_after(batches)

    assert in_pieces == at_once
    (run,) = in_pieces["runs"]
    assert outcome(run) == expected(spans, late)
    assert run["outcome_count"] == (count if run["end_time"] else len(late))
    assert (run["span_count"], run["calls"]) == (len(everything), 1)


def tables_after(batches):
    with lab_after(batches) as lab:
        return lab.tables()
