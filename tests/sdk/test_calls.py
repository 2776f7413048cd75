import asyncio
import gc
import os
import threading

import pytest
from opentelemetry import trace
from opentelemetry.context import get_current
from opentelemetry.trace import SpanKind
from support.process import run_python

import botanu
from botanu import (
    IdentityError,
    record_usage,
    run_botanu,
    semconv,
    track_db_operation,
    track_llm_call,
    track_messaging_operation,
    track_storage_operation,
    track_tool_call,
)

TRACKERS = [
    lambda **given: track_llm_call(**{"provider": "p", **given}, model="m"),
    lambda **given: track_tool_call("t", **given),
    lambda **given: track_db_operation("postgresql", "SELECT", **given),
    lambda **given: track_storage_operation("s3", "GetObject", **given),
    lambda **given: track_messaging_operation("kafka", "send", destination="d", **given),
]

every_tracker = pytest.mark.parametrize("track", TRACKERS, ids=["llm", "tool", "db", "storage", "messaging"])


def run():
    return run_botanu("w", event_id="e", customer_id="c")


class TestTools:
    def test_a_tool_bears_the_conventions_names(self, runs):
        with run(), track_tool_call("web_search", call_id="call_1"):
            pass

        (span,) = runs.only().spans[1:]
        assert span.name == "execute_tool web_search"
        assert span.kind is SpanKind.INTERNAL
        assert {name: value for name, value in span.attributes.items() if name.startswith("gen_ai.")} == {
            "gen_ai.operation.name": "execute_tool",
            "gen_ai.tool.name": "web_search",
            "gen_ai.tool.call.id": "call_1",
        }

    def test_a_tool_that_somebody_bills_is_a_client_of_theirs(self, runs):
        with track_tool_call("web_search", vendor="tavily"):
            pass

        (span,) = runs.spans()
        assert span.kind is SpanKind.CLIENT
        assert span.attributes[semconv.PROVIDER] == "tavily"
        assert semconv.GEN_AI_PROVIDER_NAME not in span.attributes

    @pytest.mark.parametrize("name", ["", None, ["web_search"]])
    def test_a_tool_has_a_name(self, name):
        with pytest.raises(IdentityError, match="name must"):
            track_tool_call(name)


class TestEveryCall:
    @every_tracker
    def test_it_is_given_one_provider(self, track):
        with pytest.raises(IdentityError, match="give provider= or vendor=, not both"):
            track(provider="p", vendor="v")

    @every_tracker
    def test_it_yields_itself_and_bears_the_runs_identity(self, runs, track):
        call = track()
        with run() as around, call as yielded:
            assert yielded is call

        (span,) = runs.only().spans[1:]
        assert around.identity.items() <= span.attributes.items()
        assert span.status.is_unset

    @every_tracker
    def test_a_failure_is_told_by_its_class_alone_and_goes_on(self, runs, track):
        async def work():
            async with track():
                raise ConnectionError("secret")

        with pytest.raises(ConnectionError, match="secret"):
            asyncio.run(work())

        (span,) = runs.spans()
        assert span.attributes[semconv.ERROR_TYPE] == "ConnectionError"
        assert span.status.description == "ConnectionError"
        assert "secret" not in span.to_json()

    @every_tracker
    def test_it_is_used_once(self, runs, track):
        call = track()
        with call:
            pass
        with pytest.raises(RuntimeError, match="this call has been started already; make a new one"):
            call.__enter__()
        assert len(runs.spans()) == 1

    @every_tracker
    def test_switched_off_it_does_nothing(self, track):
        botanu.disable()
        before = get_current()
        with track() as call:
            call.set_error("none")
            record_usage(pages=1)
            assert get_current() is before

    def test_the_context_before_it_comes_back(self, runs):
        before = get_current()
        with track_tool_call("t"):
            assert trace.get_current_span().get_span_context().is_valid
        assert get_current() == before

    def test_calls_inside_a_call_are_its_children(self, runs):
        with track_tool_call("outer"), track_llm_call(provider="openai", model="inner"):
            pass

        outer, inner = runs.spans()
        assert inner.parent.span_id == outer.context.span_id

    def test_a_consumer_that_stops_early_makes_no_failed_call(self, runs):
        def stream():
            with track_llm_call(provider="openai", model="m"):
                yield "a"

        next(stream())
        gc.collect()

        (span,) = runs.spans()
        assert semconv.ERROR_TYPE not in span.attributes
        assert span.status.is_unset

    @pytest.mark.parametrize(("error", "told"), [(TimeoutError("secret"), "TimeoutError"), ("rate_limited",) * 2])
    def test_an_error_that_was_dealt_with_can_be_told(self, runs, error, told):
        with track_llm_call("openai", "m") as call:
            call.set_error(error)

        (span,) = runs.spans()
        assert span.attributes[semconv.ERROR_TYPE] == told
        assert not span.status.is_ok
        assert "secret" not in span.to_json()

    def test_what_is_said_outside_the_block_is_not_recorded_and_that_is_logged_once(
        self, runs, lenient, caplog, monkeypatch
    ):
        monkeypatch.setattr("botanu.sdk.guard.guard._said", set())
        call = track_llm_call("openai", "m").set_tokens(1)
        with call:
            pass
        for _ in range(3):
            call.set_tokens(1).set_response(model="m-1").set_error("late")

        (span,) = runs.spans()
        assert not span.attributes.keys() & {semconv.GEN_AI_INPUT_TOKENS, semconv.GEN_AI_RESPONSE_MODEL}
        assert [record.getMessage() for record in caplog.records] == [
            "LlmCall was told something outside its block: not recorded"
        ]

    def test_threads_set_tokens_of_one_call(self, runs):
        with track_llm_call("openai", "m") as call:
            threads = [threading.Thread(target=call.set_tokens, args=(number, number)) for number in range(8)]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()

        (span,) = runs.spans()
        assert span.attributes[semconv.GEN_AI_INPUT_TOKENS] in range(8)


