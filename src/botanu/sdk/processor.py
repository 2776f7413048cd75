"""The span processor that botanu puts on a tracer provider."""

from __future__ import annotations

import functools
import threading
from typing import TYPE_CHECKING

from opentelemetry.sdk.trace import ReadableSpan, Span, SpanProcessor

from botanu import semconv
from botanu.sdk.contexts import get_current
from botanu.sdk.guard import guard
from botanu.sdk.identity import stamp_in
from botanu.sdk.process import in_each_child
from botanu.sdk.sent import Counts
from botanu.sdk.spans import remember, restore
from botanu.sdk.streams import end_streams

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
        self._begin()
        in_each_child(self._begin)

    def _begin(self) -> None:
        """Start with nothing counted: what was is the parent's."""
        self._lock = threading.RLock()
        self._last: Delivery | None = None
        self._before = Counts(), Counts()

    def on_start(self, span: Span, parent_context: Context | None = None) -> None:
        """Stamp *span*."""
        scope = span.instrumentation_scope
        if scope is not None and scope.name == SCOPE:
            return
        context = get_current() if parent_context is None else parent_context
        stamp = stamp_in(context)
        if stamp and semconv.RUN_ID not in (span.attributes or {}):
            span.set_attributes(stamp)
            remember(span, stamp)

    def _on_ending(self, span: Span) -> None:
        """Give *span* back what is remembered of it, where it has more attributes than OpenTelemetry keeps.

        The oldest go first, which say whose it is. Once it has ended, a span lets go of no other for them.
        """
        if span.dropped_attributes:
            with guard:
                restore(span)

    def on_end(self, span: ReadableSpan) -> None:
        """Hand *span* over."""
        if self.delivery is not None:
            self.delivery.take(span)

    def hand_to(self, delivery: Delivery | None) -> None:
        """Hand spans to *delivery* from now on, or to nobody, once the one before has sent what waits."""
        with self._lock:
            last, self.delivery = self.delivery, delivery
            if last is not None:
                if self._last is not None:
                    self._before = _sum(self._before, self._last.counts())
                self._last = last
        if last is not None:
            last.close()

    def counts(self) -> tuple[Counts, Counts]:
        """Return what became of the spans, and of the runs, that any delivery of this process has had."""
        with self._lock:
            deliveries = {self._last, self.delivery}
            return functools.reduce(_sum, (each.counts() for each in deliveries if each is not None), self._before)

    @property
    def last_fault(self) -> str:
        """Why spans did not arrive the last time that some did not."""
        latest = self.delivery or self._last
        return "" if latest is None else latest.last_fault

    def flush_at_end(self) -> None:
        """Send what waits, within the time there is at the end."""
        if self.delivery is not None:
            self.delivery.flush_at_end()

    def end(self) -> None:
        """End the streams that are open, and shut down: it is the end of the program."""
        with guard:
            end_streams()
        self.shutdown()

    def shutdown(self) -> None:
        """Send what waits; what ends from now on is dropped, and counted."""
        self.cut_off = True
        if self.delivery is not None:
            self.delivery.close()

    def force_flush(self, timeout_millis: int = 30_000) -> bool:
        """Send what waits."""
        return self.delivery is None or self.delivery.flush(timeout_millis / 1000)


def _sum(first: tuple[Counts, Counts], second: tuple[Counts, Counts]) -> tuple[Counts, Counts]:
    return first[0] + second[0], first[1] + second[1]
