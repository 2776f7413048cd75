"""From when a term holds that a person gives by itself, and what begins anew with it."""

from collections.abc import Sequence
from datetime import UTC, datetime

from botanu.errors import PriceError
from botanu.pricing.own_prices import Alias
from botanu.pricing.price_list import PriceList
from botanu.pricing.terms import Term, above_of, bare, first_instant, start_of, starting, subject

_BEGINNING = datetime.min.replace(tzinfo=UTC)


def placed(term: Term, known: PriceList, now: datetime) -> list[Term]:
    """Return what is to be recorded for *term*, itself last: with its first instant, and perhaps with its tiers.

    One that names no instant and says what is in force already stays as it is in force. Otherwise ``first_instant``
    says from when it holds. A tier above a threshold joins the price that it is a tier of.

    Raises:
        PriceError: it is a tier, and there is no price that it is a tier of.
    """
    if isinstance(term, Alias):
        return [term]
    recorded: list[Term] = [*known.terms.prices, *known.terms.discounts]
    same = [old for old in recorded if subject(old) == subject(term)]
    if above_of(term):
        return _tiers(term, same, now)
    if term.valid_from is not None:
        return [term]
    held = [old for old in _in_force(same, now) if bare(old) == bare(term)]
    return held or [starting(term, first_instant(term, known, now))]


def _tiers(term: Term, same: Sequence[Term], now: datetime) -> list[Term]:
    """Return a price above a threshold as part of the price from the same instant on.

    One that names no instant joins the latest; where that has another tier above the same threshold already, all tiers
    begin anew, so that the old ones keep their time.
    """
    start = start_of(term)
    tiers = [old for old in same if start_of(old) == start] if start else _in_force(same, now)
    if not any(above_of(old) == 0 for old in tiers):
        when = " from the same instant on" if start else ""
        raise PriceError(f"a price above {above_of(term)} is a tier of the one for any input{when}: set that first")
    joined = starting(term, start_of(tiers[0]))
    others = [old for old in tiers if above_of(old) != above_of(term)]
    if start or len(others) == len(tiers) or any(bare(old) == bare(term) for old in tiers):
        return [joined]
    return [starting(each, now) for each in (*others, term)]


def _in_force(same: Sequence[Term], now: datetime) -> list[Term]:
    """Return which of several terms of one subject is in force, with its tiers."""
    begun = [old for old in same if (start_of(old) or _BEGINNING) <= now]
    latest = max((start_of(old) or _BEGINNING for old in begun), default=None)
    return list({above_of(old): old for old in begun if (start_of(old) or _BEGINNING) == latest}.values())
