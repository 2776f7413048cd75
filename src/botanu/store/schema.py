"""Tables and columns: one description, in DuckDB's dialect, for both engines and for the documentation.

The schema is public. It changes by migration only: ``migrations.py``.
"""

from botanu.store.columns import AMOUNT, LINE_ITEMS, OTHER_COSTS, QUANTITY, TOTAL, VALUE_AMOUNT, Column, Table
from botanu.store.shared_tables import ALLOCATIONS_VIEW, SHARED_COSTS

_IDENTITY = (
    Column("event_id", "VARCHAR", "The business transaction served; stable across retries."),
    Column("customer_id", "VARCHAR", "The end customer served."),
    Column("workflow", "VARCHAR", "The named kind of work."),
    Column("workflow_version", "VARCHAR", "Version of the workflow's code."),
    Column("environment", "VARCHAR", "Deployment environment."),
    Column("tenant_id", "VARCHAR", "Whose data it is, as the program said."),
)

_OUTCOME = (
    Column(
        "outcome_status", "VARCHAR", "success, partial, failed, timeout, canceled or abandoned; null: not recorded."
    ),
    Column("outcome_value_type", "VARCHAR", "What was achieved."),
    Column("outcome_value_amount", VALUE_AMOUNT, "How much of it."),
    Column("outcome_confidence", "DOUBLE", "Confidence score, 0 to 1."),
    Column("outcome_reason", "VARCHAR", "Why, especially for failures."),
    Column("outcome_error_type", "VARCHAR", "Error classification."),
)

_OUTCOME_ORIGIN = (
    Column("outcome_auto", "BOOLEAN", "True when derived from how the run ended, not emitted by the program."),
    Column(
        "outcome_count",
        "INTEGER",
        "Outcomes the program emitted, late ones too; more than one breaks the rule of one per run.",
    ),
)

_SUMS = (
    Column(
        "total_cost",
        TOTAL,
        "Sum of the costs known, in US dollars; null when none is, of calls that were made.",
    ),
    Column("unpriced_calls", "BIGINT", "Calls whose cost is not known, or not wholly: total_cost lacks them."),
)

SPANS = Table(
    "spans",
    "One span, once, whatever was sent how often.",
    (
        Column("trace_id", "VARCHAR", "Trace, 32 hex digits."),
        Column("span_id", "VARCHAR", "Span, 16 hex digits; with trace_id the span's identity."),
        Column("parent_span_id", "VARCHAR", "The span around it; null at the top of a trace."),
        Column("name", "VARCHAR", "Name of the operation."),
        Column("kind", "VARCHAR", "internal, server, client, producer, consumer or unspecified."),
        Column("status_code", "VARCHAR", "OpenTelemetry's status: unset, ok or error."),
        Column("service_name", "VARCHAR", "The service that made the span."),
        Column("scope_name", "VARCHAR", "The instrumentation that made the span."),
        Column("start_time", "TIMESTAMP WITH TIME ZONE", "Start, to the microsecond."),
        Column("start_time_unix_nano", "BIGINT", "Start, to the nanosecond, since 1970."),
        Column("duration_ns", "BIGINT", "Duration in nanoseconds."),
        Column("run_id", "VARCHAR", "The run it belongs to; null: unattributed."),
        Column("root_run_id", "VARCHAR", "The outermost run around that run."),
        Column("parent_run_id", "VARCHAR", "The run directly around that run; null when not nested."),
        *_IDENTITY,
        Column("attempt", "INTEGER", "The run's ordinal within its event, where the program gave it."),
        Column("is_run", "BOOLEAN", "True on the one span that is the run itself."),
        *_OUTCOME,
        *_OUTCOME_ORIGIN,
        Column("operation", "VARCHAR", "What a call does: chat, embeddings, ..."),
        Column("provider", "VARCHAR", "Who bills."),
        Column("model", "VARCHAR", "The model that answered, or else the one asked for."),
        Column("request_model", "VARCHAR", "The model asked for."),
        Column("response_id", "VARCHAR", "The provider's id of the response."),
        Column("error_type", "VARCHAR", "Class of the error that ended the operation."),
        Column("input_tokens", "BIGINT", "Input tokens as reported, cached ones included; null: not known."),
        Column("output_tokens", "BIGINT", "Output tokens as reported, reasoning included; null: not known."),
        Column(
            "line_items",
            LINE_ITEMS,
            "Quantities by exclusive meter, with price and amount; null amount: unpriced, or within a reported cost.",
        ),
        Column("cost", AMOUNT, "Sum of the line items that have an amount; null where it is not known at all."),
        Column("currency", "VARCHAR", "Currency of the cost."),
        Column("cost_source", "VARCHAR", "computed, from usage and prices; reported, by the program or the provider."),
        Column("priced", "BOOLEAN", "For a call: whether its cost is known and complete; null: not a call."),
        Column("counted", "BOOLEAN", "For usage: whether it counts; false where it repeats what another span reports."),
        Column("counted_reason", "VARCHAR", "Why usage does not count."),
        Column("attributes", "JSON", "The attributes that are no column, as they came, without prompts."),
        Column("resource", "JSON", "The resource's attributes that are no column."),
        Column("span_events", "JSON", "The span events: time, name, attributes."),
        Column("links", "JSON", "The links: trace, span, attributes."),
        Column("received_at", "TIMESTAMP WITH TIME ZONE", "When the server received it."),
        Column("outcome_late", "BOOLEAN", "True where it reports an outcome emitted after its run had ended.", since=2),
        Column(
            "told_by_program",
            "BOOLEAN",
            "True where the program itself says what this very span used or cost.",
            since=3,
        ),
        Column("step", "VARCHAR", "The named phase of the run.", since=3),
        Column("tool", "VARCHAR", "The tool that was called.", since=3),
        Column("service_tier", "VARCHAR", "The service tier: batch, flex, priority, ...; null: standard.", since=3),
        Column("reported_cost", AMOUNT, "What the program or the provider says that the call cost.", since=3),
        Column("reported_by", "VARCHAR", "Who says so: program, or the dialect.", since=3),
        Column("computed_cost", AMOUNT, "Of a call with a reported cost: what usage and prices say.", since=3),
        Column(
            "cost_notes",
            "VARCHAR[]",
            "Why the cost is not known, or not wholly, and what was odd; null: nothing.",
            since=3,
        ),
    ),
)

