"""A file of prices: read, checked as a whole, and compared with what it said the last time."""

import csv
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path

from botanu.errors import PriceError, SettingsError
from botanu.pricing.own_prices import Alias, OwnDiscount, OwnPrice
from botanu.pricing.price_list import PriceList
from botanu.pricing.terms import (
    Recorded,
    Term,
    above_of,
    bare,
    first_instant,
    start_of,
    starting,
    subject,
    term_id,
)

DEFAULT = Path("prices.toml")
"""The file that a server reads by itself, if there is one in its working directory."""

KINDS: Mapping[str, type[Term]] = {"prices": OwnPrice, "discounts": OwnDiscount, "aliases": Alias}
"""The tables of a file, and what each entry of them is."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One entry of a file: in which of its tables, where, and what it says, as text or whole numbers."""

    table: str
    place: str
    fields: Mapping[str, object]


@dataclass(frozen=True, slots=True)
class Changes:
    """What a file says anew, names of what it no longer says, and how many of its terms it said before."""

    new: tuple[Term, ...]
    gone: tuple[str, ...]
    kept: int


def read_entries(path: Path) -> list[Entry]:
    """Return the entries of the TOML or CSV file at *path*.

    Raises:
        SettingsError: it cannot be read, or has other tables than prices, discounts and aliases.
    """
    try:
        text = path.read_text(encoding="utf-8-sig")
        return list(_of_csv(text) if path.suffix.lower() == ".csv" else _of_toml(text, path))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError, csv.Error) as error:
        raise SettingsError(f"price file {path} cannot be read: {error}") from None


def _of_toml(text: str, path: Path) -> Iterator[Entry]:
    document = tomllib.loads(text, parse_float=Decimal)
    if unknown := sorted(document.keys() - KINDS.keys()):
        raise SettingsError(f"price file {path}: unknown {', '.join(unknown)}; known: {', '.join(KINDS)}")
    for table, entries in document.items():
        if not isinstance(entries, list) or not all(isinstance(entry, dict) for entry in entries):
            raise SettingsError(f"price file {path}: write each of the {table} as a table [[{table}]]")
        for number, entry in enumerate(entries, 1):
            yield Entry(table, f"[[{table}]] number {number}", {key: _plain(value) for key, value in entry.items()})


def _of_csv(text: str) -> Iterator[Entry]:
    reader = csv.DictReader(text.splitlines(), strict=True)
    for row in reader:
        fields = {str(key).strip(): str(value or "").strip() for key, value in row.items()}
        given = {key: value for key, value in fields.items() if value}
        table = "aliases" if "as_model" in given else "discounts" if "percent" in given else "prices"
        if given:
            yield Entry(table, f"line {reader.line_num}", given)


def _plain(value: object) -> object:
    if isinstance(value, datetime | date):
        return value.isoformat()
    return value if isinstance(value, int) and not isinstance(value, bool) else str(value)


def terms_of(entries: Sequence[Entry], name: str) -> list[Term]:
    """Return the terms that *entries* of the file *name* say.

    Raises:
        PriceError: some cannot be meant; lists each with its place, its value and what to do.
    """
    terms, faults = [], []
    for entry in entries:
        try:
            terms.append(KINDS[entry.table].of(entry.fields, source=name))
        except PriceError as error:
            faults.append(f"{entry.place}: {error}")
    if not faults:
        faults += _clashes(terms, [entry.place for entry in entries])
    if faults:
        raise PriceError("\n  ".join([f"{name} has faults, and nothing of it was recorded:", *faults]))
    return terms


def _clashes(terms: Sequence[Term], places: Sequence[str]) -> Iterator[str]:
    """Yield what is said twice, and tiers without the price that they are tiers of."""
    seen: dict[tuple[object, ...], str] = {}
    for term, place in zip(terms, places, strict=True):
        key = (subject(term), start_of(term), above_of(term))
        if key in seen:
            yield f"{place}: {seen[key]} is for the same, from the same instant on: keep one of them"
        seen.setdefault(key, place)
    for (about, start, above), place in list(seen.items()):
        if above and (about, start, 0) not in seen:
            yield f"{place}: a price above {above} needs one without above beside it, with the same from"


def changes(terms: Sequence[Term], recorded: Sequence[Recorded], known: PriceList, now: datetime) -> Changes:
    """Compare what a file says with what it had said, which is *recorded*.

    An entry without ``from`` is nothing new while it says what it said the last time. Otherwise it holds as
    ``first_instant`` says, and what was said before keeps its time.
    """
    new: list[Term] = []
    kept: set[str] = set()
    groups: dict[tuple[object, ...], list[Term]] = {}
    for term in terms:
        groups.setdefault((subject(term), start_of(term)), []).append(term)
    for (about, start), group in groups.items():
        said = [each for each in recorded if subject(each.term) == about and _said_start(each) == start]
        found = _anew(group, said, known, now)
        new += found
        thresholds = {above_of(term) for term in group}
        kept |= {term_id(each.term) for each in said if start is None or above_of(each.term) in thresholds}
    gone = tuple(name for each in recorded if (name := term_id(each.term)) not in kept)
    return Changes(tuple(new), gone, len(terms) - len(new))


def _anew(group: Sequence[Term], said: Sequence[Recorded], known: PriceList, now: datetime) -> list[Term]:
    """Return which of a *group* of terms, of one subject and first instant, are to be recorded."""
    if start_of(group[0]) is not None:
        last = {above_of(each.term): bare(each.term) for each in said}
        return [term for term in group if last.get(above_of(term)) != bare(term)]
    latest = max((each.recorded_at for each in said), default=None)
    if {bare(each.term) for each in said if each.recorded_at == latest} == {bare(term) for term in group}:
        return []
    start = first_instant(group[0], known, now)
    return [starting(term, start) for term in group]


def _said_start(recorded: Recorded) -> datetime | None:
    return start_of(recorded.term) if recorded.is_dated else None
