from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path

import pytest

from botanu.errors import SettingsError
from botanu.settings import describe, resolve, setting


@dataclass(frozen=True)
class Table:
    host: str = setting("127.0.0.1", "Where.")
    port: int = setting(4318, "Which.", least=0, most=65_535)
    wait_seconds: float = setting(1.5, "How long.")
    quiet: bool = setting(False, "Whether.")
    folder: Path = setting(Path("/var"), "In what.")
    name: str | None = setting(None, "Who.")


def test_code_goes_before_environment_before_file_before_default():
    given = {"environ": {"BOTANU_HOST": "env", "BOTANU_PORT": "2"}, "file": {"host": "file", "port": 3, "name": "n"}}

    assert resolve(Table, code={"host": "code", "port": None}, **given) == Table(host="code", port=2, name="n")
    assert resolve(Table) == Table()


def test_an_empty_variable_is_not_given():
    assert resolve(Table, environ={"BOTANU_PORT": ""}, file={"port": 3}).port == 3


@pytest.mark.parametrize(
    ("name", "text", "value"),
    [
        ("wait_seconds", "0.25", 0.25),
        ("quiet", "YES", True),
        ("quiet", "0", False),
        ("folder", "/tmp", Path("/tmp")),
        ("name", "x", "x"),
    ],
)
def test_texts_are_read_by_type(name, text, value):
    assert getattr(resolve(Table, environ={f"BOTANU_{name.upper()}": text}), name) == value


def test_the_file_has_types_of_its_own():
    assert resolve(Table, file={"wait_seconds": 2, "quiet": True}) == Table(wait_seconds=2.0, quiet=True)
    assert resolve(Table, file={"wait_seconds": Decimal("2.5")}).wait_seconds == 2.5


def test_every_fault_is_named_at_once():
    with pytest.raises(SettingsError) as caught:
        resolve(Table, environ={"BOTANU_PORT": "http"}, file={"quiet": "maybe", "prot": 1, "folder": 5, "host": True})

    assert str(caught.value).split("; ") == [
        "unknown setting 'prot' in the file",
        "known: host, port, wait_seconds, quiet, folder, name",
        "host (BOTANU_HOST) must be text, not True",
        "port (BOTANU_PORT) must be a whole number from 0 to 65535, not 'http'",
        "quiet (BOTANU_QUIET) must be true or false, not 'maybe'",
        "folder (BOTANU_FOLDER) must be a path, not 5",
    ]


@pytest.mark.parametrize(
    ("name", "text"), [("port", "-1"), ("port", "65536"), ("wait_seconds", "nan"), ("wait_seconds", "inf")]
)
def test_a_number_is_finite_and_within_its_bounds(name, text):
    with pytest.raises(SettingsError, match=f"{name} .* not '{text}'"):
        resolve(Table, environ={f"BOTANU_{name.upper()}": text})


def test_rows_describe_themselves():
    assert describe(Table)[1] == ("port", "BOTANU_PORT", "a whole number from 0 to 65535", "4318", "Which.")
