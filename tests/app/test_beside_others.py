"""botanu beside other products: real packages, real processes, both set up in either order.

They are in a layer over the environment, which ``scripts/peers`` lays: Logfire would come with each import of pydantic.
"""

import json
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest
from support.collector import Collector, attributes
from support.process import environment

from botanu import semconv

LAYER = Path(sys.prefix) / "peers" / "bin" / "python"

pytestmark = pytest.mark.skipif(not LAYER.exists(), reason="the layer with the other products is laid by scripts/peers")

REFUSED = "Overriding of current TracerProvider is not allowed"
"""What OpenTelemetry says to whoever comes second."""

OURS = """
import botanu
botanu.enable(endpoint=sys.argv[1])
botanu.enable(endpoint=sys.argv[1])
"""

WORK = """
import json
from opentelemetry import trace
from botanu import botanu_workflow, emit_outcome, run_botanu, track_llm_call

@botanu_workflow("fulfill", event_id="order-1", customer_id="acme")
def fulfill():
    with trace.get_tracer("program").start_as_current_span("lookup"):
        with track_llm_call(provider="openai", model="gpt-4o") as call:
            call.set_tokens(1200, 300)
            emit_outcome("partial", value_type="orders_fulfilled", value_amount=3)
    with run_botanu("check", event_id="order-1", customer_id="acme"):
        pass

with trace.get_tracer("program").start_as_current_span("request") as request:
    fulfill()
with own("own"):
    with run_botanu("within", event_id="order-2", customer_id="acme"):
        pass
around = request.get_span_context()
print(json.dumps([around.trace_id, around.span_id, seen]))
"""


@dataclass(frozen=True)
class Product:
    """How a program sets a product up: it gives ``own``, which makes a span the product's way."""

    setup: str
    environ: tuple[tuple[str, str], ...] = ()


OPENTELEMETRY = Product("""
import sys
from opentelemetry import trace
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
provider = TracerProvider()
provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter(sys.argv[2])))
trace.set_tracer_provider(provider)
own, seen = provider.get_tracer("own").start_as_current_span, []
""")

LOGFIRE = Product("""
import sys
import logfire
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.trace.export import BatchSpanProcessor
logfire.configure(
    send_to_logfire=False,
    console=False,
    additional_span_processors=[BatchSpanProcessor(OTLPSpanExporter(sys.argv[2]))],
    sampling=logfire.SamplingOptions(head=float(sys.argv[3])),
)
own, seen = logfire.span, []
""")

LANGFUSE = Product("""
import sys
from langfuse import Langfuse
client = Langfuse(
    public_key="pk",
    secret_key="sk",
    base_url=sys.argv[2].removesuffix("/v1/traces"),
    sample_rate=float(sys.argv[3]),
    should_export_span=lambda span: True,
)
def own(name):
    return client.start_as_current_observation(name=name, as_type="generation")
seen = []
""")

SENTRY = Product("""
import sys
import sentry_sdk
from opentelemetry import trace
from sentry_sdk.integrations.otlp import OTLPIntegration
sentry_sdk.init(
    dsn="http://key@127.0.0.1:9/1",
    integrations=[OTLPIntegration(collector_url=sys.argv[2])],
    auto_session_tracking=False,
)
def own(name):
    return trace.get_tracer("own").start_as_current_span(name)
seen = []
""")

DATADOG = Product(
    """
import sys
import ddtrace.auto
from ddtrace.trace import TraceFilter, tracer
seen = []
class Seen(TraceFilter):
    def process_trace(self, spans):
        seen.extend(span.resource for span in spans)
        return spans
tracer.configure(trace_processors=[Seen()])
own = tracer.trace
""",
    (
        ("DD_TRACE_OTEL_ENABLED", "true"),
        ("DD_TRACE_AGENT_URL", "http://127.0.0.1:9"),
        ("DD_INSTRUMENTATION_TELEMETRY_ENABLED", "false"),
        ("DD_REMOTE_CONFIGURATION_ENABLED", "false"),
    ),
)

AGENT_AWAY = "failed to send, dropping"
"""What Datadog says at the end where there is no agent."""

WITH_PROGRAM = {"request": None, "lookup": "fulfill", "fulfill": "request", "chat gpt-4o": "lookup", "check": "fulfill"}
SHARED = {**WITH_PROGRAM, "own": None, "within": "own"}
WITHOUT_OWN = {**WITH_PROGRAM, "within": "theirs"}
APART = {"fulfill": "theirs", "chat gpt-4o": "fulfill", "check": "fulfill", "within": "theirs"}
"""What arrives at our server, each span with its parent: *theirs* is one that only the other product has."""

