"""How a span of ours ends."""

from __future__ import annotations

from typing import TYPE_CHECKING

from opentelemetry.trace import Status, StatusCode

from botanu import semconv

if TYPE_CHECKING:
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
