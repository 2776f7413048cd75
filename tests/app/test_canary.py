"""What must not leave the program does not: every byte that is sent is looked through."""

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from support.process import run_python

CANARIES = {
    "in the reason": "alice.canary@example.com",
    "in the error type": "sk-proj-Canary0123456789abcdef",
    "in metadata": "hunter2-canary",
    "in an exception": "canary told by an exception",
    "in a span's name": "bob.canary@example.com",
    "in a prompt": "canary asked of the model",
    "in an answer": "private answer",
    "in a tool's argument": "canary given to a tool",
    "in a failed call": "canary asked in vain",
}
"""Where in the program below each secret is, and what it is."""

PROGRAM = """
import io
import json
import logging
import sys

import botanu
import openai
from botanu.sdk import configure
from opentelemetry import trace
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.instrumentation.genai.openai import OpenAIInstrumentor

logged = io.StringIO()
logging.basicConfig(stream=logged)
llm, sink, sends = sys.argv[1:4]
secret = json.loads(sys.argv[4])

if sends == "unfiltered":
    botanu.enable(exporter=OTLPSpanExporter(endpoint=sink + "/v1/traces"))
    configure._setup.processor.delivery._clean = list
else:
    botanu.enable(endpoint=sink)
OpenAIInstrumentor().instrument()
client = openai.OpenAI(base_url=llm + "/v1", api_key="none", max_retries=0)
tracer = trace.get_tracer("theirs")


@botanu.botanu_workflow("answer", event_id="order-17", customer_id="acme")
def answer():
    client.chat.completions.create(
        model="gpt-4o", messages=[{"role": "user", "content": secret["in a prompt"]}]
    )
    with tracer.start_as_current_span("tool to " + secret["in a span's name"]) as span:
        span.set_attribute("gen_ai.tool.call.arguments", secret["in a tool's argument"])
    try:
        with tracer.start_as_current_span("lookup"):
            raise LookupError(secret["in an exception"])
    except LookupError:
        pass
    try:
        client.chat.completions.create(
            model="overloaded", messages=[{"role": "user", "content": secret["in a failed call"]}]
        )
    except openai.RateLimitError:
        pass
    botanu.emit_outcome(
        "failed",
        reason="no answer from " + secret["in the reason"],
        error_type="Denied: " + secret["in the error type"],
        metadata={"note": "password=" + secret["in metadata"], "password": secret["in metadata"]},
    )
    raise RuntimeError(secret["in an exception"])


try:
    answer()
except RuntimeError:
    pass
assert botanu.flush()
botanu.disable()
print(json.dumps(logged.getvalue()))
"""


@pytest.fixture
def sink():
    """Take whatever is sent; give the address, and the bytes that came."""
    received = []

    class Sink(BaseHTTPRequestHandler):
        def do_POST(self):
            received.append(self.rfile.read(int(self.headers["content-length"])))
            self.send_response(200)
            self.end_headers()

        def log_message(self, *_):
            """Stay silent."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Sink)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}", received
    server.shutdown()
    server.server_close()
    thread.join()


def canaries_in(api, sink, sends="filtered", **environ):
    """Run the program; give where the secrets are that came out of it."""
    address, received = sink
    logged = run_python(PROGRAM, api, address, sends, json.dumps(CANARIES), **environ)
    sent = b"".join(received)
    assert b"order-17" in sent
    assert b"gpt-4o-2024-08-06" in sent
    assert "reason: redacted an e-mail address" in logged
    assert not any(canary in logged for canary in CANARIES.values())
    return {place for place, canary in CANARIES.items() if canary.encode() in sent}


CAPTURING = {
    "OTEL_SEMCONV_STABILITY_OPT_IN": "gen_ai_latest_experimental",
    "OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT": "SPAN_ONLY",
}


@pytest.mark.parametrize(
    "environ", [CAPTURING, {"OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT": "true"}], ids=["newest", "default"]
)
def test_no_secret_leaves_even_where_an_instrumentation_captures_content(api, sink, environ):
    assert canaries_in(api, sink, **environ) == set()


def test_content_that_is_asked_for_leaves_without_the_secrets_that_have_a_form(api, sink):
    found = canaries_in(api, sink, BOTANU_CAPTURE_CONTENT="true", **CAPTURING)
    assert found == {"in a prompt", "in an answer", "in a tool's argument", "in an exception", "in a failed call"}


def test_without_the_filter_the_canaries_of_other_instrumentations_are_seen(api, sink):
    """So the tests above look where there is something to be seen."""
    found = canaries_in(api, sink, "unfiltered", **CAPTURING)
    assert found >= {"in a prompt", "in an answer", "in a tool's argument", "in an exception", "in a span's name"}
    assert found.isdisjoint({"in the reason", "in the error type", "in metadata"})