RUNS = Table(
    "runs",
    "One run: one execution of a workflow for an event.",
    (
        Column("run_id", "VARCHAR", "Identity of the run."),
        Column("root_run_id", "VARCHAR", "The outermost run around it; the run itself when not nested."),
        Column("parent_run_id", "VARCHAR", "The run directly around it; null when not nested."),
        *_IDENTITY,
        Column("attempt", "INTEGER", "1 for the first run of this event and workflow, 2 for the next, by start."),
        Column("attempt_given", "INTEGER", "The number the program gave; it goes before the store's own count."),
        Column("start_time", "TIMESTAMP WITH TIME ZONE", "When it started."),
        Column("end_time", "TIMESTAMP WITH TIME ZONE", "When it ended; null: its root span has not arrived."),
        Column("duration_ms", "DOUBLE", "Milliseconds from start to end."),
        *_OUTCOME,
        *_OUTCOME_ORIGIN,
        Column(
            "outcome_time",
            "TIMESTAMP WITH TIME ZONE",
            "When its outcome was reached: its end, or when its late outcome was emitted; where it was abandoned, the "
            "end of its last span.",
        ),
        Column(
            "value_per_unit",
            AMOUNT,
            "Money per unit of its value type, from the value card at its end; where that is unknown, at outcome_time.",
        ),
        Column("value", VALUE_AMOUNT, "outcome_value_amount times value_per_unit."),
        *_SUMS,
        Column("calls", "BIGINT", "Calls of models and tools that count."),
        Column("span_count", "BIGINT", "Spans that arrived."),
        Column("last_received_at", "TIMESTAMP WITH TIME ZONE", "When the newest of its spans arrived."),
        Column("other_costs", OTHER_COSTS, "Costs in other currencies, which are never added; null: none.", since=3),
    ),
)

