"""All prices there are: the user's own, and behind them those of the price list."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import lru_cache

from botanu.pricing.catalog import Catalog
from botanu.pricing.matching import provider_id
from botanu.pricing.own_prices import ANY, Alias, OwnDiscount, OwnPrice, Scope, discounts, layers
from botanu.pricing.rate_card import RateCard


@dataclass(frozen=True, slots=True)
class OwnTerms:
    """All that the user says of prices."""

    prices: tuple[OwnPrice, ...] = ()
    discounts: tuple[OwnDiscount, ...] = ()
    aliases: tuple[Alias, ...] = ()


NO_TERMS = OwnTerms()


@dataclass(frozen=True, slots=True)
class Kind:
    """What decides on the prices of a call, besides its time: its names, its tenant, its service tier.

    *models* are names of the model, the preferred first. One that is not *is_listed* is no model: of a tool, a database
    or a queue only the user's own prices are asked.
    """

    provider: str | None
    models: tuple[str, ...]
    tenant_id: str | None = None
    service_tier: str | None = None
    is_listed: bool = True


class PriceList:
    """Finds the rate card for a kind of call, and remembers what it found. Nothing of it ever changes."""

    def __init__(self, catalog: Catalog, terms: OwnTerms = NO_TERMS) -> None:
        """Put *terms* before the prices of *catalog*."""
        self.catalog = catalog
        self.terms = terms
        self._layers = layers(terms.prices)
        self._discounts = discounts(terms.discounts)
        self._aliases = {(alias.provider, alias.model): alias for alias in terms.aliases}
        self._tenants = {scope.tenant_id for scope, _ in (*self._layers, *self._discounts)}
        self._remembered = lru_cache(maxsize=10_000)(self._find)
        self.has_services = any(scope.provider != ANY for scope, _ in self._layers)
        """Whether there may be prices for what is no model."""

    def card(self, kind: Kind) -> RateCard | None:
        """Return the prices of a *kind* of call: those of the first of its models that has any."""
        return self._remembered(kind if kind.tenant_id in self._tenants else replace(kind, tenant_id=None))

    def _find(self, kind: Kind) -> RateCard | None:
        found = (self._card(kind, model) for model in kind.models)
        return next((card for card in found if card is not None), None)

    def _card(self, kind: Kind, model: str) -> RateCard | None:
        provider, model = self._unaliased(kind.provider, model)
        listed = self.catalog.card(provider, model, kind.service_tier) if kind.is_listed else None
        names = _names(provider, model, listed)
        own = [layer for scope, layer in self._layers if _covers(scope, names, kind)]
        if not own:
            return listed if listed is None or not self._discounts else self._discounted(listed, names, kind)
        ordered = sorted([*own, *(listed.layers if listed else ())], key=lambda layer: not layer.of_service_tier)
        card = RateCard(
            listed.provider if listed else (provider or ""),
            listed.model if listed else model,
            tuple(ordered),
            needs_service_tier=kind.service_tier is not None,
        )
        return self._discounted(card, names, kind)

    def _discounted(self, card: RateCard, names: "_Names", kind: Kind) -> RateCard:
        held = tuple(discount for scope, discount in self._discounts if _covers(scope, names, kind))
        return replace(card, discounts=held) if held else card

    def _unaliased(self, provider: str | None, model: str) -> tuple[str | None, str]:
        """Return the names behind an alias, or the names themselves."""
        for named in dict.fromkeys(((provider or ANY).lower(), provider_id(provider) if provider else ANY, ANY)):
            alias = self._aliases.get((named, model.strip().lower()))
            if alias is not None:
                return alias.as_provider or provider, alias.as_model
        return provider, model


_Names = tuple[Sequence[str], Sequence[str]]


def _names(provider: str | None, model: str, listed: RateCard | None) -> _Names:
    """Return all names that own prices may use: as the call says them, and as the price list does."""
    given = provider.strip().lower() if provider else ""
    providers = [given, provider_id(provider) if provider else "", listed.provider if listed else ""]
    return list(dict.fromkeys(providers)), [model.strip().lower(), listed.model if listed else model.strip().lower()]


def _covers(scope: Scope, names: _Names, kind: Kind) -> bool:
    return scope.covers(*names, kind.tenant_id, kind.service_tier)
