"""Amounts shown in another currency: for reading alone, at a rate and of a day that stand beside them."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Self

from botanu.errors import QueryError
from botanu.query.measures import Unit, measures
from botanu.server.plain import Plain

_WRITTEN = re.compile(r"(?P<currency>[A-Za-z]{3})=(?P<rate>[0-9]{1,9}(?:\.[0-9]{1,9})?)@(?P<day>[0-9-]{10})")
_SHARED = ("total", "on_these_runs", "on_other_runs", "unallocated")


@dataclass(frozen=True, slots=True)
class Rate:
    """How much of *currency* one unit of the booked currency was worth on *day*."""

    currency: str
    rate: Decimal
    day: date

    @classmethod
    def of(cls, text: str) -> Self:
        """Read a rate such as ``EUR=0.92@2026-11-20``.

        Raises:
            QueryError: it is none, or of a day that there is not.
        """
        match = _WRITTEN.fullmatch(text.strip())
        if match is None or not Decimal(match["rate"]) or (day := _day(match["day"])) is None:
            raise QueryError(
                "a rate is a currency, what one unit of the booked one is worth in it, and the day, "
                f"such as EUR=0.92@2026-11-20, not {text!r}"
            )
        return cls(match["currency"].upper(), Decimal(match["rate"]), day)

    def line(self, booked: str) -> str:
        """Return what to say beside amounts that are shown so."""
        return f"Shown in {self.currency} at {self.rate:f} for 1 {booked}, the rate of {self.day}; booked in {booked}."

    def shown(self, report: Plain) -> Plain:
        """Return *report* with its amounts in the currency of this rate."""
        money = [each.name for each in measures(shared="shared" in report) if each.unit is Unit.MONEY]
        made = {
            **report,
            "currency": self.currency,
            "rows": [self._converted(row, money) for row in report["rows"]],
            "total": self._converted(report["total"], money),
        }
        if "shared" in report:
            made["shared"] = self._converted(report["shared"], _SHARED)
        return made

    def _converted(self, row: Plain, names: Iterable[str]) -> Plain:
        amounts = {name: row[name] * self.rate for name in names if row.get(name) is not None}
        return {**row, **amounts}


def _day(text: str) -> date | None:
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None
