"""Both sides of a comparison laid over each other, model by model.

The two sides do not say everything equally finely, so both are brought to what they share: names of one model become
one, meters that providers bill as one are added up, and where an invoice gives one amount for several meters or models,
ours are added up too.
"""

from collections.abc import Iterable, Sequence
from datetime import date
from decimal import Decimal

from botanu.pricing.costing import REPORTED_COST
from botanu.pricing.matching import provider_id
from botanu.pricing.meters import REQUESTS
from botanu.query.reconciling.booked import BookedLine
from botanu.query.reconciling.cells import Account, Cell, Evidence, Key, total
from botanu.query.reconciling.invoices import InvoiceLine
from botanu.query.reconciling.names import aliases

COMPARED_AS = {
    "output_text_tokens": "output_tokens",
    "output_reasoning_tokens": "output_tokens",
    "output_citation_tokens": "output_tokens",
    "input_tool_tokens": "input_uncached_tokens",
    "cache_write_tokens": "cache_write_5m_tokens",
    "cache_write_other_tokens": "cache_write_5m_tokens",
}
"""Meters that are compared as another: providers bill reasoning as output, and a cache write whose life nobody says at
the price of the short one."""

_HALF_A_NANO = Decimal("5e-10")
_DECIMALS_LEAST = 2


def accounts(lines: Sequence[InvoiceLine], booked: Sequence[BookedLine]) -> list[Account]:
    """Lay the *lines* that are about usage over what is *booked* with the same providers.

    What we booked and the invoice does not list is a cell too, if it costs something or the invoice lists that meter
    elsewhere: what is free need not be on an invoice.
    """
    usage = [line for line in lines if not line.credit]
    names = _Names(usage, booked)
    counted = [line for line in usage if not _is_request_count(line)]
    grain = _Grain([(names.invoiced(line), line.meter) for line in counted])
    cells: dict[Key, Cell] = {}
    for line in counted:
        key = grain.key(*names.invoiced(line), line.day, line.meter)
        cells.setdefault(key, Cell(key)).lines.append(line)
    listed = {(key[0], key[3]) for key in cells}
    for ours in booked:
        if (name := names.booked(ours)) is not None and ours.meter is not None:
            key = grain.key(*name, ours.day, ours.meter)
            if key in cells or ours.amount or (name[0], key[3]) in listed:
                cells.setdefault(key, Cell(key)).booked.append(ours)
    told = [cell for cell in cells.values() if cell.booked or any(line.quantity or line.amount for line in cell.lines)]
    _Filling(lines).fill(told)
    return _Accounts(names, grain).of(told, usage, booked)


def _is_request_count(line: InvoiceLine) -> bool:
    """Return whether *line* only counts requests, of which a call of ours may have needed several."""
    return line.meter == REQUESTS and line.amount is None


class _Names:
    """Finds the provider and the model that a line is compared under."""

    def __init__(self, lines: Sequence[InvoiceLine], booked: Sequence[BookedLine]) -> None:
        self._providers = {line.provider for line in lines}
        self._aliases = {
            provider: aliases(
                {line.model for line in lines if line.provider == provider and line.model},
                {ours.model for ours in booked if self._provider(ours) == provider and ours.model},
            )
            for provider in self._providers
        }

    def invoiced(self, line: InvoiceLine) -> tuple[str, str | None]:
        return line.provider, line.model and self._aliases[line.provider][line.model]

    def booked(self, ours: BookedLine) -> tuple[str, str | None] | None:
        """Return provider and model; ``None`` where the invoice is not about that provider."""
        provider = self._provider(ours)
        return None if provider is None else (provider, ours.model and self._aliases[provider][ours.model])

    def _provider(self, ours: BookedLine) -> str | None:
        """Return the provider; calls of a model that say none are taken to be with the only one there is."""
        if ours.provider:
            provider = provider_id(ours.provider)
            return provider if provider in self._providers else None
        return next(iter(self._providers)) if ours.model and len(self._providers) == 1 else None


class _Grain:
    """Says how finely both sides can be compared: no finer than the invoice is."""

    def __init__(self, named: Iterable[tuple[tuple[str, str | None], str | None]]) -> None:
        self._whole_models = set()
        self._whole_providers = set()
        self._whole_meters = set()
        for (provider, model), meter in named:
            if model is not None and meter is None:
                self._whole_models.add((provider, model))
            elif model is None and meter is None:
                self._whole_providers.add(provider)
            elif model is None:
                self._whole_meters.add((provider, _compared(meter)))

    def key(self, provider: str, model: str | None, day: date, meter: str | None) -> Key:
        if provider in self._whole_providers:
            return provider, None, day, None
        if (provider, model) in self._whole_models:
            return provider, model, day, None
        compared = _compared(meter)
        return provider, None if (provider, compared) in self._whole_meters else model, day, compared


