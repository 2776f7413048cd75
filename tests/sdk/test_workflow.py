import asyncio
import contextvars
import gc
import inspect
import threading
import uuid

import pytest
from opentelemetry import context, trace
from opentelemetry.trace import SpanKind

import botanu
from botanu import IdentityError, botanu_workflow, current_run, emit_outcome, run_botanu, semconv, track_llm_call
from botanu.sdk.processor import RunProcessor


def workflow(name="work", **options):
    return botanu_workflow(name, event_id="e-1", customer_id="c-1", **options)


def wrapper(function):
    """Wrap *function* as a careless decorator does: in a plain function."""

    def call(*args):
        return function(*args)

    return call


def current_run_id():
    run = current_run()
    return run and run.run_id


class TestIdentity:
    def test_a_run_has_a_new_uuid7_and_what_the_program_said(self, runs):
        @botanu_workflow(
            "refund",
            event_id="e-1",
            customer_id="c-1",
            environment="prod",
            tenant_id="t-1",
            version="v2",
            span_kind=SpanKind.SERVER,
        )
        def refund():
            return None

        refund()
        refund()

        first, second = runs.all()
        assert first.attributes[semconv.RUN_ID] != second.attributes[semconv.RUN_ID]
        assert first.attributes[semconv.RUN_ID][14] == "7"
        assert {name: value for name, value in first.attributes.items() if "run_id" not in name} == {
            "botanu.workflow": "refund",
            "botanu.event_id": "e-1",
            "botanu.customer_id": "c-1",
            "botanu.environment": "prod",
            "botanu.tenant_id": "t-1",
            "botanu.workflow.version": "v2",
            "botanu.run.root": True,
            "botanu.outcome.status": "success",
            "botanu.outcome.auto": True,
        }
        assert first.root.name == "refund"
        assert first.root.kind is SpanKind.SERVER

    def test_ids_come_from_the_arguments_of_the_call(self, runs):
        @botanu_workflow("w", event_id=lambda order, **_: order["id"], customer_id=lambda order, *, customer: customer)
        def fulfil(order, *, customer):
            return order["id"], customer

        assert fulfil({"id": 17}, customer="acme") == (17, "acme")
        run = runs.only()
        assert (run.attributes[semconv.EVENT_ID], run.attributes[semconv.CUSTOMER_ID]) == ("17", "acme")

    @pytest.mark.parametrize(
        "event_id",
        [
            lambda order: order,
            lambda order, fail: order,
            lambda fail, order: order,
            lambda *args, **kwargs: kwargs.get("order") or args[0],
            lambda order, **_: order,
            lambda *, order: order,
            lambda order, prefix="": f"{prefix}{order}",
            lambda prefix="", order=None: f"{prefix}{order}",
            lambda **given: given["order"],
        ],
    )
    def test_an_extractor_gets_the_arguments_it_names_or_all(self, runs, event_id):
        @botanu_workflow("w", event_id=event_id, customer_id=lambda fail: f"fail-{fail}")
        def refund(order, fail=False):
            return order

        refund("o-1", fail=True)
        refund(order="o-2")

        assert [(run.attributes[semconv.EVENT_ID], run.attributes[semconv.CUSTOMER_ID]) for run in runs.all()] == [
            ("o-1", "fail-True"),
            ("o-2", "fail-False"),
        ]

    def test_an_extractor_that_wants_nothing_gets_nothing(self, runs):
        request_id = contextvars.ContextVar("request_id", default="r-1")

        @botanu_workflow("w", event_id=lambda: request_id.get(), customer_id=lambda _, /: "c")  # noqa: PLW0108
        def work(number):
            return number

        work(17)
        assert runs.only().attributes[semconv.EVENT_ID] == "r-1"

    def test_an_extractor_gets_the_place_and_the_rest_as_the_function_has_them(self, runs):
        @botanu_workflow("w", event_id=lambda a, /, **rest: f"{a}-{rest['b']}", customer_id=lambda **all_: all_["x"])
        def work(a, /, b=2, **more):
            return more

        work(1, x="c")
        run = runs.only()
        assert (run.attributes[semconv.EVENT_ID], run.attributes[semconv.CUSTOMER_ID]) == ("1-2", "c")

    def test_an_extractor_without_a_signature_gets_all_arguments(self, runs):
        @botanu_workflow("w", event_id=str, customer_id=str)
        def work(number, other=0):
            return number

        work(17)
        assert runs.only().attributes[semconv.EVENT_ID] == "17"

    @pytest.mark.parametrize(
        ("given", "text"),
        [
            (17, "17"),
            (17.5, "17.5"),
            ("x", "x"),
            (True, "True"),
            (uuid.UUID(int=1), "00000000-0000-0000-0000-000000000001"),
            (semconv.OutcomeStatus.FAILED, "failed"),
            ("half \ud83d", "half ?"),
        ],
    )
    def test_a_scalar_id_becomes_text(self, runs, given, text):
        with run_botanu("w", event_id=given, customer_id="c", tenant_id=given):
            pass
        assert runs.only().attributes[semconv.EVENT_ID] == text
        assert runs.only().attributes[semconv.TENANT_ID] == text

    @pytest.mark.parametrize("given", [None, "", [], {}, b"x", (), object(), range(3), asyncio.Future])
    def test_an_id_that_identifies_nothing_is_refused_where_it_is_written(self, given):
        if not callable(given):
            with pytest.raises(IdentityError, match="customer_id must"):
                botanu_workflow("w", event_id="e", customer_id=given)

    @pytest.mark.usefixtures("lenient")
    @pytest.mark.parametrize("given", [None, "", [], {}, b"x", (), object(), range(3), asyncio.Future])
    def test_an_id_among_a_programs_data_that_identifies_nothing_does_not_stop_it(self, runs, caplog, given):
        for _ in range(2):
            with run_botanu("odd", event_id=given, customer_id="c"):
                pass

        for run in runs.all():
            assert (run.event_id, run.customer_id, run.faults) == (None, "c", ("event_id: IdentityError",))
        assert [record.getMessage() for record in caplog.records] == [
            "workflow 'odd': event_id: IdentityError; the run is recorded without it",
        ]

    def test_in_a_test_it_does(self, runs):
        with pytest.raises(botanu.testing.StrictError, match="event_id: IdentityError"):
            run_botanu("w", event_id=None, customer_id="c")
        runs.errors.clear()

    def test_what_is_empty_was_not_given_and_an_attempt_is_counted_from_one(self, runs):
        with run_botanu("w", event_id="e", customer_id="c", environment="", tenant_id="", version=""):
            pass
        assert {semconv.ENVIRONMENT, semconv.TENANT_ID, semconv.WORKFLOW_VERSION}.isdisjoint(runs.only().attributes)
        for attempt in (0, True, "two", 1.0):
            with pytest.raises(IdentityError, match="attempt must be a whole number from 1"):
                run_botanu("w", event_id="e", customer_id="c", attempt=attempt)
        with pytest.raises(IdentityError, match="version must be text or a number, not list"):
            run_botanu("w", event_id="e", customer_id="c", version=[1])

    @pytest.mark.usefixtures("lenient")
    def test_an_extractor_that_fails_is_logged_once_whatever_it_says(self, runs, caplog):
        class Awaitable:
            def __init__(self, number):
                self.number = number

            def __await__(self):
                yield

            def __str__(self):
                return "an id only once awaited"

        class OddError(Exception):
            def __str__(self):
                raise RuntimeError

        def event_id(number):
            raise OddError(number)

        @botanu_workflow("odd", event_id=event_id, customer_id=Awaitable)
        def work(number):
            return number

        assert [work(number) for number in range(20)] == [*range(20)]

        assert [record.getMessage() for record in caplog.records] == [
            "workflow 'odd': event_id: OddError; the run is recorded without it",
            "workflow 'odd': customer_id: IdentityError; the run is recorded without it",
        ]

    @pytest.mark.usefixtures("lenient")
    def test_an_extractor_that_fails_never_stops_the_function(self, runs):
        @botanu_workflow("w", event_id=lambda order: order.nothing, customer_id=lambda _: None)
        def fulfil(order):
            return "done"

        assert fulfil(object()) == "done"
        run = runs.only()
        assert semconv.EVENT_ID not in run.attributes
        assert run.attributes["botanu.faults"] == ("event_id: AttributeError", "customer_id: IdentityError")
        assert run.outcome_attributes["status"] == "success"

    def test_the_environment_setting_is_the_default(self, runs):
        botanu.enable(environment="staging")

        workflow()(lambda: None)()
        workflow(environment="prod")(lambda: None)()

        assert [run.attributes[semconv.ENVIRONMENT] for run in runs.all()] == ["staging", "prod"]

    def test_a_run_inside_another_has_its_environment_and_tenant_unless_it_says_otherwise(self, runs):
        botanu.enable(environment="staging")
        with run_botanu("outer", event_id="e", customer_id="c", environment="prod", tenant_id="t-1"):
            with run_botanu("inherits", event_id="e", customer_id="c"):
                pass
            with run_botanu("differs", event_id="e", customer_id="c", environment="test", tenant_id="t-2"):
                pass

        whose = {
            name: (runs.of(name).attributes[semconv.ENVIRONMENT], runs.of(name).attributes[semconv.TENANT_ID])
            for name in ("inherits", "differs")
        }
        assert whose == {"inherits": ("prod", "t-1"), "differs": ("test", "t-2")}

    def test_what_only_the_outer_run_has_does_not_travel_with_the_inner_one(self, runs):
        with (
            run_botanu("outer", event_id="e", customer_id="c", attempt=3, version="v9"),
            run_botanu("inner", event_id="e", customer_id="c") as inner,
            trace.get_tracer("x").start_as_current_span("s"),
        ):
            pass
        assert runs.of("inner").spans[1].attributes == inner.identity
        assert not {semconv.ATTEMPT, semconv.WORKFLOW_VERSION} & inner.identity.keys()

    def test_an_attempt_that_the_program_knows_is_carried(self, runs):
        with (
            run_botanu("w", event_id="e", customer_id="c", attempt=3),
            trace.get_tracer("x").start_as_current_span("s"),
        ):
            pass
        run = runs.only()
        assert run.attributes[semconv.ATTEMPT] == 3
        assert run.spans[1].attributes[semconv.ATTEMPT] == 3

    @pytest.mark.parametrize("kind", ["server", None, 7])
    def test_a_kind_of_span_that_is_none_is_refused_where_it_is_given(self, kind):
        with pytest.raises(IdentityError, match=r"span_kind must be one of opentelemetry\.trace\.SpanKind, not"):
            run_botanu("w", event_id="e", customer_id="c", span_kind=kind)
        with pytest.raises(IdentityError, match="span_kind must be"):
            botanu_workflow("w", event_id="e", customer_id="c", span_kind=kind)


