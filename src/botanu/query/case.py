"""What a rule that finds the cause of a gap is given, and what it gives back."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from botanu.query.causes import Cause
from botanu.query.cells import EXACT, Account, Cell, Tolerance


@dataclass(frozen=True, slots=True)
class Found:
    """Cells that a rule explains, and what it saw."""

    cause: Cause
    cells: Sequence[Cell]
    note: str


@dataclass(frozen=True, slots=True)
class Case:
    """What a rule is asked: the cells of *account* that differ and are not explained yet, given what is *found*.

    *rest* are all cells that are not explained yet, also those that differ by no more than the tolerance.
    """

    account: Account
    open: Sequence[Cell]
    rest: Sequence[Cell]
    found: Sequence[Found]
    tolerance: Tolerance

    def by_day(self) -> Iterator[tuple[date, list[Cell]]]:
        """Yield the open cells of each day, in order."""
        days: dict[date, list[Cell]] = {}
        for cell in self.open:
            days.setdefault(cell.day, []).append(cell)
        yield from sorted(days.items())

    def quantity_off(self, cell: Cell) -> bool:
        """Return whether the quantities of *cell* are known and differ."""
        return cell.quantity_off(self.tolerance)

    def amount_off(self, cell: Cell) -> bool:
        """Return whether the amounts of *cell* are known and differ."""
        return cell.amount_off(self.tolerance)

    def not_equal(self) -> list[Cell]:
        """Return the cells that may take part in what cancels out: those with another quantity, however little.

        Of many tokens a few are within the tolerance, and on the next day, of few, they are not. Where amounts have to
        decide, these are the cells that differ.
        """
        if self.by_amount():
            return [cell for cell in self.open if cell.more_amount is not None]
        return [cell for cell in self.rest if cell.more_quantity]

    def by_amount(self) -> bool:
        """Return whether the invoice has no quantities of the model, so that amounts have to decide."""
        return all(cell.more_quantity is None for cell in self.account.cells)

    def costs(self, cell: Cell, factor: Decimal) -> bool:
        """Return whether *cell* is invoiced at *factor* times what was booked."""
        expected = EXACT.multiply(cell.booked_amount or Decimal(), factor)
        return self.tolerance.allows(cell.invoiced_amount or Decimal(), expected, cell.allowance)


def differs(cell: Cell, tolerance: Tolerance) -> bool:
    """Return whether *cell* is a gap: another quantity, another amount, or where no amount is known another tier."""
    if cell.quantity_off(tolerance) or cell.amount_off(tolerance):
        return True
    return cell.more_amount is None and bool(cell.tiers_off(tolerance))
