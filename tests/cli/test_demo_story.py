"""The demo's story: what is performed live and what is written down as history are the same."""

import asyncio
from datetime import UTC, datetime

import pytest

from botanu.cli.demo.history import history
from botanu.cli.demo.live import perform
from botanu.cli.demo.scenario import WORKFLOWS, Call, Plan, Result, events, shortened
from botanu.ingest.otlp import PROTOBUF, decode, flatten

NOW = datetime(2026, 11, 22, tzinfo=UTC)
CALL = Call("openai", "gpt-4o", 100, 10, 40, 0.001)

ENDINGS = [
    *((workflow.name, result) for workflow in WORKFLOWS for _, result in workflow.failing),
    ("fulfill-order", Result("success", "orders_fulfilled", 1)),
    ("handle-inquiry", Result("success", "revenue_generated", 12.5)),
    ("handle-inquiry", Result("partial", "leads_qualified", 1)),
    ("batch-process", Result("success", "items_processed", 40)),
    ("batch-process", Result("partial", "items_processed", 30, reason="processed_30_of_40")),
    ("analyze", Result("success", "items_analyzed", 1)),
    ("classify", Result("success", "classifications_completed", 1, confidence=0.8)),
]


@pytest.mark.parametrize(("workflow", "result"), ENDINGS)
def test_a_run_ends_as_it_was_planned(runs, workflow, result):
    asyncio.run(perform((Plan(workflow, "e-1", "c-1", 1, (CALL,), result),)))

    run = runs.only()
    planned = {name: getattr(result, name) for name in ("status", "value_type", "value_amount", "confidence")}
    assert {name: run.outcome_attributes.get(name) for name in planned} == planned
    assert run.outcome_attributes["status"] != "failed" or run.outcome_attributes["reason"]
    assert run.attributes["botanu.event_id"] == "e-1"
    (call,) = run.spans[1:]
    assert call.attributes["gen_ai.usage.cache_read.input_tokens"] == 40


def test_an_attempt_follows_each_one_that_fails(runs):
    failed, good = (
        Plan("fulfill-order", "e-1", "c-1", number, (CALL,), result)
        for number, result in ((1, Result("failed", error_type="RateLimitError", raises=True)), (2, Result("success")))
    )
    asyncio.run(perform((failed, good)))

    assert [run.outcome_attributes["status"] for run in runs.all()] == ["failed", "success"]


def test_the_same_seed_tells_the_same_story():
    for workflow in WORKFLOWS:
        assert list(events(workflow, 20, 1)) == list(events(workflow, 20, 1))
    assert list(history(NOW, days=3)) == list(history(NOW, days=3))


def test_every_event_ends_with_an_attempt_that_does_not_raise_or_is_the_last():
    for workflow in WORKFLOWS:
        for attempts in events(workflow, 200, 1):
            assert all(plan.result.raises for plan in attempts[:-1])
            assert len(attempts) <= workflow.retries + 1
            assert not attempts[-1].result.raises or len(attempts) == workflow.retries + 1


def test_the_history_lies_within_its_days():
    bodies = list(history(NOW, days=7))
    spans, refusals = flatten([decode(body, PROTOBUF) for _, body in bodies])
    starts = spans.column("start_time_unix_nano").to_pylist()
    week = 7 * 86_400 * 10**9

    assert refusals == [None] * len(bodies)
    assert int(NOW.timestamp()) * 10**9 - week < min(starts) < max(starts) < int(NOW.timestamp()) * 10**9
    assert sum(runs for runs, _ in bodies) > 500


def test_a_story_can_be_told_faster():
    (plan, *_), *_ = events(WORKFLOWS[0], 1, 1)

    assert shortened(plan, 10).calls[0].seconds == pytest.approx(plan.calls[0].seconds / 10)
