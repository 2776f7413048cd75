"""Read-only SQL from people: parsed, checked, and run as what was checked.

What runs is written out again from the parsed statement, so the engine never sees text that the check has not
understood. The engine itself is locked as well: no files, no network, no settings.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import pyarrow as pa
import sqlglot
from sqlglot import exp
from sqlglot.dialects.duckdb import DuckDB

from botanu.errors import QueryError
from botanu.store.protocol import Store
from botanu.store.schema import TABLES


class _Dialect(DuckDB):
    """DuckDB's SQL, with JSON paths left as they are written: ``->> 'a.b'`` asks for the key ``a.b``."""

    def to_json_path(self, path: exp.Expr | None) -> exp.Expr | None:
        return path


DIALECT = _Dialect()

_COLOUR = re.compile(r"\x1b\[[0-9;]*m")
_ALLOWED_TABLES = frozenset(table.name for table in TABLES)
_FORBIDDEN_FUNCTIONS = frozenset(
    {"current_setting", "getenv", "getvariable", "nextval", "currval", "pg_sleep", "sleep"}
)
_FORBIDDEN_NODES = (exp.DDL, exp.DML, exp.Command, exp.Pragma, exp.Set, exp.Attach, exp.Detach, exp.Use, exp.Into)


@dataclass(frozen=True, slots=True)
class Answer:
    """Rows of a query, with the SQL type of each column."""

    columns: tuple[tuple[str, str], ...]
    table: pa.Table


def ask(store: Store, sql: str, *, timeout_seconds: float, rows_max: int) -> Answer:
    """Run one SELECT over the documented tables.

    Raises:
        QueryError: it is something else, the engine cannot run it, or it takes or gives too much.
    """
    table = store.query(checked(sql), timeout_seconds=timeout_seconds, rows_max=rows_max)
    return Answer(tuple((field.name, sql_type(field.type)) for field in table.schema), table)


def checked(sql: str) -> str:
    """Return *sql* as it may run: one SELECT that reads nothing but the documented tables.

    Raises:
        QueryError: it is anything else.
    """
    statement = _parsed(sql)
    if not isinstance(statement, exp.Query):
        raise QueryError(f"only SELECT is allowed, not {statement.key.upper()}")
    for node in statement.walk():
        _check(node)
    _check_tables(statement)
    try:
        return statement.sql(dialect=DIALECT, comments=False)
    except RecursionError:
        raise QueryError("the query is nested too deeply") from None


def _parsed(sql: str) -> exp.Expr:
    try:
        statements = [statement for statement in sqlglot.parse(sql, dialect=DIALECT) if statement is not None]
    except (sqlglot.errors.SqlglotError, RecursionError) as error:
        raise QueryError(f"this is not SQL that can be read: {_COLOUR.sub('', str(error))}") from None
    if len(statements) != 1:
        raise QueryError(f"ask one SELECT at a time, not {len(statements)} statements")
    return statements[0]


def _check(node: exp.Expr) -> None:
    if isinstance(node, _FORBIDDEN_NODES):
        raise QueryError(f"only SELECT is allowed, not {node.key.upper()}")
    if isinstance(node, exp.Lateral) and not isinstance(node.this, exp.Subquery | exp.Unnest):
        raise QueryError("after LATERAL only a subquery or UNNEST is allowed")
    if isinstance(node, exp.Func):
        name = (node.name if isinstance(node, exp.Anonymous) else node.sql_name()).lower()
        if name in _FORBIDDEN_FUNCTIONS or name.startswith(("duckdb_", "pragma_", "read_")):
            raise QueryError(f"the function {name} is not allowed")


def _check_tables(statement: exp.Query) -> None:
    for table in statement.find_all(exp.Table):
        plain = isinstance(table.this, exp.Identifier) and not table.db and not table.catalog
        if not plain:
            raise QueryError(f"{table.sql(dialect=DIALECT)} is not a table of botanu; {_known_tables()}")
        if table.name.lower() not in _ALLOWED_TABLES and table.name.lower() not in _ctes_seen_from(table):
            raise QueryError(f"there is no table {table.name!r}; {_known_tables()}")


def _ctes_seen_from(table: exp.Expr) -> Iterator[str]:
    """Yield the names of the common table expressions that *table* may refer to: those of the queries around it.

    Inside one, only those before it, and itself where the WITH is recursive, can be seen.
    """
    node: exp.Expr | None = table
    while node is not None:
        inside, node = node, node.parent
        if isinstance(node, exp.With):
            place = next(place for place, cte in enumerate(node.expressions) if cte is inside)
            yield from (cte.alias.lower() for cte in node.expressions[: place + bool(node.recursive)])
            node = node.parent  # whose body sees all of them, but here is not its body
        elif isinstance(node, exp.Query):
            yield from (cte.alias.lower() for cte in node.ctes)


def _known_tables() -> str:
    return f"there are {', '.join(sorted(_ALLOWED_TABLES))}"


_SQL_TYPES: Mapping[pa.DataType, str] = {
    pa.bool_(): "BOOLEAN",
    pa.int8(): "TINYINT",
    pa.int16(): "SMALLINT",
    pa.int32(): "INTEGER",
    pa.int64(): "BIGINT",
    pa.uint64(): "UBIGINT",
    pa.float32(): "FLOAT",
    pa.float64(): "DOUBLE",
    pa.string(): "VARCHAR",
    pa.binary(): "BLOB",
    pa.date32(): "DATE",
    pa.time64("us"): "TIME",
    pa.month_day_nano_interval(): "INTERVAL",
    pa.null(): "NULL",
}


def sql_type(kind: pa.DataType) -> str:
    """Return the SQL name of an Arrow type."""
    if pa.types.is_decimal(kind):
        return f"DECIMAL({kind.precision},{kind.scale})"
    if pa.types.is_timestamp(kind):
        return "TIMESTAMP WITH TIME ZONE" if kind.tz else "TIMESTAMP"
    if pa.types.is_list(kind):
        return f"{sql_type(kind.value_type)}[]"
    if pa.types.is_struct(kind):
        return f"STRUCT({', '.join(f'{field.name} {sql_type(field.type)}' for field in kind)})"
    return _SQL_TYPES.get(kind, str(kind).upper())
