"""``botanu reconcile``: an invoice against what was booked."""

import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, fields, replace
from datetime import UTC, date, time, timedelta
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Annotated, Any

from cyclopts import Parameter

from botanu.cli.options import DataDir, Url, source
from botanu.cli.output import Format, console, print_csv, print_json, print_table
from botanu.cli.source import Source
from botanu.errors import QueryError
from botanu.query.booked import booked_lines, booked_sql
from botanu.query.invoices import Invoice, biller_id, read_invoice
from botanu.query.notes import number
from botanu.query.reconcile import DEFAULT_SHARE, Finding, Gap, Reconciliation, reconcile
from botanu.query.window import parse_instant
from botanu.server import plain
from botanu.server.web import format as written

GAPS_FOUND = 3
"""The exit code where the two sides differ: 1 is for what could not be done, 2 for what was not understood."""

_PERCENT = Decimal(100)
_NAMES = ("cause", "provider", "model", "days")
_FIGURES = ("billed", "booked", "difference")


def reconcile_invoice(
    file: Path,
    /,
    *,
    since: Annotated[str | None, Parameter(name="--from")] = None,
    until: Annotated[str | None, Parameter(name="--to")] = None,
    provider: str | None = None,
    tolerance: str = f"{DEFAULT_SHARE * _PERCENT:f}",
    form: Annotated[Format, Parameter(name=["--format", "-f"])] = Format.TABLE,
    url: Url = None,
    data_dir: DataDir = None,
) -> None:
    """Compare a provider's invoice or usage export with what was booked, and name the cause of each gap.

    Reads the usage and cost exports of OpenAI and Anthropic, and FOCUS. Ends with 0 if there is no gap, and with 3 if
    there is one.

    Parameters
    ----------
    file
        The CSV file.
    since
        First day (UTC) to compare; by default the first one of the file.
    until
        Day to compare up to; not itself included.
    provider
        The one provider to compare, where the file is of several.
    tolerance
        Percentage by which two numbers may differ and still be the same.
    form
        table, json or csv. JSON and CSV are exact.
    """
    share = _share(tolerance)
    invoice = _chosen(read_invoice(file), since, until, provider)
    with source(url, data_dir) as asked:
        booked = _booked(asked, invoice)
    made = reconcile(invoice.lines, booked, share=share)
    if form is Format.JSON:
        print_json(plain.document(_document(invoice, made)))
    elif form is Format.CSV:
        print_csv([*(each.name for each in fields(Gap)), "difference"], [_values(gap) for gap in made.gaps])
    else:
        _print(invoice, made, share)
    if made.findings:
        sys.stdout.flush()
        sys.exit(GAPS_FOUND)


def _share(tolerance: str) -> Decimal:
    try:
        share = Decimal(tolerance.removesuffix("%")) / _PERCENT
        if 0 <= share < 1:
            return share
    except InvalidOperation:
        pass
    raise QueryError(f"the tolerance must be a percentage below 100 such as 0.01, not {tolerance!r}")


def _chosen(invoice: Invoice, since: str | None, until: str | None, provider: str | None) -> Invoice:
    """Return the part of *invoice* that is asked for.

    Raises:
        QueryError: a bound is no day, or nothing is left.
    """
    first = invoice.first if since is None else _day(since)
    last = invoice.last if until is None else _day(until) - timedelta(days=1)
    wanted = None if provider is None else biller_id(provider)
    lines = [line for line in invoice.lines if first <= line.day <= last and wanted in (None, line.provider)]
    if first > last or (invoice.lines and not lines):
        there = ", ".join(sorted({line.provider for line in invoice.lines}))
        raise QueryError(f"the file has nothing of that: it is from {invoice.first} to {invoice.last}, of {there}")
    return replace(invoice, lines=tuple(lines), first=first, last=last)


def _day(text: str) -> date:
    moment = parse_instant(text)
    if moment.timetz() != time(tzinfo=UTC):
        raise QueryError(f"invoices are compared by whole days (UTC), and {text} is within one")
    return moment.date()


def _booked(asked: Source, invoice: Invoice) -> list[Any]:
    answers = (asked.sql(query) for query in booked_sql(invoice.first, invoice.last))
    return booked_lines(*(_rows(answer) for answer in answers))


