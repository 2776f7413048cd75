"""Half-open intervals of time that questions are asked about."""

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Self

from botanu.errors import QueryError

DEFAULT = "28d"
"""Whole weeks, so that a window and the one before hold the same weekdays."""

_UNITS = {"h": timedelta(hours=1), "d": timedelta(days=1), "w": timedelta(weeks=1)}
_RELATIVE = re.compile(r"([1-9][0-9]{0,3})([hdw])")


@dataclass(frozen=True, slots=True)
class Window:
    """From *start* to before *end*; ``None`` is open on that side. *name* is how it was asked for."""

    name: str
    start: datetime | None
    end: datetime | None

    @classmethod
    def of(cls, name: str | None, *, now: datetime, since: str | None = None, until: str | None = None) -> Self:
        """Read a window: a *name* such as ``28d``, ``24h``, ``8w`` or ``all``, or bounds as dates or instants.

        A bound without a time zone is UTC; a date is its first instant.

        Raises:
            QueryError: none of these, or both a name and a bound.
        """
        if since is not None or until is not None:
            if name is not None:
                raise QueryError(f"give either the window {name}, or from and to")
            start, end = (None if text is None else parse_instant(text) for text in (since, until))
            if start is not None and end is not None and start >= end:
                raise QueryError(f"the window from {since} to {until} holds no time")
            return cls(f"{since or 'the beginning'} to {until or 'now'}", start, end)
        if name == "all":
            return cls(name, None, None)
        match = _RELATIVE.fullmatch(name or DEFAULT)
        if match is None:
            raise QueryError(f"window must be a number of h, d or w such as 28d, or all, not {name!r}")
        return cls(match[0], now - int(match[1]) * _UNITS[match[2]], now)

    @property
    def bounds(self) -> dict[str, object]:
        """The parameters ``$start`` and ``$end`` of the conditions below, as far as they are bounded."""
        given = {"start": self.start, "end": self.end}
        return {name: moment for name, moment in given.items() if moment is not None}

    @property
    def holds(self) -> str:
        """The condition in SQL that a row started in it."""
        return self._condition("start_time >= $start", "start_time < $end")

    @property
    def meets(self) -> str:
        """The condition in SQL that a row's period has a part of it."""
        return self._condition("period_end > $start", "period_start < $end")

    def _condition(self, after_start: str, before_end: str) -> str:
        bounded = ((after_start, self.start), (before_end, self.end))
        return " AND ".join(condition for condition, bound in bounded if bound is not None) or "TRUE"


def parse_instant(text: str) -> datetime:
    """Return the instant that *text* (ISO 8601) names; a date is its first instant, without a zone UTC.

    Raises:
        QueryError: *text* is neither.
    """
    try:
        moment = datetime.fromisoformat(text)
        return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    except (ValueError, OverflowError):
        raise QueryError(f"{text!r} is no date such as 2026-11-01 and no instant such as 2026-11-01T12:00Z") from None
