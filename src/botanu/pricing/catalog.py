"""``genai-prices`` as rate cards.

The one file of this package that reads anything: the price list inside the installed library. It asks no
network. The library's version is part of every price's source.
"""

from collections.abc import Iterator
from datetime import date, time
from decimal import Decimal
from functools import lru_cache
from importlib.metadata import version

from genai_prices.data_snapshot import DataSnapshot, get_snapshot
from genai_prices.data_units import unit_data
from genai_prices.types import (
    ConditionalPrice,
    ModelInfo,
    ModelPrice,
    StartDateConstraint,
    TieredPrices,
    TimeOfDateConstraint,
)
from genai_prices.units import UnitRegistry

from botanu.pricing.matching import provider_id
from botanu.pricing.money import CURRENCY
from botanu.pricing.rate_card import PriceSet, RateCard, Tier


class Catalog:
    """Finds the rate card of a model, and remembers what it found."""

    def __init__(self) -> None:
        """Open the price list of the installed ``genai-prices``."""
        self._snapshot: DataSnapshot = get_snapshot()
        self._units = UnitRegistry(unit_data)
        self.source = f"genai-prices {version('genai-prices')}"
        self._remembered = lru_cache(maxsize=10_000)(self._find)

    def card(self, provider: str | None, model: str) -> RateCard | None:
        """Return the rate card of *model*; ``None`` when no price is known.

        Without a *provider* the model's name decides. A provider that is not known has no prices: a model of
        the same name elsewhere may cost something else.
        """
        return self._remembered(provider, model)

    def _find(self, provider: str | None, model: str) -> RateCard | None:
        key = provider_id(provider) if provider else None
        try:
            found_provider, found_model = self._snapshot.find_provider_model(model, None, key, None)
        except LookupError:
            return None
        return self._rate_card(found_provider.id, found_model)

    def cards(self) -> Iterator[RateCard]:
        """Yield every rate card there is."""
        for provider in self._snapshot.providers:
            for model in provider.models:
                yield self._rate_card(provider.id, model)

    def _rate_card(self, provider: str, model: ModelInfo) -> RateCard:
        conditional = model.prices if isinstance(model.prices, list) else [ConditionalPrice(prices=model.prices)]
        sets = []
        for item in conditional:
            starts = item.constraint.start_date if isinstance(item.constraint, StartDateConstraint) else None
            hours = (
                (item.constraint.start_time, item.constraint.end_time)
                if isinstance(item.constraint, TimeOfDateConstraint)
                else None
            )
            sets.append(PriceSet(self._tiers(provider, model.id, item.prices, starts, hours), starts, hours))
        return RateCard(provider, model.id, tuple(sets))

    def _tiers(
        self, provider: str, model: str, prices: ModelPrice, starts: date | None, hours: tuple[time, time] | None
    ) -> dict[str, tuple[Tier, ...]]:
        tiers = {}
        for key, given in vars(prices).items():
            if given is None:
                continue
            unit = self._units.unit_for_price_key(key)
            tiers[unit.usage_key] = tuple(
                Tier(provider, model, unit.usage_key, above, amount, unit.per, CURRENCY, starts, hours, self.source)
                for above, amount in _steps(given)
            )
        return tiers


def _steps(given: Decimal | TieredPrices) -> list[tuple[int, Decimal]]:
    if isinstance(given, Decimal):
        return [(0, given)]
    return [(0, given.base), *((tier.start, tier.price) for tier in given.tiers)]
