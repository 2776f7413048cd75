"""Every measure's definition, once.

A measure is a formula over the sums of a scope: of its runs, and of its events. The documentation, the command line,
the API and the page all read this list.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Any

from botanu.query.unpriced import Unpriced
from botanu.store.columns import TOTAL


class Unit(Enum):
    """What a measure's number means."""

    COUNT = "count"
    MONEY = "money"
    SHARE = "share"
    RATIO = "ratio"


@dataclass(frozen=True, slots=True)
class Sum:
    """A sum over a scope, which formulas may use. *of* says over what: ``runs`` or ``events``."""

    name: str
    of: str
    formula: str


@dataclass(frozen=True, slots=True)
class Measure:
    """A named aggregate: *formula* is SQL over the ``SUMS``; null where it cannot be said."""

    name: str
    title: str
    unit: Unit
    sentence: str
    formula: str


UNVALUED = "outcome_value_amount IS NOT NULL AND value_per_unit IS NULL"
"""Holds for a run that achieved what no value is known for."""

SUMS = (
    Sum("run_count", "runs", "count(*)"),
    Sum("ended_runs", "runs", "count(*) FILTER (end_time IS NOT NULL OR outcome_status IS NOT NULL)"),
    Sum("recorded_runs", "runs", "count(outcome_status)"),
    Sum("cost_sum", "runs", "sum(total_cost)"),
    Sum("success_cost_mean", "runs", "avg(total_cost) FILTER (outcome_status = 'success')"),
    Sum("value_sum", "runs", "sum(value)"),
    Sum("call_count", "runs", "sum(calls)"),
    Sum("unpriced_count", "runs", "sum(unpriced_calls)"),
    Sum("unvalued_count", "runs", f"count(*) FILTER ({UNVALUED})"),
    Sum("event_count", "events", "count(*)"),
    Sum("success_count", "events", "count(*) FILTER (final_status = 'success')"),
    Sum("decided_count", "events", "count(final_status)"),
)
"""Sums over the runs of a scope, and over its events; the final status of an event is that of the last outcome."""

MEASURES = (
    Measure("events", "events", Unit.COUNT, "Business transactions that had a run.", "event_count"),
    Measure("runs", "runs", Unit.COUNT, "Executions, retries included.", "run_count"),
    Measure(
        "successes",
        "successes",
        Unit.COUNT,
        "Events whose final outcome is success.",
        "success_count",
    ),
    Measure(
        "success_rate",
        "success rate",
        Unit.SHARE,
        "Successful events among those with an outcome.",
        "success_count / nullif(decided_count, 0)",
    ),
    Measure(
        "cost",
        "cost",
        Unit.MONEY,
        "What all runs cost, as far as it is known; failures and retries count.",
        "cost_sum",
    ),
    Measure(
        "cost_per_run",
        "cost per run",
        Unit.MONEY,
        "Average cost of the successful runs alone, so not cost / runs: what success costs when it comes at once.",
        f"success_cost_mean::{TOTAL}",
    ),
    Measure(
        "cost_per_outcome",
        "cost per outcome",
        Unit.MONEY,
        "All cost for each successful event. What it has over the cost per run is what runs without success cost: "
        "failures, retries, partial outcomes.",
        f"(cost_sum / nullif(success_count, 0))::{TOTAL}",
    ),
    Measure(
        "value",
        "value",
        Unit.MONEY,
        "Amounts achieved times their value per unit, as far as one is set; not known while none is.",
        f"value_sum::{TOTAL}",
    ),
    Measure(
        "roi",
        "ROI",
        Unit.RATIO,
        "Margin for each unit of cost: (value − cost) / cost.",
        "(value_sum - cost_sum) / nullif(cost_sum, 0)",
    ),
)
"""The measures, in the order a report shows them."""

SHARED_SUMS = (Sum("shared_sum", "runs", "sum(coalesce(allocated, 0))"),)
"""Sums that a report has besides where shared costs are asked for; ``allocated`` is a run's part of them."""

SHARED_MEASURES = (
    Measure(
        "shared_cost",
        "shared cost",
        Unit.MONEY,
        "The runs' parts of fixed and shared costs, as they are allocated; only where asked for.",
        "shared_sum",
    ),
    Measure(
        "full_cost",
        "full cost",
        Unit.MONEY,
        "Cost and shared cost together; not known where the cost is not. Only where asked for.",
        "cost_sum + shared_sum",
    ),
)
"""The measures that a report has besides where shared costs are asked for: behind the cost."""

BY_NAME = {measure.name: measure for measure in (*MEASURES, *SHARED_MEASURES)}


def measures(*, shared: bool) -> tuple[Measure, ...]:
    """Return the measures of a report, with those of *shared* costs or without, in the order it shows them."""
    behind_cost = MEASURES.index(BY_NAME["cost"]) + 1
    return (*MEASURES[:behind_cost], *(SHARED_MEASURES if shared else ()), *MEASURES[behind_cost:])


def sums(*, shared: bool) -> tuple[Sum, ...]:
    """Return the sums that the formulas of those measures use."""
    return (*SUMS, *SHARED_SUMS) if shared else SUMS


@dataclass(frozen=True, slots=True)
class Coverage:
    """How much of the answer is known, as shares from 0 to 1; ``None`` where there was nothing to know.

    *priced*: calls whose cost is known. *attributed*: cost that belongs to a run. *recorded*: ended runs with an
    outcome. *unvalued_runs* achieved what no value is set for: some of *unvalued_types*. *unpriced* says what the
    *unpriced_calls* lack. *other_costs* are costs in other currencies (``currency``, ``amount``), never in a total.
    """

    priced: float | None
    attributed: float | None
    recorded: float | None
    unpriced_calls: int
    unvalued_runs: int
    unvalued_types: tuple[str, ...]
    unpriced: tuple[Unpriced, ...] = ()
    other_costs: tuple[Mapping[str, Any], ...] = ()


PRICED = "1 - unpriced_count / nullif(call_count, 0)"
RECORDED = "recorded_runs / nullif(ended_runs, 0)"
