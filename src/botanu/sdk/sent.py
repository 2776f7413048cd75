"""What became of spans that were sent."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING

from botanu.sdk.spans import runs_among

if TYPE_CHECKING:
    from collections.abc import Sequence

    from opentelemetry.sdk.trace import ReadableSpan


class Fate(Enum):
    """What became of spans that were sent."""

    ARRIVED = "arrived"
    REFUSED = "refused"
    """They will not be taken, however often they are sent."""
    AWAY = "away"
    """The server cannot be reached, or takes nothing for now; they may have arrived all the same."""


@dataclass(frozen=True, slots=True)
class Sent:
    """What became of spans that were sent together.

    ``rejected`` counts those that are lost for good: all that were refused, or some of those that arrived. Of spans
    that are away none is lost, and all are to be sent again.
    """

    fate: Fate
    rejected: int = 0
    reason: str = ""
    retry_after_seconds: float | None = None
    """How long the server asked to wait."""


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

    def __add__(self, other: Counts) -> Counts:
        """Return what became of both."""
        return Counts(self.delivered + other.delivered, self.dropped + other.dropped, self.waiting + other.waiting)


class Total:
    """Spans with the same fate, and the runs whose root spans are among them."""

    __slots__ = ("runs", "spans")

    def __init__(self) -> None:
        """Begin with none."""
        self.spans = self.runs = 0

    def add(self, spans: Sequence[ReadableSpan]) -> None:
        """Add *spans*."""
        self.spans += len(spans)
        self.runs += runs_among(spans)


@dataclass(frozen=True, slots=True)
class Status:
    """What became of the runs and spans of this process so far; those that botanu does not send itself not included."""

    recording: bool
    """Whether runs are recorded."""
    endpoint: str | None
    """Address of the server that spans are sent to; ``None`` where botanu sends none, or has an exporter for that."""
    runs: Counts
    """What became of the runs that ended."""
    spans: Counts
    """What became of the spans that ended, those of runs and calls among them."""
    last_fault: str
    """Why spans did not arrive the last time that some did not; empty when all did."""
    runs_unrecorded: int
    """How many runs the tracer provider's sampler dropped before they began; they are not among *runs*."""