PROGRAM = """
import json, logging, os, sys
import botanu
from botanu import record_usage, run_botanu, track_llm_call, track_tool_call
from opentelemetry import trace
from opentelemetry.context import get_current
from opentelemetry.sdk.trace import SpanProcessor, TracerProvider
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

class Mine(SpanProcessor):
    starts, breaks = [], os.environ.get("BREAKS")

    def on_start(self, span, parent_context=None):
        self.starts.append(dict(span.attributes))
        if self.breaks == "set":
            span.set_attributes = self.fail
        if self.breaks == "start":
            self.fail()

    def on_end(self, span):
        if self.breaks == "end":
            self.fail()

    def fail(self, *_):
        raise OSError

class Log(logging.Handler):
    lines = []

    def emit(self, record):
        self.lines.append(record.getMessage())

logging.getLogger("botanu").addHandler(Log())
provider = TracerProvider()
provider.add_span_processor(Mine())
trace.set_tracer_provider(provider)
exporter = InMemorySpanExporter()
botanu.enable(exporter=exporter)
"""


def test_a_call_bears_the_runs_identity_from_its_start():
    """A sampler, and processors of the program's own, see it."""
    identity, start = run_python(
        PROGRAM
        + """
with run_botanu("w", event_id="e", customer_id="c") as run, track_llm_call("openai", "m"):
    print(json.dumps([run.identity, Mine.starts[-1]]))
"""
    )

    assert identity.items() <= start.items()
    assert start["gen_ai.request.model"] == "m"


CALL = """
before = get_current()
try:
    with track_llm_call("openai", "m") as call:
        call.set_tokens(1, 2)
except OSError as error:
    Log.lines.append("raised")
print(json.dumps([get_current() is before, Log.lines]))
"""


@pytest.mark.parametrize("breaks", ["start", "set", "end"])
def test_what_fails_inside_opentelemetry_does_not_reach_the_program_unless_strict(breaks):
    back, said = run_python(PROGRAM + CALL, BREAKS=breaks)
    _, strictly = run_python(PROGRAM + CALL, BREAKS=breaks, BOTANU_STRICT="true")

    assert back
    assert said == ["internal fault, the program goes on without: OSError"]
    assert strictly == ["raised"]


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no fork")
def test_a_forks_child_does_not_end_its_parents_call_and_reports_usage_on_its_own():
    parent, child = run_python(
        PROGRAM
        + """
def ended():
    botanu.flush()
    return [[span.name, {k: v for k, v in span.attributes.items() if "usage" in k}]
            for span in exporter.get_finished_spans()]

reading, writing = os.pipe()
with track_tool_call("t"):
    record_usage(pages=1)
    child = os.fork()
    record_usage(pages=1)
if child == 0:
    os.write(writing, json.dumps(ended()).encode())
    sys.exit()
os.waitpid(child, 0)
print(json.dumps([ended(), json.loads(os.read(reading, 10_000))]))
"""
    )

    assert parent == [["execute_tool t", {"botanu.usage.pages": 2}]]
    assert child == [["usage", {"botanu.usage.pages": 1}]]
