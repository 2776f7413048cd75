"""Calls among captured spans, as the server reads them."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from decimal import Decimal

from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.trace import StatusCode

from botanu.ingest.dialects import CALL_OPERATIONS, ROLL_UP_OPERATIONS
from botanu.sdk.spans import attributes_of
from botanu.testing.reading import is_answered, read, read_cost, read_own, read_usage, reports, uses

_TOOL_CALL = "execute_tool"


@dataclass(frozen=True, slots=True)
class Tokens:
    """What a call used, by meter; what is not known is ``None``, not zero."""

    input_tokens: int | None = None
    output_tokens: int | None = None
    cache_read_tokens: int | None = None
    cache_write_tokens: int | None = None
    cache_write_5m_tokens: int | None = None
    cache_write_1h_tokens: int | None = None
    input_audio_tokens: int | None = None
    output_reasoning_tokens: int | None = None
    output_audio_tokens: int | None = None


@dataclass(frozen=True, slots=True)
class CapturedCall:
    """One call of a model or a tool, whichever names its instrumentation writes.

    Two are equal when all is but *counted* and *span*. The *model* is the one that answered, or else the one asked for.
    *usage* holds what the program reported itself of meters other than tokens. *cost* is what it reported, exactly, in
    *currency*; what a call costs by the price list only the server knows, and *cost* is ``None`` then. *counted* says
    whether the server counts it among the run's calls: not one that failed before it was answered, nor a tool's that
    reports neither usage nor cost.
    """

    provider: str | None
    model: str | None
    operation: str | None
    tokens: Tokens = Tokens()
    usage: Mapping[str, float] = field(default_factory=dict)
    error_type: str | None = None
    cost: Decimal | None = None
    currency: str | None = None
    counted: bool = field(default=True, compare=False)
    span: ReadableSpan | None = field(default=None, compare=False, repr=False)


def call_of(span: ReadableSpan) -> CapturedCall | None:
    """Return *span* as a call, if it is one: the server counts it, or its operation has usage."""
    attributes = attributes_of(span)
    operation, error_type = read(attributes, "operation"), read(attributes, "error_type")
    failed = error_type is not None or span.status.status_code is StatusCode.ERROR
    rolls_up = operation in ROLL_UP_OPERATIONS
    should_use = operation in CALL_OPERATIONS and (not failed or is_answered(attributes))
    counted = (uses(attributes) and not rolls_up) or should_use or reports(attributes, rolls_up=rolls_up)
    if not counted and operation not in (*CALL_OPERATIONS, _TOOL_CALL):
        return None
    reader = read_own if rolls_up and counted else read  # what is not its own is that of the calls inside
    tokens = Tokens(**{each.name: reader(attributes, each.name) for each in fields(Tokens)})
    known = asdict(tokens)
    response_model = read(attributes, "response_model")
    cost, currency = read_cost(attributes)
    return CapturedCall(
        provider=read(attributes, "provider"),
        model=read(attributes, "request_model") if response_model is None else response_model,
        operation=operation,
        tokens=tokens,
        usage={meter: value for meter, value in read_usage(attributes, reader).items() if known.get(meter) is None},
        error_type=error_type,
        cost=cost,
        currency=currency,
        counted=counted,
        span=span,
    )
