"""The one place that opens a run, holds its outcome and closes it.

Everything else in the SDK (decorator, context manager, generator wrappers) is a thin caller of ``Scope``.
"""

from __future__ import annotations

import contextvars
import os
import threading
import time
from typing import TYPE_CHECKING, SupportsFloat

from opentelemetry.context import Context
from opentelemetry.trace import SpanKind, set_span_in_context

from botanu import semconv
from botanu.sdk import configure
from botanu.sdk.contexts import attach, detach, get_current
from botanu.sdk.guard import guard
from botanu.sdk.identifiers import new_run_id
from botanu.sdk.identity import INHERITED, run_in, with_run
from botanu.sdk.outcome import Outcome
from botanu.sdk.sampling import unrecorded
from botanu.sdk.spans import end_span

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from contextvars import Token
    from types import TracebackType

    from opentelemetry.trace import Span, Tracer
    from opentelemetry.util.types import AttributeValue


FAULTS_MAX = 32
"""Most different faults kept per run."""


class _Process:
    """Which process this is: a fork makes another one."""

    def __init__(self) -> None:
        self.number = 0
        if hasattr(os, "register_at_fork"):  # pragma: no branch - Windows has no fork
            os.register_at_fork(after_in_child=self._forked)

    def _forked(self) -> None:
        self.number += 1


_process = _Process()


class Run:
    """The run your code is inside: who it is, and the outcome it will end with. ``run_botanu`` yields it."""

    __slots__ = ("_ended", "_faults", "_lock", "_outcome", "_outcome_count", "_process", "_span", "identity")

    def __init__(self, identity: Mapping[str, str | int], span: Span | None, faults: Sequence[str] = ()) -> None:
        """Belongs to ``Scope``: *identity* holds ``botanu.*`` attributes, *span* is the run's root span."""
        self.identity = identity
        self._span = span
        self._faults = dict.fromkeys(faults)
        self._outcome: Outcome | None = None
        self._outcome_count = 0
        self._ended = False
        self._lock = threading.Lock()
        self._process = _process.number

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
        value_amount: SupportsFloat | None = None,
        confidence: SupportsFloat | None = None,
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
            if outcome.faults:
                self._say(outcome.faults)
            with self._lock:
                self._outcome = outcome
                open_here = not self._ended and self._process == _process.number
                if open_here:
                    self._hold(outcome)
                    self._outcome_count += 1
            if not open_here:
                self._report_late(outcome)

    def _say(self, faults: Sequence[str]) -> None:
        for fault in faults:
            about = f"outcome of workflow {self.workflow!r}: {fault.partition(':')[0].partition('.')[0]}"
            guard.say_once(f"outcome of workflow {self.workflow!r}: {fault}", about=about)

    def _hold(self, outcome: Outcome) -> None:
        """Make *outcome* the run's; under the lock."""
        self._outcome = outcome
        for fault in outcome.faults:
            if len(self._faults) < FAULTS_MAX:
                self._faults[fault] = None
        if self._span is not None:
            self._span.add_event(semconv.OUTCOME_EMITTED, outcome.event_attributes())

    def _report_late(self, outcome: Outcome) -> None:
        """Send *outcome* on a span of its own: that of the run has ended, or is another process's."""
        tracer = configure.tracer()
        if tracer is None or self._span is None:
            return
        attributes: dict[str, AttributeValue] = {**self.identity, **outcome.attributes(), semconv.OUTCOME_LATE: True}
        if outcome.faults:
            attributes[semconv.FAULTS] = outcome.faults
        now = time.time_ns()
        span = tracer.start_span(
            semconv.OUTCOME_EMITTED,
            set_span_in_context(self._span, Context()),
            attributes=attributes,
            start_time=now,
        )
        span.end(now)

    def _end(self, error: BaseException | None, *, success: bool) -> None:
        """End the run and its root span; the outcome emitted stands, otherwise the ending gives one."""
        with self._lock:
            if self._ended or self._process != _process.number:  # a fork's child does not end its parent's run
                return
            self._ended = True
            ending = Outcome.of_ending(error, success=success) if self._outcome is None else None
            if ending is not None:
                self._hold(ending)
        if self._span is not None:
            self._span.set_attributes(self._closing_attributes())
            end_span(self._span, error)

    def _closing_attributes(self) -> dict[str, AttributeValue]:
        attributes: dict[str, AttributeValue] = {} if self._outcome is None else {**self._outcome.attributes()}
        if self._outcome_count > 1:
            attributes[semconv.OUTCOME_COUNT] = self._outcome_count
        if self._faults:
            attributes[semconv.FAULTS] = [*self._faults]
        return attributes


