"""Turning on what is installed: with real instrumentations, each case in a process of its own."""

import sys
import tomllib
from pathlib import Path

import pytest
from support.installed import first, install
from support.process import run_python

from botanu.sdk.clients import CLIENTS
from botanu.sdk.instrumenting import instrument, traces_itself

RESULT = """
import json, logging, sys
logging.basicConfig(format="%(message)s", stream=(log := __import__("io").StringIO()))
from botanu.sdk.instrumenting import instrument

def result(found=None, **more):
    rows = [[each.name, each.state, each.reason] for each in found or instrument()]
    print(json.dumps({"found": rows, **more}))
"""

WORKING = """
from opentelemetry.instrumentation.instrumentor import BaseInstrumentor
class Instrumentor(BaseInstrumentor):
    def instrumentation_dependencies(self):
        return ()
    def _instrument(self, **kwargs):
        pass
    def _uninstrument(self, **kwargs):
        pass
"""


def instrumented(code="result()", **environ):
    """Run *code*; give what it prints, and the state and reason of each distribution that brings one thing."""
    printed = run_python(RESULT + code, **environ)
    found = {}
    for name, state, reason in printed.pop("found"):
        entry_point, _, brought_by = name.removesuffix(")").partition(" (")
        found[f"{entry_point} {brought_by.split()[0].replace('-instrumentation', '')}"] = (state, reason)
    return found, printed


def test_every_instrumentation_that_is_installed_is_turned_on_once():
    found, more = instrumented("instrument(); before = log.getvalue(); result(log=before)")

    for name in ("openai opentelemetry-genai-openai", "requests opentelemetry-requests", "httpx2 opentelemetry-httpx"):
        assert found[name] == ("on already", "")
    assert more["log"] == ""
    assert instrumented()[0]["requests opentelemetry-requests"] == ("turned on", "")


def test_of_two_that_describe_the_same_calls_opentelemetrys_own_is_turned_on():
    found, _ = instrumented()

    assert found["openai opentelemetry-genai-openai"] == ("turned on", "")
    state, reason = found["openai openinference-openai"]
    assert state == "skipped"
    assert reason.startswith("openai (opentelemetry-instrumentation-genai-openai ")
    assert reason.endswith(") describes the same calls")


def test_one_that_the_program_has_turned_on_stays_the_only_one_of_its_client():
    found, _ = instrumented("""
from openinference.instrumentation.openai import OpenAIInstrumentor
OpenAIInstrumentor().instrument()
result()
""")
    assert found["openai openinference-openai"] == ("on already", "")
    assert found["openai opentelemetry-genai-openai"][0] == "skipped"


def test_a_client_that_records_its_calls_itself_needs_none():
    name = "anthropic opentelemetry-genai-anthropic"
    reason = "anthropic records its calls itself, unless ANTHROPIC_OPEN_TELEMETRY=false"
    assert instrumented()[0][name] == ("skipped", reason)
    assert instrumented(ANTHROPIC_OPEN_TELEMETRY="false")[0][name] == ("turned on", "")


def test_what_opentelemetrys_variable_names_stays_off():
    found, _ = instrumented(OTEL_PYTHON_DISABLED_INSTRUMENTATIONS="requests , openai")
    off = {name for name, (_, reason) in found.items() if reason == "OTEL_PYTHON_DISABLED_INSTRUMENTATIONS names it"}
    assert off == {
        "requests opentelemetry-requests",
        "openai opentelemetry-genai-openai",
        "openai openinference-openai",
    }
    assert found["httpx2 opentelemetry-httpx"] == ("turned on", "")

    found, _ = instrumented(OTEL_PYTHON_DISABLED_INSTRUMENTATIONS="*")
    assert {state for state, _ in found.values()} == {"skipped"}


def test_without_its_client_an_instrumentation_stays_off(tmp_path):
    install(tmp_path, "otel-old", "openai<1; extra == 'instruments'", instrumentor="old", code=WORKING)
    install(
        tmp_path,
        "otel-none",
        "one-thing>=2; extra == 'instruments-any'",
        "other; extra == 'instruments-any'",
        instrumentor="none",
        code=WORKING,
    )
    found, _ = instrumented(PYTHONPATH=first(tmp_path))

    assert found["httpx opentelemetry-httpx"][0] == "skipped"  # it finds out itself, as it is for httpx2 as well
    assert found["httpx opentelemetry-httpx"][1].endswith(", and there is none")
    state, reason = found["old otel-old"]
    assert state == "skipped"
    assert reason.startswith("it takes openai<1, and there is openai ")
    assert found["none otel-none"] == ("skipped", "it takes one-thing>=2 or other, and there is none")


