"""What the user says of costs, in the embedded store: terms of prices, and shared costs."""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from contextlib import AbstractContextManager
from datetime import datetime

import duckdb
import pyarrow as pa

from botanu.pricing.own_prices import OwnPrice
from botanu.pricing.price_list import OwnTerms
from botanu.pricing.shared_costs import SharedCost
from botanu.pricing.terms import BY_HAND, Recorded, Term, own_terms
from botanu.store import shared_statements, term_statements
from botanu.store.price_rows import price_rows
from botanu.store.term_rows import id_rows, recorded_of, term_rows


class Said(ABC):
    """The part of a store that keeps what the user says as it was said: rows are added and withdrawn, never changed."""

    @abstractmethod
    def query(self, sql: str) -> pa.Table:
        """Return the rows of a SELECT."""

    @abstractmethod
    def _transaction(self, **given: pa.Table) -> AbstractContextManager[duckdb.DuckDBPyConnection]:
        """Write all or nothing, with the tables *given* readable by their names."""

    def set_shared_costs(
        self, costs: Sequence[SharedCost], now: datetime, *, withdrawn: Sequence[SharedCost] = ()
    ) -> int:
        """Withdraw and record shared costs; see ``Store``."""
        rows = shared_statements.rows
        with self._transaction(given=rows(costs), gone=rows(withdrawn)) as connection:
            for statement in shared_statements.WITHDRAW:
                connection.execute(statement, {"now": now})
            (recorded,) = connection.execute(shared_statements.NEW, {"now": now}).fetchall()[0]
            return int(recorded)

    def shared_costs(self) -> list[SharedCost]:
        """Return all shared costs; see ``Store``."""
        return [SharedCost(**row) for row in self.query(shared_statements.SHARED_COSTS).to_pylist()]

    def set_terms(
        self, terms: Sequence[Term], now: datetime, *, origin: str = BY_HAND, gone: Sequence[str] = ()
    ) -> int:
        """Record what the user says of prices; see ``Store``."""
        prices = price_rows((term.tier(), None) for term in terms if isinstance(term, OwnPrice))
        given = {"given_terms": term_rows(terms, origin), "given_prices": prices, "given_gone": id_rows(gone)}
        with self._transaction(**given) as connection:
            return term_statements.record(connection, now, origin)

    def recorded_terms(self) -> list[Recorded]:
        """Return all terms that were not withdrawn; see ``Store``."""
        return [recorded_of(row) for row in self.query(term_statements.TERMS).to_pylist()]

    def terms(self) -> OwnTerms:
        """Return all terms that were not withdrawn, by kind; see ``Store``."""
        return own_terms(recorded.term for recorded in self.recorded_terms())

    def withdraw_terms(self, names: Sequence[str], now: datetime) -> int:
        """Withdraw terms; see ``Store``."""
        with self._transaction(given_gone=id_rows(names)) as connection:
            return term_statements.withdraw(connection, now)
