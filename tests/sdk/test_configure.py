"""How the SDK settles into a process: each case in a process of its own, as OpenTelemetry is set up once in each."""

import json
import os
import random
import subprocess
import sys
import textwrap

import pytest
from support.collector import Collector

import botanu


def run_program(code, **environ):
    """Run *code*, and return what its ``result`` holds; standard error must stay empty unless asked for."""
    program = textwrap.dedent(code) + "\nimport json; print(json.dumps(result))"
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("BOTANU_", "OTEL_"))}
    done = subprocess.run(
        [sys.executable, "-c", program],
        env=environment | environ,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout), done.stderr


OWN_PROVIDER = """
from opentelemetry import trace
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
mine = InMemorySpanExporter()
provider = TracerProvider()
provider.add_span_processor(SimpleSpanProcessor(mine))
trace.set_tracer_provider(provider)
"""

A_RUN = """
from botanu import run_botanu
from opentelemetry import trace
with run_botanu("w", event_id="e", customer_id="c"):
    with trace.get_tracer("x").start_as_current_span("child"):
        pass
"""


def test_a_program_with_its_own_provider_keeps_its_spans_and_gains_the_identity():
    result, errors = run_program(
        OWN_PROVIDER
        + A_RUN
        + """
import threading
result = [[s.name, s.attributes["botanu.event_id"]] for s in mine.get_finished_spans()]
result.append([thread.name for thread in threading.enumerate()])
"""
    )
    assert result == [["child", "e"], ["w", "e"], ["MainThread"]]
    assert errors == ""


def test_settings_hold_on_first_use_as_well():
    result, _ = run_program(
        OWN_PROVIDER + A_RUN + "result = mine.get_finished_spans()[1].attributes['botanu.environment']",
        BOTANU_ENVIRONMENT="staging",
    )
    assert result == "staging"


def test_enable_adds_our_export_to_a_provider_that_is_there():
    result, _ = run_program(
        OWN_PROVIDER
        + """
import botanu
ours = InMemorySpanExporter()
botanu.enable(exporter=ours)
botanu.enable(exporter=InMemorySpanExporter())
"""
        + A_RUN
        + """
botanu.flush()
result = [[s.name for s in exporter.get_finished_spans()] for exporter in (mine, ours)]
"""
    )
    assert result == [["child", "w"], ["child", "w"]]


def test_after_disable_functions_run_as_if_not_decorated_and_enable_starts_again():
    result, errors = run_program("""
import botanu
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
first, second = InMemorySpanExporter(), InMemorySpanExporter()

@botanu.botanu_workflow("w", event_id="e", customer_id="c")
def work():
    botanu.emit_outcome("success")
    return 1

botanu.enable(exporter=first)
work()
botanu.disable()
assert work() == 1
botanu.enable(exporter=second)
work()
botanu.flush()
result = [len(first.get_finished_spans()), len(second.get_finished_spans())]
""")
    assert result == [1, 1]
    assert errors == ""


@pytest.mark.parametrize("switch", [{"BOTANU_ENABLED": "false"}, {"OTEL_SDK_DISABLED": "true"}])
def test_switched_off_there_is_no_thread_no_span_and_no_log(switch):
    result, errors = run_program(
        """
import asyncio
import threading
import botanu

@botanu.botanu_workflow("w", event_id=lambda x: x, customer_id="c")
def work(x):
    with botanu.track_llm_call(provider="openai", model="gpt-4o") as call:
        call.set_tokens(1, 2)
    botanu.emit_outcome("success")
    return x

@botanu.botanu_workflow("w", event_id="e", customer_id="c")
def numbers():
    yield 1

@botanu.botanu_workflow("w", event_id="e", customer_id="c")
async def later():
    return 2

with botanu.run_botanu("w", event_id="e", customer_id="c") as run:
    run.emit_outcome("success")
result = [work(3), asyncio.run(later()), list(numbers()), botanu.flush(), [t.name for t in threading.enumerate()]]
""",
        **switch,
    )
    assert result == [3, 2, [1], True, ["MainThread"]]
    assert errors == ""


