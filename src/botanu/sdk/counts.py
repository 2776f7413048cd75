"""How many spans and runs became what."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from botanu import semconv

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from opentelemetry.sdk.trace import ReadableSpan


@dataclass(frozen=True, slots=True)
class Counts:
    """What became of the spans, or runs, that ended so far: each is delivered, dropped or waiting."""

    delivered: int = 0
    dropped: int = 0
    waiting: int = 0

    @property
    def made(self) -> int:
        """All of them."""
        return self.delivered + self.dropped + self.waiting


class Fate:
    """Spans with the same fate, and the runs whose root spans are among them."""

    __slots__ = ("runs", "spans")

    def __init__(self) -> None:
        """Begin with none."""
        self.spans = self.runs = 0

    def add(self, spans: Sequence[ReadableSpan]) -> None:
        """Add *spans*."""
        self.spans += len(spans)
        self.runs += roots(spans)


def roots(spans: Iterable[ReadableSpan]) -> int:
    """Return how many of *spans* are the root span of a run."""
    return sum(semconv.RUN_ROOT in (span.attributes or {}) for span in spans)
