"""A real HTTP server that takes spans, and answers as a test says."""

import contextlib
import gzip
import socket
import threading
import zlib
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
    ExportTracePartialSuccess,
    ExportTraceServiceRequest,
    ExportTraceServiceResponse,
)

_DECOMPRESS = {None: bytes, "gzip": gzip.decompress, "deflate": zlib.decompress}


@dataclass(frozen=True)
class Received:
    """One request as it came."""

    path: str
    headers: dict[str, str]
    body: bytes
    connection: int

    @property
    def spans(self):
        """Its spans, in order."""
        request = ExportTraceServiceRequest.FromString(_DECOMPRESS[self.headers.get("content-encoding")](self.body))
        return [span for resource in request.resource_spans for scope in resource.scope_spans for span in scope.spans]

    @property
    def names(self):
        """The names of its spans, in order."""
        return [span.name for span in self.spans]


@dataclass(frozen=True)
class Answer:
    """What to answer with; no status is no answer."""

    status: int | None = 200
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b""
    hang_up: bool = False
    """Close the connection after it, without having said so."""


NONE_AND_HANG_UP = Answer(None, hang_up=True)
NONE = Answer(None)


def partial_success(rejected, message=""):
    """A success in which spans were rejected."""
    told = ExportTracePartialSuccess(rejected_spans=rejected, error_message=message)
    return Answer(body=ExportTraceServiceResponse(partial_success=told).SerializeToString())


class Collector:
    """Answers with ``answers`` in turn, each an answer or a function of the request; when they are used up, success."""

    def __init__(self):
        self.answers = []
        self.requests = []
        self.over = threading.Event()
        self._server = _Server(("127.0.0.1", 0), _handler(self))
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02})

    def answer(self, request):
        self.requests.append(request)
        answer = self.answers.pop(0) if self.answers else Answer()
        return answer(request) if callable(answer) else answer

    @property
    def names(self):
        """The names of the spans that came, request by request."""
        return [request.names for request in self.requests]

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, *_):
        self.over.set()
        self._server.shutdown()
        self._thread.join()
        self._server.hang_up()
        self._server.server_close()


class _Server(ThreadingHTTPServer):
    daemon_threads = False

    def __init__(self, *arguments):
        super().__init__(*arguments)
        self._connections = []

    def process_request(self, request, client_address):
        self._connections.append(request)
        super().process_request(request, client_address)

    def hang_up(self):
        """Close all connections: clients keep theirs open for a while."""
        for connection in self._connections:
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)


def _handler(collector):
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self):
            body = self.rfile.read(int(self.headers["content-length"]))
            headers = {name.lower(): value for name, value in self.headers.items()}
            answer = collector.answer(Received(self.path, headers, body, self.client_address[1]))
            if answer.status is None and not answer.hang_up:
                collector.over.wait()
            if answer.status is not None:
                self.send_response(answer.status)
                for name, value in answer.headers.items():
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(answer.body)))
                self.end_headers()
                self.wfile.write(answer.body)
            self.close_connection = self.close_connection or answer.hang_up or answer.status is None

        def log_message(self, *_):
            """Say nothing."""

    return Handler
