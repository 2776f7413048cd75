"""``@botanu_workflow`` and ``run_botanu``: thin callers of the scope."""

from __future__ import annotations

import contextlib
import contextvars
import functools
import inspect
import sys
import weakref
from types import AsyncGeneratorType, CoroutineType, GeneratorType
from typing import TYPE_CHECKING, Any, ParamSpec, TypeVar, cast

from opentelemetry.trace import SpanKind

from botanu import semconv
from botanu.errors import IdentityError
from botanu.sdk import configure
from botanu.sdk.extracting import extractor
from botanu.sdk.guard import guard
from botanu.sdk.identifiers import id_text, optional_text
from botanu.sdk.scope import Scope
from botanu.sdk.stepping import Within, steps_in

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Awaitable, Callable, Generator, Mapping, Sequence

    from botanu.sdk.block import Block
    from botanu.sdk.extracting import Extract

    _MakeBlock = Callable[[tuple[object, ...], dict[str, object]], Block[Any] | None]

P = ParamSpec("P")
R = TypeVar("R")


def botanu_workflow(
    name: str,
    *,
    event_id: object | Callable[..., object],
    customer_id: object | Callable[..., object],
    auto_outcome_on_success: bool = True,
    environment: str | None = None,
    tenant_id: str | None = None,
    version: str | None = None,
    attempt: int | Callable[..., object] | None = None,
    span_kind: SpanKind = SpanKind.INTERNAL,
) -> Callable[[Callable[P, R]], Callable[P, R]]:
    """Make every call of the decorated function a run of the workflow *name*.

    Works on functions, coroutine functions, generators and async generators; signature, types and results
    stay as they are. The run starts with the call and ends with it; for generators it lasts from the first
    step to the end of iteration. Where a plain function returns a coroutine or a generator, as one that wraps
    another does, the run lasts until that has ended. If the function emits no outcome, a clean return is a
    ``success``, an exception is ``failed`` with its class name as the reason, a cancellation is ``canceled``.

    Args:
        name: the kind of work, low in cardinality, such as ``fulfill-order``.
        event_id: the business transaction; a scalar, or a callable that gets the call's arguments (all, or just
            those it names) and returns one. A callable that fails never stops the function: the run then has no
            event id.
        customer_id: the end customer served; like *event_id*.
        auto_outcome_on_success: when false, a clean return without an outcome leaves the run unrecorded.
        environment: deployment environment; by default that of the run around it, or else the setting of that name.
        tenant_id: whose data it is, where one program serves several tenants; by default that of the run around it.
        version: version of the workflow's code, for comparing deployments.
        attempt: the run's ordinal within its event, where the program knows it; otherwise the store counts. Like
            *event_id*, a callable gets the call's arguments; one that returns ``None`` does not know.
        span_kind: OpenTelemetry's kind of the run's root span.

    Raises:
        IdentityError: *name*, or an *event_id* or *customer_id* that is no callable, identifies nothing; or another
            argument is no text, *attempt* no number from 1, or *span_kind* no ``SpanKind``.
    """
    fixed, kind = _fixed_identity(name, environment, tenant_id, version), _kind(span_kind)
    found = {}
    for attribute, given in (
        (semconv.EVENT_ID, event_id),
        (semconv.CUSTOMER_ID, customer_id),
        (semconv.ATTEMPT, attempt),
    ):
        if callable(given):
            found[attribute] = given
        elif (value := _read(attribute, given)) is not None:
            fixed[attribute] = value

    def decorate(function: Callable[P, R]) -> Callable[P, R]:
        drive = driver(function)
        sources = {attribute: extractor(given, function) for attribute, given in found.items()}

        def scope(args: tuple[object, ...], kwargs: dict[str, object]) -> Scope | None:
            if configure.tracer() is None:
                return None
            identity, faults = _resolve(fixed, sources, args, kwargs)
            return Scope(
                identity,
                auto_outcome_on_success=auto_outcome_on_success,
                span_kind=kind,
                faults=faults,
            )

        return cast("Callable[P, R]", drive(function, scope))

    return decorate


