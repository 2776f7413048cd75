"""The run in the headers of a message, for queues and whatever else the program itself sends and receives."""

from __future__ import annotations

from contextvars import ContextVar
from typing import TYPE_CHECKING, Any

from opentelemetry.baggage.propagation import W3CBaggagePropagator
from opentelemetry.propagators.composite import CompositePropagator
from opentelemetry.trace import get_current_span, set_span_in_context
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

from botanu.sdk.contexts import attach, detach, get_current
from botanu.sdk.guard import guard
from botanu.sdk.propagation import EVERYONE, RunPropagator

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, MutableMapping
    from contextvars import Token
    from types import TracebackType

    from opentelemetry.context import Context
    from opentelemetry.propagators.textmap import TextMapPropagator

    Headers = Mapping[str, object] | Mapping[bytes, object] | Iterable[tuple[str | bytes, object]] | None

_W3C = CompositePropagator([TraceContextTextMapPropagator(), W3CBaggagePropagator()])
_GOING_OUT = RunPropagator(_W3C, hosts=EVERYONE, trusted=False)
_COMING_IN = {trusted: RunPropagator(_W3C, hosts=(), trusted=trusted) for trusted in (False, True)}


def inject(carrier: MutableMapping[str, str]) -> None:
    """Write the current span and run into *carrier*, the headers of a message, for ``extract`` on the other side.

    Writes W3C's ``traceparent`` and ``baggage``, whatever propagators the program has set, and whoever reads the
    message: the run's ids go with it, the event's and the customer's, too.
    """
    with guard:
        if hasattr(carrier, "__setitem__"):
            _GOING_OUT.inject(carrier, get_current())
        else:
            guard.say_once(f"inject() writes into a mapping, such as a dict, not {type(carrier).__name__}: not written")


def extract(carrier: Headers, *, trusted: bool = True) -> Extracted:
    """Return a context manager that makes the span and the run current that *carrier* tells of.

    Spans inside belong to the sender's run, and a run opened inside is nested in it. Where *carrier* tells of none, or
    nothing that can be read, all stays as it is.

    Args:
        carrier: headers of a message: a mapping, or pairs; names and values are texts or bytes.
        trusted: believe which run it belongs to. The sender then decides which customer is charged.
    """
    return Extracted(sender_context(carrier, _COMING_IN[trusted]))


class Extracted:
    """The context that a message brought, for ``with`` and ``async with``, as often as wanted; see ``extract``."""

    __slots__ = ("context",)

    context: Context
    """OpenTelemetry's context with the sender's span and run."""

    def __init__(self, context: Context) -> None:
        """Belongs to ``extract``."""
        self.context = context

    def __enter__(self) -> Context:
        """Make the sender's span and run current."""
        _entered.set((attach(self.context), *_entered.get()))
        return self.context

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Restore the context before; the exception goes on its way."""
        entered = _entered.get()
        if entered:  # otherwise this is another context than the one that was changed
            _entered.set(entered[1:])
            detach(entered[0])

    async def __aenter__(self) -> Context:
        """Make the sender's span and run current."""
        return self.__enter__()

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Restore the context before; the exception goes on its way."""
        self.__exit__(kind, error, trace)


_entered: ContextVar[tuple[Token[Context], ...]] = ContextVar("botanu-entered", default=())


def sender_context(carrier: Headers, propagator: TextMapPropagator) -> Context:
    """Return the current context with the span and the run that *carrier* tells *propagator* of.

    A span that is current and belongs to the sender's trace already, such as an instrumentation's own, stays.
    """
    here = get_current()
    with guard:
        there = propagator.extract(_texts(carrier, propagator.fields), here)
        span, sender = get_current_span(here), get_current_span(there)
        if sender is span or sender.get_span_context().trace_id != span.get_span_context().trace_id:
            return there
        return set_span_in_context(span, there)
    return here


def _texts(carrier: Headers, names: Iterable[str]) -> dict[str, list[str]]:
    """Return the headers called *names* in *carrier*, as texts by lower-case name."""
    texts: dict[str, list[str]] = {name.lower(): [] for name in names}
    given: Any = () if carrier is None else carrier
    if isinstance(given, str | bytes) or not hasattr(given, "__iter__"):
        guard.say_once(f"headers are a mapping or pairs, not {type(given).__name__}: no run is read from them")
        return texts
    for name, value in given.items() if hasattr(given, "items") else given:
        found = texts.get(_text(name).lower())
        if found is not None:
            found.append(_text(value))
    return texts


def _text(given: object) -> str:
    return given.decode("latin-1") if isinstance(given, bytes) else str(given)
