"""One function per page: ask for a report, fill a template."""

from collections.abc import Mapping
from dataclasses import asdict
from datetime import UTC, datetime
from importlib.resources import files
from pathlib import Path

from jinja2 import Environment, PackageLoader, StrictUndefined
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import Route

from botanu.errors import QueryError
from botanu.query.measures import MEASURES
from botanu.query.report import Report
from botanu.query.window import DEFAULT, Window
from botanu.server.service import Service
from botanu.server.web import format as written

STATIC = Path(str(files("botanu.server.web") / "static"))

WINDOWS = {"24h": "24 hours", "7d": "7 days", "28d": "28 days", "91d": "91 days", "all": "all time"}

POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
"""Content policy of every page: nothing from elsewhere, nothing inline."""

_HEADERS = {
    "Content-Security-Policy": POLICY,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-store",
}

_templates = Environment(
    loader=PackageLoader("botanu.server.web"),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)


def page_routes(service: Service) -> list[Route]:
    """Return the routes of the pages, with numbers from *service*."""

    async def overview(request: Request) -> Response:
        chosen = request.query_params.get("window", DEFAULT)
        problem = None
        try:
            made = await run_in_threadpool(lambda: service.make_report(window=chosen))
        except QueryError as error:
            problem, chosen = str(error), DEFAULT
            made = await run_in_threadpool(service.make_report)
        return _page(
            "overview.html",
            table=table(made),
            period=written.window(made.window.start, made.window.end),
            coverage=written.coverage(asdict(made.coverage), made.total["value"]),
            hint=written.no_value_hint(asdict(made.coverage)) if made.total["value"] is None else None,
            latest=made.latest_start,
            wider=_window_of(made.latest_start),
            chosen=chosen,
            problem=problem,
            address=f"{request.url.scheme}://{request.url.netloc}",
        )

    return [Route("/", overview, methods=["GET"])]


def table(made: Report) -> Mapping[str, object]:
    """Return a report as texts: the titles of the measures, a row per value of the dimension, the total."""
    rows = [*made.rows, made.total]
    columns = [written.column(measure.unit, [row[measure.name] for row in rows], made.currency) for measure in MEASURES]
    lines = [list(line) for line in zip(*columns, strict=True)]
    return {
        "by": made.by,
        "measures": MEASURES,
        "rows": [(row[made.by], line) for row, line in zip(made.rows, lines, strict=False)],
        "total": lines[-1],
    }


def _window_of(start: datetime | None) -> str:
    """Return the shortest window that holds a run of that *start*."""
    now = datetime.now(UTC)
    return next((name for name in WINDOWS if start and (Window.of(name, now=now).start or start) <= start), "all")


def _page(template: str, **context: object) -> Response:
    html = _templates.get_template(template).render(written=written, windows=WINDOWS, **context)
    return HTMLResponse(html, headers=_HEADERS)
