"""``enable()``, ``disable()``, ``flush()``: exporter and processors on the tracer provider.

Both of our processors are added to a provider once and stay there; ``disable()`` and a later ``enable()``
only change what is behind them, since OpenTelemetry offers no way to take a processor off again.
"""

import atexit
import os
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from typing import Protocol, runtime_checkable

from opentelemetry import trace
from opentelemetry.context import Context
from opentelemetry.environment_variables import OTEL_TRACES_EXPORTER
from opentelemetry.sdk.environment_variables import OTEL_SDK_DISABLED
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import ReadableSpan, Span, SpanProcessor, TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter

from botanu.errors import SettingsError
from botanu.sdk.delivery import Delivery
from botanu.sdk.guard import guard
from botanu.sdk.propagation import IdentityProcessor
from botanu.sdk.settings import SdkSettings
from botanu.settings import resolve

TRACES_PATH = "/v1/traces"


@runtime_checkable
class _Provider(Protocol):
    """A tracer provider that takes processors, as OpenTelemetry's SDK provider does."""

    def add_span_processor(self, span_processor: SpanProcessor) -> None: ...

    def force_flush(self, timeout_millis: int = 30_000) -> bool: ...


class _Outlet(SpanProcessor):
    """Passes spans on to the current exporting processor, if there is one."""

    def __init__(self) -> None:
        self.inner: SpanProcessor | None = None

    def on_start(self, span: Span, parent_context: Context | None = None) -> None:
        """Do nothing: only finished spans are sent."""

    def on_end(self, span: ReadableSpan) -> None:
        if self.inner is not None:
            self.inner.on_end(span)

    def replace(self, inner: SpanProcessor | None) -> None:
        """Send to *inner* from now on, after what waits in the one before was sent."""
        before, self.inner = self.inner, inner
        if before is not None:
            before.shutdown()

    def shutdown(self) -> None:
        self.replace(None)

    def force_flush(self, timeout_millis: int = 30_000) -> bool:
        return self.inner is None or self.inner.force_flush(timeout_millis)


class _Setup:
    """What is enabled in this process: at most one, guarded by one lock."""

    def __init__(self) -> None:
        self.lock = threading.RLock()
        self.identity = IdentityProcessor()
        self.outlet = _Outlet()
        self.settings = SdkSettings()
        self.provider: object | None = None
        self.own_provider: TracerProvider | None = None
        self.captured = False
        self.tracer: trace.Tracer | None = None
        self.decided = False
        self.delivery: Delivery | None = None

    def start(self, settings: SdkSettings) -> bool:
        """Take *settings* into force, and record unless they or OpenTelemetry's say not to; return whether it does."""
        if self.captured:
            settings = replace(settings, enabled=True, strict=guard.strict)
        self.settings = settings
        self.identity.trust_baggage = settings.trust_baggage
        guard.strict = settings.strict
        if not settings.enabled or _switched_off():
            self.tracer = None
            return False
        self._attach()
        return True

    def exporting(self, settings: SdkSettings, exporter: SpanExporter | None) -> SpanProcessor:
        """Return what sends spans with *exporter*, or else to the server."""
        self.delivery = Delivery(exporter or _exporter(settings.endpoint))
        return _batches(settings, self.delivery)

    def failed(self) -> int:
        """Return how many spans did not arrive so far."""
        return 0 if self.delivery is None else self.delivery.failed

    def _attach(self) -> None:
        """Put our processors on the program's provider, or on a new one where it has none."""
        if self.provider is None:
            atexit.register(self.outlet.shutdown)  # a provider of the program's may not do so itself
        provider = trace.get_tracer_provider()
        if isinstance(provider, trace.ProxyTracerProvider):
            provider = self.own_provider = TracerProvider(resource=Resource.create())
            trace.set_tracer_provider(provider)
        if provider is not self.provider:
            if isinstance(provider, _Provider):
                provider.add_span_processor(self.identity)
                provider.add_span_processor(self.outlet)
            self.provider = provider
        self.tracer = provider.get_tracer("botanu", _version())


_setup = _Setup()


def enable(
    *,
    endpoint: str | None = None,
    environment: str | None = None,
    trust_baggage: bool | None = None,
    queue_spans_max: int | None = None,
    export_interval_seconds: float | None = None,
    strict: bool | None = None,
    exporter: SpanExporter | None = None,
) -> None:
    """Record runs and send them to the server.

    Attaches to the tracer provider the program has set, or makes one. Calling it again does nothing until
    ``disable()``. The first run calls it by itself, unless the program has set up OpenTelemetry: then runs
    go where the program sends its spans, and only an explicit ``enable()`` sends them to the server as well.

    Each argument is a setting (see ``SdkSettings``) and wins over its ``BOTANU_*`` variable. OpenTelemetry's
    own ``OTEL_*`` variables apply as ever: service name, resource, sampler, exporter headers, and an
    ``OTEL_TRACES_EXPORTER`` of ``none`` where no endpoint is given; the queue is set by our settings alone.

    Args:
        endpoint: address of the server, such as ``http://127.0.0.1:4318``.
        environment: deployment environment of runs that do not name one.
        trust_baggage: believe run identity in the baggage of incoming requests.
        queue_spans_max: spans held while the server is slow or away.
        export_interval_seconds: longest wait before finished spans are sent.
        strict: raise the SDK's own faults, and what it would warn of, instead of logging them.
        exporter: sends spans instead of OTLP over HTTP; for tests and other transports.

    Raises:
        SettingsError: a ``BOTANU_*`` variable cannot be read, or the endpoint is no address.
    """
    given: dict[str, object] = {
        "endpoint": endpoint,
        "environment": environment,
        "trust_baggage": trust_baggage,
        "queue_spans_max": queue_spans_max,
        "export_interval_seconds": export_interval_seconds,
        "strict": strict,
    }
    settings = resolve(SdkSettings, code=given, environ=os.environ)
    if settings.endpoint is not None and not settings.endpoint.startswith(("http://", "https://")):
        raise SettingsError(
            f"endpoint (BOTANU_ENDPOINT) must begin with http:// or https://, not {settings.endpoint!r}"
        )
    with _setup.lock:
        if _setup.outlet.inner is None and _setup.start(settings):
            _setup.outlet.replace(SpanProcessor() if _setup.captured else _setup.exporting(settings, exporter))
        _setup.decided = True


