import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from support.process import ServerProcess


@pytest.fixture
def start():
    """Start servers; those still running in the end are stopped."""
    started = []

    def server(*arguments, **environ):
        started.append(ServerProcess(*arguments, **environ))
        return started[-1]

    yield server
    for one in started:
        if one.process.poll() is None:
            one.stop()


@pytest.fixture
def served(tmp_path, start):
    """A server in a process of its own."""
    return start(tmp_path / "store")


class FakeApi(BaseHTTPRequestHandler):
    """Answers chat completions: 1,200 input and 300 output tokens, whatever was asked; turns one model away."""

    def do_POST(self):
        asked = json.loads(self.rfile.read(int(self.headers["content-length"])))
        if asked["model"] == "overloaded":
            self._answer(429, {"error": {"message": "slow down", "type": "requests", "code": "rate_limit_exceeded"}})
            return
        message = {"role": "assistant", "content": "private answer"}
        self._answer(
            200,
            {
                "id": "chatcmpl-1",
                "object": "chat.completion",
                "created": 1,
                "model": {"gpt-4o": "gpt-4o-2024-08-06"}.get(asked["model"], asked["model"]),
                "choices": [{"index": 0, "finish_reason": "stop", "message": message}],
                "usage": {"prompt_tokens": 1200, "completion_tokens": 300, "total_tokens": 1500},
            },
        )

    def _answer(self, status, document):
        body = json.dumps(document).encode()
        self.send_response(status)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        """Stay silent."""


@pytest.fixture
def api():
    server = ThreadingHTTPServer(("127.0.0.1", 0), FakeApi)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}/v1"
    server.shutdown()
    server.server_close()
    thread.join()
