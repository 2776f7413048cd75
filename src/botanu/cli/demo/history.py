"""The history: weeks of plans, written down as the OTLP requests an SDK would have sent."""

import random
from collections.abc import Iterator, MutableSequence, Sequence
from dataclasses import fields
from datetime import datetime, timedelta

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, KeyValue
from opentelemetry.proto.trace.v1.trace_pb2 import ScopeSpans, Span

from botanu import Outcome, semconv
from botanu.cli.demo.scenario import SEED, WORKFLOWS, Call, Plan, Result, events
from botanu.sdk.identifiers import uuid7

DAYS = 56
RUNS_PER_REQUEST = 100
_DEPLOYED_DAYS_AGO = 14


def history(now: datetime, days: int = DAYS) -> Iterator[tuple[int, bytes]]:
    """Yield requests with the runs of the *days* before *now*, oldest first: how many runs, and the body.

    The same seed gives the same runs at the same distance from *now*.
    """
    runs = sorted(_runs(now, days), key=lambda run: run[0])
    for first in range(0, len(runs), RUNS_PER_REQUEST):
        chunk = runs[first : first + RUNS_PER_REQUEST]
        yield len(chunk), _request(chunk, now, first)


def _runs(now: datetime, days: int) -> Iterator[tuple[datetime, Plan]]:
    """Yield every run of the history with its start."""
    rng = random.Random(SEED)  # noqa: S311 - a reproducible story, no secret
    for workflow in WORKFLOWS:
        number = 1
        for day in range(days):
            weekend = day % 7 in (5, 6)
            count = max(1, round(workflow.events_per_day * (0.4 if weekend else 1.0) * rng.uniform(0.8, 1.2)))
            for attempts in events(workflow, count, number):
                # Never within half an hour of a day's edge, so that no event straddles a window of whole days.
                start = now - timedelta(days=days - day) + timedelta(hours=rng.uniform(0.5, 23.0))
                for plan in attempts:
                    yield start, plan
                    start += timedelta(seconds=plan.seconds + rng.uniform(2, 30))
            number += count


def _request(runs: Sequence[tuple[datetime, Plan]], now: datetime, first: int) -> bytes:
    request = ExportTraceServiceRequest()
    resource_spans = request.resource_spans.add()
    _set(resource_spans.resource.attributes, {"service.name": "demo-shop", "deployment.environment.name": "demo"})
    scope_spans = resource_spans.scope_spans.add()
    scope_spans.scope.name = "botanu"
    for position, (start, plan) in enumerate(runs, first):
        version = "v2" if now - start < timedelta(days=_DEPLOYED_DAYS_AGO) else "v1"
        _add_run(scope_spans, start, plan, version, random.Random(f"{SEED}/ids/{position}"))  # noqa: S311
    return request.SerializeToString()


def _add_run(spans: ScopeSpans, start: datetime, plan: Plan, version: str, rng: random.Random) -> None:
    trace_id, root_id = rng.randbytes(16), rng.randbytes(8)
    began = _nanos(start)
    run_id = uuid7(began // 1_000_000, rng.getrandbits(74))
    identity: dict[str, object] = {
        semconv.RUN_ID: run_id,
        semconv.WORKFLOW: plan.workflow,
        semconv.EVENT_ID: plan.event_id,
        semconv.CUSTOMER_ID: plan.customer_id,
        semconv.ROOT_RUN_ID: run_id,
        semconv.WORKFLOW_VERSION: version,
    }
    clock = began
    for call in plan.calls:
        ended = clock + int(call.seconds * 1e9)
        span = _add_span(spans, f"chat {call.model}", trace_id, rng.randbytes(8), root_id, clock, ended)
        span.kind = Span.SPAN_KIND_CLIENT
        _set(span.attributes, {**identity, **_call_attributes(call)})
        clock = ended
    ended = began + int(plan.seconds * 1e9)
    root = _add_span(spans, plan.workflow, trace_id, root_id, b"", began, ended)
    _set(root.attributes, {**identity, semconv.RUN_ROOT: True, **_outcome(plan.result).attributes()})


def _add_span(
    spans: ScopeSpans, name: str, trace_id: bytes, span_id: bytes, parent_id: bytes, start: int, end: int
) -> Span:
    return spans.spans.add(
        name=name,
        trace_id=trace_id,
        span_id=span_id,
        parent_span_id=parent_id,
        kind=Span.SPAN_KIND_INTERNAL,
        start_time_unix_nano=start,
        end_time_unix_nano=end,
    )


def _call_attributes(call: Call) -> dict[str, object]:
    return {
        semconv.GEN_AI_OPERATION_NAME: "chat",
        semconv.GEN_AI_PROVIDER_NAME: call.provider,
        semconv.GEN_AI_REQUEST_MODEL: call.model,
        semconv.GEN_AI_INPUT_TOKENS: call.input_tokens,
        semconv.GEN_AI_OUTPUT_TOKENS: call.output_tokens,
        semconv.GEN_AI_CACHE_READ_TOKENS: call.cache_read_tokens or None,
    }


def _outcome(result: Result) -> Outcome:
    given = {field.name: getattr(result, field.name) for field in fields(Result) if field.name != "raises"}
    return Outcome.of(**given)


def _set(attributes: MutableSequence[KeyValue], given: dict[str, object]) -> None:
    for key, value in given.items():
        if value is not None:
            attributes.append(KeyValue(key=key, value=_any_value(value)))


def _any_value(value: object) -> AnyValue:
    if isinstance(value, bool):
        return AnyValue(bool_value=value)
    if isinstance(value, int):
        return AnyValue(int_value=value)
    if isinstance(value, float):
        return AnyValue(double_value=value)
    return AnyValue(string_value=str(value))


def _nanos(moment: datetime) -> int:
    return int(moment.timestamp() * 1_000_000) * 1000
