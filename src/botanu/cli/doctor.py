"""``botanu doctor``: which calls of a program are metered, and whether its spans arrive."""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from botanu.cli.findings import Finding, print_findings
from botanu.cli.imports import Program, read_program
from botanu.cli.metered import clients
from botanu.cli.output import Format
from botanu.cli.surroundings import Surroundings
from botanu.cli.switches import Switches
from botanu.errors import BotanuError, SettingsError
from botanu.sdk.settings import SdkSettings
from botanu.settings import resolve


def doctor(
    paths: Annotated[tuple[Path, ...], Parameter(show_default=False)] = (),
    /,
    *,
    offline: bool = False,
    form: Annotated[Format, Parameter(name=["--format", "-f"])] = Format.TABLE,
    url: str | None = None,
) -> None:
    """Say which calls of a program are metered, and whether its spans arrive.

    To be run in the program's own environment; the program is read, not run. Ends with 1 if calls are not metered, a
    file cannot be read, a setting loses runs, or no server answers.

    Parameters
    ----------
    paths
        Files and folders of the program, all that belong to it. Without them, all clients that are installed are looked
        at, and only those of models must have something to meter them.
    offline
        Do not look for the server.
    form
        table, json or csv.
    url
        Server to look for; by default the one that spans go to, as far as the program and the environment say.
    """
    findings = [*_looked_at(read_program(paths) if paths else None, url, offline=offline)]
    print_findings(findings, form)
    if not all(each.ok for each in findings):
        raise BotanuError(f"not as it should be: {', '.join(each.name for each in findings if not each.ok)}")


def _looked_at(program: Program | None, url: str | None, *, offline: bool) -> Iterator[Finding]:
    settings, fault = SdkSettings(), ""
    try:
        settings = resolve(SdkSettings, environ=os.environ)
    except SettingsError as error:
        fault = str(error)
    switches = Switches(program, by_variable=settings.instrument)
    yield from clients(program, switches)
    for file, reason in program.unread if program else ():
        remedy = "mend it, or leave it out if it is no part of the program: what it calls is not known"
        yield Finding("program", file, ok=False, state="not read", detail=reason, remedy=remedy)
    if fault:
        yield Finding("setting", "BOTANU_*", ok=False, state="not readable", detail=fault)
    surroundings = Surroundings(settings, program, switches)
    yield from surroundings.losses()
    yield surroundings.instrument()
    yield surroundings.destination()
    if not offline:
        yield surroundings.server(url)
