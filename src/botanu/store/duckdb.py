"""The embedded store: one DuckDB file.

DuckDB's transaction and its write-ahead log are the one truth; there is no second log. All writes go through one
connection, one after the other; each query has a connection of its own and sees one snapshot.
"""

import threading
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from datetime import datetime, timedelta
from pathlib import Path

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from botanu.errors import QueryError, SchemaError, StoreError, StoreLockedError, UnavailableError
from botanu.pricing.value_card import UnitValue
from botanu.store import restating, span_statements, value_statements
from botanu.store.migrations import MIGRATIONS, VERSION
from botanu.store.protocol import Appended, Rollup
from botanu.store.said import Said
from botanu.store.value_rows import value_rows

FILE = "botanu.duckdb"
"""Name of the store's file in its directory."""

RELATED_WITHIN = timedelta(hours=1)
"""Spans of one trace, or with the same response id, are looked for among those that started within this of a batch."""

SAME_START = timedelta(seconds=2)
"""Two spans of the same ids are one if their starts differ by no more: a relay may have rounded the time."""

_SAFE: dict[str, str | bool | int | float | list[str]] = {
    "enable_external_access": "false",
    "autoload_known_extensions": "false",
    "autoinstall_known_extensions": "false",
    "allow_community_extensions": "false",
}
# Nothing that runs in this engine reads or writes another file, or reaches the network.

_TRANSIENT = (
    duckdb.ConnectionException,
    duckdb.FatalException,
    duckdb.IOException,
    duckdb.OutOfMemoryException,
    duckdb.TransactionException,
)

_NEW_PRICES = "INSERT INTO prices BY NAME SELECT * FROM given ANTI JOIN prices USING (price_id)"

_ENDED_PRICES = """
UPDATE prices SET valid_to = given.valid_to FROM given
WHERE given.price_id = prices.price_id AND given.valid_to <> coalesce(prices.valid_to, 'infinity')
"""

_SILENT = """
SELECT run_id FROM runs
WHERE end_time IS NULL AND outcome_status IS NULL AND last_received_at < $now - to_seconds($abandon_after_seconds)
"""


