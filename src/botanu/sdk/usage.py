"""Usage of calls that no instrumentation records."""

from __future__ import annotations

from operator import index
from typing import TYPE_CHECKING, Self

from opentelemetry.trace import INVALID_SPAN, SpanKind

from botanu import semconv
from botanu.sdk import configure
from botanu.sdk.contexts import detach
from botanu.sdk.guard import guard
from botanu.sdk.identity import open_span
from botanu.sdk.spans import end_span

if TYPE_CHECKING:
    from contextvars import Token
    from types import TracebackType

    from opentelemetry.context import Context
    from opentelemetry.trace import Span


class LlmCall:
    """One call of a model, as a context manager for ``with`` and ``async with``; yields itself."""

    __slots__ = ("_attributes", "_name", "_span", "_token")

    def __init__(self, provider: str, model: str, operation: str) -> None:
        """Belongs to ``track_llm_call``."""
        self._name = f"{operation} {model}"
        self._attributes = {
            semconv.GEN_AI_OPERATION_NAME: operation,
            semconv.GEN_AI_PROVIDER_NAME: provider,
            semconv.GEN_AI_REQUEST_MODEL: model,
        }
        self._span: Span = INVALID_SPAN
        self._token: Token[Context] | None = None

    def set_tokens(
        self,
        input_tokens: int | None = None,
        output_tokens: int | None = None,
        *,
        cache_read_tokens: int | None = None,
        cache_write_tokens: int | None = None,
        reasoning_tokens: int | None = None,
    ) -> Self:
        """Record the tokens the provider counted; what is not known stays away, it is not zero.

        Args:
            input_tokens: all input tokens, cached ones included.
            output_tokens: all output tokens, reasoning included.
            cache_read_tokens: the part of the input read from the provider's cache.
            cache_write_tokens: the part of the input written to the provider's cache.
            reasoning_tokens: the part of the output that was reasoning.
        """
        given = {
            semconv.GEN_AI_INPUT_TOKENS: input_tokens,
            semconv.GEN_AI_OUTPUT_TOKENS: output_tokens,
            semconv.GEN_AI_CACHE_READ_TOKENS: cache_read_tokens,
            semconv.GEN_AI_CACHE_WRITE_TOKENS: cache_write_tokens,
            semconv.GEN_AI_REASONING_TOKENS: reasoning_tokens,
        }
        counts = {name: _count(name, count) for name, count in given.items() if count is not None}
        self._span.set_attributes({name: count for name, count in counts.items() if count is not None})
        return self

    def set_response(self, *, model: str | None = None, response_id: str | None = None) -> Self:
        """Record which *model* answered, where that differs, and the provider's *response_id*."""
        given = {semconv.GEN_AI_RESPONSE_MODEL: model, semconv.GEN_AI_RESPONSE_ID: response_id}
        self._span.set_attributes({name: text for name, text in given.items() if text is not None})
        return self

    def __enter__(self) -> Self:
        """Start the call's span."""
        tracer = configure.tracer()
        if tracer is not None:
            with guard:
                self._span, self._token = open_span(tracer, self._name, SpanKind.CLIENT, self._attributes)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """End the call's span; the exception goes on its way."""
        try:
            with guard:
                end_span(self._span, error)
        finally:
            if self._token is not None:
                detach(self._token)

    async def __aenter__(self) -> Self:
        """Start the call's span."""
        return self.__enter__()

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """End the call's span; the exception goes on its way."""
        self.__exit__(kind, error, trace)


def _count(name: str, given: object) -> int | None:
    """Return a whole number as OpenTelemetry takes it: other libraries have integers of their own."""
    with guard:
        try:
            return index(given)  # type: ignore[arg-type]
        except TypeError:
            guard.say_once(f"{name} must be a whole number, not {type(given).__name__}: not recorded")
    return None


def track_llm_call(*, provider: str, model: str, operation: str = "chat") -> LlmCall:
    """Return a context manager that records one call of a model that nothing instruments.

    Args:
        provider: who bills, by OpenTelemetry's name for it, such as ``openai`` or ``aws.bedrock``.
        model: the model asked for.
        operation: what the call does: ``chat``, ``text_completion``, ``embeddings``, ….
    """
    return LlmCall(provider, model, operation)
