import asyncio
import inspect

import pytest
from opentelemetry import trace
from opentelemetry.context import get_current
from opentelemetry.trace import SpanKind

import botanu
from botanu import (
    IdentityError,
    botanu_workflow,
    record_usage,
    run_botanu,
    semconv,
    set_business_context,
    step,
    track_llm_call,
)


def run(name="w", **given):
    return run_botanu(name, event_id="e", customer_id="c", **given)


def steps(spans):
    return {span.name: span.attributes.get(semconv.STEP) for span in spans}


def work():
    with trace.get_tracer("x").start_as_current_span("work"):
        pass


class TestStep:
    def test_a_step_is_a_span_and_those_inside_bear_its_name(self, runs):
        with run(), step("retrieve"):
            work()
            with track_llm_call("openai", "m"):
                record_usage(provider="tavily", searches=1)

        captured = runs.only()
        assert steps(captured.spans[1:]) == dict.fromkeys(["retrieve", "work", "chat m", "usage"], "retrieve")
        span = captured.spans[1]
        assert span.kind is SpanKind.INTERNAL
        assert span.parent.span_id == captured.root.context.span_id
        assert semconv.STEP not in captured.attributes

    def test_the_innermost_wins_and_after_it_the_one_around_is_back(self, runs):
        with run():
            with step("outer"):
                with step("inner"):
                    pass
                work()
            with trace.get_tracer("x").start_as_current_span("after"):
                pass

        assert steps(runs.only().spans[1:]) == {"inner": "inner", "work": "outer", "outer": "outer", "after": None}

    def test_a_run_inside_a_step_is_in_no_step(self, runs):
        with run(), step("retrieve"), run("inner"):
            work()

        assert steps(runs.of("inner").spans[1:]) == {"work": None}
        assert semconv.STEP not in runs.of("inner").attributes

    def test_outside_any_run_the_span_says_its_step_all_the_same(self, runs):
        with step("retrieve"):
            pass

        assert steps(runs.spans()) == {"retrieve": "retrieve"}

    def test_it_works_asynchronously_and_tells_a_failure_by_its_class(self, runs):
        async def fail():
            async with step("retrieve"):
                raise ConnectionError("secret")

        with pytest.raises(ConnectionError, match="secret"):
            asyncio.run(fail())

        (span,) = runs.spans()
        assert span.attributes[semconv.ERROR_TYPE] == "ConnectionError"
        assert "secret" not in span.to_json()

    def test_it_is_used_once_and_yields_nothing(self, runs):
        once = step("retrieve")
        with once as given:
            assert given is None
        with pytest.raises(RuntimeError, match="this step has been started already"), once:
            pass

    @pytest.mark.parametrize("name", ["", None, ["retrieve"]])
    def test_it_has_a_name(self, name):
        with pytest.raises(IdentityError, match="name must"):
            step(name)

    def test_switched_off_it_does_nothing(self):
        botanu.disable()
        before = get_current()
        with step("retrieve"):
            assert get_current() is before


class TestDecorator:
    def test_a_function_keeps_its_signature_and_is_a_step_at_every_call(self, runs):
        @step("retrieve")
        def retrieve(query, *, limit=3):
            """Look up."""
            work()
            return [query] * limit

        with run():
            assert retrieve("a") == ["a"] * 3
            assert retrieve("b", limit=1) == ["b"]

        assert [span.name for span in runs.only().spans[1:]] == ["retrieve", "work"] * 2
        assert str(inspect.signature(retrieve)) == "(query, *, limit=3)"
        assert retrieve.__doc__ == "Look up."

    def test_a_coroutine_is_in_its_step_to_its_end(self, runs):
        @step("retrieve")
        async def retrieve():
            await asyncio.sleep(0)
            work()
            return 5

        assert asyncio.run(retrieve()) == 5
        assert inspect.iscoroutinefunction(retrieve)
        with run():
            asyncio.run(retrieve())
        assert steps(runs.only().spans[1:])["work"] == "retrieve"

    def test_a_generator_is_in_its_step_and_its_consumer_is_not(self, runs):
        @step("retrieve")
        def retrieve():
            yield from ("a", "b")
            work()

        @step("retrieve")
        async def retrieve_async():
            yield "a"
            yield "b"
            work()

        async def consume():
            return [(item, trace.get_current_span()) async for item in retrieve_async()]

        with run():
            root = trace.get_current_span()
            assert [(item, trace.get_current_span()) for item in retrieve()] == [("a", root), ("b", root)]
            assert asyncio.run(consume()) == [("a", root), ("b", root)]

        assert [(span.name, span.attributes[semconv.STEP]) for span in runs.only().spans[1:]] == [
            ("retrieve", "retrieve"),
            ("work", "retrieve"),
        ] * 2

    def test_what_a_function_returns_to_be_run_later_is_in_its_step(self, runs):
        def body():
            yield 1
            work()

        with run():
            assert list(step("retrieve")(lambda: body())()) == [1]  # noqa: PLW0108 - a wrapper is the point

        assert steps(runs.only().spans[1:]) == {"work": "retrieve", "retrieve": "retrieve"}

    def test_switched_off_the_function_runs_as_it_is(self):
        botanu.disable()
        assert step("retrieve")(lambda: 5)() == 5

    def test_what_cannot_be_called_is_refused_where_it_is_written(self):
        with pytest.raises(TypeError, match="put the decorator below @classmethod"):
            step("retrieve")(classmethod(work))


