"""What every store promises."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

import pyarrow as pa

from botanu.pricing.price_list import OwnTerms
from botanu.pricing.shared_costs import SharedCost
from botanu.pricing.terms import BY_HAND, Recorded, Term
from botanu.pricing.value_card import UnitValue


@dataclass(frozen=True, slots=True)
class Rollup:
    """A table whose rows, one per *key*, are derived from others.

    *select* derives the rows of the keys in the relation ``touched`` (one column, *key*) from scratch; where it is
    *by_clock*, it uses the parameters ``$now`` and ``$abandon_after_seconds``. *before* are statements that settle the
    rows it reads. *touches* finds the keys that a change concerns, where ``{touched}`` holds what changed one table
    earlier. All are in DuckDB's dialect.
    """

    table: str
    key: str
    touches: str
    select: str
    before: tuple[str, ...] = ()
    by_clock: bool = False


@dataclass(frozen=True, slots=True)
class Appended:
    """What became of a batch."""

    accepted: int
    duplicates: int


class Store(Protocol):
    """Where facts live. Every method may be called from any thread; writes happen one after the other."""

    def related(self, spans: pa.Table, columns: Sequence[str]) -> pa.Table:
        """Return *columns* of what is stored of the same traces as *spans*, and with the same response ids.

        What started over an hour before or after them is not looked for.
        """

    def append(self, spans: pa.Table, now: datetime, revised: pa.Table | None = None) -> Appended:
        """Add *spans* and rebuild the runs and events they touch, all or nothing.

        *revised* are rows with ``trace_id``, ``span_id`` and further columns, which take the place of those stored.

        On return everything is on disk and visible to queries. A span that is there already is a duplicate and
        changes nothing.

        Raises:
            UnavailableError: nothing was written; trying again later may work.
        """

    def abandon(self, now: datetime) -> int:
        """Mark the runs that heard nothing for too long as abandoned; return how many."""

    def add_prices(self, prices: pa.Table) -> int:
        """Add the rows of *prices* whose ``price_id`` is new, note which known ones end; return how many are new."""

    def set_values(self, values: Sequence[UnitValue], now: datetime) -> int:
        """Record *values*, and put them on the runs they hold for; return how many runs have changed.

        A value already recorded with the same type, workflow, first instant and amount changes nothing.
        """

    def values(self) -> list[UnitValue]:
        """Return the value card: all values ever recorded, by type, workflow and first instant."""

    def set_shared_costs(
        self, costs: Sequence[SharedCost], now: datetime, *, withdrawn: Sequence[SharedCost] = ()
    ) -> int:
        """Withdraw those *withdrawn*, and record *costs*; return how many are new.

        One replaces, that is withdraws, the one of its name and period. One that says what is recorded already changes
        nothing. No row is ever changed but for the time it was withdrawn.
        """

    def shared_costs(self) -> list[SharedCost]:
        """Return all shared costs ever recorded, by name, period and time of recording."""

    def set_terms(
        self, terms: Sequence[Term], now: datetime, *, origin: str = BY_HAND, gone: Sequence[str] = ()
    ) -> int:
        """Record what the user says of prices, all or nothing; return how many of *terms* are new.

        A term equal to one in force is nothing new. Before that, what *gone* names (by ``term_id``) and *origin* had
        said is withdrawn. Every price is in ``prices`` as well.
        """

    def recorded_terms(self) -> list[Recorded]:
        """Return all terms that were not withdrawn, in the order they were recorded."""

    def terms(self) -> OwnTerms:
        """Return all terms that were not withdrawn, in the order they were recorded, by kind."""

    def withdraw_terms(self, names: Sequence[str], now: datetime) -> int:
        """Withdraw the terms of these ``term_id``, wherever they are from; return how many rows that were.

        They stay readable, and what they priced keeps its cost.
        """

    def query(
        self,
        sql: str,
        parameters: Mapping[str, object] | None = None,
        *,
        timeout_seconds: float = 30.0,
        rows_max: int | None = None,
    ) -> pa.Table:
        """Return the rows of a SELECT, read in one snapshot.

        Raises:
            QueryError: the engine refuses the statement, it takes over *timeout_seconds*, or it gives over *rows_max*
                rows.
        """

    def close(self) -> None:
        """Write back what is held and release the store."""
