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
        known, latest = asdict(made.coverage), made.latest_start
        return _page(
            "overview.html",
            table=table(made),
            period=written.window(made.window.start, made.window.end),
            coverage=written.coverage(known, made.total["value"]),
            hint=written.no_value_hint(known) if made.total["value"] is None else None,
            latest=latest,
            wider=latest and _window_of(latest),
            chosen=chosen,
            problem=problem,
            address=f"{request.url.scheme}://{request.url.netloc}",
        )

    return [Route("/", overview, methods=["GET"])]


def table(made: Report) -> Mapping[str, object]:
    """Return a report as texts: a row per value of the dimension, and the total; each text with its measure."""
    rows = [*made.rows, made.total]
    columns = [written.column(measure.unit, [row[measure.name] for row in rows], made.currency) for measure in MEASURES]
    lines = [list(zip(MEASURES, line, strict=True)) for line in zip(*columns, strict=True)]
    return {
        "by": made.by,
        "measures": MEASURES,
        "rows": [(row[made.by], line) for row, line in zip(made.rows, lines, strict=False)],
        "total": lines[-1],
    }


def _window_of(start: datetime) -> str:
    """Return the shortest window that holds a run of that *start*."""
    now = datetime.now(UTC)
    begins = {name: Window.of(name, now=now).start for name in WINDOWS}
    return next(name for name, begin in begins.items() if begin is None or begin <= start)


def _page(template: str, **context: object) -> Response:
    html = _templates.get_template(template).render(written=written, windows=WINDOWS, **context)
    return HTMLResponse(html, headers=_HEADERS)
