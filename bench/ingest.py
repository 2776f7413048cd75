"""How fast spans are taken in, stored and priced, and what that costs: botanu, the steps it is made of, and peers.

Load and server share the machine. Each request holds 512 spans of 85 runs, gzip; four connections send one request
after the other. All bodies are made before the clock starts, and each is sent once to each server.
"""

import argparse
import gzip
import http.client
import statistics
import tempfile
import threading
import time
import urllib.parse
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path

import pyarrow as pa
from _payload import SPANS as SPANS_PER_BODY
from _payload import bodies
from _servers import PEERS, Server, botanu
from _support import (
    busy_seconds,
    cpu_seconds,
    machine,
    peak_memory_bytes,
    quantile,
    settle,
    stop,
    stop_on_sigterm,
    table,
)

from botanu.ingest.costs import add_costs
from botanu.ingest.normalise import normalise
from botanu.ingest.otlp import PROTOBUF, decode, flatten
from botanu.ingest.rollup import ROLLUPS
from botanu.pricing.catalog import Catalog
from botanu.pricing.price_list import PriceList
from botanu.store.duckdb import DuckDBStore
from botanu.store.schema import SPANS

HEADERS = {"content-type": PROTOBUF, "content-encoding": "gzip"}
PAUSE_SECONDS = 0.25
"""How long a connection waits when it was told to come back later."""

NO_ANSWER = 0
"""Stands for the status where the connection broke or nothing came in time."""

GROUPS = (1, 4, 16)
STEP_BODIES = 96
STEP_REPEATS = 3
STORED_GROUPS = 12
HISTORY_STEP_SECONDS = 0.1
"""From one request of the history to the next: 5,120 spans a second."""


@dataclass
class Load:
    """What became of the requests that were sent."""

    began: float = 0.0
    seconds: float = 0.0
    latencies: list[float] = field(default_factory=list)
    finished: list[float] = field(default_factory=list)
    refused: dict[int, int] = field(default_factory=dict)
    ran_out: bool = False

    @property
    def acknowledged(self) -> int:
        """How many spans were acknowledged."""
        return len(self.latencies) * SPANS_PER_BODY

    def rate(self, first: float, last: float) -> float:
        """Return the acknowledged spans per second between two shares of the time."""
        low, high = self.began + first * self.seconds, self.began + last * self.seconds
        return sum(low < moment <= high for moment in self.finished) * SPANS_PER_BODY / (high - low)


class Sender:
    """Sends bodies over several connections, for a while or until there are none left."""

    def __init__(self, server: Server, pool: Sequence[bytes], *, seconds: float, timeout_seconds: float) -> None:
        self._server = server
        self._left: Iterator[bytes] = iter(pool)
        self._seconds = seconds
        self._timeout_seconds = timeout_seconds
        self._lock = threading.Lock()
        self._load = Load()

    def run(self, connections: int) -> Load:
        """Send, and return what became of it."""
        load = self._load
        load.began = time.perf_counter()
        with ThreadPoolExecutor(connections) as threads:
            for future in [threads.submit(self._connection) for _ in range(connections)]:
                future.result()
        load.seconds = max(load.finished, default=time.perf_counter()) - load.began
        return load

    def _connection(self) -> None:
        address = urllib.parse.urlsplit(self._server.address)
        connection = http.client.HTTPConnection(address.netloc, timeout=self._timeout_seconds)
        try:
            while (body := self._next()) is not None:
                began = time.perf_counter()
                try:
                    connection.request("POST", "/v1/traces", body, {**HEADERS, **self._server.headers})
                    answer = connection.getresponse()
                    answer.read()
                    self._note(answer.status, began)
                except (OSError, http.client.HTTPException):
                    connection.close()
                    self._note(NO_ANSWER, began)
        finally:
            connection.close()

    def _next(self) -> bytes | None:
        with self._lock:
            if time.perf_counter() - self._load.began >= self._seconds:
                return None
            body = next(self._left, None)
            self._load.ran_out = body is None
            return body

    def _note(self, status: int, began: float) -> None:
        now, load = time.perf_counter(), self._load
        with self._lock:
            if status == http.client.OK:
                load.latencies.append(now - began)
                load.finished.append(now)
                return
            load.refused[status] = load.refused.get(status, 0) + 1
        time.sleep(PAUSE_SECONDS)


