"""A block leaves the process as it found it: each case in a process of its own."""

import pytest
from support.process import run_python

COMMON = """
import json
import sys
from opentelemetry import propagate, trace
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator
import botanu
from botanu.sdk.identity import run_in
from botanu.testing import capture_runs

def run(workflow):
    with botanu.run_botanu(workflow, event_id="e", customer_id="c"):
        pass

def caller():
    around = run_in(propagate.extract({"baggage": "botanu.run_id=r-1"}))
    return around and around.run_id

def names(exporter):
    botanu.flush()
    return [span.name for span in exporter.get_finished_spans()]
"""


def result_of(code, **environ):
    return run_python(f"{COMMON}\n{code}\nprint(json.dumps(result))", **environ)


def test_what_was_enabled_is_enabled_after_it_and_gets_none_of_the_runs():
    result = result_of("""
import logging
logging.disable()
ours = InMemorySpanExporter()
botanu.enable(exporter=ours, environment="prod", trust_baggage=True)
run("before")
before = caller()
with capture_runs() as runs:
    botanu.enable(exporter=InMemorySpanExporter(), environment="test")
    run("inside")
    inside = caller()
    botanu.disable()
run("after")
botanu.enable(environment="ignored")
result = [
    names(ours), runs.only().workflow, runs.only().attributes["botanu.environment"],
    ours.get_finished_spans()[-1].attributes["botanu.environment"], [before, inside, caller()],
]
""")
    assert result == [["before", "after"], "inside", "test", "prod", ["r-1", None, "r-1"]]


def test_a_propagator_that_the_program_sets_inside_stays():
    result = result_of("""
botanu.enable(exporter=InMemorySpanExporter())
theirs = TraceContextTextMapPropagator()
with capture_runs():
    propagate.set_global_textmap(theirs)
result = propagate.get_global_textmap() is theirs
""")
    assert result is True


@pytest.mark.parametrize("environ", [{}, {"BOTANU_ENABLED": "false"}])
def test_what_was_switched_off_is_switched_off_after_it(environ):
    result = result_of(
        """
botanu.disable()
with capture_runs() as runs:
    run("inside")
    botanu.enable()
    run("enabled")
run("after")
from botanu.sdk import configure
result = [[run.workflow for run in runs.all()], configure.tracer() is None]
""",
        **environ,
    )
    assert result == [["inside", "enabled"], True]


def test_where_nothing_was_decided_the_first_run_after_it_decides():
    """Its spans are for the server, though a tracer provider is there now: it is botanu's own."""
    result = result_of(
        """
with capture_runs() as runs:
    run("inside")
    botanu.disable()
    botanu.enable()
    run("enabled")
sent = botanu.status().spans.made
run("after")
result = [len(runs.all()), sent, botanu.status().spans.made]
print(json.dumps(result), flush=True)
import os
os._exit(0)
""",
        BOTANU_ENDPOINT="http://127.0.0.1:9",
    )
    assert result == [2, 0, 1]


def test_a_provider_of_the_programs_is_used_and_keeps_its_spans():
    result = result_of("""
mine = InMemorySpanExporter()
provider = TracerProvider()
provider.add_span_processor(SimpleSpanProcessor(mine))
trace.set_tracer_provider(provider)
captured = []
for number in range(3):
    with capture_runs() as runs:
        run(f"inside {number}")
    captured.append(runs.only().workflow)
    assert len(runs.spans()) == 1
run("after")
result = [captured, names(mine), botanu.status().spans.made, trace.get_tracer_provider() is provider]
""")
    inside = ["inside 0", "inside 1", "inside 2"]
    assert result == [inside, [*inside, "after"], 0, True]


def test_a_provider_that_is_set_up_inside_stays_without():
    result = result_of("""
import logging
logging.disable()
with capture_runs() as runs:
    mine = InMemorySpanExporter()
    provider = TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(mine))
    trace.set_tracer_provider(provider)
    run("inside")
result = [runs.only().workflow, names(mine)]
""")
    assert result == ["inside", []]


def test_where_opentelemetry_makes_no_spans_that_is_said_and_nothing_changes():
    result = result_of(
        """
from botanu.sdk import configure
result = []
try:
    with capture_runs():
        pass
except RuntimeError as error:
    result = [str(error), configure._setup.captured, configure._setup.decided]
""",
        OTEL_SDK_DISABLED="true",
    )
    assert result == [
        "no runs can be captured while OTEL_SDK_DISABLED is set: OpenTelemetry makes no spans",
        False,
        False,
    ]


def test_beside_a_provider_that_takes_no_processors_runs_are_captured_too():
    result = result_of("""
trace.set_tracer_provider(trace.NoOpTracerProvider())
with capture_runs() as runs:
    run("inside")
result = [runs.only().workflow, runs.only().outcome.status]
""")
    assert result == ["inside", "success"]


def test_importing_it_brings_in_neither_server_nor_pytest():
    result = run_python("""
import json
import sys
import botanu.testing
heavy = ("pyarrow", "duckdb", "numpy", "starlette", "cyclopts", "requests", "google.protobuf", "pytest")
print(json.dumps([name for name in heavy if name in sys.modules]))
""")
    assert result == []
