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
from botanu.sdk.spans import remember

if TYPE_CHECKING:
    from collections.abc import Mapping
    from contextvars import Token

    from opentelemetry.context import Context
    from opentelemetry.trace import Span, Tracer
    from opentelemetry.util.types import AttributeValue

    from botanu.sdk.calls import Call
    from botanu.sdk.scope import Run

IDENTITY = (
    semconv.RUN_ID,
    semconv.ROOT_RUN_ID,
    semconv.EVENT_ID,
    semconv.CUSTOMER_ID,
    semconv.WORKFLOW,
    semconv.TENANT_ID,
    semconv.PARENT_RUN_ID,
    semconv.ATTEMPT,
    semconv.ENVIRONMENT,
    semconv.WORKFLOW_VERSION,
    semconv.TEAM,
    semconv.COST_CENTER,
    semconv.REGION,
)
"""The attributes that say which run a span belongs to, and for whom the run is; those that matter most first."""

INHERITED = (semconv.ENVIRONMENT, semconv.TENANT_ID, semconv.TEAM, semconv.COST_CENTER, semconv.REGION)
"""Those that a nested run takes from the one around it, unless it has its own."""

_RUN = create_key("botanu-run")
_STEP = create_key("botanu-step")
_CALL = create_key("botanu-call")


def run_in(context: Context | None = None) -> Run | None:
    """Return the run that *context* (default: the current one) is inside, if any."""
    return (get_current() if context is None else context).get(_RUN)  # type: ignore[return-value]


def call_in(context: Context | None = None) -> Call | None:
    """Return the innermost tracked call that *context* (default: the current one) is inside, if any."""
    return (get_current() if context is None else context).get(_CALL)  # type: ignore[return-value]


def with_run(context: Context, run: Run) -> Context:
    """Return *context* with *run* in it, and no step or call of a run around it."""
    inside = set_value(_RUN, run, context)
    for key in (_STEP, _CALL):
        if key in inside:
            inside = set_value(key, None, inside)
    return inside


def with_place_of(other: Context, context: Context) -> Context:
    """Return *context* inside the run, step and call that the *other* one is inside."""
    for key in (_RUN, _STEP, _CALL):
        if key in context or key in other:
            context = set_value(key, other.get(key), context)
    return context


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
    tracer: Tracer,
    name: str,
    kind: SpanKind,
    attributes: Mapping[str, AttributeValue],
    *,
    context: Context | None = None,
    call: Call | None = None,
) -> tuple[Span, Token[Context]]:
    """Start a span in *context* (default: the current one), with the identity of its run, and make it current.

    Return it and the token of the context attached, which is inside *call*, if that is given.
    """
    around = get_current() if context is None else context
    given = {**stamp_in(around), **attributes}
    span = tracer.start_span(name, around, kind, given)
    remember(span, given)
    inside = set_span_in_context(span, around)
    if call is not None:
        dict.__setitem__(inside, _CALL, call)  # contexts do not change, but nobody else has this one yet
    return span, attach(inside)
