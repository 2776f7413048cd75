"""What to do about usage without a price, as commands."""

import shlex
from collections.abc import Collection, Iterable
from datetime import UTC, datetime

from botanu.pricing.meters import priced_as
from botanu.pricing.notes import Note

_BY_PRICE = frozenset({Note.NO_PRICE, Note.NO_METER_PRICE, Note.NO_SERVICE_TIER_PRICE})
# What a price is a remedy for; what reports no usage, or a cost that cannot be used, is mended in the program.


def commands(
    provider: str | None,
    model: str | None,
    meters: Iterable[str],
    notes: Collection[str],
    since: datetime,
    service_tier: str | None = None,
) -> list[str]:
    """Return the commands that give calls a price, and then what was booked since *since* its cost.

    Empty where no price would help. A price for a whole holds for its parts as well, so it is that which is asked for.
    """
    if not _BY_PRICE.intersection(notes):
        return []
    wholes = dict.fromkeys(priced_as(meter)[-1] for meter in meters)
    tier = ["--service-tier", service_tier] if service_tier else []
    prices = [["set", provider or "*", model or "*", meter, "AMOUNT", *_per(meter), *tier] for meter in wholes]
    given = [shlex.join(["botanu", "prices", *words]) for words in prices]
    return [*given, f"botanu recost --from {since.astimezone(UTC):%Y-%m-%d}"] if given else []


def _per(meter: str) -> list[str]:
    """Return for how many units prices of *meter* are usually given, where that is not one."""
    return ["--per", "1000000"] if meter.endswith("_tokens") else []
