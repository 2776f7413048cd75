"""Beside a tracer provider that takes no span processors: runs have a provider and a context apart."""

import pytest
from opentelemetry import trace
from opentelemetry.sdk.trace import TracerProvider
from support.collector import Collector
from support.process import run_python

from botanu.sdk.providers import underneath

APART = """
import asyncio, contextvars, json
from opentelemetry import context, trace
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

theirs = []
inner = TracerProvider()

class Provider(trace.TracerProvider):
    def get_tracer(self, *args, **kwargs):
        return Tracer()

class Tracer(trace.Tracer):
    def start_span(self, name, context=None, **kwargs):
        around = trace.get_current_span(context).get_span_context()
        theirs.append([name, f"{around.span_id:x}"])
        return inner.get_tracer("x").start_span(name, context, **kwargs)
    start_as_current_span = type(inner.get_tracer("x")).start_as_current_span

trace.set_tracer_provider(Provider())
tracer = trace.get_tracer("program")

import botanu
ours = InMemorySpanExporter()

def spans():
    assert botanu.flush()
    return ours.get_finished_spans()

def tree():
    names = {span.context.span_id: span.name for span in spans()}
    return {span.name: names.get(span.parent.span_id, "theirs") if span.parent else None for span in spans()}

def work():
    with botanu.track_llm_call(provider="openai", model="gpt-4o") as call:
        call.set_tokens(1, 2)
    botanu.emit_outcome("partial", reason=botanu.run_botanu.__name__)
"""


def play(code, **environ):
    return run_python(APART + code, **environ)


def test_our_spans_reach_us_alone_and_theirs_stay_as_they_were():
    """Trace id and parent of the outermost run are those of the foreign span around it."""
    result = play("""
botanu.enable(exporter=ours)
botanu.enable()
with tracer.start_as_current_span("request") as request:
    with botanu.run_botanu("outer", event_id="e", customer_id="c"):
        with tracer.start_as_current_span("database"):
            work()
        with botanu.run_botanu("inner", event_id="e", customer_id="c"):
            botanu.emit_outcome("failed")
with botanu.run_botanu("later", event_id="e", customer_id="c"):
    pass
here = request.get_span_context()
print(json.dumps([
    theirs == [["request", "0"], ["database", f"{here.span_id:x}"]],
    tree(),
    {s.name: s.attributes.get("botanu.outcome.status") for s in spans()},
    {s.name: s.attributes["botanu.workflow"] for s in spans()},
    sorted(s.name for s in spans() if s.context.trace_id == here.trace_id),
    [s.parent.span_id == here.span_id for s in spans() if s.name == "outer"],
    trace.get_current_span() is trace.INVALID_SPAN,
]))
""")
    assert result == [
        True,
        {"chat gpt-4o": "outer", "inner": "outer", "outer": "theirs", "later": None},
        {"chat gpt-4o": None, "inner": "failed", "outer": "partial", "later": "success"},
        {"chat gpt-4o": "outer", "inner": "inner", "outer": "outer", "later": "later"},
        ["chat gpt-4o", "inner", "outer"],
        [True],
        True,
    ]


def test_the_first_run_sends_to_the_server_as_where_no_provider_is_set():
    with Collector() as collector:
        result = play(
            """
with botanu.run_botanu("w", event_id="e", customer_id="c"):
    tracer.start_span("child").end()
print(json.dumps(theirs))
""",
            BOTANU_ENDPOINT=collector.url,
        )
    assert result == [["child", "0"]]
    assert [name for name, _ in collector.spans] == ["w"]


def test_an_unsampled_foreign_span_takes_no_run_from_us():
    result = play("""
from opentelemetry.trace import NonRecordingSpan, SpanContext
botanu.enable(exporter=ours)
unsampled = NonRecordingSpan(SpanContext(1, 2, is_remote=True))
with trace.use_span(unsampled), botanu.run_botanu("w", event_id="e", customer_id="c"):
    work()
print(json.dumps(tree()))
""")
    assert result == {"chat gpt-4o": "w", "w": "theirs"}


