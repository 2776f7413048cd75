"""What lasts as long as a ``with`` block: how it is begun, left for a while, and ended."""

from __future__ import annotations

import contextvars
from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, ClassVar, Generic, TypeVar

from botanu.sdk.contexts import attach, detach, get_current
from botanu.sdk.guard import guard

if TYPE_CHECKING:
    from contextvars import Token
    from types import TracebackType

    from opentelemetry.context import Context

T_co = TypeVar("T_co", covariant=True)


class Block(ABC, Generic[T_co]):
    """Current inside one block, synchronous or asynchronous, and yields a ``T_co``; for a single use."""

    _what: ClassVar[str]
    """What the program calls it."""

    _begun = False
    _token: Token[Context] | None = None
    _left: Context | None = None

    @abstractmethod
    def _begin(self) -> None:
        """Begin; what attaches a context keeps its token in ``_token``."""

    @abstractmethod
    def _inner(self) -> T_co:
        """Return what the block is given."""

    @abstractmethod
    def _end(self, error: BaseException | None) -> None:
        """End, by the exception that ended the block, or ``None``."""

    def open(self) -> T_co:
        """Begin and become current; where it has been left, go back into it.

        Raises:
            RuntimeError: this has been opened before.
        """
        self._enter()
        return self._inner()

    def _enter(self) -> None:
        if self._left is not None:
            self._token, self._left = attach(self._left), None
        elif self._begun:
            raise RuntimeError(f"this {self._what} has been started already; make a new one for each block")
        else:
            self._begun = True
            self._begin()

    def leave(self) -> contextvars.Context:
        """Restore the context before, while what was begun goes on in the one returned, or when opened again."""
        inside = contextvars.copy_context()
        self._left = get_current()
        self._restore()
        return inside

    def close(self, error: BaseException | None) -> None:
        """End, by the exception that ended the block or ``None``, and restore the context before."""
        try:
            self._end(error)
        except Exception as fault:
            if not guard.caught(fault):
                raise
        finally:
            self._left = None
            self._restore()

    def _restore(self) -> None:
        token, self._token = self._token, None
        if token is not None:
            detach(token)

    def __enter__(self) -> T_co:
        """Begin."""
        return self.open()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """End; the exception goes on its way."""
        self.close(error)

    async def __aenter__(self) -> T_co:
        """Begin."""
        return self.open()

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """End; the exception goes on its way."""
        self.close(error)
