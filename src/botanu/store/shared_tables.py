"""Fixed and shared costs, and how they are allocated to runs, as tables."""

from botanu.store.columns import TOTAL, Column, Table

SHARED_COSTS = Table(
    "shared_costs",
    "One fixed or shared cost of a period, to be allocated to the runs in it.",
    (
        Column("name", "VARCHAR", "What it is: a reserved GPU, seats, a vector database, ...", since=3),
        Column("amount", TOTAL, "What it costs in all in the period.", since=3),
        Column("currency", "VARCHAR", "Currency of the amount.", since=3),
        Column("period_start", "TIMESTAMP WITH TIME ZONE", "First instant of the period.", since=3),
        Column("period_end", "TIMESTAMP WITH TIME ZONE", "First instant after the period.", since=3),
        Column("basis", "VARCHAR", "What it is allocated by: tokens, seconds, calls or equal.", since=3),
        Column("workflow", "VARCHAR", "The one workflow that bears it; null: all.", since=3),
        Column("customer_id", "VARCHAR", "The one customer it is for; null: all.", since=3),
        Column("environment", "VARCHAR", "The one environment that bears it; null: all.", since=3),
        Column("source", "VARCHAR", "Who said so: set, or a file.", since=3),
        Column("recorded_at", "TIMESTAMP WITH TIME ZONE", "When it was recorded.", since=3),
        Column(
            "withdrawn_at", "TIMESTAMP WITH TIME ZONE", "When it was withdrawn or replaced; null: it was not.", since=3
        ),
    ),
)
