"""Fixed and shared costs: what a reserved GPU, a vector database or seats cost in a period, and who bears it."""

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal, InvalidOperation
from enum import StrEnum
from typing import Any, Self

from botanu.errors import PriceError
from botanu.pricing.money import CURRENCY, round_to_nano

AMOUNT_MAX = Decimal(10) ** 12
"""A shared cost stays below this, so that allocating it never leaves the engine's whole numbers."""

PERIOD_KEYS = ("month", "from", "to")
"""What names a period: the first, or the other two."""

KEYS = ("name", "amount", "currency", *PERIOD_KEYS, "by", "workflow", "customer_id", "environment")
"""What an entry may say."""

_MONTH = re.compile(r"([0-9]{4})-(0[1-9]|1[0-2])")
_CODE = re.compile(r"[A-Z]{3}")


class Basis(StrEnum):
    """What a shared cost is allocated by."""

    TOKENS = "tokens"
    SECONDS = "seconds"
    CALLS = "calls"
    EQUAL = "equal"


@dataclass(frozen=True, slots=True)
class SharedCost:
    """What something costs in all from *period_start* to before *period_end*, to be allocated to the runs in it.

    Where it names a workflow, a customer or an environment, only the runs of that bear it. Of a name and a period there
    is one at a time: another one replaces it.
    """

    name: str
    amount: Decimal
    currency: str
    period_start: datetime
    period_end: datetime
    basis: str
    workflow: str | None = None
    customer_id: str | None = None
    environment: str | None = None
    source: str = "set"
    recorded_at: datetime | None = None
    withdrawn_at: datetime | None = None

    @classmethod
    def of(cls, given: Mapping[str, object], *, source: str = "set") -> Self:
        """Check what a person wrote, and build a shared cost from it.

        *given* has ``name``, ``amount``, ``by`` and a period: ``month``, or ``from`` and ``to``. It may have
        ``currency``, ``workflow``, ``customer_id`` and ``environment``. Months are UTC's, and so is a time without a
        zone.

        Raises:
            PriceError: something is missing, unknown or cannot be meant; the message lists every fault.
        """
        faults = []
        if unknown := sorted(given.keys() - set(KEYS)):
            faults.append(f"unknown {', '.join(unknown)}; known: {', '.join(KEYS)}")
        read = {}
        for name, reader in _READERS.items():
            try:
                read[name] = reader(given)
            except PriceError as error:
                faults.append(str(error))
        if faults:
            raise PriceError(f"shared cost {given.get('name')!r}: {'; '.join(faults)}")
        start, end = read.pop("period")
        return cls(**read, period_start=start, period_end=end, source=source)

    @property
    def key(self) -> tuple[str, datetime, datetime]:
        """What there is one of at a time: the name and the period."""
        return self.name, self.period_start, self.period_end

    @property
    def period(self) -> str:
        """The period as a person writes it: a month, days, or instants, in UTC."""
        return period_text(self.period_start, self.period_end)

    def overlaps(self, other: "SharedCost") -> bool:
        """Return whether *other* has this one's name and a part of its period, but not all of it."""
        meet = self.period_start < other.period_end and other.period_start < self.period_end
        return self.name == other.name and self.key != other.key and meet


def overlapping(costs: Iterable[SharedCost]) -> list[str]:
    """Return a fault for each two of *costs* that have one name and periods that overlap, and what to do."""
    faults = []
    before: list[SharedCost] = []
    for cost in sorted(costs, key=lambda each: each.key):
        faults += [
            f"shared cost {cost.name!r}: {other.period} and {cost.period} overlap, so a part would be allocated twice: "
            "withdraw one, or give it another name"
            for other in before
            if cost.overlaps(other)
        ]
        before.append(cost)
    return faults


def period_of(given: Mapping[str, object]) -> tuple[datetime, datetime]:
    """Return the first instant of the period that *given* names, and the first instant after it.

    Raises:
        PriceError: it names none, two, or one without any time in it.
    """
    month, since, until = (given.get(name) for name in ("month", "from", "to"))
    if month is not None:
        if since is not None or until is not None:
            raise PriceError("give either month, or from and to")
        return _month(month)
    if since is None or until is None:
        raise PriceError("give the period as month, such as 2026-11, or as from and to")
    start, end = _instant(since, "from"), _instant(until, "to")
    if start >= end:
        raise PriceError(f"from must be before to: from {since} to {until} there is no time")
    return start, end


