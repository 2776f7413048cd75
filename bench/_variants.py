"""The same run, written down for each SDK: a root span, one call of a model with its tokens, one outcome.

Runs in the environment of the SDK it measures, so each variant imports what it needs by itself. A variant is a
function that sets its SDK up to send to an ``Outlet`` and returns the run.
"""

# ruff: noqa: I001, PLC0415 - each imports its own, and which botanu is the first party depends on the environment

import os
import random
import time
from collections.abc import Callable
from typing import Any

WORKFLOW = "fulfill-order"
CUSTOMER = "acme"
ENVIRONMENT = "production"
TENANT = "tenant-1"
PROVIDER, MODEL = "openai", "gpt-4o"
VALUE_TYPE = "orders_fulfilled"

QUEUE_SPANS_MAX = 50_000
EXPORT_INTERVAL_SECONDS = 1.0

CALL = {"gen_ai.operation.name": "chat", "gen_ai.provider.name": PROVIDER, "gen_ai.request.model": MODEL}
EVENT = {"status": "success", "value_type": VALUE_TYPE, "value_amount": 1}
OUTCOME = {f"botanu.outcome.{name}": value for name, value in EVENT.items()}

Run = Callable[[str], None]
Identity = dict[str, str]
Variant = Callable[["Outlet"], Run]


class Outlet:
    """Where a variant's spans go: counted and dropped, or with an *endpoint* sent there over OTLP/HTTP."""

    def __init__(self, endpoint: str | None) -> None:
        self.endpoint = endpoint
        self.count = 0
        self.last: list[Any] = []
        self.flush: Callable[[], object] = lambda: None
        """Waits until every finished span was sent; the variant puts its own here."""

    def exporter(self) -> Any:
        """Return an exporter that sends here."""
        from opentelemetry.sdk.trace.export import SpanExporter, SpanExportResult

        if self.endpoint is not None:
            from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter

            return OTLPSpanExporter(endpoint=f"{self.endpoint}/v1/traces")
        outlet = self

        class Nowhere(SpanExporter):
            def export(self, spans: Any) -> SpanExportResult:
                outlet.take(spans)
                return SpanExportResult.SUCCESS

            def shutdown(self) -> None:
                """Nothing to close."""

        return Nowhere()

    def take(self, spans: Any) -> None:
        """Count *spans* and forget them."""
        self.count += len(spans)
        self.last = [*spans][-2:]

    def batches(self) -> Any:
        """Return a processor that sends here in batches."""
        from opentelemetry.sdk.trace.export import BatchSpanProcessor

        return BatchSpanProcessor(
            self.exporter(),
            max_queue_size=QUEUE_SPANS_MAX,
            schedule_delay_millis=EXPORT_INTERVAL_SECONDS * 1000,
            max_export_batch_size=512,
        )

    def provider(self, *processors: Any) -> Any:
        """Make the program's tracer provider: *processors*, then one that sends here."""
        from opentelemetry import trace
        from opentelemetry.sdk.resources import Resource
        from opentelemetry.sdk.trace import TracerProvider

        provider = TracerProvider(resource=Resource.create({"service.name": "bench"}))
        for processor in (*processors, self.batches()):
            provider.add_span_processor(processor)
        trace.set_tracer_provider(provider)
        self.flush = provider.force_flush
        return provider


def answer() -> tuple[int, int]:
    """Stand for the call of the model: input and output tokens."""
    return 812, 154


def bare(_: Outlet) -> Run:
    """Function calls, and nothing else."""

    def run(_order: str) -> None:
        answer()

    return run


def floor(outlet: Outlet) -> Run:
    """OpenTelemetry by hand: identity at the start of each span, baggage key by key, one attach for the run."""
    from opentelemetry.trace import SpanKind

    tracer = outlet.provider().get_tracer("bench")

    def call(identity: Identity) -> None:
        attributes = {**identity, **CALL}
        with tracer.start_as_current_span(f"chat {MODEL}", kind=SpanKind.CLIENT, attributes=attributes) as span:
            input_tokens, output_tokens = answer()
            span.set_attributes(
                {"gen_ai.usage.input_tokens": input_tokens, "gen_ai.usage.output_tokens": output_tokens}
            )

    return _by_hand(tracer, call)


def limit(outlet: Outlet) -> Run:
    """The floor, with the span of the call attached and ended by hand, too: the least OpenTelemetry's SDK takes."""
    from opentelemetry.context import attach, detach
    from opentelemetry.trace import SpanKind, set_span_in_context

    tracer = outlet.provider().get_tracer("bench")

    def call(identity: Identity) -> None:
        span = tracer.start_span(f"chat {MODEL}", kind=SpanKind.CLIENT, attributes={**identity, **CALL})
        token = attach(set_span_in_context(span))
        try:
            input_tokens, output_tokens = answer()
            span.set_attributes(
                {"gen_ai.usage.input_tokens": input_tokens, "gen_ai.usage.output_tokens": output_tokens}
            )
        finally:
            span.end()
            detach(token)

    return _by_hand(tracer, call)