class TestNesting:
    def test_a_nested_run_knows_its_parent_and_the_outermost(self, runs):
        @workflow("inner")
        def inner():
            return None

        @workflow("middle")
        def middle():
            inner()

        @workflow("outer")
        def outer():
            middle()

        outer()

        ids = {name: runs.of(name).attributes for name in ("outer", "middle", "inner")}
        outer_id = ids["outer"][semconv.RUN_ID]
        assert [ids[name][semconv.ROOT_RUN_ID] for name in ids] == [outer_id] * 3
        assert semconv.PARENT_RUN_ID not in ids["outer"]
        assert ids["middle"][semconv.PARENT_RUN_ID] == outer_id
        assert ids["inner"][semconv.PARENT_RUN_ID] == ids["middle"][semconv.RUN_ID]
        assert ids["inner"][semconv.WORKFLOW] == "inner"

    def test_an_outcome_goes_to_the_innermost_run(self, runs):
        with run_botanu("outer", event_id="e", customer_id="c"):
            with run_botanu("inner", event_id="e", customer_id="c"):
                emit_outcome("failed", reason="inner")
            emit_outcome("success", reason="outer")

        assert runs.of("inner").outcome_attributes["reason"] == "inner"
        assert runs.of("outer").outcome_attributes["reason"] == "outer"

    def test_recursion_makes_a_run_per_call(self, runs):
        @workflow()
        def countdown(number):
            return 0 if number == 0 else 1 + countdown(number - 1)

        assert countdown(3) == 3
        assert len(runs.all()) == 4

    def test_spans_started_inside_bear_the_identity_of_the_innermost_run(self, runs):
        tracer = trace.get_tracer("x")
        with run_botanu("outer", event_id="e", customer_id="c"), tracer.start_as_current_span("a"):
            with run_botanu("inner", event_id="e2", customer_id="c"), tracer.start_as_current_span("b"):
                pass
            with tracer.start_as_current_span("c"):
                pass

        assert [span.name for span in runs.of("outer").spans[1:]] == ["a", "c"]
        assert [span.name for span in runs.of("inner").spans[1:]] == ["b"]
        assert runs.of("inner").spans[1].attributes[semconv.EVENT_ID] == "e2"

    def test_after_a_run_the_context_is_as_before(self, runs):
        before = context.get_current()
        with run_botanu("w", event_id="e", customer_id="c"):
            assert current_run_id() is not None
        assert context.get_current() == before
        assert current_run_id() is None


