"""A collector that fails half of the time; the other end of the soak.

It answers a request with success, refuses it, or breaks the connection; or it takes the request in and does not say so,
with an error or a broken connection after it. ``GET /`` answers with the counts; ``POST /works`` ends the failing, and
``POST /fails`` lets it begin again.
"""

import argparse
import gzip
import json
import random
import threading
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.trace.v1.trace_pb2 import Span

from botanu import semconv


@dataclass(frozen=True)
class Way:
    """How a request is answered."""

    status: int | None
    """The status; ``None`` is a broken connection."""
    takes: bool = False
    """Whether what was sent is kept."""

    def __str__(self) -> str:
        return f"{self.status or 'broken'}{' but kept' if self.takes and self is not SUCCESS else ''}"


SUCCESS = Way(200, takes=True)
FAILURES = (
    Way(503),
    Way(503),
    Way(429),
    Way(500),
    Way(None),
    Way(503, takes=True),
    Way(500, takes=True),
    Way(None, takes=True),
)


class Collector:
    """Counts what it was sent and what it kept. A request that was answered with success is *acknowledged*."""

    def __init__(self, chance: random.Random) -> None:
        self.failing = True
        self._chance = chance
        self._lock = threading.Lock()
        self._answers: Counter[str] = Counter()
        self._acknowledged: dict[str, bool] = {}
        """Every run that was kept, and whether a request with it was acknowledged."""
        self._spans_acknowledged = self._kept_again = self._sent_again = 0

    def take(self, body: bytes) -> Way:
        """Return how to answer *body*, and keep what is in it if that is so."""
        with self._lock:
            way = self._chance.choice(FAILURES) if self.failing and self._chance.random() < 0.5 else SUCCESS
            self._answers[str(way)] += 1
            if way.takes:
                self._keep(body, acknowledged=way is SUCCESS)
            return way

    def _keep(self, body: bytes, *, acknowledged: bool) -> None:
        for span in spans(body):
            self._spans_acknowledged += acknowledged
            values = {each.key: each.value for each in span.attributes}
            if semconv.RUN_ROOT in values:
                run_id = values[semconv.RUN_ID].string_value
                before = self._acknowledged.get(run_id)
                self._kept_again += before is False
                self._sent_again += before is True
                self._acknowledged[run_id] = before or acknowledged

    def counts(self) -> dict[str, object]:
        """Return what has come so far.

        Of runs: how many different ones were *kept* and *acknowledged*; how often one came that had been *kept_again*
        without an acknowledgement, and how often one was *sent_again* after it had been acknowledged.
        """
        with self._lock:
            return {
                "answers": dict(self._answers),
                "kept": len(self._acknowledged),
                "acknowledged": sum(self._acknowledged.values()),
                "spans_acknowledged": self._spans_acknowledged,
                "kept_again": self._kept_again,
                "sent_again": self._sent_again,
            }


def spans(body: bytes) -> Iterator[Span]:
    """Yield the spans of a request."""
    for resource in ExportTraceServiceRequest.FromString(body).resource_spans:
        for scope in resource.scope_spans:
            yield from scope.spans


def handler(collector: Collector) -> type[BaseHTTPRequestHandler]:
    """Return what answers requests for *collector*."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"]))
            if self.path in ("/works", "/fails"):
                collector.failing = self.path == "/fails"
                self._answer(200)
                return
            zipped = self.headers["content-encoding"] == "gzip"
            way = collector.take(gzip.decompress(body) if zipped else body)
            if way.status is None:
                self.close_connection = True
            else:
                self._answer(way.status)

        def do_GET(self) -> None:
            self._answer(200, json.dumps(collector.counts()).encode())

        def _answer(self, status: int, body: bytes = b"") -> None:
            self.send_response(status)
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    return Handler


def main() -> None:
    """Listen on a free port, say on which, and serve until told to stop."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    collector = Collector(random.Random(options.seed))
    with ThreadingHTTPServer(("127.0.0.1", 0), handler(collector)) as server:
        print(f"ready at http://127.0.0.1:{server.server_port}", flush=True)
        server.serve_forever()


if __name__ == "__main__":
    main()
