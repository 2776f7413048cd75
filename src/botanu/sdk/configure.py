"""``enable()``, ``disable()``, ``flush()``, ``status()``: our processor on the tracer provider, and what is behind it.

The processor is added to a provider once and stays there; ``disable()`` and a later ``enable()`` only change what is
behind it, since OpenTelemetry offers no way to take a processor off again.
"""

from __future__ import annotations

import atexit
import functools
import os
import threading
from contextlib import contextmanager
from dataclasses import asdict, replace
from typing import TYPE_CHECKING

from opentelemetry import trace
from opentelemetry.sdk.environment_variables import OTEL_SDK_DISABLED
from opentelemetry.sdk.trace import Tracer
from opentelemetry.sdk.trace.id_generator import RandomIdGenerator

from botanu import semconv
from botanu.errors import SettingsError
from botanu.sdk import contexts
from botanu.sdk.deliveries import delivery_for
from botanu.sdk.ending import before_sigterm
from botanu.sdk.guard import guard, logger
from botanu.sdk.hosts import host_patterns
from botanu.sdk.identifiers import SpanIds
from botanu.sdk.identity import run_in
from botanu.sdk.process import in_each_child
from botanu.sdk.processor import SCOPE, RunProcessor
from botanu.sdk.providers import OwnProvider, Provider, recording_provider, underneath, warn_of_limits
from botanu.sdk.sampling import keep_runs, unrecorded
from botanu.sdk.sent import Status
from botanu.sdk.settings import SdkSettings, destination
from botanu.settings import resolve, word

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from opentelemetry.sdk.trace.export import SpanExporter

    from botanu.sdk.delivery import Delivery
    from botanu.sdk.propagation import RunPropagator


FLUSH_SECONDS_MAX = 86_400.0
"""Longest wait of one flush: a day."""


class _Setup:
    """What is enabled in this process: at most one, guarded by one lock."""

    def __init__(self) -> None:
        self.lock = threading.RLock()
        self.processor = RunProcessor()
        self.defaults: Mapping[str, str] = {}
        self.provider: Provider | None = None
        self.propagator: RunPropagator | None = None
        self.tracer: trace.Tracer | None = None
        self.decided = False
        self.captured = False
        self.deliver: Callable[[], Delivery | None] = _nowhere
        self.settings = SdkSettings()
        self.exporter: SpanExporter | None = None

    def start(self, settings: SdkSettings) -> bool:
        """Take *settings* into force, and record unless they or OpenTelemetry's say not to; return whether it does."""
        if self.captured:
            settings = replace(settings, enabled=True, strict=guard.strict)
        self.settings = settings
        hosts = host_patterns(settings.baggage_hosts)
        self.defaults = {} if settings.environment is None else {semconv.ENVIRONMENT: settings.environment}
        self.leave_propagator()
        guard.strict = settings.strict
        if not settings.enabled or word(OTEL_SDK_DISABLED) == "true":
            self.tracer = None
            return False
        self._attach()
        # Imported late: it needs this module.
        from botanu.sdk.propagation import put_around  # noqa: PLC0415

        self.propagator = put_around(hosts=hosts, trusted=settings.trust_baggage)
        if settings.instrument:
            _instrument()
        return True

    def leave_propagator(self) -> None:
        """Leave the program's propagator as it was."""
        if self.propagator is not None:
            self.propagator.take_off()
            self.propagator = None

    def _attach(self) -> None:
        """Put our processor on the program's provider, or on a new one where it has none."""
        provider, apart = recording_provider()
        if self.provider is None:
            # First what the program does at its end, then this, then what the provider does.
            atexit.register(self.processor.end)
        contexts.keep_apart(apart=apart)
        makes_spans = underneath(provider)
        if makes_spans is not self.provider:
            warn_of_limits(makes_spans)
            makes_spans.add_span_processor(self.processor)
            self.provider = makes_spans
        self.processor.cut_off = False
        self.tracer = provider.get_tracer(SCOPE, _version())
        if isinstance(self.tracer, Tracer) and type(self.tracer.id_generator) is RandomIdGenerator:
            self.tracer.id_generator = SpanIds()

    def export(self) -> None:
        """Send what is recorded, whatever the program's sampler drops; nothing while runs are captured."""
        if self.captured:
            return
        self.processor.hand_to(self.deliver())
        if self.processor.delivery is not None:
            with guard:
                keep_runs(self.provider, run_in)
                before_sigterm(self.processor.flush_at_end)

    def stay(self, given: Mapping[str, object], exporter: SpanExporter | None) -> None:
        """Go on as before, and say so where something else is *given* now."""
        before_sigterm(self.processor.flush_at_end)  # it may have been another thread that came first
        in_force = {
            **asdict(self.settings),
            "endpoint": destination(self.settings.endpoint)[0],
            "exporter": self.exporter,
        }
        new = [name for name, value in {**given, "exporter": exporter}.items() if value not in (None, in_force[name])]
        if new:
            guard.say_once(f"enable({'=, '.join(new)}=) changes nothing: runs are sent already; disable() first")

    def endpoint(self) -> str | None:
        """Return where spans are sent to."""
        sends = self.processor.delivery is not None and self.exporter is None
        return destination(self.settings.endpoint)[0] if sends else None

    def resume(self) -> None:
        """Go on where another provider has come in the place of one that was shut down: Logfire's does so."""
        if self.tracer is not None and underneath(recording_provider()[0]) is not self.provider:
            self._attach()
            self.export()


