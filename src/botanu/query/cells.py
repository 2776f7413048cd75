"""Cells: one meter of one model on one day, as invoiced and as booked."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Context, Decimal

from botanu.query.booked import BookedLine
from botanu.query.invoice_names import STANDARD, TIERS
from botanu.query.invoices import InvoiceLine

EXACT = Context(prec=100)
"""Adds amounts of any size that a line can have without rounding."""

Key = tuple[str, str | None, date, str | None]
"""Provider, model, day, meter; no model: all models together, no meter: all meters together."""


def total(amounts: Iterable[Decimal]) -> Decimal:
    """Return the exact sum of *amounts*."""
    result = Decimal()
    for amount in amounts:
        result = EXACT.add(result, amount)
    return result


@dataclass(frozen=True, slots=True)
class Tolerance:
    """How far two numbers may be apart and still be called the same: by *share* of the larger, plus an allowance."""

    share: Decimal

    def allows(self, one: Decimal, other: Decimal, allowance: Decimal = Decimal()) -> bool:
        """Return whether *one* and *other* are the same within the tolerance."""
        return abs(EXACT.subtract(one, other)) <= self.share * max(abs(one), abs(other)) + allowance


@dataclass(slots=True)
class Cell:
    """One meter of one model on one day, on both sides.

    ``None`` is a quantity or an amount that one side does not give on its own. The allowance is what rounding can
    have done: half of an invoice's last decimal for each of its lines, half a nano-unit for each call of ours.
    """

    key: Key
    invoiced_quantity: Decimal | None = None
    booked_quantity: Decimal | None = None
    invoiced_amount: Decimal | None = None
    booked_amount: Decimal | None = None
    allowance: Decimal = Decimal()
    lines: list[InvoiceLine] = field(default_factory=list)
    booked: list[BookedLine] = field(default_factory=list)

    @property
    def day(self) -> date:
        """The day."""
        return self.key[2]

    @property
    def meter(self) -> str | None:
        """The meter; ``None`` for all together."""
        return self.key[3]

    @property
    def more_quantity(self) -> Decimal | None:
        """How much more is invoiced than booked; ``None`` where a quantity is not known."""
        if self.invoiced_quantity is None or self.booked_quantity is None:
            return None
        return EXACT.subtract(self.invoiced_quantity, self.booked_quantity)

    @property
    def more_amount(self) -> Decimal | None:
        """How much more money is invoiced than booked; ``None`` where an amount is not known."""
        if self.invoiced_amount is None or self.booked_amount is None:
            return None
        return EXACT.subtract(self.invoiced_amount, self.booked_amount)

    def quantity_off(self, tolerance: Tolerance) -> bool:
        """Return whether the quantities are known and not the same."""
        if self.invoiced_quantity is None or self.booked_quantity is None:
            return False
        return not tolerance.allows(self.invoiced_quantity, self.booked_quantity)

    def amount_off(self, tolerance: Tolerance) -> bool:
        """Return whether the amounts are known and not the same."""
        if self.invoiced_amount is None or self.booked_amount is None:
            return False
        return not tolerance.allows(self.invoiced_amount, self.booked_amount, self.allowance)

    def tiers_off(self, tolerance: Tolerance) -> dict[str, tuple[Decimal, Decimal]]:
        """Return the tiers of which another quantity is invoiced than booked, with both.

        The standard is left out: it is what remains. A tier that only we know of counts if every line of the invoice
        says its tier.
        """
        if self.invoiced_quantity is None or self.quantity_off(tolerance):
            return {}
        theirs = _by_tier((line.service_tier, line.quantity) for line in self.lines if line.service_tier)
        ours = _by_tier((_tier(line.service_tier), line.quantity) for line in self.booked)
        known = {*theirs, *(ours if all(line.service_tier for line in self.lines) else ())} - {STANDARD}
        both = {tier: (theirs.get(tier, Decimal()), ours.get(tier, Decimal())) for tier in sorted(known)}
        return {tier: pair for tier, pair in both.items() if not tolerance.allows(*pair)}


def _tier(name: str | None) -> str:
    return TIERS.get(name.lower(), name) if name else STANDARD


def _by_tier(quantities: Iterable[tuple[str, Decimal | None]]) -> dict[str, Decimal]:
    tiers: dict[str, Decimal] = {}
    for tier, quantity in quantities:
        tiers[tier] = EXACT.add(tiers.get(tier, Decimal()), quantity or Decimal())
    return tiers


@dataclass(slots=True)
class Evidence:
    """What else is known of the calls of one model on one day. *requests* is how many the provider counts."""

    calls: int = 0
    silent_calls: int = 0
    duplicates: int = 0
    repeated_calls: int = 0
    first_start: datetime | None = None
    last_start: datetime | None = None
    requests: Decimal | None = None

    def add(self, line: BookedLine) -> None:
        """Take in a line about all calls of a model, tier and day."""
        self.calls += line.calls
        self.silent_calls += line.silent_calls
        self.duplicates += line.duplicates
        self.repeated_calls += line.repeated_calls
        self.first_start = min(filter(None, (self.first_start, line.first_start)), default=None)
        self.last_start = max(filter(None, (self.last_start, line.last_start)), default=None)


@dataclass(slots=True)
class Account:
    """All cells of one model of one provider, and what else is known of its days."""

    provider: str
    model: str | None
    cells: list[Cell] = field(default_factory=list)
    days: dict[date, Evidence] = field(default_factory=dict)

    def evidence(self, day: date) -> Evidence:
        """Return what else is known of *day*."""
        return self.days.get(day, Evidence())

    @property
    def seen(self) -> bool:
        """Whether we saw any call of the model."""
        return any(cell.booked for cell in self.cells) or any(each.calls for each in self.days.values())
