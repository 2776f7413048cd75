import asyncio
import logging
import math
import threading
from concurrent.futures import CancelledError, ThreadPoolExecutor
from contextvars import copy_context
from decimal import Decimal
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from opentelemetry import trace

import botanu
from botanu import Outcome, OutcomeStatus, botanu_workflow, emit_outcome, run_botanu, semconv, track_llm_call


def workflow(**options):
    return botanu_workflow("work", event_id="e-1", customer_id="c-1", **options)


def test_explicit_outcome_stands_when_the_function_returns(runs):
    @workflow()
    def work():
        emit_outcome("partial", value_type="refunds", value_amount=3)

    work()

    assert runs.only().outcome == Outcome("partial", value_type="refunds", value_amount=3)


def test_explicit_outcome_stands_when_the_function_raises(runs):
    @workflow()
    def work():
        emit_outcome("timeout", reason="model took too long", error_type="DeadlineExceeded")
        raise TimeoutError

    with pytest.raises(TimeoutError):
        work()

    assert runs.only().outcome_attributes == {
        "status": "timeout",
        "reason": "model took too long",
        "error_type": "DeadlineExceeded",
    }


def test_explicit_outcome_stands_when_the_task_is_cancelled(runs):
    @workflow()
    async def work():
        emit_outcome("success", value_type="orders", value_amount=1)
        await asyncio.sleep(60)

    async def cancel():
        task = asyncio.create_task(work())
        await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(cancel())

    assert runs.only().outcome_attributes == {"status": "success", "value_type": "orders", "value_amount": 1}


def test_the_last_outcome_wins_as_a_whole_and_all_stay_visible(runs):
    @workflow()
    def work():
        emit_outcome("failed", reason="first", error_type="E", metadata={"k": 1})
        emit_outcome("success", value_type="orders", value_amount=2)

    work()

    run = runs.only()
    assert run.outcome_attributes == {"status": "success", "value_type": "orders", "value_amount": 2, "count": 2}
    assert run.outcomes == (
        Outcome("failed", reason="first", error_type="E"),
        Outcome("success", value_type="orders", value_amount=2),
    )


def test_clean_return_is_an_automatic_success(runs):
    workflow()(lambda: 42)()

    run = runs.only()
    assert run.outcome_attributes == {"status": "success", "auto": True}
    assert run.outcomes == (Outcome("success", auto=True),)


def test_without_auto_outcome_a_clean_return_records_none(runs):
    workflow(auto_outcome_on_success=False)(lambda: 42)()

    run = runs.only()
    assert run.outcome_attributes == {}
    assert run.outcomes == ()


def test_without_auto_outcome_an_exception_still_fails_the_run(runs):
    @workflow(auto_outcome_on_success=False)
    def work():
        raise KeyError("k")

    with pytest.raises(KeyError):
        work()

    assert runs.only().outcome_attributes["status"] == "failed"


@pytest.mark.parametrize(
    ("kind", "status"),
    [
        (ValueError, "failed"),
        (TimeoutError, "failed"),
        (asyncio.CancelledError, "canceled"),
        (CancelledError, "canceled"),
        (KeyboardInterrupt, "canceled"),
        (SystemExit, "canceled"),
    ],
)
def test_an_ending_by_exception_gives_the_class_name(runs, kind, status):
    @workflow()
    def work():
        raise kind("private")

    with pytest.raises(kind):
        work()

    name = kind.__name__
    run = runs.only()
    assert run.outcome_attributes == {"status": status, "reason": name, "error_type": name, "auto": True}
    assert "private" not in str(run.root.to_json())


def test_an_outcome_from_a_child_span_is_on_the_run(runs):
    @workflow()
    def work():
        with trace.get_tracer("x").start_as_current_span("child"), track_llm_call(provider="openai", model="gpt-4o"):
            emit_outcome("success", value_type="orders", value_amount=1)

    work()

    run = runs.only()
    assert run.outcome_attributes["value_type"] == "orders"
    assert all("botanu.outcome.status" not in child.attributes for child in run.spans[1:])


def test_an_outcome_from_a_task_is_on_the_run(runs):
    @workflow()
    async def work():
        async def step():
            emit_outcome("partial", value_amount=1)

        await asyncio.gather(step(), asyncio.to_thread(lambda: None))

    asyncio.run(work())

    assert runs.only().outcome_attributes["status"] == "partial"


def test_an_outcome_from_a_thread_that_carries_the_context_is_on_the_run(runs):
    @workflow()
    def work():
        with ThreadPoolExecutor(1) as pool:
            pool.submit(copy_context().run, emit_outcome, "partial").result()

    work()

    assert runs.only().outcome_attributes["status"] == "partial"


