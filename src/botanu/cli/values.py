"""``botanu values``: the value card."""

from typing import Annotated

from cyclopts import App, Parameter

from botanu.cli.options import DataDir, Url, source
from botanu.cli.output import Format, console, exact, print_csv, print_json, print_table
from botanu.pricing.money import CURRENCY
from botanu.pricing.value_card import BEGINNING
from botanu.server.web import format as written

values = App(name="values", help="What one unit of each value type is worth, in money.")

_ALWAYS = BEGINNING.isoformat()
_FIELDS = ("value_type", "workflow", "amount", "currency", "valid_from", "valid_to", "source")


@values.command(name="set")
def set_value(
    value_type: str,
    amount: str,
    /,
    *,
    currency: str = CURRENCY,
    since: Annotated[str | None, Parameter(name="--from")] = None,
    workflow: str | None = None,
    url: Url = None,
    data_dir: DataDir = None,
) -> None:
    """Set what one unit of a value type is worth.

    The first value of a type holds for all time; a later one holds from now on, so what was reported before stays.

    Parameters
    ----------
    value_type
        The value type that outcomes name, such as orders_fulfilled.
    amount
        Money per unit, such as 4.50.
    currency
        Currency of the amount; only USD for now.
    since
        First date or instant it holds, instead, UTC if it names no zone.
    workflow
        The one workflow it holds for.
    """
    with source(url, data_dir) as asked:
        done = asked.set_value(value_type=value_type, amount=amount, currency=currency, since=since, workflow=workflow)
    value = done["value"]
    where = f" in {workflow}" if workflow else ""
    console().print(
        f"{value_type}{where} is worth {written.money(value['amount'], value['currency'])} per unit "
        f"{_from(value['valid_from'])}; runs valued anew: {written.count(done['runs_changed'])}",
        markup=False,
    )


@values.command(name="list")
def list_values(
    *,
    form: Annotated[Format, Parameter(name=["--format", "-f"])] = Format.TABLE,
    url: Url = None,
    data_dir: DataDir = None,
) -> None:
    """Print every value there is, with the times between which it holds.

    Parameters
    ----------
    form
        table, json or csv.
    """
    with source(url, data_dir) as asked:
        card = asked.values()
    rows = [[value[field] for field in _FIELDS] for value in card["values"]]
    if form is Format.JSON:
        print_json(card)
    elif form is Format.CSV:
        print_csv(_FIELDS, rows)
    else:
        texts = [["" if value == _ALWAYS else exact(value) for value in row] for row in rows]
        print_table(_FIELDS, texts, right=[field == "amount" for field in _FIELDS])


def _from(instant: str) -> str:
    return "for all time" if instant == _ALWAYS else f"from {instant}"
