"""The HTTP API of prices, in JSON."""

from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from botanu.errors import QueryError
from botanu.server.api import arguments, document, json_response
from botanu.server.plain import Plain
from botanu.server.service import Service

_LISTED = {"provider": "provider", "model": "model", "at": "at", "own": "own"}
_MISSING = {"window": "window", "from": "since", "to": "until"}
_SPAN = {"span_id": "span_id", "trace_id": "trace_id"}
_USAGE = {name: name for name in ("provider", "model", "usage", "at", "service_tier", "tenant_id")}
_IMPORT = {name: name for name in ("origin", "entries", "dry_run")}


def price_routes(service: Service) -> list[Route]:
    """Return the routes of prices, answered by *service*."""

    async def listed(request: Request) -> Response:
        given = arguments(request.query_params, _LISTED)
        own = str(given.pop("own", "false")).lower() == "true"
        return await _answer(lambda: service.pricing.listed(**given, own=own))

    async def withdraw(request: Request) -> Response:
        given = arguments(await document(request), {"id": "name"}, required={"id"})
        return await _answer(lambda: service.pricing.withdraw(**given))

    async def import_file(request: Request) -> Response:
        given = _known(await document(request), _IMPORT, required=("origin", "entries"))
        return await _answer(lambda: service.pricing.import_plain(**given))

    return [
        Route("/v1/prices", listed, methods=["GET"]),
        Route("/v1/prices", _recording(lambda: service.pricing.set_price), methods=["POST"]),
        Route("/v1/prices/discounts", _recording(lambda: service.pricing.set_discount), methods=["POST"]),
        Route("/v1/prices/aliases", _recording(lambda: service.pricing.set_alias), methods=["POST"]),
        Route("/v1/prices/withdraw", withdraw, methods=["POST"]),
        Route("/v1/prices/import", import_file, methods=["POST"]),
        *_asking(service),
    ]


def _recording(record: Callable[[], Callable[..., Plain]]) -> Callable[[Request], Awaitable[Response]]:
    """Return what answers a request to record what its body says."""

    async def recorded(request: Request) -> Response:
        given = await document(request)
        return await _answer(lambda: record()(**given))

    return recorded


def _asking(service: Service) -> list[Route]:
    async def missing(request: Request) -> Response:
        given = arguments(request.query_params, _MISSING)
        return await _answer(lambda: service.pricing.missing(**given))

    async def explain_span(request: Request) -> Response:
        given = arguments(request.query_params, _SPAN, required={"span_id"})
        return await _answer(lambda: service.pricing.explain_span(**given))

    async def explain_usage(request: Request) -> Response:
        given = _known(await document(request), _USAGE, required=("provider", "model", "usage"))
        return await _answer(lambda: service.pricing.explain_usage(**given))

    return [
        Route("/v1/prices/missing", missing, methods=["GET"]),
        Route("/v1/prices/explain", explain_span, methods=["GET"]),
        Route("/v1/prices/explain", explain_usage, methods=["POST"]),
    ]


async def _answer(ask: Callable[[], Plain]) -> Response:
    return json_response(await run_in_threadpool(ask))


_KINDS: Mapping[str, tuple[type, str]] = {
    "usage": (dict, "an object of quantities by meter"),
    "entries": (list, "a list"),
    "dry_run": (bool, "true or false"),
}


def _known(given: Mapping[str, Any], names: Mapping[str, str], required: tuple[str, ...]) -> dict[str, Any]:
    """Return what was *given*, of the kinds it is to be."""
    odd = {name: value for name, value in given.items() if name in _KINDS}
    for name, value in odd.items():
        kind, wanted = _KINDS[name]
        if not isinstance(value, kind):
            raise QueryError(f"{name} must be {wanted}, not {value!r}")
    texts = {name: value for name, value in given.items() if name not in odd}
    if missing := sorted(name for name in required if given.get(name) is None):
        raise QueryError(f"missing {', '.join(missing)}")
    return {**arguments(texts, names), **odd}
