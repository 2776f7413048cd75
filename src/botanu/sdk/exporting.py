"""Sends spans over OTLP/HTTP, one attempt at a time, and says what became of them."""

from __future__ import annotations

import math
import os
import time
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, NamedTuple

from opentelemetry.sdk.environment_variables import OTEL_EXPORTER_OTLP_TIMEOUT, OTEL_EXPORTER_OTLP_TRACES_TIMEOUT
from opentelemetry.sdk.trace.export import SpanExporter, SpanExportResult

from botanu.sdk.encoding import encode_spans
from botanu.sdk.guard import guard
from botanu.sdk.sent import Fate, Sent
from botanu.sdk.settings import TRACES_PATH, destination

if TYPE_CHECKING:
    from collections.abc import Sequence

    from opentelemetry.sdk.trace import ReadableSpan

TIMEOUT_SECONDS = 10.0
"""OpenTelemetry's default."""

REQUEST_BYTES_MAX = 64 * 2**20
"""Longest request where OpenTelemetry's exporter names no limit, before compression."""

_LATER = frozenset(
    (
        HTTPStatus.TOO_MANY_REQUESTS,
        HTTPStatus.BAD_GATEWAY,
        HTTPStatus.SERVICE_UNAVAILABLE,
        HTTPStatus.GATEWAY_TIMEOUT,
    )
)
# All that OTLP has a client send again: https://opentelemetry.io/docs/specs/otlp/#retryable-response-codes


class _Answer(NamedTuple):
    """What came back: a status with what belongs to it, or an error."""

    status: int | None
    phrase: str | None
    error: Exception | None
    retry_after: str | None
    body: bytes


class _ChangedError(Exception):
    """OpenTelemetry's exporter is not inside what it was in 1.45."""


def make_exporter(endpoint: str | None, timeout_seconds: float | None = None) -> OtlpExporter:
    """Return an exporter to the server at *endpoint*, or where the ``OTEL_EXPORTER_OTLP_*`` variables say.

    Headers, certificates and compression are as those variables say, and the timeout where none is given.

    Args:
        endpoint: address of the server, such as ``http://127.0.0.1:4318``.
        timeout_seconds: longest wait for a connection, and for an answer; 10 where no variable says another.
    """
    # Imported late: it brings in the protobuf classes and the HTTP client.
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter  # noqa: PLC0415

    if timeout_seconds is None:
        told = os.environ.get(OTEL_EXPORTER_OTLP_TRACES_TIMEOUT) or os.environ.get(OTEL_EXPORTER_OTLP_TIMEOUT)
        timeout_seconds = float(told or TIMEOUT_SECONDS)
    address = None if endpoint is None else destination(endpoint)[0] + TRACES_PATH
    return OtlpExporter(OTLPSpanExporter(endpoint=address, timeout=timeout_seconds), timeout_seconds)