@pytest.mark.parametrize(
    ("code", "reason"),
    [
        ("import no_such_thing", "ModuleNotFoundError: No module named 'no_such_thing'"),
        (WORKING + "    def __init__(self):\n        raise RuntimeError('it is late')", "RuntimeError: it is late"),
        ("Instrumentor = object", "AttributeError: 'object' object has no attribute 'instrument'"),
    ],
)
def test_one_that_fails_is_told_once_and_the_next_of_its_client_is_turned_on(tmp_path, code, reason):
    install(tmp_path, "opentelemetry-instrumentation-genai-openai", instrumentor="openai", code=code)
    found, more = instrumented(
        "found = instrument(); instrument(); result(found, log=log.getvalue())",
        PYTHONPATH=first(tmp_path),
        BOTANU_STRICT="true",
    )
    assert found["openai opentelemetry-genai-openai"] == ("failed", reason)
    assert found["openai openinference-openai"] == ("turned on", "")
    name = "openai (opentelemetry-instrumentation-genai-openai 1.0)"
    assert more["log"] == f"the instrumentation {name} cannot be turned on: {reason}\n"


def test_which_comes_first(tmp_path):
    """OpenTelemetry's own, then OpenInference's, then OpenLLMetry's, then others, whatever the client."""
    for name, requires in {
        "parrot-telemetry": (),
        "opentelemetry-instrumentation-parrot": ("opentelemetry-semantic-conventions-ai<0.6,>=0.5.1",),
        "openinference-instrumentation-parrot": ("openinference-instrumentation",),
        "opentelemetry-instrumentation-parrot-v2": ("opentelemetry-api",),
        "opentelemetry-instrumentation-genai-parrot": ("opentelemetry-api",),
    }.items():
        install(tmp_path, name, *requires, instrumentor="parrot", code=WORKING)
    found, _ = instrumented(PYTHONPATH=first(tmp_path))

    assert [(name.split()[1], state) for name, (state, _) in found.items() if "parrot " in name] == [
        ("opentelemetry-genai-parrot", "turned on"),
        ("opentelemetry-parrot-v2", "skipped"),
        ("openinference-parrot", "skipped"),
        ("opentelemetry-parrot", "skipped"),
        ("parrot-telemetry", "skipped"),
    ]


def test_where_none_is_installed_one_line_says_what_to_install(tmp_path, monkeypatch, caplog):
    monkeypatch.setattr(sys, "path", [str(tmp_path)])

    assert instrument() == instrument() == ()
    (message,) = caplog.messages
    assert message.startswith("no OpenTelemetry instrumentation is installed to turn on")
    assert message.endswith("pip install 'botanu[instrument-genai]'")


def test_whether_a_client_records_its_calls_itself_depends_on_its_version(tmp_path, monkeypatch):
    (anthropic,) = (client for client in CLIENTS if client.module == "anthropic")
    assert traces_itself(anthropic)

    monkeypatch.setattr(sys, "path", [str(tmp_path)])
    assert not traces_itself(anthropic)
    install(tmp_path, "anthropic", "httpx<1", "opentelemetry-api>=1; extra == 'tracing'", version="0.125.0")
    assert not traces_itself(anthropic)


def test_the_extras_bring_what_clients_are_said_to_need():
    project = tomllib.loads((Path(__file__).parents[2] / "pyproject.toml").read_text())["project"]
    extras = {
        f"botanu[{extra}]": {need.partition(">")[0] for need in needs}
        for extra, needs in project["optional-dependencies"].items()
        if extra.startswith("instrument-")
    }
    named = {extra: set() for extra in extras}
    for client in CLIENTS:
        if client.install in extras:
            named[client.install].add(client.instrumentations[0])

    assert named == extras


ENABLED = """
import json, logging, sys
logging.basicConfig(level=logging.DEBUG, stream=(log := __import__("io").StringIO()))
import botanu
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
def result():
    from opentelemetry.instrumentation.requests import RequestsInstrumentor
    said = [line for line in log.getvalue().splitlines() if line.startswith("DEBUG:botanu:instrumentations: ")]
    print(json.dumps([RequestsInstrumentor().is_instrumented_by_opentelemetry, len(said)]))
"""


def test_enable_turns_them_on_when_asked_to():
    asked = ENABLED + "botanu.enable(exporter=InMemorySpanExporter(), instrument=True)\nresult()"
    assert run_python(asked) == [True, 1]
    not_asked = ENABLED + "botanu.enable(exporter=InMemorySpanExporter())\nresult()"
    assert run_python(not_asked) == [False, 0]
    assert run_python(not_asked, BOTANU_INSTRUMENT="true") == [True, 1]
    assert run_python(asked, OTEL_SDK_DISABLED="true") == [False, 0]


def test_the_setting_holds_in_a_program_with_a_provider_of_its_own():
    own = """
from opentelemetry import trace
from opentelemetry.sdk.trace import TracerProvider
trace.set_tracer_provider(TracerProvider())
with botanu.run_botanu("w", event_id="e", customer_id="c"):
    pass
result()
"""
    assert run_python(ENABLED + own, BOTANU_INSTRUMENT="true") == [True, 1]
