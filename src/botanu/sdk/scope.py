"""The one place that opens a run, holds its outcome and closes it.

Everything else in the SDK (decorator, context manager, generator wrappers) is a thin caller of ``Scope``.
"""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

from opentelemetry.context import attach, detach, get_current
from opentelemetry.trace import SpanKind, Status, StatusCode, set_span_in_context

from botanu import semconv
from botanu.sdk import configure
from botanu.sdk.guard import guard
from botanu.sdk.identifiers import new_run_id
from botanu.sdk.outcome import Outcome
from botanu.sdk.propagation import with_run

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from contextvars import Token
    from types import TracebackType

    from opentelemetry.context import Context
    from opentelemetry.trace import Span, Tracer
    from opentelemetry.util.types import AttributeValue


class Run:
    """The run your code is inside: who it is, and the outcome it will end with. ``run_botanu`` yields it."""

    __slots__ = ("_ended", "_faults", "_lock", "_outcome", "_outcome_count", "_span", "identity")

    def __init__(self, identity: Mapping[str, str | int], span: Span | None, faults: Sequence[str] = ()) -> None:
        """Belongs to ``Scope``: *identity* holds ``botanu.*`` attributes, *span* is the run's root span."""
        self.identity = identity
        self._span = span
        self._faults = [*faults]
        self._outcome: Outcome | None = None
        self._outcome_count = 0
        self._ended = False
        self._lock = threading.Lock()

    @property
    def run_id(self) -> str:
        """Id of this execution: a UUIDv7."""
        return str(self.identity[semconv.RUN_ID])

    @property
    def workflow(self) -> str:
        """Name of the kind of work."""
        return str(self.identity[semconv.WORKFLOW])

    @property
    def outcome(self) -> Outcome | None:
        """The outcome so far: the last one emitted, whole."""
        return self._outcome

    def emit_outcome(
        self,
        status: str,
        *,
        value_type: str | None = None,
        value_amount: float | None = None,
        confidence: float | None = None,
        reason: str | None = None,
        error_type: str | None = None,
        metadata: Mapping[str, object] | None = None,
    ) -> None:
        """Record what this run achieved, from wherever the run object is at hand; see ``botanu.emit_outcome``.

        Raises:
            OutcomeError: *status* is not one of the six.
        """
        outcome = Outcome.of(
            status,
            value_type=value_type,
            value_amount=value_amount,
            confidence=confidence,
            reason=reason,
            error_type=error_type,
            metadata=metadata,
        )
        with guard:
            self._hold(outcome)

    def _hold(self, outcome: Outcome) -> None:
        for fault in outcome.faults:
            guard.say_once(f"outcome of workflow {self.workflow!r}: {fault}")
        with self._lock:
            if self._ended:
                guard.say_once(f"an outcome of workflow {self.workflow!r} came after its run had ended: not recorded")
                return
            self._outcome = outcome
            self._outcome_count += 1
            self._faults += outcome.faults
            if self._span is not None:
                self._span.add_event(semconv.OUTCOME_EMITTED, outcome.event_attributes())

    def _end(self, error: BaseException | None, *, success: bool) -> None:
        """End the run and its root span; the outcome emitted stands, otherwise the ending gives one."""
        if self._outcome is None:
            ending = Outcome.of_ending(error, success=success)
            if ending is not None:
                self._hold(ending)
        with self._lock:
            self._ended = True
        if self._span is not None:
            self._span.set_attributes(self._closing_attributes())
            if isinstance(error, Exception):
                # The class alone: messages and tracebacks carry users' data.
                self._span.set_attribute(semconv.ERROR_TYPE, type(error).__name__)
                self._span.set_status(Status(StatusCode.ERROR, type(error).__name__))
            self._span.end()

    def _closing_attributes(self) -> dict[str, AttributeValue]:
        attributes: dict[str, AttributeValue] = {}
        if self._outcome is not None:
            attributes.update(self._outcome.attributes())
        if self._outcome_count > 1:
            attributes[semconv.OUTCOME_COUNT] = self._outcome_count
        if self._faults:
            attributes[semconv.FAULTS] = self._faults
        return attributes


class Scope:
    """One run from start to end: a context manager, synchronous and asynchronous, for a single use."""

    __slots__ = ("_auto_success", "_faults", "_given", "_kind", "_run", "_token")

    def __init__(
        self,
        given: Mapping[str, str | int | None],
        *,
        auto_outcome_on_success: bool = True,
        span_kind: SpanKind = SpanKind.INTERNAL,
        faults: Sequence[str] = (),
    ) -> None:
        """Prepare a run whose identity the program has *given*, by attribute name; ``None`` is not given.

        *faults* are reasons why a part of the identity is missing; they go on the root span.
        """
        self._given = given
        self._auto_success = auto_outcome_on_success
        self._kind = span_kind
        self._faults = faults
        self._run: Run | None = None
        self._token: Token[Context] | None = None

    def open(self) -> Run:
        """Start the run and make it the current one.

        Raises:
            RuntimeError: this scope has been opened before.
        """
        if self._run is not None:
            raise RuntimeError("this run has been started already; make a new one with run_botanu(...)")
        tracer = configure.tracer()
        if tracer is not None:
            with guard:
                self._start(tracer)
        if self._run is None:
            self._run = Run(self._identity({}), None)
        return self._run

    def close(self, error: BaseException | None) -> None:
        """End the run, with the exception that ended it or ``None``, and restore the context before it."""
        with guard:
            if self._run is not None:
                self._run._end(error, success=self._auto_success)  # noqa: SLF001 - the two are one unit
            if self._token is not None:
                detach(self._token)

    def __enter__(self) -> Run:
        """Start the run."""
        return self.open()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """End the run; the exception goes on its way."""
        self.close(error)

    async def __aenter__(self) -> Run:
        """Start the run."""
        return self.open()

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """End the run; the exception goes on its way."""
        self.close(error)

    def _start(self, tracer: Tracer) -> None:
        context = get_current()
        identity = self._identity(configure.identity_in(context))
        span = tracer.start_span(
            str(self._given[semconv.WORKFLOW]),
            context,
            self._kind,
            {**identity, semconv.RUN_ROOT: True},
        )
        self._run = Run(identity, span, self._faults)
        self._token = attach(set_span_in_context(span, with_run(context, self._run)))

    def _identity(self, around: Mapping[str, str | int]) -> dict[str, str | int]:
        """Return the identity of this run, nested in the one whose identity is *around*."""
        run_id = new_run_id()
        identity: dict[str, str | int] = {semconv.RUN_ID: run_id}
        identity.update((name, value) for name, value in self._given.items() if value is not None)
        if semconv.ENVIRONMENT not in identity:
            environment = configure.settings().environment or around.get(semconv.ENVIRONMENT)
            if environment is not None:
                identity[semconv.ENVIRONMENT] = environment
        if around:
            identity[semconv.PARENT_RUN_ID] = around[semconv.RUN_ID]
        identity[semconv.ROOT_RUN_ID] = around.get(semconv.ROOT_RUN_ID, around.get(semconv.RUN_ID, run_id))
        return identity