def _compared(meter: str | None) -> str | None:
    return None if meter is None else COMPARED_AS.get(meter, meter)


class _Filling:
    """Adds up both sides of cells."""

    def __init__(self, lines: Sequence[InvoiceLine]) -> None:
        amounts = [line.amount for line in lines if line.amount is not None]
        decimals = max((-int(amount.as_tuple().exponent) for amount in amounts), default=0)
        self._has_amounts = bool(amounts)
        self._half_a_digit = Decimal(5).scaleb(-max(decimals, _DECIMALS_LEAST) - 1)

    def fill(self, cells: Iterable[Cell]) -> None:
        """Fill *cells*; the models of which an invoice gives amounts alone are compared by amounts alone."""
        by_model: dict[tuple[str, str | None], list[Cell]] = {}
        for cell in cells:
            self._fill(cell)
            by_model.setdefault(cell.key[:2], []).append(cell)
        for members in by_model.values():
            if any(cell.invoiced_quantity is None for cell in members):
                for cell in members:
                    cell.invoiced_quantity = None

    def _fill(self, cell: Cell) -> None:
        quantities = [line.quantity for line in cell.lines]
        known = cell.meter is not None and None not in quantities
        cell.invoiced_quantity = total(filter(None, quantities)) if known else None
        cell.booked_quantity = None if cell.meter is None else total(ours.quantity for ours in cell.booked)
        cell.booked_amount = total(ours.amount for ours in cell.booked if ours.amount is not None)
        if self._has_amounts:
            cell.invoiced_amount = total(line.amount for line in cell.lines if line.amount is not None)
        calls = sum(ours.calls for ours in cell.booked)
        cell.allowance = self._half_a_digit * len(cell.lines) + _HALF_A_NANO * calls


class _Accounts:
    """Puts cells together by model."""

    def __init__(self, names: _Names, grain: _Grain) -> None:
        self._names = names
        self._grain = grain
        self._made: dict[tuple[str, str | None], Account] = {}

    def of(self, cells: Iterable[Cell], lines: Sequence[InvoiceLine], booked: Sequence[BookedLine]) -> list[Account]:
        for cell in sorted(cells, key=lambda cell: tuple(str(part or "") for part in cell.key)):
            self._made.setdefault(cell.key[:2], Account(*cell.key[:2])).cells.append(cell)
        for ours in booked:
            if ours.meter is None and (evidence := self._evidence(self._names.booked(ours), ours.day)) is not None:
                evidence.add(ours)
        for line in filter(_is_request_count, lines):
            evidence = self._evidence(self._names.invoiced(line), line.day)
            if evidence is not None and line.quantity is not None:
                evidence.requests = (evidence.requests or Decimal()) + line.quantity
        for account in self._made.values():
            _put_reported_costs_together(account)
        return list(self._made.values())

    def _evidence(self, name: tuple[str, str | None] | None, day: date) -> Evidence | None:
        """Return the evidence of the account that the model *name* is in; ``None`` if there is no such account."""
        account = self._made.get(self._grain.key(*name, day, None)[:2]) if name else None
        return None if account is None else account.days.setdefault(day, Evidence())


def _put_reported_costs_together(account: Account) -> None:
    """Where calls of *account* have a reported cost, compare its amounts for all meters of a day together.

    Such a cost is for all that a call used, so the meters have no amounts of their own. Their quantities stay apart.
    """
    if not any(cell.meter == REPORTED_COST for cell in account.cells):
        return
    together: dict[date, Cell] = {}
    for cell in account.cells:
        whole = together.setdefault(cell.day, Cell((account.provider, account.model, cell.day, None)))
        whole.lines += cell.lines
        whole.booked += cell.booked
        whole.allowance += cell.allowance
        whole.booked_amount = total(filter(None, (whole.booked_amount, cell.booked_amount)))
        if cell.invoiced_amount is not None:
            whole.invoiced_amount = total(filter(None, (whole.invoiced_amount, cell.invoiced_amount)))
        cell.invoiced_amount = cell.booked_amount = None
    account.cells = [*(cell for cell in account.cells if cell.meter != REPORTED_COST), *together.values()]