def run_botanu(
    name: str,
    *,
    event_id: object,
    customer_id: object,
    auto_outcome_on_success: bool = True,
    environment: str | None = None,
    tenant_id: str | None = None,
    version: str | None = None,
    attempt: int | None = None,
    span_kind: SpanKind = SpanKind.INTERNAL,
) -> Scope:
    """Return a context manager, for ``with`` and ``async with``, that makes its block a run and yields the run.

    The arguments are those of ``botanu_workflow``, with scalar ids. They are the program's data: one that identifies
    nothing, such as ``None``, does not stop the program. The run is recorded without it, and that is logged once.

    Args:
        name: the kind of work, low in cardinality.
        event_id: the business transaction.
        customer_id: the end customer served.
        auto_outcome_on_success: when false, a clean end without an outcome leaves the run unrecorded.
        environment: deployment environment; by default that of the run around it, or else the setting of that name.
        tenant_id: whose data it is, where one program serves several tenants; by default that of the run around it.
        version: version of the workflow's code, for comparing deployments.
        attempt: the run's ordinal within its event, where the program knows it; otherwise the store counts.
        span_kind: OpenTelemetry's kind of the run's root span.

    Raises:
        IdentityError: *name* identifies nothing; or another argument is no text, *attempt* no number from 1, or
            *span_kind* no ``SpanKind``.
    """
    fixed = _fixed_identity(name, environment, tenant_id, version)
    if attempt is not None:
        fixed[semconv.ATTEMPT] = _read_attempt(attempt)
    faults: Sequence[str] = ()
    if type(event_id) is type(customer_id) is str and event_id and customer_id:  # as nearly always
        fixed[semconv.EVENT_ID] = id_text("event_id", event_id)
        fixed[semconv.CUSTOMER_ID] = id_text("customer_id", customer_id)
    else:
        ids: dict[str, Extract] = {semconv.EVENT_ID: lambda *_: event_id, semconv.CUSTOMER_ID: lambda *_: customer_id}
        fixed, faults = _resolve(fixed, ids, (), {})
    return Scope(fixed, auto_outcome_on_success=auto_outcome_on_success, span_kind=_kind(span_kind), faults=faults)


def _kind(given: object) -> SpanKind:
    if isinstance(given, SpanKind):
        return given
    raise IdentityError(f"span_kind must be one of opentelemetry.trace.SpanKind, not {given!r}")


def _fixed_identity(name: str, environment: object, tenant_id: object, version: object) -> dict[str, str | int]:
    fixed: dict[str, str | int] = {semconv.WORKFLOW: id_text("name", name)}
    if (text := optional_text("environment", environment)) is not None:
        fixed[semconv.ENVIRONMENT] = text
    if (text := optional_text("tenant_id", tenant_id)) is not None:
        fixed[semconv.TENANT_ID] = text
    if (text := optional_text("version", version)) is not None:
        fixed[semconv.WORKFLOW_VERSION] = text
    return fixed


def _read_attempt(given: object) -> int:
    if isinstance(given, int) and not isinstance(given, bool) and given >= 1:
        return given
    raise IdentityError(f"attempt must be a whole number from 1, not {given!r}")


def _read(attribute: str, given: object) -> str | int | None:
    """Return what a program has *given* for *attribute*; ``None`` for an attempt that it does not know."""
    if attribute == semconv.ATTEMPT:
        return None if given is None else _read_attempt(given)
    return id_text(attribute.removeprefix("botanu."), given)


def _resolve(
    fixed: dict[str, str | int], sources: dict[str, Extract], args: tuple[object, ...], kwargs: dict[str, object]
) -> tuple[dict[str, str | int], Sequence[str]]:
    """Return the identity of one call, *fixed* included, and the faults of what could not be had."""
    identity, faults = fixed.copy(), []
    for attribute, extract in sources.items():
        try:
            value = _read(attribute, extract(args, kwargs))
        except Exception as error:  # noqa: BLE001 - the program's own function must run regardless
            fault = f"{attribute.removeprefix('botanu.')}: {type(error).__name__}"
            faults.append(fault)
            workflow = fixed[semconv.WORKFLOW]
            guard.say_once(f"workflow {workflow!r}: {fault}; the run is recorded without it", error)
            continue
        if value is not None:
            identity[attribute] = value
    return identity, faults


