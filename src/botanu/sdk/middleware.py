"""The caller's run around each request, for web applications that nothing instruments, or something does."""

from __future__ import annotations

import contextvars
from typing import TYPE_CHECKING, Any, TypeVar

from opentelemetry.propagate import get_global_textmap

from botanu.sdk import configure
from botanu.sdk.contexts import attach, detach
from botanu.sdk.messages import sender_context

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterable, Iterator, MutableMapping

    _Message = MutableMapping[str, Any]
    _AsgiApp = Callable[
        [_Message, Callable[[], Awaitable[_Message]], Callable[[_Message], Awaitable[None]]], Awaitable[None]
    ]
    _WsgiApp = Callable[[dict[str, Any], Callable[..., Any]], Iterable[bytes]]

_App = TypeVar("_App")


class AsgiMiddleware:
    """Around an ASGI application: each request is handled inside the caller's trace.

    With the setting ``trust_baggage`` it is handled inside the caller's run as well. A server span that is current
    already, from an instrumentation, stays. Websockets and lifespan pass as they are.
    """

    __slots__ = ("_app",)

    def __init__(self, app: _AsgiApp) -> None:
        """Stand around *app*.

        Raises:
            TypeError: *app* cannot be called.
        """
        self._app = _callable(app)

    async def __call__(
        self,
        scope: _Message,
        receive: Callable[[], Awaitable[_Message]],
        send: Callable[[_Message], Awaitable[None]],
    ) -> None:
        """Handle one connection."""
        if scope["type"] != "http" or configure.tracer() is None:
            await self._app(scope, receive, send)
            return
        token = attach(sender_context(scope.get("headers", ()), get_global_textmap()))
        try:
            await self._app(scope, receive, send)
        finally:
            detach(token)


class WsgiMiddleware:
    """Around a WSGI application: each request is handled inside the caller's trace, until its response is closed.

    With the setting ``trust_baggage`` it is handled inside the caller's run as well. A server span that is current
    already, from an instrumentation, stays.
    """

    __slots__ = ("_app",)

    def __init__(self, app: _WsgiApp) -> None:
        """Stand around *app*.

        Raises:
            TypeError: *app* cannot be called.
        """
        self._app = _callable(app)

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        """Handle one request."""
        if configure.tracer() is None:
            return self._app(environ, start_response)
        headers = ((name[5:].replace("_", "-"), value) for name, value in environ.items() if name.startswith("HTTP_"))
        inside = contextvars.copy_context()
        inside.run(attach, sender_context(headers, get_global_textmap()))
        body = inside.run(self._app, environ, start_response)
        if isinstance(body, list | tuple) or type(body) is environ.get("wsgi.file_wrapper"):
            return body  # no code of the application's runs any more, and servers look at what it is
        return _Body(body, inside)


def _callable(app: _App) -> _App:
    if callable(app):
        return app
    raise TypeError(f"there is no application to stand around: {app!r} cannot be called")


class _Body:
    """A response whose parts are made inside a context."""

    __slots__ = ("_body", "_inside", "_parts")

    def __init__(self, body: Iterable[bytes], inside: contextvars.Context) -> None:
        self._body = body
        self._inside = inside
        self._parts: Iterator[bytes] = inside.run(iter, body)

    def __iter__(self) -> Iterator[bytes]:
        return self

    def __next__(self) -> bytes:
        return self._inside.run(next, self._parts)

    def close(self) -> None:
        close = getattr(self._body, "close", None)
        if close is not None:
            self._inside.run(close)
