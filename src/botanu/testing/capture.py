"""Capturing: a block, and the runs that start in it."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from opentelemetry.sdk.trace import SpanProcessor

from botanu import semconv
from botanu.errors import StrictError
from botanu.sdk import configure
from botanu.sdk.guard import guard
from botanu.sdk.settings import SdkSettings
from botanu.sdk.spans import attributes_of
from botanu.testing.runs import CapturedRun

if TYPE_CHECKING:
    from collections.abc import Iterator

    from opentelemetry.context import Context
    from opentelemetry.sdk.trace import ReadableSpan, Span

    from botanu.sdk.providers import Provider


@contextmanager
def capture_runs(*, strict: bool = True) -> Iterator[CapturedRuns]:
    """Capture the runs that start in the block, in whatever thread, and send none.

    Inside, ``botanu.enable()`` takes its settings into force as ever, but nothing is sent. After the block, all is as
    it was before. The program's own tracer provider is used, if it has set one; set it before the first block, as
    OpenTelemetry takes one provider in a process. Of blocks in one another, the innermost gets the runs.

    Args:
        strict: raise ``StrictError`` where the SDK would log a warning. Something may swallow that, a thread or an
            ``except Exception``; so it is in ``CapturedRuns.errors`` as well, and raised again at the end of the block.

    Raises:
        StrictError: in the block, or at its end.
        RuntimeError: OpenTelemetry is switched off.
    """
    with guard.apart(strict=strict) as errors, configure.captured(SdkSettings(strict=strict)) as provider:
        runs = CapturedRuns(errors)
        _tap.add_to(provider)
        before, _tap.runs = _tap.runs, runs
        try:
            yield runs
        finally:
            _tap.runs = before
    if errors:
        told = "; ".join(f"{type(error).__name__}: {error}" for error in errors)
        raise StrictError(f"raised in the block, and swallowed there: {told}") from errors[0]


class CapturedRuns:
    """The runs of one block, as far as they have ended."""

    def __init__(self, errors: list[Exception]) -> None:
        """Belongs to ``capture_runs``."""
        self.errors = errors
        """What was raised because of strictness. What is in it at the end of the block is raised again, so a test that
        means to provoke a warning clears it."""
        self._started: dict[tuple[int, int], ReadableSpan | None] = {}

    def __str__(self) -> str:
        return "\n".join(run.tree() for run in self.all() if run.parent_run_id is None)

    def spans(self) -> list[ReadableSpan]:
        """Return every span that started and ended in the block, inside runs or not, in the order of their start."""
        return [span for span in list(self._started.values()) if span is not None]

    def all(self) -> list[CapturedRun]:
        """Return every run, nested ones too, in the order of their start."""
        runs: dict[object, CapturedRun] = {}
        spans = self.spans()
        for root in reversed([span for span in spans if attributes_of(span).get(semconv.RUN_ROOT)]):
            run_id = attributes_of(root)[semconv.RUN_ID]
            inside = [run for run in runs.values() if run.parent_run_id == run_id]  # they started later
            its_spans = [span for span in spans if attributes_of(span).get(semconv.RUN_ID) == run_id]
            runs[run_id] = CapturedRun(root, tuple(its_spans), tuple(reversed(inside)))
        return list(reversed(runs.values()))

    def only(self) -> CapturedRun:
        """Return the one run there is.

        Raises:
            AssertionError: there is none, or there are several.
        """
        return self._one(self.all(), "run")

    def of(self, workflow: str) -> CapturedRun:
        """Return the one run of *workflow*.

        Raises:
            AssertionError: there is none, or there are several.
        """
        return self._one([run for run in self.all() if run.workflow == workflow], f"run of {workflow!r}")

    def _one(self, found: list[CapturedRun], wanted: str) -> CapturedRun:
        if len(found) != 1:
            raise AssertionError(f"expected one {wanted}, not {len(found)}; captured:\n{self}")
        return found[0]

    def _start(self, span: Span) -> None:
        self._started[_id(span)] = None

    def _end(self, span: ReadableSpan) -> None:
        if _id(span) in self._started:
            self._started[_id(span)] = span


class _Tap(SpanProcessor):
    """Shows each span to the capture that is open. It stays on the provider, which cannot let go of it."""

    def __init__(self) -> None:
        self.runs: CapturedRuns | None = None
        self._provider: Provider | None = None

    def add_to(self, provider: Provider) -> None:
        """Take part in what *provider* does; once, if it is the same as before."""
        if provider is not self._provider:
            provider.add_span_processor(self)
            self._provider = provider

    def on_start(self, span: Span, parent_context: Context | None = None) -> None:  # noqa: ARG002 - OpenTelemetry's
        if self.runs is not None:
            self.runs._start(span)  # noqa: SLF001 - the two are one unit

    def on_end(self, span: ReadableSpan) -> None:
        if self.runs is not None:
            self.runs._end(span)  # noqa: SLF001 - the two are one unit


_tap = _Tap()


def _id(span: ReadableSpan) -> tuple[int, int]:
    return span.context.trace_id, span.context.span_id
