"""What became of spans that were sent."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum


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
