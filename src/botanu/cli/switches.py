"""What turns instrumentations on, as far as a program and its surroundings say without being run."""

import re
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, distribution

from botanu.cli.imports import INSTRUMENT, OTHERS, Called, Program
from botanu.sdk.clients import Client
from botanu.sdk.instrumenting import Instrumentation, canonical
from botanu.settings import variable

ENABLE = "botanu.enable"
"""What records and sends runs, as programs call it."""

LOGFIRE = ("logfire", "logfire-sdk")
"""The distributions that bring Logfire: in newer versions, the first is a name for the second."""

_SETTING = "instrument"
_OPENTELEMETRYS = "opentelemetry.instrumentation.auto_instrumentation.initialize"
_TRACELOOP = "traceloop.sdk.Traceloop.init"
_TRACELOOP_CHOICES = ("instruments", "block_instruments", OTHERS)
_LOGFIRES_OWN = ("openai", "anthropic")  # whose calls it records itself


@dataclass(frozen=True, slots=True)
class Switch:
    """Something that turns instrumentations on: what to say of it, and whether it surely does."""

    said: str
    sure: bool = True


class Switches:
    """What turns instrumentations on in one program, or wherever the same environment is, if none is looked at."""

    def __init__(self, program: Program | None, *, by_variable: bool) -> None:
        """Look at *program*; *by_variable* says that the environment turns them on."""
        self._program = program
        self.by_variable = by_variable

    def of_all(self) -> Switch | None:
        """Return what turns on one instrumentation for each client."""
        return _surest(self._calls_of_all())

    def _calls_of_all(self) -> Iterator[Switch]:
        program, by_variable = self._program, self.by_variable
        for call in program.called(ENABLE, _OPENTELEMETRYS) if program else ():
            given = call.given.get(_SETTING, ... if OTHERS in call.given else None)
            if given is ...:
                by_variable = False  # what is given goes before it
                yield Switch(f"turned on if {ENABLE} at {call.place} is told to", sure=False)
            elif given or call.name == _OPENTELEMETRYS:
                yield Switch(f"turned on at {call.place}")
        if by_variable and self.overruled() is None and (program is None or program.places("botanu")):
            yield Switch(f"turned on by {variable(_SETTING)}")

    def overruled(self) -> str | None:
        """Return where the program says not to turn instrumentations on, which goes before the environment."""
        calls = self._program.called(ENABLE) if self._program else ()
        return next((call.place for call in calls if call.given.get(_SETTING) is False), None)

    def of(self, each: Instrumentation, client: Client) -> Switch | None:
        """Return what turns *each* on by itself, which describes the calls of *client*."""
        if each.is_on:
            return Switch("on in this process already")
        return _surest(self._calls_of(each, client, self._program)) if self._program else None

    def _calls_of(self, each: Instrumentation, client: Client, program: Program) -> Iterator[Switch]:
        module = each.entry_point.module
        by_name = [call for call in program.calls if _is_method(call, f"{module}.{each.entry_point.attr}")]
        yield from (Switch(f"turned on at {call.place}") for call in by_name)
        # Of a method of who knows what, it may be the instrumentor that the program imports.
        if any(_is_method(call, "") for call in program.calls):
            yield from (Switch(f"imported at {place} and turned on") for place in program.places(module))
        if program.places("logfire") and each.distribution in _required(*LOGFIRE):
            yield from _of_logfire(client, program)
        for call in program.called(_TRACELOOP):
            if each.distribution in _required("traceloop-sdk"):
                chosen = any(name in call.given for name in _TRACELOOP_CHOICES)
                yield Switch(f"turned on {'if chosen ' if chosen else ''}at {call.place}", sure=not chosen)

    def of_logfires_own(self, client: Client) -> Switch | None:
        """Return what has Logfire record the calls of *client* itself."""
        if self._program is None or client.module not in _LOGFIRES_OWN:
            return None
        return next(_of_logfire(client, self._program), None)


def _surest(switches: Iterable[Switch]) -> Switch | None:
    """Return the first that is sure, or else the first."""
    found = sorted(switches, key=lambda switch: not switch.sure)
    return found[0] if found else None


def _of_logfire(client: Client, program: Program) -> Iterator[Switch]:
    """Yield the calls that have Logfire see to *client*."""
    method = f"{INSTRUMENT}_{client.module.replace('.', '_')}"
    for call in program.calls if program.places("logfire") else ():
        of, _, name = call.name.rpartition(".")
        if name in (method, f"{method}_client") and of.partition(".")[0] in ("", "logfire"):
            yield Switch(f"turned on at {call.place}")


def _is_method(call: Called, instrumentor: str) -> bool:
    """Return whether *call* is of a method of *instrumentor* that turns it on."""
    of, _, method = call.name.rpartition(".")
    return of == instrumentor and method.startswith(INSTRUMENT)


def _required(*products: str) -> set[str]:
    """Return the distributions that *products* ask for, those of their extras, too."""
    required = set()
    for name in products:
        with suppress(PackageNotFoundError):
            for each in distribution(name).requires or ():
                required.add(canonical(re.split(r"[^\w.-]", each, maxsplit=1)[0]))
    return required