GIVEN = {"team": "growth", "cost_center": "cc-7", "region": "eu"}


def context(attributes):
    return {name: attributes.get(f"botanu.{name}") for name in GIVEN}


class TestBusinessContext:
    def test_the_root_and_what_starts_later_bear_it(self, runs):
        with run():
            work()
            set_business_context(**GIVEN)
            work()

        captured = runs.only()
        before, after = captured.spans[1:]
        assert context(captured.attributes) == context(after.attributes) == GIVEN
        assert context(before.attributes) == dict.fromkeys(GIVEN)

    def test_runs_inside_inherit_it_and_may_say_otherwise_without_changing_the_one_around(self, runs):
        with run("outer"):
            set_business_context(**GIVEN)
            with run("inner"):
                set_business_context(team="support")

        assert context(runs.of("inner").attributes) == GIVEN | {"team": "support"}
        assert context(runs.of("outer").attributes) == GIVEN

    def test_what_is_not_given_stays_as_it_is(self, runs):
        with run():
            set_business_context(team="growth", region="eu")
            set_business_context(team=None, cost_center=7, region="")
            set_business_context()

        assert context(runs.only().attributes) == {"team": "growth", "cost_center": "7", "region": "eu"}

    def test_it_is_the_runs_from_any_depth(self, runs):
        @botanu_workflow("w", event_id="e", customer_id="c")
        def decorated():
            with step("bill"), track_llm_call("openai", "m"):
                set_business_context(cost_center="cc-7")

        decorated()

        assert runs.only().attributes[semconv.COST_CENTER] == "cc-7"

    @pytest.mark.parametrize("given", [{"team": ["growth"]}, {"cost_center": {}}, {"region": object()}])
    def test_what_is_no_text_is_refused(self, runs, given):
        with pytest.raises(IdentityError, match=f"{next(iter(given))} must be text or a number"), run():
            set_business_context(**given)

    def test_outside_any_run_it_is_logged_once(self, runs, lenient, caplog, monkeypatch):
        monkeypatch.setattr("botanu.sdk.guard.guard._said", set())
        for _ in range(2):
            set_business_context(team="growth")

        assert [record.getMessage() for record in caplog.records] == [
            "set_business_context() was called outside any run: not recorded"
        ]

    def test_after_the_end_of_the_run_it_is_logged_once(self, runs, lenient, caplog, monkeypatch):
        monkeypatch.setattr("botanu.sdk.guard.guard._said", set())

        async def late(over):
            await over.wait()
            set_business_context(team="growth")
            set_business_context(team="growth")

        async def program():
            over = asyncio.Event()
            with run():
                task = asyncio.create_task(late(over))
                await asyncio.sleep(0)
            over.set()
            await task

        asyncio.run(program())

        assert context(runs.only().attributes) == dict.fromkeys(GIVEN)
        assert [record.getMessage() for record in caplog.records] == [
            "botanu.team came after the end of the run: not recorded"
        ]

    def test_switched_off_it_does_nothing(self, caplog):
        botanu.disable()
        set_business_context(team="growth")
        with run():
            set_business_context(team="growth")
        assert caplog.text == ""