ALONE = {"own"}
ALL = {*SHARED}


@dataclass(frozen=True)
class Played:
    """What became of a program."""

    ours: Collector
    theirs: Collector
    request: tuple[bytes, bytes]
    seen: list[str]
    errors: list[str]

    def tree(self):
        """Each span at our server with its parent."""
        names = {span.span_id: span.name for span in self.ours.sent}
        return {
            span.name: names.get(span.parent_span_id, "theirs") if span.parent_span_id else None
            for span in self.ours.sent
        }

    def span(self, name):
        (found,) = (span for span in self.ours.sent if span.name == name)
        return found


def play(directory, *parts, environ=(), rate="1.0"):
    """Run a program made of *parts* between a server of ours and one of the other product."""
    program = directory / "program.py"
    program.write_text("import sys\n" + "".join(parts) + WORK)
    with Collector() as ours, Collector() as theirs:
        done = subprocess.run(
            [LAYER, program, ours.url, f"{theirs.url}/v1/traces", rate],
            env=environment(**dict(environ)),
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
    assert done.returncode == 0, done.stderr
    trace_id, span_id, seen = json.loads(done.stdout)
    return Played(ours, theirs, (trace_id.to_bytes(16), span_id.to_bytes(8)), seen, done.stderr.splitlines())


def check_runs(played):
    """Every run and call arrived once, whole, and where it belongs."""
    ids = [span.span_id for span in played.ours.sent]
    assert len(ids) == len({*ids}) == len(played.tree())
    fulfill, call, check, within = (
        attributes(played.span(name)) for name in ("fulfill", "chat gpt-4o", "check", "within")
    )
    for run, workflow, event_id in ((fulfill, "fulfill", "order-1"), (check, "check", "order-1")):
        assert run[semconv.WORKFLOW] == workflow
        assert run[semconv.EVENT_ID] == event_id
        assert run[semconv.CUSTOMER_ID] == "acme"
        assert run[semconv.ROOT_RUN_ID] == fulfill[semconv.RUN_ID]
        assert run[semconv.RUN_ROOT] is True
    assert check[semconv.PARENT_RUN_ID] == fulfill[semconv.RUN_ID]
    assert within[semconv.EVENT_ID] == "order-2"
    assert semconv.PARENT_RUN_ID not in within
    assert (fulfill[semconv.OUTCOME_STATUS], fulfill[semconv.OUTCOME_VALUE_AMOUNT]) == ("partial", 3)
    assert (check[semconv.OUTCOME_STATUS], check[semconv.OUTCOME_AUTO]) == ("success", True)
    assert {name: call[name] for name in (semconv.RUN_ID, semconv.WORKFLOW, semconv.EVENT_ID)} == {
        name: fulfill[name] for name in (semconv.RUN_ID, semconv.WORKFLOW, semconv.EVENT_ID)
    }
    assert (call[semconv.GEN_AI_INPUT_TOKENS], call[semconv.GEN_AI_OUTPUT_TOKENS]) == (1200, 300)
    root = played.span("fulfill")
    assert (root.trace_id, root.parent_span_id) == played.request
    assert played.span("chat gpt-4o").trace_id == played.span("check").trace_id == root.trace_id


@pytest.mark.parametrize(
    ("product", "tree", "theirs"),
    [
        pytest.param(OPENTELEMETRY, SHARED, ALL, id="opentelemetry"),
        pytest.param(LOGFIRE, SHARED, ALL, id="logfire"),
        pytest.param(LANGFUSE, SHARED, ALL, id="langfuse"),
        pytest.param(SENTRY, SHARED, ALL, id="sentry"),
        pytest.param(DATADOG, APART, {"request", "lookup", "own"}, id="datadog"),
    ],
)
def test_enabled_after_the_other_product(tmp_path, product, tree, theirs):
    played = play(tmp_path, product.setup, OURS, environ=product.environ)

    assert played.tree() == tree
    check_runs(played)
    assert sorted([*(span.name for span in played.theirs.sent), *played.seen]) == sorted(theirs)
    assert [line for line in played.errors if not line.startswith(AGENT_AWAY)] == []


@pytest.mark.parametrize(
    ("product", "tree", "theirs", "errors"),
    [
        pytest.param(OPENTELEMETRY, WITHOUT_OWN, ALONE, [REFUSED], id="opentelemetry"),
        pytest.param(LOGFIRE, WITHOUT_OWN, ALONE, [REFUSED], id="logfire"),
        pytest.param(LANGFUSE, SHARED, ALL, [], id="langfuse"),
        pytest.param(SENTRY, SHARED, ALL, [], id="sentry"),
        pytest.param(DATADOG, {**WITH_PROGRAM, "within": None}, ALONE, [REFUSED], id="datadog"),
    ],
)
def test_enabled_before_the_other_product(tmp_path, product, tree, theirs, errors):
    """A program has one tracer provider: who finds one adds to it, or keeps to a provider of its own."""
    played = play(tmp_path, OURS, product.setup, environ=product.environ)

    assert played.tree() == tree
    check_runs(played)
    assert sorted([*(span.name for span in played.theirs.sent), *played.seen]) == sorted(theirs)
    assert [line for line in played.errors if not line.startswith(AGENT_AWAY)] == errors


def test_logfire_configured_again(tmp_path):
    """It shuts its provider down, with our processor on it, and makes another."""
    played = play(tmp_path, LOGFIRE.setup, OURS, LOGFIRE.setup)

    assert played.tree() == SHARED
    check_runs(played)
    assert sorted(span.name for span in played.theirs.sent) == sorted(ALL)
    assert played.errors == []


def test_what_logfire_makes_in_a_context_it_carried_is_in_the_run(tmp_path):
    """It does so at the end of each stream of a model, and takes its own warning propagator off for that."""
    carried = """
with run_botanu("stream", event_id="order-3", customer_id="acme"):
    carrier = logfire.get_context()
    with logfire.attach_context(carrier):
        logfire.info("streaming response")
"""
    played = play(tmp_path, LOGFIRE.setup, OURS, "from botanu import run_botanu", carried)

    assert played.errors == []
    made, run = attributes(played.span("streaming response")), attributes(played.span("stream"))
    assert made.get(semconv.RUN_ID) == run[semconv.RUN_ID]


def test_what_logfire_carries_is_in_the_run_after_its_end_and_in_threads(tmp_path):
    """It carries the context to each executor's threads; and a stream may be read when its run has ended."""
    carried = """
from concurrent.futures import ThreadPoolExecutor
def work():
    logfire.info("in a thread")
with run_botanu("stream", event_id="order-3", customer_id="acme"), ThreadPoolExecutor(1) as pool:
    carrier = logfire.get_context()
    pool.submit(work).result()
with logfire.attach_context(carrier):
    logfire.info("after the end")
with logfire.attach_context({"traceparent": carrier["traceparent"].encode().decode()}):
    logfire.info("from outside")
"""
    played = play(tmp_path, LOGFIRE.setup, OURS, "from botanu import run_botanu", carried)

    assert played.errors == []
    run = attributes(played.span("stream"))[semconv.RUN_ID]
    names = ("in a thread", "after the end", "from outside")
    assert [attributes(played.span(name)).get(semconv.RUN_ID) for name in names] == [run, run, None]


def test_disabled_it_leaves_logfires_propagators_as_they_were(tmp_path):
    """Logfire finds its own ones, and warns of a caller's trace where it did before."""
    before = "\nfrom opentelemetry import propagate\nbefore = str(propagate.get_global_textmap())\n"
    after = """
botanu.disable()
assert str(propagate.get_global_textmap()) == before
botanu.enable(endpoint=sys.argv[1])
propagate.extract({"traceparent": f"00-{'a' * 32}-{'b' * 16}-01"})
"""
    played = play(tmp_path, LOGFIRE.setup, before, OURS, after)

    assert played.tree().items() >= SHARED.items()
    check_runs(played)
    assert "RuntimeWarning: Found propagated trace context" in played.errors[0]


@pytest.mark.parametrize("product", [LOGFIRE, LANGFUSE], ids=["logfire", "langfuse"])
def test_what_the_other_product_samples_out_reaches_us_alone(tmp_path, product):
    played = play(tmp_path, product.setup, OURS, rate="0.0")

    assert played.tree() == {**APART, "lookup": "fulfill", "chat gpt-4o": "lookup"}
    check_runs(played)
    assert played.theirs.paths == []
    assert played.errors == []


@pytest.mark.parametrize(("rate", "scores"), [("0.0", False), ("1.0", True)])
def test_langfuse_sends_the_scores_of_what_it_samples_and_no_others(tmp_path, rate, scores):
    """It looks at the class of the provider's sampler."""
    score = 'client.create_score(name="helpful", value=1, trace_id="a" * 32)'
    played = play(tmp_path, LANGFUSE.setup, OURS, score, rate=rate)

    assert any("traces" not in path for path in played.theirs.paths) == scores