def test_the_run_object_takes_an_outcome_from_anywhere(runs):
    with run_botanu("work", event_id="e", customer_id="c") as run:
        thread = threading.Thread(target=run.emit_outcome, args=("canceled",), kwargs={"reason": "user_aborted"})
        thread.start()
        thread.join()

    assert runs.only().outcome_attributes == {"status": "canceled", "reason": "user_aborted"}


def test_an_unknown_status_is_a_programming_error_that_lists_the_six(runs):
    with (
        pytest.raises(ValueError, match="success, partial, failed, timeout, canceled, abandoned, not 'ok'"),
        run_botanu("work", event_id="e", customer_id="c"),
    ):
        emit_outcome("ok")

    with pytest.raises(ValueError, match="not 'done'"):
        emit_outcome("done")


def test_outside_any_run_an_outcome_is_logged_once_and_not_recorded(runs, lenient, caplog):
    with caplog.at_level(logging.WARNING, "botanu"):
        emit_outcome("success")
        emit_outcome("success")

    assert [record.getMessage() for record in caplog.records] == [
        "emit_outcome() was called outside any run: not recorded"
    ]
    assert runs.spans() == []


def test_an_outcome_after_the_end_goes_on_a_span_of_its_own(runs, lenient):
    with run_botanu("late", event_id="e", customer_id="c") as run:
        pass
    run.emit_outcome("failed", reason="returned", value_amount=math.nan)

    ended = runs.only()
    late = ended.spans[1]
    assert ended.attributes[semconv.OUTCOME_STATUS] == "success"
    assert ended.outcome_attributes == {"status": "failed", "reason": "returned", "late": True}
    assert run.outcome.status == "failed"
    assert late.attributes == run.identity | {
        semconv.OUTCOME_STATUS: "failed",
        semconv.OUTCOME_REASON: "returned",
        semconv.OUTCOME_LATE: True,
        semconv.FAULTS: ("value_amount: nan is not a finite number",),
    }
    assert late.parent.span_id == ended.root.context.span_id
    assert late.start_time == late.end_time >= ended.root.end_time


def test_a_task_that_outlives_its_run_still_reaches_it(runs):
    async def later():
        await asyncio.sleep(0.01)
        emit_outcome("partial")

    async def program():
        async with run_botanu("w", event_id="e", customer_id="c"):
            task = asyncio.create_task(later())
        await task

    asyncio.run(program())

    assert [span.attributes[semconv.OUTCOME_STATUS] for span in runs.only().spans[1:]] == ["partial"]


def test_an_outcome_after_the_end_is_nothing_where_nothing_is_recorded(runs):
    botanu.disable()
    with run_botanu("w", event_id="e", customer_id="c") as run:
        pass
    run.emit_outcome("failed")

    assert runs.all() == []


class Hostile:
    """An object whose every conversion fails, as that of a tensor of many elements does."""

    def __float__(self):
        raise RuntimeError

    __str__ = __float__


class HostileMapping(dict):
    def __len__(self):
        return 1

    def items(self):
        raise RuntimeError


