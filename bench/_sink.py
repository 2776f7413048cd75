"""An OTLP receiver that counts what it is sent and keeps nothing; the other end of benchmarks that export.

``GET /`` answers with the counts. Spans are counted only with ``--spans``, as reading them costs time.
"""

import argparse
import gzip
import json
import socket
from collections.abc import Awaitable, Callable
from typing import Any

import uvicorn
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest


class Sink:
    """The ASGI application."""

    def __init__(self, *, spans: bool) -> None:
        self._reads_spans = spans
        self._counts = {"requests": 0, "bytes": 0, "spans": 0}

    async def __call__(
        self,
        scope: dict[str, Any],
        receive: Callable[[], Awaitable[dict[str, Any]]],
        send: Callable[[dict[str, Any]], Awaitable[None]],
    ) -> None:
        """Take one request."""
        parts, more = [], True
        while more:
            message = await receive()
            parts.append(message.get("body", b""))
            more = message.get("more_body", False)
        if scope["method"] == "POST":
            self._count(b"".join(parts), dict(scope["headers"]).get(b"content-encoding", b"") == b"gzip")
        answer = b"" if scope["method"] == "POST" else json.dumps(self._counts).encode()
        headers = [(b"content-type", b"application/x-protobuf"), (b"content-length", str(len(answer)).encode())]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": answer})

    def _count(self, body: bytes, zipped: bool) -> None:  # noqa: FBT001 - private
        self._counts["requests"] += 1
        self._counts["bytes"] += len(body)
        if self._reads_spans:
            request = ExportTraceServiceRequest.FromString(gzip.decompress(body) if zipped else body)
            self._counts["spans"] += sum(
                len(scope.spans) for resource in request.resource_spans for scope in resource.scope_spans
            )


def main() -> None:
    """Listen on a free port, say on which, and serve until told to stop."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--spans", action="store_true", help="count spans, too")
    options = parser.parse_args()
    listening = socket.create_server(("127.0.0.1", 0))
    print(f"ready at http://127.0.0.1:{listening.getsockname()[1]}", flush=True)
    config = uvicorn.Config(Sink(spans=options.spans), log_level="warning", access_log=False, lifespan="off")
    uvicorn.Server(config).run([listening])


if __name__ == "__main__":
    main()
