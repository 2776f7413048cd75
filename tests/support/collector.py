"""An OTLP receiver in this process, for programs in others to send to."""

import gzip
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from botanu import semconv


class Collector:
    """Keeps the spans it is sent, each as a name and a mapping of its attributes; *refuse* says with what to answer.

    ``sent`` has them as they came, and ``paths`` what was asked for, traces or not.
    """

    def __init__(self, refuse=lambda: None):
        collector = self
        self.spans = []
        self.sent = []
        self.paths = []

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self):
                body = self.rfile.read(int(self.headers["content-length"]))
                if self.headers["content-encoding"] == "gzip":
                    body = gzip.decompress(body)
                collector.paths.append(self.path)
                refused = refuse()
                if refused is None and "traces" in self.path:
                    collector.take(ExportTraceServiceRequest.FromString(body))
                self.send_response(refused or 200)
                self.send_header("content-length", "0")
                self.end_headers()

            def log_message(self, *_):
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever)

    @property
    def url(self):
        return f"http://127.0.0.1:{self._server.server_port}"

    def take(self, request):
        for resource in request.resource_spans:
            for scope in resource.scope_spans:
                self.sent += scope.spans
                self.spans += [(span.name, attributes(span)) for span in scope.spans]

    def runs(self):
        """The attributes of each run's root span."""
        return [found for _, found in self.spans if semconv.RUN_ROOT in found]

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, *_):
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()


def attributes(span):
    return {each.key: getattr(each.value, each.value.WhichOneof("value")) for each in span.attributes}