def disable() -> None:
    """Send what is waiting, then stop recording: decorated functions run as if they were not decorated."""
    with _setup.lock:
        _setup.outlet.replace(None)
        _setup.identity.trust_baggage = False
        _setup.tracer, _setup.decided = None, True


def flush(timeout_seconds: float = 30.0) -> bool:
    """Send every finished span now; true when all of them arrived within *timeout_seconds*."""
    provider = _setup.provider
    if not isinstance(provider, _Provider):
        return True
    failed, done = _setup.failed(), []
    # In a thread of its own, as OpenTelemetry's processors wait for the exporter whatever the timeout.
    flushing = threading.Thread(
        target=lambda: done.append(provider.force_flush(int(timeout_seconds * 1000))), name="botanu-flush", daemon=True
    )
    flushing.start()
    flushing.join(timeout_seconds)
    return done == [True] and _setup.failed() == failed


@contextmanager
def captured(settings: SdkSettings) -> Iterator[_Provider]:
    """Record runs under *settings*, and send none, as long as the block lasts; then all is as it was before.

    Yields the tracer provider. ``enable()`` and ``disable()`` inside the block do what they do, but nothing is sent,
    and once the block has ended they are undone.

    Raises:
        RuntimeError: OpenTelemetry makes no spans here that could be captured.
    """
    with _setup.lock:
        before = {name: value for name, value in vars(_setup).items() if not name.endswith("provider")}
        exporting, trusting = _setup.outlet.inner, _setup.identity.trust_baggage
        _setup.outlet.inner, _setup.captured, _setup.decided = None, True, True
    try:
        if not _setup.start(settings):
            raise RuntimeError("no runs can be captured while OTEL_SDK_DISABLED is set: OpenTelemetry makes no spans")
        if not isinstance(_setup.provider, _Provider):
            name = type(_setup.provider).__name__
            raise RuntimeError(  # noqa: TRY004 - the type is no argument of the caller's
                f"no runs can be captured: {name} takes no span processors; set OpenTelemetry's provider"
            )
        yield _setup.provider
    finally:
        with _setup.lock:
            vars(_setup).update(before)
            _setup.outlet.inner, _setup.identity.trust_baggage = exporting, trusting


def tracer() -> trace.Tracer | None:
    """Return the tracer for runs, or ``None`` when recording is off; decides on first use."""
    if not _setup.decided:
        with guard, _setup.lock:
            if not _setup.decided:  # pragma: no branch - another thread may have come first
                _first_use()
    return _setup.tracer


def settings() -> SdkSettings:
    """Return the settings in force."""
    return _setup.settings


def identity_in(context: Context) -> Mapping[str, str | int]:
    """Return the identity of the run that *context* is inside; empty outside any run."""
    return _setup.identity.identity_in(context)


def _first_use() -> None:
    try:
        provider: object = trace.get_tracer_provider()
        if isinstance(provider, _Provider) and provider is not _setup.own_provider:  # the program's: no export of ours
            _setup.start(resolve(SdkSettings, environ=os.environ))
        else:
            enable()
    finally:
        _setup.decided = True


def _version() -> str:
    # Imported late: it takes as long as all the rest of this package.
    from importlib.metadata import version  # noqa: PLC0415

    return version("botanu")


def _switched_off() -> bool:
    return os.environ.get(OTEL_SDK_DISABLED, "").strip().lower() == "true"


def _batches(settings: SdkSettings, exporter: SpanExporter) -> SpanProcessor:
    return BatchSpanProcessor(
        exporter,
        max_queue_size=settings.queue_spans_max,
        schedule_delay_millis=settings.export_interval_seconds * 1000,
        max_export_batch_size=min(512, settings.queue_spans_max),
    )


def _exporter(endpoint: str | None) -> SpanExporter | None:
    if endpoint is None and os.environ.get(OTEL_TRACES_EXPORTER, "").strip().lower() == "none":
        return None
    # Imported late: it brings in the protobuf classes and the HTTP client.
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter  # noqa: PLC0415

    if endpoint is None:
        return OTLPSpanExporter()
    return OTLPSpanExporter(endpoint=endpoint.rstrip("/") + TRACES_PATH)
