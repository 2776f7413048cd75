"""Tracked calls: the spans of what nothing instruments."""

from __future__ import annotations

from decimal import Decimal  # noqa: TC003 - the documentation looks for it here
from typing import TYPE_CHECKING, Any, Self, SupportsFloat

from opentelemetry.trace import INVALID_SPAN, SpanKind

from botanu import semconv
from botanu.sdk import configure
from botanu.sdk.block import Block
from botanu.sdk.guard import guard
from botanu.sdk.identifiers import id_text, optional_text, plain_text, present
from botanu.sdk.identity import open_span
from botanu.sdk.process import process
from botanu.sdk.quantities import INT64_MAX, WHOLE
from botanu.sdk.spans import end_span, mark_failed
from botanu.sdk.usage import Tally, cost_of, provider_text, record_apart, usage_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from opentelemetry.trace import Span

    from botanu.sdk.usage import Add


class Call(Block[Any]):
    """One tracked call: a context manager for ``with`` and ``async with``, for a single use; yields itself.

    An exception that leaves the block marks the call as failed, by its class alone, and goes on its way.
    """

    _what = "call"
    _span: Span = INVALID_SPAN
    _process = 0

    def __init__(self, name: str, attributes: Mapping[str, str], kind: SpanKind = SpanKind.CLIENT) -> None:
        """Belongs to the ``track_*`` functions."""
        self._name = name
        self._attributes = attributes
        self._kind = kind
        self._holders: list[bool] = []

    def set_error(self, error: BaseException | str) -> Self:
        """Mark the call as failed where no exception leaves the block.

        Args:
            error: what went wrong: an exception, of which only the class is told, or the name of a class of errors,
                such as ``rate_limited``.
        """
        with guard:
            if self._is_open():
                mark_failed(self._span, plain_text(error) if isinstance(error, str) else type(error).__name__)
        return self

    def record_usage(self, **quantities: SupportsFloat) -> Self:
        """Record what this call used, by meter, as ``botanu.record_usage`` does inside its block."""
        with guard:
            self._report("usage", usage_of(quantities))
        return self

    def record_cost(self, amount: Decimal | SupportsFloat | str, currency: str = "USD") -> Self:
        """Record what this call cost, as ``botanu.record_cost`` does inside its block.

        What is in another currency than the costs before gets a span of its own.
        """
        with guard:
            self._report("cost", cost_of(amount, currency))
        return self

    def __enter__(self) -> Self:
        """Start the call's span."""
        self._enter()
        return self

    async def __aenter__(self) -> Self:
        """Start the call's span."""
        self._enter()
        return self

    def _begin(self) -> None:
        self._holders.append(True)
        self._process = process.number
        tracer = configure.tracer()
        if tracer is None:
            return
        try:
            self._span, self._token = open_span(tracer, self._name, self._kind, self._attributes, call=self)
        except Exception as fault:
            if not guard.caught(fault):
                raise

    def _inner(self) -> Self:
        return self

    def _end(self, error: BaseException | None) -> None:
        """Let go of the span, which ends with the last of its holders: the block, and each stream of it."""
        last = self._holders.pop()
        if self._process != process.number:  # a fork's child does not end its parent's call
            return
        if last:
            tally: Tally | None = vars(self).get("_tally")
            if tally is not None:
                self._span.set_attributes(self._with_counted(tally.attributes()))
            end_span(self._span, error)
        elif isinstance(error, Exception):
            mark_failed(self._span, type(error).__name__)

    def _hold(self) -> bool:
        """Have the span wait for one more to end; return whether it is open."""
        if not self._is_open():
            return False
        self._holders.append(False)
        return True

    def _is_open(self) -> bool:
        if self._holders and self._process == process.number:
            return True
        where = "in a forked process" if self._holders else "outside its block"
        guard.say_once(f"{type(self).__name__} was told something {where}: not recorded")
        return False

    def _set(self, given: Mapping[str, object]) -> Self:
        """Set the counts *given* by attribute; one that is not known stays away."""
        if not self._is_open() or self._span is INVALID_SPAN:
            return self
        counts = {}
        for name, count in given.items():
            if count is None:
                continue
            if type(count) is int and 0 <= count <= INT64_MAX:
                counts[name] = count
            elif (fit := WHOLE.of(name, count)) is not None:
                counts[name] = fit
            else:
                self._lose(name)
        try:
            self._span.set_attributes(counts)
        except Exception as fault:
            if not guard.caught(fault):
                raise
        return self

    def _lose(self, name: str) -> None:
        """Note that the count called *name* could not be read."""

    def _report(self, what: str, add: Add | None) -> None:
        if add is not None and (self._holders or self._is_open()) and not self._add({}, add):
            record_apart(what, present({semconv.PROVIDER: self._provider()}), add)

    def _add(self, names: Mapping[str, str], add: Add) -> bool:
        """Add what is reported of *names*, where that is this call and still open; return whether it was."""
        if not self._holders or self._process != process.number or not self._is_for(names):
            return False
        tally: Tally = vars(self).setdefault("_tally", Tally())  # in one go, as another thread may do the same
        with tally.lock:  # not that of the span: a signal may come in its midst, and its handler report something
            return add(tally)

    def _with_counted(self, reported: Mapping[str, Any]) -> Mapping[str, Any]:
        """Return the attributes of what was *reported*, with what the call itself has counted of that added."""
        return reported

    def _is_for(self, names: Mapping[str, str]) -> bool:
        """Return whether this call names the same provider, and a model where *names* has one.

        Of the model it need not be the same: the one that answered is often called otherwise.
        """
        provider = self._provider() or ""
        return names.get(semconv.PROVIDER, provider).lower() == provider.lower() and (
            semconv.GEN_AI_REQUEST_MODEL not in names or semconv.GEN_AI_REQUEST_MODEL in self._attributes
        )

    def _provider(self) -> str | None:
        return self._attributes.get(semconv.PROVIDER) or self._attributes.get(semconv.GEN_AI_PROVIDER_NAME)


def track_tool_call(
    name: str, *, provider: str | None = None, vendor: str | None = None, call_id: str | None = None
) -> Call:
    """Return a context manager that records one call of a tool. What goes in and comes out is never recorded.

    Args:
        name: the tool, low in cardinality, such as ``web_search``.
        provider: who bills, where somebody does.
        vendor: the same as *provider*.
        call_id: the id that the model gave the call.

    Raises:
        IdentityError: *provider* and *vendor* are both given, or a name is empty or no text.
    """
    attributes = present(
        {
            semconv.GEN_AI_OPERATION_NAME: "execute_tool",
            semconv.GEN_AI_TOOL_NAME: id_text("name", name),
            semconv.GEN_AI_TOOL_CALL_ID: optional_text("call_id", call_id),
            semconv.PROVIDER: provider_text(provider, vendor),
        }
    )
    kind = SpanKind.CLIENT if semconv.PROVIDER in attributes else SpanKind.INTERNAL
    return Call(f"execute_tool {attributes[semconv.GEN_AI_TOOL_NAME]}", attributes, kind)
