"""Prices, discounts and names that the user gives: they go before the price list.

Each says for which calls it is: a provider, a model, a meter, and perhaps one tenant or one service tier. Names may
have ``*`` for any letters. Of several that fit, the most specific counts.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from fnmatch import fnmatchcase
from typing import Self

from botanu.errors import PriceError
from botanu.pricing.meters import RESTS
from botanu.pricing.rate_card import Discount, Layer, PriceSet, Tier

ANY = "*"

PRICE_MAX = Decimal(10) ** 12
"""A price stays below this, so that it fits its column."""

PRICE_PLACES = 18
"""Decimals of a price."""

CURRENCY_LETTERS = 3


@dataclass(frozen=True, slots=True)
class Scope:
    """For which calls something is: those of *provider* and *model* (with ``*``), perhaps of one tenant or tier."""

    provider: str = ANY
    model: str = ANY
    tenant_id: str | None = None
    service_tier: str | None = None

    def covers(self, providers: Iterable[str], models: Iterable[str], tenant_id: str | None, tier: str | None) -> bool:
        """Return whether a call with one of these names is meant."""
        return (
            self.tenant_id in (None, tenant_id)
            and self.service_tier in (None, tier)
            and any(fnmatchcase(name, self.provider) for name in providers)
            and any(fnmatchcase(name, self.model) for name in models)
        )

    @property
    def rank(self) -> tuple[bool, bool, int, int]:
        """How specific it is: the greater the rank, the sooner it counts."""
        return (
            self.service_tier is not None,
            self.tenant_id is not None,
            _letters(self.model),
            _letters(self.provider),
        )


def _letters(pattern: str) -> int:
    """Return how much of a name *pattern* fixes; a whole name is more than any pattern."""
    return len(pattern) + 1000 if ANY not in pattern else len(pattern.replace(ANY, ""))


@dataclass(frozen=True, slots=True)
class OwnPrice:
    """What *per* units of a meter cost, from *valid_from* on (``None``: always, until a later one).

    *above* is the tier: it holds for all of a call with more input tokens than this.
    """

    scope: Scope
    meter: str
    amount: Decimal
    currency: str
    per: int = 1
    above: int = 0
    valid_from: datetime | None = None
    source: str = "set"

    @classmethod
    def of(cls, given: Mapping[str, object], *, source: str) -> Self:
        """Check what a person wrote, and build a price from it.

        *given* has ``provider``, ``meter`` and ``amount``, and may have ``model``, ``per``, ``currency``, ``above``,
        ``from``, ``tenant_id``, ``service_tier`` and ``source``.

        Raises:
            PriceError: something is missing, unknown, or no price.
        """
        fields = _known(given, _PRICE_KEYS, "price")
        what = f"price of {fields.get('meter')!r} for {fields.get('provider')}/{fields.get('model', ANY)}"
        return cls(
            scope_of(fields),
            _meter(_text(fields, "meter", what), what),
            _amount(fields.get("amount"), what),
            _currency(fields.get("currency", "USD"), what),
            _whole(fields.get("per", 1), "per", what, least=1),
            _whole(fields.get("above", 0), "above", what, least=0),
            instant_of(fields.get("from"), what),
            str(fields.get("source") or source),
        )

    def tier(self) -> Tier:
        """Return it as a tier of a rate card."""
        return Tier(
            self.scope.provider,
            self.scope.model,
            self.meter,
            self.above,
            self.amount,
            self.per,
            self.currency,
            self.valid_from,
            None,
            self.source,
            self.scope.service_tier,
            self.scope.tenant_id,
        )


@dataclass(frozen=True, slots=True)
class OwnDiscount:
    """Per cent off the list prices of what *scope* covers, of one *meter* or (``None``) of all, from an instant on."""

    scope: Scope
    percent: Decimal
    meter: str | None = None
    valid_from: datetime | None = None
    source: str = "set"

    @classmethod
    def of(cls, given: Mapping[str, object], *, source: str) -> Self:
        """Check what a person wrote, and build a discount from it.

        *given* has ``percent``, and may have ``provider``, ``model``, ``meter``, ``from``, ``tenant_id``,
        ``service_tier`` and ``source``.

        Raises:
            PriceError: something is missing, unknown, or no percentage.
        """
        fields = _known(given, _DISCOUNT_KEYS, "discount")
        what = f"discount for {fields.get('provider', ANY)}/{fields.get('model', ANY)}"
        percent = _decimal(fields.get("percent"), what)
        if not -1000 <= percent <= 100:  # noqa: PLR2004 - at most all of it; less than nothing is a surcharge
            raise PriceError(f"{what}: percent must be from -1000 (a surcharge) to 100, not {percent}")
        meter = fields.get("meter")
        return cls(
            scope_of(fields),
            percent.normalize() if percent else Decimal(0),
            None if meter is None else _meter(str(meter), what),
            instant_of(fields.get("from"), what),
            str(fields.get("source") or source),
        )


@dataclass(frozen=True, slots=True)
class Alias:
    """Another name: calls of *provider* and *model* are priced as those of *as_provider* and *as_model*.

    For deployments and profiles, whose names say nothing of the model behind them.
    """

    provider: str
    model: str
    as_model: str
    as_provider: str | None = None
    source: str = "set"

    @classmethod
    def of(cls, given: Mapping[str, object], *, source: str) -> Self:
        """Check what a person wrote, and build an alias from it.

        Raises:
            PriceError: something is missing or unknown.
        """
        fields = _known(given, _ALIAS_KEYS, "alias")
        as_provider = fields.get("as_provider")
        return cls(
            str(fields.get("provider", ANY)).lower(),
            _text(fields, "model", "alias").lower(),
            _text(fields, "as_model", "alias"),
            None if as_provider is None else str(as_provider),
            str(fields.get("source") or source),
        )


_PRICE_KEYS = frozenset(
    {
        "provider", "model", "meter", "amount", "per", "currency", "above", "from", "tenant_id", "service_tier",
        "source",
    }
)  # fmt: skip
_DISCOUNT_KEYS = frozenset({"provider", "model", "meter", "percent", "from", "tenant_id", "service_tier", "source"})
_ALIAS_KEYS = frozenset({"provider", "model", "as_provider", "as_model", "source"})


def layers(prices: Iterable[OwnPrice]) -> list[tuple[Scope, Layer]]:
    """Return a layer for each scope of *prices*, the most specific first."""
    by_scope: dict[Scope, list[OwnPrice]] = {}
    for price in prices:
        by_scope.setdefault(price.scope, []).append(price)
    ordered = sorted(by_scope, key=lambda scope: (scope.rank, scope.model, scope.provider), reverse=True)
    return [(scope, Layer(_sets(by_scope[scope]), of_service_tier=scope.service_tier is not None)) for scope in ordered]


def _sets(prices: Sequence[OwnPrice]) -> tuple[PriceSet, ...]:
    """Return what holds from each instant on: for a meter all that was set for the last instant, and nothing older."""
    beginning = datetime.min.replace(tzinfo=UTC)
    starts = sorted({price.valid_from or beginning for price in prices})
    in_force: dict[str, tuple[Tier, ...]] = {}
    sets = []
    for start in starts:
        begun: dict[str, dict[int, Tier]] = {}
        for price in prices:
            if (price.valid_from or beginning) == start:
                begun.setdefault(price.meter, {})[price.above] = price.tier()
        in_force = {
            **in_force,
            **{meter: tuple(tiers[above] for above in sorted(tiers)) for meter, tiers in begun.items()},
        }
        sets.append(PriceSet(in_force, None if start == beginning else start))
    return tuple(sets)


def discounts(given: Iterable[OwnDiscount]) -> list[tuple[Scope, Discount]]:
    """Return discounts with their scopes, in the order they count: the most specific first, then the latest.

    Of two from the same instant on the one that comes last in *given* counts.
    """
    beginning = datetime.min.replace(tzinfo=UTC)
    ordered = [*given]
    ordered.reverse()  # sorting keeps the order of what is equal
    ordered.sort(key=lambda each: each.valid_from or beginning, reverse=True)
    ordered.sort(key=lambda each: (each.scope.rank, each.meter is not None), reverse=True)
    return [(each.scope, Discount(each.percent, each.meter, each.valid_from)) for each in ordered]


def scope_of(fields: Mapping[str, object]) -> Scope:
    """Return for which calls *fields* are: names of providers and models in lower case."""
    tenant, tier = fields.get("tenant_id"), fields.get("service_tier")
    return Scope(
        str(fields.get("provider", ANY)).strip().lower(),
        str(fields.get("model", ANY)).strip().lower(),
        None if tenant is None else str(tenant),
        None if tier is None else str(tier).lower(),
    )


def instant_of(given: object, what: str) -> datetime | None:
    """Return the instant that *given* (a date, an instant or ISO 8601) names; without a zone UTC."""
    if given is None or given == "":
        return None
    try:
        moment = datetime.fromisoformat(str(given))
    except ValueError:
        raise PriceError(f"{what}: from must be a date such as 2026-11-01, not {given!r}") from None
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)


def _known(given: Mapping[str, object], keys: frozenset[str], what: str) -> Mapping[str, object]:
    fields = {key: value for key, value in given.items() if value not in (None, "")}
    if unknown := sorted(fields.keys() - keys):
        raise PriceError(f"{what}: unknown {', '.join(unknown)}; known: {', '.join(sorted(keys))}")
    return fields


def _text(fields: Mapping[str, object], name: str, what: str) -> str:
    given = str(fields.get(name, "")).strip()
    if not given:
        raise PriceError(f"{what}: {name} is missing")
    return given


def _meter(meter: str, what: str) -> str:
    """Return *meter*, unless it is what remains of another: that has no price apart from the whole."""
    total = RESTS.get(meter, meter)
    if total != meter:
        raise PriceError(f"{what}: {meter} is what remains of {total}: give the price of {total}")
    return meter


def _decimal(given: object, what: str) -> Decimal:
    try:
        exact = Decimal(str(given))
    except InvalidOperation:
        wrong = "its amount is missing" if given is None else f"it must be a number, not {given!r}"
        raise PriceError(f"{what}: {wrong}") from None
    if not exact.is_finite():
        raise PriceError(f"{what}: it must be a number, not {given!r}")
    return exact


def _amount(given: object, what: str) -> Decimal:
    exact = _decimal(given, what)
    if not 0 <= exact < PRICE_MAX:
        raise PriceError(f"{what} must be 0 or more and below {PRICE_MAX:,}, not {given}")
    if exact != exact.quantize(Decimal(1).scaleb(-PRICE_PLACES)):
        raise PriceError(f"{what} must have at most {PRICE_PLACES} decimals, not {given}")
    return exact.normalize() if exact else Decimal(0)


def _currency(given: object, what: str) -> str:
    code = str(given).strip().upper()
    if len(code) != CURRENCY_LETTERS or not code.isalpha():
        raise PriceError(f"{what}: currency must be a code such as USD, not {given!r}")
    return code


def _whole(given: object, name: str, what: str, *, least: int) -> int:
    exact = _decimal(given, what)
    if exact != exact.to_integral_value() or not least <= exact < 10**15:
        raise PriceError(f"{what}: {name} must be a whole number of {least} or more, not {given}")
    return int(exact)
