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
from botanu.sdk.guard import guard
from botanu.sdk.hosts import is_allowed
from botanu.sdk.identity import run_in, with_run
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
        run = run_in(context)
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

    def extract(
        self, carrier: CarrierT, context: Context | None = None, getter: Getter[CarrierT] = default_getter
    ) -> Context:
        """Return *context* with what *carrier* holds, and with the caller's run only if that is trusted."""
        extracted = self.inner.extract(carrier, context, getter)
        if self.active:
            with guard:
                extracted = self._coming_in(extracted, [*(getter.get(carrier, HEADER) or ())])
        return extracted

    def take_off(self) -> None:
        """Let everything pass, and put the inner propagator back; where the program has put another one, that stays."""
        self.active = False
        if propagate.get_global_textmap() is self:
            propagate.set_global_textmap(self.inner)

    def put_on(self) -> None:
        """Stand around the inner propagator, first or again; where the program has put another one, that stays."""
        self.active = True
        if propagate.get_global_textmap() is self.inner:
            propagate.set_global_textmap(self)

    @property
    def fields(self) -> set[str]:
        """Names of the headers that are written and read."""
        return {*self.inner.fields, HEADER}

    def _coming_in(self, context: Context, headers: Sequence[object]) -> Context:
        context = _without_ours(context)
        identity = identity_in([header for header in headers if isinstance(header, str)])
        if not identity:
            return context
        if not self._trusted:
            guard.log_once("a request came with a run, and is not believed: see the setting trust_baggage")
            return context
        run = run_in()
        if run is None or run.identity[semconv.RUN_ID] != identity[semconv.RUN_ID]:  # else it came to where it is from
            run = Run(identity, get_current_span(context), elsewhere=True)
        return with_run(context, run)


def put_around(*, hosts: Collection[str], trusted: bool) -> RunPropagator:
    """Put a propagator of ours around the program's, and return it."""
    ours = RunPropagator(propagate.get_global_textmap(), hosts=hosts, trusted=trusted)
    ours.put_on()
    return ours


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