class OtlpExporter(SpanExporter):
    """Sends through OpenTelemetry's exporter, but with our encoder, and without its retries.

    It neither waits nor sends again: who holds the spans does, told by ``Sent``. Whoever calls it should attach
    OpenTelemetry's context key that suppresses instrumentation, or requests are traced themselves.
    """

    def __init__(self, stock: SpanExporter, timeout_seconds: float) -> None:
        """Send through *stock*, which is OpenTelemetry's exporter; wait for an answer up to *timeout_seconds*."""
        self._stock = stock
        self._timeout_seconds = timeout_seconds
        self._request_bytes_max: int = getattr(stock, "_max_request_size", REQUEST_BYTES_MAX)
        self._direct = True
        self._pid = os.getpid()
        self._closed = False

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        """Send *spans*; see ``send``, which tells more."""
        arrived = self.send(spans).fate is Fate.ARRIVED
        return SpanExportResult.SUCCESS if arrived else SpanExportResult.FAILURE

    def send(self, spans: Sequence[ReadableSpan]) -> Sent:
        """Send *spans* in one request, repeated at once if the connection turns out to be closed.

        Spans that are too many for one request are sent in several. If the server goes away between these, all count
        as away, and some arrive twice when they are sent again.
        """
        if self._closed:
            return _refused(spans, "the exporter is shut down")
        if self._direct:
            try:
                return self._send(spans)
            except _ChangedError:
                self._direct = False
                guard.log_once(
                    "this release of OpenTelemetry's exporter is not known inside: it sends by itself, slower"
                )
        return self._send_stock(spans)

    def shutdown(self) -> None:
        """Close the connections, and send no more."""
        if not self._closed:
            self._closed = True
            self._stock.shutdown()

    def _send_stock(self, spans: Sequence[ReadableSpan]) -> Sent:
        """Send *spans* as OpenTelemetry's exporter does, which may take its time."""
        try:
            arrived = self._stock.export(spans) is SpanExportResult.SUCCESS
        except Exception as error:  # noqa: BLE001 - older ones let those of the HTTP client pass
            return _judged(spans, _Answer(None, None, error, None, b""))
        return Sent(Fate.ARRIVED) if arrived else _refused(spans, "OpenTelemetry's exporter failed")

    def _send(self, spans: Sequence[ReadableSpan]) -> Sent:
        try:
            body = encode_spans(spans)
        except Exception as error:  # noqa: BLE001 - one of them is no span of OpenTelemetry's; the others must go
            return self._send_halves(spans, f"{type(error).__name__} when written for OTLP")
        if 0 < self._request_bytes_max < len(body):
            return self._send_halves(spans, f"longer than {self._request_bytes_max:,} bytes")
        answer = self._post(body)
        if answer.status == HTTPStatus.REQUEST_ENTITY_TOO_LARGE:
            return self._send_halves(spans, _told(answer))
        return _judged(spans, answer)

    def _send_halves(self, spans: Sequence[ReadableSpan], reason: str) -> Sent:
        """Send *spans*, which cannot be sent together for some *reason*, apart; a single one is refused."""
        middle = len(spans) // 2
        if not middle:
            return _refused(spans, reason)
        first = self._send(spans[:middle])
        if first.fate is Fate.AWAY:
            return first
        second = self._send(spans[middle:])
        if second.fate is Fate.AWAY:
            return second
        fate = Fate.REFUSED if first.fate is second.fate is Fate.REFUSED else Fate.ARRIVED
        return Sent(fate, first.rejected + second.rejected, first.reason or second.reason)

    def _post(self, body: bytes) -> _Answer:
        """Make one request.

        The one place that looks inside OpenTelemetry's exporter, as it is since 1.45: its own ``export`` retries, and
        nothing can hurry it; of its insides, ``_submit`` does not.

        Raises:
            _ChangedError: there is something else inside.
        """
        try:
            client: Any = self._stock._client  # type: ignore[attr-defined]  # noqa: SLF001
            if self._pid != os.getpid():  # forked: its connections are the parent's
                client._transport.close()  # noqa: SLF001
                self._pid = os.getpid()
            result = client._submit(client._compress(body), self._timeout_seconds)  # noqa: SLF001
            retry_after = result.headers().get("retry-after")
            return _Answer(result.status_code, result.reason, result.error, retry_after, result.content())
        except Exception as error:
            raise _ChangedError from error


def _judged(spans: Sequence[ReadableSpan], answer: _Answer) -> Sent:
    """Return what *answer* says of *spans*."""
    if answer.status is None:
        # An error that is a ValueError, too, is about an address or a header, and stays.
        if isinstance(answer.error, OSError) and not isinstance(answer.error, ValueError):
            return Sent(Fate.AWAY, reason=_told(answer))
        return _refused(spans, _told(answer))
    if HTTPStatus.OK <= answer.status < HTTPStatus.MULTIPLE_CHOICES:
        return _arrived(spans, answer.body)
    if answer.status in _LATER:
        return Sent(Fate.AWAY, reason=_told(answer), retry_after_seconds=_seconds(answer.retry_after))
    return _refused(spans, _told(answer))


def _told(answer: _Answer) -> str:
    """Return what came back in a few words; an error's own text may hold the address, and a password in it."""
    return type(answer.error).__name__ if answer.status is None else f"HTTP {answer.status} {answer.phrase}"


def _refused(spans: Sequence[ReadableSpan], reason: str) -> Sent:
    guard.log_once(f"spans are lost, as they cannot be sent: {reason}")
    return Sent(Fate.REFUSED, len(spans), reason)


def _arrived(spans: Sequence[ReadableSpan], body: bytes) -> Sent:
    """Return what the *body* of a success says of *spans*: usually nothing, but some may have been rejected."""
    if not body:
        return Sent(Fate.ARRIVED)
    # Imported late, and there already: OpenTelemetry's exporter has brought it in.
    from google.protobuf.message import DecodeError  # noqa: PLC0415
    from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceResponse  # noqa: PLC0415

    try:
        told = ExportTraceServiceResponse.FromString(body).partial_success
    except DecodeError:  # a page of some server between, say: the status counts
        return Sent(Fate.ARRIVED)
    rejected = min(max(told.rejected_spans, 0), len(spans))
    if rejected or told.error_message:
        said = f"of {len(spans)} spans the server rejected {rejected}: {told.error_message:.200}"
        guard.log_once(said, about="spans that the server rejected")
    return Sent(Fate.ARRIVED, rejected, told.error_message)


def _seconds(retry_after: str | None) -> float | None:
    """Return how many seconds from now a ``Retry-After`` header names: a number of seconds, or an HTTP date."""
    if retry_after is None:
        return None
    from email.utils import parsedate_to_datetime  # noqa: PLC0415 - there already: the HTTP client has brought it in

    try:
        seconds = float(retry_after)
    except ValueError:
        try:
            seconds = parsedate_to_datetime(retry_after).timestamp() - time.time()
        except ValueError:
            return None
    return max(seconds, 0.0) if math.isfinite(seconds) else None
