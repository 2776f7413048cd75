"""Which calls of a program are metered, and by what."""

import shlex
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version

from botanu.cli.findings import Finding
from botanu.cli.imports import Program
from botanu.cli.switches import ENABLE, LOGFIRE, Switch, Switches
from botanu.sdk.clients import BY_HAND, CLIENTS, LIMITS, Client, Kind
from botanu.sdk.instrumenting import Instrumentation, installed, traces_itself
from botanu.settings import variable

_RECORD = "record its calls with botanu.track_llm_call"
_DROP_INS = "langfuse"  # its modules are named after the clients that they bring along


def clients(program: Program | None, switches: Switches) -> Iterator[Finding]:
    """Look at each client that the *program* imports, or without one at each that is installed."""
    available = installed()
    for client in CLIENTS:
        places = _places(client, program)
        found = _version(client.distribution) if places or program is None else ""
        if found:
            of_client = [each for each in available if each.distribution in client.instrumentations]
            seen = _Look(client, of_client, program, switches).verdict()
            # What nobody says is used may be there for some other package: requests is, for our own exporter.
            ok = seen.ok or not (places or client.kind is Kind.GENAI)
            name = f"{client.distribution} {found}"
            yield Finding(client.kind, name, ok, seen.state, seen.detail, seen.remedy, places)
        elif places:
            detail = "imported, but not installed in this environment"
            yield Finding(client.kind, client.distribution, ok=True, state="not found", detail=detail, places=places)


def _places(client: Client, program: Program | None) -> tuple[str, ...]:
    if program is None:
        return ()
    return program.places(client.module) or program.places(f"{_DROP_INS}.{client.module}")


@dataclass(frozen=True, slots=True)
class _Verdict:
    """Whether all is well with a client's calls, in what state they are, by or for what, and what to do."""

    ok: bool
    state: str
    detail: str
    remedy: str = ""


@dataclass(frozen=True, slots=True)
class _Look:
    """A look at one client: the instrumentations that are *available* for it, and what turns them on."""

    client: Client
    available: Sequence[Instrumentation]
    program: Program | None
    switches: Switches

    def verdict(self) -> _Verdict:
        """Return what is seen."""
        word = "metered" if self.client.kind is Kind.GENAI else "traced"
        if traces_itself(self.client):
            return _Verdict(ok=True, state=word, detail="by itself")
        by, switch = self._on()
        if switch:
            state = word if switch.sure else "not known"
            limit = LIMITS.get(_without_version(by))
            detail = f"by {by}, {switch.said}" + (f"; not reported: {limit}" if limit else "")
            return _Verdict(ok=True, state=state, detail=detail)
        ready = self._ready()
        if self.program is None and ready:
            return _Verdict(ok=True, state=f"can be {word}", detail=f"by {ready}, once it is turned on")
        reason, remedy = self._lack(ready)
        if hand := self._by_hand():
            detail = f"perhaps by hand, with {hand}" + (f"; {reason}" if reason else "")
            else_ = f", or in its place {remedy}" if remedy not in ("", _RECORD) else ""
            return _Verdict(ok=True, state="not known", detail=detail, remedy=f"see that it covers all calls{else_}")
        state = "not turned on" if ready else f"not {word}"
        return _Verdict(ok=False, state=state, detail=reason, remedy=remedy)

    def _on(self) -> tuple[str, Switch | None]:
        """Return what records the client's calls, with its version, and what turns it on; nothing where nothing does.

        What the program turns on by itself comes first: ``enable`` leaves the others of the same client off.
        """
        own, logfire = self.switches.of_logfires_own(self.client), _version(*LOGFIRE)
        if own and logfire:
            return f"logfire {logfire}", own
        fitting = [each for each in self.available if each.is_on or not each.left_off]
        alone = [(_named(each), switch) for each in fitting if (switch := self.switches.of(each, self.client))]
        if alone:
            return min(alone, key=lambda one: not one[1].sure)
        return (_named(fitting[0]), self.switches.of_all()) if fitting else ("", None)

    def _ready(self) -> str:
        """Return what would record the client's calls if it were turned on."""
        fitting = [_named(each) for each in self.available if not each.left_off]
        return fitting[0] if fitting else ""

    def _lack(self, ready: str) -> tuple[str, str]:
        """Return why nothing meters the client, not even what is *ready*, and what to do."""
        client = self.client
        by_hand = _RECORD if client.kind is Kind.GENAI else ""
        install = f"pip install {shlex.quote(client.install)}" if client.install else by_hand
        if client.install and self.program and not self.switches.of_all():
            install += f", and {self._turn_on()}"
        if ready:
            return f"nothing read here turns on {ready}", self._turn_on()
        return "; ".join(f"{each.distribution}: {each.left_off}" for each in self.available), (
            by_hand if self.available else install
        )

    def _turn_on(self) -> str:
        call = f"call {ENABLE}(instrument=True)"
        return call if self.switches.by_variable else f"{call} or set {variable('instrument')}=true"

    def _by_hand(self) -> str:
        """Return what the program uses that may do an instrumentation's work, and where first."""
        program = self.program or Program((), (), ())
        for name in (f"botanu.{each}" for each in BY_HAND[self.client.kind]):
            places = [*(call.place for call in program.called(name)), *program.places(name)]
            if places:
                return f"{name} at {places[0]}"
        return ""


def _named(each: Instrumentation) -> str:
    return f"{each.distribution} {each.brought_by.version}"


def _without_version(named: str) -> str:
    return named.partition(" ")[0]


def _version(*names: str) -> str:
    """Return the version of the first of some distributions that is installed."""
    for name in names:
        with suppress(PackageNotFoundError):
            return version(name)
    return ""