class TestFunctions:
    def test_result_signature_and_name_are_kept(self, runs):
        def add(a: int, b: int = 2) -> int:
            """Add."""
            return a + b

        decorated = workflow()(add)

        assert decorated(1) == 3
        assert inspect.signature(decorated) == inspect.signature(add)
        assert (decorated.__name__, decorated.__doc__, decorated.__wrapped__) == ("add", "Add.", add)

    def test_the_kind_of_function_is_kept(self):
        def call():
            return None

        async def coroutine():
            return None

        def generator():
            yield

        async def async_generator():
            yield

        assert not inspect.iscoroutinefunction(workflow()(call))
        assert inspect.iscoroutinefunction(workflow()(coroutine))
        assert inspect.isgeneratorfunction(workflow()(generator))
        assert inspect.isasyncgenfunction(workflow()(async_generator))

    def test_methods_are_runs(self, runs):
        class Shop:
            @botanu_workflow("w", event_id=lambda self, order: order, customer_id=lambda self, order: self.name)
            def fulfil(self, order):
                return order

            def __init__(self, name):
                self.name = name

        assert Shop("acme").fulfil(5) == 5
        assert runs.only().attributes[semconv.CUSTOMER_ID] == "acme"

    def test_what_cannot_be_called_is_refused_where_it_is_written(self):
        with pytest.raises(TypeError, match="put the decorator below @classmethod"):

            class Shop:
                @workflow()
                @classmethod
                def fulfil(cls):
                    return cls

        with pytest.raises(TypeError, match="below @classmethod, @staticmethod or @property"):

            class Store:
                @workflow()
                @staticmethod
                def fulfil(order):
                    return order

    def test_the_exception_itself_goes_on(self, runs):
        error = ValueError("mine")

        @workflow()
        def work():
            raise error

        with pytest.raises(ValueError, match="mine") as caught:
            work()

        assert caught.value is error
        run = runs.only()
        assert run.root.status.description == "ValueError"
        assert run.attributes["error.type"] == "ValueError"
        assert [event.name for event in run.root.events] == [semconv.OUTCOME_EMITTED]

    def test_coroutines_do_not_mix_up_their_runs(self, runs):
        seen = {}

        @botanu_workflow("w", event_id=lambda number: number, customer_id="c")
        async def work(number):
            for _ in range(3):
                await asyncio.sleep(0)
                seen.setdefault(number, set()).add(current_run_id())

        async def many():
            await asyncio.gather(*(work(number) for number in range(50)))

        asyncio.run(many())

        assert all(len(ids) == 1 for ids in seen.values())
        assert len(set.union(*seen.values())) == 50
        assert {run.attributes[semconv.EVENT_ID] for run in runs.all()} == {str(number) for number in range(50)}

    def test_threads_do_not_mix_up_their_runs(self, runs):
        @workflow()
        def work():
            return current_run_id()

        ids = []
        threads = [threading.Thread(target=lambda: ids.extend(work() for _ in range(25))) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

        assert len(set(ids)) == 200
        assert len(runs.all()) == 200


class TestFunctionsThatReturnWhatIsStillToRun:
    """A wrapper around a coroutine function or a generator is a plain function; the work comes after its return."""

    def test_the_run_lasts_until_the_coroutine_has_ended(self, runs):
        async def work():
            await asyncio.sleep(0)
            with trace.get_tracer("x").start_as_current_span("s"):
                emit_outcome("partial")
            return current_run_id()

        async def main():
            coroutine = workflow()(wrapper(work))()
            assert current_run_id() is None
            return await coroutine, current_run_id()

        inside, after = asyncio.run(main())

        run = runs.only()
        assert (inside, after) == (run.attributes[semconv.RUN_ID], None)
        assert run.outcome_attributes == {"status": "partial"}
        assert [span.name for span in run.spans[1:]] == ["s"]

    def test_an_exception_in_the_coroutine_fails_the_run(self, runs):
        class Work:
            async def __call__(self):
                raise LookupError

        with pytest.raises(LookupError):
            asyncio.run(workflow()(Work())())
        assert runs.only().outcome_attributes["reason"] == "LookupError"

    def test_the_run_lasts_until_the_generator_has_ended(self, runs):
        def numbers():
            yield current_run_id()
            emit_outcome("partial")

        (inside,) = workflow()(wrapper(numbers))()

        run = runs.only()
        assert inside == run.attributes[semconv.RUN_ID]
        assert run.outcome_attributes == {"status": "partial"}

    def test_the_run_lasts_until_the_async_generator_has_ended(self, runs):
        async def numbers():
            yield current_run_id()
            emit_outcome("partial")

        async def main():
            return [inside async for inside in workflow()(wrapper(numbers))()]

        (inside,) = asyncio.run(main())

        run = runs.only()
        assert inside == run.attributes[semconv.RUN_ID]
        assert run.outcome_attributes == {"status": "partial"}

    def test_what_the_body_says_as_it_is_dropped_stands(self, runs):
        def numbers():
            try:
                yield 1
            finally:
                emit_outcome("partial")

        iterator = workflow()(wrapper(numbers))()
        next(iterator)
        del iterator
        gc.collect()

        assert runs.only().outcome_attributes == {"status": "partial"}

    def test_one_that_is_never_used_ends_its_run(self, runs):
        workflow()(lambda: (number for number in range(3)))()
        gc.collect()

        assert runs.only().outcome_attributes["status"] == "canceled"
        assert current_run_id() is None


class TestGenerators:
    def test_the_run_lasts_to_the_end_of_iteration(self, runs):
        inside = []

        @workflow()
        def numbers():
            for number in range(3):
                inside.append(current_run_id())
                with trace.get_tracer("x").start_as_current_span(f"s{number}"):
                    yield number
            return "done"

        outside = []
        iterator = numbers()
        result = []
        for _ in range(3):
            result.append(next(iterator))
            outside.append(current_run_id())
        with pytest.raises(StopIteration) as stop:
            next(iterator)

        assert stop.value.value == "done"
        assert result == [0, 1, 2]
        assert len(set(inside)) == 1
        assert outside == [None] * 3
        run = runs.only()
        assert run.outcome_attributes["status"] == "success"
        assert [span.name for span in run.spans[1:]] == ["s0", "s1", "s2"]
        assert all(span.parent.span_id == run.root.context.span_id for span in run.spans[1:])

    def test_what_is_sent_and_thrown_reaches_the_body(self, runs):
        @workflow()
        def echo():
            received = yield "ready"
            try:
                yield received
            except KeyError:
                yield "caught"

        iterator = echo()
        assert [next(iterator), iterator.send("hello"), iterator.throw(KeyError())] == ["ready", "hello", "caught"]
        iterator.close()

    def test_an_exception_in_the_body_fails_the_run(self, runs):
        @workflow()
        def work():
            yield 1
            raise LookupError

        with pytest.raises(LookupError):
            list(work())

        assert runs.only().outcome_attributes == {
            "status": "failed",
            "reason": "LookupError",
            "error_type": "LookupError",
            "auto": True,
        }

    @pytest.mark.parametrize("end", [lambda iterator: iterator.close(), lambda _: gc.collect()])
    def test_closing_early_cancels_the_run(self, runs, end):
        @workflow()
        def work():
            yield 1
            yield 2

        iterator = work()
        next(iterator)
        end(iterator)
        del iterator
        gc.collect()

        assert runs.only().outcome_attributes["status"] == "canceled"

    def test_an_outcome_emitted_before_closing_stands(self, runs):
        @workflow()
        def work():
            emit_outcome("success", value_type="pages", value_amount=1)
            yield 1

        iterator = work()
        next(iterator)
        iterator.close()

        assert runs.only().outcome_attributes["status"] == "success"

    def test_one_that_is_never_iterated_is_no_run(self, runs):
        @workflow()
        def work():
            yield 1

        work()
        gc.collect()
        assert runs.all() == []

    def test_a_body_resumed_in_another_thread_finds_its_run(self, runs, caplog):
        inside = []

        @workflow()
        def work():
            with trace.get_tracer("x").start_as_current_span("s"):
                inside.append(current_run_id())
                yield 1
                inside.append(current_run_id())

        iterator = work()
        next(iterator)
        thread = threading.Thread(target=lambda: list(iterator))
        thread.start()
        thread.join()

        assert len(set(inside)) == 1
        assert runs.only().outcome_attributes["status"] == "success"
        assert caplog.text == ""

    def test_two_interleaved_keep_their_runs_apart(self, runs):
        @botanu_workflow("w", event_id=lambda name: name, customer_id="c")
        def work(name):
            for _ in range(2):
                yield current_run().identity[semconv.EVENT_ID]

        assert list(zip(work("a"), work("b"), strict=True)) == [("a", "b"), ("a", "b")]


class TestAsyncGenerators:
    def test_the_run_lasts_to_the_end_of_iteration(self, runs):
        @workflow()
        async def numbers():
            for number in range(3):
                await asyncio.sleep(0)
                with trace.get_tracer("x").start_as_current_span(f"s{number}"):
                    yield current_run_id()

        async def consume():
            return [(inside, current_run_id()) async for inside in numbers()]

        pairs = asyncio.run(consume())

        assert len({inside for inside, _ in pairs}) == 1
        assert [outside for _, outside in pairs] == [None] * 3
        assert len(runs.only().spans[1:]) == 3

    def test_what_is_sent_and_thrown_reaches_the_body(self, runs):
        @workflow()
        async def echo():
            received = yield "ready"
            try:
                yield received
            except KeyError:
                yield "caught"

        async def talk():
            iterator = echo()
            said = [await anext(iterator), await iterator.asend("hello"), await iterator.athrow(KeyError())]
            await iterator.aclose()
            return said

        assert asyncio.run(talk()) == ["ready", "hello", "caught"]
        assert runs.only().outcome_attributes["status"] == "canceled"

    def test_an_exception_in_the_body_fails_the_run(self, runs):
        @workflow()
        async def work():
            yield 1
            raise LookupError

        async def consume():
            async for _ in work():
                pass

        with pytest.raises(LookupError):
            asyncio.run(consume())
        assert runs.only().outcome_attributes["reason"] == "LookupError"

    def test_one_still_open_when_the_loop_ends_cleans_up_in_its_run(self, runs, caplog):
        kept = []

        @workflow()
        async def work():
            try:
                yield 1
            finally:
                await asyncio.sleep(0.01)
                emit_outcome("partial")

        async def consume():
            iterator = work()
            kept.append(iterator)
            await anext(iterator)

        asyncio.run(consume())

        assert runs.only().outcome_attributes == {"status": "partial"}
        assert caplog.text == ""

    def test_a_call_with_wrong_arguments_is_a_failed_run_as_for_every_function(self, runs):
        @workflow()
        async def asynchronous(number):
            yield number

        @workflow()
        def synchronous(number):
            yield number

        async def consume():
            async for _ in asynchronous():
                pass

        with pytest.raises(TypeError, match="number"):
            asyncio.run(consume())
        with pytest.raises(TypeError, match="number"):
            list(synchronous())
        assert [run.outcome_attributes["reason"] for run in runs.all()] == ["TypeError", "TypeError"]

    def test_switched_off_it_is_as_if_not_decorated(self, runs):
        asked = []

        @botanu_workflow("w", event_id=asked.append, customer_id="c")
        async def echo(number):
            received = yield number
            yield received

        async def talk():
            iterator = echo(1)
            return [await anext(iterator), await iterator.asend(2), [item async for item in iterator]]

        botanu.disable()
        assert asyncio.run(talk()) == [1, 2, []]
        assert asked == []

    def test_one_left_half_way_is_closed_by_the_loop(self, runs, caplog):
        @workflow()
        async def work():
            with trace.get_tracer("x").start_as_current_span("s"):
                yield 1
                yield 2

        async def consume():
            async for _ in work():
                break
            gc.collect()
            await asyncio.sleep(0.01)

        asyncio.run(consume())

        assert runs.only().outcome_attributes["status"] == "canceled"
        assert caplog.text == ""

    def test_closing_in_another_task_ends_the_run(self, runs, caplog):
        @workflow()
        async def work():
            yield 1

        async def consume():
            iterator = work()
            await anext(iterator)
            await asyncio.create_task(iterator.aclose())

        asyncio.run(consume())

        assert runs.only().outcome_attributes["status"] == "canceled"
        assert caplog.text == ""

    def test_cancellation_at_an_await_in_the_body_cancels_the_run(self, runs):
        @workflow()
        async def work():
            await asyncio.sleep(60)
            yield 1

        async def consume():
            async with asyncio.timeout(0.01):
                async for _ in work():
                    pass

        with pytest.raises(TimeoutError):
            asyncio.run(consume())
        assert runs.only().outcome_attributes["reason"] == "CancelledError"


class TestContextManager:
    @pytest.mark.usefixtures("lenient")
    def test_a_processor_of_the_programs_that_fails_leaves_no_run_behind(self, runs, monkeypatch, caplog):
        def fail(self, span):
            raise RuntimeError("theirs")

        monkeypatch.setattr(RunProcessor, "on_end", fail)
        with run_botanu("w", event_id="e", customer_id="c"), track_llm_call(provider="p", model="m"):
            pass

        assert current_run_id() is None
        assert not trace.get_current_span().get_span_context().is_valid
        assert "internal fault, the program goes on without: RuntimeError" in caplog.text

    def test_with_yields_the_run(self, runs):
        with run_botanu("w", event_id="e", customer_id="c") as run:
            assert run.run_id == current_run_id()
            assert run.workflow == "w"
            run.emit_outcome("success", value_type="orders", value_amount=1)
            assert run.outcome.value_amount == 1

        assert runs.only().outcome_attributes == {"status": "success", "value_type": "orders", "value_amount": 1}

    def test_async_with_yields_the_run(self, runs):
        async def work():
            async with run_botanu("w", event_id="e", customer_id="c") as run:
                await asyncio.sleep(0)
                emit_outcome("partial")
                return run.run_id

        assert asyncio.run(work()) == runs.only().attributes[semconv.RUN_ID]

    def test_one_that_was_never_opened_may_be_closed(self, runs):
        run_botanu("w", event_id="e", customer_id="c").close(None)
        assert runs.all() == []

    def test_one_serves_one_run(self, runs):
        scope = run_botanu("w", event_id="e", customer_id="c")
        with scope:
            pass
        with pytest.raises(RuntimeError, match="make a new one"), scope:
            pass
