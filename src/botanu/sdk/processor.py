"""The span processor that botanu puts on a tracer provider."""

from __future__ import annotations

from typing import TYPE_CHECKING

from opentelemetry.sdk.trace import ReadableSpan, Span, SpanProcessor

from botanu import semconv
from botanu.sdk.contexts import get_current
from botanu.sdk.identity import stamp_in

if TYPE_CHECKING:
    from opentelemetry.context import Context

    from botanu.sdk.delivery import Delivery

SCOPE = "botanu"
"""Name of the instrumentation scope of our own spans."""


class RunProcessor(SpanProcessor):
    """Stamps every span that starts inside a run with the run's identity, and hands those that end to the delivery.

    Our own spans bear the identity from their start, and a span that brings one of its own keeps it.
    """

    def __init__(self) -> None:
        """Begin without a delivery: spans then go only where the program sends them."""
        self.delivery: Delivery | None = None
        self.cut_off = False
        """Whether the provider has been shut down."""

    def on_start(self, span: Span, parent_context: Context | None = None) -> None:
        """Stamp *span*."""
        scope = span.instrumentation_scope
        if scope is not None and scope.name == SCOPE:
            return
        context = get_current() if parent_context is None else parent_context
        stamp = stamp_in(context)
        if stamp and semconv.RUN_ID not in (span.attributes or {}):
            span.set_attributes(stamp)

    def on_end(self, span: ReadableSpan) -> None:
        """Hand *span* over."""
        if self.delivery is not None:
            self.delivery.take(span)

    def close(self) -> None:
        """Send what waits, and hand spans to nobody from now on."""
        delivery, self.delivery = self.delivery, None
        if delivery is not None:
            delivery.close()

    def flush_at_end(self) -> None:
        """Send what waits, within the time there is at the end."""
        if self.delivery is not None:
            self.delivery.flush_at_end()

    def shutdown(self) -> None:
        """Send what waits, and take no more."""
        self.close()
        self.cut_off = True

    def force_flush(self, timeout_millis: int = 30_000) -> bool:
        """Send what waits."""
        return self.delivery is None or self.delivery.flush(timeout_millis / 1000)
