"""What tests share."""

import io
import os
import sys
from contextlib import contextmanager

import httpx2
import pytest
from hypothesis import settings
from support.lab import Lab

from botanu import __main__ as entry
from botanu.sdk.guard import guard
from botanu.server.app import create_app
from botanu.server.run import serving
from botanu.server.settings import ServerSettings

settings.register_profile("quick", max_examples=60, deadline=None)
settings.register_profile("thorough", max_examples=2000, deadline=None)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "quick"))


@pytest.fixture(autouse=True)
def no_settings_from_outside(monkeypatch, tmp_path):
    """No variable and no settings file of the machine reaches a test, nor what another test has set."""
    monkeypatch.setattr(guard, "strict", False)
    for name in list(os.environ):
        if name.startswith(("BOTANU_", "OTEL_")):
            monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def lab(tmp_path):
    """A store fed through the real ingest path."""
    made = Lab(tmp_path / "store")
    yield made
    made.store.close()


@contextmanager
def serving_from(directory):
    settings = ServerSettings(port=0, data_dir=directory, body_bytes_max=100_000, query_rows_max=1000)
    with serving(create_app(settings, {}), settings) as address:
        yield address


def client_of(address):
    return httpx2.Client(base_url=address, timeout=30.0)


@pytest.fixture
def server(tmp_path):
    """A real server on a free port, and a client that asks it."""
    with serving_from(tmp_path / "server") as address, client_of(address) as client:
        yield client


@pytest.fixture(scope="module")
def empty_server_address(tmp_path_factory):
    with serving_from(tmp_path_factory.mktemp("server")) as address:
        yield address


@pytest.fixture
def empty_server(empty_server_address):
    """As ``server``, but one for all tests of a module that leave it as they found it: without a span and a value."""
    with client_of(empty_server_address) as client:
        yield client
        query = {"query": "SELECT (SELECT count(*) FROM spans), (SELECT count(*) FROM unit_values)"}
        assert client.post("/v1/sql", json=query).json()["rows"] == [[0, 0]]


@pytest.fixture
def sql(server):
    """Ask the server a query; give the rows."""

    def ask(query):
        response = server.post("/v1/sql", json={"query": query})
        assert response.status_code == 200, response.text
        return response.json()["rows"]

    return ask


@pytest.fixture
def lenient(runs):
    """The guard as it is in production."""
    guard.strict = False


@pytest.fixture
def botanu(monkeypatch, capsys):
    """Run the command in this process; give exit code, standard output and standard error."""

    def run(*arguments, stdin=None):
        monkeypatch.setattr(sys, "argv", ["botanu", *map(str, arguments)])
        if stdin is not None:
            monkeypatch.setattr(sys, "stdin", io.StringIO(stdin))
        try:
            entry.main()
            code = 0
        except SystemExit as end:
            code = end.code
        return code, *capsys.readouterr()

    return run