def test_a_bad_setting_is_named_by_enable_and_does_not_stop_a_run():
    result, errors = run_program(
        """
import botanu
try:
    botanu.enable()
    result = None
except botanu.SettingsError as error:
    result = [str(error)]
with botanu.run_botanu("w", event_id="e", customer_id="c") as run:
    result.append(run.workflow)
""",
        BOTANU_QUEUE_SPANS_MAX="many",
        BOTANU_STRICT="perhaps",
    )
    assert result == [
        (
            "queue_spans_max (BOTANU_QUEUE_SPANS_MAX) must be a whole number from 1, not 'many'; "
            "strict (BOTANU_STRICT) must be true or false, not 'perhaps'"
        ),
        "w",
    ]
    assert errors.count("nothing is recorded: queue_spans_max (BOTANU_QUEUE_SPANS_MAX) must be a whole number") == 1


def test_no_run_is_lost_when_many_threads_come_first():
    with Collector() as collector:
        result, errors = run_program(
            """
import threading
import botanu
def work():
    for _ in range(10):
        with botanu.run_botanu("w", event_id="e", customer_id="c"):
            pass
threads = [threading.Thread(target=work) for _ in range(16)]
for thread in threads: thread.start()
for thread in threads: thread.join()
result = botanu.flush()
""",
            BOTANU_ENDPOINT=collector.url,
        )
    assert [result, len(collector.spans)] == [True, 160]
    assert errors == ""


def test_flush_keeps_its_timeout_and_says_whether_the_spans_arrived():
    result, _ = run_program("""
import time
import botanu
from opentelemetry.sdk.trace.export import SpanExporter, SpanExportResult

class Exporter(SpanExporter):
    waits, answer = 0, SpanExportResult.SUCCESS
    def export(self, spans):
        time.sleep(self.waits)
        if self.answer is None:
            raise ConnectionError
        return self.answer

exporter = Exporter()
botanu.enable(exporter=exporter)
result = []
for Exporter.waits, Exporter.answer in (
    (0, SpanExportResult.SUCCESS), (0, SpanExportResult.FAILURE), (0, None), (60, SpanExportResult.SUCCESS)
):
    with botanu.run_botanu("w", event_id="e", customer_id="c"):
        pass
    began = time.monotonic()
    result.append([botanu.flush(timeout_seconds=0.5), time.monotonic() - began < 30])
import os
print(__import__("json").dumps(result), flush=True)
os._exit(0)
""")
    assert result == [[True, True], [False, True], [False, True], [False, True]]


