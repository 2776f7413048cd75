"""What ``botanu doctor`` finds: clients, instrumentations, settings, the server."""

import csv
import io
import json
import re

import pytest
from support.installed import install
from support.process import botanu as process

from botanu.cli.imports import read_program


@pytest.fixture
def program(tmp_path):
    """Write a file of the program; give its name as the command is to be given it."""

    def write(code, name="app.py"):
        file = tmp_path / "program" / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(code if isinstance(code, bytes) else code.encode())
        return file.relative_to(tmp_path)

    return write


@pytest.fixture
def installed(tmp_path, monkeypatch):
    """Install distributions for this test."""
    directory = tmp_path / "installed"
    directory.mkdir()
    monkeypatch.syspath_prepend(str(directory))
    return lambda *arguments, **options: install(directory, *arguments, **options)


def found(botanu, *arguments):
    """Run the command without a server; give its exit code, and each finding by the first word of its name."""
    code, out, errors = botanu("doctor", *arguments, "--offline", "-f", "json")
    document = json.loads(out)
    assert document["ok"] == (code == 0) == (errors == "")
    return code, {finding["name"].split()[0]: finding for finding in document["findings"]}


METERED = """\
from anthropic import Anthropic

def ask():
    import openai
    import requests
"""


def test_what_is_metered_is_told_with_what_meters_it(botanu, program):
    code, out, errors = botanu("doctor", program(METERED), "--offline")

    assert (code, errors) == (0, "")
    rows = [re.split(r"  +", line, maxsplit=3) for line in out.splitlines()]
    titles, openai, anthropic, requests, *settings = rows
    assert titles == ["kind", "name", "state", "detail"]
    assert openai[::2] == ["genai", "metered"]
    assert openai[3].startswith("by opentelemetry-instrumentation-genai-openai ")
    assert openai[3].endswith("; not reported: usage of chat streams that do not ask for it with include_usage")
    assert anthropic[2:] == ["metered", "by itself"]
    assert requests[2] == "traced"
    assert requests[3].startswith("by opentelemetry-instrumentation-requests ")
    assert [line[1:] for line in settings] == [
        [
            "BOTANU_INSTRUMENT",
            "not set",
            "instrumentations are on where the program turns them on: botanu.enable(instrument=True)",
        ],
        ["BOTANU_ENDPOINT", "not set", "spans go to http://localhost:4318"],
    ]


def test_what_is_not_metered_is_told_with_its_places_and_what_to_do(botanu, program, installed):
    installed("groq", version="1.7.0")
    program("import groq\n\nfrom groq.types import chat\n")
    program("import groq", "b/one.py")
    program("import groq", "b/two.py")
    code, out, errors = botanu("doctor", "program", "--offline")

    assert (code, errors) == (1, "error: not as it should be: groq 1.7.0\n")
    assert out.splitlines()[1].split() == ["genai", "groq", "1.7.0", "not", "metered"]
    assert out.splitlines()[-1] == (
        "groq 1.7.0 (program/app.py:1, program/app.py:3, program/b/one.py:1 and 1 more): "
        "pip install opentelemetry-instrumentation-groq"
    )


BY_HAND = "record its calls with botanu.track_llm_call"


