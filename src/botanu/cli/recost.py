"""``botanu recost``: booked calls priced anew."""

import getpass
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from typing import Annotated

from cyclopts import Parameter

from botanu.cli.options import DataDir, Url, source
from botanu.cli.output import Format, console, print_csv, print_json, print_table
from botanu.server.plain import Plain
from botanu.server.web import format as written

_COUNTS = ("calls", "changed", "newly_priced")
_AMOUNTS = ("cost_before", "cost_after", "difference")
_NAMES = ("provider", "model", "currency", *_COUNTS, "no_longer_priced", "left_out", *_AMOUNTS)
_TITLES = ("provider", "model", *(name.replace("_", " ") for name in (*_COUNTS, *_AMOUNTS)))


@Parameter(name="*")
@dataclass(frozen=True, slots=True)
class Entry:
    """What the ledger says of a change besides the amounts."""

    reason: Annotated[str | None, Parameter(help="Why, for the ledger.")] = None
    by: Annotated[str | None, Parameter(help="Who, for the ledger; by default the name you are logged in with.")] = None


_NOTHING_SAID = Entry()


def recost(
    *,
    since: Annotated[str, Parameter(name="--from")],
    until: Annotated[str | None, Parameter(name="--to")] = None,
    provider: str | None = None,
    model: str | None = None,
    dry_run: bool = False,
    entry: Entry = _NOTHING_SAID,
    form: Annotated[Format, Parameter(name=["--format", "-f"])] = Format.TABLE,
    url: Url = None,
    data_dir: DataDir = None,
) -> None:
    """Price booked calls anew with the prices of now, each at its own time, and show what that changes.

    The difference is printed first. Then the changed calls are given their new cost, unless it is a dry run; what they
    cost before stays in the table cost_changes.

    Parameters
    ----------
    since
        Start: a date or instant, UTC if it names no zone.
    until
        End; not itself included. By default now.
    provider
        The one provider whose calls are priced anew, as calls name it.
    model
        The one model whose calls are priced anew, as calls name it.
    dry_run
        Show the difference, and change nothing.
    form
        table, json or csv. JSON and CSV are exact.
    """
    with source(url, data_dir) as asked:
        ask = partial(asked.recost, since=since, until=until, provider=provider, model=model)
        write = partial(ask, dry_run=False, by=entry.by or _login_name(), reason=entry.reason)
        if form is Format.JSON and not dry_run:
            print_json(write())
            return
        _print_difference(ask(dry_run=True, by=None, reason=None), form)
        if not dry_run:
            restated = written.count(write()["restated"])
            console(error=form is Format.CSV).print(f"Restated calls: {restated}", markup=False)


def _login_name() -> str | None:
    with suppress(OSError, KeyError, ImportError):  # a user without a name, as in some containers
        return getpass.getuser()
    return None


def _print_difference(shown: Plain, form: Format) -> None:
    if form is Format.JSON:
        print_json(shown)
    elif form is Format.CSV:
        print_csv(_NAMES, [[row[name] for name in _NAMES] for row in shown["rows"]])
    elif not shown["rows"]:
        console().print("No calls were booked in this window.", markup=False)
    for total in shown["totals"] if form is Format.TABLE else ():
        _print_table([row for row in shown["rows"] if row["currency"] == total["currency"]], total)
        for name, meaning in _NOTES.items():
            if total[name]:
                console().print(f"{written.count(total[name])} {meaning}", markup=False)


_NOTES = {
    "no_longer_priced": "of them have no whole price any more.",
    "left_out": "of them are left as they are: they hold what other calls lack.",
}


def _print_table(rows: list[Plain], total: Plain) -> None:
    lines = [*rows, total]
    columns = [
        *([*(row[name] or "(none)" for row in rows), last] for name, last in (("provider", "all"), ("model", ""))),
        *([written.count(line[name]) for line in lines] for name in _COUNTS),
        *(written.money_column([line[name] for line in lines], total["currency"]) for name in _AMOUNTS),
    ]
    texts = list(zip(*columns, strict=True))
    right = [title not in ("provider", "model") for title in _TITLES]
    print_table(_TITLES, texts[:-1], right=right, total=texts[-1])