def test_spans_are_sent_at_exit_also_when_the_programs_provider_does_not_see_to_it():
    done = subprocess.run(
        [
            sys.executable,
            "-c",
            """
from opentelemetry import trace
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import ConsoleSpanExporter
import botanu
trace.set_tracer_provider(TracerProvider(shutdown_on_exit=False))
botanu.enable(exporter=ConsoleSpanExporter())
with botanu.run_botanu("w", event_id="e", customer_id="c"):
    pass
""",
        ],
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    assert '"botanu.workflow": "w"' in done.stdout


def test_after_the_programs_provider_was_shut_down_enable_starts_again():
    result, _ = run_program(
        OWN_PROVIDER
        + """
import botanu
first, second = InMemorySpanExporter(), InMemorySpanExporter()
botanu.enable(exporter=first)
provider.shutdown()
botanu.enable(exporter=second)
"""
        + A_RUN
        + """
botanu.flush()
result = [span.name for span in second.get_finished_spans()]
"""
    )
    assert "w" in result


def test_a_program_that_seeds_the_shared_random_source_has_new_ids_all_the_same():
    program = (
        OWN_PROVIDER
        + "import random; random.seed(7)"
        + A_RUN
        + "result = [[s.context.trace_id, s.context.span_id] for s in mine.get_finished_spans()]"
    )
    first, second = (run_program(program)[0] for _ in range(2))

    assert first[0][0] == first[1][0] != second[0][0] == second[1][0]
    assert first[1][1] != second[1][1]


def test_what_the_program_draws_from_the_shared_random_source_stays_the_same():
    with_runs, _ = run_program(
        "import random; random.seed(7)"
        """
import botanu
with botanu.run_botanu("w", event_id="e", customer_id="c"), botanu.track_llm_call(provider="openai", model="gpt-4o"):
    pass
"""
        "botanu.flush(0.5); result = random.random(); botanu.disable()",
        BOTANU_ENDPOINT="http://127.0.0.1:9",
        BOTANU_EXIT_TIMEOUT_SECONDS="0",
    )

    assert with_runs == random.Random(7).random()


def test_ids_of_a_kind_of_the_programs_own_stay():
    result, _ = run_program(
        OWN_PROVIDER
        + """
from opentelemetry.sdk.trace import RandomIdGenerator
class Numbered(RandomIdGenerator):
    def generate_trace_id(self):
        return 17
provider.id_generator = Numbered()
"""
        + A_RUN
        + "result = [s.context.trace_id for s in mine.get_finished_spans()]"
    )
    assert result == [17, 17]


def test_an_endpoint_that_is_no_address_is_named(monkeypatch):
    monkeypatch.setenv("BOTANU_ENDPOINT", "localhost:4318")

    with pytest.raises(botanu.SettingsError, match="must begin with http:// or https://, not 'localhost:4318'"):
        botanu.enable()


@pytest.mark.parametrize(("endpoint", "threads"), [("", 0), ("http://127.0.0.1:9", 1)])
def test_opentelemetrys_word_not_to_export_holds_unless_an_endpoint_is_given(endpoint, threads):
    result, _ = run_program(
        """
import threading
import botanu
with botanu.run_botanu("w", event_id="e", customer_id="c"):
    pass
result = [thread.name for thread in threading.enumerate()].count("botanu-delivery")
botanu.disable() if not result else __import__("os")._exit(print(__import__("json").dumps(result), flush=True) or 0)
""",
        OTEL_TRACES_EXPORTER="none",
        BOTANU_ENDPOINT=endpoint,
    )
    assert result == threads


def test_importing_the_sdk_brings_in_neither_server_nor_exporter():
    result, _ = run_program("""
import sys
import botanu
heavy = ("pyarrow", "duckdb", "numpy", "starlette", "cyclopts", "requests", "google.protobuf", "genai_prices")
result = [name for name in heavy if name in sys.modules]
""")
    assert result == []


def test_the_first_use_guards_baggage_also_where_the_program_exports_itself():
    result, _ = run_program(
        OWN_PROVIDER
        + A_RUN
        + """
from opentelemetry import propagate
from opentelemetry.trace import SpanKind

def request(host):
    headers = {}
    with trace.get_tracer("x").start_as_current_span("GET", kind=SpanKind.CLIENT, attributes={"server.address": host}):
        propagate.inject(headers)
    return sorted(headers)

with run_botanu("w", event_id="e", customer_id="c"):
    result = [request("api.internal"), request("api.example.com")]
""",
        BOTANU_BAGGAGE_HOSTS="*.internal",
    )
    assert result == [["baggage", "traceparent"], ["traceparent"]]


def test_run_ids_stay_unique_when_the_program_seeds_random_and_forks():
    result, _ = run_program("""
import os, random
from botanu.sdk.identifiers import new_run_id
random.seed(1)
reader, writer = os.pipe()
if os.fork() == 0:
    os.write(writer, new_run_id().encode())
    os._exit(0)
os.wait()
random.seed(1)
ids = {os.read(reader, 36).decode()[14:]} | {new_run_id()[14:] for _ in range(1000)}
result = len(ids)
""")
    assert result == 1001


def test_the_status_counts_what_was_sent_before_and_after_disable_and_in_a_child_only_its_own():
    with Collector() as collector:
        result, errors = run_program(
            f"""
import dataclasses, json, os
import botanu

def work():
    with botanu.run_botanu("w", event_id="e", customer_id="c"):
        botanu.record_usage(pages=1)

def counted():
    status = botanu.status()
    return [dataclasses.astuple(status.runs), dataclasses.astuple(status.spans), status.endpoint]

result = [counted()]
for _ in range(3):
    botanu.enable(endpoint={collector.url!r})
    work()
    result.append(counted()[2])
    botanu.disable()
result.append(counted())
reader, writer = os.pipe()
if os.fork() == 0:
    os.write(writer, json.dumps(counted()).encode())
    os._exit(0)
os.wait()
result.append(json.loads(os.read(reader, 1000)))
"""
        )
    nothing = [[0, 0, 0], [0, 0, 0], None]
    assert result == [nothing, *[collector.url] * 3, [[3, 0, 0], [6, 0, 0], None], nothing]
    assert errors == ""


@pytest.mark.parametrize(
    ("again", "told"),
    [
        ("", ""),
        ("endpoint='http://127.0.0.1:9'", ""),
        ("environment='staging'", ""),
        ("endpoint='http://127.0.0.1:8'", "enable(endpoint=)"),
        ("environment='live', strict=True", "enable(environment=, strict=)"),
        ("exporter=object()", "enable(exporter=)"),
        ("exporter=None", ""),
    ],
)
def test_settings_that_come_too_late_are_named(again, told):
    _, errors = run_program(
        f"""
import botanu
botanu.enable(endpoint="http://127.0.0.1:9", environment="staging")
botanu.enable({again})
result = None
"""
    )
    ignored = f"{told} changes nothing: runs are sent already; disable() first\n"
    assert errors == (ignored if told else "")


@pytest.mark.parametrize("own", ["", OWN_PROVIDER])
def test_a_span_with_more_attributes_than_opentelemetry_keeps_still_says_whose_it_is(own):
    """The oldest go first, and the identity is the oldest."""
    result, _ = run_program(
        own
        + """
import logging
import botanu
from opentelemetry import trace
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

logging.disable()
exporter = InMemorySpanExporter()
botanu.enable(exporter=exporter)
with botanu.run_botanu("w", event_id="e", customer_id="c") as run:
    with trace.get_tracer("x").start_as_current_span("child", attributes={"gen_ai.request.model": "m"}) as child:
        child.set_attributes({f"gen_ai.prompt.{number}.role": "user" for number in range(200)})
    with botanu.step("retrieve"):
        trace.get_current_span().set_attributes({f"key.{number}": number for number in range(200)})
    trace.get_current_span().set_attributes({f"key.{number}": number for number in range(200)})
    botanu.emit_outcome("success")
botanu.flush()
spans = {span.name: span.attributes for span in exporter.get_finished_spans()}
result = [
    [name for name, attributes in spans.items() if run.identity.items() <= attributes.items()],
    [spans["w"].get(name) for name in ("botanu.run.root", "botanu.outcome.status")],
    spans["child"].get("gen_ai.request.model"),
]
"""
    )
    whole = None if own else "m"
    assert result == [["child", "retrieve", "w"], [True, "success"], whole]


@pytest.mark.parametrize(("length", "warns"), [("35", True), ("36", False)])
def test_a_limit_that_makes_runs_alike_is_told(length, warns):
    _, errors = run_program("import botanu; botanu.enable(); result = None", OTEL_ATTRIBUTE_VALUE_LENGTH_LIMIT=length)

    assert ("keeps 35 characters of each attribute, and a run's id has 36" in errors) is warns


def test_a_limit_that_the_program_sets_is_kept():
    result, _ = run_program(
        "import logging; logging.disable()\n"
        + A_RUN.replace("pass", "span.set_attributes(dict.fromkeys(map(str, range(99)), 0))").replace(
            '("child")', '("child") as span'
        )
        + "result = len(span.attributes)",
        OTEL_SPAN_ATTRIBUTE_COUNT_LIMIT="40",
        OTEL_TRACES_EXPORTER="none",
    )
    assert 40 <= result < 60


def test_a_program_that_enables_twice_in_the_same_way_is_no_less_strict_for_it():
    _, errors = run_program(
        """
import botanu
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
exporter = InMemorySpanExporter()
for _ in range(2):
    botanu.enable(exporter=exporter, strict=True)
botanu.disable()
for _ in range(2):
    botanu.enable(endpoint="http://localhost:4318", strict=True)
result = None
"""
    )
    assert errors == ""


@pytest.mark.parametrize("limit", ["1", "10", "32", "128"])
def test_a_span_with_too_many_attributes_is_nobody_elses(limit):
    """Not that of the run in which it ends: of a stream that another run consumes, or of one that has ended."""
    result, _ = run_program(
        """
import json, logging
import botanu
from opentelemetry import trace
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

logging.disable()
exporter = InMemorySpanExporter()
botanu.enable(exporter=exporter)
many = {f"key.{number}": number for number in range(200)}
outside = trace.get_tracer("x").start_span("outside", attributes=many)
with botanu.run_botanu("first", event_id="1", customer_id="c") as first:
    with botanu.track_llm_call("openai", "m") as call:
        trace.get_current_span().set_attributes(many)
        stream = call.stream(iter([1]))
with botanu.run_botanu("second", event_id="2", customer_id="c"):
    list(stream)
    outside.end()
    first.emit_outcome("partial", metadata=many)
    botanu.emit_outcome("success", metadata=many)
botanu.flush()
whose = {span.name: span.attributes.get("botanu.event_id") for span in exporter.get_finished_spans()}
(root,) = [span.attributes for span in exporter.get_finished_spans() if span.name == "second"]
result = [whose, root.get("botanu.run.root"), root.get("botanu.outcome.status"), botanu.status().runs.delivered]
""",
        OTEL_SPAN_ATTRIBUTE_COUNT_LIMIT=limit,
    )
    whose = {"first": "1", "chat m": "1", "outside": None, "botanu.outcome_emitted": "1", "second": "2"}
    assert result == [whose, True, "success", 2]


def test_a_provider_that_is_shut_down_around_a_capture_or_in_it_is_so_after_it():
    result, _ = run_program(
        """
import dataclasses, logging
import botanu
from botanu.testing import capture_runs
from opentelemetry import trace
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

logging.disable()
def work():
    with botanu.run_botanu("w", event_id="e", customer_id="c"):
        pass

def state():
    work()
    botanu.flush()
    return [botanu.status().recording, *dataclasses.astuple(botanu.status().runs)]

first, second = InMemorySpanExporter(), InMemorySpanExporter()
botanu.enable(exporter=first)
result = [state()]
with capture_runs():
    trace.get_tracer_provider().shutdown()
result.append(state())
with capture_runs():
    work()
result.append(state())
botanu.enable(exporter=second)
result.append(state())
"""
    )
    assert result == [[True, 1, 0, 0], [False, 1, 1, 0], [False, 1, 2, 0], [True, 2, 2, 0]]


@pytest.mark.parametrize("own", ["", OWN_PROVIDER])
@pytest.mark.parametrize(
    ("seconds", "done"),
    [("float('inf')", True), ("1e300", True), ("float('nan')", False), ("-1", False), ("0", False)],
)
def test_however_long_a_flush_is_to_wait_it_does_not_fail(own, seconds, done):
    result, errors = run_program(
        own
        + f"""
import botanu
from botanu.testing import capture_runs
with capture_runs():
    result = botanu.flush({seconds})
"""
    )
    assert result is done
    assert errors == ""
