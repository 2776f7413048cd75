"""What turns instrumentations on, as ``botanu doctor`` reads it, and whether programs that run bear it out."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
from support import llm_api
from support.process import environment, run_python

GENAI = "opentelemetry-instrumentation-genai-openai"
OURS = "opentelemetry.instrumentation.genai.openai"
OPENINFERENCE = "from openinference.instrumentation.openai import OpenAIInstrumentor\nOpenAIInstrumentor().instrument()"

CALL = """
with run_botanu("w", event_id="e", customer_id="c"):
    openai.OpenAI(api_key="none").chat.completions.create(model="gpt-4o-mini", messages=[])
botanu.flush()
"""

ANSWER = {
    "id": "chatcmpl-1",
    "object": "chat.completion",
    "created": 1,
    "model": "gpt-4o-mini",
    "choices": [{"index": 0, "finish_reason": "stop", "message": {"role": "assistant", "content": "No."}}],
    "usage": {"prompt_tokens": 1200, "completion_tokens": 100, "total_tokens": 1300},
}


@pytest.fixture
def provider():
    with llm_api.serving(lambda _path, _asked: ANSWER) as address:
        yield f"{address}/v1"


@pytest.mark.parametrize(
    ("code", "environ", "state", "detail"),
    [
        ("botanu.enable(instrument=True)", {}, "metered", "turned on at program/app.py:4"),
        ("from botanu import enable as on\non(instrument=True)", {}, "metered", "turned on at program/app.py:5"),
        ("", {"BOTANU_INSTRUMENT": "yes"}, "metered", "turned on by BOTANU_INSTRUMENT"),
        (f"import {OURS} as o\no.OpenAIInstrumentor().instrument()", {}, "metered", "turned on at program/app.py:5"),
        (
            f"from {OURS} import OpenAIInstrumentor\nfor each in [OpenAIInstrumentor()]:\n    each.instrument()",
            {},
            "metered",
            "imported at program/app.py:4 and turned on",
        ),
        (
            "from opentelemetry.instrumentation.auto_instrumentation import initialize\ninitialize()",
            {},
            "metered",
            "turned on at program/app.py:5",
        ),
        ("botanu.enable()", {}, "not turned on", f"nothing read here turns on {GENAI}"),
        ("botanu.enable(instrument=False)", {"BOTANU_INSTRUMENT": "yes"}, "not turned on", "nothing read here turns"),
        (f"from {OURS} import OpenAIInstrumentor", {}, "not turned on", "nothing read here turns on"),
        (OPENINFERENCE, {}, "metered", "by openinference-instrumentation-openai"),
        (f"{OPENINFERENCE}\nbotanu.enable(instrument=True)", {}, "metered", "by openinference-instrumentation-openai"),
    ],
)
def test_a_client_is_called_metered_where_running_the_program_meters_its_calls(  # noqa: PLR0913, PLR0917
    found, program, server, sql, provider, monkeypatch, code, environ, state, detail
):
    path = program(f"import botanu\nimport openai\nfrom botanu import run_botanu\n{code}\n{CALL}")
    for name, value in environ.items():
        monkeypatch.setenv(name, value)
    exit_code, findings = found(path)

    assert (findings["openai"]["state"], exit_code) == (state, 0 if state == "metered" else 1)
    assert detail in findings["openai"]["detail"]
    address = str(server.base_url)
    run_python(path.read_text(), OPENAI_BASE_URL=provider, OTEL_EXPORTER_OTLP_ENDPOINT=address, **environ)
    assert sql("SELECT count(*) FROM runs") == [[1]]
    assert sql("SELECT count(*) FROM spans WHERE counted") == [[1 if state == "metered" else 0]]


@pytest.mark.parametrize(
    ("code", "environ", "remedy"),
    [
        ("", {}, "call botanu.enable(instrument=True) or set BOTANU_INSTRUMENT=true"),
        ("import botanu", {}, "call botanu.enable(instrument=True) or set BOTANU_INSTRUMENT=true"),
        ("", {"BOTANU_INSTRUMENT": "true"}, "call botanu.enable(instrument=True)"),
        ("import botanu\nbotanu.enable(instrument=False)", {"BOTANU_INSTRUMENT": "true"}, "call botanu.enable(ins"),
    ],
)
def test_what_to_do_where_it_is_not_turned_on_is_told(found, program, monkeypatch, code, environ, remedy):
    for name, value in environ.items():
        monkeypatch.setenv(name, value)
    _, findings = found(program(f"import openai\n{code}"))

    assert not findings["openai"]["ok"]
    assert findings["openai"]["remedy"].startswith(remedy)


@pytest.mark.parametrize("given", ["instrument=settings.instrument", "**settings"])
@pytest.mark.parametrize("variable", ["", "true"])
def test_what_only_a_run_would_tell_is_not_known(found, program, monkeypatch, given, variable):
    monkeypatch.setenv("BOTANU_INSTRUMENT", variable)
    code, findings = found(program(f"import openai, botanu\nbotanu.enable({given})"))

    assert code == 0
    assert (findings["openai"]["state"], findings["openai"]["ok"]) == ("not known", True)
    assert ", turned on if botanu.enable at program/app.py:2 is told to; " in findings["openai"]["detail"]
    said = findings["BOTANU_INSTRUMENT"]["detail"]
    assert said == "instrumentations are turned on if botanu.enable at program/app.py:2 is told to"


@pytest.mark.parametrize(
    ("client", "code", "what"),
    [
        ("openai", "botanu.track_llm_call(provider='openai', model='m')", "botanu.track_llm_call at program/app.py:2"),
        ("groq", "from botanu import record_usage", "botanu.record_usage at program/app.py:2"),
        ("redis", "botanu.track_db_operation('redis', 'GET')", "botanu.track_db_operation at program/app.py:2"),
        ("celery", "botanu.inject(headers)", "botanu.inject at program/app.py:2"),
        ("starlette", "from botanu import AsgiMiddleware", "botanu.AsgiMiddleware at program/app.py:2"),
    ],
)
def test_a_program_that_may_do_it_by_hand_is_not_called_broken(found, program, installed, client, code, what):
    if client in ("groq", "redis"):
        installed(client)
    exit_code, findings = found(program(f"import botanu, {client}\n{code}"))

    assert exit_code == 0
    assert (findings[client]["state"], findings[client]["ok"]) == ("not known", True)
    assert findings[client]["detail"].startswith(f"perhaps by hand, with {what}")
    assert findings[client]["remedy"].startswith("see that it covers all calls, or in its place ")


def test_by_hand_is_all_there_is_where_nothing_fits(found, program, installed):
    installed("mistralai")
    _, findings = found(program("import mistralai, botanu\nbotanu.track_llm_call(provider='mistral', model='m')"))

    assert findings["mistralai"]["remedy"] == "see that it covers all calls"


def test_without_a_program_what_is_installed_can_be_metered_until_it_is_turned_on(found, monkeypatch):
    code, findings = found()
    assert code == 0
    assert (findings["openai"]["state"], findings["requests"]["state"]) == ("can be metered", "can be traced")
    assert findings["openai"]["detail"].startswith(f"by {GENAI} ")
    assert findings["openai"]["detail"].endswith(", once it is turned on")
    assert findings["anthropic"]["state"] == "metered"

    monkeypatch.setenv("BOTANU_INSTRUMENT", "true")
    _, findings = found()
    assert (findings["openai"]["state"], findings["requests"]["state"]) == ("metered", "traced")


@pytest.mark.parametrize(
    ("given", "code", "state", "detail"),
    [
        (None, None, "not set", "instrumentations stay off unless the program calls botanu.enable(instrument=True)"),
        (None, "import botanu", "not set", "nothing read here calls botanu.enable(instrument=True); "),
        ("false", "import botanu", "false", "nothing read here calls botanu.enable(instrument=True); "),
        ("true", None, "true", "one instrumentation is turned on for each client"),
        ("true", "import botanu", "true", "one instrumentation is turned on for each client"),
        ("true", "import openai", "true", "nothing read here imports botanu, which looks at it"),
        (
            "true",
            "import botanu\nbotanu.enable(instrument=False)",
            "true",
            "botanu.enable(instrument=False) at program/app.py:2 goes before it",
        ),
    ],
)
def test_what_the_variable_does_is_told(found, program, monkeypatch, given, code, state, detail):
    if given:
        monkeypatch.setenv("BOTANU_INSTRUMENT", given)
    _, findings = found(*([] if code is None else [program(code)]))

    assert findings["BOTANU_INSTRUMENT"]["state"] == state
    assert findings["BOTANU_INSTRUMENT"]["detail"].startswith(detail)


def test_what_turns_it_on_from_outside_is_seen_where_it_starts_the_command(program):
    done = subprocess.run(
        [
            Path(sys.executable).with_name("opentelemetry-instrument"),
            *(sys.executable, "-m", "botanu", "doctor", program("import openai"), "--offline", "-f", "json"),
        ],
        env=environment(),
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    (openai, *_) = json.loads(done.stdout)["findings"]
    assert openai["state"] == "metered"
    assert ", on in this process already; " in openai["detail"]


class TestOtherProducts:
    """What they bring is in their metadata."""

    def test_traceloop_turns_on_what_it_brings(self, found, program, installed):
        for name in ("groq", "redis"):
            installed(name)
            installed(f"opentelemetry-instrumentation-{name}", f"{name}; extra == 'instruments'", instrumentor=name)
        installed("traceloop-sdk", "opentelemetry-instrumentation-groq (>=0.62)")
        start = "import groq, redis\nfrom traceloop.sdk import Traceloop\nTraceloop.init("
        _, findings = found(program(f"{start})"))
        assert findings["groq"]["detail"].endswith(", turned on at program/app.py:3")
        assert findings["groq"]["state"] == "metered"
        assert findings["redis"]["state"] == "not turned on"

        _, findings = found(program(f"{start}instruments=chosen)"))
        assert findings["groq"]["detail"].endswith(", turned on if chosen at program/app.py:3")
        assert findings["groq"]["state"] == "not known"

    @pytest.mark.parametrize("product", ["logfire", "logfire-sdk"])
    def test_logfire_turns_on_what_it_is_told_to(self, found, program, installed, product):
        for name in ("flask", "redis"):
            installed(name)
            installed(f"opentelemetry-instrumentation-{name}", f"{name}; extra == 'instruments'", instrumentor=name)
        installed(
            product, *(f"opentelemetry-instrumentation-{name}>=0.60; extra == '{name}'" for name in ("flask", "redis"))
        )
        _, findings = found(program("import flask, redis, logfire\nlogfire.configure().instrument_flask(app)"))

        assert (findings["flask"]["state"], findings["redis"]["state"]) == ("traced", "not turned on")
        assert findings["flask"]["detail"].endswith(", turned on at program/app.py:2")

    def test_logfire_records_calls_of_openai_itself(self, found, program, installed):
        path = program("import openai\nimport logfire as lf\nlf.instrument_openai()")
        assert found(path)[1]["openai"]["state"] == "not turned on"

        installed("logfire", version="5.2.0")
        _, findings = found(path)
        assert findings["openai"]["state"] == "metered"
        assert findings["openai"]["detail"].startswith(
            "by logfire 5.2.0, turned on at program/app.py:3; not reported: "
        )

    def test_langfuses_drop_in_is_openais_client(self, found, program):
        code, findings = found(program("from langfuse.openai import openai"))
        assert code == 1
        assert (findings["openai"]["state"], findings["openai"]["places"]) == ("not turned on", ["program/app.py:1"])


# --- Sampling -----------------------------------------------------------------------------------------

PROVIDER = """
from opentelemetry import trace
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
trace.set_tracer_provider(TracerProvider())
trace.get_tracer_provider().add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
"""
RUN = """
import logging
logging.disable()
with botanu.run_botanu("w", event_id="e", customer_id="c"):
    pass
