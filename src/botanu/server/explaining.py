"""What a call costs, as one would work it out on paper: line by line, with where each price is from."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from decimal import Decimal, InvalidOperation
from typing import Any

import numpy as np

from botanu.errors import QueryError
from botanu.pricing.costing import Costed, Usage, price_calls
from botanu.pricing.meters import ABSENT, QUANTITY_MAX, RESTS, units_of
from botanu.pricing.money import decimal_amount
from botanu.pricing.notes import SENTENCES, Note
from botanu.pricing.price_list import Kind, PriceList
from botanu.pricing.rate_card import Tier, nanos_of
from botanu.pricing.remedies import commands
from botanu.query.one_call import one_call
from botanu.server import plain
from botanu.server.plain import Plain
from botanu.store.protocol import Store

_STANDARD = ("", "standard", "default", "auto", "on_demand")


def explain_span(store: Store, span_id: str, trace_id: str | None) -> Plain:
    """Return the booked cost of one span as a sum; see ``one_call``."""
    return _document(*one_call(store, span_id, trace_id))


def wanted_kind(provider: str, model: str, tenant_id: str | None, service_tier: str | None) -> Kind:
    """Return the kind of a made-up call."""
    tier = (service_tier or "").strip().lower()
    return Kind(provider, (model,), tenant_id, None if tier in _STANDARD else tier)


def explain_usage(prices: PriceList, moment: datetime, kind: Kind, usage: Mapping[str, object]) -> Plain:
    """Return what a call of a *kind* costs at a *moment* as a sum: *usage* gives quantities by meter.

    Raises:
        QueryError: a quantity is none, or its meter is what remains of another.
    """
    if prices.card(kind) is None:
        kind = replace(kind, is_listed=False)
    costed = price_calls(_usage_of_one(kind, moment, usage), prices)
    known = bool(costed.items.known().any())
    call = {
        **dict.fromkeys(_OF_BOOKED),
        "start_time": moment,
        "provider": kind.provider,
        "model": kind.models[0],
        "service_tier": kind.service_tier,
        "cost": decimal_amount(int(costed.nanos[0])) if known else None,
        "currency": costed.currencies[int(costed.currency_of[0])] if known else None,
        "cost_source": "computed",
        "priced": bool(costed.complete[0]),
        "counted": True,
        "notes": [str(note) for note, mask in costed.notes.items() if mask[0]],
    }
    return _document(call, _lines_of(costed))


_OF_BOOKED = (
    "trace_id", "span_id", "name", "run_id", "event_id", "reported_cost", "reported_by", "computed_cost", "difference",
    "counted_reason",
)  # fmt: skip
# What only a call that was booked has.


def _usage_of_one(kind: Kind, moment: datetime, usage: Mapping[str, object]) -> Usage:
    totals = {meter: np.array([_quantity(meter, given)]) for meter, given in usage.items()}
    return Usage(
        [kind],
        np.array([0]),
        np.array([nanos_of(moment)]),
        totals,
        reported=np.array([ABSENT]),
        believes_zero=np.array([False]),
    )


def _quantity(meter: str, given: object) -> int:
    """Return a quantity as quantities of *meter* are counted."""
    total = RESTS.get(meter, meter)
    if total != meter:
        raise QueryError(f"{meter} is what remains of {total}: give {total}, and the parts within it")
    try:
        parts = Decimal(str(given)) * units_of(meter)
        if parts == int(parts) and 0 <= parts <= QUANTITY_MAX:
            return int(parts)
    except (InvalidOperation, ValueError, OverflowError):
        pass
    raise QueryError(f"{meter} must be a quantity from 0 to {QUANTITY_MAX // units_of(meter):,}, not {given!r}")


def _lines_of(costed: Costed) -> list[Plain]:
    items = costed.items
    return [
        {
            "meter": (meter := items.meters[int(items.meter[row])]),
            "quantity": Decimal(int(items.quantity[row])) / units_of(meter),
            **_price_fields(items.tiers[int(items.price[row])] if items.price[row] != ABSENT else None),
            "amount": decimal_amount(int(items.nanos[row])) if items.nanos[row] != ABSENT else None,
        }
        for row in range(len(items.call))
    ]


def _price_fields(tier: Tier | None) -> Plain:
    names = ("per", "above", "service_tier", "tenant_id", "discount", "valid_from", "source", "currency")
    fields = {name: getattr(tier, name, None) for name in names}
    hours = tier and tier.hours and " to ".join(f"{moment:%H:%M}" for moment in tier.hours)
    return {**fields, "unit_price": tier and tier.amount, "price_id": tier and tier.id, "hours": hours}


def _document(call: Mapping[str, Any], lines: Sequence[Mapping[str, Any]]) -> Plain:
    notes = call["notes"]
    lacking = [line["meter"] for line in lines if line["amount"] is None and line["price_id"] is None]
    remedies = []
    if call["priced"] is False:
        remedies = commands(call["provider"], call["model"], lacking, notes, call["start_time"], call["service_tier"])
    told = [{"note": note, "sentence": SENTENCES[Note(note)]} for note in notes]
    return plain.document({**call, "lines": list(lines), "notes": told, "commands": remedies})
