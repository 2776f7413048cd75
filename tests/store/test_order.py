"""Order of arrival, batching and redelivery change nothing; totals equal the sums of their parts."""

import random

from hypothesis import given
from hypothesis import strategies as st
from support.lab import lab_after
from support.otlp import llm, run_spans, span

START = 1_795_000_000_000_000_000
SECOND = 10**9
STATUSES = ["success", "partial", "failed", "timeout", "canceled", "abandoned"]

calls = st.lists(
    st.one_of(
        st.builds(
            llm, st.sampled_from(["gpt-4o", "gpt-4o-mini"]), input=st.integers(0, 5000), output=st.integers(0, 900)
        ),
        st.builds(llm, st.just("private"), st.just("in-house"), input=st.integers(1, 9)),
        st.just(llm()),
        st.just({"http.method": "GET"}),
        st.builds(lambda amount: {"botanu.cost.amount": amount}, st.decimals(0, 5, places=9).map(str)),
        st.just({**llm(input=10), "botanu.cost.amount": "1", "botanu.cost.currency": "EUR"}),
        st.just({**llm(input=10), "botanu.usage.pages": 2.5}),
    ),
    max_size=3,
)


@st.composite
def histories(draw):
    """Spans of a few runs over a few events and workflows, some nested, some without a root, some outside any run."""
    spans = []
    run_ids = []
    for number in range(draw(st.integers(1, 6))):
        run_id = f"r-{number}"
        options = {}
        if run_ids and draw(st.booleans()):
            options["botanu.parent_run_id"] = draw(st.sampled_from(run_ids))
        if draw(st.booleans()):
            options |= {
                "status": draw(st.sampled_from(STATUSES)),
                "value_type": "items",
                "value_amount": draw(st.integers(0, 9)),
            }
        spans += run_spans(
            run_id=run_id,
            event_id=f"e-{draw(st.integers(1, 3))}",
            workflow=draw(st.sampled_from(["a", "b"])),
            start=START + draw(st.integers(0, 5)) * SECOND,
            seconds=float(draw(st.integers(1, 4))),
            calls=draw(calls),
            root=draw(st.integers(0, 3)) > 0,
            **options,
        )
        run_ids.append(run_id)
    if draw(st.booleans()):
        spans.append(span(start=START, **llm(input=draw(st.integers(0, 99)))))
    return spans


def tables_after(batches):
    with lab_after(batches) as lab:
        sums = lab.row("""
            SELECT (SELECT sum(amount) FROM line_items) AS items, (SELECT sum(cost) FROM spans) AS spans,
              (SELECT sum(cost) FROM spans WHERE run_id IS NOT NULL) AS attributed,
              (SELECT sum(total_cost) FROM runs) AS runs, (SELECT sum(total_cost) FROM events) AS events,
              (SELECT sum(unpriced_calls) FROM runs) AS unpriced_runs,
              (SELECT sum(unpriced_calls) FROM events) AS unpriced_events""")
        return lab.tables(), sums


@given(spans=histories(), seed=st.integers(0, 2**32))
def test_order_batching_and_redelivery_change_nothing(spans, seed):
    rng = random.Random(seed)
    shuffled = [*spans, *rng.sample(spans, rng.randint(0, len(spans)))]
    rng.shuffle(shuffled)
    batches = []
    while shuffled:
        size = rng.randint(1, 4)
        batches.append(shuffled[:size])
        shuffled = shuffled[size:]

    at_once, sums = tables_after([spans])
    in_pieces, sums_in_pieces = tables_after(batches)

    assert in_pieces == at_once
    assert sums_in_pieces == sums
    assert (sums["items"] or 0) == (sums["spans"] or 0)
    assert (sums["attributed"] or 0) == (sums["runs"] or 0) == (sums["events"] or 0)
    assert sums["unpriced_runs"] == sums["unpriced_events"]