def test_tasks_generators_and_threads_that_carry_the_context_find_their_run():
    result = play("""
from concurrent.futures import ThreadPoolExecutor
botanu.enable(exporter=ours)

@botanu.botanu_workflow("task", event_id=lambda n: n, customer_id="c")
async def task(n):
    await asyncio.sleep(0)
    botanu.emit_outcome("success", value_amount=n)

@botanu.botanu_workflow("generator", event_id="e", customer_id="c")
def generator():
    yield 1
    botanu.emit_outcome("success", reason="inside")

async def main():
    await asyncio.gather(*(task(n) for n in range(5)))
asyncio.run(main())
for _ in generator():
    botanu.emit_outcome("failed", reason="not inside: said once, and recorded nowhere") if theirs else None
with botanu.run_botanu("thread", event_id="e", customer_id="c"), ThreadPoolExecutor() as pool:
    pool.submit(contextvars.copy_context().run, work).result()
print(json.dumps([
    sorted(s.attributes["botanu.outcome.value_amount"] for s in spans() if s.name == "task"),
    [s.attributes["botanu.outcome.reason"] for s in spans() if s.name == "generator"],
    [s.attributes["botanu.outcome.status"] for s in spans() if s.name == "thread"],
    [s.attributes["botanu.event_id"] for s in spans() if s.name == "task"] != [],
    tree()["chat gpt-4o"],
]))
""")
    assert result == [[0, 1, 2, 3, 4], ["inside"], ["partial"], True, "thread"]


def test_a_run_that_is_left_in_another_context_leaves_nothing_behind():
    result = play("""
botanu.enable(exporter=ours)
run = botanu.run_botanu("w", event_id="e", customer_id="c")
contextvars.copy_context().run(run.__enter__)
run.__exit__(None, None, None)
with botanu.run_botanu("next", event_id="e", customer_id="c"):
    pass
print(json.dumps(tree()))
""")
    assert result == {"w": None, "next": None}


def test_disabled_and_enabled_again_there_is_still_one_provider():
    result = play("""
for exporter in (InMemorySpanExporter(), ours):
    botanu.enable(exporter=exporter)
    with botanu.run_botanu("w", event_id="e", customer_id="c"):
        work()
    botanu.flush()
    if exporter is not ours:
        botanu.disable()
print(json.dumps([s.name for s in spans()]))
""")
    assert result == ["chat gpt-4o", "w"]


def test_a_run_open_while_the_provider_changes_ends_where_it_began():
    """Started when there was a provider of the SDK's; what is recorded then is apart."""
    result = play("""
from botanu.sdk import contexts
botanu.enable(exporter=ours)
contexts.keep_apart(apart=False)
with botanu.run_botanu("shared", event_id="e", customer_id="c"):
    contexts.keep_apart(apart=True)
    work()
print(json.dumps([tree(), len(context.get_current())]))
""")
    assert result == [{"chat gpt-4o": "shared", "shared": None}, 0]


REPLACED = """
import json
import sys
from opentelemetry import trace
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.sdk.trace.sampling import ALWAYS_OFF, ALWAYS_ON

class Wrapper(trace.TracerProvider):
    def __init__(self):
        self.provider = TracerProvider()
    def get_tracer(self, *args, **kwargs):
        outer = self
        class Tracer(trace.NoOpTracer):
            def start_span(self, *given, **named):
                return outer.provider.get_tracer(*args, **kwargs).start_span(*given, **named)
        return Tracer()
    def add_span_processor(self, processor):
        self.provider.add_span_processor(processor)
    def force_flush(self, timeout_millis=0):
        return self.provider.force_flush(timeout_millis)
    def configure(self, sampler):
        self.provider.shutdown()
        self.provider = TracerProvider(sampler=sampler)
        self.theirs = InMemorySpanExporter()
        self.add_span_processor(SimpleSpanProcessor(self.theirs))

wrapper = Wrapper()
trace.set_tracer_provider(wrapper)
import botanu

def work(name):
    with botanu.run_botanu(name, event_id="e", customer_id="c"):
        trace.get_tracer("x").start_span("child").end()
"""
"""A program whose provider stands before another one, and exchanges that, as Logfire's does."""