def _by_hand(tracer: Any, call: Callable[[Identity], None]) -> Run:
    """Return a run around *call*."""
    from opentelemetry.baggage import set_baggage
    from opentelemetry.context import attach, detach
    from opentelemetry.trace import set_span_in_context

    def run(order: str) -> None:
        run_id = new_run_id()
        identity = {
            "botanu.run_id": run_id,
            "botanu.workflow": WORKFLOW,
            "botanu.event_id": order,
            "botanu.customer_id": CUSTOMER,
            "botanu.environment": ENVIRONMENT,
            "botanu.tenant_id": TENANT,
            "botanu.root_run_id": run_id,
        }
        root = tracer.start_span(WORKFLOW, attributes={**identity, "botanu.run.root": True})
        context = set_span_in_context(root)
        for name, value in identity.items():
            context = set_baggage(name, value, context)
        token = attach(context)
        try:
            call(identity)
            root.add_event("botanu.outcome_emitted", EVENT)
            root.set_attributes(OUTCOME)
        finally:
            root.end()
            detach(token)

    return run


def new_run_id() -> str:
    """Return a UUIDv7, without asking the operating system for random bits."""
    bits = random.getrandbits(74)
    number = time.time_ns() // 1_000_000 << 80 | 0x7 << 76 | (bits >> 62) << 64 | 0x2 << 62 | bits & (1 << 62) - 1
    text = f"{number:032x}"
    return f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}"


def decorator(outlet: Outlet) -> Run:
    """``@botanu_workflow``."""
    from botanu import botanu_workflow

    inside = _botanu(outlet)

    @botanu_workflow(WORKFLOW, event_id=lambda order: order, customer_id=CUSTOMER, tenant_id=TENANT)
    def run(_order: str) -> None:
        inside()

    return run


def manager(outlet: Outlet) -> Run:
    """``with run_botanu(...)``."""
    from botanu import run_botanu

    inside = _botanu(outlet)

    def run(order: str) -> None:
        with run_botanu(WORKFLOW, event_id=order, customer_id=CUSTOMER, tenant_id=TENANT):
            inside()

    return run


def _botanu(outlet: Outlet) -> Callable[[], None]:
    """Enable botanu, and return what both of its variants do inside a run."""
    from botanu import emit_outcome, enable, flush, track_llm_call

    enable(
        endpoint=outlet.endpoint,
        exporter=None if outlet.endpoint else outlet.exporter(),
        environment=ENVIRONMENT,
        queue_spans_max=QUEUE_SPANS_MAX,
        export_interval_seconds=EXPORT_INTERVAL_SECONDS,
    )
    outlet.flush = flush

    def inside() -> None:
        with track_llm_call(provider=PROVIDER, model=MODEL) as call:
            input_tokens, output_tokens = answer()
            call.set_tokens(input_tokens, output_tokens)
        emit_outcome("success", value_type=VALUE_TYPE, value_amount=1)

    return inside


def reference(outlet: Outlet) -> Run:
    """The reference SDK, set up as its ``enable()`` does, without the log record it sends for each outcome."""
    from botanu import botanu_workflow, emit_outcome
    from botanu.processors import RunContextEnricher
    from botanu.tracking.llm import track_llm_call

    outlet.provider(RunContextEnricher())

    @botanu_workflow(
        WORKFLOW, event_id=lambda order: order, customer_id=CUSTOMER, environment=ENVIRONMENT, tenant_id=TENANT
    )
    def run(_order: str) -> None:
        with track_llm_call(PROVIDER, MODEL) as call:
            input_tokens, output_tokens = answer()
            call.set_tokens(input_tokens, output_tokens)
        emit_outcome("success", value_type=VALUE_TYPE, value_amount=1)

    return run


def _outcome(order: str) -> dict[str, Any]:
    """Return what a program would write by hand where the SDK has neither identity nor outcomes."""
    return {
        "event_id": order,
        "customer_id": CUSTOMER,
        "tenant_id": TENANT,
        "outcome_status": "success",
        "outcome_value_type": VALUE_TYPE,
        "outcome_value_amount": 1,
    }


def openlit(outlet: Outlet) -> Run:
    """openlit: ``start_trace``, the outcome as metadata."""
    import openlit as sdk

    outlet.provider()
    sdk.init(environment=ENVIRONMENT, application_name="bench", disable_metrics=True, pricing_json=os.devnull)

    def run(order: str) -> None:
        with sdk.start_trace(WORKFLOW) as root:
            with sdk.start_trace(f"chat {MODEL}") as call:
                input_tokens, output_tokens = answer()
                call.set_metadata(
                    {
                        "gen_ai.operation.name": "chat",
                        "gen_ai.provider.name": PROVIDER,
                        "gen_ai.request.model": MODEL,
                        "gen_ai.usage.input_tokens": input_tokens,
                        "gen_ai.usage.output_tokens": output_tokens,
                    }
                )
            root.set_metadata(_outcome(order))

    return run


