"""What became of the spans that were sent."""

from collections.abc import Sequence

from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export import SpanExporter, SpanExportResult


class Delivery(SpanExporter):
    """Passes spans on to an exporter, if there is one, and counts those that did not arrive."""

    def __init__(self, exporter: SpanExporter | None) -> None:
        """Send with *exporter*; without one, nothing is sent, and nothing missing."""
        self._exporter = exporter
        self.failed = 0

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        """Send *spans*."""
        result = SpanExportResult.FAILURE
        try:
            result = SpanExportResult.SUCCESS if self._exporter is None else self._exporter.export(spans)
        finally:
            if result is not SpanExportResult.SUCCESS:
                self.failed += len(spans)
        return result

    def shutdown(self) -> None:
        """Send no more."""
        if self._exporter is not None:
            self._exporter.shutdown()
