"""What was booked for one call: the call, and its line items with their prices."""

import re
from collections.abc import Mapping, Sequence
from typing import Any

from botanu.errors import QueryError
from botanu.query.unpriced import MODEL, PROVIDER
from botanu.store.protocol import Store

_SPAN = f"""
SELECT trace_id, span_id, name, start_time, {PROVIDER} AS provider, {MODEL} AS model, service_tier, run_id, event_id,
  cost, currency, cost_source, reported_cost, reported_by, computed_cost, reported_cost - computed_cost AS difference,
  priced, counted, counted_reason, coalesce(cost_notes, []) AS notes
FROM spans WHERE span_id = $span_id AND ($trace_id IS NULL OR trace_id = $trace_id)
"""

_LINES = """
SELECT s.item.meter AS meter, s.item.quantity AS quantity, p.amount AS unit_price, p.per, p.above, p.service_tier,
  p.tenant_id, p.discount, p.valid_from, p.hours, p.source, s.item.price_id AS price_id, s.item.amount AS amount,
  CASE WHEN s.item.amount IS NOT NULL THEN coalesce(p.currency, s.currency) END AS currency
FROM (
  SELECT currency, unnest(line_items) AS item, unnest(range(len(line_items))) AS place
  FROM spans WHERE span_id = $span_id AND trace_id = $trace_id
) AS s LEFT JOIN prices p ON p.price_id = s.item.price_id ORDER BY s.place
"""


def one_call(store: Store, span_id: str, trace_id: str | None) -> tuple[Mapping[str, Any], Sequence[Mapping[str, Any]]]:
    """Return a span as a call, and its line items.

    Raises:
        QueryError: the ids are none, there is no such span, or there are several.
    """
    _check_id("span", span_id, 16)
    if trace_id is not None:
        _check_id("trace", trace_id, 32)
    found = store.query(_SPAN, {"span_id": span_id, "trace_id": trace_id}).to_pylist()
    if not found:
        raise QueryError(f"there is no span {span_id}: 'botanu events show EVENT_ID' lists those of an event")
    if len(found) > 1:
        traces = ", ".join(sorted(span["trace_id"] for span in found))
        raise QueryError(f"several traces have a span {span_id}: say which, one of {traces}")
    (span,) = found
    return span, store.query(_LINES, {"span_id": span_id, "trace_id": span["trace_id"]}).to_pylist()


def _check_id(kind: str, given: str, digits: int) -> None:
    if not re.fullmatch(rf"[0-9a-f]{{{digits}}}", given):
        raise QueryError(f"the id of a {kind} is {digits} hex digits, not {given!r}")