@dataclass
class Measured:
    """One server under load."""

    name: str
    load: Load
    sender_seconds: float
    server_seconds: float
    others_seconds: float
    memory: int
    stored: int | None
    stored_seconds: float
    size: int | None
    in_use: int | None
    warm: int
    """How many requests came before the clock started."""
    commits: int | None

    @property
    def on_disk(self) -> int:
        """How many spans its files hold."""
        return self.counted + self.warm * SPANS_PER_BODY

    @property
    def counted(self) -> int:
        """How many spans its costs are shared by."""
        return max(1, self.load.acknowledged if self.stored is None else self.stored)

    def row(self) -> list[str]:
        """Return its row."""
        load = self.load
        milliseconds = [latency * 1000 for latency in load.latencies]
        stored = "–" if self.stored is None else f"{self.stored / self.stored_seconds:,.0f}"
        return [
            self.name,
            f"{load.acknowledged / load.seconds:,.0f}",
            stored,
            "–" if self.stored is None else f"{self.stored:,} of {load.acknowledged:,}",
            f"{self.server_seconds / self.counted * 1e6:,.1f}",
            f"{self.memory / 2**20:,.0f}",
            "–" if self.size is None else f"{self.size / self.on_disk:,.0f}",
            f"{quantile(milliseconds, 0.5):,.0f} / {quantile(milliseconds, 0.99):,.0f}" if milliseconds else "–",
            ", ".join(f"{count} x {status}" for status, count in load.refused.items()) or "none",
        ]

    def notes(self) -> str:
        """Return one line about the run itself."""
        load = self.load
        more = ["ran out of bodies"] if load.ran_out else []
        if self.commits:
            more.append(f"{len(load.latencies) / self.commits:.1f} requests in a commit")
        if self.in_use:
            more.append(f"{self.in_use / self.on_disk:,.0f} bytes a span in the blocks of its file that are in use")
        return "; ".join([self._course(), *more])

    def _course(self) -> str:
        load = self.load
        return (
            f"{self.name}: {load.seconds:.1f} s of load, {load.rate(0, 0.25):,.0f} spans/s in its first quarter and "
            f"{load.rate(0.75, 1):,.0f} in its last; the sender took {self.sender_seconds:.1f} s of CPU, the server "
            f"{self.server_seconds:.1f} s, other processes {max(0, self.others_seconds):.1f} s"
        )


def measure(
    name: str,
    start: Callable[[Path], AbstractContextManager[Server]],
    pool: Sequence[bytes],
    options: argparse.Namespace,
    seconds: float,
) -> Measured:
    """Start a server, put it under load, see what it has stored, stop it, and see what is on disk."""
    with tempfile.TemporaryDirectory() as temporary:
        directory = Path(temporary)
        with start(directory) as server:
            pid = server.process.pid
            warm = warm_up(server, pool, options)
            earlier = server.commits() if server.commits else 0
            before, own, busy = cpu_seconds(pid), time.process_time(), busy_seconds()
            load = Sender(server, pool[warm:], seconds=seconds, timeout_seconds=options.timeout).run(
                options.connections
            )
            own = time.process_time() - own
            stored, drained = drain(server, warm * SPANS_PER_BODY, load.acknowledged, options.drain_seconds)
            used, memory = cpu_seconds(pid) - before, peak_memory_bytes(pid)
            others = busy_seconds() - busy - own - used
            commits = server.commits() - earlier if server.commits else None
            stop(server.process)
        files = [] if server.files is None else list(directory.glob(server.files))
        size = sum(file.stat().st_size for file in files) if files else None
        in_use = server.in_use() if server.in_use else None
    found = Measured(name, load, own, used, others, memory, stored, load.seconds + drained, size, in_use, warm, commits)
    print(f"- {found.notes()}", flush=True)
    return found


def warm_up(server: Server, pool: Sequence[bytes], options: argparse.Namespace) -> int:
    """Send a few bodies, so that what a server loads on its first requests is not measured; return how many."""
    few = 2 * options.connections
    load = Sender(server, pool[:few], seconds=options.timeout, timeout_seconds=options.timeout).run(options.connections)
    if load.refused:
        raise RuntimeError(f"the server does not take spans, it answers {load.refused}")
    drain(server, 0, load.acknowledged, options.timeout)
    settle(server.process.pid)
    return few


def drain(server: Server, before: int, expected: int, seconds_max: float) -> tuple[int | None, float]:
    """Wait until *expected* spans are stored besides those *before*; return how many are, and after how long.

    What is not there after *seconds_max* is not waited for.
    """
    if server.stored is None:
        return None, 0.0
    began = time.perf_counter()
    stored, took = server.stored() - before, 0.0
    while stored < expected and time.perf_counter() - began < seconds_max:
        time.sleep(1)
        now = server.stored() - before
        if now > stored:
            stored, took = now, time.perf_counter() - began
    return stored, took


def steps(pool: Sequence[bytes]) -> str:
    """Measure botanu's steps in this process, in one thread: what the server cannot be faster than."""
    raw = [gzip.decompress(body) for body in pool[: max(STEP_BODIES, STORED_GROUPS * max(GROUPS))]]
    some = raw[:STEP_BODIES]
    prices = PriceList(Catalog())
    rows = [
        ["decode", "1", _speed(some, 1, lambda group: [decode(body, PROTOBUF) for body in group])],
        *(
            ["decode, normalise, price", str(size), _speed(some, size, lambda group: priced_spans(group, prices))]
            for size in GROUPS
        ),
    ]
    for size in GROUPS:
        with tempfile.TemporaryDirectory() as directory:
            rows.append(
                [
                    "all that, and store",
                    str(size),
                    _stored_speed(raw[: STORED_GROUPS * size], size, prices, Path(directory)),
                ]
            )
    return table(("steps, in one thread, without HTTP", "requests in a group", "spans/s"), rows)