def _rows(answer: Mapping[str, Any]) -> list[dict[str, Any]]:
    names = [column["name"] for column in answer["columns"]]
    return [dict(zip(names, row, strict=True)) for row in answer["rows"]]


def _values(gap: Gap) -> list[object]:
    return [*asdict(gap).values(), gap.difference]


def _document(invoice: Invoice, made: Reconciliation) -> dict[str, Any]:
    return {
        "format": invoice.format,
        "first_day": invoice.first,
        "last_day": invoice.last,
        "rows_left_out": invoice.left_out,
        "cells": made.cells,
        "invoiced": made.invoiced,
        "booked": made.booked,
        "difference": made.difference,
        "rounding": made.rounding,
        "meters": [asdict(each) for each in made.meters],
        "findings": [_finding(each) for each in made.findings],
    }


def _finding(each: Finding) -> dict[str, Any]:
    return {
        "cause": each.cause,
        "provider": each.provider,
        "model": each.model,
        "days": each.days,
        "meters": each.meters,
        "difference": each.difference,
        "explanation": each.explanation,
        "gaps": [{**asdict(gap), "difference": gap.difference} for gap in each.gaps],
    }


def _print(invoice: Invoice, made: Reconciliation, share: Decimal) -> None:
    out = console()
    out.print(f"{invoice.format}, {_days([invoice.first, invoice.last])}: {written.count(made.cells)} figures compared")
    if made.findings:
        _print_table(made)
    for each in made.findings:
        out.print(f"{each.cause} of {each.model or 'all models'}: {each.explanation}", markup=False)
    out.print(_sums(made), markup=False)
    if not made.findings:
        out.print(f"No gap beyond {number(share * _PERCENT)}% and what rounding can do.", markup=False)
    if invoice.left_out:
        out.print(f"Rows about other services, left out: {written.count(invoice.left_out)}", markup=False)


def _print_table(made: Reconciliation) -> None:
    """Print the findings: with their money, or where the invoice has none, with the quantities of each meter."""
    if made.invoiced is None:
        rows = [(*_names(each), meter, *_quantities(each, meter)) for each in made.findings for meter in each.meters]
        print_table((*_NAMES, "meter", *_FIGURES), rows, right=[False] * 5 + [True] * 3)
        return
    money = written.money_column([amount for each in made.findings for amount in _amounts(each)])
    rows = [(*_names(each), *money[place * 3 : place * 3 + 3]) for place, each in enumerate(made.findings)]
    print_table((*_NAMES, *_FIGURES), rows, right=[False] * 4 + [True] * 3)


def _names(each: Finding) -> tuple[str, ...]:
    return str(each.cause), each.provider, each.model or "", _days(each.days)


def _days(days: Sequence[date]) -> str:
    return str(days[0]) if days[0] == days[-1] else f"{days[0]} to {days[-1]}"


def _amounts(each: Finding) -> tuple[Decimal, Decimal, Decimal]:
    invoiced = _total(each.gaps, lambda gap: gap.invoiced_amount)
    booked = _total(each.gaps, lambda gap: gap.booked_amount)
    return invoiced, booked, each.difference or Decimal()


def _quantities(each: Finding, meter: str) -> tuple[str, ...]:
    gaps = [gap for gap in each.gaps if gap.meter == meter]
    theirs = _total(gaps, lambda gap: gap.invoiced_quantity)
    ours = _total(gaps, lambda gap: gap.booked_quantity)
    return number(theirs), number(ours), number(theirs - ours)


def _total(gaps: Sequence[Gap], figure: Callable[[Gap], Decimal | None]) -> Decimal:
    return sum((figure(gap) or Decimal() for gap in gaps), start=Decimal())


def _sums(made: Reconciliation) -> str:
    """Write the totals of both sides, and of what the difference is made up."""
    if made.invoiced is None:
        meters = [f"{number(each.invoiced)} {each.meter}, booked {number(each.booked)}" for each in made.meters]
        return f"The file has no amounts. Billed {'; '.join(meters)}."
    invoiced, booked, difference = (written.money(amount) for amount in (made.invoiced, made.booked, made.difference))
    rounding = f", of which {written.money(made.rounding)} by rounding" if made.rounding else ""
    return f"Billed {invoiced}, booked {booked}: a difference of {difference}{rounding}."
