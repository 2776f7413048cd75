"""Calls among captured spans, as the server reads them."""

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from decimal import Decimal

from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.trace import StatusCode

from botanu.ingest.dialects import CALL_OPERATIONS, ROLL_UP_OPERATIONS
from botanu.testing.reading import Said
from botanu.testing.usage import is_answered, read_cost, read_usage, reports, unreadable, uses

_TOOL_CALL = "execute_tool"


@dataclass(frozen=True, slots=True)
class Tokens:
    """What a call used, by meter, as its source counts; what is not known is ``None``, not zero.

    A total includes its parts. A source that counts the parts beside the rest has none: what remains of the input is
    ``input_uncached_tokens`` then, of the output ``output_text_tokens``, of cache writes ``cache_write_other_tokens``.
    """

    input_tokens: int | None = None
    output_tokens: int | None = None
    cache_read_tokens: int | None = None
    cache_write_tokens: int | None = None
    cache_write_5m_tokens: int | None = None
    cache_write_1h_tokens: int | None = None
    input_audio_tokens: int | None = None
    output_reasoning_tokens: int | None = None
    output_audio_tokens: int | None = None
    cache_audio_read_tokens: int | None = None
    cache_image_read_tokens: int | None = None
    input_image_tokens: int | None = None
    input_video_tokens: int | None = None
    input_tool_tokens: int | None = None
    output_image_tokens: int | None = None
    output_video_tokens: int | None = None
    output_citation_tokens: int | None = None
    input_uncached_tokens: int | None = None
    output_text_tokens: int | None = None
    cache_write_other_tokens: int | None = None


@dataclass(frozen=True, slots=True)
class CapturedCall:
    """One call of a model or a tool, whichever names its instrumentation writes.

    Two are equal when all is but *counted* and *span*. The *model* is the one that answered, or else the one asked for.
    *usage* holds the quantities of meters other than tokens, and as it is what the program reports that is no quantity.
    *cost* is what the program or its instrumentation reports, exactly, in *currency*; what a call costs by a price only
    the server knows, and *cost* is ``None`` then. So it is where an instrumentation says zero, unless from a cache: it
    is believed only of what has no price. *service_tier* is ``None`` for the standard one. *counted* says whether the
    server counts it among the run's calls: not one that failed before it was answered, nor a tool's that reports
    neither usage nor cost.
    """

    provider: str | None
    model: str | None
    operation: str | None
    tokens: Tokens = Tokens()
    usage: Mapping[str, float] = field(default_factory=dict)
    error_type: str | None = None
    cost: Decimal | None = None
    currency: str | None = None
    service_tier: str | None = None
    counted: bool = field(default=True, compare=False)
    span: ReadableSpan | None = field(default=None, compare=False, repr=False)


def call_of(span: ReadableSpan) -> CapturedCall | None:
    """Return *span* as a call, if it is one: the server counts it, or its operation has usage."""
    said = Said(span)
    operation, error_type = said.read("operation"), said.read("error_type")
    rolls_up = operation in ROLL_UP_OPERATIONS
    tells_itself = reports(said, rolls_up=rolls_up)
    failed = error_type is not None or span.status.status_code is StatusCode.ERROR
    should_use = operation in CALL_OPERATIONS and (not failed or is_answered(said))
    counted = tells_itself or should_use or (uses(said) and not rolls_up)
    if not counted and operation not in (*CALL_OPERATIONS, _TOOL_CALL):
        return None
    used = read_usage(said, own_only=rolls_up and tells_itself)  # the rest is that of the calls inside
    lost = unreadable(said, used)
    tokens = {each.name: used.pop(each.name, None) for each in fields(Tokens)}
    response_model = said.read("response_model")
    cost, currency = read_cost(said, rolls_up=rolls_up)
    return CapturedCall(
        provider=said.read("provider"),
        model=said.read("request_model") if response_model is None else response_model,
        operation=operation,
        tokens=Tokens(**tokens),
        usage=used | lost,
        error_type=error_type,
        cost=cost,
        currency=currency,
        service_tier=said.read("service_tier"),
        counted=counted,
        span=span,
    )