EVENTS = Table(
    "events",
    "One event: one business transaction with all its runs.",
    (
        *_IDENTITY,
        Column("attempts", "INTEGER", "Runs of the event's workflow that were not nested in another run of it."),
        Column("runs", "BIGINT", "All runs, nested ones and other workflows included."),
        Column("start_time", "TIMESTAMP WITH TIME ZONE", "When the first run started."),
        Column("end_time", "TIMESTAMP WITH TIME ZONE", "When the last run ended; null while one has not."),
        *_OUTCOME,
        Column("outcome_run_id", "VARCHAR", "The run that gave the final outcome: the one whose outcome came last."),
        *_SUMS,
        Column("value", VALUE_AMOUNT, "Sum of the values of its runs; null when none is known."),
        Column("margin", TOTAL, "value - total_cost."),
        Column("other_costs", OTHER_COSTS, "Costs in other currencies, which are never added; null: none.", since=3),
    ),
)

OUTCOME_ORDER = "(outcome_time, start_time, run_id)"
"""The final outcome of an event is that of its run that comes last in this order, of those with an outcome."""

VALUED_AT = "coalesce(end_time, outcome_time)"
"""The instant at which a run takes its value from the value card: a late outcome is worth what it was at the run's end.

Where the end is not known, the outcome's own time is the nearest instant that is."""

UNIT_VALUES = Table(
    "unit_values",
    "One dated value per unit of a value type: the value card.",
    (
        Column("value_type", "VARCHAR", "What outcomes name."),
        Column("workflow", "VARCHAR", "The one workflow it holds for; null: all that have none of their own."),
        Column("amount", AMOUNT, "Money per unit."),
        Column("currency", "VARCHAR", "Currency of the amount."),
        Column("valid_from", "TIMESTAMP WITH TIME ZONE", "First instant it holds."),
        Column(
            "valid_to",
            "TIMESTAMP WITH TIME ZONE",
            "First instant it no longer holds; null: it still does. One that was corrected holds at no instant.",
        ),
        Column("source", "VARCHAR", "Who said so: set, config."),
        Column("recorded_at", "TIMESTAMP WITH TIME ZONE", "When it was recorded."),
    ),
)

PRICES = Table(
    "prices",
    "One dated price.",
    (
        Column("price_id", "VARCHAR", "Names exactly this price; line items refer to it."),
        Column("provider", "VARCHAR", "Who bills, by the price list's id."),
        Column("model", "VARCHAR", "What is billed, by the price list's id."),
        Column("meter", "VARCHAR", "What is counted; a price also holds for the meters within it that have none."),
        Column("above", "BIGINT", "Tier: holds for all of a call with more input tokens than this."),
        Column("amount", "DECIMAL(38,18)", "Money for `per` units."),
        Column("per", "BIGINT", "How many units the amount buys."),
        Column("currency", "VARCHAR", "Currency of the amount."),
        Column("valid_from", "TIMESTAMP WITH TIME ZONE", "First instant it holds; null: always, until a later one."),
        Column("valid_to", "TIMESTAMP WITH TIME ZONE", "First instant it no longer holds; null: it still does."),
        Column("hours", "VARCHAR", "The hours of the day (UTC) it holds, where it does not hold all day."),
        Column("source", "VARCHAR", "Who said so first: the price list, a file, or set."),
        Column("service_tier", "VARCHAR", "The service tier it is for; null: standard.", since=3),
        Column("tenant_id", "VARCHAR", "The one tenant it is for; null: all.", since=3),
        Column("discount", "DECIMAL(18,9)", "Per cent taken off the list price; null: none.", since=3),
    ),
)

PRICE_TERMS = Table(
    "price_terms",
    "One thing that the user says of prices: a price, a discount, or another name for a model.",
    (
        Column("term_id", "VARCHAR", "Names exactly this term; of a price its price_id.", since=3),
        Column("kind", "VARCHAR", "price, discount or alias.", since=3),
        Column("provider", "VARCHAR", "Who bills; * is any.", since=3),
        Column("model", "VARCHAR", "What is billed: a model, tool, path, table, ...; * is any letters.", since=3),
        Column("meter", "VARCHAR", "What is counted; null, of a discount: everything.", since=3),
        Column("amount", "DECIMAL(38,18)", "Of a price: money for `per` units.", since=3),
        Column("per", "BIGINT", "Of a price: how many units the amount buys.", since=3),
        Column("above", "BIGINT", "Of a price: holds for all of a call with more input tokens than this.", since=3),
        Column("currency", "VARCHAR", "Of a price: currency of the amount.", since=3),
        Column("percent", "DECIMAL(18,9)", "Of a discount: per cent off the list price.", since=3),
        Column("as_provider", "VARCHAR", "Of an alias: whose prices count; null: the same provider's.", since=3),
        Column("as_model", "VARCHAR", "Of an alias: the model whose prices count.", since=3),
        Column("tenant_id", "VARCHAR", "The one tenant it is for; null: all.", since=3),
        Column("service_tier", "VARCHAR", "The one service tier it is for; null: standard.", since=3),
        Column("valid_from", "TIMESTAMP WITH TIME ZONE", "First instant it holds; null: always.", since=3),
        Column("source", "VARCHAR", "Who says so: set, a file, or the source it names.", since=3),
        Column("origin", "VARCHAR", "How it came here: set, or the name of a file.", since=3),
        Column("recorded_at", "TIMESTAMP WITH TIME ZONE", "When it was recorded.", since=3),
        Column("withdrawn_at", "TIMESTAMP WITH TIME ZONE", "When it was withdrawn; null: it was not.", since=3),
    ),
)