def priced_spans(group: Sequence[bytes], prices: PriceList) -> pa.Table:
    """Turn request bodies into rows, as the server's pipeline does."""
    spans, _ = flatten([decode(body, PROTOBUF) for body in group])
    columns, _ = add_costs(normalise(spans, datetime.now(UTC)), prices)
    return pa.table([columns[name] for name in SPANS.names], names=list(SPANS.names))


def history(spans: int) -> str:
    """Measure how long one request takes to store when there are *spans* already, and a part of them."""
    count = spans // SPANS_PER_BODY + 5 * max(GROUPS) + 4 * STORED_GROUPS
    left = iter(bodies(count, time.time_ns(), count * HISTORY_STEP_SECONDS))
    prices, rows, there = PriceList(Catalog()), [], 0
    with tempfile.TemporaryDirectory() as directory:
        store = DuckDBStore(Path(directory), ROLLUPS)
        for share in (0, 0.25, 0.5, 1):
            while there < share * spans:
                group = [gzip.decompress(body) for body in islice(left, max(GROUPS))]
                there += store.append(priced_spans(group, prices), datetime.now(UTC)).accepted
            rows.append([f"{there:,}", f"{statistics.median(_appends(store, left, prices)):.0f}"])
        store.close()
    return table(("spans there already", "ms to store one request, p50"), rows)


def _appends(store: DuckDBStore, left: Iterator[bytes], prices: PriceList) -> Iterator[float]:
    """Yield the milliseconds that each of a few requests takes."""
    for body in islice(left, STORED_GROUPS):
        spans = priced_spans([gzip.decompress(body)], prices)
        began = time.perf_counter()
        store.append(spans, datetime.now(UTC))
        yield (time.perf_counter() - began) * 1000


def _stored_speed(raw: Sequence[bytes], size: int, prices: PriceList, directory: Path) -> str:
    store = DuckDBStore(directory, ROLLUPS)
    try:
        return _speed(raw, size, lambda group: store.append(priced_spans(group, prices), datetime.now(UTC)), repeats=1)
    finally:
        store.close()


def _speed(
    raw: Sequence[bytes], size: int, do: Callable[[Sequence[bytes]], object], repeats: int = STEP_REPEATS
) -> str:
    rates = []
    for _ in range(repeats):
        began = time.perf_counter()
        for first in range(0, len(raw), size):
            do(raw[first : first + size])
        rates.append(len(raw) * SPANS_PER_BODY / (time.perf_counter() - began))
    return f"{statistics.median(rates):,.0f}"


def main() -> None:
    """Measure, and print Markdown."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--peers", default="", help=f"of {', '.join(PEERS)}, separated by commas")
    parser.add_argument("--seconds", type=float, default=20, help="time under load")
    parser.add_argument("--peer-seconds", type=float, default=20, help="time under load of each peer")
    parser.add_argument("--drain-seconds", type=float, default=60, help="longest wait for a server to store the rest")
    parser.add_argument("--bodies", type=int, default=3000, help="requests there are at most")
    parser.add_argument("--history", type=int, default=0, help="spans to fill a store with, to see what history costs")
    parser.add_argument("--connections", type=int, default=4)
    parser.add_argument("--timeout", type=float, default=120, help="longest wait for one answer")
    options = parser.parse_args()
    stop_on_sigterm()
    print(f"{machine()}\n")
    pool = bodies(options.bodies, time.time_ns(), options.seconds)
    size = statistics.mean(map(len, pool))
    raw = len(gzip.decompress(pool[0]))
    print(f"{len(pool):,} bodies of {SPANS_PER_BODY} spans: {raw / 1000:.0f} kB each, {size / 1000:.0f} kB gzip\n")
    found = [measure("botanu", botanu, pool, options, options.seconds)]
    print(f"\n{steps(pool)}\n", flush=True)
    if options.history:
        print(f"{history(options.history)}\n", flush=True)
    found += [
        measure(name, PEERS[name], pool, options, options.peer_seconds) for name in options.peers.split(",") if name
    ]
    head = (
        "server",
        "acknowledged spans/s",
        "stored spans/s",
        "stored",
        "CPU-s per 1 M spans",
        "peak MiB",
        "bytes a span on disk",
        "ms, p50 / p99",
        "refused requests",
    )
    print(f"\n{table(head, [one.row() for one in found])}\n{against_peers(found)}")


def against_peers(found: Sequence[Measured]) -> str:
    """Return how botanu's stored spans per second compare with those of the best peer that stores."""
    rates = {one.name: one.stored / one.stored_seconds for one in found if one.stored is not None}
    ours = rates.pop("botanu")
    if not rates:
        return ""
    best = max(rates, key=lambda name: rates[name])
    return f"\nbotanu stores {ours / rates[best]:,.0f} times as many spans a second as {best}, the best of the peers"


if __name__ == "__main__":
    main()
