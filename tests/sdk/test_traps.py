"""Traps that SDKs of this kind are known to fall into, each in a sentence."""

import asyncio
import logging

import pytest
from opentelemetry import trace

from botanu import Outcome, botanu_workflow, current_run, emit_outcome, run_botanu, semconv, track_llm_call

workflow = botanu_workflow("w", event_id="e", customer_id="c")


def test_an_outcome_emitted_in_a_child_span_is_the_runs(runs):
    @workflow
    def work():
        with trace.get_tracer("x").start_as_current_span("child"), track_llm_call(provider="openai", model="gpt-4o"):
            emit_outcome("partial", value_type="leads", value_amount=1)

    work()

    run = runs.only()
    assert run.outcome_attributes == {"status": "partial", "value_type": "leads", "value_amount": 1}
    assert not any(semconv.OUTCOME_STATUS in child.attributes for child in run.spans[1:])


def test_an_explicit_partial_is_not_overwritten_by_the_automatic_success(runs):
    @workflow
    def work():
        emit_outcome("partial")

    work()

    run = runs.only()
    assert run.outcome_attributes == {"status": "partial"}
    assert run.outcomes == (Outcome("partial"),)


def test_the_body_of_a_generator_is_inside_its_run(runs):
    @workflow
    def numbers():
        for number in range(3):
            with track_llm_call(provider="openai", model="gpt-4o"):
                yield number

    outside = [current_run() for _ in numbers()]

    run = runs.only()
    assert outside == [None] * 3
    assert len(run.spans[1:]) == 3
    assert run.root.start_time < run.spans[1].start_time < run.spans[-1].end_time < run.root.end_time


def test_a_canceled_run_has_an_outcome(runs):
    @workflow
    async def work():
        await asyncio.sleep(60)

    async def program():
        task = asyncio.create_task(work())
        await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(program())

    assert runs.only().outcome_attributes["status"] == "canceled"


def test_a_timeout_around_a_run_cancels_it_and_one_inside_fails_it(runs):
    @botanu_workflow("inside", event_id="e", customer_id="c")
    async def limited():
        async with asyncio.timeout(0.01):
            await asyncio.sleep(60)

    @botanu_workflow("around", event_id="e", customer_id="c")
    async def slow():
        await asyncio.sleep(60)

    async def program():
        with pytest.raises(TimeoutError):
            await limited()
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.01):
                await slow()

    asyncio.run(program())

    assert runs.of("inside").outcome_attributes["status"] == "failed"
    assert runs.of("inside").outcome_attributes["error_type"] == "TimeoutError"
    assert runs.of("around").outcome_attributes["status"] == "canceled"


def test_an_exception_is_told_once_and_goes_on_as_it_is(runs, caplog):
    error = ValueError("mine")

    @workflow
    def work():
        raise error

    with caplog.at_level(logging.DEBUG), pytest.raises(ValueError, match="mine") as caught:
        work()

    run = runs.only()
    assert caught.value is error
    assert [event.name for event in run.root.events] == [semconv.OUTCOME_EMITTED]
    assert len(run.outcomes) == 1
    assert caplog.text == ""
    assert (error.__context__, error.__cause__, getattr(error, "__notes__", [])) == (None, None, [])


def test_async_with_is_a_run(runs):
    async def program():
        async with run_botanu("w", event_id="e", customer_id="c") as run:
            await asyncio.sleep(0)
            assert current_run() is run
            emit_outcome("success", value_type="items_processed", value_amount=2)
        assert current_run() is None

    asyncio.run(program())

    assert runs.only().outcome_attributes["value_amount"] == 2


def test_each_call_of_a_recursive_workflow_is_a_run_inside_the_one_before(runs):
    @workflow
    def countdown(number):
        if number:
            countdown(number - 1)

    countdown(3)

    made = runs.all()
    ids = {run.attributes[semconv.RUN_ID] for run in made}
    parents = [run.attributes.get(semconv.PARENT_RUN_ID) for run in made]
    assert len(ids) == 4
    assert parents.count(None) == 1
    assert {parent for parent in parents if parent} < ids
    assert len({run.attributes[semconv.ROOT_RUN_ID] for run in made}) == 1
