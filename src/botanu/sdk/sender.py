"""What sends a batch of spans."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from opentelemetry.sdk.trace.export import SpanExporter, SpanExportResult

from botanu.sdk.sent import Fate, Sent

if TYPE_CHECKING:
    from collections.abc import Sequence

    from opentelemetry.sdk.trace import ReadableSpan


class Sender(Protocol):
    """What sends a batch: makes one attempt, and says what became of it."""

    def send(self, spans: Sequence[ReadableSpan]) -> Sent:
        """Send *spans*."""

    def shutdown(self) -> None:
        """Send no more."""


class Plain:
    """A sender around any exporter of OpenTelemetry's: it does not say whether trying again would help."""

    def __init__(self, exporter: SpanExporter) -> None:
        """Send with *exporter*."""
        self._exporter = exporter

    def send(self, spans: Sequence[ReadableSpan]) -> Sent:
        """Send *spans*."""
        if self._exporter.export(spans) is SpanExportResult.SUCCESS:
            return Sent(Fate.ARRIVED)
        return Sent(Fate.REFUSED, len(spans), "the exporter reports a failure")

    def shutdown(self) -> None:
        """Send no more."""
        self._exporter.shutdown()
