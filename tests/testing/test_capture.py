import asyncio
import logging
import threading
from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal

import pytest
from opentelemetry import trace

import botanu
from botanu import Outcome, botanu_workflow, emit_outcome, run_botanu, semconv, track_llm_call, track_tool_call
from botanu.testing import CapturedCall, StrictError, Tokens, capture_runs


def work(workflow="work", **options):
    return run_botanu(workflow, event_id="e-1", customer_id="c-1", **options)


def test_a_run_is_captured_with_its_outcome():
    @botanu_workflow("refund", event_id="e-1", customer_id="c-1")
    def refund():
        emit_outcome("partial", value_type="refunds", value_amount=3)

    with capture_runs() as runs:
        refund()

    assert runs.only().outcome == Outcome("partial", value_type="refunds", value_amount=3)


def test_a_run_says_who_it_is(runs):
    with work("outer", attempt=2), work("inner"):
        pass

    outer, inner = runs.all()
    assert (outer.workflow, outer.event_id, outer.customer_id, outer.attempt) == ("outer", "e-1", "c-1", 2)
    assert outer.run_id == outer.attributes[semconv.RUN_ID]
    assert (outer.parent_run_id, outer.root_run_id) == (None, outer.run_id)
    assert (inner.parent_run_id, inner.root_run_id, inner.attempt) == (outer.run_id, outer.run_id, None)
    assert [child.run_id for child in outer.children] == [inner.run_id]
    assert inner.children == ()


def test_every_outcome_is_there_and_the_last_is_the_runs(runs):
    with work():
        emit_outcome("failed", reason="first", confidence=0.5)
        emit_outcome("success", value_type="orders", value_amount=1, metadata={"batch": "b-1", "dry": False})

    run = runs.only()
    last = Outcome("success", value_type="orders", value_amount=1)
    assert run.outcomes == (Outcome("failed", reason="first", confidence=0.5), last)
    assert run.outcome == Outcome(
        "success", value_type="orders", value_amount=1, metadata=(("batch", "b-1"), ("dry", False))
    )
    assert run.outcome_attributes["count"] == 2


def elsewhere(headers, *outcomes):
    """Emit *outcomes* as another process does that was told of the run."""

    def work():
        with botanu.extract(headers):
            for outcome in outcomes:
                emit_outcome(outcome)

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()


class TestLateOutcomes:
    def test_one_that_was_emitted_beats_the_automatic_one(self, runs):
        with work() as run:
            pass
        run.emit_outcome("failed", reason="returned", metadata={"by": "ops"})

        run = runs.only()
        assert run.outcome == Outcome("failed", reason="returned", metadata=(("by", "ops"),))
        assert run.outcome_attributes == {"status": "failed", "reason": "returned", "metadata.by": "ops", "late": True}
        assert run.outcomes == (Outcome("success", auto=True), run.outcome)
        assert str(run) == ("run work: failed, reason=returned, metadata.by=ops, late\n  span botanu.outcome_emitted")

    def test_of_those_emitted_the_last_by_time_wins_as_a_whole(self, runs):
        with work() as run:
            emit_outcome("failed", reason="first")
            emit_outcome("partial", value_type="orders", value_amount=1)
        run.emit_outcome("success")
        run.emit_outcome("failed", reason="returned")

        run = runs.only()
        assert run.outcome == Outcome("failed", reason="returned")
        assert run.outcome_attributes["count"] == 4
        assert [each.status for each in run.outcomes] == ["failed", "partial", "success", "failed"]

    def test_one_from_elsewhere_before_the_end_is_before_the_runs_own(self, runs):
        headers = {}
        with work():
            botanu.inject(headers)
            elsewhere(headers, "partial")
            emit_outcome("success")

        run = runs.only()
        assert run.outcome == Outcome("success")
        assert run.outcome_attributes == {"status": "success", "count": 2}
        assert run.outcomes == (Outcome("partial"), Outcome("success"))

    @pytest.mark.parametrize("automatic", [True, False])
    def test_one_from_elsewhere_is_the_runs_if_it_has_none_of_its_own(self, runs, automatic):
        headers = {}
        with work(auto_outcome_on_success=automatic):
            botanu.inject(headers)
            elsewhere(headers, "partial")

        assert runs.only().outcome_attributes == {"status": "partial", "late": True}

    def test_their_faults_are_the_runs(self):
        with capture_runs(strict=False) as runs:
            with work() as run:
                emit_outcome("success", confidence=2)
            run.emit_outcome("success", value_amount="much")

        assert runs.only().faults == ("confidence: 2 is not in 0..1", "value_amount: str is not a number")


def test_an_automatic_outcome_is_marked_and_an_unrecorded_run_has_none(runs):
    with work("automatic"):
        pass
    with work("unrecorded", auto_outcome_on_success=False):
        pass

    assert runs.of("automatic").outcome == Outcome("success", auto=True)
    assert runs.of("unrecorded").outcome is None
    assert runs.of("unrecorded").outcomes == ()