@pytest.mark.parametrize(
    ("client", "instrumentations", "detail", "remedy"),
    [
        ("boto3", {}, "", "pip install 'botanu[instrument-genai]'"),
        ("mistralai", {}, "", BY_HAND),
        (
            "boto3",
            {"opentelemetry-instrumentation-genai-bedrock": "boto3<2,>=1.40; extra == 'instruments'"},
            "opentelemetry-instrumentation-genai-bedrock: it takes boto3<2,>=1.40, and there is boto3 3.4.0",
            BY_HAND,
        ),
        (
            "mistralai",
            {"openinference-instrumentation-mistralai": "mistralai; extra == 'instruments'"},
            "the server does not read the names that openinference-instrumentation-mistralai writes",
            BY_HAND,
        ),
        (
            "flask",
            {"opentelemetry-instrumentation-flask": "flask<3; extra == 'instruments'"},
            "opentelemetry-instrumentation-flask: it takes flask<3, and there is flask 3.4.0",
            "",
        ),
    ],
)
def test_why_a_client_is_not_metered(botanu, program, installed, client, instrumentations, detail, remedy):
    installed(client, version="3.4.0")
    for name, needs in instrumentations.items():
        installed(name, needs, instrumentor=client)
    code, findings = found(botanu, program(f"import {client}"))

    assert code == 1
    assert not findings[client]["ok"]
    assert findings[client]["state"] in ("not metered", "not traced")
    assert (findings[client]["detail"], findings[client]["remedy"]) == (detail, remedy)
    assert findings[client]["places"] == ["program/app.py:1"]


def test_without_a_program_only_clients_of_models_must_be_metered(botanu, installed):
    installed("flask")
    code, findings = found(botanu)
    assert code == 0
    assert (findings["flask"]["state"], findings["flask"]["ok"]) == ("not traced", True)
    assert {"openai", "anthropic", "requests"} <= findings.keys()

    installed("groq")
    code, findings = found(botanu)
    assert code == 1
    assert [name for name, finding in findings.items() if not finding["ok"]] == ["groq"]


def test_a_client_that_is_imported_but_not_installed_is_told(botanu, program):
    code, findings = found(botanu, program("from google import genai"))

    assert code == 0
    assert findings["google-genai"]["state"] == "not found"
    assert findings["google-genai"]["detail"] == "imported, but not installed in this environment"


def test_a_file_that_cannot_be_read_is_told_and_the_others_are(botanu, program):
    program("import openai; '\\d'")
    program("print 'hello'", "old.py")
    program(b"\0", "zero.py")
    _, findings = found(botanu, "program")

    assert findings["openai"]["places"] == ["program/app.py:1"]
    for name in ("program/old.py", "program/zero.py"):
        assert (findings[name]["state"], findings[name]["ok"]) == ("not read", True)
        assert findings[name]["detail"]


def test_what_belongs_to_the_program(program, tmp_path):
    program("import a.b, c as d\nfrom e.f import g\nfrom . import h\nfrom .i import j")
    program("import not_python", "notes.txt")
    program("import hidden", ".cache/x.py")
    program("", "venv/pyvenv.cfg")
    program("import installed", "venv/lib/x.py")
    read = read_program([tmp_path / "program"])

    assert [name for name, _ in read.names] == ["a.b", "c", "e.f.g"]
    assert read.places("e") == read.places("e.f") == (f"{tmp_path}/program/app.py:2",)
    assert read.places("e.f.g.h") == read.places("a.bc") == ()


def test_a_path_that_is_not_there_is_an_error(botanu):
    assert botanu("doctor", "nowhere") == (1, "", "error: there is no file or folder nowhere\n")


def test_as_csv(botanu, program):
    program("import requests\nimport requests")
    _, out, _ = botanu("doctor", "program", "--offline", "-f", "csv")
    (requests, *_) = csv.DictReader(io.StringIO(out))

    assert list(requests) == ["kind", "name", "ok", "state", "detail", "remedy", "places"]
    assert (requests["kind"], requests["ok"], requests["state"]) == ("web", "true", "traced")
    assert requests["places"] == "program/app.py:1 program/app.py:2"


