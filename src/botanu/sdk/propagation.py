"""The run in what goes between programs: to the hosts it may go to, from callers that are trusted.

Baggage goes out with every instrumented request, to whomever it is made, and comes in with every request, from whomever
it is made. So a wrapper stands around the program's propagator, and lets no ``botanu.*`` member of baggage pass but
those that the settings allow.
"""

from __future__ import annotations

from collections.abc import MutableMapping
from typing import TYPE_CHECKING

from opentelemetry import baggage, propagate
from opentelemetry.context import get_current
from opentelemetry.propagators.textmap import TextMapPropagator, default_getter, default_setter
from opentelemetry.trace import get_current_span

from botanu import semconv
from botanu.sdk import contexts
from botanu.sdk.guard import guard
from botanu.sdk.hosts import is_allowed
from botanu.sdk.identity import run_in, with_place_of, with_run
from botanu.sdk.kept import kept
from botanu.sdk.members import HEADER, fitting, identity_in, is_ours, members_of
from botanu.sdk.scope import Run

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from opentelemetry.context import Context
    from opentelemetry.propagators.textmap import CarrierT, Getter, Setter

EVERYONE = None
"""In place of hosts: whoever it may be."""


class RunPropagator(TextMapPropagator):
    """A propagator around another: tells *hosts* about the run, and believes what callers tell when they are *trusted*.

    A host is read from the span of the request, which instrumentations start before they inject.
    """

    def __init__(self, inner: TextMapPropagator, *, hosts: Collection[str] | None, trusted: bool) -> None:
        """Stand around *inner*; *hosts* are patterns, or ``EVERYONE``."""
        self.inner = inner
        self.active = True
        self._hosts = hosts
        self._trusted = trusted

    def inject(
        self, carrier: CarrierT, context: Context | None = None, setter: Setter[CarrierT] = default_setter
    ) -> None:
        """Write what *context* holds into *carrier*, with the run only where it may go."""
        place = contexts.get_current() if context is None else context
        run = run_in(place)
        context = get_current() if context is None else context  # the program's, also where runs have one apart
        meant: Sequence[str] = ()
        if self.active:
            with guard:
                allowed = self._hosts is EVERYONE or is_allowed(get_current_span(context), self._hosts)
                there = _take_ours_out_of(carrier)
                meant = there if allowed is None else ()
                context = _without_ours(context)
                if run is not None and allowed:
                    context = _with_baggage(context, fitting({**members_of(run.identity), **baggage.get_all(context)}))
        self.inner.inject(carrier, context, setter)
        if meant and isinstance(carrier, MutableMapping):
            carrier[HEADER] = ",".join([*meant, *filter(None, [carrier.get(HEADER)])])
        if self.active and run is not None:
            with guard:
                kept.keep(carrier, place)

    def extract(
        self, carrier: CarrierT, context: Context | None = None, getter: Getter[CarrierT] = default_getter
    ) -> Context:
        """Return *context* with what *carrier* holds, and with the caller's run only if that is trusted, or is ours."""
        extracted = self.inner.extract(carrier, context, getter)
        if self.active:
            with guard:
                headers = [*(getter.get(carrier, HEADER) or ())]
                extracted = self._coming_in(extracted, headers, kept.of(carrier))
        return extracted

    def take_off(self) -> None:
        """Let everything pass, and put the inner propagator back; where the program has put another one, that stays."""
        self.active = False
        _replace(self, self.inner)

    def put_on(self) -> None:
        """Stand around the inner propagator, first or again; where the program has put another one, that stays."""
        self.active = True
        _replace(self.inner, self)

    @property
    def fields(self) -> set[str]:
        """Names of the headers that are written and read."""
        return {*self.inner.fields, HEADER}

    def _coming_in(self, context: Context, headers: Sequence[object], place: Context | None) -> Context:
        context = _without_ours(context)
        identity = identity_in([header for header in headers if isinstance(header, str)])
        if identity and self._trusted:
            run = run_in()
            if run is None or run.identity[semconv.RUN_ID] != identity[semconv.RUN_ID]:  # else it came back
                run = Run(identity, get_current_span(context), elsewhere=True)
            return with_run(context, run)
        if place is not None:
            return with_place_of(place, context)
        if identity:
            guard.log_once("a request came with a run, and is not believed: see the setting trust_baggage")
        return context


def put_around(*, hosts: Collection[str], trusted: bool) -> RunPropagator:
    """Put a propagator of ours around the program's, and return it.

    It stands inside of what wraps that and says so, as Logfire's do: Logfire takes them off again, and must find them.
    """
    inner = propagate.get_global_textmap()
    while (within := _wrapped_by(inner)) is not None:
        inner = within
    ours = RunPropagator(inner, hosts=hosts, trusted=trusted)
    ours.put_on()
    return ours


def _replace(old: TextMapPropagator, new: TextMapPropagator) -> None:
    """Put *new* where *old* is, as the program's propagator or in what wraps it; nowhere, where it is not."""
    outer, here = None, propagate.get_global_textmap()
    while here is not old:
        within = _wrapped_by(here)
        if within is None:
            return
        outer, here = here, within
    if outer is None:
        propagate.set_global_textmap(new)
    else:
        vars(outer)["wrapped"] = new


def _wrapped_by(propagator: TextMapPropagator) -> TextMapPropagator | None:
    within = getattr(propagator, "__dict__", {}).get("wrapped")
    return within if isinstance(within, TextMapPropagator) else None


def _without_ours(context: Context) -> Context:
    members = baggage.get_all(context)
    theirs = {name: value for name, value in members.items() if not is_ours(name)}
    return context if len(theirs) == len(members) else _with_baggage(context, theirs)


def _with_baggage(context: Context, members: Mapping[str, object]) -> Context:
    context = baggage.clear(context)
    for name, value in members.items():
        context = baggage.set_baggage(name, value, context)
    return context


def _take_ours_out_of(carrier: object) -> Sequence[str]:
    """Take our members out of *carrier*, and return them.

    They may be from a request before: a client that follows a redirect sends its headers again. Or they are meant to go
    out: ``inject`` has written them. Where no host is listed, or none is known, only the latter can be.
    """
    if not isinstance(carrier, MutableMapping) or not isinstance(header := carrier.get(HEADER), str):
        return ()
    members = header.split(",")
    theirs = [member for member in members if not is_ours(member)]
    if not theirs:
        del carrier[HEADER]
    elif len(theirs) < len(members):
        carrier[HEADER] = ",".join(theirs)
    return [member for member in members if is_ours(member)]
