"""What a run costs the program it is in: microseconds, CPU with a real exporter, memory held, import time.

One run is a root span, one call of a model with its tokens, and one outcome. Each variant lives in a process of its
own (``_worker.py``); the processes take turns, round by round, so that whatever else the machine does hits all alike.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from _support import busy_seconds, environment, machine, own_seconds, quantile, ratio, started, stop_on_sigterm, table

HERE = Path(__file__).parent
ENVIRON = {"OTEL_BSP_MAX_QUEUE_SIZE": "50000", "OTEL_BSP_SCHEDULE_DELAY": "1000", "TRACELOOP_TELEMETRY": "false"}
WARM_UP_RUNS = 1000
HELD_RUNS = 200
HELD_REPEATS = 5
IMPORTS = ("import opentelemetry.sdk.trace", "import botanu")


@dataclass(frozen=True)
class Subject:
    """What is measured: a variant, and the environment it runs in."""

    label: str
    variant: str
    python: Path
    package: str

    def command(self, endpoint: str | None = None) -> list[str | Path]:
        """Return the command that starts its worker."""
        there = ["--endpoint", endpoint] if endpoint else []
        return [self.python, HERE / "_worker.py", self.variant, "--package", self.package, *there]


OWN = Path(sys.executable)
FLOOR = Subject("floor: OpenTelemetry by hand", "floor", OWN, "opentelemetry-sdk")
LIMIT = Subject("limit: the same, no context manager for the call's span", "limit", OWN, "opentelemetry-sdk")
DECORATOR = Subject("botanu, `@botanu_workflow`", "decorator", OWN, "botanu")
MANAGER = Subject("botanu, `with run_botanu`", "manager", OWN, "botanu")
SUBJECTS = (
    FLOOR,
    LIMIT,
    Subject("bare function calls", "bare", OWN, "opentelemetry-sdk"),
    DECORATOR,
    MANAGER,
)
"""What is always measured; the floor first, as the others are compared with it."""

ALIKE = (FLOOR, LIMIT, DECORATOR, MANAGER)
"""Who must write the same spans."""

PEERS = {
    "reference": ("botanu==0.1.dev60",),
    "openlit": ("openlit",),
    "traceloop": ("traceloop-sdk", "httpx"),
    "langfuse": ("langfuse",),
    "logfire": ("logfire",),
    "mlflow-tracing": ("mlflow-tracing",),
}
"""The SDKs that can be measured beside, and what to install for each."""


def peer(name: str) -> Subject:
    """Return the subject called *name*; ``floor@NAME`` is the floor in the environment of the peer *NAME*."""
    variant, _, home = name.rpartition("@")
    python = environment(home, *PEERS[home])
    if variant:
        return Subject(f"{variant}, with the OpenTelemetry of {home}", variant, python, "opentelemetry-sdk")
    return Subject(f"{home} SDK" if home == "reference" else home, home, python, PEERS[home][0].partition("=")[0])


class Worker:
    """The far end of a worker process."""

    def __init__(self, subject: Subject, process: subprocess.Popen[str]) -> None:
        self.subject = subject
        self._process = process
        self.versions = self._read()

    def do(self, command: str, runs: int) -> dict[str, Any]:
        """Have a command done, and return what it found."""
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps({"do": command, "runs": runs}) + "\n")
        self._process.stdin.flush()
        return self._read()

    def _read(self) -> dict[str, Any]:
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line:
            raise RuntimeError(f"the worker of {self.subject.label} has ended")
        return dict(json.loads(line))


@contextmanager
def workers(subjects: Sequence[Subject], directory: Path, endpoint: str | None = None) -> Iterator[list[Worker]]:
    """Start a worker for each subject."""
    with ExitStack() as stack:
        yield [
            Worker(
                subject,
                stack.enter_context(
                    started(
                        subject.command(endpoint), directory / f"{number}.log", talks=True, env=ENVIRON, cwd=directory
                    )
                ),
            )
            for number, subject in enumerate(subjects)
        ]


def in_turn(pool: Sequence[Worker], rounds: int) -> Iterator[Worker]:
    """Yield each worker once a round; who goes first moves on by one."""
    for number in range(rounds):
        first = number % len(pool)
        yield from (*pool[first:], *pool[:first])


def check_alike(pool: Sequence[Worker]) -> None:
    """Make sure that the floor and botanu write the very same spans, or there is nothing to compare."""
    looks = {w.subject.label: w.do("look", 1)["spans"] for w in pool if w.subject in ALIKE}
    expected = looks.pop(FLOOR.label)
    for label, spans in looks.items():
        if spans != expected:
            raise SystemExit(f"{label} writes other spans than the floor:\n{spans}\n{expected}")


def overhead(subjects: Sequence[Subject], options: argparse.Namespace, directory: Path) -> str:
    """Measure microseconds and memory of a run for each subject."""
    times: dict[Subject, list[float]] = {subject: [] for subject in subjects}
    held: dict[Subject, list[dict[str, float]]] = {subject: [] for subject in subjects}
    versions: dict[Subject, dict[str, str]] = {}
    for _ in range(options.processes):
        with workers(subjects, directory) as pool:
            check_alike(pool)
            for worker in pool:
                worker.do("time", WARM_UP_RUNS)
                versions[worker.subject] = worker.versions
            for worker in in_turn(pool, options.rounds):
                times[worker.subject].append(microseconds(worker, options.runs))
            for worker in in_turn(pool, HELD_REPEATS):
                held[worker.subject].append(worker.do("hold", HELD_RUNS))
    head = ("variant", "version", "OpenTelemetry", "µs, p50", "p10 – p90", "x floor", "blocks held", "bytes held")
    rows = [overhead_row(subject, versions[subject], times, held[subject]) for subject in subjects]
    return f"{table(head, rows)}{against_reference(times)}"


def against_reference(times: dict[Subject, list[float]]) -> str:
    """Return what botanu takes of the reference's time, where that was measured."""
    reference = next((times[subject] for subject in times if subject.variant == "reference"), None)
    if reference is None:
        return ""
    shares = [f"{ratio(times[subject], reference):.2f} ({subject.label})" for subject in (DECORATOR, MANAGER)]
    return f"\n\nOf the reference's time botanu takes {' and '.join(shares)}."


