"""Usage and cost that the program reports itself."""

from __future__ import annotations

import re
import threading
from decimal import Context, Decimal
from typing import TYPE_CHECKING, Any, SupportsFloat

from botanu import semconv
from botanu.errors import IdentityError
from botanu.sdk import configure
from botanu.sdk.contexts import get_current
from botanu.sdk.guard import guard
from botanu.sdk.identifiers import optional_text, plain_text, present
from botanu.sdk.identity import call_in, stamp_in
from botanu.sdk.quantities import AMOUNT_DIGITS_MAX, MONEY, QUANTITY
from botanu.sdk.spans import record_span

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    Add = Callable[["Tally"], bool]
    """Adds something to a tally, and returns whether it could."""

METERS_MAX = 32
"""Most meters kept of one call."""

UNKNOWN = "unknown"
"""What stands for a total of which something could not be read. The call is unpriced then."""

_CURRENCY = re.compile("[A-Z]{3}")
_EXACT = Context(prec=4 * AMOUNT_DIGITS_MAX)


class Tally:
    """What was reported of one call so far: quantities by meter, and a cost in one currency.

    Its *lock* is for whoever adds to it.
    """

    __slots__ = ("_amount", "_currency", "_unknown", "_usage", "lock")

    def __init__(self) -> None:
        """Begin with nothing."""
        self.lock = threading.RLock()
        self._usage: dict[str, int | float] = {}
        self._amount = Decimal(0)
        self._currency: str | None = None
        self._unknown: set[str] = set()

    def add_usage(self, usage: Mapping[str, int | float]) -> None:
        """Add quantities by meter."""
        for meter, quantity in usage.items():
            if meter not in self._usage and len(self._usage) == METERS_MAX:
                guard.say_once(f"a call keeps {METERS_MAX} meters: not recorded beyond", about="meters")
                continue
            total = QUANTITY.of(meter, self._usage.get(meter, 0) + quantity)
            if total is None:
                self.lose(semconv.USAGE + meter)
            else:
                self._usage[meter] = total

    def add_cost(self, amount: Decimal, currency: str) -> bool:
        """Add a cost; return whether that was done: not where it is in another currency than those before."""
        if self._currency not in (None, currency):
            return False
        self._amount, self._currency = _EXACT.add(self._amount, amount), currency
        return True

    def lose(self, name: str) -> bool:
        """Note that something of the attribute *name* could not be read: its total is not known, and not zero."""
        if len(self._unknown) < METERS_MAX:
            self._unknown.add(name)
        return True

    def attributes(self) -> Mapping[str, Any]:
        """Return the attributes that say the totals."""
        attributes: dict[str, Any] = {semconv.USAGE + meter: total for meter, total in self._usage.items()}
        if self._currency is not None:
            attributes |= {semconv.COST_AMOUNT: f"{self._amount:f}", semconv.COST_CURRENCY: self._currency}
        return attributes | dict.fromkeys(self._unknown, UNKNOWN)


def record_usage(
    *, provider: str | None = None, vendor: str | None = None, model: str | None = None, **quantities: SupportsFloat
) -> None:
    """Record what was used, by meter: ``record_usage(pages=3, searches=1)``.

    It goes to the innermost tracked call around, where quantities of one meter add up; or, where there is none or
    that call is another's, on a span of its own. What cannot be read is logged once, and the quantity is then unknown:
    the call is unpriced.

    Args:
        provider: who bills, if not for the call around.
        vendor: the same as *provider*.
        model: what is billed, if the call around is no model's.
        quantities: by meter; finite numbers from 0.

    Raises:
        IdentityError: *provider* and *vendor* are both given, or a name is no text.
    """
    names = _names(provider, vendor, model)
    with guard:
        add = usage_of(quantities)
        if add is not None:
            _record("usage", names, add)


def record_cost(
    amount: Decimal | SupportsFloat | str,
    currency: str = "USD",
    *,
    provider: str | None = None,
    vendor: str | None = None,
    model: str | None = None,
) -> None:
    """Record what something cost, where the program knows: it is used instead of the price list.

    It goes to the innermost tracked call around, where costs in one currency add up exactly; or, where there is none
    or that call is another's, on a span of its own. What cannot be read is logged once, and the cost is not known then:
    the call is unpriced. The call of an instrumentation is not a tracked one: what is recorded beside it comes on top.

    Args:
        amount: how much, from 0, in units of *currency*; a float is taken for the decimal number it is written as.
        currency: by its ISO 4217 code.
        provider: who bills, if not for the call around.
        vendor: the same as *provider*.
        model: what is billed, if the call around is no model's.

    Raises:
        IdentityError: *provider* and *vendor* are both given, or a name is no text.
    """
    names = _names(provider, vendor, model)
    with guard:
        _record("cost", names, cost_of(amount, currency))


def usage_of(quantities: Mapping[str, object]) -> Add | None:
    """Return what adds *quantities* by meter to a tally; ``None`` where nothing of it can be recorded."""
    if not quantities:
        guard.say_once("record_usage() was given no meter, such as pages=3: nothing is recorded")
    usage = {meter: QUANTITY.of(meter, given) for meter, given in quantities.items() if _is_meter(meter)}
    known = {meter: quantity for meter, quantity in usage.items() if quantity is not None}
    lost = [semconv.USAGE + meter for meter in usage.keys() - known]

    def add(tally: Tally) -> bool:
        tally.add_usage(known)
        for name in lost:
            tally.lose(name)
        return True

    return add if usage else None


def cost_of(amount: object, currency: object) -> Add:
    """Return what adds *amount*, in units of *currency*, to a tally, or else that there is one which is not known."""
    money, code = MONEY.of("cost", amount), plain_text(currency).upper()
    if not _CURRENCY.fullmatch(code):
        guard.say_once("currency must be an ISO 4217 code, such as USD: cost not recorded")
    elif money is not None:
        return lambda tally: tally.add_cost(money, code)
    return lambda tally: tally.lose(semconv.COST_AMOUNT)


def billed_by(provider: object, vendor: object) -> object:
    """Return who bills, as given under either name.

    Raises:
        IdentityError: it is given under both.
    """
    if provider is None or vendor is None:
        return vendor if provider is None else provider
    raise IdentityError("give provider= or vendor=, not both: they mean the same")


def provider_text(provider: object, vendor: object) -> str | None:
    """Return who bills, as text; ``None`` where nobody is named.

    Raises:
        IdentityError: both are given, or what is given is no text.
    """
    return optional_text("provider", billed_by(provider, vendor))


def _names(provider: object, vendor: object, model: object) -> dict[str, str]:
    return present(
        {
            semconv.PROVIDER: provider_text(provider, vendor),
            semconv.GEN_AI_REQUEST_MODEL: optional_text("model", model),
        }
    )


def _is_meter(meter: str) -> bool:
    if not meter.isidentifier():
        guard.say_once(f"meters must be names such as pages, not {meter!r:.40}: not recorded", about="meter")
    return meter.isidentifier()


def _record(what: str, names: Mapping[str, str], add: Add) -> None:
    """Record on the tracked call around, or else on a span of its own named *what*."""
    call = call_in()
    if call is None or not call._add(names, add):  # noqa: SLF001 - not for the program to call
        record_apart(what, names, add)


def record_apart(what: str, names: Mapping[str, str], add: Add) -> None:
    """Record on a span of its own named *what*."""
    tracer = configure.tracer()
    if tracer is not None:
        tally = Tally()
        add(tally)
        record_span(tracer, what, {**stamp_in(get_current()), **names, **tally.attributes()})