def period_text(start: datetime, end: datetime) -> str:
    """Write a period as short as it can be given: ``2026-11``, ``2026-11-01 to 2026-11-15``, or with instants."""
    if (start.day, start.timetz(), end) == (1, _MIDNIGHT, _month_after(start)):
        return f"{start:%Y-%m}"
    days = start.timetz() == end.timetz() == _MIDNIGHT
    return " to ".join(moment.date().isoformat() if days else moment.isoformat() for moment in (start, end))


_MIDNIGHT = time(tzinfo=UTC)


def _month_after(first: datetime) -> datetime:
    return (first + timedelta(days=31)).replace(day=1)


def _month(given: object) -> tuple[datetime, datetime]:
    match = _MONTH.fullmatch(str(given))
    if match is None or not 1 <= int(match[1]) < date.max.year:
        raise PriceError(f"month must be one such as 2026-11, not {given!r}")
    start = datetime(int(match[1]), int(match[2]), 1, tzinfo=UTC)
    return start, _month_after(start)


def _instant(given: object, name: str) -> datetime:
    try:
        moment = datetime.fromisoformat(str(given) if isinstance(given, str | date) else "")
        moment = moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    except (ValueError, OverflowError):
        moment = datetime.max.replace(tzinfo=UTC)
    if moment.year == date.max.year:  # so that a month after it is a date, too
        raise PriceError(
            f"{name} must be a date such as 2026-11-01 or an instant such as 2026-11-01T12:00Z, not {_quoted(given)}"
        )
    return moment


def _name(given: Mapping[str, object]) -> str:
    name = given.get("name")
    if name is None:
        raise PriceError("name is missing: say what it is, such as gpu-reserved")
    if not isinstance(name, str) or not name.strip():
        raise PriceError(f"name must be text, not {name!r}")
    return name.strip()


def _amount(given: Mapping[str, object]) -> Decimal:
    amount = given.get("amount")
    if amount is None:
        raise PriceError("amount is missing: say what it costs in all in its period")
    try:
        exact = Decimal(str(amount))
    except InvalidOperation:
        raise PriceError(f"amount must be a number, not {amount!r}") from None
    if not (exact.is_finite() and 0 <= exact < AMOUNT_MAX):
        raise PriceError(f"amount must be 0 or more and below {AMOUNT_MAX:,}, not {amount}")
    if exact != round_to_nano(exact):
        raise PriceError(f"amount must have at most nine decimals, not {amount}")
    return round_to_nano(exact)


def _currency(given: Mapping[str, object]) -> str:
    code = given.get("currency")
    if code is None:
        return CURRENCY
    if not isinstance(code, str) or not _CODE.fullmatch(code.strip().upper()):
        raise PriceError(f"currency must be a code such as {CURRENCY}, not {code!r}")
    return code.strip().upper()


def _basis(given: Mapping[str, object]) -> str:
    words = ", ".join(Basis)
    by = given.get("by")
    if by is None:
        raise PriceError(f"by is missing: say what it is allocated by, one of {words}")
    if by not in tuple(Basis):
        raise PriceError(f"by must be one of {words}, not {by!r}")
    return str(by)


def _text(name: str) -> Callable[[Mapping[str, object]], str | None]:
    def read(given: Mapping[str, object]) -> str | None:
        text = given.get(name)
        if text is not None and (not isinstance(text, str) or not text):
            raise PriceError(f"{name} must be text, not {text!r}; leave it away if all bear the cost")
        return text

    return read


def _quoted(given: object) -> str:
    return repr(given) if isinstance(given, str) else str(given)


_READERS: Mapping[str, Callable[[Mapping[str, object]], Any]] = {
    "name": _name,
    "amount": _amount,
    "currency": _currency,
    "period": period_of,
    "basis": _basis,
    "workflow": _text("workflow"),
    "customer_id": _text("customer_id"),
    "environment": _text("environment"),
}