def microseconds(worker: Worker, runs: int) -> float:
    """Return the time of one run in a round of *runs*; every span of theirs must arrive."""
    found = worker.do("time", runs)
    expected = 0 if worker.subject.variant == "bare" else 2 * runs
    if found["spans"] != expected:
        raise SystemExit(f"{worker.subject.label}: {found['spans']} spans of {expected} arrived")
    return float(found["seconds"]) / runs * 1e6


def overhead_row(
    subject: Subject,
    versions: dict[str, str],
    times: dict[Subject, list[float]],
    held: Sequence[dict[str, float]],
) -> list[str]:
    """Return a subject's row."""
    mine = times[subject]
    blocks = statistics.median(one["blocks"] for one in held) / HELD_RUNS
    held_bytes = statistics.median(one["bytes"] for one in held) / HELD_RUNS
    bare = subject.variant == "bare"
    return [
        subject.label,
        "" if bare or subject.variant in ("floor", "limit") else versions["version"],
        "" if bare else versions["opentelemetry"],
        f"{statistics.median(mine):.1f}",
        f"{quantile(mine, 0.1):.1f} – {quantile(mine, 0.9):.1f}",
        f"{ratio(mine, times[FLOOR]):.2f}",
        f"{blocks:.0f}",
        f"{held_bytes:,.0f}",
    ]


def exporting(options: argparse.Namespace, directory: Path) -> str:
    """Measure the CPU of all threads for a run that is really sent, to a sink in another process."""
    subjects = (FLOOR, DECORATOR)
    seconds: dict[Subject, list[float]] = {subject: [] for subject in subjects}
    with (
        started([OWN, HERE / "_sink.py", "--spans"], directory / "sink.log", talks=True) as sink,
        workers(subjects, directory, endpoint := str(sink.stdout.readline()).split()[-1]) as pool,
    ):
        for worker in pool:
            worker.do("cpu", WARM_UP_RUNS)
        for worker in in_turn(pool, options.export_rounds):
            seconds[worker.subject].append(worker.do("cpu", options.runs)["seconds"] / options.runs * 1e6)
        with urllib.request.urlopen(endpoint) as answer:
            received = json.load(answer)
    sent = 2 * len(subjects) * (WARM_UP_RUNS + options.export_rounds * options.runs)
    rows = [
        [subject.label, f"{statistics.median(mine):.0f}", f"{ratio(mine, seconds[FLOOR]):.2f}"]
        for subject, mine in seconds.items()
    ]
    arrived = f"{received['spans']:,} of {sent:,} spans arrived, {received['bytes'] / sent:.0f} bytes a span"
    return f"{table(('variant', 'CPU µs of all threads', 'x floor'), rows)}\n\n{arrived}"


def importing(options: argparse.Namespace, directory: Path) -> str:
    """Measure how long an import takes in a new process, all modules compiled before."""
    program = "import time; began = time.perf_counter(); {}; print(time.perf_counter() - began)"
    environ = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    environ["PYTHONPYCACHEPREFIX"] = str(directory / "compiled")
    found: dict[str, list[float]] = {statement: [] for statement in IMPORTS}
    for _ in range(options.imports + 1):
        for statement, times in found.items():
            command = [OWN, "-c", program.format(statement)]
            answer = subprocess.run(command, cwd=directory, env=environ, check=True, capture_output=True, text=True)
            times.append(float(answer.stdout) * 1000)
    found = {statement: times[1:] for statement, times in found.items()}
    rows = [
        [f"`{statement}`", f"{statistics.median(times):.0f}", f"{ratio(times, found[IMPORTS[0]]):.2f}"]
        for statement, times in found.items()
    ]
    return table(("statement", "ms, p50", "x the first"), rows)


def main() -> None:
    """Measure, and print Markdown."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--peers", default="reference", help=f"of {', '.join(PEERS)}; floor@NAME; empty for none")
    parser.add_argument("--runs", type=int, default=2000, help="runs in a round")
    parser.add_argument("--rounds", type=int, default=20, help="rounds of each process")
    parser.add_argument("--processes", type=int, default=3, help="how often all processes are started anew")
    parser.add_argument("--export-rounds", type=int, default=10, help="rounds with a real exporter")
    parser.add_argument("--imports", type=int, default=11, help="imports of each kind")
    options = parser.parse_args()
    stop_on_sigterm()
    subjects = [*SUBJECTS, *(peer(name) for name in options.peers.split(",") if name)]
    print(f"{machine()}\n")
    began, busy, own = time.perf_counter(), busy_seconds(), own_seconds()
    with tempfile.TemporaryDirectory() as directory:
        here = Path(directory)
        print(f"## A run, spans batched to an exporter that drops them\n\n{overhead(subjects, options, here)}\n")
        print(f"## A run, spans sent over OTLP/HTTP\n\n{exporting(options, here)}\n")
        print(f"## Import\n\n{importing(options, here)}\n")
    others = (busy_seconds() - busy - own_seconds() + own) / (time.perf_counter() - began)
    print(f"Other processes kept {max(0, others):.2f} cores busy.")


if __name__ == "__main__":
    main()
