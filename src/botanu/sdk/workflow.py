"""``@botanu_workflow`` and ``run_botanu``: thin callers of the scope."""

from __future__ import annotations

import contextvars
import functools
import inspect
from typing import TYPE_CHECKING, Any, ParamSpec, TypeVar, cast

from opentelemetry.trace import SpanKind

from botanu import semconv
from botanu.sdk import configure
from botanu.sdk.extracting import extractor
from botanu.sdk.guard import guard
from botanu.sdk.identifiers import id_text
from botanu.sdk.scope import Scope
from botanu.sdk.stepping import Within, steps_in

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable, Generator

    from botanu.sdk.extracting import Extract

    _MakeScope = Callable[[tuple[object, ...], dict[str, object]], Scope]

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
    span_kind: SpanKind = SpanKind.INTERNAL,
) -> Callable[[Callable[P, R]], Callable[P, R]]:
    """Make every call of the decorated function a run of the workflow *name*.

    Works on functions, coroutine functions, generators and async generators; signature, types and results
    stay as they are. The run starts with the call and ends with it; for generators it lasts from the first
    step to the end of iteration. If the function emits no outcome, a clean return is a ``success``, an
    exception is ``failed`` with its class name as the reason, a cancellation is ``canceled``.

    Args:
        name: the kind of work, low in cardinality, such as ``fulfill-order``.
        event_id: the business transaction; a scalar, or a callable that gets the call's arguments (all, or just
            those it names) and returns one. A callable that fails never stops the function: the run then has no
            event id.
        customer_id: the end customer served; like *event_id*.
        auto_outcome_on_success: when false, a clean return without an outcome leaves the run unrecorded.
        environment: deployment environment; by default the setting of that name.
        tenant_id: whose data it is, where one program serves several tenants.
        version: version of the workflow's code, for comparing deployments.
        span_kind: OpenTelemetry's kind of the run's root span.

    Raises:
        IdentityError: *name*, or an *event_id* or *customer_id* that is no callable, identifies nothing.
    """
    fixed = _fixed_identity(name, environment, tenant_id, version)
    ids = {
        semconv.EVENT_ID: event_id if callable(event_id) else id_text("event_id", event_id),
        semconv.CUSTOMER_ID: customer_id if callable(customer_id) else id_text("customer_id", customer_id),
    }

    def decorate(function: Callable[P, R]) -> Callable[P, R]:
        sources = {name: extractor(given, function) if callable(given) else given for name, given in ids.items()}

        def scope(args: tuple[object, ...], kwargs: dict[str, object]) -> Scope:
            resolved, faults = _resolve(sources, args, kwargs)
            return Scope(
                {**fixed, **resolved},
                auto_outcome_on_success=auto_outcome_on_success,
                span_kind=span_kind,
                faults=faults,
            )

        return cast("Callable[P, R]", _driver(function)(function, scope))

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

    The arguments are those of ``botanu_workflow``, with scalar ids, and:

    Args:
        name: the kind of work, low in cardinality.
        event_id: the business transaction.
        customer_id: the end customer served.
        auto_outcome_on_success: when false, a clean end without an outcome leaves the run unrecorded.
        environment: deployment environment; by default the setting of that name.
        tenant_id: whose data it is, where one program serves several tenants.
        version: version of the workflow's code, for comparing deployments.
        attempt: the run's ordinal within its event, where the program knows it; otherwise the store counts.
        span_kind: OpenTelemetry's kind of the run's root span.

    Raises:
        IdentityError: *name*, *event_id* or *customer_id* identifies nothing.
    """
    given = {
        **_fixed_identity(name, environment, tenant_id, version),
        semconv.EVENT_ID: id_text("event_id", event_id),
        semconv.CUSTOMER_ID: id_text("customer_id", customer_id),
        semconv.ATTEMPT: attempt,
    }
    return Scope(given, auto_outcome_on_success=auto_outcome_on_success, span_kind=span_kind)


def _fixed_identity(
    name: str, environment: str | None, tenant_id: str | None, version: str | None
) -> dict[str, str | int | None]:
    return {
        semconv.WORKFLOW: id_text("name", name),
        semconv.ENVIRONMENT: environment,
        semconv.TENANT_ID: tenant_id,
        semconv.WORKFLOW_VERSION: version,
    }


def _resolve(
    sources: dict[str, str | Extract], args: tuple[object, ...], kwargs: dict[str, object]
) -> tuple[dict[str, str], list[str]]:
    """Return the ids of one call, and the faults of those that could not be had."""
    resolved: dict[str, str] = {}
    faults: list[str] = []
    for attribute, given in sources.items():
        if isinstance(given, str):
            resolved[attribute] = given
            continue
        field = attribute.removeprefix("botanu.")
        try:
            resolved[attribute] = id_text(field, given(args, kwargs))
        except Exception as error:  # noqa: BLE001 - the program's own function must run regardless
            fault = f"{field}: {type(error).__name__}"
            faults.append(fault)
            guard.say_once(f"{fault}: {error}; the run is recorded without it", error)
    return resolved, faults


def _driver(function: Callable[..., Any]) -> Callable[[Callable[..., Any], _MakeScope], Callable[..., Any]]:
    if inspect.isasyncgenfunction(function):
        return _drive_async_generator
    if inspect.isgeneratorfunction(function):
        return _drive_generator
    if inspect.iscoroutinefunction(function):
        return _drive_coroutine
    return _drive_call


def _drive_call(function: Callable[..., Any], scope: _MakeScope) -> Callable[..., Any]:
    @functools.wraps(function)
    def run(*args: object, **kwargs: object) -> object:
        if configure.tracer() is None:
            return function(*args, **kwargs)
        with scope(args, kwargs):
            return function(*args, **kwargs)

    return run


def _drive_coroutine(function: Callable[..., Any], scope: _MakeScope) -> Callable[..., Any]:
    @functools.wraps(function)
    async def run(*args: object, **kwargs: object) -> object:
        if configure.tracer() is None:
            return await function(*args, **kwargs)
        with scope(args, kwargs):
            return await function(*args, **kwargs)

    return run


def _drive_generator(function: Callable[..., Any], scope: _MakeScope) -> Callable[..., Any]:
    @functools.wraps(function)
    def run(*args: object, **kwargs: object) -> Generator[object, object, object]:
        if configure.tracer() is None:
            return (yield from function(*args, **kwargs))
        context = contextvars.copy_context()
        opened = scope(args, kwargs)
        context.run(opened.open)
        try:
            result = yield from steps_in(context, function(*args, **kwargs))
        except BaseException as error:
            context.run(opened.close, error)
            raise
        context.run(opened.close, None)
        return result

    return run


def _drive_async_generator(function: Callable[..., Any], scope: _MakeScope) -> Callable[..., Any]:
    @functools.wraps(function)
    async def run(*args: object, **kwargs: object) -> AsyncGenerator[object, object]:
        context = contextvars.copy_context()
        opened = scope(args, kwargs)
        context.run(opened.open)
        body = function(*args, **kwargs)
        step = body.__anext__()
        try:
            while True:
                item = await Within(context, step)
                try:
                    value = yield item
                except GeneratorExit:
                    await Within(context, body.aclose())
                    raise
                except BaseException as error:  # noqa: BLE001 - handed on to the body, whatever it is
                    step = body.athrow(error)
                else:
                    step = body.asend(value)
        except StopAsyncIteration:
            context.run(opened.close, None)
        except BaseException as error:
            context.run(opened.close, error)
            raise

    return run