def current_run() -> Run | None:
    """Return the run your code is inside, if any: for its ids, and to emit its outcome from elsewhere."""
    return run_in()


class Scope:
    """One run from start to end: a context manager, synchronous and asynchronous, for a single use."""

    __slots__ = ("_auto_success", "_faults", "_given", "_kind", "_left", "_run", "_token")

    def __init__(
        self,
        given: Mapping[str, str | int],
        *,
        auto_outcome_on_success: bool = True,
        span_kind: SpanKind = SpanKind.INTERNAL,
        faults: Sequence[str] = (),
    ) -> None:
        """Prepare a run whose identity the program has *given*, by attribute name.

        *faults* are reasons why a part of the identity is missing; they go on the root span.
        """
        self._given = given
        self._auto_success = auto_outcome_on_success
        self._kind = span_kind
        self._faults = faults
        self._run: Run | None = None
        self._token: Token[Context] | None = None
        self._left: Context | None = None

    def open(self) -> Run:
        """Start the run and make it the current one; where it has been left, go back into it.

        Raises:
            RuntimeError: this scope has been opened before.
        """
        if self._left is not None:
            self._token, self._left = attach(self._left), None
        elif self._run is not None:
            raise RuntimeError("this run has been started already; make a new one with run_botanu(...)")
        return self._run or self._begin()

    def _begin(self) -> Run:
        tracer = configure.tracer()
        if tracer is not None:
            with guard:
                self._start(tracer)
        if self._run is None:
            self._run = Run(self._identity({}), None)
        return self._run

    def leave(self) -> contextvars.Context:
        """Restore the context before the run, which goes on in the one returned, or when opened again."""
        inside = contextvars.copy_context()
        self._left = get_current()
        self._restore()
        return inside

    def close(self, error: BaseException | None) -> None:
        """End the run, with the exception that ended it or ``None``, and restore the context before it."""
        try:
            with guard:
                if self._run is not None:
                    self._run._end(error, success=self._auto_success)  # noqa: SLF001 - the two are one unit
        finally:
            self._left = None
            self._restore()

    def _restore(self) -> None:
        token, self._token = self._token, None
        if token is not None:
            detach(token)

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
        identity = self._identity(configure.identity_around(context))
        span = tracer.start_span(
            str(self._given[semconv.WORKFLOW]), context, self._kind, {**identity, semconv.RUN_ROOT: True}
        )
        if not span.is_recording():
            unrecorded.note()
        self._run = Run(identity, span, self._faults)
        self._token = attach(set_span_in_context(span, with_run(context, self._run)))

    def _identity(self, around: Mapping[str, str | int]) -> dict[str, str | int]:
        """Return the identity of this run, nested in the one whose identity is *around*."""
        run_id = new_run_id()
        if not around:
            return {semconv.RUN_ID: run_id, **configure.defaults(), **self._given, semconv.ROOT_RUN_ID: run_id}
        return {
            semconv.RUN_ID: run_id,
            **configure.defaults(),
            **{name: around[name] for name in INHERITED if name in around},
            **self._given,
            semconv.PARENT_RUN_ID: around[semconv.RUN_ID],
            semconv.ROOT_RUN_ID: around.get(semconv.ROOT_RUN_ID, around[semconv.RUN_ID]),
        }
