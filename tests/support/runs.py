"""Runs captured from the real OpenTelemetry SDK."""

from dataclasses import dataclass

from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

import botanu
from botanu import semconv


@dataclass(frozen=True)
class CapturedRun:
    """One run as it left the program."""

    root: ReadableSpan
    children: tuple[ReadableSpan, ...]

    @property
    def outcome(self):
        """The outcome attributes, without their prefix."""
        prefix = "botanu.outcome."
        return {name.removeprefix(prefix): value for name, value in self.attributes.items() if name.startswith(prefix)}

    @property
    def attributes(self):
        return dict(self.root.attributes)

    @property
    def emitted(self):
        """The attributes of each outcome span event, in order."""
        return [dict(event.attributes) for event in self.root.events if event.name == semconv.OUTCOME_EMITTED]


class Captured:
    """All runs that have ended so far."""

    def __init__(self):
        self.exporter = InMemorySpanExporter()

    def spans(self):
        botanu.flush()
        return self.exporter.get_finished_spans()

    def all(self):
        spans = self.spans()
        roots = [span for span in spans if span.attributes.get(semconv.RUN_ROOT)]
        return [
            CapturedRun(
                root,
                tuple(
                    span
                    for span in spans
                    if span.attributes.get(semconv.RUN_ID) == root.attributes[semconv.RUN_ID] and span is not root
                ),
            )
            for root in roots
        ]

    def only(self):
        (run,) = self.all()
        return run

    def of(self, workflow):
        (run,) = (run for run in self.all() if run.attributes[semconv.WORKFLOW] == workflow)
        return run
