"""The servers that are measured: how each is started, told apart from the others, and asked what it has stored."""

import json
import sqlite3
import subprocess
import sys
import sysconfig
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import duckdb
from _support import environment, free_port, started, wait_for_port

HERE = Path(__file__).parent


@dataclass
class Server:
    """One that runs."""

    address: str
    process: subprocess.Popen[str]
    stored: Callable[[], int] | None = None
    """Asks how many spans it has stored; ``None`` where it stores none."""
    files: str | None = None
    """Pattern of the files that hold the spans, in its directory."""
    headers: Mapping[str, str] = field(default_factory=dict)
    """What every request must carry."""
    commits: Callable[[], int] | None = None
    """Asks in how many commits it has stored its spans."""
    in_use: Callable[[], int] | None = None
    """Tells, once it has stopped, how many bytes of its files hold something."""


@contextmanager
def botanu(directory: Path) -> Iterator[Server]:
    """``botanu serve``."""
    command = [Path(sysconfig.get_path("scripts")) / "botanu", "serve", "--port", "0", "--data-dir", directory]
    with started(command, directory / "log", talks=True, cwd=directory) as process:
        address = _said(process)

        def ask(query: str) -> int:
            question = json.dumps({"query": query}).encode()
            request = urllib.request.Request(f"{address}/v1/sql", question, {"content-type": "application/json"})
            with urllib.request.urlopen(request, timeout=60) as answer:
                return int(json.load(answer)["rows"][0][0])

        yield Server(
            address,
            process,
            stored=lambda: ask("select count(*) from spans"),
            files="botanu.duckdb*",
            commits=lambda: ask("select count(distinct received_at) from spans"),
            in_use=lambda: _used(directory / "botanu.duckdb"),
        )


@contextmanager
def mlflow(directory: Path) -> Iterator[Server]:
    """``mlflow server`` with SQLite and its default number of workers."""
    home, port, database = environment("mlflow", "mlflow").parent, free_port(), directory / "mlflow.db"
    where = ["--backend-store-uri", f"sqlite:///{database}", "--host", "127.0.0.1", "--port", str(port)]
    quiet = {"MLFLOW_DISABLE_TELEMETRY": "true", "DO_NOT_TRACK": "true"}
    with started([home / "mlflow", "server", *where], directory / "log", env=quiet, cwd=directory) as process:
        wait_for_port(port, process)
        yield Server(
            f"http://127.0.0.1:{port}",
            process,
            lambda: _rows(database),
            "mlflow.db*",
            {"x-mlflow-experiment-id": "0"},
        )


@contextmanager
def phoenix(directory: Path) -> Iterator[Server]:
    """``phoenix serve`` with SQLite."""
    home, port = environment("phoenix", "arize-phoenix").parent, free_port()
    environ = {
        "PHOENIX_WORKING_DIR": str(directory),
        "PHOENIX_HOST": "127.0.0.1",
        "PHOENIX_PORT": str(port),
        "PHOENIX_GRPC_PORT": str(free_port()),
        "PHOENIX_TELEMETRY_ENABLED": "false",
        "PHOENIX_ALLOW_EXTERNAL_RESOURCES": "false",
        "DO_NOT_TRACK": "true",
    }
    with started([home / "phoenix", "serve"], directory / "log", env=environ, cwd=directory) as process:
        wait_for_port(port, process)
        yield Server(f"http://127.0.0.1:{port}", process, lambda: _rows(directory / "phoenix.db"), "phoenix.db*")


@contextmanager
def rotel(directory: Path) -> Iterator[Server]:
    """The agent of ``rotel``, which stores nothing: it forwards to a sink that counts requests and drops them."""
    python, port = environment("rotel", "rotel"), free_port()
    program = "import pathlib, rotel; print(pathlib.Path(rotel.__file__).parent / 'rotel-agent')"
    agent = subprocess.run([python, "-c", program], check=True, capture_output=True, text=True).stdout.strip()
    with started([sys.executable, HERE / "_sink.py"], directory / "sink.log", talks=True) as sink:
        environ = {
            "ROTEL_OTLP_HTTP_ENDPOINT": f"127.0.0.1:{port}",
            "ROTEL_OTLP_GRPC_ENDPOINT": f"127.0.0.1:{free_port()}",
            "ROTEL_EXPORTER": "otlp",
            "ROTEL_OTLP_EXPORTER_ENDPOINT": _said(sink),
            "ROTEL_OTLP_EXPORTER_PROTOCOL": "http",
            "ROTEL_PID_FILE": str(directory / "pid"),
        }
        with started([agent, "start"], directory / "log", env=environ, cwd=directory) as process:
            wait_for_port(port, process)
            yield Server(f"http://127.0.0.1:{port}", process)


PEERS = {"mlflow": mlflow, "phoenix": phoenix, "rotel": rotel}


def _said(process: subprocess.Popen[str]) -> str:
    """Return the address at the end of the first line that *process* prints."""
    assert process.stdout is not None
    line = process.stdout.readline().split()
    if not line:
        raise RuntimeError("the server ended before it was ready")
    return line[-1]


def _used(database: Path) -> int:
    """Return the size of the blocks in use of a DuckDB file."""
    with duckdb.connect(str(database), read_only=True) as connection:
        [(used, block)] = connection.execute("SELECT used_blocks, block_size FROM pragma_database_size()").fetchall()
        return int(used) * int(block)


def _rows(database: Path) -> int:
    """Return how many spans a peer has in its SQLite file; both call the table alike."""
    connection = sqlite3.connect(f"file:{database}?mode=ro", uri=True, timeout=30)
    try:
        return int(connection.execute("SELECT count(*) FROM spans").fetchone()[0])
    finally:
        connection.close()
