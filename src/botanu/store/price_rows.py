"""Prices as rows of the ``prices`` table."""

from collections.abc import Iterable
from datetime import datetime

import pyarrow as pa

from botanu.pricing.rate_card import Tier

SCHEMA = pa.schema(
    [
        ("price_id", pa.string()),
        ("provider", pa.string()),
        ("model", pa.string()),
        ("meter", pa.string()),
        ("above", pa.int64()),
        ("amount", pa.decimal128(38, 18)),
        ("per", pa.int64()),
        ("currency", pa.string()),
        ("valid_from", pa.timestamp("us", tz="UTC")),
        ("valid_to", pa.timestamp("us", tz="UTC")),
        ("hours", pa.string()),
        ("source", pa.string()),
        ("service_tier", pa.string()),
        ("tenant_id", pa.string()),
        ("discount", pa.decimal128(18, 9)),
    ]
)


def price_rows(tiers: Iterable[tuple[Tier, datetime | None]]) -> pa.Table:
    """Return prices, each with the first instant at which it no longer holds, as rows."""
    rows = [
        {
            "price_id": tier.id,
            "provider": tier.provider,
            "model": tier.model,
            "meter": tier.meter,
            "above": tier.above,
            "amount": tier.amount,
            "per": tier.per,
            "currency": tier.currency,
            "valid_from": tier.valid_from,
            "valid_to": valid_to,
            "hours": tier.hours and " to ".join(f"{moment:%H:%M}" for moment in tier.hours),
            "source": tier.source,
            "service_tier": tier.service_tier,
            "tenant_id": tier.tenant_id,
            "discount": tier.discount,
        }
        for tier, valid_to in tiers
    ]
    return pa.Table.from_pylist(rows, schema=SCHEMA)
