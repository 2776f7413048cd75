"""What tests share."""

import os

import httpx2
import pytest
from hypothesis import settings
from support.lab import Lab

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


@pytest.fixture
def server(tmp_path):
    """A real server on a free port, and a client that asks it."""
    settings = ServerSettings(port=0, data_dir=tmp_path / "server", body_bytes_max=100_000, query_rows_max=1000)
    app = create_app(settings, {})
    with serving(app, settings) as address, httpx2.Client(base_url=address, timeout=30.0) as client:
        yield client


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
