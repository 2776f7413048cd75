"""A local server that answers like the API of a provider."""

import json
import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


@contextmanager
def serving(answer):
    """Serve what ``answer(path, document)`` gives: a document, a status with one, or a list of events to stream."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self):
            asked = json.loads(self.rfile.read(int(self.headers["content-length"])))
            given = answer(self.path, asked)
            status, given = given if isinstance(given, tuple) else (200, given)
            kind, text = "application/json", json.dumps(given)
            if isinstance(given, list):
                kind, text = "text/event-stream", "".join(map(event, given))
            body = text.encode()
            self.send_response(status)
            self.send_header("content-type", kind)
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_):
            """Stay silent."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as http:
        thread = threading.Thread(target=http.serve_forever)
        thread.start()
        try:
            yield f"http://127.0.0.1:{http.server_port}"
        finally:
            http.shutdown()
            thread.join()


def event(document):
    """Return a document as an event of a stream, named by its type if it has one."""
    name = f"event: {document['type']}\n" if "type" in document else ""
    return f"{name}data: {json.dumps(document)}\n\n"