class DuckDBStore(Said):
    """A ``Store`` in one file, for one process."""

    def __init__(self, directory: Path, rollups: Sequence[Rollup], *, abandon_after_seconds: float = 3600.0) -> None:
        """Open the store in *directory*; make it if there is none, bring it up to this release's schema if older.

        Raises:
            StoreLockedError: another process has it open.
            SchemaError: a newer release wrote it.
            UnavailableError: the file cannot be opened.
        """
        self._rollups = rollups
        self._abandon_after_seconds = abandon_after_seconds
        self._writing = threading.Lock()
        self._restating = threading.Lock()
        self._connection = _connect(directory)
        self._migrate()

    def related(self, spans: pa.Table, columns: Sequence[str]) -> pa.Table:
        """Return what is stored of the same traces and responses; see ``Store``."""
        if len(spans) == 0:
            return spans.select([*columns])
        starts = pc.min_max(spans.column("start_time")).as_py()
        bounds = {"low": starts["min"] - RELATED_WITHIN, "high": starts["max"] + RELATED_WITHIN}
        try:
            with self._connection.cursor() as cursor:
                cursor.register("arrived_ids", spans.select(["trace_id", "response_id"]))
                sql = span_statements.RELATED.format(columns=", ".join(columns))
                return cursor.sql(sql, params=bounds).to_arrow_table()
        except duckdb.Error as error:
            raise _failure(error, "nothing was read") from error

    def append(self, spans: pa.Table, now: datetime, revised: pa.Table | None = None) -> Appended:
        """Add *spans* and rebuild the runs and events they touch; see ``Store``."""
        if len(spans) == 0:
            return Appended(0, 0)
        starts = pc.min_max(spans.column("start_time")).as_py()
        undated = pc.any(pc.equal(spans.column("start_time"), spans.column("received_at"))).as_py()
        bounds = {"low": starts["min"] - SAME_START, "high": starts["max"] + SAME_START}
        given = {"arrived": _firsts(spans), **({} if revised is None else {"revised": revised})}
        with self._transaction(**given) as connection:
            connection.execute(
                span_statements.FRESH.format(or_undated=span_statements.OR_UNDATED if undated else ""), bounds
            )
            accepted = _number(connection, "SELECT count(*) FROM fresh")
            if accepted:
                connection.execute("INSERT INTO spans BY NAME SELECT * FROM fresh")
                touched = span_statements.TOUCHED
                if revised is not None:
                    connection.execute(span_statements.revise(revised.column_names))
                    touched = span_statements.TOUCHED_AND_REVISED
                self._rebuild(connection, touched, {}, now)
        return Appended(accepted, len(spans) - accepted)

    def abandon(self, now: datetime) -> int:
        """Mark the runs that heard nothing for too long as abandoned; see ``Store``."""
        with self._transaction() as connection:
            return self._rebuild(connection, _SILENT, self._limits(now), now)

    def add_prices(self, prices: pa.Table) -> int:
        """Add the prices that are new; see ``Store``."""
        with self._transaction(given=prices) as connection:
            before = _number(connection, "SELECT count(*) FROM prices")
            connection.execute(_NEW_PRICES)
            connection.execute(_ENDED_PRICES)
            return _number(connection, "SELECT count(*) FROM prices") - before

    def set_values(self, values: Sequence[UnitValue], now: datetime) -> int:
        """Record *values* and put them on their runs; see ``Store``."""
        with self._transaction(given=value_rows(values)) as connection:
            connection.execute(value_statements.NEW, {"now": now})
            connection.execute(value_statements.UNTIL)
            connection.execute(value_statements.VALUED_BEFORE, {"now": now})
            self._rebuild(connection, "SELECT run_id FROM valued_before", {}, now)
            return _number(connection, value_statements.VALUED_ANEW)

    def values(self) -> list[UnitValue]:
        """Return the value card; see ``Store``."""
        return [UnitValue(**row) for row in self.query(value_statements.VALUES).to_pylist()]

    def restate(self, changes: Iterable[pa.Table], now: datetime, *, by: str | None, reason: str | None) -> int:
        """Give calls another cost; see ``Store``."""
        with self._restating:
            return restating.restate(self._transaction, self._rebuild, changes, now, by=by, reason=reason)

    def stream(self, sql: str, parameters: Mapping[str, object], *, rows: int) -> Iterator[pa.RecordBatch]:
        """Yield what a SELECT gives; see ``Store``."""
        with self._connection.cursor() as cursor:
            try:
                yield from cursor.sql(sql, params=dict(parameters)).to_arrow_reader(rows)
            except duckdb.Error as error:
                raise QueryError(str(error)) from None

    def query(
        self,
        sql: str,
        parameters: Mapping[str, object] | None = None,
        *,
        timeout_seconds: float = 30.0,
        rows_max: int | None = None,
    ) -> pa.Table:
        """Return the rows of a SELECT; see ``Store``."""
        with self._connection.cursor() as cursor:
            alarm = threading.Timer(timeout_seconds, cursor.interrupt)
            alarm.start()
            try:
                return _rows(cursor.sql(sql, params=dict(parameters or {})).to_arrow_reader(), rows_max)
            except duckdb.InterruptException:
                raise QueryError(f"the query took over {timeout_seconds:g} s; ask for less at once") from None
            except duckdb.Error as error:
                raise QueryError(str(error)) from None
            finally:
                alarm.cancel()

    def close(self) -> None:
        """Write everything back into the file and release it."""
        with self._writing:
            self._connection.execute("CHECKPOINT")
            self._connection.close()

    @contextmanager
    def _transaction(self, **given: pa.Table) -> Iterator[duckdb.DuckDBPyConnection]:
        """Write all or nothing, with the tables *given* readable by their names."""
        with self._writing:
            connection = self._connection
            try:
                for name, table in given.items():
                    connection.register(name, table)
                connection.begin()
                yield connection
                connection.commit()
            except duckdb.Error as error:
                _roll_back(connection)
                raise _failure(error, "nothing was written") from error
            except BaseException:
                _roll_back(connection)
                raise
            finally:
                for name in given:
                    with suppress(duckdb.Error):  # the connection itself may be gone
                        connection.unregister(name)

    def _rebuild(
        self, connection: duckdb.DuckDBPyConnection, touched: str, parameters: Mapping[str, object], now: datetime
    ) -> int:
        """Derive again what depends on the runs that the query *touched* finds; return how many runs."""
        connection.execute(f"CREATE OR REPLACE TEMP TABLE touched_{self._rollups[0].table} AS {touched}", parameters)
        # What depends on the rows as they were counts as touched, too: a run may change its event.
        for earlier, later in zip(self._rollups, self._rollups[1:], strict=False):
            _touch(connection, later, earlier, create=True)
        for position, rollup in enumerate(self._rollups):
            if position:
                _touch(connection, rollup, self._rollups[position - 1], create=False)
            self._derive(connection, rollup, now)
        return _number(connection, f"SELECT count(*) FROM touched_{self._rollups[0].table}")

    def _derive(self, connection: duckdb.DuckDBPyConnection, rollup: Rollup, now: datetime) -> None:
        connection.execute(f"CREATE OR REPLACE TEMP TABLE touched AS SELECT DISTINCT * FROM touched_{rollup.table}")
        for statement in rollup.before:
            connection.execute(statement)
        connection.execute(f"DELETE FROM {rollup.table} WHERE {rollup.key} IN (SELECT {rollup.key} FROM touched)")
        limits = self._limits(now) if rollup.by_clock else {}
        connection.execute(f"INSERT INTO {rollup.table} BY NAME {rollup.select}", limits)

    def _limits(self, now: datetime) -> dict[str, object]:
        return {"now": now, "abandon_after_seconds": self._abandon_after_seconds}

    def _migrate(self) -> None:
        connection = self._connection
        connection.execute("CREATE TABLE IF NOT EXISTS schema_version (version INTEGER)")
        found = _number(connection, "SELECT coalesce(max(version), 0) FROM schema_version")
        if found > VERSION:
            connection.close()
            raise SchemaError(
                f"the store has schema {found}, and this release knows schemas up to {VERSION}: upgrade botanu"
            )
        for number, statements in enumerate(MIGRATIONS[found:], start=found + 1):
            with self._transaction():
                for statement in statements:
                    connection.execute(statement)
                connection.execute("INSERT INTO schema_version VALUES ($version)", {"version": number})
            # Replaying schema changes from the log is where DuckDB has had faults; so they never stay in it.
            connection.execute("CHECKPOINT")


