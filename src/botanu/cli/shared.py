"""``botanu shared``: fixed and shared costs."""

from dataclasses import asdict, dataclass, fields
from typing import Annotated, Any

from cyclopts import App, Parameter

from botanu.cli.options import DataDir, Url, source
from botanu.cli.output import Format, console, exact, print_csv, print_json, print_table
from botanu.pricing.money import CURRENCY
from botanu.pricing.shared_costs import Basis, period_text
from botanu.query.window import parse_instant
from botanu.server.plain import Plain
from botanu.server.web import format as written

shared = App(name="shared", help="Fixed and shared costs, and how they are allocated to runs.")

_SHOWN = ("name", "period", "amount", "currency", "by", "borne by", "runs", "source")


@dataclass(frozen=True, slots=True)
class Period:
    """The period of a shared cost."""

    month: Annotated[str | None, Parameter(help="The month it is for, such as 2026-11, in UTC.")] = None
    since: Annotated[
        str | None, Parameter(name="--from", help="Instead: first date or instant, UTC if it names no zone.")
    ] = None
    until: Annotated[str | None, Parameter(name="--to", help="First date or instant after it.")] = None

    def given(self) -> Plain:
        """Return what was given of it."""
        said = {"month": self.month, "from": self.since, "to": self.until}
        return {name: text for name, text in said.items() if text is not None}


@dataclass(frozen=True, slots=True)
class Bearer:
    """Who bears a shared cost."""

    workflow: Annotated[str | None, Parameter(help="The one workflow that bears it.")] = None
    customer_id: Annotated[str | None, Parameter(help="The one customer it is for.")] = None
    environment: Annotated[str | None, Parameter(help="The one environment that bears it.")] = None


_BEARERS = tuple(field.name for field in fields(Bearer))
_FIELDS = (
    "name", "amount", "currency", "period_start", "period_end", "basis", *_BEARERS, "runs", "source", "recorded_at",
    "withdrawn_at",
)  # fmt: skip
_NO_PERIOD = Period()
_ALL = Bearer()
_Flat = Parameter(name="*")


@shared.command(name="set")
def set_shared(
    name: str,
    amount: str,
    /,
    *,
    by: Basis,
    period: Annotated[Period, _Flat] = _NO_PERIOD,
    currency: str = CURRENCY,
    bearer: Annotated[Bearer, _Flat] = _ALL,
    url: Url = None,
    data_dir: DataDir = None,
) -> None:
    """Set what something costs in a period, to be allocated to the runs that started in it.

    It replaces what was set for the same name and period.

    Parameters
    ----------
    name
        What it is, such as gpu-reserved.
    amount
        What it costs in all in the period, such as 1200.
    by
        What it is allocated by: the runs' tokens, seconds or calls, or equal parts.
    currency
        Currency of the amount; reports leave out what is in another one than costs.
    """
    given: Plain = {"name": name, "amount": amount, "currency": currency, "by": by.value, **period.given()}
    given |= {name: text for name, text in asdict(bearer).items() if text is not None}
    with source(url, data_dir) as asked:
        done = asked.set_shared_cost(given)
    cost = done["shared_cost"]
    amount_shown = written.money(cost["amount"], cost["currency"])
    how = "in equal parts" if cost["basis"] == Basis.EQUAL else f"by {cost['basis']}"
    whose = f"the runs of {_bearers(cost)}" if _bearers(cost) else "all runs"
    known = "" if done["recorded"] else ", as before"
    console().print(f"{_named(cost)} costs {amount_shown}, allocated to {whose} {how}{known}", markup=False)


@shared.command(name="list")
def list_shared(
    *,
    withdrawn: bool = False,
    form: Annotated[Format, Parameter(name=["--format", "-f"])] = Format.TABLE,
    url: Url = None,
    data_dir: DataDir = None,
) -> None:
    """Print the shared costs, and how many runs bear each.

    Parameters
    ----------
    withdrawn
        Add those that were withdrawn or replaced.
    form
        table, json or csv.
    """
    with source(url, data_dir) as asked:
        answer = asked.shared_costs()
    costs = [cost for cost in answer["shared_costs"] if withdrawn or cost["withdrawn_at"] is None]
    if form is Format.JSON:
        print_json({"shared_costs": costs})
    elif form is Format.CSV:
        print_csv(_FIELDS, [[cost[field] for field in _FIELDS] for cost in costs])
    else:
        titles = (*_SHOWN, "withdrawn_at") if withdrawn else _SHOWN
        print_table(titles, [_texts(cost)[: len(titles)] for cost in costs], right=[t in _NUMBERS for t in titles])
        for cost in costs:
            if cost["runs"] == 0:
                console().print(f"{_named(cost)} is unallocated: {_why(cost)}", markup=False)


@shared.command(name="withdraw")
def withdraw_shared(
    name: str,
    /,
    *,
    period: Annotated[Period, _Flat] = _NO_PERIOD,
    url: Url = None,
    data_dir: DataDir = None,
) -> None:
    """Withdraw a shared cost: no run bears it any longer. What was recorded stays readable.

    Parameters
    ----------
    name
        Its name.
    """
    with source(url, data_dir) as asked:
        done = asked.withdraw_shared_cost({"name": name, **period.given()})
    console().print(f"{_named(done['withdrawn'])} is withdrawn", markup=False)


_NUMBERS = ("amount", "runs")


def _named(cost: Plain) -> str:
    return f"{cost['name']} ({_period_of(cost)})"


def _period_of(cost: Plain) -> str:
    return period_text(parse_instant(cost["period_start"]), parse_instant(cost["period_end"]))


def _bearers(cost: Plain) -> str:
    """Return whose runs bear it; nothing where all do."""
    return ", ".join(f"{name} {cost[name]}" for name in _BEARERS if cost[name] is not None)


def _texts(cost: Plain) -> list[str]:
    values: list[Any] = [cost["name"], _period_of(cost), cost["amount"], cost["currency"], cost["basis"]]
    return [
        exact(value) for value in (*values, _bearers(cost) or "all", cost["runs"], cost["source"], cost["withdrawn_at"])
    ]


def _why(cost: Plain) -> str:
    runs = f"no run of {_bearers(cost)}" if _bearers(cost) else "no run"
    return f"{runs} started in it" if cost["basis"] == Basis.EQUAL else f"{runs} that started in it has {cost['basis']}"
