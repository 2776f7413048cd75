"""How prices, and sums made of them, are written for people."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any

from botanu.cli.output import console, print_csv, print_table
from botanu.pricing.notes import SENTENCES, Note
from botanu.server.plain import Plain
from botanu.server.web import format as written

_MISSING = ("calls", "provider", "model", "service tier", "without a price", "first seen", "last seen", "why")
_MISSING_CSV = ("calls", "provider", "model", "service_tier", "meters", "first_seen", "last_seen", "notes", "commands")


def number(value: object) -> str:
    """Write a quantity or price with all its digits, and no zeros behind the last."""
    if value is None:
        return ""
    exactly = Decimal(str(value))
    whole = exactly == exactly.to_integral_value()
    return f"{exactly:,.0f}" if whole else f"{exactly.normalize():,f}"


def amount(value: object, currency: object) -> str:
    """Write an amount with all its nine decimals."""
    return "–" if value is None else f"{Decimal(str(value)):,.9f} {currency or ''}".rstrip()


def instant(text: object) -> str:
    """Write an instant as its day, if it begins that day, or to the second; nothing is always."""
    if text is None:
        return "always"
    moment = datetime.fromisoformat(str(text))
    return f"{moment:%Y-%m-%d}" if moment.time() == moment.min.time() else f"{moment:%Y-%m-%d %H:%M:%S}"


def price_text(price: Mapping[str, Any]) -> str:
    """Write what a unit costs."""
    return f"{number(price['amount'])} {price['currency']} per {number(price['per'])}"


def term_text(term: Mapping[str, Any]) -> str:
    """Write one thing that the user says of prices as a sentence."""
    name = f"{term['provider']}/{term['model']}"
    if term["kind"] == "alias":
        behind = "/".join(part for part in (term["as_provider"], term["as_model"]) if part)
        return f"{name} is priced as {behind}"
    when = "for all time" if term["valid_from"] is None else f"from {instant(term['valid_from'])} on"
    limits = [
        f"{word} {term[key]}" for word, key in (("tenant", "tenant_id"), ("service tier", "service_tier")) if term[key]
    ]
    if term.get("above"):
        limits.append(f"above {number(term['above'])} input tokens")
    whose = "".join(f", {limit}" for limit in limits)
    if term["kind"] == "discount":
        of = f" of {term['meter']}" if term["meter"] else ""
        return f"{number(term['percent'])} % off the list prices{of} of {name}{whose}, {when}"
    return f"{name} {term['meter']} costs {price_text(term)}{whose}, {when}"


def print_sum(made: Plain) -> None:
    """Print what a call costs, line by line, and what there is to say of it."""
    out = console()
    for line in _heading(made):
        out.print(line, markup=False)
    lines = [_line(line) for line in made["lines"]]
    total = ["total", "", amount(made["cost"], made["currency"]), *[""] * 5]
    titles = ("meter", "quantity x price", "amount", "tier", "valid from", "hours", "source", "price id")
    kept = [
        place for place in range(len(titles)) if place < len(total) and any(line[place] for line in [*lines, total])
    ]
    if lines:
        print_table(
            [titles[place] for place in kept],
            [[line[place] for place in kept] for line in lines],
            right=[place == 2 for place in kept],  # noqa: PLR2004 - the amount
            total=[total[place] for place in kept],
        )
    for line in _remarks(made):
        out.print(line, markup=False)


def _heading(made: Plain) -> Iterable[str]:
    names = "/".join(text for text in (made["provider"], made["model"]) if text) or "(no provider, no model)"
    yield f"{instant(made['start_time'])} UTC  {names}  service tier {made['service_tier'] or 'standard'}"
    if made["span_id"]:
        yield f"span {made['span_id']} ({made['name']})  run {made['run_id'] or '–'}  event {made['event_id'] or '–'}"


def _line(line: Mapping[str, Any]) -> list[str]:
    if line["unit_price"] is not None:
        per = "" if line["per"] == 1 else f" / {number(line['per'])}"
        product = f"{number(line['quantity'])} x {number(line['unit_price'])}{per}"
        since = instant(line["valid_from"])
    else:
        product, since = number(line["quantity"]), ""
    return [
        line["meter"],
        product,
        amount(line["amount"], line["currency"]),
        _tier(line),
        since,
        line["hours"] or "",
        line["source"] or ("no price" if line["amount"] is None and line["price_id"] is None else ""),
        line["price_id"] or "",
    ]


def _tier(line: Mapping[str, Any]) -> str:
    parts = [line["service_tier"], f"above {number(line['above'])}" if line["above"] else None]
    if line["tenant_id"]:
        parts.append(f"tenant {line['tenant_id']}")
    if line["discount"] is not None:
        parts.append(f"less {number(line['discount'])} %")
    return ", ".join(part for part in parts if part)


def _remarks(made: Plain) -> Iterable[str]:
    if made["priced"] is None:
        yield "This span is no call: it reports no usage and no cost."
        return
    if made["reported_cost"] is not None:
        by, currency = made["reported_by"] or "the program", made["currency"] or "USD"
        yield f"Reported by {by}: {amount(made['reported_cost'], currency)}."
        if made["computed_cost"] is not None:
            yield f"Computed from usage and prices: {amount(made['computed_cost'], currency)}."
            yield f"Reported less computed: {amount(made['difference'], currency)}."
        which = "reported" if made["cost_source"] == "reported" else "computed"
        yield f"The {which} cost counts." if made["cost"] is not None else "Neither counts."
    for note in made["notes"]:
        yield note["sentence"]
    if made["span_id"] is None:
        yield "Its cost is complete." if made["priced"] else "What has no price is not in the cost."
    elif made["counted"] is False:
        yield f"It does not count: {made['counted_reason']}."
    elif made["priced"]:
        yield "It counts, and its cost is complete."
    else:
        yield "It counts as a call without a price: what has none is not in the cost."
    if made["commands"]:
        yield "To give it a price:"
        yield from (f"  {command}" for command in made["commands"])


def print_missing(found: Sequence[Mapping[str, Any]], *, csv: bool) -> None:
    """Print what has no price, and below it the commands that give one."""
    if csv:
        print_csv(_MISSING_CSV, [[each[name] for name in _MISSING_CSV] for each in found])
        return
    out = console()
    if not found:
        out.print("Nothing: every call has a price.")
        return
    rows = [
        [
            written.count(each["calls"]),
            each["provider"] or "–",
            each["model"] or "–",
            each["service_tier"] or "standard",
            ", ".join(f"{number(part['quantity'])} {part['meter']}" for part in each["meters"]) or "–",
            instant(each["first_seen"]),
            instant(each["last_seen"]),
            " ".join(SENTENCES[Note(note)] for note in each["notes"]),
        ]
        for each in found
    ]
    print_table(_MISSING, rows, right=[title == "calls" for title in _MISSING])
    commands = dict.fromkeys(command for each in found for command in each["commands"])
    prices = [command for command in commands if " recost " not in command]
    again = sorted(command for command in commands if " recost " in command)[:1]
    if prices:
        out.print("To give them a price, and what is booked its cost:")
        for command in (*prices, *again):
            out.print(f"  {command}", markup=False)