def test_what_is_lacking_is_none_or_a_fault(runs, lenient):
    @botanu_workflow("work", event_id=lambda: 1 / 0, customer_id=lambda: None)
    def careless():
        emit_outcome("success", value_amount=float("nan"))

    careless()

    run = runs.only()
    assert (run.event_id, run.customer_id) == (None, None)
    assert run.faults == (
        "event_id: ZeroDivisionError",
        "customer_id: IdentityError",
        "value_amount: nan is not a finite number",
    )


def test_runs_are_in_the_order_of_their_start_and_their_spans_too(runs):
    tracer = trace.get_tracer("x")
    with work("first"), tracer.start_as_current_span("a"), tracer.start_as_current_span("b"):
        with work("second"):
            pass
        with work("third"):
            pass
    with tracer.start_as_current_span("outside"):
        pass

    assert [run.workflow for run in runs.all()] == ["first", "second", "third"]
    assert [run.workflow for run in runs.of("first").children] == ["second", "third"]
    assert [span.name for span in runs.of("first").spans] == ["first", "a", "b"]
    assert [span.name for span in runs.spans()] == ["first", "a", "b", "second", "third", "outside"]


def test_runs_of_threads_and_tasks_are_captured(runs):
    async def asynchronous():
        async with work("task"):
            await asyncio.sleep(0)

    def synchronous():
        with work("thread"):
            pass

    asyncio.run(asynchronous())
    with ThreadPoolExecutor(1) as pool:
        pool.submit(synchronous).result()

    assert [run.workflow for run in runs.all()] == ["task", "thread"]


@pytest.mark.parametrize("ask", [lambda runs: runs.only(), lambda runs: runs.of("work")])
def test_asking_for_one_run_where_there_is_none_or_more_says_what_there_is(runs, ask):
    with pytest.raises(AssertionError, match=r"expected one run.*, not 0; captured:\n$"):
        ask(runs)
    with work():
        pass
    assert ask(runs).workflow == "work"
    with work():
        emit_outcome("failed", reason="none left")
    with pytest.raises(
        AssertionError,
        match=r"expected one run.*, not 2; captured:\nrun work: success, auto\nrun work: failed, reason=",
    ):
        ask(runs)


def test_a_run_still_open_is_not_there_yet(runs):
    with work():
        assert runs.all() == []
    assert len(runs.all()) == 1


