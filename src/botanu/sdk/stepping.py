"""Running generators and awaitables step by step inside a context of their own.

A generator's body runs in slices, each in whatever context its consumer happens to be in. To keep a run
current in the body, and only there, every slice is entered through one ``contextvars.Context``. So the
consumer never sees the run, and a body that is resumed or closed in another task or thread still finds it.
"""

from collections.abc import Awaitable, Generator
from contextvars import Context
from typing import Any, Protocol, cast


class Steps(Protocol):
    """What can be resumed: a generator, or the iterator behind an ``await``."""

    def send(self, value: Any, /) -> Any:  # noqa: ANN401 - whatever the body yields
        """Resume with *value*."""

    def throw(self, error: BaseException, /) -> Any:  # noqa: ANN401
        """Resume with an exception."""

    def close(self) -> None:
        """Stop."""


def steps_in(context: Context, steps: Steps) -> Generator[Any, Any, Any]:
    """Yield what *steps* yields and return what it returns, running each of its slices inside *context*."""
    resume, value = steps.send, None
    while True:
        try:
            item = context.run(resume, value)
        except StopIteration as stop:
            return stop.value
        try:
            value = yield item
            resume = steps.send
        except GeneratorExit:
            context.run(steps.close)
            raise
        except BaseException as error:  # noqa: BLE001 - handed on to the body, whatever it is
            value, resume = error, steps.throw


class Within:
    """An awaitable whose slices run inside one context."""

    __slots__ = ("_awaitable", "_context")

    def __init__(self, context: Context, awaitable: Awaitable[Any]) -> None:
        """Await *awaitable* inside *context*."""
        self._context = context
        self._awaitable = awaitable

    def __await__(self) -> Generator[Any, Any, Any]:
        """Return the iterator that the event loop drives."""
        return steps_in(self._context, cast("Steps", self._awaitable.__await__()))
