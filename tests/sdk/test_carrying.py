"""Runs in threads, executors and tasks."""

import asyncio
import contextvars
import inspect
import threading
from concurrent.futures import ThreadPoolExecutor

import anyio
import pytest
import uvloop
from opentelemetry import trace

import botanu
from botanu import carry, run_botanu, semconv
from botanu.sdk.identity import run_in

REQUEST = contextvars.ContextVar("request", default=None)


def run_here():
    run = run_in()
    return None if run is None else run.identity[semconv.EVENT_ID]


def call():
    """Make a span, and return which event it belongs to."""
    with trace.get_tracer("x").start_as_current_span("call") as span:
        return span.attributes.get(semconv.EVENT_ID)


async def acall():
    await asyncio.sleep(0)
    return call()


def an_event(name):
    return run_botanu("w", event_id=name, customer_id="c")


class TestThreads:
    def test_a_pool_knows_the_run_only_of_work_that_is_carried(self, runs):
        with ThreadPoolExecutor(1) as pool, an_event("e"):
            assert pool.submit(call).result() is None
            assert pool.submit(carry(call)).result() == "e"
            assert pool.submit(call).result() is None

    def test_each_item_of_many_threads_belongs_to_the_run_that_handed_it_over(self, runs):
        with ThreadPoolExecutor(16) as pool:

            def one(name):
                with an_event(name):
                    return [pool.submit(carry(call)) for _ in range(50)]

            futures = {f"e-{number}": one(f"e-{number}") for number in range(16)}

        assert {name: {future.result() for future in each} for name, each in futures.items()} == {
            name: {name} for name in futures
        }

    def test_a_carried_function_is_called_many_times_at_once(self, runs):
        barrier = threading.Barrier(8)

        def together(_):
            barrier.wait()
            return call()

        with ThreadPoolExecutor(8) as pool, an_event("e"):
            assert [*pool.map(carry(together), range(8))] == ["e"] * 8

    def test_a_thread_as_well(self, runs):
        found = []

        def work():
            found.append(call())

        with an_event("e"):
            for each in (carry(work), work):
                thread = threading.Thread(target=each)
                thread.start()
                thread.join()

        assert found == ["e", None]

    def test_outcomes_emitted_in_a_thread_are_the_runs(self, runs):
        with ThreadPoolExecutor(1) as pool, an_event("e"):
            pool.submit(carry(botanu.emit_outcome), "partial", reason="r").result()

        assert runs.only().outcome_attributes == {"status": "partial", "reason": "r"}

    def test_runs_opened_there_are_nested(self, runs):
        def work():
            with an_event("inner") as inner:
                return inner.identity

        with ThreadPoolExecutor(1) as pool, an_event("e") as outer:
            identity = pool.submit(carry(work)).result()

        assert identity[semconv.PARENT_RUN_ID] == outer.run_id


class TestTheBoundFunction:
    def test_it_is_bound_to_where_it_was_made(self, runs):
        with an_event("first"):
            first = carry(call)
        with an_event("second"):
            assert (call(), first(), call()) == ("second", "first", "second")

    def test_other_context_variables_come_along_and_changes_stay_inside(self, runs):
        token = REQUEST.set("r-1")

        def read():
            before = REQUEST.get()
            REQUEST.set("changed")
            return before

        carried = carry(read)
        REQUEST.reset(token)

        assert [carried(), carried(), REQUEST.get()] == ["r-1", "r-1", None]

    def test_it_looks_like_the_function(self):
        def add(left, right=1):
            """Return the sum."""
            return left + right

        async def later():
            return None

        carried = carry(add)
        assert (carried(1), carried(1, right=2)) == (2, 3)
        assert (carried.__name__, carried.__doc__, carried.__wrapped__) == ("add", "Return the sum.", add)
        assert inspect.signature(carried) == inspect.signature(add)
        assert inspect.iscoroutinefunction(carry(later))
        assert not inspect.iscoroutinefunction(carried)

    def test_what_cannot_be_called_is_refused_where_it_is_given(self):
        with pytest.raises(TypeError, match=r"carry\(\) takes a function, not None"):
            carry(None)

    def test_exceptions_pass(self):
        with pytest.raises(ZeroDivisionError):
            carry(lambda: 1 / 0)()

    def test_a_coroutine_function_is_bound_too(self, runs):
        with an_event("e"):
            carried = carry(acall)

        async def main():
            tasks = [asyncio.create_task(carried()) for _ in range(3)]
            return [await asyncio.gather(*tasks), await acall()]

        assert asyncio.run(main()) == [["e"] * 3, None]

    def test_a_coroutine_can_be_cancelled(self, runs):
        with an_event("e"):
            carried = carry(asyncio.sleep)

        async def main():
            async with asyncio.timeout(0.01):
                await carried(60)

        with pytest.raises(TimeoutError):
            asyncio.run(main())


LOOPS = {"asyncio": asyncio.run, "uvloop": uvloop.run}


@pytest.mark.parametrize("loop", LOOPS)
class TestTasks:
    """Tasks carry the run by themselves; what they do with it stays theirs."""

    def test_five_hundred_at_once_do_not_mix_up_their_runs(self, runs, loop):
        async def one(name):
            async with an_event(name):
                found = [await acall(), await asyncio.to_thread(call)]
                return found + await asyncio.gather(acall(), asyncio.create_task(acall()))

        async def main():
            return await asyncio.gather(*(one(f"e-{number}") for number in range(500)))

        assert LOOPS[loop](main()) == [[f"e-{number}"] * 4 for number in range(500)]

    def test_a_task_group(self, runs, loop):
        async def main():
            async with an_event("e"), asyncio.TaskGroup() as group:
                tasks = [group.create_task(acall()) for _ in range(3)]
            return [task.result() for task in tasks] + [run_here()]

        assert LOOPS[loop](main()) == ["e", "e", "e", None]

    def test_an_executor_needs_carry(self, runs, loop):
        async def main():
            inside = asyncio.get_running_loop()
            async with an_event("e"):
                return [await inside.run_in_executor(None, each) for each in (call, carry(call), call)]

        assert LOOPS[loop](main()) == [None, "e", None]

    def test_anyio(self, runs, loop):
        async def main():
            found = []
            async with an_event("e"), anyio.create_task_group() as group:

                async def one():
                    found.extend([await acall(), await anyio.to_thread.run_sync(call)])

                group.start_soon(one)
                group.start_soon(one)
            return found

        assert anyio.run(main, backend_options={"use_uvloop": loop == "uvloop"}) == ["e"] * 4
