"""The HTTP API: questions and the value card, in JSON."""

from collections.abc import Collection, Mapping
from typing import Any, cast

from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from botanu.errors import BotanuError, QueryError, UnavailableError
from botanu.ingest.otlp import JSON
from botanu.server import plain
from botanu.server.service import Service

_REPORT_PARAMETERS = {
    "window": "window",
    "from": "since",
    "to": "until",
    "by": "by",
    "shared": "shared",
    "as_of": "as_of",
}
_VALUE_PARAMETERS = {
    "value_type": "value_type",
    "amount": "amount",
    "currency": "currency",
    "from": "since",
    "workflow": "workflow",
}

_NUMBERS = {"amount"}
"""What may be given as a number."""

_TRUTHS = {"dry_run"}
"""What is true or false; all else is text."""


def api_routes(service: Service) -> list[Route]:
    """Return the routes of the API, answered by *service*."""

    async def health(_: Request) -> Response:
        return json_response({"status": "ok"})

    async def sql(request: Request) -> Response:
        given = arguments(await document(request), {"query": "query"}, required={"query"})
        return json_response(await run_in_threadpool(lambda: service.sql(given["query"])))

    async def reports(request: Request) -> Response:
        given = arguments(request.query_params, _REPORT_PARAMETERS)
        given["shared"] = _flag("shared", given.get("shared", "false"))
        return json_response(await run_in_threadpool(lambda: service.report(**given)))

    async def values(_: Request) -> Response:
        return json_response(await run_in_threadpool(service.values))

    async def set_value(request: Request) -> Response:
        given = arguments(await document(request), _VALUE_PARAMETERS, required={"value_type", "amount"})
        return json_response(await run_in_threadpool(lambda: service.set_value(**given)))

    return [
        Route("/healthz", health, methods=["GET"]),
        Route("/v1/sql", sql, methods=["POST"]),
        Route("/v1/reports", reports, methods=["GET"]),
        Route("/v1/values", values, methods=["GET"]),
        Route("/v1/values", set_value, methods=["POST"]),
    ]


async def answer_error(_: Request, error: Exception) -> Response:
    """Say what was wrong: 503 when trying again later may help, otherwise 400."""
    status = 503 if isinstance(error, UnavailableError) else 400
    return json_response({"error": str(error)}, status)


async def answer_http_error(_: Request, error: Exception) -> Response:
    """Say that a path or method is not there."""
    refused = cast("HTTPException", error)
    return json_response({"error": refused.detail}, refused.status_code, refused.headers)


ERRORS = {BotanuError: answer_error, HTTPException: answer_http_error}


def json_response(answer: object, status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
    """Return *answer* as JSON."""
    return Response(plain.dumps(answer), status, headers, media_type=JSON)


async def document(request: Request) -> Mapping[str, object]:
    """Return the JSON object in the body; its content type must say so, which a form on another site cannot."""
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() != JSON:
        raise QueryError(f"send a body of type {JSON}")
    try:
        document = plain.loads(await request.body())
    except (ValueError, ArithmeticError, RecursionError) as error:
        raise QueryError(f"the body is not JSON: {error}") from None
    if not isinstance(document, dict):
        raise QueryError(f"the body must be a JSON object, not {type(document).__name__}")
    return document


def _flag(name: str, text: str) -> bool:
    if text not in ("true", "false"):
        raise QueryError(f"{name} must be true or false, not {text!r}")
    return text == "true"


def arguments(
    given: Mapping[str, object], names: Mapping[str, str], *, required: Collection[str] = ()
) -> dict[str, Any]:
    """Return what was *given*, under the names that *names* maps to.

    Raises:
        QueryError: something is not known or of another kind, or something *required* is missing.
    """
    if unknown := sorted(given.keys() - names.keys()):
        raise QueryError(f"unknown {', '.join(unknown)}; known: {', '.join(names)}")
    for name in _TRUTHS & given.keys():
        if not isinstance(given[name], bool | None):
            raise QueryError(f"{name} must be true or false")
    others = _NUMBERS | _TRUTHS
    texts = {name: value for name, value in given.items() if name not in others and value is not None}
    if not_text := sorted(name for name, value in texts.items() if not isinstance(value, str)):
        raise QueryError(f"{', '.join(not_text)} must be text")
    if missing := sorted(name for name in required if given.get(name) is None):
        raise QueryError(f"missing {', '.join(missing)}")
    return {names[name]: value for name, value in given.items() if value is not None}
