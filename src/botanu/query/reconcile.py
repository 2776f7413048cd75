"""An invoice compared with what was booked: every gap, with its likely cause.

Nothing is left over: the differences of all gaps, those of rounding included, add up to the difference of the totals.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from botanu.errors import InvoiceError
from botanu.pricing.money import CURRENCY
from botanu.query.accounts import accounts
from botanu.query.booked import BookedLine
from botanu.query.causes import SENTENCES, Cause
from botanu.query.cells import EXACT, Account, Cell, Tolerance, total
from botanu.query.invoices import InvoiceLine
from botanu.query.rules import explain

DEFAULT_SHARE = Decimal("0.0001")
"""How far two numbers may be apart and still be the same, as a share of the larger: one in ten thousand."""

_NOTES_MOST = 3


@dataclass(frozen=True, slots=True)
class Gap:
    """One cell in which both sides differ, and why.

    ``None``: no model and no meter where the invoice does not tell them apart, no quantity and no amount where it does
    not give them.
    """

    provider: str
    model: str | None
    day: date
    meter: str | None
    invoiced_quantity: Decimal | None
    booked_quantity: Decimal | None
    invoiced_amount: Decimal | None
    booked_amount: Decimal | None
    cause: Cause
    explanation: str

    @property
    def difference(self) -> Decimal | None:
        """What was invoiced beyond what was booked; ``None`` where an amount is not known."""
        if self.invoiced_amount is None or self.booked_amount is None:
            return None
        return EXACT.subtract(self.invoiced_amount, self.booked_amount)


@dataclass(frozen=True, slots=True)
class Finding:
    """All gaps of one model with one cause: one thing that went wrong, or is known to be so."""

    cause: Cause
    provider: str
    model: str | None
    explanation: str
    gaps: tuple[Gap, ...]

    @property
    def days(self) -> list[date]:
        """The days it shows on."""
        return sorted({gap.day for gap in self.gaps})

    @property
    def meters(self) -> list[str]:
        """The meters it shows in."""
        return sorted({gap.meter for gap in self.gaps if gap.meter is not None})

    @property
    def difference(self) -> Decimal | None:
        """What was invoiced beyond what was booked; ``None`` where no amounts are known."""
        return _sum(gap.difference for gap in self.gaps)


@dataclass(frozen=True, slots=True)
class MeterTotals:
    """The quantities of one meter on both sides, as far as they are compared by quantity."""

    meter: str
    invoiced: Decimal
    booked: Decimal


@dataclass(frozen=True, slots=True)
class Reconciliation:
    """The answer: the *findings*, those with the most money first, and every single gap, with those of rounding.

    *invoiced* and *booked* are the money on both sides; the former is ``None`` where the file gives none, and then
    quantities alone are compared. *cells* is how many were compared.
    """

    findings: tuple[Finding, ...]
    gaps: tuple[Gap, ...]
    invoiced: Decimal | None
    booked: Decimal
    meters: tuple[MeterTotals, ...]
    cells: int

    @property
    def difference(self) -> Decimal | None:
        """What was invoiced beyond what was booked: the sum of the differences of all gaps."""
        return None if self.invoiced is None else EXACT.subtract(self.invoiced, self.booked)

    @property
    def rounding(self) -> Decimal | None:
        """The part of the difference that is within the tolerance."""
        return _sum(gap.difference for gap in self.gaps if gap.cause is Cause.ROUNDING)


def reconcile(
    lines: Sequence[InvoiceLine], booked: Sequence[BookedLine], *, share: Decimal = DEFAULT_SHARE
) -> Reconciliation:
    """Compare the *lines* of an invoice with what was *booked* on the same days.

    What is booked with providers that the invoice does not name is not looked at. Two numbers that differ by less than
    *share* of the larger, or by what the rounding of their parts can do, are the same.

    Raises:
        InvoiceError: an amount is in another currency than ours.
    """
    _check_currency(lines)
    laid = accounts(lines, booked)
    tolerance = Tolerance(share)
    gaps = [_credit(line) for line in lines if line.credit]
    for account in laid:
        gaps += _gaps(account, tolerance)
    cells = [cell for account in laid for cell in account.cells]
    amounts = [line.amount for line in lines if line.amount is not None]
    return Reconciliation(
        findings=_findings(gaps),
        gaps=tuple(gaps),
        invoiced=total(amounts) if amounts else None,
        booked=total(cell.booked_amount for cell in cells if cell.booked_amount is not None),
        meters=_meters(cells),
        cells=len(cells),
    )


def _check_currency(lines: Iterable[InvoiceLine]) -> None:
    for line in lines:
        if line.currency not in (None, CURRENCY):
            raise InvoiceError(
                f"row {line.row} is in {line.currency}, what is booked is in {CURRENCY}: convert the file first"
            )


def _credit(line: InvoiceLine) -> Gap:
    return Gap(
        provider=line.provider,
        model=line.model,
        day=line.day,
        meter=line.meter,
        invoiced_quantity=line.quantity,
        booked_quantity=None,
        invoiced_amount=line.amount,
        booked_amount=Decimal(),
        cause=Cause.CREDIT,
        explanation=f"{line.day}: {line.meter or 'a charge'} in row {line.row}.",
    )


def _gaps(account: Account, tolerance: Tolerance) -> list[Gap]:
    found = explain(account, tolerance)
    explained = {id(cell) for each in found for cell in each.cells}
    gaps = [
        _gap(account, cell, each.cause, each.note or SENTENCES[each.cause]) for each in found for cell in each.cells
    ]
    within = (cell for cell in account.cells if id(cell) not in explained)
    rounded = [cell for cell in within if cell.more_quantity or cell.more_amount]
    return gaps + [_gap(account, cell, Cause.ROUNDING, SENTENCES[Cause.ROUNDING]) for cell in rounded]


def _gap(account: Account, cell: Cell, cause: Cause, explanation: str) -> Gap:
    return Gap(
        provider=account.provider,
        model=account.model,
        day=cell.day,
        meter=cell.meter,
        invoiced_quantity=cell.invoiced_quantity,
        booked_quantity=cell.booked_quantity,
        invoiced_amount=cell.invoiced_amount,
        booked_amount=cell.booked_amount,
        cause=cause,
        explanation=explanation,
    )


def _findings(gaps: Iterable[Gap]) -> tuple[Finding, ...]:
    """Return one finding for each provider, model and cause; rounding is none."""
    groups: dict[tuple[Cause, str, str | None], list[Gap]] = {}
    for gap in gaps:
        if gap.cause is not Cause.ROUNDING:
            groups.setdefault((gap.cause, gap.provider, gap.model), []).append(gap)
    found = [Finding(*key, _explanation(key[0], members), tuple(members)) for key, members in groups.items()]
    return tuple(
        sorted(
            found, key=lambda each: (-abs(each.difference or Decimal()), each.provider, each.model or "", each.cause)
        )
    )


def _explanation(cause: Cause, gaps: Iterable[Gap]) -> str:
    notes = [note for note in dict.fromkeys(gap.explanation for gap in gaps) if note != SENTENCES[cause]]
    more = len(notes) - _NOTES_MOST
    rest = [f"And {more} more like these."] if more > 0 else []
    return " ".join([SENTENCES[cause], *notes[:_NOTES_MOST], *rest])


def _meters(cells: Sequence[Cell]) -> tuple[MeterTotals, ...]:
    known = [cell for cell in cells if cell.meter is not None and cell.more_quantity is not None]
    return tuple(
        MeterTotals(
            meter,
            total(cell.invoiced_quantity or Decimal() for cell in known if cell.meter == meter),
            total(cell.booked_quantity or Decimal() for cell in known if cell.meter == meter),
        )
        for meter in sorted({cell.meter for cell in known if cell.meter is not None})
    )


def _sum(differences: Iterable[Decimal | None]) -> Decimal | None:
    """Return the sum of the *differences* that are known; ``None`` where none is."""
    known = [difference for difference in differences if difference is not None]
    return total(known) if known else None
