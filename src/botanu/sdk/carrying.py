"""Functions bound to the context of now, for threads and executors."""

from __future__ import annotations

import contextvars
import functools
import inspect
from typing import TYPE_CHECKING, ParamSpec, TypeVar, cast

from botanu.sdk.stepping import Within

if TYPE_CHECKING:
    from collections.abc import Callable

P = ParamSpec("P")
R = TypeVar("R")


def carry(function: Callable[P, R]) -> Callable[P, R]:
    """Return *function* bound to the context of now: wherever it is called, its spans belong to the run of here.

    For threads and executors, which know nothing of the context that hands them work: ``pool.submit(carry(work), x)``.
    Tasks of asyncio and ``asyncio.to_thread`` carry the context by themselves. All context variables are carried, and
    what a call changes in them stays in that call, so it can be called many times, also at once.

    Args:
        function: a function or coroutine function.

    Raises:
        TypeError: *function* cannot be called.
    """
    if not callable(function):
        raise TypeError(f"carry() takes a function, not {function!r}")
    context = contextvars.copy_context()

    if inspect.iscoroutinefunction(function):

        @functools.wraps(function)
        async def run_coroutine(*args: P.args, **kwargs: P.kwargs) -> object:
            return await Within(context.copy(), function(*args, **kwargs))

        return cast("Callable[P, R]", run_coroutine)

    @functools.wraps(function)
    def run(*args: P.args, **kwargs: P.kwargs) -> R:
        return context.copy().run(function, *args, **kwargs)

    return run
