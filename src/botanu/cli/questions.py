"""``botanu report`` and ``botanu sql``."""

import sys
from typing import Annotated

from cyclopts import Parameter

from botanu.cli.conversion import Rate
from botanu.cli.options import DataDir, Url, source
from botanu.cli.output import Format, console, exact, print_csv, print_json, print_report, print_table
from botanu.errors import QueryError
from botanu.query.measures import measures

_FORMAT = Parameter(name=["--format", "-f"])


def report(  # noqa: PLR0913 - an option is an argument
    *,
    window: str | None = None,
    since: Annotated[str | None, Parameter(name="--from")] = None,
    until: Annotated[str | None, Parameter(name="--to")] = None,
    by: str = "workflow",
    shared: bool = False,
    as_of: str | None = None,
    show_in: str | None = None,
    form: Annotated[Format, _FORMAT] = Format.TABLE,
    url: Url = None,
    data_dir: DataDir = None,
) -> None:
    """Print what outcomes cost: events, success rate, cost, cost per run and per outcome, value, ROI.

    Parameters
    ----------
    window
        How far back: a number of h, d or w, such as 28d (the default), or all.
    since
        Start, instead of a window: a date or instant, UTC if it names no zone.
    until
        End; not itself included.
    by
        What to break down by: workflow, workflow_version, customer_id, environment or tenant_id.
    shared
        Add what the runs bear of fixed and shared costs, and what no run bears.
    as_of
        A date or instant: costs as they were booked then, before later changes by recost.
    show_in
        Another currency for reading, with what one dollar is worth in it and on which day: EUR=0.92@2026-11-20.
    form
        table, json or csv. JSON and CSV are exact, and in the currency that was booked.
    """
    rate = None if show_in is None else Rate.of(show_in)
    if rate is not None and form is not Format.TABLE:
        raise QueryError(f"{form} is in the currency that was booked; --show-in is for reading alone")
    with source(url, data_dir) as asked:
        made = asked.report(window=window, since=since, until=until, by=by, shared=shared, as_of=as_of)
    if form is Format.JSON:
        print_json(made)
    elif form is Format.CSV:
        names = [by, *(measure.name for measure in measures(shared=shared))]
        print_csv(names, [[row[name] for name in names] for row in made["rows"]])
    elif rate is None:
        print_report(made)
    else:
        print_report(rate.shown(made))
        console().print(rate.line(made["currency"]), markup=False)


def sql(
    query: Annotated[str, Parameter(allow_leading_hyphen=True)],  # SQL may begin with a comment
    /,
    *,
    form: Annotated[Format, _FORMAT] = Format.TABLE,
    url: Url = None,
    data_dir: DataDir = None,
) -> None:
    """Print the answer to one SELECT over spans, runs, events, line_items, allocations, prices, ...

    Parameters
    ----------
    query
        The SELECT, or - to read it from standard input.
    form
        table, json or csv. All are exact.
    """
    with source(url, data_dir) as asked:
        answer = asked.sql(sys.stdin.read() if query == "-" else query)
    names = [column["name"] for column in answer["columns"]]
    if form is Format.JSON:
        print_json(answer)
    elif form is Format.CSV:
        print_csv(names, answer["rows"])
    else:
        texts = [[exact(value) for value in row] for row in answer["rows"]]
        print_table(names, texts, right=[_is_number(column["type"]) for column in answer["columns"]])


def _is_number(sql_type: str) -> bool:
    return sql_type.startswith(("DECIMAL", "DOUBLE", "FLOAT")) or sql_type.endswith("INT") or sql_type == "INTEGER"
