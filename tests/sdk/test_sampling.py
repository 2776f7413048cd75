"""Head sampling: runs are recorded whole, and the program's own exporters get what they got before."""

import pytest
from opentelemetry import trace
from opentelemetry.context import Context
from opentelemetry.sdk.trace import Tracer, TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.sdk.trace.sampling import (
    ALWAYS_OFF,
    ALWAYS_ON,
    DEFAULT_ON,
    Decision,
    ParentBased,
    Sampler,
    SamplingResult,
    TraceIdRatioBased,
)
from opentelemetry.trace import NonRecordingSpan, SpanContext, TraceFlags, TraceState, set_span_in_context
from support.process import run_python

from botanu import semconv
from botanu.sdk.guard import guard
from botanu.sdk.identity import run_in, with_run
from botanu.sdk.sampling import KeepRuns, keep_runs
from botanu.sdk.scope import Run

NAMES = ["botanu.workflow", "botanu.event_id", "botanu.customer_id"]

SAMPLED = """
import json, sys
from opentelemetry import trace
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.sdk.trace.sampling import *

simple, batch, ours = InMemorySpanExporter(), InMemorySpanExporter(), InMemorySpanExporter()
provider = TracerProvider(sampler=eval(sys.argv[1]))
for processor in (SimpleSpanProcessor(simple), BatchSpanProcessor(batch)):
    provider.add_span_processor(processor)
trace.set_tracer_provider(provider)
before = trace.get_tracer("made before enable")

import botanu
botanu.enable(exporter=ours)
botanu.enable()
after = trace.get_tracer("made after enable")

@botanu.botanu_workflow("outer", event_id="e-1", customer_id="c-1")
def work():
    with before.start_as_current_span("instrumented", attributes={"db.system": "x"}):
        with botanu.track_llm_call(provider="openai", model="gpt-4o") as call:
            call.set_tokens(1, 2)
    with botanu.run_botanu("inner", event_id="e-2", customer_id="c-2"):
        after.start_span("leaf").end()
    botanu.emit_outcome("success")
"""

REPORT = """
botanu.flush()
provider.force_flush()
print(json.dumps({
    "theirs": sorted(span.name for span in simple.get_finished_spans()),
    "batched": sorted(span.name for span in batch.get_finished_spans()),
    "ours": {
        span.name: {
            "sampled": bool(span.context.trace_flags.sampled),
            "parent": f"{span.parent.span_id:x}" if span.parent else None,
            "id": f"{span.context.span_id:x}",
            "attributes": dict(span.attributes),
        } for span in ours.get_finished_spans()
    },
    "count": len(ours.get_finished_spans()),
}))
"""

OF_RUNS = ["chat gpt-4o", "inner", "instrumented", "leaf", "outer"]


def play(sampler, code):
    return run_python(SAMPLED + code + REPORT, sampler)


def identity(span):
    return [span["attributes"].get(name) for name in NAMES]


@pytest.mark.parametrize(
    "sampler",
    [
        "ALWAYS_OFF",
        "TraceIdRatioBased(0.0)",
        "TraceIdRatioBased(1e-9)",
        "ParentBased(ALWAYS_OFF)",
        "ParentBasedTraceIdRatio(0.0)",
    ],
)
def test_what_is_dropped_inside_runs_reaches_us_alone_and_whole(sampler):
    """Root, nested run, tracked call and the spans of instrumentors; outside of runs nothing."""
    result = play(
        sampler,
        """
with before.start_as_current_span("request"):
    work()
after.start_span("outside").end()
""",
    )
    assert result["theirs"] == result["batched"] == []
    assert sorted(result["ours"]) == OF_RUNS
    assert result["count"] == len(OF_RUNS)
    ours = result["ours"]
    assert not any(span["sampled"] for span in ours.values())
    assert identity(ours["outer"]) == identity(ours["instrumented"]) == identity(ours["chat gpt-4o"])
    assert identity(ours["outer"]) == ["outer", "e-1", "c-1"]
    assert identity(ours["inner"]) == identity(ours["leaf"]) == ["inner", "e-2", "c-2"]
    assert ours["inner"]["attributes"]["botanu.parent_run_id"] == ours["outer"]["attributes"]["botanu.run_id"]
    assert ours["outer"]["attributes"]["botanu.outcome.status"] == "success"
    assert ours["outer"]["attributes"]["botanu.run.root"] is True
    assert ours["instrumented"]["attributes"]["db.system"] == "x"
    assert ours["chat gpt-4o"]["attributes"]["gen_ai.usage.output_tokens"] == 2
    assert ours["chat gpt-4o"]["parent"] == ours["instrumented"]["id"]
    assert ours["instrumented"]["parent"] == ours["inner"]["parent"] == ours["outer"]["id"]


