"""What ``botanu doctor`` finds: clients, instrumentations, settings, the server."""

import csv
import io
import json
import os
import re
import shutil

import pytest
from support.process import botanu as process

from botanu.cli.imports import read_program

METERED = """\
from anthropic import Anthropic
from botanu import enable

def ask():
    import openai
    import requests
    enable(instrument=True)
"""


def test_what_is_metered_is_told_with_what_meters_it(botanu, program):
    code, out, errors = botanu("doctor", program(METERED), "--offline")

    assert (code, errors) == (0, "")
    rows = [re.split(r"  +", line, maxsplit=3) for line in out.splitlines()]
    titles, openai, anthropic, requests, *settings = rows
    assert titles == ["kind", "name", "state", "detail"]
    assert openai[::2] == ["genai", "metered"]
    assert re.fullmatch(
        r"by opentelemetry-instrumentation-genai-openai [^ ]+, turned on at program/app.py:7; "
        "not reported: usage of chat streams that do not ask for it with include_usage",
        openai[3],
    )
    assert anthropic[2:] == ["metered", "by itself"]
    assert requests[2] == "traced"
    assert requests[3].startswith("by opentelemetry-instrumentation-requests ")
    assert [line[1:] for line in settings] == [
        [
            "BOTANU_INSTRUMENT",
            "not set",
            "instrumentations are turned on at program/app.py:7",
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
        "pip install opentelemetry-instrumentation-groq, "
        "and call botanu.enable(instrument=True) or set BOTANU_INSTRUMENT=true"
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
            "flask",
            {"opentelemetry-instrumentation-flask": "flask<3; extra == 'instruments'"},
            "opentelemetry-instrumentation-flask: it takes flask<3, and there is flask 3.4.0",
            "",
        ),
    ],
)
def test_why_a_client_is_not_metered(found, program, installed, client, instrumentations, detail, remedy):
    installed(client, version="3.4.0")
    for name, needs in instrumentations.items():
        installed(name, needs, instrumentor=client)
    path = program(f"import {client}, botanu; botanu.enable(instrument=True)")
    code, findings = found(path)

    assert code == 1
    assert not findings[client]["ok"]
    assert findings[client]["state"] in ("not metered", "not traced")
    assert (findings[client]["detail"], findings[client]["remedy"]) == (detail, remedy)
    assert findings[client]["places"] == ["program/app.py:1"]

    program(f"import {client}")
    _, findings = found(path)
    assert (findings[client]["state"][:4], findings[client]["detail"]) == ("not ", detail)


def test_without_a_program_only_clients_of_models_must_be_metered(found, installed):
    installed("flask")
    code, findings = found()
    assert code == 0
    assert (findings["flask"]["state"], findings["flask"]["ok"]) == ("not traced", True)
    assert {"openai", "anthropic", "requests"} <= findings.keys()

    installed("groq")
    code, findings = found()
    assert code == 1
    assert [name for name, finding in findings.items() if not finding["ok"]] == ["groq"]


def test_a_client_that_is_imported_but_not_installed_is_told(found, program):
    code, findings = found(program("from google import genai"))

    assert code == 0
    assert findings["google-genai"]["state"] == "not found"
    assert findings["google-genai"]["detail"] == "imported, but not installed in this environment"


def test_a_file_that_cannot_be_read_is_not_ok_and_the_others_are_looked_at(found, program, tmp_path):
    program("import anthropic; '\\d'")
    program("x = 1\nprint 'hello'", "old.py")
    program(b"\0", "zero.py")
    program("-" * 100_000 + "1", "deep.py")
    (tmp_path / "program" / "gone.py").symlink_to("nowhere")
    code, findings = found("program")

    assert code == 1
    assert findings["anthropic"]["places"] == ["program/app.py:1"]
    unread = {name: finding for name, finding in findings.items() if finding["state"] == "not read"}
    assert {name: " ".join(finding["detail"].split()[:4]) for name, finding in unread.items()} == {
        "program/old.py": "line 2: Missing parentheses",
        "program/zero.py": "source code string cannot",
        "program/deep.py": "nested too deeply",
        "program/gone.py": "No such file or",
    }
    assert not any(finding["ok"] for finding in unread.values())
    assert all(finding["remedy"].startswith("mend it, or leave it out") for finding in unread.values())


def test_a_folder_that_cannot_be_read_is_not_ok(found, program, tmp_path, monkeypatch):
    """One that is gone when it is its turn, as permissions do not stop every user."""
    program("import anthropic", "a.py")
    program("", "b/c.py")
    walk = os.walk

    def walk_as_it_goes(path, **options):
        for folder in walk(path, **options):
            shutil.rmtree(tmp_path / "program" / "b", ignore_errors=True)
            yield folder

    monkeypatch.setattr(os, "walk", walk_as_it_goes)
    code, findings = found("program")

    assert code == 1
    assert (findings["program/b"]["state"], findings["program/b"]["detail"]) == (
        "not read",
        "No such file or directory",
    )


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


def test_what_a_program_calls_is_read_by_its_whole_name(program, tmp_path):
    program("""
import a.b, c as d
from e import f as g, h
from . import i
print(d.j(1, k=2, m=l), d)
a.b.C().instrument(*[3], **{})
def later():
    unknown().other(g(n=None))
    unknown().instrument_app(app)
    i.x(), h
""")
    read = read_program([tmp_path / "program" / "app.py"])

    app = f"{tmp_path}/program/app.py"
    assert [(call.name, call.place, dict(call.given)) for call in read.calls] == [
        ("c.j", f"{app}:5", {"k": 2, "m": ...}),
        ("a.b.C.instrument", f"{app}:6", {"**": ...}),
        ("a.b.C", f"{app}:6", {}),
        ("e.f", f"{app}:8", {"n": None}),
        (".instrument_app", f"{app}:9", {}),
    ]


def test_a_path_with_nothing_to_read_is_an_error(botanu, tmp_path):
    (tmp_path / "empty").mkdir()
    assert botanu("doctor", "nowhere") == (1, "", "error: there is no file or folder nowhere\n")
    assert botanu("doctor", "empty") == (1, "", "error: there is no Python file in empty\n")


def test_as_csv(botanu, program):
    program("import requests\nimport requests\nimport botanu; botanu.enable(instrument=True)")
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
        ({"BOTANU_QUEUE_SPANS_MAX": "many", "BOTANU_STRICT": "perhaps"}, "BOTANU_*"),
    ],
)
def test_settings_that_lose_runs_are_told(found, monkeypatch, environ, wrong):
    for name, value in environ.items():
        monkeypatch.setenv(name, value)
    code, findings = found()

    assert [name for name, finding in findings.items() if not finding["ok"]] == ([wrong] if wrong else [])
    assert code == (1 if wrong else 0)


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
    assert process("doctor", program("import anthropic"), "--offline").stderr == ""
    ended = process("doctor", program("import anthropic"), check=False, BOTANU_ENDPOINT="http://127.0.0.1:1")
    assert ended.returncode == 1
    assert ended.stderr == "error: not as it should be: http://127.0.0.1:1\n"
