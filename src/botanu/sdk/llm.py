"""Calls of models."""

from __future__ import annotations

import inspect
import time
from collections.abc import AsyncIterable
from functools import partial
from typing import TYPE_CHECKING, Any, Self, TypeVar, overload

from botanu import semconv
from botanu.errors import IdentityError
from botanu.sdk.calls import Call
from botanu.sdk.guard import guard
from botanu.sdk.identifiers import id_text, optional_text, present
from botanu.sdk.quantities import Reader
from botanu.sdk.streams import AsyncStream, Follow, Stream
from botanu.sdk.usage import UNKNOWN, billed_by

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from botanu.sdk.streams import Tokens

T = TypeVar("T")

_TEXT = Reader("text", partial(id_text, "text"))


class LlmCall(Call):
    """One call of a model; see ``track_llm_call``."""

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

        Set again, a count replaces the one before. What ``record_usage`` has of the same meters comes on top.

        Args:
            input_tokens: all input tokens, cached ones included.
            output_tokens: all output tokens, reasoning included.
            cache_read_tokens: the part of the input read from the provider's cache.
            cache_write_tokens: the part of the input written to the provider's cache.
            reasoning_tokens: the part of the output that was reasoning.
        """
        return self._set(
            {
                semconv.GEN_AI_INPUT_TOKENS: input_tokens,
                semconv.GEN_AI_OUTPUT_TOKENS: output_tokens,
                semconv.GEN_AI_CACHE_READ_TOKENS: cache_read_tokens,
                semconv.GEN_AI_CACHE_WRITE_TOKENS: cache_write_tokens,
                semconv.GEN_AI_REASONING_TOKENS: reasoning_tokens,
            }
        )

    def set_response(
        self, *, model: str | None = None, response_id: str | None = None, service_tier: str | None = None
    ) -> Self:
        """Record which *model* answered and at which *service_tier*, where that differs, and its *response_id*."""
        with guard:
            given = {
                semconv.GEN_AI_RESPONSE_MODEL: model,
                semconv.GEN_AI_RESPONSE_ID: response_id,
                semconv.SERVICE_TIER: service_tier,
            }
            texts = {name: _TEXT.of(name, text) for name, text in given.items() if text is not None}
            if self._is_open():
                self._span.set_attributes(present(texts))
        return self

    @overload
    def stream(self, chunks: Iterable[T], usage: Callable[[T], Tokens | None] | None = None) -> Stream[T]: ...

    @overload
    def stream(self, chunks: AsyncIterable[T], usage: Callable[[T], Tokens | None] | None = None) -> AsyncStream[T]: ...

    def stream(
        self, chunks: Iterable[T] | AsyncIterable[T], usage: Callable[[T], Tokens | None] | None = None
    ) -> Stream[T] | AsyncStream[T]:
        """Return an iterator over *chunks* that the call goes on with: it ends with the stream, if not with the block.

        The stream ends when it is exhausted, raises, is closed, or is held by nobody any more. Spans that start while
        a chunk is produced are the call's children; between chunks the call is not current.

        Args:
            chunks: what the provider's client gives back, synchronous or asynchronous.
            usage: returns the tokens that a chunk reports, by the names that ``set_tokens`` has for them, or ``None``.
                What later chunks report replaces what earlier ones did. It runs inside the call, so it can
                ``record_cost`` and ``record_usage`` what else a chunk reports.
        """
        follow = Follow(usage, self._begin_stream, self._finish_stream) if self._hold() else Follow(usage)
        if isinstance(chunks, AsyncIterable):
            return AsyncStream(chunks, follow)
        return Stream(chunks, follow)

    def _with_counted(self, reported: Mapping[str, Any]) -> Mapping[str, Any]:
        counted: Mapping[str, Any] = getattr(self._span, "attributes", None) or {}
        known = [name for name, total in reported.items() if name in _COUNTED and total != UNKNOWN]
        return {**reported, **{name: reported[name] + counted.get(_COUNTED[name], 0) for name in known}}

    def _lose(self, name: str) -> None:
        self._add({}, lambda tally: tally.lose(next(own for own, count in _COUNTED.items() if count == name)))

    def _begin_stream(self) -> None:
        """Note when the first chunk came: should the stream break, something has been used all the same."""
        asked = getattr(self._span, "start_time", None)
        if asked is not None:
            self._span.set_attribute(semconv.GEN_AI_TIME_TO_FIRST_CHUNK, (time.time_ns() - asked) / 1e9)

    def _finish_stream(self, tokens: Tokens, error: BaseException | None) -> None:
        with guard:
            known = {name: count for name, count in tokens.items() if name in _TOKENS}
            if unknown := tokens.keys() - known:
                guard.say_once(f"set_tokens() has no name for what a stream reports: {', '.join(map(str, unknown))}")
            self.set_tokens(**known)
        with guard:
            self._end(error)


_TOKENS = inspect.signature(LlmCall.set_tokens).parameters.keys() - {"self"}

_COUNTED = {
    f"{semconv.USAGE}input_tokens": semconv.GEN_AI_INPUT_TOKENS,
    f"{semconv.USAGE}output_tokens": semconv.GEN_AI_OUTPUT_TOKENS,
    f"{semconv.USAGE}cache_read_tokens": semconv.GEN_AI_CACHE_READ_TOKENS,
    f"{semconv.USAGE}cache_write_tokens": semconv.GEN_AI_CACHE_WRITE_TOKENS,
    f"{semconv.USAGE}output_reasoning_tokens": semconv.GEN_AI_REASONING_TOKENS,
}
"""What ``record_usage`` sets, where ``set_tokens`` has an attribute for the same meter: that one."""


@overload
def track_llm_call(
    provider: str, model: str, operation: str = "chat", *, service_tier: str | None = None
) -> LlmCall: ...


@overload
def track_llm_call(*, vendor: str, model: str, operation: str = "chat", service_tier: str | None = None) -> LlmCall: ...


def track_llm_call(
    provider: str | None = None,
    model: str | None = None,
    operation: str = "chat",
    *,
    vendor: str | None = None,
    service_tier: str | None = None,
) -> LlmCall:
    """Return a context manager that records one call of a model that nothing instruments.

    Args:
        provider: who bills, by OpenTelemetry's name for it, such as ``openai`` or ``aws.bedrock``.
        model: the model asked for.
        operation: what the call does: ``chat``, ``text_completion``, ``embeddings``, ….
        vendor: the same as *provider*; one of the two is needed.
        service_tier: what is asked for beside the standard one, by the provider's word: ``batch``, ``flex``,
            ``priority``, …

    Raises:
        IdentityError: none or both of *provider* and *vendor* are given, or a name is empty or no text.
    """
    who = billed_by(provider, vendor)
    if who is None:
        raise IdentityError("provider= must be given, or vendor=, which means the same: who bills, such as openai")
    what, how = id_text("model", model), id_text("operation", operation)
    attributes = {
        semconv.GEN_AI_OPERATION_NAME: how,
        semconv.GEN_AI_PROVIDER_NAME: id_text("provider", who),
        semconv.GEN_AI_REQUEST_MODEL: what,
        semconv.SERVICE_TIER: optional_text("service_tier", service_tier),
    }
    return LlmCall(f"{how} {what}", present(attributes))
