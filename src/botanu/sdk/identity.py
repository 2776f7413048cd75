"""Which run a context is inside, and what the spans that start in it bear.

A run travels in OpenTelemetry's context as the run object itself, under a key of our own. It is not in the context's
baggage: whatever is there goes out with every instrumented request. ``propagation`` writes baggage where it may go.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from opentelemetry.context import create_key, set_value
from opentelemetry.trace import SpanKind, set_span_in_context

from botanu import semconv
from botanu.sdk.contexts import attach, get_current

if TYPE_CHECKING:
    from collections.abc import Mapping
    from contextvars import Token

    from opentelemetry.context import Context
    from opentelemetry.trace import Span, Tracer
    from opentelemetry.util.types import AttributeValue

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
    semconv.TEAM,
    semconv.COST_CENTER,
    semconv.REGION,
)
"""The attributes that say which run a span belongs to, and for whom the run is."""

INHERITED = (semconv.ENVIRONMENT, semconv.TENANT_ID, semconv.TEAM, semconv.COST_CENTER, semconv.REGION)
"""Those that a nested run takes from the one around it, unless it has its own."""

_RUN = create_key("botanu-run")
_STEP = create_key("botanu-step")


def run_in(context: Context | None = None) -> Run | None:
    """Return the run that *context* (default: the current one) is inside, if any."""
    return (get_current() if context is None else context).get(_RUN)  # type: ignore[return-value]


def with_run(context: Context, run: Run) -> Context:
    """Return *context* with *run* in it, and no step of a run around it."""
    inside = set_value(_RUN, run, context)
    return set_value(_STEP, None, inside) if _STEP in inside else inside


def with_step(context: Context, name: str) -> Context:
    """Return *context* inside the step *name*."""
    return set_value(_STEP, name, context)


def stamp_in(context: Context) -> Mapping[str, str | int]:
    """Return the attributes of spans that start in *context*; empty outside any run."""
    run: Run | None = context.get(_RUN)  # type: ignore[assignment]
    if run is None:
        return {}
    step: str | None = context.get(_STEP)  # type: ignore[assignment]
    return run.identity if step is None else {**run.identity, semconv.STEP: step}


def open_span(
    tracer: Tracer, name: str, kind: SpanKind, attributes: Mapping[str, AttributeValue]
) -> tuple[Span, Token[Context]]:
    """Start a span inside the current run, with the run's identity, and make it current; return it and its token."""
    context = get_current()
    span = tracer.start_span(name, context, kind, {**stamp_in(context), **attributes})
    return span, attach(set_span_in_context(span, context))
