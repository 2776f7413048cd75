"""What the user says of prices, as it is kept: each term has a name, an origin, and an instant from which it holds."""

from collections.abc import Iterable
from dataclasses import astuple, dataclass, replace
from datetime import datetime
from hashlib import blake2s

from botanu.pricing.matching import provider_id
from botanu.pricing.meters import priced_as
from botanu.pricing.own_prices import ANY, Alias, OwnDiscount, OwnPrice, Scope
from botanu.pricing.price_list import OwnTerms, PriceList
from botanu.pricing.rate_card import RateCard

Term = OwnPrice | OwnDiscount | Alias

BY_HAND = "set"
"""Origin of what was said by command or over HTTP. Everything else comes from a file, and has its name as origin."""


@dataclass(frozen=True, slots=True)
class Recorded:
    """A term as it was recorded: where it is from, and when."""

    term: Term
    origin: str
    recorded_at: datetime

    @property
    def is_dated(self) -> bool:
        """Return whether its first instant was given. Otherwise it holds always, or from when it was recorded."""
        return start_of(self.term) not in (None, self.recorded_at)


def term_id(term: Term) -> str:
    """Return sixteen characters that name exactly this term, whatever its source; of a price its ``price_id``."""
    if isinstance(term, OwnPrice):
        return term.tier().id
    said = astuple(term)[:-1]  # all but the source
    content = "\x1f".join(map(str, (type(term).__name__, *said)))
    return blake2s(content.encode(), digest_size=8).hexdigest()


def subject(term: Term) -> tuple[object, ...]:
    """Return what a term is about, whenever it holds: of several with one subject a later one takes the place."""
    if isinstance(term, Alias):
        return Alias, term.provider, term.model
    return type(term), term.scope, term.meter


def start_of(term: Term) -> datetime | None:
    """Return the first instant of a term; ``None``: always."""
    return None if isinstance(term, Alias) else term.valid_from


def above_of(term: Term) -> int:
    """Return above how many input tokens a term holds."""
    return term.above if isinstance(term, OwnPrice) else 0


def starting(term: Term, start: datetime | None) -> Term:
    """Return *term* from another first instant on; an alias has none."""
    return term if isinstance(term, Alias) else replace(term, valid_from=start)


def bare(term: Term) -> Term:
    """Return *term* without its first instant and its source: what it says."""
    return replace(starting(term, None), source="")


def own_terms(terms: Iterable[Term]) -> OwnTerms:
    """Return *terms*, given in order of recording, by kind."""
    told = list(terms)
    return OwnTerms(
        tuple(term for term in told if isinstance(term, OwnPrice)),
        tuple(term for term in told if isinstance(term, OwnDiscount)),
        tuple(term for term in told if isinstance(term, Alias)),
    )


def first_instant(term: Term, known: PriceList, now: datetime) -> datetime | None:
    """Return from when a term holds that names no instant itself; ``None``: always.

    A price where none was *known* holds for all time: before it the cost was unknown, so nothing is rewritten. Any
    other one holds from *now* on, and so does a discount: what was booked before reads the same tomorrow.
    """
    if isinstance(term, OwnPrice):
        return now if _is_known(term, known) else None
    return now if isinstance(term, OwnDiscount) else None


def _is_known(price: OwnPrice, known: PriceList) -> bool:
    """Return whether what *price* is for had a price already."""
    scope, meters = price.scope, priced_as(price.meter)
    providers = (scope.provider, provider_id(scope.provider))
    own = (old for old in known.terms.prices if old.meter in meters and old.scope.service_tier == scope.service_tier)
    if any(old.scope.covers(providers, (scope.model,), scope.tenant_id, scope.service_tier) for old in own):
        return True
    return any(_has(card, meters, scope.service_tier) for card in _listed(scope, known))


def _listed(scope: Scope, known: PriceList) -> Iterable[RateCard]:
    """Yield the rate cards of the price list that *scope* is for."""
    if ANY in scope.model or (ANY in scope.provider and scope.provider != ANY):
        for card in known.catalog.cards():
            if scope.covers((card.provider,), (card.model,), scope.tenant_id, scope.service_tier):
                yield card
        return
    provider = None if scope.provider == ANY else scope.provider
    card_of_one = known.catalog.card(provider, scope.model, scope.service_tier)
    if card_of_one is not None:
        yield card_of_one


def _has(card: RateCard, meters: Iterable[str], service_tier: str | None) -> bool:
    held = [prices.prices[meter] for prices in card.sets for meter in meters if meter in prices.prices]
    return any(tiers[0].service_tier == service_tier for tiers in held)
