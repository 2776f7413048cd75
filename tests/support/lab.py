"""A store that is fed through the real ingest path, without a server around it."""

from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory

import pyarrow as pa

from botanu.ingest.costs import add_costs
from botanu.ingest.counting import DECIDED, LOOKED_AT, count_once
from botanu.ingest.normalise import normalise
from botanu.ingest.otlp import PROTOBUF, decode, flatten
from botanu.ingest.rollup import ROLLUPS
from botanu.pricing.catalog import Catalog
from botanu.pricing.price_list import PriceList
from botanu.store.duckdb import DuckDBStore
from botanu.store.schema import SPANS
from support.otlp import body

CATALOG = Catalog()
PRICES = PriceList(CATALOG)
NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)


def priced(*spans, prices=PRICES, now=NOW, **options):
    """What becomes of spans on their way into a store: the columns of the table ``spans``."""
    flat, _ = flatten([decode(body(*spans, **options), PROTOBUF)])
    columns, _ = add_costs(normalise(flat, now, with_services=prices.has_services), prices)
    return {name: columns[name] for name in SPANS.names}


def rows_of(*spans, **options):
    """Spans as rows of the table ``spans``."""
    columns = {name: column.to_pylist() for name, column in priced(*spans, **options).items()}
    return [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)]


def row_of(one, **options):
    """One span as a row of the table ``spans``."""
    (row,) = rows_of(one, **options)
    return row


@contextmanager
def lab_after(batches):
    """A store of its own that was sent *batches*, one after the other."""
    with TemporaryDirectory() as directory:
        lab = Lab(Path(directory))
        for batch in batches:
            lab.send(*batch)
        yield lab
        lab.store.close()


class Lab:
    """A store in a directory of its own."""

    def __init__(self, directory, **options):
        self.directory = directory
        self.store = DuckDBStore(directory, ROLLUPS, **options)

    def send(self, *spans, now=NOW, prices=PRICES):
        """Append spans as one batch, priced by *prices*."""
        return self.add(pa.table(priced(*spans, now=now, prices=prices)), now=now, prices=prices)

    def add(self, table, *, now=NOW, prices=PRICES):
        """Append a table of priced spans, each call counted once."""
        table, revised = count_once(table, self.store.related(table, (*LOOKED_AT, *DECIDED)), prices)
        return self.store.append(table, now, revised)

    def rows(self, sql, **parameters):
        return self.store.query(sql, parameters).to_pylist()

    def row(self, sql, **parameters):
        (row,) = self.rows(sql, **parameters)
        return row

    def run(self, run_id):
        return self.row("SELECT * FROM runs WHERE run_id = $id", id=run_id)

    def event(self, event_id="e-1"):
        return self.row("SELECT * FROM events WHERE event_id = $id", id=event_id)

    def tables(self):
        """Everything that is derived, but for the times of arrival."""
        return {
            "runs": self.rows("SELECT * EXCLUDE (last_received_at) FROM runs ORDER BY run_id"),
            "events": self.rows("SELECT * FROM events ORDER BY event_id"),
            "spans": self.rows("SELECT * EXCLUDE (received_at) FROM spans ORDER BY trace_id, span_id"),
        }
