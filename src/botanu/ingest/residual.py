"""What a span around calls used beyond them: priced by itself."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from botanu.ingest.costs import Spread
from botanu.pricing.costing import Usage, price_calls
from botanu.pricing.meters import ABSENT
from botanu.pricing.money import decimal_amount
from botanu.pricing.notes import Note
from botanu.pricing.price_list import Kind, PriceList


def price_residuals(
    residuals: Mapping[int, tuple[Mapping[str, Any], tuple[int, int] | None]], prices: PriceList
) -> dict[int, dict[str, Any]]:
    """Return, by place, what is decided of spans around calls of which some input and output tokens alone count.

    *residuals* gives the row of each, and how many of both. They are taken for plain ones of its model: what is cached
    is told by the calls.
    """
    places = list(residuals)
    if not places:
        return {}
    rows = [row for row, _ in residuals.values()]
    tokens = np.array([lacking or (0, 0) for _, lacking in residuals.values()], dtype=np.int64)
    count = len(places)
    usage = Usage(
        kinds=[_kind(row) for row in rows],
        kind_of=np.arange(count),
        times=np.array([row["start_time_unix_nano"] for row in rows], dtype=np.int64),
        totals={"input_tokens": tokens[:, 0], "output_tokens": tokens[:, 1]},
        reported=np.full(count, ABSENT),
        believes_zero=np.zeros(count, dtype=np.bool_),
    )
    costed = price_calls(usage, prices)
    items = Spread(np.arange(count), count).line_items(costed.items).to_pylist()
    priced = np.zeros(count, dtype=np.bool_)
    priced[costed.items.call[costed.items.priced()]] = True
    return {
        place: {
            "line_items": items[number],
            "cost": decimal_amount(int(costed.nanos[number])) if priced[number] or costed.complete[number] else None,
            "priced": bool(costed.complete[number]),
            "counted": True,
            "counted_reason": None,
            "cost_notes": [*(note for note, mask in costed.notes.items() if mask[number]), Note.RESIDUAL],
        }
        for number, place in enumerate(places)
    }


def _kind(row: Mapping[str, Any]) -> Kind:
    models = dict.fromkeys(name for name in (row["model"], row["request_model"]) if name)
    return Kind(row["provider"], tuple(models), row["tenant_id"], row["service_tier"])
