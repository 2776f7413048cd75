"""The one place that opens a run, holds its outcome and closes it.

Everything else in the SDK (decorator, context manager, generator wrappers) is a thin caller of ``Scope``.
"""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING, SupportsFloat

from opentelemetry.context import Context
from opentelemetry.trace import SpanKind, set_span_in_context

from botanu import semconv
from botanu.sdk import configure
from botanu.sdk.block import Block
from botanu.sdk.contexts import attach, get_current
from botanu.sdk.guard import guard
from botanu.sdk.identifiers import new_run_id
from botanu.sdk.identity import INHERITED, run_in, with_run
from botanu.sdk.outcome import Outcome
from botanu.sdk.process import process
from botanu.sdk.retrying import number_attempt
from botanu.sdk.sampling import unrecorded
from botanu.sdk.spans import end_span, record_span, remember

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from opentelemetry.trace import Span, Tracer
    from opentelemetry.util.types import AttributeValue


FAULTS_MAX = 32
"""Most different faults kept per run."""

EVENTS_MAX = 128
"""Most outcomes of a run that are kept as events; the last ones, as OpenTelemetry keeps them."""


class Run:
    """The run your code is inside: who it is, and the outcome it will end with. ``run_botanu`` yields it."""

    __slots__ = (
        "_elsewhere",
        "_ended",
        "_events",
        "_faults",
        "_lock",
        "_outcome",
        "_outcome_count",
        "_process",
        "_span",
        "identity",
    )

    def __init__(
        self,
        identity: Mapping[str, str | int],
        span: Span | None,
        faults: Sequence[str] = (),
        *,
        elsewhere: bool = False,
    ) -> None:
        """Belongs to ``Scope``: *identity* holds ``botanu.*`` attributes, *span* is the run's root span.

        A run of another process lives *elsewhere*, and *span* is what called: outcomes reach it as late ones.
        """
        self.identity = identity
        self._span = span
        self._faults = dict.fromkeys(faults)
        self._outcome: Outcome | None = None
        self._outcome_count = 0
        self._elsewhere = self._ended = elsewhere
        self._events: list[tuple[int, Outcome]] = []
        # A signal may come in its midst, and its handler emit an outcome. That does without the span, whose lock is not
        # made for it.
        self._lock = threading.RLock()
        self._process = process.number

    @property
    def run_id(self) -> str:
        """Id of this execution: a UUIDv7."""
        return str(self.identity[semconv.RUN_ID])

    @property
    def workflow(self) -> str:
        """Name of the kind of work; empty where another process's run did not tell it."""
        return str(self.identity.get(semconv.WORKFLOW, ""))

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
        self._emit(outcome)

    def _emit(self, outcome: Outcome) -> None:
        with guard:
            if outcome.faults:
                self._say(outcome.faults)
            if not self._is_here() or not self._take(outcome):
                self._outcome = outcome
                self._report_late(outcome)

    def _is_here(self) -> bool:
        """Return whether this is the run's process, and not a fork, where its lock may be taken for good."""
        return self._process == process.number

    def _take(self, outcome: Outcome) -> bool:
        """Make *outcome* the run's, unless it has ended; return whether that was done."""
        with self._lock:
            if not self._ended:
                self._hold(outcome)
                self._outcome_count += 1
            return not self._ended

    def _add_identity(self, attributes: Mapping[str, str]) -> None:
        """Have the root span, if it is here, and spans and runs that start from now on, bear *attributes* too."""
        with guard:
            if (self._ended and not self._elsewhere) or self._span is None:  # without a span it is current nowhere
                guard.say_once(f"{', '.join(attributes)} came after the end of the run: not recorded")
            elif self._elsewhere or not self._is_here():
                self.identity = {**self.identity, **attributes}  # a new one: spans share the one before
            else:
                with self._lock:
                    self.identity = {**self.identity, **attributes}
                    self._span.set_attributes(attributes)

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
        self._events.append((time.time_ns(), outcome))
        if len(self._events) > EVENTS_MAX:
            del self._events[0]

    def _report_late(self, outcome: Outcome) -> None:
        """Send *outcome* on a span of its own: that of the run has ended, or is another process's."""
        tracer = configure.tracer()
        if tracer is None or self._span is None:
            return
        attributes: dict[str, AttributeValue] = {**self.identity, **outcome.attributes(), semconv.OUTCOME_LATE: True}
        if outcome.faults:
            attributes[semconv.FAULTS] = outcome.faults
        context = set_span_in_context(self._span, Context())
        record_span(tracer, semconv.OUTCOME_EMITTED, attributes, context)

    def _end(self, error: BaseException | None, *, success: bool) -> None:
        """End the run and its root span; the outcome emitted stands, otherwise the ending gives one."""
        if not self._is_here():  # a fork's child does not end its parent's run
            return
        with self._lock:
            if self._ended:
                return
            self._ended = True
            ending = Outcome.of_ending(error, success=success) if self._outcome is None else None
            if ending is not None:
                self._hold(ending)
        if self._span is not None:
            self._close(self._span, error)

    def _close(self, span: Span, error: BaseException | None) -> None:
        """Write on *span* what the run has come to, and end it."""
        for moment, outcome in self._events:
            span.add_event(semconv.OUTCOME_EMITTED, outcome.event_attributes(), moment)
        closing = self._closing_attributes()
        span.set_attributes(closing)
        if getattr(span, "dropped_attributes", 0):
            remember(span, {**self.identity, semconv.RUN_ROOT: True, **closing})
        end_span(span, error)

    def _closing_attributes(self) -> dict[str, AttributeValue]:
        attributes: dict[str, AttributeValue] = {}
        if self._outcome is not None:
            attributes.update(self._outcome.attributes())
        if self._outcome_count > 1:
            attributes[semconv.OUTCOME_COUNT] = self._outcome_count
        if self._faults:
            attributes[semconv.FAULTS] = [*self._faults]
        return attributes


def current_run() -> Run | None:
    """Return the run your code is inside, if any: for its ids, and to emit its outcome from elsewhere."""
    return run_in()


class Scope(Block[Run]):
    """One run from start to end."""

    _what = "run"

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

    def _begin(self) -> None:
        tracer = configure.tracer()
        if tracer is None:
            return
        try:  # as ``with guard`` does, which takes longer
            self._start(tracer)
        except Exception as fault:
            if not guard.caught(fault):
                raise

    def _inner(self) -> Run:
        if self._run is None:
            self._run = Run(self._identity({}), None)
        return self._run

    def _end(self, error: BaseException | None) -> None:
        if self._run is not None:
            self._run._end(error, success=self._auto_success)  # noqa: SLF001 - the two are one unit

    def _start(self, tracer: Tracer) -> None:
        context = get_current()
        around = run_in(context)
        identity = self._identity({} if around is None else around.identity)
        number_attempt(identity)
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