COST_CHANGES = Table(
    "cost_changes",
    "One change of one call's booked cost: what it was, what it is since, by whom and why.",
    (
        Column("recorded_at", "TIMESTAMP WITH TIME ZONE", "When it was changed.", since=3),
        Column("changed_by", "VARCHAR", "Who changed it.", since=3),
        Column("reason", "VARCHAR", "Why.", since=3),
        Column("trace_id", "VARCHAR", "The call's trace.", since=3),
        Column("span_id", "VARCHAR", "The call's span.", since=3),
        Column("run_id", "VARCHAR", "The run that made the call.", since=3),
        Column("event_id", "VARCHAR", "The event it served.", since=3),
        Column("start_time", "TIMESTAMP WITH TIME ZONE", "When the call started.", since=3),
        Column("provider", "VARCHAR", "Who bills.", since=3),
        Column("model", "VARCHAR", "The model.", since=3),
        Column("cost_before", AMOUNT, "Its cost before; null: not known.", since=3),
        Column("cost_after", AMOUNT, "Its cost since; null: not known.", since=3),
        Column("currency_before", "VARCHAR", "Currency of the cost before.", since=3),
        Column("currency_after", "VARCHAR", "Currency of the cost since.", since=3),
        Column("priced_before", "BOOLEAN", "Whether the cost before was complete.", since=3),
        Column("priced_after", "BOOLEAN", "Whether the cost since is complete.", since=3),
        Column("line_items_before", LINE_ITEMS, "Its line items before.", since=3),
    ),
)

LINE_ITEMS_VIEW = Table(
    "line_items",
    "One line item: a quantity of one meter of one call, and what it costs. A view.",
    (
        Column("trace_id", "VARCHAR", "The call's trace."),
        Column("span_id", "VARCHAR", "The call's span."),
        Column("run_id", "VARCHAR", "The run that made the call."),
        Column("event_id", "VARCHAR", "The event it served."),
        Column("start_time", "TIMESTAMP WITH TIME ZONE", "When the call started."),
        Column("provider", "VARCHAR", "Who bills."),
        Column("model", "VARCHAR", "The model."),
        Column("meter", "VARCHAR", "What was counted; no two line items of a call overlap."),
        Column("quantity", QUANTITY, "How much of it; less than nothing where it takes back what other calls count."),
        Column("price_id", "VARCHAR", "The price; null: none was found, or none was needed."),
        Column("unit_price", "DECIMAL(38,18)", "Money for `per` units."),
        Column("per", "BIGINT", "How many units that buys."),
        Column("above", "BIGINT", "The price's tier: for calls with more input tokens than this."),
        Column("service_tier", "VARCHAR", "The price's service tier; null: standard."),
        Column("price_source", "VARCHAR", "Who says that this is the price."),
        Column("price_valid_from", "TIMESTAMP WITH TIME ZONE", "First instant that price holds; null: always."),
        Column(
            "amount",
            AMOUNT,
            "quantity x unit_price / per, to the nano-unit, or the reported cost; null: unpriced, or within that.",
        ),
        Column("currency", "VARCHAR", "Currency of the amount."),
    ),
)

VIEWS = (LINE_ITEMS_VIEW, ALLOCATIONS_VIEW)
"""Those that are derived whenever they are asked."""

TABLES = (SPANS, RUNS, EVENTS, UNIT_VALUES, PRICES, PRICE_TERMS, COST_CHANGES, SHARED_COSTS, *VIEWS)
"""What may be queried, and what a row of each is."""
