"""Building OTLP requests by hand."""

import base64
import itertools
import json
import time

from google.protobuf import json_format
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, KeyValue
from opentelemetry.proto.trace.v1.trace_pb2 import Span, Status

_numbers = itertools.count(1)


def any_value(value):
    if isinstance(value, AnyValue):
        return value
    if isinstance(value, bool):
        return AnyValue(bool_value=value)
    if isinstance(value, int):
        return AnyValue(int_value=value)
    if isinstance(value, float):
        return AnyValue(double_value=value)
    if isinstance(value, bytes):
        return AnyValue(bytes_value=value)
    if isinstance(value, list | tuple):
        message = AnyValue()
        message.array_value.values.extend(any_value(item) for item in value)
        return message
    return AnyValue(string_value=value)


def key_values(attributes):
    return [KeyValue(key=key, value=any_value(value)) for key, value in attributes.items()]


def span(
    name="work",
    *,
    trace_id=None,
    span_id=None,
    parent=b"",
    start=None,
    seconds=1.0,
    kind=Span.SPAN_KIND_INTERNAL,
    error=False,
    **attributes,
):
    """One span; ids are new, and ``__`` in an attribute's name stands for a dot."""
    number = next(_numbers)
    began = time.time_ns() - 10**10 if start is None else start
    return Span(
        name=name,
        trace_id=trace_id or number.to_bytes(16),
        span_id=span_id or number.to_bytes(8),
        parent_span_id=parent,
        kind=kind,
        start_time_unix_nano=began,
        end_time_unix_nano=began + int(seconds * 1e9),
        status=Status(code=Status.STATUS_CODE_ERROR if error else Status.STATUS_CODE_UNSET),
        attributes=key_values({name.replace("__", "."): value for name, value in attributes.items()}),
    )


def request(*spans, resource=None):
    """One export request with *spans*; one that is ``by`` another instrumentation comes as a pair with its name."""
    message = ExportTraceServiceRequest()
    resource_spans = message.resource_spans.add()
    resource_spans.resource.attributes.extend(key_values(resource or {"service.name": "shop"}))
    for one in spans:
        made, scope = one if isinstance(one, tuple) else (one, "tests")
        if not resource_spans.scope_spans or resource_spans.scope_spans[-1].scope.name != scope:
            resource_spans.scope_spans.add().scope.name = scope
        resource_spans.scope_spans[-1].spans.append(made)
    if not spans:
        resource_spans.scope_spans.add().scope.name = "tests"
    return message


def by(scope, one):
    """A span that another instrumentation made."""
    return one, scope


def body(*spans, **options):
    return request(*spans, **options).SerializeToString()


def json_body(message):
    """*message* in OTLP's JSON: as proto3 JSON, but ids in hex."""
    return json.dumps(_hex_ids(json_format.MessageToDict(message))).encode()


def _hex_ids(node):
    if isinstance(node, dict):
        return {
            key: base64.b64decode(value).hex() if key in ("traceId", "spanId", "parentSpanId") else _hex_ids(value)
            for key, value in node.items()
        }
    if isinstance(node, list):
        return [_hex_ids(item) for item in node]
    return node


def run_spans(
    *,
    run_id="r-1",
    event_id="e-1",
    customer_id="c-1",
    workflow="work",
    calls=(),
    start=None,
    seconds=1.0,
    root=True,
    **outcome,
):
    """The spans of one run as the SDK sends them: its calls (attributes each), then the root span.

    Keyword arguments beyond the identity are outcome fields; those with a dot are attributes as they stand.
    """
    began = time.time_ns() - 10**10 if start is None else start
    trace_id = next(_numbers).to_bytes(16)
    root_id = next(_numbers).to_bytes(8)
    extra = {name: value for name, value in outcome.items() if "." in name}
    identity = {**identity_of(run_id, event_id, customer_id, workflow), **extra}
    spans = [
        span("call", trace_id=trace_id, parent=root_id, start=began, seconds=seconds / 2, **identity, **call)
        for call in calls
    ]
    if root:
        fields = {f"botanu.outcome.{name}": value for name, value in outcome.items() if "." not in name}
        spans.append(
            span(
                workflow,
                trace_id=trace_id,
                span_id=root_id,
                start=began,
                seconds=seconds,
                **identity,
                **{"botanu.run.root": True},
                **fields,
            )
        )
    return spans


def identity_of(run_id, event_id, customer_id, workflow):
    """The attributes that say which run a span belongs to."""
    return {
        "botanu.run_id": run_id,
        "botanu.workflow": workflow,
        "botanu.event_id": event_id,
        "botanu.customer_id": customer_id,
        "botanu.root_run_id": run_id,
    }


def late_outcome(
    *, at, run_id="r-1", event_id="e-1", customer_id="c-1", workflow="work", trace_id=None, span_id=None, **outcome
):
    """A span that reports an outcome emitted at *at* (Unix nanoseconds), after its run had ended.

    Keyword arguments beyond the identity are outcome fields; those with a dot are attributes as they stand.
    """
    fields = {name if "." in name else f"botanu.outcome.{name}": value for name, value in outcome.items()}
    return span(
        workflow,
        trace_id=trace_id,
        span_id=span_id,
        start=at,
        seconds=0,
        **identity_of(run_id, event_id, customer_id, workflow),
        **{"botanu.outcome.late": True, **fields},
    )


def llm(model="gpt-4o", provider="openai", **counts):
    """Attributes of a call: ``input``, ``output``, ``cached`` and ``reasoning`` are token counts.

    Where there is input and no output, that is 0: the model refused.
    """
    counts = {"output": 0, **counts} if "input" in counts else counts
    names = {
        "input": "gen_ai.usage.input_tokens",
        "output": "gen_ai.usage.output_tokens",
        "cached": "gen_ai.usage.cache_read.input_tokens",
        "reasoning": "gen_ai.usage.reasoning.output_tokens",
    }
    return {
        "gen_ai.operation.name": "chat",
        "gen_ai.provider.name": provider,
        "gen_ai.request.model": model,
        **{names[name]: count for name, count in counts.items()},
    }