@pytest.mark.parametrize(
    ("environ", "wrong"),
    [
        ({"BOTANU_ENABLED": "no"}, "BOTANU_ENABLED"),
        ({"OTEL_SDK_DISABLED": "true"}, "OTEL_SDK_DISABLED"),
        ({"OTEL_TRACES_EXPORTER": "none"}, "OTEL_TRACES_EXPORTER"),
        ({"OTEL_TRACES_EXPORTER": "none", "BOTANU_ENDPOINT": "http://127.0.0.1:9"}, None),
        ({"OTEL_TRACES_SAMPLER": "parentbased_always_off"}, "OTEL_TRACES_SAMPLER"),
        ({"OTEL_TRACES_SAMPLER": "traceidratio", "OTEL_TRACES_SAMPLER_ARG": "0.1"}, "OTEL_TRACES_SAMPLER"),
        ({"OTEL_TRACES_SAMPLER": "parentbased_traceidratio", "OTEL_TRACES_SAMPLER_ARG": "1.0"}, None),
        ({"OTEL_TRACES_SAMPLER": "always_on"}, None),
        ({"BOTANU_QUEUE_SPANS_MAX": "many", "BOTANU_STRICT": "perhaps"}, "BOTANU_*"),
    ],
)
def test_settings_that_lose_runs_are_told(botanu, monkeypatch, environ, wrong):
    for name, value in environ.items():
        monkeypatch.setenv(name, value)
    code, findings = found(botanu)

    assert [name for name, finding in findings.items() if not finding["ok"]] == ([wrong] if wrong else [])
    assert code == (1 if wrong else 0)


def test_whether_instrumentations_are_turned_on_from_outside_is_told(botanu, monkeypatch):
    assert found(botanu)[1]["BOTANU_INSTRUMENT"]["state"] == "not set"
    monkeypatch.setenv("BOTANU_INSTRUMENT", "true")
    assert found(botanu)[1]["BOTANU_INSTRUMENT"]["state"] == "true"


@pytest.mark.parametrize(
    ("environ", "destination", "looked_for"),
    [
        ({"BOTANU_ENDPOINT": "SERVER", "BOTANU_URL": "http://127.0.0.1:1"}, "SERVER", "SERVER"),
        ({"OTEL_EXPORTER_OTLP_ENDPOINT": "SERVER"}, "SERVER", "SERVER"),
        ({"OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": "SERVER/v1/traces"}, "SERVER", "SERVER"),
        ({"OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:1", "BOTANU_URL": "SERVER"}, "http://127.0.0.1:1", "SERVER"),
        ({"BOTANU_ENDPOINT": "http://127.0.0.1:1", "--url": "SERVER"}, "http://127.0.0.1:1", "SERVER"),
        ({"BOTANU_ENDPOINT": "http://127.0.0.1:1"}, "http://127.0.0.1:1", "http://127.0.0.1:1"),
        ({"BOTANU_ENDPOINT": "localhost:4318"}, "localhost:4318", "localhost:4318"),
    ],
)
def test_the_server_that_spans_go_to_is_looked_for(botanu, monkeypatch, server, environ, destination, looked_for):
    url = str(server.base_url).rstrip("/")
    options = []
    for name, value in environ.items():
        if name == "--url":
            options = [name, value.replace("SERVER", url)]
        else:
            monkeypatch.setenv(name, value.replace("SERVER", url))
    code, out, _ = botanu("doctor", *options, "-f", "json")
    *_, spans, answer = json.loads(out)["findings"]

    assert spans["detail"] == f"spans go to {destination.replace('SERVER', url)}"
    assert (answer["kind"], answer["name"]) == ("server", looked_for.replace("SERVER", url))
    if looked_for == "SERVER":
        assert (code, answer["state"], answer["remedy"]) == (0, "answers", "")
    elif looked_for.startswith("http"):
        assert (code, answer["state"]) == (1, "does not answer")
        assert answer["remedy"].startswith("start it with 'botanu serve'")
    else:
        assert (code, answer["state"]) == (1, "no address")


def test_as_a_process_it_ends_with_what_it_found(program, tmp_path):
    assert process("doctor", program("import openai"), "--offline").stderr == ""
    ended = process("doctor", program("import openai"), check=False, BOTANU_ENDPOINT="http://127.0.0.1:1")
    assert ended.returncode == 1
    assert ended.stderr == "error: not as it should be: http://127.0.0.1:1\n"
