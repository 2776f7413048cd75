"""Streams of chunks that a call goes on with, after its block too."""

from __future__ import annotations

import contextvars
import inspect
import threading
import weakref
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Generic, Self, TypeVar

from botanu.sdk.guard import guard
from botanu.sdk.stepping import Within

if TYPE_CHECKING:
    from collections.abc import AsyncIterable, Callable, Iterable, Mapping

    Tokens = Mapping[str, int | None]
    """Tokens by the names that ``LlmCall.set_tokens`` has for them."""

T = TypeVar("T")
R = TypeVar("R")


def _ignore_first() -> None:
    """Stand for a call that has ended."""


def _ignore_end(_tokens: Tokens, _error: BaseException | None) -> None:
    """Stand for a call that has ended."""


@dataclass(frozen=True, slots=True)
class Follow(Generic[T]):
    """What a call wants of a stream.

    To be told of the tokens that a chunk reports, of the first chunk, and of the end with all tokens and what it ended
    by.
    """

    usage: Callable[[T], Tokens | None] | None = None
    begin: Callable[[], None] = _ignore_first
    finish: Callable[[Tokens, BaseException | None], None] = _ignore_end


class _Followed(Generic[T]):
    """What streams have in common: a context of their own, the tokens reported so far, and one end.

    The end comes by exhaustion, an exception, closing, or when nobody holds the stream any more.
    """

    def __init__(self, chunks: object, follow: Follow[T]) -> None:
        self._inside = contextvars.copy_context()
        self._entered = threading.Lock()
        self._chunks = chunks
        self._follow = follow
        self._begun = False
        self._tokens: dict[str, int] = {}
        self._unfinished = weakref.finalize(self, follow.finish, self._tokens, None)
        self._unfinished.atexit = False  # by then it would be too late: ``end_streams`` comes before
        _open.add(self)

    def _run(self, step: Callable[..., R], *given: object) -> R:
        """Return what *step* returns, inside the call; where a step is under way already, in a copy of its context.

        So it is when another thread, or a signal's handler, closes the stream that a read is waiting for.
        """
        if not self._entered.acquire(blocking=False):
            return self._inside.copy().run(step, *given)
        try:
            return self._inside.run(step, *given)
        finally:
            self._entered.release()

    def _note(self, chunk: T) -> None:
        """Keep the tokens that *chunk* reports, in place of those of chunks before."""
        if not self._begun:
            self._begun = True
            with guard:
                self._follow.begin()
        if self._follow.usage is None:
            return
        try:
            reported = self._run(self._follow.usage, chunk)
            if reported:
                self._tokens.update({name: count for name, count in reported.items() if count is not None})
        except Exception as error:  # noqa: BLE001 - the program's own function must not end its stream
            fault = f"the usage of a stream's chunk could not be read: {type(error).__name__}"
            guard.say_once(f"{fault}; it is not recorded", error, about=fault)

    def _end(self, error: BaseException | None) -> None:
        """Tell the call, the first time."""
        if self._unfinished.detach() is not None:
            self._follow.finish(self._tokens, error)


class Stream(_Followed[T], Iterator[T]):
    """The chunks of a stream. Each is produced inside the call; whoever gets it is not."""

    def __init__(self, chunks: Iterable[T], follow: Follow[T]) -> None:
        """Belongs to ``LlmCall.stream``."""
        super().__init__(chunks, follow)
        self._iterator = self._run(iter, chunks)

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> T:
        try:
            chunk = self._run(next, self._iterator)
        except BaseException as error:
            self._end(None if isinstance(error, StopIteration) else error)
            raise
        self._note(chunk)
        return chunk

    def close(self) -> None:
        """Close what gives the chunks, where that can be closed, and end."""
        try:
            for each in _unlike(self._iterator, self._chunks):
                if hasattr(each, "close"):
                    self._run(each.close)
        finally:
            self._end(None)


class AsyncStream(_Followed[T], AsyncIterator[T]):
    """The chunks of an asynchronous stream. Each is produced inside the call; whoever gets it is not."""

    def __init__(self, chunks: AsyncIterable[T], follow: Follow[T]) -> None:
        """Belongs to ``LlmCall.stream``."""
        super().__init__(chunks, follow)
        self._iterator = self._inside.run(aiter, chunks)

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> T:
        try:
            chunk: T = await Within(self._inside, self._inside.run(anext, self._iterator))
        except BaseException as error:
            self._end(None if isinstance(error, StopAsyncIteration) else error)
            raise
        self._note(chunk)
        return chunk

    async def aclose(self) -> None:
        """Close what gives the chunks, where that can be closed, and end."""
        try:
            for each in _unlike(self._iterator, self._chunks):
                close = getattr(each, "aclose", None) or getattr(each, "close", None)
                closing = close and self._inside.run(close)
                if inspect.isawaitable(closing):
                    await Within(self._inside, closing)
        finally:
            self._end(None)


_open: weakref.WeakSet[_Followed[Any]] = weakref.WeakSet()


def end_streams() -> None:
    """End every stream that is open, with what it has reported so far: the program is about to end."""
    for each in [*_open]:
        each._end(None)  # noqa: SLF001 - it is one of ours


def _unlike(iterator: object, chunks: object) -> list[Any]:
    """Return *iterator* and *chunks*, or one where they are the same."""
    return [iterator] if iterator is chunks else [iterator, chunks]