@pytest.mark.parametrize(
    ("fields", "kept", "fault"),
    [
        ({"value_amount": math.nan}, {}, "value_amount: nan is not a finite number"),
        ({"value_amount": math.inf}, {}, "value_amount: inf is not a finite number"),
        ({"value_amount": "5"}, {}, "value_amount: str is not a number"),
        ({"value_amount": True}, {}, "value_amount: bool is not a number"),
        ({"value_amount": Decimal("1299.99")}, {"value_amount": 1299.99}, None),
        ({"value_amount": Fraction(1, 4)}, {"value_amount": 0.25}, None),
        ({"value_amount": np.float64(2.5)}, {"value_amount": 2.5}, None),
        ({"value_amount": 10**30}, {"value_amount": 1e30}, None),
        ({"value_amount": 10**400}, {}, "value_amount: int too large to convert to float"),
        ({"value_amount": Decimal("1e999")}, {}, "value_amount: inf is not a finite number"),
        ({"confidence": 2}, {}, "confidence: 2 is not in 0..1"),
        ({"confidence": -0.1}, {}, "confidence: -0.1 is not in 0..1"),
        ({"confidence": 1}, {"confidence": 1.0}, None),
        ({"value_type": 7}, {"value_type": "7"}, None),
        ({"value_type": OutcomeStatus.PARTIAL}, {"value_type": "partial"}, None),
        ({"reason": "\ud83d half"}, {"reason": "? half"}, None),
        ({"value_amount": Hostile()}, {}, "value_amount: RuntimeError when read"),
        ({"confidence": Hostile()}, {}, "confidence: RuntimeError when read"),
        ({"reason": Hostile()}, {}, "reason: RuntimeError when read"),
        ({"metadata": {Hostile(): 1}}, {}, "metadata: RuntimeError when read"),
        ({"metadata": {"a": Hostile(), "b": 1}}, {"metadata.b": 1}, "metadata.a: RuntimeError when read"),
        ({"metadata": HostileMapping()}, {}, "metadata: RuntimeError when read"),
        ({"reason": "r" * 5000}, {"reason": "r" * 1024}, "reason: shortened from 5000 to 1024 characters"),
        ({"value_type": "v" * 5000}, {"value_type": "v" * 1024}, "value_type: shortened from 5000 to 1024 characters"),
        ({"metadata": [1]}, {}, "metadata: list is not a mapping"),
        ({"metadata": {"deep": {"a": 1}}}, {}, "metadata.deep: dict is not text, a number or a boolean"),
        (
            {"metadata": {"batch_id": "abc-123", "retry_count": 2, "dry": False}},
            {"metadata.batch_id": "abc-123", "metadata.retry_count": 2, "metadata.dry": False},
            None,
        ),
    ],
)
def test_data_that_is_off_never_raises_and_is_flagged(runs, lenient, fields, kept, fault):
    with run_botanu("work", event_id="e", customer_id="c"):
        emit_outcome("success", **fields)

    run = runs.only()
    assert run.outcome_attributes == {"status": "success", **kept}
    assert list(run.attributes.get("botanu.faults", ())) == ([fault] if fault else [])


def test_the_same_fault_is_kept_and_logged_once_and_of_many_the_first(runs, lenient, caplog):
    with caplog.at_level(logging.WARNING, "botanu"), run_botanu("faulty", event_id="e", customer_id="c"):
        for number in range(100):
            emit_outcome("success", value_amount=math.nan, confidence=2 + number)

    faults = runs.only().attributes[semconv.FAULTS]
    assert faults[:3] == (
        "value_amount: nan is not a finite number",
        "confidence: 2 is not in 0..1",
        "confidence: 3 is not in 0..1",
    )
    assert len(faults) == 32
    assert [record.getMessage() for record in caplog.records] == [
        "outcome of workflow 'faulty': value_amount: nan is not a finite number",
        "outcome of workflow 'faulty': confidence: 2 is not in 0..1",
    ]


def test_an_outcome_that_comes_while_the_run_ends_is_late_and_never_taken_and_then_replaced(runs, lenient, monkeypatch):
    emitted = threading.Event()
    ending = Outcome.of_ending

    def slow(error, *, success):
        threading.Thread(target=lambda: (run.emit_outcome("partial"), emitted.set())).start()
        emitted.wait(0.2)
        return ending(error, success=success)

    monkeypatch.setattr(Outcome, "of_ending", slow)
    with run_botanu("work", event_id="e", customer_id="c") as run:
        pass
    emitted.wait(10)

    run = runs.only()
    assert run.attributes[semconv.OUTCOME_STATUS] == "success"
    assert run.outcome == Outcome("partial")
    assert run.outcomes == (Outcome("success", auto=True), Outcome("partial"))


def test_of_many_metadata_keys_the_first_are_kept(runs, lenient):
    with run_botanu("work", event_id="e", customer_id="c"):
        emit_outcome("success", metadata={f"k{number:02}": number for number in range(40)})

    kept = [name for name in runs.only().outcome_attributes if name.startswith("metadata.")]
    assert kept == [f"metadata.k{number:02}" for number in range(32)]


anything = st.one_of(
    st.none(), st.booleans(), st.integers(), st.floats(), st.text(), st.binary(), st.lists(st.integers()), st.decimals()
)


@given(
    fields=st.fixed_dictionaries(
        {},
        optional=dict.fromkeys(
            ("value_type", "value_amount", "confidence", "reason", "error_type", "metadata"), anything
        ),
    )
)
def test_any_data_gives_an_outcome_that_can_be_sent(fields):
    outcome = Outcome.of("success", **fields)

    assert outcome.status is OutcomeStatus.SUCCESS
    for value in (outcome.value_amount, outcome.confidence):
        assert value is None or math.isfinite(value)
    for value in outcome.attributes().values():
        assert isinstance(value, str | bool | int | float)


def test_a_run_that_is_closed_twice_ends_once(runs):
    scope = run_botanu("work", event_id="e", customer_id="c")
    scope.open()
    scope.close(None)
    scope.close(ValueError())

    assert runs.only().outcome_attributes == {"status": "success", "auto": True}
