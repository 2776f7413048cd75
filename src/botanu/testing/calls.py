"""Calls among captured spans, as the server reads them."""

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Any

from opentelemetry.sdk.trace import ReadableSpan

from botanu import semconv
from botanu.ingest.dialects import CALL_OPERATIONS, DIALECTS, ROLL_UP_OPERATIONS
from botanu.sdk.spans import attributes_of

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
    """One call of a model or a tool, whichever names its instrumentation writes; equal when all but the spans are.

    The *model* is the one that answered, or else the one asked for. *usage* holds the meters other than tokens that the
    program reported itself.
    """

    provider: str | None
    model: str | None
    operation: str | None
    tokens: Tokens = Tokens()
    usage: Mapping[str, float] = field(default_factory=dict)
    error_type: str | None = None
    span: ReadableSpan | None = field(default=None, compare=False, repr=False)


def call_of(span: ReadableSpan) -> CapturedCall | None:
    """Return *span* as a call, if it is one: it reports usage, or its operation has some."""
    attributes = attributes_of(span)
    tokens = Tokens(**{each.name: _read(attributes, each.name) for each in fields(Tokens)})
    reported = {
        name.removeprefix(semconv.USAGE): value for name, value in attributes.items() if name.startswith(semconv.USAGE)
    }
    usage = {meter: value for meter, value in reported.items() if not hasattr(tokens, meter)}
    operation = _read(attributes, "operation")
    uses = (usage or tokens != Tokens()) and operation not in ROLL_UP_OPERATIONS
    if not uses and operation not in (*CALL_OPERATIONS, _TOOL_CALL):
        return None
    return CapturedCall(
        provider=_read(attributes, "provider"),
        model=_read(attributes, "response_model") or _read(attributes, "request_model"),
        operation=operation,
        tokens=tokens,
        usage=usage,
        error_type=_read(attributes, "error_type"),
        span=span,
    )


def _read(attributes: Mapping[str, Any], column: str) -> Any:  # noqa: ANN401 - whatever the attribute holds
    """Return what *attributes* say for a *column* of the server's, in the first dialect that says something."""
    names = (name for dialect in DIALECTS for name in dialect.attributes.get(column, ()))
    return next((attributes[name] for name in names if name in attributes), None)
