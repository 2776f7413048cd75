"""What a span around calls used beyond them: priced by itself."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from botanu.ingest.costs import Spread, cost_columns
from botanu.pricing.costing import Usage, price_calls
from botanu.pricing.meters import ABSENT
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
    columns = cost_columns(costed, Spread(np.arange(count), count), np.ones(count, dtype=np.bool_))
    said = zip(*(columns[name].to_pylist() for name in ("line_items", "cost", "priced", "cost_notes")), strict=True)
    return {
        place: {
            "line_items": items,
            "cost": cost,
            "priced": priced,
            "counted": True,
            "counted_reason": None,
            "cost_notes": [*(notes or ()), Note.RESIDUAL],
        }
        for place, (items, cost, priced, notes) in zip(places, said, strict=True)
    }


def _kind(row: Mapping[str, Any]) -> Kind:
    models = dict.fromkeys(name for name in (row["model"], row["request_model"]) if name)
    return Kind(row["provider"], tuple(models), row["tenant_id"], row["service_tier"])
