"""Invoice and usage files of providers, read into lines of one kind."""

import csv
import re
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path

from botanu.errors import InvoiceError
from botanu.pricing.matching import provider_id
from botanu.query.invoice_formats import AI_SERVICES, BILLERS, FORMATS, USAGE, Format, Quantity
from botanu.query.invoice_names import STANDARD, Named, named_in

_DELIMITERS = ",\t;"
_NUMBER = re.compile(r"[+-]?(\d{1,15}(\.\d{0,40})?|\.\d{1,40})([eE][+-]?\d{1,2})?")
_UNIT = re.compile(r"(?P<count>\d[\d,]*)?\s*(?P<scale>[km])?\b", re.IGNORECASE)
_SCALES = {"": 1, "k": 10**3, "m": 10**6}
_SECONDS = re.compile(r"\d{9,10}(\.0+)?")


@dataclass(frozen=True, slots=True)
class InvoiceLine:
    """What a provider bills, or counts, of one meter on one day (UTC), as one row of its file says.

    ``None`` is what the file does not say: *model* and *meter* on a row about all of them, *quantity* in a list of
    costs, *amount* in a list of usage, *service_tier* where no column speaks of it. *credit* marks a line that is no
    usage, or takes some back: a credit, a refund, a tax, a purchase; its meter is then what kind of charge it is.
    *row* is the file's row, the header being the first.
    """

    provider: str
    model: str | None
    day: date
    meter: str | None
    quantity: Decimal | None
    amount: Decimal | None
    currency: str | None
    service_tier: str | None
    credit: bool
    row: int


@dataclass(frozen=True, slots=True)
class Invoice:
    """A file as read: its *format*, its *lines*, and the days it is about, of which some may be without a line.

    *left_out* counts rows about other services than calls of models.
    """

    format: str
    lines: tuple[InvoiceLine, ...]
    first: date
    last: date
    left_out: int = 0


def biller_id(name: str) -> str:
    """Return the id of the provider that a bill calls *name*: the one that prices are kept under."""
    return BILLERS.get(name.strip().lower(), provider_id(name))


def read_invoice(file: Path) -> Invoice:
    """Read an invoice or usage export.

    Raises:
        InvoiceError: the file cannot be opened, its header is that of no known format, a cell cannot be read, or there
            is no row in it.
    """
    try:
        with file.open(encoding="utf-8-sig", newline="") as text:
            header = text.readline()
            delimiter = max(_DELIMITERS, key=header.count)
            columns = next(csv.reader([header], delimiter=delimiter), [])
            return _read(_format(columns), columns, csv.reader(text, delimiter=delimiter, strict=True))
    except InvoiceError as error:
        raise InvoiceError(f"{file}: {error}") from None
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise InvoiceError(f"{file} cannot be read as CSV: {error}") from None


def _format(columns: Sequence[str]) -> Format:
    found = {column.strip().casefold() for column in columns}
    for each in FORMATS:
        if {name.casefold() for name in each.header} <= found:
            return each
    known = "; ".join(f"{each.name} ({', '.join(sorted(each.header))})" for each in FORMATS)
    there = ", ".join(columns) or "none"
    raise InvoiceError(f"no known invoice has these columns: {there}. Known are, by what each needs: {known}")


def _read(form: Format, columns: Sequence[str], rows: Iterable[Sequence[str]]) -> Invoice:
    lines: list[InvoiceLine] = []
    days: set[date] = set()
    left_out = 0
    for number, cells in enumerate(rows, 2):
        if not any(cell.strip() for cell in cells):
            continue
        row = _Row(form, columns, cells, number)
        if form.service and row.text(form.service).casefold() not in AI_SERVICES:
            left_out += 1
            continue
        days.add(row.day())
        lines.extend(row.lines())
    if not days:
        raise InvoiceError(f"the file has the header of an {form.name}, and no rows about calls of models")
    return Invoice(form.name, tuple(lines), min(days), max(days), left_out)


