"""Composes the server: store, pipeline, questions, routes; opened in that order, closed in reverse."""

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles

from botanu.ingest.pipeline import Pipeline
from botanu.pricing.price_list import PriceList
from botanu.server.api import ERRORS, api_routes
from botanu.server.cost_api import cost_routes
from botanu.server.price_api import price_routes
from botanu.server.receiver import Receiver
from botanu.server.service import Service, open_store
from botanu.server.settings import ServerSettings
from botanu.server.web.pages import STATIC, page_routes


def create_app(
    settings: ServerSettings,
    values: Mapping[str, object],
    *,
    shared_costs: Sequence[Mapping[str, object]] | None = None,
) -> Starlette:
    """Build the server with its *settings*, and the value card and shared costs of its settings file.

    Raises:
        StoreError: the store cannot be opened.
        SettingsError: the value card, the shared costs or the price file cannot be read.
        PriceError: a value or price of them cannot be meant.
    """
    store = open_store(settings)
    service = Service(store, settings)
    service.publish_prices(service.prices.catalog)
    service.read_prices(settings.prices)
    service.configure_values(values)
    service.configure_shared_costs(shared_costs)
    pipeline = Pipeline(store, service.prices, queue_bytes_max=settings.queue_bytes_max)

    def price_the_next_batch_by(prices: PriceList) -> None:
        pipeline.prices = prices

    service.pricing.follow(price_the_next_batch_by)
    receiver = Receiver(pipeline, body_bytes_max=settings.body_bytes_max)

    @asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        pipeline.start()
        try:
            yield
        finally:
            await run_in_threadpool(pipeline.close)
            await run_in_threadpool(store.close)

    routes = [
        Route("/v1/traces", receiver.traces, methods=["POST"]),
        *api_routes(service),
        *cost_routes(service),
        *price_routes(service),
        *page_routes(service),
        Mount("/static", StaticFiles(directory=STATIC)),
    ]
    return Starlette(routes=routes, lifespan=lifespan, exception_handlers=ERRORS)
