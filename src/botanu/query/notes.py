"""What the rules saw, in words."""

from collections.abc import Sequence
from datetime import date
from decimal import Decimal

from botanu.query.cells import EXACT, Account, Cell

_NAMED_MOST = 3


def listed(parts: Sequence[str]) -> str:
    """Write the first few of *parts*, and how many there are besides."""
    more = len(parts) - _NAMED_MOST
    return ", ".join(parts[:_NAMED_MOST]) + (f" and {more} more" if more > 0 else "")


def number(quantity: Decimal, sign: str = "") -> str:
    """Write a quantity with all its digits; *sign* ``+`` also marks what is above zero."""
    return f"{quantity.normalize(EXACT):{sign},f}"


def more_of_each(cells: Sequence[Cell]) -> str:
    """Write how much more of each meter is invoiced than booked."""
    return listed([f"{number(cell.more_quantity or Decimal(), '+')} {cell.meter}" for cell in cells])


def unit_prices(cell: Cell) -> str:
    """Write what a million units cost on either side."""
    theirs, ours = (
        number(Decimal(f"{amount * 10**6 / quantity:.6g}")) if amount and quantity else "nothing"
        for amount, quantity in (
            (cell.invoiced_amount, cell.invoiced_quantity),
            (cell.booked_amount, cell.booked_quantity),
        )
    )
    return f"{cell.meter} at {theirs} a million, booked at {ours}"


def calls(count: int, one: str, more: str) -> str:
    """Write how many calls do what *one* says of one, and *more* of several."""
    return f"1 call {one}" if count == 1 else f"{count:,} calls {more}"


def evidence(account: Account, day: date) -> str:
    """Write what else is known of the calls of *day*, as a part of a sentence."""
    known = account.evidence(day)
    parts = [f"requests billed: {number(known.requests)}, calls seen: {known.calls:,}"] if known.requests else []
    parts += [calls(known.silent_calls, "says no usage", "say no usage")] if known.silent_calls else []
    if known.duplicates:
        spans = "1 span is" if known.duplicates == 1 else f"{known.duplicates:,} spans are"
        parts.append(f"{spans} not counted, to count no call twice")
    return "".join(f"; {part}" for part in parts)


def shift(account: Account, start: date, end: date) -> str:
    """Write between which days usage was shifted, and how near to midnight there was a call."""
    last = account.evidence(start).last_start
    when = f" The last call of {start} started at {last:%H:%M:%S} UTC." if last else ""
    return f"What one day has too much from {start} to {end}, another one lacks.{when}"