def _nowhere() -> None:
    """Make no delivery: spans go only where the program sends them."""


_setup = _Setup()
in_each_child(lambda: setattr(_setup, "lock", threading.RLock()))


def enable(  # noqa: PLR0913 - one argument for each setting
    *,
    endpoint: str | None = None,
    environment: str | None = None,
    trust_baggage: bool | None = None,
    baggage_hosts: str | None = None,
    queue_spans_max: int | None = None,
    export_interval_seconds: float | None = None,
    exit_timeout_seconds: float | None = None,
    capture_content: bool | None = None,
    strict: bool | None = None,
    instrument: bool | None = None,
    exporter: SpanExporter | None = None,
) -> None:
    """Record runs and send them to the server.

    Attaches to the tracer provider the program has set, or makes one. Calling it again changes nothing until
    ``disable()``. The first run calls it by itself, unless the program has set up OpenTelemetry: then runs
    go where the program sends its spans, and only an explicit ``enable()`` sends them to the server as well.
    Called in the main thread, it has what waits sent when SIGTERM ends the program, too.

    Each argument is a setting (see ``SdkSettings``) and wins over its ``BOTANU_*`` variable. OpenTelemetry's
    own ``OTEL_*`` variables apply as ever: service name, resource, sampler, exporter headers, and an
    ``OTEL_TRACES_EXPORTER`` of ``none`` where no endpoint is given; the queue is set by our settings alone.

    Args:
        endpoint: address of the server, such as ``http://127.0.0.1:4318``.
        environment: deployment environment of runs that do not name one.
        trust_baggage: believe run identity in the baggage of incoming requests.
        baggage_hosts: hosts that requests may tell which run they belong to, such as ``*.internal,api.example.com``.
        queue_spans_max: spans held while the server is slow or away.
        export_interval_seconds: longest wait before finished spans are sent.
        exit_timeout_seconds: longest wait at the end of the program for the last spans to arrive.
        capture_content: send what people and models said, with secrets redacted.
        strict: raise the SDK's own faults, and what it would warn of, instead of logging them.
        instrument: turn on every OpenTelemetry instrumentation that is installed, one for each client library.
        exporter: sends spans instead of OTLP over HTTP; for tests and other transports.

    Raises:
        SettingsError: a ``BOTANU_*`` variable cannot be read, or the endpoint is no address.
    """
    given: dict[str, object] = {
        "endpoint": endpoint,
        "environment": environment,
        "trust_baggage": trust_baggage,
        "baggage_hosts": baggage_hosts,
        "queue_spans_max": queue_spans_max,
        "export_interval_seconds": export_interval_seconds,
        "exit_timeout_seconds": exit_timeout_seconds,
        "capture_content": capture_content,
        "strict": strict,
        "instrument": instrument,
    }
    settings = resolve(SdkSettings, code=given, environ=os.environ)
    if settings.endpoint is not None and not settings.endpoint.startswith(("http://", "https://")):
        raise SettingsError(
            f"endpoint (BOTANU_ENDPOINT) must begin with http:// or https://, not {settings.endpoint!r}"
        )
    with _setup.lock:
        if _setup.processor.delivery is not None and not _setup.processor.cut_off:
            _setup.stay(given, exporter)
        elif _setup.start(settings):
            _setup.deliver = functools.partial(delivery_for, settings, exporter)
            _setup.exporter = exporter
            _setup.export()
        _setup.decided = True


