"""Prices that match what is asked for: the user's own, and those of the price list."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from fnmatch import fnmatchcase
from typing import Any, Self

from botanu.pricing.matching import provider_id
from botanu.pricing.own_prices import ANY
from botanu.pricing.price_list import PriceList
from botanu.pricing.rate_card import RateCard, Tier, periods
from botanu.query.window import parse_instant
from botanu.server import plain
from botanu.server.plain import Plain
from botanu.store.protocol import Store
from botanu.store.term_statements import LISTED

LIST = "list"
"""Origin of a price of the price list."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is asked for: a provider and a model, which may have ``*`` for any letters, and an instant."""

    provider: str | None
    model: str | None
    at: datetime | None

    @classmethod
    def of(cls, provider: str | None, model: str | None, at: str | None) -> Self:
        """Read what a person wrote.

        Raises:
            QueryError: *at* is no date or instant.
        """
        billed_by, billed = (name.strip().lower() if name else None for name in (provider, model))
        return cls(billed_by, billed, None if at is None else parse_instant(at))

    def covers(self, provider: str, model: str) -> bool:
        """Return whether a price for these names is asked for; they may have ``*`` as well."""
        named = self.provider and (self.provider, provider_id(self.provider))
        return (not named or any(_meet(name, provider) for name in named)) and (
            not self.model or _meet(self.model, model)
        )

    def holds(self, start: datetime | None, end: datetime | None) -> bool:
        """Return whether what holds from *start* until *end* holds at the instant that is asked for."""
        return self.at is None or ((start is None or start <= self.at) and (end is None or self.at < end))


def _meet(one: str, other: str) -> bool:
    return fnmatchcase(one, other) or fnmatchcase(other, one)


def listed(prices: PriceList, store: Store, wanted: Wanted, *, own: bool) -> Plain:
    """Return the terms and prices that are *wanted*; the price list is told only where a provider is named."""
    rows = store.query(LISTED).to_pylist()
    told = [_own(row) for row in rows if _is_wanted(row, wanted)]
    by_kind = {
        name: [row for row in told if row["kind"] == kind]
        for name, kind in (("prices", "price"), ("discounts", "discount"), ("aliases", "alias"))
    }
    if not own and wanted.provider is not None:
        by_kind["prices"] += _of_the_list(prices, wanted)
    return plain.document(by_kind)


def _is_wanted(row: Mapping[str, Any], wanted: Wanted) -> bool:
    return wanted.covers(row["provider"], row["model"]) and wanted.holds(row["valid_from"], row["valid_to"])


def _own(row: Mapping[str, Any]) -> Plain:
    fields = {name: _short(value) if isinstance(value, Decimal) else value for name, value in row.items()}
    return {"id": fields.pop("term_id"), **fields}


def _short(number: Decimal) -> Decimal:
    """Return *number* without the zeros its column adds."""
    return number.normalize() if number else Decimal(0)


def _of_the_list(prices: PriceList, wanted: Wanted) -> list[Plain]:
    return [
        _of_tier(tier, end)
        for card in _cards(prices, wanted)
        for tier, end in _tiers(card)
        if wanted.holds(tier.valid_from, end)
    ]


def _cards(prices: PriceList, wanted: Wanted) -> Iterator[RateCard]:
    """Yield the rate cards that are wanted; a whole name may be another one of the model."""
    exact = None
    if wanted.model and ANY not in wanted.model:
        exact = prices.catalog.card(wanted.provider, wanted.model)
    for card in prices.catalog.cards():
        if exact is not None:
            if (card.provider, card.model) == (exact.provider, exact.model):
                yield card
        elif wanted.covers(card.provider, card.model):
            yield card


def _tiers(card: RateCard) -> Iterator[tuple[Tier, datetime | None]]:
    for layer in card.layers:
        for prices, end in periods(layer):
            for tiers in prices.prices.values():
                yield from ((tier, end) for tier in tiers)


def _of_tier(tier: Tier, end: datetime | None) -> Plain:
    names = ("provider", "model", "meter", "amount", "per", "above", "currency", "tenant_id", "service_tier")
    fields = {name: getattr(tier, name) for name in (*names, "valid_from", "source")}
    hours = tier.hours and " to ".join(f"{moment:%H:%M}" for moment in tier.hours)
    return {"id": tier.id, "kind": "price", **fields, "valid_to": end, "hours": hours, "origin": LIST}
