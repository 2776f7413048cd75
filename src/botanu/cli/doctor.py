"""``botanu doctor``: which calls of a program are metered, and whether its spans arrive."""

import os
import shlex
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import asdict, dataclass, fields
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter
from opentelemetry.environment_variables import OTEL_TRACES_EXPORTER
from opentelemetry.sdk.environment_variables import (
    OTEL_EXPORTER_OTLP_ENDPOINT,
    OTEL_EXPORTER_OTLP_TRACES_ENDPOINT,
    OTEL_SDK_DISABLED,
    OTEL_TRACES_SAMPLER,
    OTEL_TRACES_SAMPLER_ARG,
)

from botanu.cli.imports import Program, read_program
from botanu.cli.options import URL_VARIABLE
from botanu.cli.output import Format, console, print_csv, print_json, print_table
from botanu.cli.source import Remote
from botanu.errors import BotanuError, SettingsError
from botanu.sdk.clients import CLIENTS, LIMITS, UNREAD, Client, Kind
from botanu.sdk.instrumenting import Instrumentation, installed, traces_itself
from botanu.sdk.settings import TRACES_PATH, SdkSettings
from botanu.settings import resolve, variable, word

_BY_HAND = "record its calls with botanu.track_llm_call"
_PLACES_SHOWN = 3
_DEFAULT_ADDRESS = "http://localhost:4318"


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing looked at: what it is, whether all is well with it, and what to do if not."""

    kind: str
    name: str
    ok: bool
    state: str
    detail: str = ""
    remedy: str = ""
    places: tuple[str, ...] = ()


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
    setting loses spans, or no server answers.

    Parameters
    ----------
    paths
        Files and folders of the program. Without them, all clients that are installed are looked at, and only those
        of models must be metered.
    offline
        Do not look for the server.
    form
        table, json or csv.
    url
        Server to look for; by default the one that spans go to by the environment's variables.
    """
    program = read_program(paths) if paths else None
    findings = [*_clients(program), *_surroundings(url, offline=offline)]
    well = all(each.ok for each in findings)
    if form is Format.JSON:
        print_json({"ok": well, "findings": [asdict(each) for each in findings]})
    elif form is Format.CSV:
        rows = [{**asdict(each), "places": " ".join(each.places)} for each in findings]
        print_csv([each.name for each in fields(Finding)], [[*row.values()] for row in rows])
    else:
        _print(findings)
    if not well:
        raise BotanuError(f"not as it should be: {', '.join(each.name for each in findings if not each.ok)}")


def _print(findings: Sequence[Finding]) -> None:
    rows = [(each.kind, each.name, each.state, each.detail) for each in findings]
    print_table(("kind", "name", "state", "detail"), rows, right=[False] * 4)
    for each in findings:
        if each.remedy:
            more = len(each.places) - _PLACES_SHOWN
            places = ", ".join(each.places[:_PLACES_SHOWN]) + (f" and {more} more" if more > 0 else "")
            console().print(f"{each.name}{places and f' ({places})'}: {each.remedy}", markup=False)


def _clients(program: Program | None) -> Iterator[Finding]:
    """Look at each client that the *program* imports, or without one at each that is installed."""
    available = installed()
    for client in CLIENTS:
        places = program.places(client.module) if program else ()
        try:
            found = version(client.distribution) if places or program is None else None
        except PackageNotFoundError:
            found = ""
        if found:
            yield _client(client, found, [i for i in available if i.distribution in client.instrumentations], places)
        elif places:
            detail = "imported, but not installed in this environment"
            yield Finding(client.kind, client.distribution, ok=True, state="not found", detail=detail, places=places)
    for file, reason in program.unread if program else ():
        yield Finding("program", file, ok=True, state="not read", detail=reason)


def _client(client: Client, found: str, available: Sequence[Instrumentation], places: tuple[str, ...]) -> Finding:
    """Look at *client*, of which version *found* is installed and imported at *places*, if a program is looked at."""
    metered, detail, remedy = _metering(client, available)
    word = "metered" if client.kind is Kind.GENAI else "traced"
    return Finding(
        client.kind,
        f"{client.distribution} {found}",
        # What nobody says is used may be there for some other package: requests is, for our own exporter.
        ok=metered or not (places or client.kind is Kind.GENAI),
        state=word if metered else f"not {word}",
        detail=detail,
        remedy=remedy,
        places=places,
    )