def test_runs_arrive_after_the_provider_was_exchanged_for_another():
    """The new one has another sampler, too."""
    with Collector() as collector:
        run_python(
            REPLACED
            + """
botanu.enable(endpoint=sys.argv[1])
work("first")
for sampler in (ALWAYS_ON, ALWAYS_OFF):
    wrapper.configure(sampler)
    work("later")
""",
            collector.url,
        )
    assert sorted(name for name, _ in collector.spans) == ["child", "child", "child", "first", "later", "later"]
    assert all(found["botanu.event_id"] == "e" for _, found in collector.spans)


def test_where_the_program_sends_its_spans_itself_they_are_stamped_after_the_exchange_as_well():
    result = run_python(
        REPLACED
        + """
work("first")
wrapper.configure(ALWAYS_ON)
work("later")
print(json.dumps([[span.name, span.attributes["botanu.event_id"]] for span in wrapper.theirs.get_finished_spans()]))
"""
    )
    assert result == [["child", "e"], ["later", "e"]]


def test_what_a_provider_that_was_shut_down_and_not_exchanged_makes_is_counted_as_dropped():
    with Collector() as collector:
        result = run_python(
            REPLACED
            + """
import dataclasses, logging
said = []
logging.getLogger("botanu").addFilter(lambda record: said.append(record.getMessage()))
botanu.enable(endpoint=sys.argv[1])
work("first")
wrapper.provider.shutdown()
work("later")
work("later")
status = botanu.status()
botanu.disable()
work("last")
print(json.dumps([status.recording, dataclasses.astuple(status.runs), botanu.status().runs == status.runs, said]))
""",
            collector.url,
        )
    assert [name for name, _ in collector.spans] == ["child", "first"]
    assert result[:3] == [False, [1, 2, 0], True]
    assert result[3] == ["spans are dropped: sending has ended; botanu.status() counts them"]


class Wrapper(trace.NoOpTracerProvider):
    def __init__(self, provider):
        self.provider = provider


@pytest.mark.parametrize("inner", [None, trace.NoOpTracerProvider()])
def test_a_provider_before_none_that_takes_processors_stands_for_itself(inner):
    wrapper = Wrapper(inner)

    assert underneath(wrapper) is wrapper


def test_the_provider_behind_a_wrapper_is_found():
    inner = TracerProvider()

    assert underneath(Wrapper(inner)) is inner
    assert underneath(inner) is inner


def test_messages_and_requests_take_the_run_along():
    """The run is found in the context apart; host and trace of a request are those of the program's own span."""
    result = play("""
from opentelemetry import propagate
botanu.enable(exporter=ours, baggage_hosts="localhost")

def request(host):
    headers = {}
    attributes = {"server.address": host}
    with tracer.start_as_current_span("GET", kind=trace.SpanKind.CLIENT, attributes=attributes) as span:
        propagate.inject(headers)
    assert f"{span.get_span_context().span_id:x}" in headers["traceparent"]
    return headers.get("baggage", "")

message = {}
with botanu.run_botanu("outer", event_id="e", customer_id="c") as outer:
    botanu.inject(message)
    told, other = request("localhost"), request("example.com")
with botanu.extract(message), botanu.run_botanu("inner", event_id="e", customer_id="c") as inner:
    parent = inner.identity["botanu.parent_run_id"]
print(json.dumps([outer.run_id in told, other, parent == outer.run_id, tree(), botanu.current_run()]))
""")
    assert result == [True, "", True, {"inner": "outer", "outer": None}, None]
