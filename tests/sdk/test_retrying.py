"""Attempts of runs that tenacity repeats."""

import asyncio
import gc
import weakref

import pytest
import tenacity
from tenacity import retry, retry_if_exception_type, stop_after_attempt, wait_none

import botanu
from botanu import botanu_workflow, run_botanu, semconv, tenacity_attempt
from botanu.sdk.identity import run_in

AGAIN = {
    "before": tenacity_attempt,
    "stop": stop_after_attempt(3),
    "wait": wait_none(),
    "retry": retry_if_exception_type(ConnectionError),
    "reraise": True,
}


def numbered(captured):
    """Return event and attempt of each run, in order of start."""
    runs = sorted(captured.all(), key=lambda run: run.root.start_time)
    return [(run.attributes[semconv.EVENT_ID], run.attributes.get(semconv.ATTEMPT)) for run in runs]


def roots(captured):
    return [run.attributes[semconv.ROOT_RUN_ID] for run in captured.all()]


@retry(**AGAIN)
@botanu_workflow("refund", event_id=lambda order, fails: order, customer_id="c")
def refund(order, fails):
    if run_in().identity[semconv.ATTEMPT] <= fails:
        raise ConnectionError


def test_each_attempt_is_a_run_with_its_number_and_the_first_ones_root(runs):
    refund("o-1", fails=2)

    first, second, third = runs.all()
    assert numbered(runs) == [("o-1", 1), ("o-1", 2), ("o-1", 3)]
    assert roots(runs) == [first.attributes[semconv.RUN_ID]] * 3
    assert [run.outcome_attributes["status"] for run in (first, second, third)] == ["failed", "failed", "success"]
    assert all(semconv.PARENT_RUN_ID not in run.attributes for run in runs.all())


def test_the_root_is_that_of_the_run_around_where_there_is_one(runs):
    with run_botanu("outer", event_id="o-1", customer_id="c") as outer:
        refund("o-1", fails=1)

    inner = [run.attributes for run in runs.all() if run.attributes[semconv.WORKFLOW] == "refund"]
    assert [each[semconv.ATTEMPT] for each in inner] == [1, 2]
    assert {each[semconv.ROOT_RUN_ID] for each in inner} == {outer.run_id}
    assert {each[semconv.PARENT_RUN_ID] for each in inner} == {outer.run_id}


def test_a_retry_that_gives_up_leaves_nothing_to_the_next_event(runs):
    with pytest.raises(ConnectionError):
        refund("o-1", fails=9)
    with run_botanu("other", event_id="o-2", customer_id="c"):
        pass
    refund("o-3", fails=0)

    assert numbered(runs) == [("o-1", 1), ("o-1", 2), ("o-1", 3), ("o-2", None), ("o-3", 1)]
    assert len({*roots(runs)}) == 3


def test_an_attempt_that_opens_no_run_leaves_nothing_either(runs):
    calls = []

    @retry(**AGAIN)
    def work():
        calls.append(1)
        if len(calls) < 2:
            raise ConnectionError

    work()
    with run_botanu("other", event_id="o-2", customer_id="c"):
        pass

    assert numbered(runs) == [("o-2", None)]


def test_only_the_first_run_of_an_attempt_has_its_number(runs):
    @retry(**AGAIN)
    def both():
        for event in ("o-1", "o-2"):
            with run_botanu("w", event_id=event, customer_id="c"), run_botanu("in", event_id=event, customer_id="c"):
                pass
        if len(runs.all()) < 8:
            raise ConnectionError

    both()

    assert [attempt for _, attempt in numbered(runs)] == [1, None, None, None, 2, None, None, None]


def test_a_number_that_the_program_gives_stands(runs):
    @retry(**AGAIN)
    def work():
        with run_botanu("w", event_id="e", customer_id="c", attempt=7):
            pass

    work()

    assert numbered(runs) == [("e", 7)]


def test_a_retry_within_a_retry_counts_for_itself(runs):
    @retry(**AGAIN)
    def outer():
        with run_botanu("outer", event_id="o-1", customer_id="c") as run:
            refund("o-2", fails=1)
            if run.identity[semconv.ATTEMPT] < 2:
                raise ConnectionError

    outer()

    assert numbered(runs) == [("o-1", 1), ("o-2", 1), ("o-2", 2), ("o-1", 2), ("o-2", 1), ("o-2", 2)]
    assert len({*roots(runs)}) == 1


