"""How a span of ours ends."""

from __future__ import annotations

from typing import TYPE_CHECKING

from opentelemetry.trace import Status, StatusCode

from botanu import semconv

if TYPE_CHECKING:
    from opentelemetry.trace import Span


def end_span(span: Span, error: BaseException | None) -> None:
    """End *span*, as failed if an *error* ended it; a cancellation or an early close is none.

    Only the error's class is told: messages and tracebacks carry users' data.
    """
    try:
        if isinstance(error, Exception):
            name = type(error).__name__
            span.set_attribute(semconv.ERROR_TYPE, name)
            span.set_status(Status(StatusCode.ERROR, name))
    finally:
        span.end()
