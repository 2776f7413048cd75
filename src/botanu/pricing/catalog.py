"""``genai-prices`` as rate cards.

The one file of this package that reads anything: the price list inside the installed library. It asks no
network. The library's version is part of every price's source.
"""

from collections.abc import Iterator, Sequence
from datetime import datetime, time
from decimal import Decimal
from functools import lru_cache
from importlib.metadata import version

from genai_prices.data_snapshot import DataSnapshot, get_snapshot
from genai_prices.data_units import unit_data
from genai_prices.types import (
    ConditionalPrice,
    ModelInfo,
    ModelPrice,
    PriceVariant,
    Provider,
    StartDateConstraint,
    TieredPrices,
    TimeOfDateConstraint,
)
from genai_prices.units import UnitRegistry

from botanu.pricing.matching import MAKERS, spellings
from botanu.pricing.meters import units_of
from botanu.pricing.money import CURRENCY
from botanu.pricing.rate_card import Layer, PriceSet, RateCard, Tier, first_instant_of

_BY_SERVICE_TIER = frozenset({"processing", "service_tier", "speed"})
# What a price variant may ask of a call that its service tier answers.

_LEAST_SECONDS = {("groq", "whisper-large-v3"): 10, ("groq", "whisper-large-v3-turbo"): 10}
# Of audio that are billed for each request: https://console.groq.com/docs/speech-to-text. genai-prices has this in its
# calculation, not in its data.


class Catalog:
    """Finds the rate card of a model, and remembers what it found."""

    def __init__(self) -> None:
        """Open the price list of the installed ``genai-prices``."""
        self._snapshot: DataSnapshot = get_snapshot()
        self._units = UnitRegistry(unit_data)
        self.source = f"genai-prices {version('genai-prices')}"
        self._remembered = lru_cache(maxsize=10_000)(self._find)

    def card(self, provider: str | None, model: str, service_tier: str | None = None) -> RateCard | None:
        """Return the rate card of *model* for calls of *service_tier*; ``None`` when no price is known.

        Without a *provider* the model's name decides. A provider that is not known has no prices: a model of
        the same name elsewhere may cost something else.
        """
        return self._remembered(provider, model, service_tier)

    def _find(self, provider: str | None, model: str, service_tier: str | None) -> RateCard | None:
        for billed_by, name in spellings(provider, model):
            try:
                found_provider, found_model = self._snapshot.find_provider_model(name, None, billed_by, None)
            except LookupError:
                continue
            return self._rate_card(found_provider, found_model, service_tier)
        return self._of_maker(model, service_tier) if provider is None else None

    def _of_maker(self, model: str, service_tier: str | None) -> RateCard | None:
        """Return the rate card of a model of which only the name is known, if one maker alone has it."""
        makers = [provider for provider in self._snapshot.providers if provider.id in MAKERS]
        found = [(maker, match) for maker in makers if (match := maker.find_model(model)) is not None]
        return self._rate_card(*found[0], service_tier) if len(found) == 1 else None

    def cards(self) -> Iterator[RateCard]:
        """Yield every rate card there is, with its service tiers as layers."""
        for provider in self._snapshot.providers:
            for model in provider.models:
                layers = (*self._variants(provider, model, None), self._standard(provider.id, model))
                yield RateCard(provider.id, model.id, layers)

    def _rate_card(self, provider: Provider, model: ModelInfo, service_tier: str | None) -> RateCard:
        """Return the prices of *model*; of one that *provider* sells for another, no service tiers are known."""
        own = service_tier is not None and any(model is each for each in provider.models)
        variants = tuple(self._variants(provider, model, service_tier)) if own else ()
        layers = (*variants, self._standard(provider.id, model))
        return RateCard(provider.id, model.id, layers, needs_service_tier=service_tier is not None)

    def _standard(self, provider: str, model: ModelInfo) -> Layer:
        conditional = model.prices if isinstance(model.prices, list) else [ConditionalPrice(prices=model.prices)]
        sets = tuple(self._price_set(provider, model.id, item) for item in conditional)
        return Layer(sets, always_holds=True, is_list=True)

    def _variants(self, provider: Provider, model: ModelInfo, service_tier: str | None) -> Iterator[Layer]:
        """Yield a layer for each variant of *service_tier* (or of all, where that is ``None``), the first first."""
        for variant in model.price_variants or ():
            names = set(variant.when.values())
            if len(names) == 1 and variant.when.keys() <= _BY_SERVICE_TIER:
                (name,) = names
                if service_tier in (None, name) and vars(variant.prices):
                    prices = self._price_set(provider.id, model.id, variant, name)
                    yield Layer((prices,), of_service_tier=True, is_list=True)

    def _price_set(
        self, provider: str, model: str, item: ConditionalPrice | PriceVariant, service_tier: str | None = None
    ) -> PriceSet:
        limit = item.constraint
        starts = first_instant_of(limit.start_date) if isinstance(limit, StartDateConstraint) else None
        hours = (limit.start_time, limit.end_time) if isinstance(limit, TimeOfDateConstraint) else None
        held = (starts, hours, service_tier)
        return PriceSet(self._tiers(provider, model, item.prices, held), starts, hours)

    def _tiers(
        self,
        provider: str,
        model: str,
        prices: ModelPrice,
        held: tuple[datetime | None, tuple[time, time] | None, str | None],
    ) -> dict[str, tuple[Tier, ...]]:
        starts, hours, service_tier = held
        tiers = {}
        for key, given in vars(prices).items():
            if given is None:
                continue
            unit = self._units.unit_for_price_key(key)
            tiers[unit.usage_key] = tuple(
                Tier(
                    provider,
                    model,
                    unit.usage_key,
                    above,
                    amount,
                    unit.per,
                    CURRENCY,
                    starts,
                    hours,
                    self.source,
                    service_tier,
                    least=_least(provider, model, unit.usage_key),
                )
                for above, amount in _steps(given)
            )
        return tiers


def _least(provider: str, model: str, meter: str) -> int:
    """Return the smallest quantity of *meter* that is billed, as its quantities are written."""
    return _LEAST_SECONDS.get((provider, model), 0) * units_of(meter) if meter.endswith("audio_seconds") else 0


def _steps(given: Decimal | TieredPrices) -> Sequence[tuple[int, Decimal]]:
    if isinstance(given, Decimal):
        return [(0, given)]
    return [(0, given.base), *((tier.start, tier.price) for tier in given.tiers)]
