"""``botanu events``: one event with its runs and their calls."""

from collections.abc import Mapping, Sequence
from typing import Annotated, Any

from cyclopts import App, Parameter

from botanu.cli.options import DataDir, Url, source
from botanu.cli.output import Format, console, print_json, print_table
from botanu.cli.source import Source
from botanu.cli.sums import amount, instant, number
from botanu.errors import QueryError
from botanu.pricing.money import CURRENCY
from botanu.server.plain import Plain
from botanu.server.web import format as written

events = App(name="events", help="What one event cost: its runs, and every call of them.")

_CALLS = ("time", "span", "name", "provider/model", "tokens in", "out", "cost", "source", "counts", "notes")
_RIGHT = {"tokens in", "out", "cost"}


@events.command
def show(
    event_id: Annotated[str, Parameter(allow_leading_hyphen=True)],
    /,
    *,
    form: Annotated[Format, Parameter(name=["--format", "-f"])] = Format.TABLE,
    url: Url = None,
    data_dir: DataDir = None,
) -> None:
    """Print an event, its runs, and what each of their calls cost.

    Parameters
    ----------
    event_id
        The event.
    form
        table or json.
    """
    with source(url, data_dir) as asked:
        event = _one_event(asked, event_id)
        runs = _rows(asked, f"SELECT * FROM runs WHERE event_id = {_text(event_id)} ORDER BY start_time, run_id")
        calls = _rows(asked, _calls_sql(event_id))
    if form is Format.JSON:
        print_json({"event": event, "runs": runs, "calls": calls})
        return
    out = console()
    out.print(_event_line(event), markup=False)
    for run in runs:
        out.print()
        out.print(_run_line(run), markup=False)
        made = [call for call in calls if call["run_id"] == run["run_id"]]
        if made:
            print_table(_CALLS, [_call_line(call) for call in made], right=[title in _RIGHT for title in _CALLS])
        else:
            out.print("no calls")


def _calls_sql(event_id: str) -> str:
    return f"""
SELECT run_id, start_time, trace_id, span_id, name, provider, coalesce(model, tool) AS model, input_tokens,
  output_tokens, cost, currency, cost_source, priced, counted, counted_reason, cost_notes
FROM spans WHERE priced IS NOT NULL
  AND run_id IN (SELECT run_id FROM runs WHERE event_id = {_text(event_id)})
ORDER BY start_time, trace_id, span_id
"""


def _one_event(asked: Source, event_id: str) -> Plain:
    found = _rows(asked, f"SELECT * FROM events WHERE event_id = {_text(event_id)}")
    if not found:
        raise QueryError(f"there is no event {event_id!r}: botanu sql 'SELECT event_id FROM events' lists them")
    return found[0]


def _rows(asked: Source, query: str) -> list[Plain]:
    answer = asked.sql(query)
    names = [column["name"] for column in answer["columns"]]
    return [dict(zip(names, row, strict=True)) for row in answer["rows"]]


def _text(value: str) -> str:
    """Return *value* as text in SQL."""
    return "'" + value.replace("'", "''") + "'"


def _event_line(event: Mapping[str, Any]) -> str:
    attempts = "attempt" if event["attempts"] == 1 else "attempts"
    parts = [
        f"event {event['event_id']}",
        f"{event['workflow'] or 'no workflow'} for {event['customer_id'] or 'no customer'}",
        f"{event['outcome_status'] or 'no outcome'} after {event['attempts']} {attempts}",
        *_sums(event),
    ]
    return " · ".join(parts)


def _run_line(run: Mapping[str, Any]) -> str:
    why = f" ({run['outcome_reason']})" if run["outcome_reason"] else ""
    parts = [
        f"run {run['run_id']}",
        f"{run['workflow'] or 'no workflow'}, attempt {run['attempt']}",
        f"{instant(run['start_time'])} UTC",
        f"{run['outcome_status'] or 'no outcome'}{why}",
        *_sums(run),
    ]
    return " · ".join(parts)


def _sums(row: Mapping[str, Any]) -> list[str]:
    """Write what a run or event cost and is worth, as far as that is known."""
    parts = [f"cost {amount(row['total_cost'], CURRENCY)}"]
    parts += [f"and {amount(other['amount'], other['currency'])}" for other in row["other_costs"] or ()]
    if row["unpriced_calls"]:
        calls = "call" if row["unpriced_calls"] == 1 else "calls"
        parts.append(f"{written.count(row['unpriced_calls'])} {calls} without a price, not in the cost")
    worth = "–" if row["value"] is None else f"{number(row['value'])} {CURRENCY}"
    return [*parts, f"value {worth}"]


def _call_line(call: Mapping[str, Any]) -> Sequence[str]:
    counts = "yes" if call["counted"] else f"no: {call['counted_reason']}"
    return [
        instant(call["start_time"]),
        call["span_id"],
        call["name"] or "",
        "/".join(part for part in (call["provider"], call["model"]) if part) or "–",
        number(call["input_tokens"]) or "–",
        number(call["output_tokens"]) or "–",
        amount(call["cost"], call["currency"]),
        call["cost_source"] or "",
        counts,
        ", ".join(call["cost_notes"] or ()),
    ]
