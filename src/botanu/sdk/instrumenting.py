"""Turns on the OpenTelemetry instrumentations that are installed: the work behind ``enable(instrument=True)``.

OpenTelemetry's own auto-instrumentation does that, too, but lets two instrumentations describe one call, which then
costs twice, and stops at the first that fails.
"""

import os
import re
import sys
from contextlib import suppress
from dataclasses import dataclass
from enum import StrEnum
from importlib.metadata import Distribution, EntryPoint, PackageNotFoundError, distribution, entry_points
from typing import TYPE_CHECKING

from botanu.sdk.clients import CLIENTS, Client
from botanu.sdk.guard import guard

if TYPE_CHECKING:
    from opentelemetry.instrumentation.dependencies import DependencyConflict

GROUP = "opentelemetry_instrumentor"
"""The entry points of instrumentations, OpenInference's and OpenLLMetry's among them."""

DISABLED = "OTEL_PYTHON_DISABLED_INSTRUMENTATIONS"
"""OpenTelemetry's variable: names of entry points that stay off, separated by commas; ``*`` for all."""

_CLIENT_OF = {name: client for client in CLIENTS for name in client.instrumentations}


class State(StrEnum):
    """What became of an instrumentation."""

    TURNED_ON = "turned on"
    ON_ALREADY = "on already"
    SKIPPED = "skipped"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Instrumented:
    """One instrumentation, what became of it, and why if it is not on."""

    name: str
    state: State
    reason: str = ""

    def __str__(self) -> str:
        """Return it as one text, for a log."""
        return f"{self.name} {self.state}{self.reason and f', {self.reason}'}"


@dataclass(frozen=True, slots=True)
class Instrumentation:
    """One that is installed; *left_off* says why it cannot or should not be turned on."""

    entry_point: EntryPoint
    brought_by: Distribution
    is_on: bool
    left_off: str

    @property
    def distribution(self) -> str:
        """What brings it."""
        return canonical(self.brought_by.name)

    @property
    def client(self) -> str:
        """The library whose calls it describes: one we know, or else what its entry point is called."""
        known = _CLIENT_OF.get(self.distribution)
        return known.distribution if known else canonical(self.entry_point.name)

    def __str__(self) -> str:
        """Return the name to disable it by, and what brings it."""
        return f"{self.entry_point.name} ({self.distribution} {self.brought_by.version})"

    def preference(self) -> tuple[bool, int, str]:
        """Sort the preferred first."""
        return not self.is_on, _rank(self.brought_by), str(self)


def instrument() -> tuple[Instrumented, ...]:
    """Turn on every instrumentation that is installed, but one only for each client library.

    An instrumentation that fails is logged, and the others go on. Instrumentations of different distributions that
    describe the same client's calls are not all turned on: see ``installed`` for which comes first.
    """
    found = installed()
    if not found:
        guard.say_once(
            "no OpenTelemetry instrumentation is installed to turn on; for clients of models: "
            "pip install 'botanu[instrument-genai]'"
        )
    on: dict[str, Instrumentation] = {}
    done = []
    for each in found:
        result = _turn_on(each, on.get(each.client))
        if result.state in (State.TURNED_ON, State.ON_ALREADY):
            on[each.client] = each
        done.append(result)
    return tuple(done)


def installed() -> list[Instrumentation]:
    """Return every instrumentation that is installed, those to be preferred first; none is loaded.

    One that is on already comes first. Then OpenTelemetry's own: those for generative AI before others, as they
    report more. Then OpenInference, then OpenLLMetry, then any other.
    """
    found = [
        Instrumentation(each, each.dist, _is_on(each), _left_off(each, each.dist))
        for each in entry_points(group=GROUP)
        if each.dist is not None
    ]
    return sorted(found, key=Instrumentation.preference)


def traces_itself(client: Client) -> bool:
    """Return whether *client*, as it is installed here, records its calls by itself."""
    if client.own_tracing is None or os.environ.get(client.own_tracing, "").lower() == "false":
        return False
    with suppress(PackageNotFoundError):
        requires = distribution(client.distribution).requires or ()
        return any(re.match(r"opentelemetry-api\b(?!.*\bextra\b)", each) for each in requires)
    return False


def _turn_on(each: Instrumentation, other: Instrumentation | None) -> Instrumented:
    """Turn *each* on, unless an *other* one of its client is on."""
    name = str(each)
    if each.is_on:
        return Instrumented(name, State.ON_ALREADY)
    if each.left_off:
        return Instrumented(name, State.SKIPPED, each.left_off)
    if other is not None and other.distribution != each.distribution:
        return Instrumented(name, State.SKIPPED, f"{other} describes the same calls")
    from opentelemetry.instrumentation.dependencies import DependencyConflictError  # noqa: PLC0415 - not ours to bring

    try:
        each.entry_point.load()().instrument(raise_exception_on_conflict=True)
    except DependencyConflictError as error:
        return Instrumented(name, State.SKIPPED, _conflict(error.conflict))
    except Exception as error:  # noqa: BLE001 - whatever goes wrong in it must not reach the program
        reason = f"{type(error).__name__}: {error}"
        guard.say_once(f"the instrumentation {name} cannot be turned on: {reason}")
        return Instrumented(name, State.FAILED, reason)
    return Instrumented(name, State.TURNED_ON)


def _is_on(entry_point: EntryPoint) -> bool:
    """Return whether the program has turned it on; what the program has not imported stays so."""
    with suppress(Exception):
        return entry_point.module in sys.modules and bool(entry_point.load()().is_instrumented_by_opentelemetry)
    return False


def _left_off(entry_point: EntryPoint, brought_by: Distribution) -> str:
    # Imported late: it comes with any instrumentation, and not with this package.
    from opentelemetry.instrumentation.dependencies import get_dist_dependency_conflicts  # noqa: PLC0415

    if {entry_point.name, "*"} & {name.strip() for name in os.environ.get(DISABLED, "").split(",")}:
        return f"{DISABLED} names it"
    client = _CLIENT_OF.get(canonical(brought_by.name))
    if client and traces_itself(client):
        return f"{client.distribution} records its calls itself, unless {client.own_tracing}=false"
    conflict = get_dist_dependency_conflicts(brought_by)
    return _conflict(conflict) if conflict else ""


def _conflict(conflict: "DependencyConflict") -> str:
    wanted = [conflict.required] if conflict.required else conflict.required_any
    there = [conflict.found] if conflict.found else conflict.found_any or []
    takes = " or ".join(str(each).partition(";")[0].strip() for each in wanted)
    return f"it takes {takes}, and there is {', '.join(there) or 'none'}"


def _rank(brought_by: Distribution) -> int:
    name = canonical(brought_by.name)
    if not name.startswith("opentelemetry-instrumentation-"):
        return 2 if name.startswith("openinference-") else 4
    if any(canonical(each).startswith("opentelemetry-semantic-conventions-ai") for each in brought_by.requires or ()):
        return 3  # OpenLLMetry, which calls its distributions like OpenTelemetry's own
    return 0 if "genai" in name.split("-") else 1


def canonical(name: str) -> str:
    """Return the one way to write the *name* of a distribution."""
    return re.sub(r"[-_.]+", "-", name).lower()
