"""Booked calls priced anew: what that changes, by provider and model, and the change itself."""

from collections.abc import Iterator
from datetime import datetime

import pyarrow as pa

from botanu.errors import QueryError
from botanu.ingest.recosting import BATCH_CALLS, NO_CALLS, Selection, summed
from botanu.ingest.recosting import recost as recost_batch
from botanu.pricing.price_list import PriceList
from botanu.query.window import parse_instant
from botanu.server import plain
from botanu.server.plain import Plain
from botanu.store.price_rows import price_rows
from botanu.store.protocol import Store


def selection(since: str, until: str | None, provider: str | None, model: str | None, *, now: datetime) -> Selection:
    """Return which calls are meant: those from *since* to before *until*, or else *now*.

    Raises:
        QueryError: a bound is no date or instant, or there is no time between them.
    """
    start, end = parse_instant(since), now if until is None else parse_instant(until)
    if start >= end:
        raise QueryError(f"the window from {since} to {until or 'now'} holds no time")
    return Selection(start, end, provider, model)


def recost(
    store: Store,
    prices: PriceList,
    chosen: Selection,
    *,
    now: datetime,
    dry_run: bool,
    by: str | None,
    reason: str | None,
) -> Plain:
    """Price the *chosen* calls anew by *prices*, each at its own time; return what that changes.

    ``rows`` gives that by provider, model and currency, ``totals`` by currency alone. *by* says who asks for it, and
    *reason* why: both stay with each call that is changed. A *dry_run* changes nothing.
    """
    work = _Recosting(store, prices, chosen, keeps_prices=not dry_run)
    if dry_run:
        for _ in work.changes():
            pass
        restated = 0
    else:
        restated = store.restate(work.changes(), now, by=by, reason=reason)
    return {"dry_run": dry_run, "restated": restated, **work.summary()}


class _Recosting:
    """Prices calls a batch at a time, and sums up what that changes."""

    def __init__(self, store: Store, prices: PriceList, chosen: Selection, *, keeps_prices: bool) -> None:
        self._store, self._prices, self._chosen = store, prices, chosen
        self._keeps_prices = keeps_prices
        self._tally = NO_CALLS

    def changes(self) -> Iterator[pa.Table]:
        query, parameters = self._chosen.query(self._prices)
        for batch in self._store.stream(query, parameters, rows=BATCH_CALLS):
            done = recost_batch(batch, self._prices)
            self._tally = summed([self._tally, done.tally])
            if self._keeps_prices and done.used:
                self._store.add_prices(price_rows((tier, None) for tier in done.used))
            yield done.changes

    def summary(self) -> Plain:
        order = [(name, "ascending") for name in ("currency", "provider", "model")]
        totals = summed([self._tally], ("currency",)).sort_by(order[:1])
        return {
            "rows": [plain.recosted(row) for row in self._tally.sort_by(order).to_pylist()],
            "totals": [plain.recosted(row) for row in totals.to_pylist()],
        }