class TestCalls:
    def test_a_tracked_call_is_a_call_and_what_is_not_known_is_none(self, runs):
        with work(), track_llm_call(provider="openai", model="gpt-4o") as call:
            call.set_tokens(input_tokens=1200, reasoning_tokens=0).set_response(model="gpt-4o-2024-08-06")

        (call,) = runs.only().calls
        assert call == CapturedCall(
            "openai", "gpt-4o-2024-08-06", "chat", Tokens(input_tokens=1200, output_reasoning_tokens=0)
        )
        assert call.tokens.output_tokens is None
        assert call.span is runs.only().spans[1]

    def test_a_call_that_failed_has_its_error_and_no_tokens(self, runs):
        with (
            pytest.raises(ConnectionError),
            work(),
            track_llm_call(provider="openai", model="m", operation="embeddings"),
        ):
            raise ConnectionError

        assert runs.only().calls == (CapturedCall("openai", "m", "embeddings", error_type="ConnectionError"),)

    @pytest.mark.parametrize(
        ("attributes", "call"),
        [
            (
                {"gen_ai.system": "openai", "gen_ai.request.model": "m", "gen_ai.usage.prompt_tokens": 3},
                CapturedCall("openai", "m", None, Tokens(input_tokens=3)),
            ),
            (
                {"gen_ai.operation.name": "execute_tool", "gen_ai.tool.name": "search"},
                CapturedCall(None, None, "execute_tool"),
            ),
            (
                {"gen_ai.provider.name": "ocr", "botanu.usage.pages": 4, "botanu.usage.output_tokens": 7},
                CapturedCall("ocr", None, None, Tokens(output_tokens=7), usage={"pages": 4}),
            ),
            (
                {
                    "langfuse.observation.type": "generation",
                    "langfuse.observation.model.name": "gpt-4o",
                    "langfuse.observation.usage_details": '{"input": 60, "output": 15, "input_cached_tokens": 40}',
                    "langfuse.observation.cost_details": '{"input": 0.25, "output": 0.5}',
                },
                CapturedCall(
                    None,
                    "gpt-4o",
                    "chat",
                    Tokens(input_uncached_tokens=60, output_text_tokens=15, cache_read_tokens=40),
                    cost=Decimal("0.75"),
                    currency="USD",
                ),
            ),
            (
                {
                    "ai.operationId": "ai.generateText.doGenerate",
                    "ai.model.provider": "openai.chat",
                    "ai.model.id": "gpt-4o",
                    "ai.usage.inputTokens": 5,
                    "ai.response.providerMetadata": '{"openai": {"cachedPromptTokens": 3, "serviceTier": "flex"}}',
                },
                CapturedCall(
                    "openai.chat",
                    "gpt-4o",
                    "chat",
                    Tokens(input_tokens=5, cache_read_tokens=3),
                    service_tier="flex",
                ),
            ),
            ({"db.system.name": "postgresql", "db.response.returned_rows": 3}, None),
            ({"openinference.span.kind": "AGENT", "llm.cost.total": 0.5}, None),
            ({"gen_ai.operation.name": "invoke_agent", "gen_ai.usage.input_tokens": 3}, None),
            ({"gen_ai.request.model": "m"}, None),
            ({}, None),
        ],
    )
    def test_a_call_is_what_the_server_reads_as_one(self, runs, attributes, call):
        with work(), trace.get_tracer("theirs").start_as_current_span("s", attributes=attributes):
            pass

        assert runs.only().calls == (() if call is None else (call,))

    def test_a_call_has_the_cost_that_the_program_reports(self, runs):
        with work():
            with track_llm_call(provider="openai", model="m"):
                botanu.record_cost("0.0125")
                botanu.record_cost(0.1)
            botanu.record_cost("3", "eur", vendor="ocr")
            with track_llm_call(provider="openai", model="m"):
                pass

        assert [(call.provider, call.cost, call.currency) for call in runs.only().calls] == [
            ("openai", Decimal("0.1125"), "USD"),
            ("ocr", Decimal(3), "EUR"),
            ("openai", None, None),
        ]
        assert runs.only().calls[1] == CapturedCall("ocr", None, None, cost=Decimal(3), currency="EUR")
        assert runs.only().calls[1] != CapturedCall("ocr", None, None, cost=Decimal(3), currency="USD")

    def test_a_call_says_whether_the_server_counts_it(self, runs):
        with work():
            with track_llm_call(provider="openai", model="m"):
                pass
            with track_llm_call(provider="openai", model="m") as call:
                call.set_error("rate_limited")
            with track_tool_call("search"):
                pass
            with track_tool_call("search"):
                botanu.record_usage(searches=1)

        assert [call.counted for call in runs.only().calls] == [True, False, False, True]

    def test_what_is_reported_and_is_no_quantity_is_there_as_it_is(self, runs, lenient):
        with work(), track_llm_call(provider="openai", model="m") as call:
            call.record_usage(pages="three", input_tokens="many", images=2)

        (call,) = runs.only().calls
        assert call.usage == {"images": 2, "pages": "unknown", "input_tokens": "unknown"}
        assert call.tokens == Tokens()

    def test_calls_of_a_nested_run_are_its_own(self, runs):
        with work("outer"), work("inner"), track_llm_call(provider="p", model="m"):
            pass

        assert runs.of("outer").calls == ()
        assert len(runs.of("inner").calls) == 1


class TestTree:
    def test_it_shows_runs_calls_and_other_spans_where_they_happened(self, runs):
        tracer = trace.get_tracer("x")
        with work("refund"):
            with tracer.start_as_current_span("lookup"), track_llm_call(provider="openai", model="gpt-4o") as call:
                call.set_tokens(1200, 300)
            with work("notify"), tracer.start_as_current_span("send"):
                pass
            emit_outcome("partial", value_type="refunds", value_amount=3, metadata={"dry": True})
        with work("unrecorded", auto_outcome_on_success=False):
            pass

        tree = """\
run refund: partial, value_type=refunds, value_amount=3, metadata.dry
  span lookup
    call chat gpt-4o: provider=openai, model=gpt-4o, input_tokens=1200, output_tokens=300
  run notify: success, auto
    span send"""
        assert runs.of("refund").tree() == tree
        assert str(runs.of("refund")) == tree
        assert str(runs) == f"{tree}\nrun unrecorded: unrecorded"

    def test_it_shows_what_failed(self, runs):
        with pytest.raises(LookupError), work(), track_llm_call(provider="openai", model="m"):
            raise LookupError

        assert runs.only().tree() == (
            "run work: failed, reason=LookupError, error_type=LookupError, auto\n"
            "  call chat m: provider=openai, model=m, error.type=LookupError"
        )

    def test_it_shows_what_was_reported(self, runs):
        with work():
            with track_tool_call("search", provider="acme"):
                botanu.record_usage(searches=2, seconds=1.5)
                botanu.record_cost("0.0000125")
            botanu.record_cost(3, "EUR")

        assert runs.only().tree() == (
            "run work: success, auto\n"
            "  call execute_tool search: provider=acme, searches=2, seconds=1.5, cost=0.0000125 USD\n"
            "  call cost: cost=3 EUR"
        )

    def test_what_is_inside_a_span_that_is_not_there_is_shown_in_its_run(self, runs):
        tracer = trace.get_tracer("x")
        with work("outer"):
            open_still = tracer.start_span("open still")
            with trace.use_span(open_still), work("inner"), tracer.start_as_current_span("s"):
                pass

        assert runs.of("outer").tree() == "run outer: success, auto\n  run inner: success, auto\n    span s"


