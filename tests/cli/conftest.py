import json

import pytest
from support.installed import install


@pytest.fixture
def found(botanu):
    """Run ``botanu doctor`` without a server; give its exit code, and each finding by the first word of its name."""

    def run(*arguments):
        code, out, errors = botanu("doctor", *arguments, "--offline", "-f", "json")
        document = json.loads(out)
        assert document["ok"] == (code == 0) == (errors == "")
        return code, {finding["name"].split()[0]: finding for finding in document["findings"]}

    return run


@pytest.fixture
def program(tmp_path):
    """Write a file of a program; give its name as the command is to be given it."""

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
