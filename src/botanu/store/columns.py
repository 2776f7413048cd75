"""What a table and a column are, and the types of columns, in DuckDB's dialect."""

from dataclasses import dataclass

AMOUNT = "DECIMAL(18,9)"
"""Money of one call or price: exact to the nano-unit."""

TOTAL = "DECIMAL(38,9)"
"""Money summed up."""

VALUE_AMOUNT = "DECIMAL(28,9)"
"""How much was achieved."""

OTHER_COSTS = f"STRUCT(currency VARCHAR, amount {TOTAL})[]"
"""Amounts in currencies other than that of the store."""

QUANTITY = "DECIMAL(24,6)"
"""How much of a meter, in its unit."""

LINE_ITEMS = f"STRUCT(meter VARCHAR, quantity {QUANTITY}, price_id VARCHAR, amount {AMOUNT})[]"


@dataclass(frozen=True, slots=True)
class Column:
    """One column: its name, its type and the sentence that explains it.

    *since* is the schema version that brought it. What a later version brings stands last in its table.
    """

    name: str
    type: str
    sentence: str
    since: int = 1


@dataclass(frozen=True, slots=True)
class Table:
    """One table: what a row is, and its columns."""

    name: str
    sentence: str
    columns: tuple[Column, ...]

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the columns, in order."""
        return tuple(column.name for column in self.columns)
