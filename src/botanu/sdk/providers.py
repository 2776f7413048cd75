"""Which tracer provider runs are recorded with."""

from functools import cache
from typing import Protocol, runtime_checkable

from opentelemetry import trace
from opentelemetry.sdk.environment_variables import OTEL_ATTRIBUTE_COUNT_LIMIT, OTEL_SPAN_ATTRIBUTE_COUNT_LIMIT
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import SpanLimits, SpanProcessor, TracerProvider

from botanu.sdk.guard import guard
from botanu.settings import word

ATTRIBUTES_MAX = 1024
"""Most attributes of a span on a provider of ours: long conversations have more than OpenTelemetry's 128, and beyond
the limit the first ones go, which name the model."""

RUN_ID_LENGTH = 36


@runtime_checkable
class Provider(Protocol):
    """A tracer provider that takes span processors, as the one of OpenTelemetry's SDK does."""

    def get_tracer(
        self, instrumenting_module_name: str, instrumenting_library_version: str | None = None
    ) -> trace.Tracer:
        """Return the tracer of a module."""

    def add_span_processor(self, span_processor: SpanProcessor) -> None:
        """Pass every span to *span_processor*, too."""

    def force_flush(self, timeout_millis: int = 30_000) -> bool:
        """Send what is waiting; return whether that was done in time."""


class OwnProvider(TracerProvider):
    """One of ours: the program has none, or none that takes span processors."""


def recording_provider() -> tuple[Provider, bool]:
    """Return the provider for runs, and whether it is apart from the program's.

    It is the program's; where there is none, a new one that becomes the program's. One that takes no span processors,
    such as Datadog's, would keep runs to itself: beside it they have one apart, which nothing else uses.
    """
    if isinstance(trace.get_tracer_provider(), trace.ProxyTracerProvider):
        trace.set_tracer_provider(_new())
    provider = trace.get_tracer_provider()  # another thread may have been the first to set one
    return (provider, False) if isinstance(provider, Provider) else (_apart(), True)


def underneath(provider: Provider) -> Provider:
    """Return the provider that makes the spans where *provider* only stands before it, as Logfire's does."""
    inner = getattr(provider, "provider", None)
    return inner if isinstance(inner, Provider) else provider


@cache
def _apart() -> OwnProvider:
    return _new()


def _new() -> OwnProvider:
    told = any(map(word, (OTEL_SPAN_ATTRIBUTE_COUNT_LIMIT, OTEL_ATTRIBUTE_COUNT_LIMIT)))
    limits = SpanLimits(max_span_attributes=None if told else ATTRIBUTES_MAX)
    return OwnProvider(resource=Resource.create(), span_limits=limits)


def warn_of_limits(provider: Provider) -> None:
    """Say so where *provider* cuts attributes so short that two runs may have one id."""
    limits = getattr(provider, "_span_limits", None)  # there is no other way to know them
    length = getattr(limits, "max_span_attribute_length", None)
    if length is not None and length < RUN_ID_LENGTH:
        guard.say_once(
            f"the tracer provider keeps {length} characters of each attribute, and a run's id has {RUN_ID_LENGTH}: "
            "runs cannot be told apart"
        )
