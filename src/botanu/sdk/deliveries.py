"""Which delivery the settings ask for."""

from __future__ import annotations

from typing import TYPE_CHECKING

from opentelemetry.environment_variables import OTEL_TRACES_EXPORTER

from botanu.settings import word

if TYPE_CHECKING:
    from opentelemetry.sdk.trace.export import SpanExporter

    from botanu.sdk.delivery import Delivery
    from botanu.sdk.sender import Sender
    from botanu.sdk.settings import SdkSettings


def delivery_for(settings: SdkSettings, exporter: SpanExporter | None) -> Delivery | None:
    """Return what delivers to *exporter*, or else to the server; ``None`` where OpenTelemetry's word is not to."""
    if exporter is None and settings.endpoint is None and word(OTEL_TRACES_EXPORTER) == "none":
        return None

    # Imported late, as it is of use to those who send alone.
    from botanu.sdk.content import with_scrubbed_content, without_content  # noqa: PLC0415
    from botanu.sdk.delivery import Delivery  # noqa: PLC0415
    from botanu.sdk.sender import Plain  # noqa: PLC0415

    def sender() -> Sender:
        if exporter is not None:
            return Plain(exporter)
        from botanu.sdk.exporting import make_exporter  # noqa: PLC0415 - and in the sending thread, not the program's

        return make_exporter(settings.endpoint)

    return Delivery(
        sender,
        with_scrubbed_content if settings.capture_content else without_content,
        spans_max=settings.queue_spans_max,
        interval_seconds=settings.export_interval_seconds,
        exit_timeout_seconds=settings.exit_timeout_seconds,
    )