class _Row:
    """One row of a file, read as its format says."""

    def __init__(self, form: Format, columns: Sequence[str], cells: Sequence[str], number: int) -> None:
        if len(cells) > len(columns):
            raise InvoiceError(f"row {number}: it has {len(cells)} cells, the header has {len(columns)}")
        self._form = form
        self._number = number
        self._cells = {name.strip().casefold(): cell.strip() for name, cell in zip(columns, cells, strict=False)}

    def text(self, *columns: str) -> str:
        """Return the first of *columns* that is filled; empty if none is."""
        return next(filter(None, (self._cells.get(column.casefold(), "") for column in columns)), "")

    def day(self) -> date:
        """Return the day (UTC) that the row is about."""
        column = next((column for column in self._form.days if self.text(column)), self._form.days[-1])
        text = self.text(column)
        with suppress(ValueError, OverflowError):
            if _SECONDS.fullmatch(text):
                return datetime.fromtimestamp(int(Decimal(text)), UTC).date()
            moment = datetime.fromisoformat(text)
            return (moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)).date()
        raise self._bad(column, "a date")

    def lines(self) -> Iterator[InvoiceLine]:
        """Yield what the row says; nothing if it only names its day."""
        if self._form.category and self.text(self._form.category).casefold() != USAGE:
            yield self._line(None, self._number_in(self._form.amount), self._charge(), credit=True)
        elif self._form.quantities:
            for meter, ways in self._form.quantities.items():
                quantity = next((found for way in ways if (found := self._counted(way)) is not None), None)
                if quantity is not None:
                    yield self._line(quantity, None, Named(self.text(*self._form.models) or None, meter, self._tier()))
        elif (amount := self._number_in(self._form.amount)) is not None:
            named = self._named()
            yield self._line(self._consumed() if named.meter else None, amount, named)

    def _line(
        self, quantity: Decimal | None, amount: Decimal | None, named: Named, *, credit: bool = False
    ) -> InvoiceLine:
        taken_back = any(number is not None and number < 0 for number in (quantity, amount))
        return InvoiceLine(
            provider=self._provider(),
            model=named.model,
            day=self.day(),
            meter=named.meter,
            quantity=quantity,
            amount=amount,
            currency=None if amount is None else self._currency(),
            service_tier=named.tier,
            credit=credit or taken_back,
            row=self._number,
        )

    def _provider(self) -> str:
        name = self._form.provider or self.text(*self._form.providers)
        if not name:
            raise InvoiceError(f"row {self._number}: none of {', '.join(self._form.providers)} says who bills")
        return biller_id(name)

    def _currency(self) -> str:
        currency = self._form.currency or self.text(*self._form.currencies).upper()
        if not currency:
            raise self._bad(self._form.currencies[0], "a currency")
        return currency

    def _charge(self) -> Named:
        return Named(self._model(), self.text(self._form.category or "").lower() or "charge", None)

    def _named(self) -> Named:
        """Return what the row is about; a text that names neither a meter nor a model is taken for what is billed."""
        texts = [text for column in self._form.texts if (text := self.text(column))]
        named = [named_in(text) for text in texts]
        meter = next((each.meter for each in named if each.meter), None)
        model = self._model() or next((each.model for each in named if each.model), None)
        tier = self._tier() or next((each.tier for each in named if each.tier), None)
        nothing = model is None and meter is None and texts
        return Named(texts[0] if nothing else model, meter, tier)

    def _model(self) -> str | None:
        """Return the model that the columns for it give; a resource is one only where the file says so."""
        model = self.text(*self._form.models)
        if model or self._form.resource is None:
            return model or None
        resource, kind = self.text(self._form.resource), self.text("ResourceType")
        is_model = "model" in kind.casefold() or (resource and kind == resource) or "foundation-model/" in resource
        return (resource.rpartition("/")[2] or None) if is_model else None

    def _tier(self) -> str | None:
        """Return the tier that the columns for it give: of several words one that is not the standard."""
        words = [known.get(self.text(column).casefold()) for column, known in self._form.tiers.items()]
        found = [tier for tier in words if tier is not None]
        return next((tier for tier in found if tier != STANDARD), STANDARD if found else None)

    def _consumed(self) -> Decimal | None:
        quantity = self._number_in(self._form.quantity)
        return None if quantity is None else quantity * self._scale()

    def _scale(self) -> int:
        """Return how many one unit of the row's quantities is: 1,000 where it is given in ``1K Tokens``."""
        match = _UNIT.match(self.text(self._form.unit or ""))
        if match is None:
            return 1
        return int((match["count"] or "1").replace(",", "")) * _SCALES[(match["scale"] or "").lower()]

    def _counted(self, way: Quantity) -> Decimal | None:
        """Return the quantity that *way* gives; where parts are more than their whole, it was counted without them."""
        first, *others = way
        whole = self._number_in(first)
        if whole is None:
            return None
        parts = [self._number_in(name[1:]) or Decimal() for name in others]
        rest = whole + sum(part if name[0] == "+" else -part for name, part in zip(others, parts, strict=True))
        return whole if rest < 0 <= whole else rest

    def _number_in(self, column: str | None) -> Decimal | None:
        text = self.text(column or "")
        if not text:
            return None
        if not _NUMBER.fullmatch(text):
            raise self._bad(str(column), "a number")
        return Decimal(text)

    def _bad(self, column: str, wanted: str) -> InvoiceError:
        return InvoiceError(f"row {self._number}, column {column}: {self.text(column)!r} is not {wanted}")
