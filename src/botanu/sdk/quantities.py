"""Numbers as programs have them, made fit to be recorded. One that is not is left out, and that is logged once."""

from __future__ import annotations

import math
from dataclasses import dataclass
from decimal import Decimal
from operator import index
from typing import TYPE_CHECKING, Any, Generic, SupportsFloat, SupportsIndex, TypeVar

from botanu.sdk.guard import guard

if TYPE_CHECKING:
    from collections.abc import Callable

T = TypeVar("T")

INT64_MAX = 2**63 - 1
"""The largest whole number that an attribute holds."""

AMOUNT_DIGITS_MAX = 100
"""Most digits of an amount of money before its decimal point, and after it."""

SHOWN_MAX = 40
"""Most characters of a number that a log line shows."""


@dataclass(frozen=True, slots=True)
class Reader(Generic[T]):
    """Reads one kind of number: what it must be, and a function that returns ``None`` for what is not."""

    kind: str
    read: Callable[[Any], T | None]

    def of(self, name: str, given: object) -> T | None:
        """Return *given*, or ``None`` where it cannot be recorded as *name*."""
        try:
            number = None if isinstance(given, bool) else self.read(given)
        except Exception:  # noqa: BLE001 - the number's own code failed, and must not fail the program
            number = None
        if number is None:
            guard.say_once(f"{name} must be {self.kind}, not {_shown(given)}: not recorded", about=name)
        return number


def _whole(given: SupportsIndex | float) -> int | None:
    number = int(given) if isinstance(given, float) and given.is_integer() else int(index(given))  # type: ignore[arg-type]
    return number if 0 <= number <= INT64_MAX else None


def _quantity(given: SupportsIndex | SupportsFloat) -> int | float | None:
    number = _plain(given)
    if number > INT64_MAX:
        number = float(number)
    return number if 0 <= number < math.inf else None


def _money(given: Decimal | SupportsIndex | SupportsFloat | str) -> Decimal | None:
    amount = Decimal(given if isinstance(given, Decimal | str) else repr(_plain(given)))
    if not amount.is_finite() or amount < 0:
        return None
    fits = int(amount.as_tuple().exponent) >= -AMOUNT_DIGITS_MAX and amount.adjusted() < AMOUNT_DIGITS_MAX
    return amount.copy_abs() if fits else None


def _plain(given: Any) -> int | float:  # noqa: ANN401 - whatever is a number
    """Return *given* as Python's own number; text is none.

    The text of that, 0.1, is the amount that was meant, not the binary fraction behind it.
    """
    kind = type(given)
    return int(index(given)) if hasattr(kind, "__index__") else float(kind.__float__(given))


WHOLE = Reader("a whole number from 0", _whole)
"""What is counted one by one, such as tokens and rows."""

QUANTITY = Reader("a finite number from 0", _quantity)
"""What is counted or measured."""

MONEY = Reader("a decimal number from 0", _money)
"""An amount of money, exact."""


def _shown(given: object) -> str:
    plain = type(given) in (float, str, Decimal) or (type(given) is int and abs(given) <= INT64_MAX)
    return repr(given)[:SHOWN_MAX] if plain else type(given).__name__
