"""Spans of ours: how they end, what is kept beside them, and what is on any span that has ended."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from opentelemetry.trace import Status, StatusCode

from botanu import semconv

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from opentelemetry.context import Context
    from opentelemetry.sdk.trace import Event, ReadableSpan
    from opentelemetry.trace import Span, Tracer
    from opentelemetry.util.types import AttributeValue


def end_span(span: Span, error: BaseException | None) -> None:
    """End *span*, as failed if an *error* ended it; a cancellation or an early close is none."""
    try:
        if isinstance(error, Exception):
            mark_failed(span, type(error).__name__)
    finally:
        span.end()


def record_span(
    tracer: Tracer, name: str, attributes: Mapping[str, AttributeValue], context: Context | None = None
) -> None:
    """Record a span of no duration, now, with *context* (default: the current one) around it."""
    now = time.time_ns()
    span = tracer.start_span(name, context, attributes=attributes, start_time=now)
    remember(span, attributes)
    span.end(now)


def mark_failed(span: Span, error_type: str) -> None:
    """Say that what *span* is about failed. Only a class is told: messages and tracebacks carry users' data."""
    span.set_attribute(semconv.ERROR_TYPE, error_type)
    span.set_status(Status(StatusCode.ERROR, error_type))


def remember(span: Span, attributes: Mapping[str, Any]) -> None:
    """Keep *attributes* beside *span*, for ``restore``."""
    try:
        span.botanu_attributes = attributes  # type: ignore[attr-defined]
    except AttributeError:  # not one of the SDK's
        return


def restore(span: ReadableSpan) -> None:
    """Set what is remembered of *span*, which has ended, and is not on it any more."""
    kept = attributes_of(span)
    if isinstance(kept, dict):
        remembered: Mapping[str, Any] = getattr(span, "botanu_attributes", {})
        kept.update({name: value for name, value in remembered.items() if name not in kept})


def attributes_of(span: ReadableSpan) -> Mapping[str, Any]:
    """Return the attributes of *span*, which has ended.

    Where OpenTelemetry has them under private names they are read there, as its events are: its properties take longer
    than all that is done with them.
    """
    try:
        return span._attributes._dict  # type: ignore[union-attr]  # noqa: SLF001 - see above
    except AttributeError:
        return span.attributes or {}


def events_of(span: ReadableSpan) -> Sequence[Event]:
    """Return the events of *span*, which has ended; see ``attributes_of``."""
    try:
        return span._events._dq  # type: ignore[attr-defined]  # noqa: SLF001 - see there
    except AttributeError:
        return span.events


def is_vital(span: ReadableSpan) -> bool:
    """Return whether *span*, which has ended, bears an outcome, usage or cost."""
    return any(name.startswith(_VITAL_PREFIXES) for name in attributes_of(span))


def runs_among(spans: Iterable[ReadableSpan]) -> int:
    """Return how many of *spans*, which have ended, are root spans of runs."""
    return sum(semconv.RUN_ROOT in attributes_of(span) for span in spans)


_VITAL_PREFIXES = ("botanu.outcome.", semconv.USAGE, "botanu.cost.", "gen_ai.", "llm.", "ai.usage.")