def driver(function: Callable[..., Any]) -> Callable[[Callable[..., Any], _MakeBlock], Callable[..., Any]]:
    """Return what makes every call of *function* a block, through to its end, of the kind of function that it is.

    Raises:
        TypeError: *function* cannot be called, or is a static method that is still to become one.
    """
    if isinstance(function, staticmethod) or not callable(function):
        raise TypeError(
            f"{function!r} is no function: put the decorator below @classmethod, @staticmethod or @property"
        )
    if inspect.isasyncgenfunction(function):
        return _drive_async_generator
    if inspect.isgeneratorfunction(function):
        return _drive_generator
    if inspect.iscoroutinefunction(function):
        return _drive_coroutine
    return _drive_call


def _drive_call(function: Callable[..., Any], scope: _MakeBlock) -> Callable[..., Any]:
    @functools.wraps(function)
    def run(*args: object, **kwargs: object) -> object:
        opened = scope(args, kwargs)
        if opened is None:
            return function(*args, **kwargs)
        opened.open()
        try:
            result = function(*args, **kwargs)
        except BaseException as error:
            opened.close(error)
            raise
        if type(result) in _DRIVE:
            return _follow(result, opened)
        opened.close(None)
        return result

    return run


def _drive_coroutine(function: Callable[..., Any], scope: _MakeBlock) -> Callable[..., Any]:
    @functools.wraps(function)
    async def run(*args: object, **kwargs: object) -> object:
        opened = scope(args, kwargs)
        if opened is None:
            return await function(*args, **kwargs)
        with opened:
            return await function(*args, **kwargs)

    return run


def _drive_generator(function: Callable[..., Any], scope: _MakeBlock) -> Callable[..., Any]:
    @functools.wraps(function)
    def run(*args: object, **kwargs: object) -> Generator[object, object, object]:
        opened = scope(args, kwargs)
        if opened is None:
            return (yield from function(*args, **kwargs))
        with opened:
            inside = opened.leave()
            return (yield from steps_in(inside, function(*args, **kwargs)))

    return run


def _drive_async_generator(function: Callable[..., Any], scope: _MakeBlock) -> Callable[..., Any]:
    @functools.wraps(function)
    async def run(*args: object, **kwargs: object) -> AsyncGenerator[object, object]:
        opened = scope(args, kwargs)
        with opened or contextlib.nullcontext():
            inside = contextvars.copy_context() if opened is None else opened.leave()
            body = function(*args, **kwargs)
            step = _first_step(body)
            while True:
                try:
                    item = await Within(inside, step)
                except StopAsyncIteration:
                    return
                try:
                    value = yield item
                except GeneratorExit:
                    await Within(inside, body.aclose())
                    raise
                except BaseException as error:  # noqa: BLE001 - handed on to the body, whatever it is
                    step = body.athrow(error)
                else:
                    step = body.asend(value)

    return run


def _first_step(body: AsyncGenerator[object, object]) -> Awaitable[object]:
    """Return the first step of *body*, unknown to the event loop.

    The loop closes every generator it knows when it shuts down, all at once: it would close the body while its wrapper
    is closing it.
    """
    hooks = sys.get_asyncgen_hooks()
    sys.set_asyncgen_hooks(None, None)
    try:
        return body.__anext__()
    finally:
        sys.set_asyncgen_hooks(*hooks)


_DRIVE: Mapping[type, Callable[[Callable[..., Any], _MakeBlock], Callable[..., Any]]] = {
    CoroutineType: _drive_coroutine,
    GeneratorType: _drive_generator,
    AsyncGeneratorType: _drive_async_generator,
}


def _follow(result: object, opened: Block[Any]) -> object:
    """Return *result*, which a call gave and which is still to run, so that the run of the call ends with it."""
    opened.leave()

    def scope(_args: tuple[object, ...], _kwargs: dict[str, object]) -> Block[Any]:
        unused.detach()
        return opened

    followed = _DRIVE[type(result)](lambda: result, scope)()
    unused = weakref.finalize(followed, opened.close, GeneratorExit())
    return followed