@pytest.mark.parametrize("sampler", ["ALWAYS_ON", "DEFAULT_ON", "TraceIdRatioBased(1.0)"])
def test_what_is_sampled_stays_sampled(sampler):
    result = play(sampler, "work()\nafter.start_span('outside').end()\n")

    assert result["theirs"] == result["batched"] == sorted(result["ours"]) == sorted([*OF_RUNS, "outside"])
    assert all(span["sampled"] for span in result["ours"].values())


def test_of_many_runs_the_programs_exporter_gets_its_share_and_we_get_all():
    result = play(
        "TraceIdRatioBased(0.5)",
        """
for number in range(100):
    work()
    after.start_span("outside").end()
botanu.flush()
roots = [span for span in ours.get_finished_spans() if span.attributes.get("botanu.run.root")]
sampled = [span for span in ours.get_finished_spans() if span.context.trace_flags.sampled]
print(json.dumps([len(roots), len(sampled) == len(simple.get_finished_spans()), 0 < len(sampled) < 600]))
raise SystemExit
""",
    )
    assert result == [200, True, True]


@pytest.mark.parametrize("sampler", ["DEFAULT_ON", "ParentBased(TraceIdRatioBased(0.5))"])
def test_a_caller_that_does_not_sample_takes_no_run_from_us(sampler):
    """The parent came with ``traceparent: ...-00``."""
    result = play(
        sampler,
        """
from opentelemetry import context, propagate
caller = "0123456789abcdef"
carrier = {"traceparent": f"00-{caller * 2}-{caller}-00"}
token = context.attach(propagate.extract(carrier))
before.start_span("outside").end()
work()
context.detach(token)
""",
    )
    assert result["theirs"] == result["batched"] == []
    assert sorted(result["ours"]) == OF_RUNS
    assert result["ours"]["outer"]["parent"] == "123456789abcdef"


def test_spans_of_a_trusted_callers_run_are_kept_and_of_another_not():
    result = play(
        "ALWAYS_OFF",
        """
from opentelemetry import context, propagate
botanu.disable()
ours = InMemorySpanExporter()
botanu.enable(exporter=ours, trust_baggage=True)
for name, baggage in (("theirs", "botanu.run_id=r-1,botanu.workflow=theirs"), ("stray", "other=1")):
    before.start_span(name, context=propagate.extract({"baggage": baggage})).end()
""",
    )
    assert list(result["ours"]) == ["theirs"]
    assert result["ours"]["theirs"]["attributes"] == {"botanu.run_id": "r-1", "botanu.workflow": "theirs"}


def test_a_program_that_does_not_enable_keeps_its_sampler_and_is_told_once():
    """Runs go only where the program sends its spans."""
    result = run_python(
        """
import logging, sys
from opentelemetry import trace
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.sampling import ALWAYS_OFF
provider = TracerProvider(sampler=ALWAYS_OFF)
trace.set_tracer_provider(provider)
said = []
class Said(logging.Handler):
    def emit(self, record):
        said.append(record.getMessage())
logging.getLogger("botanu").addHandler(Said())
import botanu
for _ in range(3):
    with botanu.run_botanu("w", event_id="e", customer_id="c"):
        botanu.emit_outcome("success")
import json
print(json.dumps([provider.sampler is ALWAYS_OFF, said, botanu.status().runs_unrecorded]))
"""
    )
    assert result == [
        True,
        [
            (
                "a run was not recorded, and its cost is missing: the tracer provider's sampler dropped it. "
                "botanu.enable() keeps runs where that provider is OpenTelemetry's own"
            )
        ],
        3,
    ]


def test_a_provider_whose_sampler_cannot_be_had_is_told_once():
    result = run_python(
        """
import logging
from opentelemetry import trace
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
class Provider(trace.NoOpTracerProvider):
    def add_span_processor(self, processor): pass
    def force_flush(self, timeout_millis=0): return True
trace.set_tracer_provider(Provider())
said = []
class Said(logging.Handler):
    def emit(self, record):
        said.append(record.getMessage())
logging.getLogger("botanu").addHandler(Said())
import botanu
botanu.enable(exporter=InMemorySpanExporter())
for _ in range(2):
    with botanu.run_botanu("w", event_id="e", customer_id="c"):
        pass
import json
print(json.dumps([len(said), botanu.status().runs_unrecorded]))
"""
    )
    assert result == [1, 2]


# --- The sampler itself -------------------------------------------------------------------------------


class Choosy(Sampler):
    """As programs write them: with an attribute and a trace state of its own, and no more parameters than are used."""

    rate = 0.25

    def __init__(self, decision):
        self.decision = decision

    def should_sample(self, parent_context, trace_id, name, kind=None, attributes=None, links=None):
        return SamplingResult(self.decision, {"chosen.by": name}, TraceState([("vendor", "x")]))

    def get_description(self):
        return "Choosy"