def _connect(directory: Path) -> duckdb.DuckDBPyConnection:
    file = directory / FILE
    try:
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        connection = duckdb.connect(str(file), config=_SAFE)
    except duckdb.IOException as error:
        if "lock" in str(error).lower():
            raise StoreLockedError(
                f"{file} is open in another process, most likely a running server: ask that one, or stop it first"
            ) from None
        raise UnavailableError(f"{file} cannot be opened: {error}") from error
    except (OSError, duckdb.Error) as error:
        raise UnavailableError(f"{file} cannot be opened: {error}") from error
    connection.execute("SET GLOBAL TimeZone = 'UTC'")
    connection.execute("SET GLOBAL lock_configuration = true")
    return connection


def _firsts(spans: pa.Table) -> pa.Table:
    """Return *spans* without those whose ids another one before them has."""
    ids = spans.select(["trace_id", "span_id"]).append_column("row", pa.array(np.arange(len(spans))))
    firsts = ids.group_by(["trace_id", "span_id"], use_threads=False).aggregate([("row", "min")])
    return spans if len(firsts) == len(spans) else spans.take(firsts.column("row_min"))


def _touch(connection: duckdb.DuckDBPyConnection, rollup: Rollup, earlier: Rollup, *, create: bool) -> None:
    """Note which rows of *rollup* depend on the touched rows of the *earlier* one."""
    found = rollup.touches.format(touched=f"touched_{earlier.table}")
    into = (
        f"CREATE OR REPLACE TEMP TABLE touched_{rollup.table} AS" if create else f"INSERT INTO touched_{rollup.table}"
    )
    connection.execute(f"{into} {found}")


def _rows(reader: pa.RecordBatchReader, rows_max: int | None) -> pa.Table:
    batches = []
    count = 0
    for batch in reader:
        batches.append(batch)
        count += len(batch)
        if rows_max is not None and count > rows_max:
            raise QueryError(f"the answer has over {rows_max:,} rows; add a LIMIT, or aggregate")
    return pa.Table.from_batches(batches, reader.schema)


def _number(connection: duckdb.DuckDBPyConnection, sql: str) -> int:
    return int(connection.execute(sql).fetchall()[0][0])


def _failure(error: duckdb.Error, what: str) -> StoreError:
    kind = UnavailableError if isinstance(error, _TRANSIENT) else StoreError
    return kind(f"{what}: {error}")


def _roll_back(connection: duckdb.DuckDBPyConnection) -> None:
    try:
        connection.rollback()
    except duckdb.Error:  # the transaction is gone already, with the connection or by the engine itself
        return