class TestStrictness:
    def test_a_warning_is_raised_where_the_mistake_is_every_time(self, runs):
        for _ in range(2):
            with pytest.raises(StrictError, match="emit_outcome\\(\\) was called outside any run: not recorded"):
                emit_outcome("success")
        with pytest.raises(StrictError, match="value_amount: nan is not a finite number"), work():
            emit_outcome("success", value_amount=float("nan"))

        assert [type(error) for error in runs.errors] == [StrictError] * 3
        runs.errors.clear()

    def test_a_failing_callable_is_raised_with_its_cause(self, runs):
        @botanu_workflow("work", event_id=lambda: 1 / 0, customer_id="c")
        def careless():
            raise AssertionError

        with pytest.raises(StrictError, match="event_id: ZeroDivisionError") as caught:
            careless()
        assert isinstance(caught.value.__cause__, ZeroDivisionError)
        runs.errors.clear()

    def test_a_fault_of_the_sdks_own_is_raised_as_it_is(self, runs, monkeypatch):
        def fail(*_):
            raise RuntimeError("ours")

        monkeypatch.setattr("botanu.sdk.scope.end_span", fail)
        monkeypatch.setattr("botanu.sdk.calls.end_span", fail)
        with pytest.raises(RuntimeError, match="ours"), work(), track_llm_call(provider="p", model="m"):
            pass
        assert [str(error) for error in runs.errors] == ["ours", "ours"]
        assert not trace.get_current_span().get_span_context().is_valid
        runs.errors.clear()

    def test_what_the_program_swallows_is_raised_at_the_end(self):
        def careful():
            try:
                emit_outcome("success")
            except Exception:  # noqa: BLE001 - as programs do
                emit_outcome("failed")

        thread = threading.Thread(target=lambda: ThreadPoolExecutor(1).submit(careful))
        with (  # noqa: PT012 - the end of the block is the point
            pytest.raises(StrictError, match=r"swallowed there: (StrictError: emit_outcome[^;]*(; |$)){2}") as caught,
            capture_runs(),
        ):
            thread.start()
            thread.join()
        assert isinstance(caught.value.__cause__, StrictError)

    def test_an_exception_that_leaves_the_block_is_not_replaced(self):
        with pytest.raises(StrictError, match=r"^emit_outcome"), capture_runs():
            emit_outcome("success")
        with pytest.raises(KeyError), capture_runs() as runs:  # noqa: PT012 - the end of the block is the point
            with pytest.raises(StrictError):
                emit_outcome("success")
            raise KeyError
        assert len(runs.errors) == 1

    def test_without_it_a_warning_is_logged_once_in_each_block(self, caplog):
        with caplog.at_level(logging.WARNING, "botanu"):
            for _ in range(2):
                with capture_runs(strict=False) as runs:
                    emit_outcome("success")
                    emit_outcome("success")
                assert runs.errors == []
        assert len(caplog.records) == 2


class TestBlocks:
    def test_each_sees_its_own_runs(self):
        with capture_runs() as first, work("first"):
            pass
        with capture_runs() as second, work("second"):
            pass

        assert (first.only().workflow, second.only().workflow) == ("first", "second")

    def test_what_started_in_the_one_before_is_not_seen(self):
        with capture_runs() as first:
            run = work("late")
            run.open()
        with capture_runs() as second:
            run.close(None)

        assert first.all() == []
        assert second.all() == []

    def test_of_two_in_one_another_the_inner_sees_what_happens_inside_it(self):
        with capture_runs() as outer:
            with capture_runs() as inner, work("inside"):
                pass
            with work("after"):
                pass

        assert (outer.only().workflow, inner.only().workflow) == ("after", "inside")

    def test_inside_settings_are_taken_up_and_recording_is_switched_off_and_on(self):
        with capture_runs() as runs:
            botanu.enable(environment="staging")
            with work("staged"):
                pass
            botanu.disable()
            with work("off"):
                pass
            botanu.enable(strict=False)
            with work("on"):
                pass
            with pytest.raises(StrictError):
                emit_outcome("success")
            runs.errors.clear()

        assert [run.workflow for run in runs.all()] == ["staged", "on"]
        assert runs.of("staged").attributes[semconv.ENVIRONMENT] == "staging"
        assert semconv.ENVIRONMENT not in runs.of("on").attributes
