"""The HTTP API of shared costs, and of pricing booked calls anew, in JSON."""

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from botanu.server.api import arguments, document, json_response
from botanu.server.service import Service

_RECOST_PARAMETERS = {
    "from": "since",
    "to": "until",
    "provider": "provider",
    "model": "model",
    "dry_run": "dry_run",
    "by": "by",
    "reason": "reason",
}


def cost_routes(service: Service) -> list[Route]:
    """Return the routes of shared costs and of recost, answered by *service*."""

    async def shared_costs(_: Request) -> Response:
        return json_response(await run_in_threadpool(service.shared_costs))

    async def set_shared_cost(request: Request) -> Response:
        given = await document(request)
        return json_response(await run_in_threadpool(lambda: service.set_shared_cost(given)))

    async def withdraw_shared_cost(request: Request) -> Response:
        given = dict(request.query_params)
        return json_response(await run_in_threadpool(lambda: service.withdraw_shared_cost(given)))

    async def recost(request: Request) -> Response:
        given = arguments(await document(request), _RECOST_PARAMETERS, required={"from"})
        return json_response(await run_in_threadpool(lambda: service.recost(**given)))

    return [
        Route("/v1/shared-costs", shared_costs, methods=["GET"]),
        Route("/v1/shared-costs", set_shared_cost, methods=["POST"]),
        Route("/v1/shared-costs", withdraw_shared_cost, methods=["DELETE"]),
        Route("/v1/recost", recost, methods=["POST"]),
    ]