@pytest.fixture
def inside():
    """A context inside a run."""
    return with_run(Context(), Run({semconv.RUN_ID: "r-1"}, None))


def test_attributes_and_trace_state_of_the_sampler_stay(inside):
    kept = KeepRuns(Choosy(Decision.DROP), run_in).should_sample(inside, 1, "n", attributes={"given": 1})

    assert kept.decision is Decision.RECORD_ONLY
    assert kept.attributes == {"given": 1, "chosen.by": "n"}
    assert kept.trace_state == TraceState([("vendor", "x")])


@pytest.mark.parametrize("decision", [Decision.RECORD_ONLY, Decision.RECORD_AND_SAMPLE])
def test_a_decision_to_record_is_left_alone(inside, decision):
    result = KeepRuns(Choosy(decision), run_in).should_sample(inside, 1, "n", attributes={"given": 1})

    assert (result.decision, result.attributes) == (decision, {"chosen.by": "n"})


def test_outside_runs_a_drop_is_left_alone():
    outside = set_span_in_context(NonRecordingSpan(SpanContext(1, 2, is_remote=True, trace_flags=TraceFlags(0))))

    result = KeepRuns(DEFAULT_ON, run_in).should_sample(outside, 1, "n", attributes={"given": 1})

    assert result.decision is Decision.DROP


def test_a_trace_state_is_handed_on_where_there_is_one(inside):
    seen = []

    class Sees(Choosy):
        def should_sample(self, *given):
            seen.append(given)
            return super().should_sample(*given[:6])

    state = TraceState([("a", "b")])
    KeepRuns(Sees(Decision.DROP), run_in).should_sample(inside, 1, "n", None, None, None, state)

    assert seen == [(inside, 1, "n", None, None, None, state)]


def test_a_fault_of_ours_leaves_the_decision_alone(inside, lenient):
    def fails(_context):
        raise LookupError

    assert not guard.strict
    assert KeepRuns(ALWAYS_OFF, fails).should_sample(inside, 1, "n").decision is Decision.DROP


def test_the_description_tells_both():
    assert KeepRuns(TraceIdRatioBased(0.5), run_in).get_description() == "KeepRuns{TraceIdRatioBased{0.5}}"


def test_others_find_the_sampler_they_look_for():
    """Langfuse asks for the class, and other programs for the rate."""
    sampler = KeepRuns(TraceIdRatioBased(0.5), run_in)

    assert isinstance(sampler, TraceIdRatioBased)
    assert isinstance(sampler, KeepRuns)
    assert not isinstance(sampler, ParentBased)
    assert sampler.rate == 0.5
    assert not hasattr(sampler, "missing")


def test_new_tracers_and_those_already_made_keep_runs_and_doing_it_again_changes_nothing(inside):
    exporters = InMemorySpanExporter(), InMemorySpanExporter()
    provider = TracerProvider(sampler=ALWAYS_OFF)
    for processor, exporter in zip((SimpleSpanProcessor, BatchSpanProcessor), exporters, strict=True):
        provider.add_span_processor(processor(exporter))
    before = provider.get_tracer("before")
    assert not before.start_span("n", inside).is_recording()

    assert keep_runs(provider, run_in)
    sampler = provider.sampler
    assert keep_runs(provider, run_in)

    assert provider.sampler is sampler
    assert sampler.inner is ALWAYS_OFF
    for tracer in (before, provider.get_tracer("after")):
        assert isinstance(tracer, Tracer)
        span = tracer.start_span("n", inside)
        assert span.is_recording()
        span.end()
        assert not tracer.start_span("n", Context()).is_recording()
    provider.shutdown()
    assert [exporter.get_finished_spans() for exporter in exporters] == [(), ()]


def test_a_sampler_that_drops_nothing_is_not_wrapped():
    provider = TracerProvider(sampler=ALWAYS_ON)

    assert keep_runs(provider, run_in)
    assert provider.sampler is ALWAYS_ON


def test_an_sdk_without_a_list_of_its_tracers_keeps_runs_in_new_ones(inside):
    """As OpenTelemetry's before 1.42."""
    provider = TracerProvider(sampler=ALWAYS_OFF)
    del provider._tracers

    assert keep_runs(provider, run_in)
    assert isinstance(provider.sampler, KeepRuns)


@pytest.mark.parametrize("provider", [None, trace.NoOpTracerProvider(), trace.ProxyTracerProvider()])
def test_what_is_not_the_sdks_is_left_alone(provider):
    assert not keep_runs(provider, run_in)
