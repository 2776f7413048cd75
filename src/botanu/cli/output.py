"""What commands print: tables for people, JSON and CSV for programs."""

import csv
import sys
from collections.abc import Iterator, Sequence
from datetime import datetime
from decimal import Decimal
from enum import StrEnum

from rich import box
from rich.cells import cell_len
from rich.console import Console
from rich.table import Table

from botanu.query.measures import BY_NAME, Measure, measures
from botanu.server import plain
from botanu.server.plain import Plain
from botanu.server.web import format as written

GAP = 2
"""Blanks between two columns."""

LEFT_OUT_FIRST = ("runs", "successes", "value", "cost_per_run")
"""The measures that a narrow terminal does without, in this order."""


class Format(StrEnum):
    """How an answer is printed."""

    TABLE = "table"
    JSON = "json"
    CSV = "csv"


def console(*, error: bool = False) -> Console:
    """Return where people read: with colours on a terminal, plain elsewhere; no line is broken or cut."""
    return Console(stderr=error, highlight=False, soft_wrap=True)


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
    """Print texts in columns, those of *right* flush right, and the *total* last.

    A terminal that is wide enough, with the titles on several lines if need be, gets rules and bold type. Elsewhere
    every row is one line, whatever its length. No text is ever cut.
    """
    out = console()
    rows, total = [_shown(row) for row in rows], total and _shown(total)
    lines = [*rows, *([total] if total else [])]
    widths = _widths(titles, lines, out.width) if out.is_terminal else None
    if widths is None or _total(widths) > out.width:
        sys.stdout.writelines(f"{line}\n" for line in _plain_lines([titles, *lines], right))
        return
    table = Table(box=box.SIMPLE_HEAD, show_edge=False, padding=(0, GAP - 1, 0, 0), pad_edge=False, header_style="bold")
    for title, width, flush_right in zip(titles, widths, right, strict=True):
        # The width is given, as the table would rather cut a column than break a title.
        table.add_column(title, justify="right" if flush_right else "left", width=width)
    for row in rows:
        table.add_row(*row)
    if total is not None:
        table.add_section()
        table.add_row(*total, style="bold")
    out.print(table, soft_wrap=False)


def _shown(texts: Sequence[str]) -> Sequence[str]:
    """Return *texts* with their control characters, which would move the cursor or worse, written out."""
    return [text if text.isprintable() else text.translate(_CONTROLS) for text in texts]


_CONTROLS = {code: repr(chr(code))[1:-1] for code in (*range(32), *range(127, 160))}


def _widths(titles: Sequence[str], lines: Sequence[Sequence[str]], available: int) -> list[int]:
    """Return the width of each column: all on one line if that fits, or else with its title word by word."""
    whole = [_widest(column) for column in zip(titles, *lines, strict=True)]
    if _total(whole) <= available:
        return whole
    return [_widest([*title.split(), *column]) for title, *column in zip(titles, *lines, strict=True)]


def _widest(texts: Sequence[str]) -> int:
    return max(map(cell_len, texts))


def _total(widths: Sequence[int]) -> int:
    return sum(widths) + GAP * (len(widths) - 1)


def _plain_lines(lines: Sequence[Sequence[str]], right: Sequence[bool]) -> Iterator[str]:
    widths = [_widest(column) for column in zip(*lines, strict=True)]
    for line in lines:
        cells = zip(line, widths, right, strict=True)
        yield (" " * GAP).join(_padded(text, width, flush_right) for text, width, flush_right in cells).rstrip()


def _padded(text: str, width: int, flush_right: bool) -> str:
    blanks = " " * (width - cell_len(text))
    return blanks + text if flush_right else text + blanks


def print_report(report: Plain) -> None:
    """Print a report: a line per value of the dimension, the total, and how much of it is known."""
    out = console()
    out.print(written.window(*(_instant(report["window"][side]) for side in ("start", "end"))), markup=False)
    if not report["rows"]:
        out.print(_nothing_line(report["latest_start"]), markup=False)
        _print_shared(report)
        return
    lines = [*report["rows"], report["total"]]
    columns = {
        measure: written.column(measure.unit, [line[measure.name] for line in lines], report["currency"])
        for measure in measures(shared="shared" in report)
    }
    names = [*(line[report["by"]] or "(none)" for line in report["rows"]), "all"]
    left_out = _fit(report["by"], names, columns, out.width) if out.is_terminal else []
    texts = list(zip(names, *columns.values(), strict=True))
    titles = [report["by"], *(measure.title for measure in columns)]
    print_table(titles, texts[:-1], right=[False, *(True for _ in columns)], total=texts[-1])
    if left_out:
        out.print(f"Left out to fit {out.width} columns: {', '.join(left_out)}.", markup=False)
    coverage = written.coverage(report["coverage"], report["total"]["value"])
    out.print(" · ".join(f"{figure} {of_what}" for figure, of_what in coverage), markup=False)
    _print_shared(report)
    for line in written.unpriced_lines(report["coverage"]):
        out.print(line, markup=False)
    if report["total"]["value"] is None:
        out.print(written.no_value_hint(report["coverage"]), markup=False)


def _print_shared(report: Plain) -> None:
    if "shared" in report:
        console().print(written.shared(report["shared"], report["currency"]), markup=False)


def _fit(by: str, names: Sequence[str], columns: dict[Measure, list[str]], width: int) -> list[str]:
    """Take from *columns* what does not fit into *width*; return the titles of those."""
    left_out = []
    for measure in (BY_NAME[name] for name in LEFT_OUT_FIRST):
        titles = [by, *(kept.title for kept in columns)]
        if _total(_widths(titles, list(zip(names, *columns.values(), strict=True)), width)) <= width:
            break
        left_out.append(measure.title)
        del columns[measure]
    return left_out


def _nothing_line(latest_start: str | None) -> str:
    if latest_start is None:
        return "Nothing has arrived yet: run a decorated function with BOTANU_ENDPOINT set to the server's address."
    return (
        f"No runs in this window; the latest started {written.minute(datetime.fromisoformat(latest_start))} UTC. "
        "All there are: --window all."
    )


def _instant(text: str | None) -> datetime | None:
    return None if text is None else datetime.fromisoformat(text)


def exact(value: object) -> str:
    """Write a value with all its digits, what is not a scalar as JSON; unknown is empty."""
    if value is None:
        return ""
    if isinstance(value, Decimal):
        return f"{value:f}"
    return plain.dumps(value).decode() if isinstance(value, bool | list | dict) else str(value)


def _safe(text: str) -> str:
    """Keep a text that a spreadsheet would run as a formula from being one."""
    return f"'{text}" if text.startswith(("=", "+", "-", "@", "\t", "\r")) else text