def _metering(client: Client, available: Sequence[Instrumentation]) -> tuple[bool, str, str]:
    """Return whether one of the instrumentations *available* meters *client*, by what or why not, and what to do."""
    if traces_itself(client):
        return True, "by itself", ""
    fitting = [each for each in available if not each.left_off]
    if fitting and not fitting[0].distribution.startswith(UNREAD):
        name, limit = fitting[0].distribution, LIMITS.get(fitting[0].distribution)
        return True, f"by {name} {fitting[0].brought_by.version}{f'; not reported: {limit}' if limit else ''}", ""
    by_hand = _BY_HAND if client.kind is Kind.GENAI else ""
    install = f"pip install {shlex.quote(client.install)}" if client.install else by_hand
    if fitting:
        return False, f"the server does not read the names that {fitting[0].distribution} writes", install
    if available:
        return False, "; ".join(f"{each.distribution}: {each.left_off}" for each in available), by_hand
    return False, "", install


def _surroundings(url: str | None, *, offline: bool) -> Iterator[Finding]:
    """Look at the settings of the environment, and for the server."""
    try:
        settings = resolve(SdkSettings, environ=os.environ)
    except SettingsError as error:
        yield Finding("setting", "BOTANU_*", ok=False, state="not readable", detail=str(error))
        settings = SdkSettings()
    nowhere = settings.endpoint is None and word(OTEL_TRACES_EXPORTER) == "none"
    for is_so, name, detail in (
        (not settings.enabled, variable("enabled"), "no run is recorded"),
        (word(OTEL_SDK_DISABLED) == "true", OTEL_SDK_DISABLED, "no run is recorded"),
        (nowhere, OTEL_TRACES_EXPORTER, f"no span is sent, as {variable('endpoint')} is not set"),
        (_samples_some(), OTEL_TRACES_SAMPLER, "a run that is not sampled is in no report"),
    ):
        if is_so:
            remedy = "take it out of the environment"
            yield Finding("setting", name, ok=False, state=os.environ[name], detail=detail, remedy=remedy)
    state, detail = "not set", "instrumentations are on where the program turns them on: botanu.enable(instrument=True)"
    if settings.instrument:
        state, detail = "true", "every instrumentation above is turned on"
    yield Finding("setting", variable("instrument"), ok=True, state=state, detail=detail)
    address, source = _destination(settings)
    where, state = (source, "set") if source else (variable("endpoint"), "not set")
    yield Finding("setting", where, ok=True, state=state, detail=f"spans go to {address}")
    if not offline:
        yield _server(url or settings.endpoint or os.environ.get(URL_VARIABLE) or address)


def _samples_some() -> bool:
    sampler, share = word(OTEL_TRACES_SAMPLER), word(OTEL_TRACES_SAMPLER_ARG)
    if sampler.endswith("traceidratio"):
        return share not in ("", "1", "1.0")
    return sampler not in ("", "always_on", "parentbased_always_on")


def _destination(settings: SdkSettings) -> tuple[str, str]:
    """Return where spans go as far as the environment says, and what says so."""
    if settings.endpoint:
        return settings.endpoint, variable("endpoint")
    for name in (OTEL_EXPORTER_OTLP_TRACES_ENDPOINT, OTEL_EXPORTER_OTLP_ENDPOINT):
        given = os.environ.get(name, "").removesuffix(TRACES_PATH)
        if given:
            return given, name
    return _DEFAULT_ADDRESS, ""


def _server(address: str) -> Finding:
    try:
        with closing(Remote(address)) as remote:
            if remote.is_there():
                return Finding("server", address, ok=True, state="answers")
    except SettingsError as error:
        return Finding("server", address, ok=False, state="no address", detail=str(error))
    remedy = f"start it with 'botanu serve', or set {variable('endpoint')} to its address"
    return Finding("server", address, ok=False, state="does not answer", remedy=remedy)