def test_the_other_way_of_repeating(runs):
    for attempt in tenacity.Retrying(**AGAIN):
        with attempt, run_botanu("w", event_id="e", customer_id="c"):
            if attempt.retry_state.attempt_number < 3:
                raise ConnectionError

    assert numbered(runs) == [("e", 1), ("e", 2), ("e", 3)]
    assert len({*roots(runs)}) == 1


def test_interleaved_events_do_not_mix_up_their_attempts(runs):
    @retry(**AGAIN)
    @botanu_workflow("refund", event_id=lambda order, fails: order, customer_id="c")
    async def later(order, fails):
        await asyncio.sleep(0)
        if run_in().identity[semconv.ATTEMPT] <= fails:
            raise ConnectionError

    async def main():
        await asyncio.gather(later("o-1", 2), later("o-2", 1), later("o-3", 0), later("o-4", 2))
        async with run_botanu("other", event_id="o-5", customer_id="c"):
            pass

    asyncio.run(main())

    assert sorted(numbered(runs), key=lambda each: (each[0], each[1] or 0)) == [
        *[("o-1", number) for number in (1, 2, 3)],
        *[("o-2", number) for number in (1, 2)],
        ("o-3", 1),
        *[("o-4", number) for number in (1, 2, 3)],
        ("o-5", None),
    ]
    assert len({*roots(runs)}) == 5


def test_a_task_left_behind_by_an_attempt_does_not_take_the_next_ones_number(runs):
    async def left_behind():
        await asyncio.sleep(0)
        async with run_botanu("other", event_id="o-2", customer_id="c"):
            pass

    async def sleep(_):
        await asyncio.gather(*tasks)  # between the attempts

    tasks = []

    @retry(**{**AGAIN, "sleep": sleep})
    async def work():
        async with run_botanu("w", event_id="o-1", customer_id="c"):
            if not tasks:
                tasks.append(asyncio.create_task(left_behind()))
                raise ConnectionError

    asyncio.run(work())

    assert numbered(runs) == [("o-1", 1), ("o-2", None), ("o-1", 2)]


def test_nothing_of_the_call_is_kept(runs):
    class Order:
        pass

    @retry(**AGAIN)
    def work(order):
        with run_botanu("w", event_id="e", customer_id="c"):
            pass

    order = Order()
    gone = weakref.ref(order)
    work(order)
    del order
    gc.collect()

    assert gone() is None


def test_what_is_no_state_does_not_raise(runs, lenient):
    tenacity_attempt(None)

    with run_botanu("w", event_id="e", customer_id="c"):
        pass
    assert numbered(runs) == [("e", None)]


class TestAttemptOfTheDecorator:
    def test_it_may_come_from_the_arguments(self, runs):
        @botanu_workflow("w", event_id="e", customer_id="c", attempt=lambda request: request["retries"] + 1)
        def work(request):
            return request

        work({"retries": 0})
        work({"retries": 1})

        assert numbered(runs) == [("e", 1), ("e", 2)]

    @pytest.mark.parametrize("attempt", [3, lambda: 3])
    def test_a_number_is_the_attempt(self, runs, attempt):
        botanu_workflow("w", event_id="e", customer_id="c", attempt=attempt)(lambda: None)()

        assert numbered(runs) == [("e", 3)]

    @pytest.mark.parametrize("attempt", [None, lambda: None])
    def test_none_is_not_known(self, runs, attempt):
        botanu_workflow("w", event_id="e", customer_id="c", attempt=attempt)(lambda: None)()

        assert numbered(runs) == [("e", None)]
        assert semconv.FAULTS not in runs.only().attributes

    @pytest.mark.parametrize(
        ("attempt", "fault"),
        [(lambda: 1 / 0, "ZeroDivisionError"), (lambda: 0, "IdentityError"), (lambda: "2", "IdentityError")],
    )
    def test_what_fails_is_a_fault_of_the_run(self, runs, lenient, attempt, fault):
        assert botanu_workflow("w", event_id="e", customer_id="c", attempt=attempt)(lambda: 1)() == 1

        assert numbered(runs) == [("e", None)]
        assert runs.only().attributes[semconv.FAULTS] == (f"attempt: {fault}",)

    @pytest.mark.parametrize("attempt", [0, -1, "2", True, 1.0])
    def test_what_is_no_number_is_a_mistake(self, attempt):
        with pytest.raises(botanu.IdentityError, match="attempt must be a whole number from 1"):
            botanu_workflow("w", event_id="e", customer_id="c", attempt=attempt)
