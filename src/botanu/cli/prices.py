"""``botanu prices``: the user's own prices, what has none, and why a call costs what it costs."""

import sys
from importlib.resources import files
from pathlib import Path
from typing import Annotated

from cyclopts import App, Parameter

from botanu.cli.options import DataDir, Url, source
from botanu.cli.output import Format, console, exact, print_csv, print_json, print_table
from botanu.cli.price_questions import explain, missing
from botanu.cli.sums import term_text
from botanu.server.price_file import read_entries

prices = App(name="prices", help="Your own prices, what has none, and why a call costs what it costs.")
prices.command(missing)
prices.command(explain)

From = Annotated[str | None, Parameter(name="--from", help="First date or instant it holds, UTC if it names no zone.")]
Tenant = Annotated[str | None, Parameter(help="The one tenant it is for.")]
ServiceTier = Annotated[str | None, Parameter(help="The one service tier it is for, such as batch; without: standard.")]
_FORMAT = Parameter(name=["--format", "-f"])
_FIELDS = (
    "provider", "model", "meter", "amount", "per", "currency", "above", "service_tier", "tenant_id", "valid_from",
    "valid_to", "hours", "source", "origin", "id",
)  # fmt: skip
_NUMBERS = {"amount", "per", "above"}


@prices.command(name="set")
def set_price(  # noqa: PLR0913 - an option for each thing a price may say
    provider: str,
    model: str,
    meter: str,
    amount: str,
    /,
    *,
    per: int = 1,
    currency: str = "USD",
    since: From = None,
    tenant: Tenant = None,
    service_tier: ServiceTier = None,
    above: int = 0,
    source_of: Annotated[str | None, Parameter(name="--source")] = None,
    url: Url = None,
    data_dir: DataDir = None,
) -> None:
    """Set what a unit of a meter costs. Your own prices go before the price list.

    Without --from it holds for all time where there was no price, and from now on where there was one: what was booked
    before stays. What is booked already keeps its cost until it is costed again.

    Parameters
    ----------
    provider
        Who bills, as spans name it; * stands for any letters, here and in the model.
    model
        What is billed: a model, a tool, a table, a path, ...
    meter
        What is counted, such as input_tokens, requests or pages.
    amount
        Money for the units that --per says, such as 2.50.
    per
        How many units the amount buys.
    currency
        Currency of the amount. Costs in another one than USD are shown beside the total, never in it.
    above
        Holds for all of a call with more input tokens than this; a tier of the price without it.
    source_of
        Where the price is from, such as a link.
    """
    given = {
        "provider": provider, "model": model, "meter": meter, "amount": amount, "per": per, "currency": currency,
        "from": since, "tenant_id": tenant, "service_tier": service_tier, "above": above, "source": source_of,
    }  # fmt: skip
    with source(url, data_dir) as asked:
        _tell(asked.pricing.set_price(**given))


@prices.command
def discount(
    percent: Annotated[str, Parameter(allow_leading_hyphen=True)],
    /,
    *,
    provider: str = "*",
    model: str = "*",
    meter: str | None = None,
    tenant: Tenant = None,
    service_tier: ServiceTier = None,
    since: From = None,
    url: Url = None,
    data_dir: DataDir = None,
) -> None:
    """Set how many per cent are taken off the price list. Your own prices are what you pay, and stay as they are.

    Without --from it holds from now on.

    Parameters
    ----------
    percent
        Per cent taken off; a negative number is a surcharge.
    provider
        Who bills; * is any.
    model
        The model; * is any.
    meter
        The one meter it is for; without: all.
    """
    given = {
        "percent": percent, "provider": provider, "model": model, "meter": meter, "tenant_id": tenant,
        "service_tier": service_tier, "from": since,
    }  # fmt: skip
    with source(url, data_dir) as asked:
        _tell(asked.pricing.set_discount(**given))


@prices.command
def alias(
    provider: str,
    model: str,
    as_model: str,
    /,
    *,
    as_provider: str | None = None,
    url: Url = None,
    data_dir: DataDir = None,
) -> None:
    """Price the calls of one name as those of another: of a deployment as those of the model behind it.

    Parameters
    ----------
    provider
        Who bills, as spans name it; * is any.
    model
        The name that has no prices of its own.
    as_model
        The model whose prices count.
    as_provider
        The provider whose prices count, if it is another.
    """
    given = {"provider": provider, "model": model, "as_model": as_model, "as_provider": as_provider}
    with source(url, data_dir) as asked:
        _tell(asked.pricing.set_alias(**given))


