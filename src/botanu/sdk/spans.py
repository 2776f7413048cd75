"""How a span of ours ends, and what is on one that has ended."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from opentelemetry.trace import Status, StatusCode

from botanu import semconv

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from opentelemetry.sdk.trace import Event, ReadableSpan
    from opentelemetry.trace import Span


def end_span(span: Span, error: BaseException | None) -> None:
    """End *span*, as failed if an *error* ended it; a cancellation or an early close is none."""
    try:
        if isinstance(error, Exception):
            mark_failed(span, type(error).__name__)
    finally:
        span.end()


def mark_failed(span: Span, error_type: str) -> None:
    """Say that what *span* is about failed. Only a class is told: messages and tracebacks carry users' data."""
    span.set_attribute(semconv.ERROR_TYPE, error_type)
    span.set_status(Status(StatusCode.ERROR, error_type))


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
