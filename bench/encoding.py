"""What it takes to write finished spans as OTLP: CPU of one thread, under the interpreter lock, for each encoder.

A batch is 512 spans of 256 runs, made anew for each round with OpenTelemetry's SDK: a root span with a span event, and
a call. Ids and token counts differ from run to run. Who goes first changes from round to round. ``otlp-proto`` is
measured where it can be imported.
"""

import argparse
import gzip
import random
import statistics
import time
from collections.abc import Callable, Sequence
from importlib import import_module
from importlib.metadata import version
from importlib.util import find_spec

from _support import busy_seconds, machine, own_seconds, quantile, ratio, table
from opentelemetry.exporter.otlp.proto.common.trace_encoder import encode_spans as stock
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import SpanKind, set_span_in_context

from botanu.sdk.encoding import encode_spans
from botanu.sdk.identifiers import new_run_id

RUNS = 256
WARM_UP_ROUNDS = 3
GZIP_LEVELS = (1, 6, 9)
"""From the quickest to the smallest; OpenTelemetry's exporter uses the last."""

WORKFLOWS = ("fulfill-order", "handle-inquiry", "batch-process", "analyze", "classify")
MODELS = (("openai", "gpt-4o"), ("openai", "gpt-4o-mini"), ("anthropic", "claude-sonnet-4-5"))

Encode = Callable[[Sequence[ReadableSpan]], bytes]


class Program:
    """Makes runs."""

    def __init__(self) -> None:
        self._finished = InMemorySpanExporter()
        provider = TracerProvider(resource=Resource.create({"service.name": "bench", "service.version": "1.4.2"}))
        provider.add_span_processor(SimpleSpanProcessor(self._finished))
        self._tracer = provider.get_tracer("bench")
        self._random = random.Random(1)

    def batch(self) -> Sequence[ReadableSpan]:
        """Return the spans of new runs."""
        self._finished.clear()
        for _ in range(RUNS):
            self._run()
        return self._finished.get_finished_spans()

    def _run(self) -> None:
        run_id = new_run_id()
        identity = {
            "botanu.run_id": run_id,
            "botanu.workflow": self._random.choice(WORKFLOWS),
            "botanu.event_id": f"order-{self._random.getrandbits(40)}",
            "botanu.customer_id": f"customer-{self._random.randrange(200)}",
            "botanu.environment": "production",
            "botanu.tenant_id": "tenant-1",
            "botanu.root_run_id": run_id,
        }
        root = self._tracer.start_span(identity["botanu.workflow"], attributes={**identity, "botanu.run.root": True})
        provider, model = self._random.choice(MODELS)
        call = {"gen_ai.operation.name": "chat", "gen_ai.provider.name": provider, "gen_ai.request.model": model}
        with self._tracer.start_span(
            f"chat {model}", set_span_in_context(root), SpanKind.CLIENT, {**identity, **call}
        ) as span:
            span.set_attribute("gen_ai.response.id", f"chatcmpl-{self._random.getrandbits(96):024x}")
            span.set_attribute("gen_ai.usage.input_tokens", self._random.randint(300, 9_000))
            span.set_attribute("gen_ai.usage.output_tokens", self._random.randint(130, 1_500))
        outcome = {"status": "success", "value_type": "orders_fulfilled", "value_amount": self._random.randint(1, 9)}
        root.add_event("botanu.outcome_emitted", outcome)
        root.set_attributes({f"botanu.outcome.{name}": value for name, value in outcome.items()})
        root.set_attribute("botanu.outcome.confidence", self._random.random())
        root.end()


def encoders() -> dict[str, Encode]:
    """Return each encoder by its label; the stock one first, as the others are compared with it."""
    found: dict[str, Encode] = {
        f"OpenTelemetry {version('opentelemetry-exporter-otlp-proto-common')}": lambda spans: stock(
            spans
        ).SerializePartialToString(),
        f"botanu {version('botanu')}": encode_spans,
    }
    if find_spec("otlp_proto"):
        found[f"otlp-proto {version('otlp-proto')}"] = import_module("otlp_proto").encode_spans
    return found


def encoding(program: Program, rounds: int) -> str:
    """Measure each encoder on the same spans, round by round."""
    labels = encoders()
    first = next(iter(labels))
    found: dict[str, list[float]] = {label: [] for label in labels}
    order = list(labels.items())
    for number in range(WARM_UP_ROUNDS + rounds):
        spans = program.batch()
        order = [*order[1:], order[0]]
        for label, encode in order:
            began = time.thread_time()
            encode(spans)
            if number >= WARM_UP_ROUNDS:
                found[label].append((time.thread_time() - began) / len(spans) * 1e6)
    expected = stock(spans)
    rows = [
        [
            label,
            f"{statistics.median(mine):.1f}",
            f"{quantile(mine, 0.1):.1f} – {quantile(mine, 0.9):.1f}",
            f"{ratio(mine, found[first]):.2f}",
            "yes" if ExportTraceServiceRequest.FromString(labels[label](spans)) == expected else "**no**",
        ]
        for label, mine in found.items()
    ]
    return table(("encoder", "µs a span, p50", "p10 – p90", "x the first", "all of it written"), rows)


def compressing(program: Program, rounds: int) -> str:
    """Measure what gzip takes on top, and what it saves."""
    found: dict[int, list[float]] = {level: [] for level in GZIP_LEVELS}
    sizes: dict[int, list[float]] = {level: [] for level in GZIP_LEVELS}
    plain: list[float] = []
    for _ in range(rounds):
        spans = program.batch()
        body = encode_spans(spans)
        plain.append(len(body) / len(spans))
        for level in GZIP_LEVELS:
            began = time.thread_time()
            zipped = gzip.compress(body, level)
            found[level].append((time.thread_time() - began) / len(spans) * 1e6)
            sizes[level].append(len(zipped) / len(spans))
    rows = [["none", "0.0", f"{statistics.mean(plain):.0f}"]]
    rows += [
        [f"gzip, level {level}", f"{statistics.median(found[level]):.1f}", f"{statistics.mean(sizes[level]):.0f}"]
        for level in GZIP_LEVELS
    ]
    return table(("compression", "µs a span, p50", "bytes a span"), rows)


def main() -> None:
    """Measure, and print Markdown."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=40, help="batches that are measured")
    options = parser.parse_args()
    print(f"{machine()}\n")
    began, busy, own = time.perf_counter(), busy_seconds(), own_seconds()
    program = Program()
    print(f"## Encoding\n\n{encoding(program, options.rounds)}\n")
    print(f"## Compressing\n\n{compressing(program, options.rounds)}\n")
    others = (busy_seconds() - busy - own_seconds() + own) / (time.perf_counter() - began)
    print(f"Other processes kept {max(0, others):.2f} cores busy.")


if __name__ == "__main__":
    main()