def traceloop(outlet: Outlet) -> Run:
    """traceloop-sdk: ``@workflow``, ``track_llm_call``, the outcome on the current span."""
    os.environ["TRACELOOP_TELEMETRY"] = "false"
    os.environ["TRACELOOP_METRICS_ENABLED"] = "false"
    from opentelemetry import trace
    from traceloop.sdk import Traceloop
    from traceloop.sdk.decorators import workflow
    from traceloop.sdk.tracing.manual import LLMUsage, track_llm_call

    Traceloop.init(app_name="bench", processor=outlet.batches(), telemetry_enabled=False, instruments=set())
    outlet.flush = trace.get_tracer_provider().force_flush

    @workflow(name=WORKFLOW)
    def run(order: str) -> None:
        with track_llm_call(PROVIDER, "chat") as call:
            input_tokens, output_tokens = answer()
            call.report_request(MODEL, [])
            call.report_usage(
                LLMUsage(
                    prompt_tokens=input_tokens,
                    completion_tokens=output_tokens,
                    total_tokens=input_tokens + output_tokens,
                )
            )
        trace.get_current_span().set_attributes(_outcome(order))

    return run


def langfuse(outlet: Outlet) -> Run:
    """langfuse: a span and a generation, the outcome as metadata."""
    from langfuse import Langfuse

    client = Langfuse(
        public_key="pk-bench",
        secret_key="sk-bench",
        base_url="http://127.0.0.1:9",
        environment=ENVIRONMENT,
        span_exporter=outlet.exporter(),
    )
    outlet.flush = client.flush

    def run(order: str) -> None:
        with client.start_as_current_observation(name=WORKFLOW) as root:
            with client.start_as_current_observation(name=f"chat {MODEL}", as_type="generation", model=MODEL) as call:
                input_tokens, output_tokens = answer()
                call.update(usage_details={"input": input_tokens, "output": output_tokens})
            root.update(metadata=_outcome(order))

    return run


def logfire(outlet: Outlet) -> Run:
    """logfire: two spans, the outcome as attributes."""
    import logfire as sdk

    sdk.configure(
        send_to_logfire=False,
        console=False,
        metrics=False,
        environment=ENVIRONMENT,
        additional_span_processors=[outlet.batches()],
    )
    outlet.flush = sdk.force_flush

    def run(order: str) -> None:
        with sdk.span(WORKFLOW) as root:
            with sdk.span("chat {model}", model=MODEL, provider=PROVIDER) as call:
                input_tokens, output_tokens = answer()
                call.set_attribute("gen_ai.usage.input_tokens", input_tokens)
                call.set_attribute("gen_ai.usage.output_tokens", output_tokens)
            root.set_attributes(_outcome(order))

    return run


def mlflow_tracing(outlet: Outlet) -> Run:
    """mlflow-tracing: two spans, the outcome as attributes; in place of its exporter one that lets go of the spans."""
    import mlflow
    from mlflow.entities.trace_location import MlflowExperimentLocation
    from mlflow.tracing.export.mlflow_v3 import MlflowV3SpanExporter
    from mlflow.tracing.provider import provider
    from mlflow.tracing.trace_manager import InMemoryTraceManager

    def export(_: object, spans: Any) -> None:
        outlet.take(spans)
        for span in spans:
            if span.parent is None:
                InMemoryTraceManager.get_instance().pop_trace(span.context.trace_id)

    mlflow.set_tracking_uri("http://127.0.0.1:9")
    mlflow.tracing.set_destination(MlflowExperimentLocation(experiment_id="0"))
    MlflowV3SpanExporter.export = export
    outlet.flush = lambda: provider.get().force_flush()

    def run(order: str) -> None:
        with mlflow.start_span(WORKFLOW, span_type="CHAIN") as root:
            with mlflow.start_span(f"chat {MODEL}", span_type="CHAT_MODEL") as call:
                input_tokens, output_tokens = answer()
                usage = {
                    "input_tokens": input_tokens,
                    "output_tokens": output_tokens,
                    "total_tokens": input_tokens + output_tokens,
                }
                call.set_attributes({"mlflow.chat.tokenUsage": usage, "model": MODEL, "provider": PROVIDER})
            root.set_attributes(_outcome(order))

    return run


VARIANTS: dict[str, Variant] = {
    "bare": bare,
    "floor": floor,
    "limit": limit,
    "decorator": decorator,
    "manager": manager,
    "reference": reference,
    "openlit": openlit,
    "traceloop": traceloop,
    "langfuse": langfuse,
    "logfire": logfire,
    "mlflow-tracing": mlflow_tracing,
}
