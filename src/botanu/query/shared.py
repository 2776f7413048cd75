"""What became of the shared costs of a window: on its runs, on others, or on none."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from botanu.pricing.money import CURRENCY
from botanu.pricing.shared_costs import period_text
from botanu.query.window import Window
from botanu.store.protocol import Store

RUN_PARTS = f"""
LEFT JOIN (
  SELECT run_id, sum(amount) AS allocated FROM allocations
  WHERE currency = '{CURRENCY}' AND {{window.holds}} AND {{window.meets}} GROUP BY run_id
) AS parts USING (run_id)
"""
"""Gives the runs of a window what they bear of shared costs; two currencies are never added."""

_ALLOCATED = """
SELECT c.name, c.period_start, c.period_end, c.currency, c.amount, coalesce(a.on_runs, 0) AS on_runs,
  coalesce(a.in_window, 0) AS in_window, coalesce(a.runs, 0) AS runs
FROM (SELECT * FROM shared_costs WHERE withdrawn_at IS NULL AND {window.meets}) AS c
LEFT JOIN (
  SELECT shared_cost, period_start, period_end, sum(amount) AS on_runs, count(*) AS runs,
    sum(amount) FILTER (WHERE {window.holds}) AS in_window
  FROM allocations WHERE {window.meets} GROUP BY shared_cost, period_start, period_end
) AS a ON a.shared_cost = c.name AND a.period_start = c.period_start AND a.period_end = c.period_end
ORDER BY c.name, c.period_start, c.period_end
"""


@dataclass(frozen=True, slots=True)
class Allocated:
    """One shared cost, and what of it runs bear: *on_runs* all of it or, where no run has weight, nothing.

    *runs* is how many they are, and *in_window* what those bear that started in the window asked for.
    """

    name: str
    period_start: datetime
    period_end: datetime
    currency: str
    amount: Decimal
    on_runs: Decimal
    in_window: Decimal
    runs: int

    @property
    def named(self) -> str:
        """Its name and period."""
        return f"{self.name} ({period_text(self.period_start, self.period_end)})"


@dataclass(frozen=True, slots=True)
class LeftOut:
    """A shared cost that is in no sum, as it is in another currency."""

    name: str
    amount: Decimal
    currency: str


@dataclass(frozen=True, slots=True)
class SharedPart:
    """The shared costs whose period meets a window: *total* = *on_these_runs* + *on_other_runs* + *unallocated*.

    *unallocated* is what no run has weight for; *unallocated_names* says of what.
    """

    total: Decimal
    on_these_runs: Decimal
    on_other_runs: Decimal
    unallocated: Decimal
    unallocated_names: tuple[str, ...]
    left_out: tuple[LeftOut, ...]


def shared_part(store: Store, window: Window) -> SharedPart:
    """Return what became of the shared costs whose period meets *window*."""
    costs = allocated(store, window)
    ours = [cost for cost in costs if cost.currency == CURRENCY]
    nowhere = [cost for cost in ours if cost.on_runs != cost.amount]
    return SharedPart(
        total=_sum(cost.amount for cost in ours),
        on_these_runs=_sum(cost.in_window for cost in ours),
        on_other_runs=_sum(cost.on_runs - cost.in_window for cost in ours),
        unallocated=_sum(cost.amount - cost.on_runs for cost in nowhere),
        unallocated_names=tuple(cost.named for cost in nowhere),
        left_out=tuple(LeftOut(cost.named, cost.amount, cost.currency) for cost in costs if cost.currency != CURRENCY),
    )


def allocated(store: Store, window: Window) -> list[Allocated]:
    """Return the shared costs that hold and whose period meets *window*, by name and period."""
    rows = store.query(_ALLOCATED.format(window=window), window.bounds).to_pylist()
    return [Allocated(**row) for row in rows]


def _sum(amounts: Iterable[Decimal]) -> Decimal:
    return sum(amounts, Decimal(0).scaleb(-9))  # with nine decimals, as all amounts are given
