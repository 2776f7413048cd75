"""What commands print: tables for people, JSON and CSV for programs."""

import csv
import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from decimal import Decimal
from enum import StrEnum

from rich import box
from rich.console import Console
from rich.table import Table

from botanu.query.measures import MEASURES
from botanu.server import plain
from botanu.server.plain import Plain
from botanu.server.web import format as written

_PIPED_WIDTH = 1000


class Format(StrEnum):
    """How an answer is printed."""

    TABLE = "table"
    JSON = "json"
    CSV = "csv"


def console(*, error: bool = False) -> Console:
    """Return where people read: with colours and fitted lines on a terminal, plain and uncut elsewhere."""
    stream = sys.stderr if error else sys.stdout
    return Console(stderr=error, width=None if stream.isatty() else _PIPED_WIDTH, highlight=False, soft_wrap=True)


def print_json(document: Plain) -> None:
    """Print *document* as one line of JSON."""
    sys.stdout.write(plain.dumps(document).decode() + "\n")


def print_csv(names: Sequence[str], rows: Sequence[Sequence[object]]) -> None:
    """Print rows as CSV, exact; unknown is empty."""
    writer = csv.writer(sys.stdout, lineterminator="\n")
    writer.writerow(names)
    writer.writerows([[_safe(value) if isinstance(value, str) else exact(value) for value in row] for row in rows])


def print_table(
    titles: Sequence[str], rows: Sequence[Sequence[str]], *, right: Sequence[bool], total: Sequence[str] | None = None
) -> None:
    """Print texts in columns, those of *right* flush right, and the *total* below a rule."""
    out = console()
    table = Table(box=box.SIMPLE_HEAD if out.is_terminal else None, pad_edge=False, header_style="bold")
    for title, flush_right in zip(titles, right, strict=True):
        table.add_column(title, justify="right" if flush_right else "left", no_wrap=True)
    for row in rows:
        table.add_row(*row)
    if total is not None:
        table.add_section()
        table.add_row(*total, style="bold")
    out.print(table)


def print_report(report: Plain) -> None:
    """Print a report: a line per value of the dimension, the total, and how much of it is known."""
    console().print(window_line(report["window"]))
    if not report["rows"]:
        console().print(_nothing_line(report["window"]))
        return
    lines = [*report["rows"], report["total"]]
    columns = [
        written.column(measure.unit, [line[measure.name] for line in lines], report["currency"]) for measure in MEASURES
    ]
    texts = [list(line) for line in zip(*columns, strict=True)]
    names = [line[report["by"]] or "(none)" for line in report["rows"]]
    print_table(
        [report["by"], *(measure.title for measure in MEASURES)],
        [[name, *line] for name, line in zip(names, texts, strict=False)],
        right=[False, *(True for _ in MEASURES)],
        total=["all", *texts[-1]],
    )
    console().print(coverage_line(report["coverage"]))
    if report["total"]["value"] is None:
        console().print("No value per unit is set: 'botanu values set TYPE AMOUNT' gives value and ROI.")


def window_line(window: Plain) -> str:
    """Return which runs a report is about."""
    start, end = (None if window[side] is None else _minute(window[side]) for side in ("start", "end"))
    if start is None and end is None:
        return "All runs"
    bounds = (f"from {start}" if start else "", f"until {end}" if end else "")
    return f"Runs that started {' '.join(bound for bound in bounds if bound)} UTC"


def _nothing_line(window: Plain) -> str:
    if window["start"] is None and window["end"] is None:
        return "Nothing has arrived yet: run a decorated function with BOTANU_ENDPOINT set to the server's address."
    return "There are none. A wider window: --window 91d, or --window all."


def _minute(instant: str) -> str:
    return f"{datetime.fromisoformat(instant).astimezone(UTC):%Y-%m-%d %H:%M}"


def coverage_line(coverage: Plain) -> str:
    """Return how much of an answer is known, in one line."""
    unpriced = coverage["unpriced_calls"]
    missing = f" ({written.count(unpriced)} without a price, not in the cost)" if unpriced else ""
    return (
        f"{written.share(coverage['priced'])} of calls priced{missing} · "
        f"{written.share(coverage['attributed'])} of cost attributed to a run · "
        f"{written.share(coverage['recorded'])} of ended runs recorded an outcome"
    )


def exact(value: object) -> str:
    """Write a value with all its digits; unknown is empty."""
    if value is None:
        return ""
    return f"{value:f}" if isinstance(value, Decimal) else str(value)


def _safe(text: str) -> str:
    """Keep a text that a spreadsheet would run as a formula from being one."""
    return f"'{text}" if text.startswith(("=", "+", "-", "@", "\t", "\r")) else text
