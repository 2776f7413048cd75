"""Traps that SDKs of this kind are known to fall into, each in a sentence."""

import asyncio
import logging
import queue
import threading

import pytest
import tenacity
from opentelemetry import trace

from botanu import (
    Outcome,
    botanu_workflow,
    current_run,
    emit_outcome,
    extract,
    inject,
    run_botanu,
    semconv,
    tenacity_attempt,
    track_llm_call,
)

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


def test_a_retry_counts_on_and_the_next_event_starts_at_one(runs):
    @tenacity.retry(before=tenacity_attempt, stop=tenacity.stop_after_attempt(3), reraise=True)
    @botanu_workflow("w", event_id=lambda event, _: event, customer_id="c")
    def work(event, failures):
        if failures:
            failures.pop()
            raise ConnectionError

    work("first", [1, 2])
    with pytest.raises(ConnectionError):
        work("gives-up", [1, 2, 3, 4])
    work("last", [])

    attempts = [(run.attributes[semconv.EVENT_ID], run.attempt) for run in runs.all()]
    assert attempts == [
        *(("first", number) for number in (1, 2, 3)),
        *(("gives-up", number) for number in (1, 2, 3)),
        ("last", 1),
    ]


def test_a_message_takes_the_run_along_and_another_thread_takes_it_up(runs):
    messages = queue.Queue()

    def consumer():
        with extract(messages.get(timeout=30)), run_botanu("settle", event_id="e", customer_id="c", attempt=2):
            pass

    thread = threading.Thread(target=consumer)
    thread.start()
    with run_botanu("order", event_id="e", customer_id="c"):
        headers = {}
        inject(headers)
        messages.put(headers)
    thread.join()

    order, settle = runs.of("order"), runs.of("settle")
    assert (settle.parent_run_id, settle.root_run_id, settle.attempt) == (order.run_id, order.run_id, 2)