def disable() -> None:
    """Send what is waiting, then stop recording: decorated functions run as if they were not decorated."""
    with _setup.lock:
        _setup.tracer, _setup.deliver, _setup.decided = None, _nowhere, True
        _setup.leave_propagator()
        _setup.processor.hand_to(None)


def flush(timeout_seconds: float = 30.0) -> bool:
    """Send every finished span now; true when all of them arrived within *timeout_seconds*."""
    delivery, seconds = _setup.processor.delivery, min(max(0.0, float(timeout_seconds)), FLUSH_SECONDS_MAX)
    if delivery is not None:
        return delivery.flush(seconds)
    return _setup.provider is None or _setup.provider.force_flush(int(seconds * 1000))


def status() -> Status:
    """Return what became of the runs and spans of this process so far."""
    processor = _setup.processor
    spans, runs = processor.counts()
    return Status(
        recording=_setup.tracer is not None and not processor.cut_off,
        endpoint=_setup.endpoint(),
        runs=runs,
        spans=spans,
        last_fault=processor.last_fault,
        runs_unrecorded=unrecorded.runs,
    )


@contextmanager
def captured(settings: SdkSettings) -> Iterator[Provider]:
    """Record runs under *settings*, and send none, as long as the block lasts; then all is as it was before.

    Yields the tracer provider. ``enable()`` and ``disable()`` inside the block do what they do, but nothing is sent,
    and once the block has ended they are undone.

    Raises:
        RuntimeError: OpenTelemetry makes no spans here that could be captured.
    """
    with _setup.lock:
        before = {name: value for name, value in vars(_setup).items() if name != "provider"}
        delivery, cut_off = _setup.processor.delivery, _setup.processor.cut_off
        _setup.processor.delivery, _setup.captured, _setup.decided = None, True, True
    try:
        if not _setup.start(settings) or _setup.provider is None:
            raise RuntimeError("no runs can be captured while OTEL_SDK_DISABLED is set: OpenTelemetry makes no spans")
        yield _setup.provider
    finally:
        with _setup.lock:
            _setup.leave_propagator()
            vars(_setup).update(before)
            _setup.processor.delivery = delivery
            if _setup.processor.cut_off:  # inside
                _setup.processor.shutdown()
            _setup.processor.cut_off |= cut_off
            if _setup.propagator is not None:
                _setup.propagator.put_on()


def tracer() -> trace.Tracer | None:
    """Return the tracer for runs, or ``None`` when recording is off; decides on first use."""
    if not _setup.decided or _setup.processor.cut_off:
        with guard, _setup.lock:  # where another thread may have come first
            if not _setup.decided:
                try:
                    _first_use()
                except SettingsError as error:
                    guard.say_once(f"nothing is recorded: {error}")
            elif _setup.processor.cut_off:  # pragma: no branch - the other thread did it
                _setup.resume()
    return _setup.tracer


def defaults() -> Mapping[str, str]:
    """Return the part of a run's identity that the settings give."""
    return _setup.defaults


def _first_use() -> None:
    try:
        provider: object = trace.get_tracer_provider()
        if isinstance(provider, Provider) and not isinstance(provider, OwnProvider):  # the program's: no export of ours
            settings = resolve(SdkSettings, environ=os.environ)
            _setup.start(settings)
            if settings.endpoint is not None:
                guard.say_once(
                    f"spans go where the program's tracer provider sends them, and not to {settings.endpoint} as well: "
                    "call botanu.enable() for that"
                )
        else:
            enable()
    finally:
        _setup.decided = True


def _version() -> str:
    # Imported late: it takes as long as all the rest of this package.
    from importlib.metadata import version  # noqa: PLC0415

    return version("botanu")


def _instrument() -> None:
    from botanu.sdk.instrumenting import instrument  # noqa: PLC0415 - most programs do without

    with guard:
        logger.debug("instrumentations: %s", "; ".join(map(str, instrument())))
