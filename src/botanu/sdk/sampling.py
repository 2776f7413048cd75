"""Head sampling: what belongs to a run is recorded, whatever the program's sampler says.

A span of a run that the sampler drops is recorded without the sampled flag (OpenTelemetry's ``RECORD_ONLY``). So it
reaches the span processors, and ours sends it, while those of the program, which export only what is sampled, send what
they sent before. Nothing of a run is missing, so nothing has to be scaled up.
"""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any

from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.sampling import ALWAYS_ON, DEFAULT_ON, Decision, Sampler, SamplingResult
from opentelemetry.trace import TraceFlags, get_current_span

from botanu import semconv
from botanu.sdk.guard import guard
from botanu.sdk.process import in_each_child

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from opentelemetry.context import Context
    from opentelemetry.trace import Link, SpanKind, TraceState
    from opentelemetry.util.types import Attributes

    Inside = Callable[[Context | None], object]

_DROP = Decision.DROP


class KeepRuns(Sampler):
    """A sampler that records what belongs to a run where the sampler it wraps would drop it.

    To those who look at a provider's sampler it has the wrapped one's class and attributes: Langfuse sends the scores
    of sampled traces alone only where it finds a ``TraceIdRatioBased``.
    """

    def __init__(self, inner: Sampler, inside: Inside) -> None:
        """Wrap *inner*; *inside* returns something true for a context that is inside a run."""
        self.inner = inner
        self._inside = inside
        self._is_default = inner is DEFAULT_ON

    def should_sample(
        self,
        parent_context: Context | None,
        trace_id: int,
        name: str,
        kind: SpanKind | None = None,
        attributes: Attributes = None,
        links: Sequence[Link] | None = None,
        trace_state: TraceState | None = None,
    ) -> SamplingResult:
        """Decide as the wrapped sampler does, but drop nothing that belongs to a run."""
        if self._is_default:  # it follows the parent: asking it, and whom it asks, takes twice as long
            parent = get_current_span(parent_context).get_span_context()
            if not parent.is_valid:
                return SamplingResult(Decision.RECORD_AND_SAMPLE, attributes)
            if parent.trace_flags & TraceFlags.SAMPLED:
                return SamplingResult(Decision.RECORD_AND_SAMPLE, attributes, parent.trace_state)
        if trace_state is None:  # as ever where the SDK asks; not every sampler takes one
            result = self.inner.should_sample(parent_context, trace_id, name, kind, attributes, links)
        else:
            result = self.inner.should_sample(parent_context, trace_id, name, kind, attributes, links, trace_state)
        if result.decision is not _DROP:
            return result
        with guard:
            given = attributes or {}
            if semconv.RUN_ID in given or self._inside(parent_context):
                # What drops a span also drops the attributes it was to start with.
                return SamplingResult(Decision.RECORD_ONLY, {**given, **result.attributes}, result.trace_state)
        return result

    def get_description(self) -> str:
        """Return the names of both samplers."""
        return f"KeepRuns{{{self.inner.get_description()}}}"

    @property  # type: ignore[misc]
    def __class__(self) -> type:
        """The wrapped sampler's."""
        return type(self.inner)

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401 - whatever the wrapped sampler has
        """Return what the wrapped sampler has by that *name*."""
        return getattr(self.inner, name)


def keep_runs(provider: object, inside: Inside) -> bool:
    """Make *provider*, if it is the SDK's, record all that belongs to a run; return whether it will.

    Doing it again changes nothing. *inside* returns something true for a context that is inside a run.
    """
    if not isinstance(provider, TracerProvider):
        return False
    provider.sampler = _keeping(provider.sampler, inside)
    # Tracers hold the sampler they were made with. The list of them is private, and SDKs before 1.42 have none: there,
    # who has a tracer already keeps the old sampler.
    for tracer in (*getattr(provider, "_tracers", {}).values(),):
        tracer.sampler = _keeping(tracer.sampler, inside)
    return True


def _keeping(sampler: Sampler, inside: Inside) -> Sampler:
    return sampler if sampler is ALWAYS_ON or isinstance(sampler, KeepRuns) else KeepRuns(sampler, inside)


class Unrecorded:
    """Counts the runs whose root span is not recorded, and says so once."""

    def __init__(self) -> None:
        """Start at zero, and so in a forked process."""
        self._begin()
        in_each_child(self._begin)

    def _begin(self) -> None:
        self.runs = 0
        self._lock = threading.RLock()  # a signal's handler may open a run, too

    def note(self) -> None:
        """Count one more."""
        with self._lock:
            self.runs += 1
        guard.say_once(
            "a run was not recorded, and its cost is missing: the tracer provider's sampler dropped it. "
            "botanu.enable() keeps runs where that provider is OpenTelemetry's own"
        )


unrecorded = Unrecorded()
