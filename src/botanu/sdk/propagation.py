"""Run identity to and from W3C baggage, and onto child spans.

The run travels in two forms inside OpenTelemetry's context: as the run object itself, for this process,
and as baggage, for the next one (https://www.w3.org/TR/baggage/).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from opentelemetry import baggage
from opentelemetry.context import Context, create_key, get_value, set_value
from opentelemetry.sdk.trace import ReadableSpan, Span, SpanProcessor

from botanu import semconv

if TYPE_CHECKING:
    from collections.abc import Mapping

    from botanu.sdk.scope import Run

IDENTITY = (
    semconv.RUN_ID,
    semconv.WORKFLOW,
    semconv.EVENT_ID,
    semconv.CUSTOMER_ID,
    semconv.ENVIRONMENT,
    semconv.TENANT_ID,
    semconv.ROOT_RUN_ID,
    semconv.PARENT_RUN_ID,
    semconv.ATTEMPT,
    semconv.WORKFLOW_VERSION,
)
"""The attributes that say which run a span belongs to."""

_RUN = create_key("botanu-run")


def run_in(context: Context | None = None) -> Run | None:
    """Return the run that *context* (default: the current one) is inside, if any, in this process."""
    run: Run | None = get_value(_RUN, context)  # type: ignore[assignment]
    return run


def with_run(context: Context, run: Run) -> Context:
    """Return *context* with *run* in it, as an object and as baggage."""
    carried = set_value(_RUN, run, context)
    for name in baggage.get_all(context):
        if name in IDENTITY and name not in run.identity:  # it speaks of the run around this one
            carried = baggage.remove_baggage(name, carried)
    for name, value in run.identity.items():
        carried = baggage.set_baggage(name, str(value), carried)
    return carried


def identity_from_baggage(context: Context | None = None) -> dict[str, str | int]:
    """Return the run identity that baggage claims; empty where it claims none."""
    claimed = baggage.get_all(context)
    if semconv.RUN_ID not in claimed:
        return {}
    identity: dict[str, str | int] = {name: str(claimed[name]) for name in IDENTITY if name in claimed}
    attempt = identity.pop(semconv.ATTEMPT, None)
    if isinstance(attempt, str) and attempt.isdecimal():
        identity[semconv.ATTEMPT] = int(attempt)
    return identity


class IdentityProcessor(SpanProcessor):
    """Stamps every span that starts inside a run with the run's identity.

    A span that brings an identity of its own, as a run's root span does, keeps it. Baggage from outside
    this process is believed only when *trust_baggage* is set.
    """

    def __init__(self, *, trust_baggage: bool = False) -> None:
        """Set up with *trust_baggage*; it may be changed later."""
        self.trust_baggage = trust_baggage

    def on_start(self, span: Span, parent_context: Context | None = None) -> None:
        """Stamp *span*."""
        identity = self.identity_in(parent_context)
        if identity and semconv.RUN_ID not in (span.attributes or {}):
            span.set_attributes(identity)

    def on_end(self, span: ReadableSpan) -> None:
        """Do nothing: the identity is on the span since it started."""

    def identity_in(self, context: Context | None) -> Mapping[str, str | int]:
        """Return the identity of the run that *context* is inside; empty outside any run."""
        run = run_in(context)
        if run is not None:
            return run.identity
        return identity_from_baggage(context) if self.trust_baggage else {}