@prices.command
def withdraw(name: Annotated[str, Parameter(name="id")], /, *, url: Url = None, data_dir: DataDir = None) -> None:
    """Take back a price, a discount or an alias. What it has priced keeps its cost.

    Parameters
    ----------
    name
        Its id, as 'botanu prices list --own' gives it.
    """
    with source(url, data_dir) as asked:
        done = asked.pricing.withdraw(name)["withdrawn"]
    out = console()
    out.print(f"withdrawn: {term_text(done)}", markup=False)
    if done["origin"] != "set":
        out.print(f"It came from {done['origin']}: take it out there as well, or it is back when that is read again.")


@prices.command(name="list")
def list_prices(
    provider: str | None = None,
    model: str | None = None,
    /,
    *,
    own: bool = False,
    at: str | None = None,
    form: Annotated[Format, _FORMAT] = Format.TABLE,
    url: Url = None,
    data_dir: DataDir = None,
) -> None:
    """Print prices: your own, and where a provider is named those of the price list that match.

    Parameters
    ----------
    provider
        Who bills; * stands for any letters, here and in the model.
    model
        What is billed.
    own
        Your own alone.
    at
        Only what holds at this date or instant.
    form
        table, json or csv.
    """
    with source(url, data_dir) as asked:
        found = asked.pricing.listed(provider=provider, model=model, at=at, own=own)
    rows = [[price.get(field) for field in _FIELDS] for price in found["prices"]]
    if form is Format.JSON:
        print_json(found)
    elif form is Format.CSV:
        print_csv(_FIELDS, rows)
    else:
        _print_list(found, rows)


@prices.command(name="import")
def import_file(
    file: Path,
    /,
    *,
    dry_run: bool = False,
    url: Url = None,
    data_dir: DataDir = None,
) -> None:
    """Record what a file of prices says: all of it or, if any entry is bad, nothing.

    What the same file said before and says no more is withdrawn. A file is known by its name.

    Parameters
    ----------
    file
        TOML with tables [[prices]], [[discounts]] and [[aliases]], or CSV with a header of the same keys.
    dry_run
        Only say what would change.
    """
    entries = read_entries(file)
    with source(url, data_dir) as asked:
        done = asked.pricing.import_entries(file.name, entries, dry_run=dry_run)
    out = console()
    for word, terms in (("new", done["new"]), ("withdrawn", done["withdrawn"])):
        for each in terms:
            out.print(f"{word}: {term_text(each)}", markup=False)
    would = "; nothing was recorded, as this is a dry run" if dry_run else ""
    counts = f"{len(done['new'])} new, {len(done['withdrawn'])} withdrawn, {done['unchanged']} unchanged"
    out.print(f"{done['origin']}: {counts}{would}", markup=False)


@prices.command
def starter() -> None:
    """Print a price file to begin from: functions, databases, storage, queues, web APIs and GPUs, with sources."""
    sys.stdout.write((files("botanu.pricing") / "starter.toml").read_text(encoding="utf-8"))


def _tell(done: dict[str, object]) -> None:
    out = console()
    out.print(f"{'' if done['new'] else 'already so: '}{term_text(done)}", markup=False)


def _print_list(found: dict[str, list[dict[str, object]]], rows: list[list[object]]) -> None:
    used = [place for place, field in enumerate(_FIELDS) if any(row[place] not in (None, 0) for row in rows)]
    if rows:
        texts = [[exact(row[place]) for place in used] for row in rows]
        names = [_FIELDS[place] for place in used]
        print_table(names, texts, right=[name in _NUMBERS for name in names])
    out = console()
    for each in (*found["discounts"], *found["aliases"]):
        out.print(f"{term_text(each)}  [{each['origin']}, {each['id']}]", markup=False)
    if not any(found.values()):
        out.print("No price. 'botanu prices set PROVIDER MODEL METER AMOUNT' gives one.")
