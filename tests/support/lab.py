"""A store that is fed through the real ingest path, without a server around it."""

from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory

import pyarrow as pa

from botanu.ingest.costs import add_costs
from botanu.ingest.normalise import normalise
from botanu.ingest.otlp import PROTOBUF, decode, flatten
from botanu.ingest.rollup import ROLLUPS
from botanu.pricing.catalog import Catalog
from botanu.store.duckdb import DuckDBStore
from botanu.store.schema import SPANS
from support.otlp import body

CATALOG = Catalog()
NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)


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

    def send(self, *spans, now=NOW):
        """Append spans as one batch."""
        flat, _ = flatten([decode(body(*spans), PROTOBUF)])
        columns = add_costs(normalise(flat, now), CATALOG)
        return self.store.append(pa.table([columns[name] for name in SPANS.names], names=list(SPANS.names)), now)

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
