"""Money per unit of each value type, from when."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from typing import Self

from botanu.errors import PriceError
from botanu.pricing.money import CURRENCY, round_to_nano

VALUE_MAX = Decimal(10) ** 7
"""A value per unit stays below this, so that times an amount it fits the column for values."""

BEGINNING = datetime(1970, 1, 1, tzinfo=UTC)
"""Where a value without a first day begins."""


@dataclass(frozen=True, slots=True)
class UnitValue:
    """What one unit of *value_type* is worth from *valid_from* on, for one workflow or (``None``) for all.

    It holds until *valid_to*, where the next value begins; one that begins and ends at the same instant was
    corrected. Of two that hold, the one for the workflow goes before the general one.
    """

    value_type: str
    amount: Decimal
    currency: str
    valid_from: datetime
    workflow: str | None = None
    source: str = "set"
    valid_to: datetime | None = None

    @classmethod
    def of(
        cls,
        value_type: str,
        amount: object,
        *,
        valid_from: datetime,
        currency: str = CURRENCY,
        workflow: str | None = None,
        source: str = "set",
    ) -> Self:
        """Check what a person wrote, and build a value from it.

        Raises:
            PriceError: *value_type* is empty, *amount* is no number in range, *currency* is not that of the costs, or
                *valid_from* has no time zone.
        """
        if not value_type.strip():
            raise PriceError("a value needs the value type that outcomes name, such as orders_fulfilled")
        try:
            exact = Decimal(str(amount))
        except (InvalidOperation, ValueError):
            wrong = "its amount is missing" if amount is None else f"it must be a number, not {amount!r}"
            raise PriceError(f"value of {value_type!r}: {wrong}") from None
        if not exact.is_finite() or abs(exact) >= VALUE_MAX:
            raise PriceError(f"value of {value_type!r} must be below {VALUE_MAX:,}, not {amount}")
        if exact != round_to_nano(exact):
            raise PriceError(f"value of {value_type!r} must have at most nine decimals, not {amount}")
        if currency.upper() != CURRENCY:
            raise PriceError(f"value of {value_type!r} is in {currency}, costs are in {CURRENCY}: convert it first")
        if valid_from.tzinfo is None:
            raise PriceError(f"value of {value_type!r}: {valid_from} needs a time zone")
        return cls(value_type, round_to_nano(exact), CURRENCY, valid_from.astimezone(UTC), workflow, source)


def first_instant(known: Sequence[UnitValue], value_type: str, workflow: str | None, now: datetime) -> datetime:
    """Return from when a value holds that names no day itself.

    The first value of its type holds for all time: before it the value was unknown, so nothing is rewritten. A later
    one holds from *now* on: what was reported before reads the same tomorrow.
    """
    earlier = any(value.value_type == value_type and value.workflow == workflow for value in known)
    return now if earlier else BEGINNING