botanu.flush()
"""


@pytest.mark.parametrize(
    ("code", "environ", "arrives", "detail"),
    [
        ("", {}, True, "runs are sent whole all the same, unless the program sets a tracer provider and does not call"),
        (
            "botanu.enable()",
            {},
            True,
            "runs are sent whole all the same, as botanu.enable is called at program/app.py:2",
        ),
        (f"{PROVIDER}botanu.enable()", {}, True, "runs are sent whole all the same, as botanu.enable is called at "),
        (PROVIDER, {}, False, "runs not sampled are lost: program/app.py:7 sets a tracer provider, and nothing calls "),
        (
            f"{PROVIDER}botanu.enable()",
            {"OTEL_TRACES_EXPORTER": "none"},
            False,
            "runs not sampled are lost, as the program's own exporters do not get them",
        ),
    ],
)
@pytest.mark.parametrize("sampler", ["always_off", "traceidratio"])
def test_a_sampler_is_told_to_lose_runs_where_running_the_program_loses_them(  # noqa: PLR0913, PLR0917
    found, program, server, sql, monkeypatch, code, environ, arrives, detail, sampler
):
    environ = {"OTEL_TRACES_SAMPLER": sampler, "OTEL_TRACES_SAMPLER_ARG": "0", **environ}
    path = program(f"import botanu\n{code}\n{RUN}")
    for name, value in environ.items():
        monkeypatch.setenv(name, value)
    _, findings = found(path)

    assert findings["OTEL_TRACES_SAMPLER"]["detail"].startswith(detail)
    assert findings["OTEL_TRACES_SAMPLER"]["ok"] == arrives
    assert (findings["OTEL_TRACES_SAMPLER"]["remedy"] == "") == arrives
    run_python(path.read_text(), OTEL_EXPORTER_OTLP_ENDPOINT=str(server.base_url), **environ)
    assert sql("SELECT count(*) FROM runs") == [[1 if arrives else 0]]


@pytest.mark.parametrize(
    ("sampler", "share", "some"),
    [
        ("parentbased_always_off", "", True),
        ("Parentbased_TraceIdRatio", "0.5", True),
        ("traceidratio", "1.0", False),
        ("traceidratio", "", False),
        ("traceidratio", "much", False),
        ("always_on", "", False),
        ("not_known", "", False),
    ],
)
def test_a_sampler_that_drops_some_is_told_without_a_program_too(found, monkeypatch, sampler, share, some):
    monkeypatch.setenv("OTEL_TRACES_SAMPLER", sampler)
    monkeypatch.setenv("OTEL_TRACES_SAMPLER_ARG", share)
    code, findings = found()

    assert code == 0
    assert ("OTEL_TRACES_SAMPLER" in findings) == some


# --- Where spans go -----------------------------------------------------------------------------------


def test_the_endpoint_that_the_program_gives_goes_before_the_environments(botanu, found, program, server, monkeypatch):
    monkeypatch.setenv("BOTANU_ENDPOINT", "http://127.0.0.1:1")
    url = str(server.base_url).rstrip("/")
    path = program(f"import botanu\nbotanu.enable(endpoint={url!r})")
    _, findings = found(path)
    assert findings["botanu.enable"]["detail"] == f"spans go to {url}"
    assert findings["botanu.enable"]["name"] == "botanu.enable at program/app.py:2"

    code, out, _ = botanu("doctor", path, "-f", "json")
    assert (code, json.loads(out)["findings"][-1]["state"]) == (0, "answers")


@pytest.mark.parametrize("given", ["endpoint=ADDRESS", "exporter=theirs", "endpoint='http://127.0.0.1:1', exporter=x"])
def test_where_only_a_run_would_tell_where_spans_go_no_server_is_looked_for(botanu, program, monkeypatch, given):
    monkeypatch.setenv("OTEL_TRACES_EXPORTER", "none")
    code, out, _ = botanu("doctor", program(f"import botanu\nbotanu.enable({given})"), "-f", "json")
    *_, destination, server = json.loads(out)["findings"]

    assert code == 0
    assert destination["detail"] == "spans go where the program says"
    assert (server["name"], server["state"]) == ("where the program says", "not looked for")
    assert server["remedy"] == "give its address with --url"
