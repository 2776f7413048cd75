"""The file: its lock, its schema, its limits."""

import subprocess
import sys
import threading
import time
from datetime import UTC, datetime, timedelta

import duckdb
import pyarrow as pa
import pytest
from support.lab import NOW, Lab
from support.otlp import late_outcome, llm, run_spans, span

from botanu.errors import QueryError, SchemaError, StoreError, StoreLockedError, UnavailableError
from botanu.pricing.value_card import BEGINNING, UnitValue
from botanu.store.columns import LINE_ITEMS, QUANTITY
from botanu.store.duckdb import FILE
from botanu.store.migrations import MIGRATIONS
from botanu.store.schema import LINE_ITEMS_VIEW, SPANS, TABLES, VIEWS


def test_the_tables_are_as_described(lab):
    for table in TABLES:
        found = lab.rows(
            "SELECT column_name AS name, data_type AS type FROM duckdb_columns() WHERE table_name = $t "
            "ORDER BY column_index",
            t=table.name,
        )
        described = [(column.name, column.type.replace(" ", "")) for column in table.columns]
        assert [(row["name"], row["type"].replace(" ", "")) for row in found] == described, table.name


def test_what_was_appended_is_there_after_closing_and_opening(tmp_path):
    lab = Lab(tmp_path)
    lab.send(*run_spans(run_id="r-1", status="success", calls=[llm(input=1000)]))
    before = lab.tables()
    lab.store.close()

    again = Lab(tmp_path)
    assert again.tables() == before
    again.store.close()


def test_a_second_process_is_told_who_holds_the_store(tmp_path):
    program = (
        "import sys, pathlib; from support.lab import Lab; lab = Lab(pathlib.Path(sys.argv[1])); "
        "print('open', flush=True); sys.stdin.read()"
    )
    holder = subprocess.Popen(
        [sys.executable, "-c", program, str(tmp_path)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env={"PYTHONPATH": ":".join(sys.path)},
    )
    try:
        assert holder.stdout.readline() == "open\n"
        with pytest.raises(StoreLockedError, match="is open in another process, most likely a running server"):
            Lab(tmp_path)
    finally:
        holder.communicate()


def test_a_store_of_a_newer_release_is_refused(tmp_path):
    Lab(tmp_path).store.close()
    with duckdb.connect(str(tmp_path / FILE)) as connection:
        connection.execute("INSERT INTO schema_version VALUES (99)")

    with pytest.raises(SchemaError, match=r"has schema 99, .* upgrade botanu"):
        Lab(tmp_path)


def test_a_store_of_an_older_release_is_brought_up_to_this_one(tmp_path):
    lab = Lab(tmp_path)
    lab.send(*run_spans(run_id="r-1", status="success", calls=[llm(input=1000)]))
    before = lab.tables()
    lab.store.close()
    with duckdb.connect(str(tmp_path / FILE)) as connection:
        for view in VIEWS:
            connection.execute(f"DROP VIEW {view.name}")
        for table in TABLES:
            later = [column.name for column in table.columns if column.since > 1]
            if table in VIEWS:
                continue
            if len(later) == len(table.columns):
                connection.execute(f"DROP TABLE {table.name}")
            else:
                for column in later:
                    connection.execute(f"ALTER TABLE {table.name} DROP COLUMN {column}")
        former = LINE_ITEMS.replace(QUANTITY, "BIGINT")
        connection.execute(f"ALTER TABLE spans ALTER COLUMN line_items TYPE {former}")
        connection.execute("ALTER TABLE prices ALTER COLUMN valid_from TYPE DATE")
        connection.execute("CREATE VIEW line_items AS SELECT trace_id FROM spans")
        connection.execute("DELETE FROM schema_version WHERE version > 1")

    again = Lab(tmp_path)
    later = {column.name for column in SPANS.columns if column.since > 1}
    after = again.tables()
    for tables in (after, before):
        tables["spans"] = [{name: row[name] for name in row.keys() - later} for row in tables["spans"]]
    assert after == before
    assert again.row("SELECT max(version) AS version FROM schema_version")["version"] == len(MIGRATIONS)
    assert set(again.row("SELECT * FROM line_items")) == set(LINE_ITEMS_VIEW.names)
    assert again.rows("SELECT * FROM allocations") == []
    again.send(late_outcome(run_id="r-1", at=time.time_ns(), status="failed"))
    assert again.run("r-1")["outcome_status"] == "failed"
    again.store.close()


def test_a_file_that_is_no_store_is_named(tmp_path):
    (tmp_path / FILE).write_bytes(b"not a database" * 1000)

    with pytest.raises(UnavailableError, match=r"botanu.duckdb cannot be opened"):
        Lab(tmp_path)


def test_a_directory_that_cannot_be_made_is_named(tmp_path):
    (tmp_path / "file").touch()

    with pytest.raises(UnavailableError, match="cannot be opened"):
        Lab(tmp_path / "file" / "below")


def test_a_failed_batch_leaves_nothing_and_the_next_one_works(lab):
    good = run_spans(run_id="r-1", status="success")
    broken = lab.store._rollups[1]
    lab.store._rollups = (lab.store._rollups[0], type(broken)("events", "event_id", broken.touches, "SELECT nonsense"))
    with pytest.raises(Exception, match="nothing was written"):
        lab.send(*good)
    assert lab.rows("SELECT * FROM spans") == []

    lab.store._rollups = (lab.store._rollups[0], broken)
    assert lab.send(*good).accepted == 1


def test_a_batch_that_is_interrupted_leaves_nothing(lab, monkeypatch):
    def interrupted(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr(lab.store, "_rebuild", interrupted)
    with pytest.raises(KeyboardInterrupt):
        lab.send(*run_spans(run_id="r-1", status="success"))
    monkeypatch.undo()

    assert lab.rows("SELECT * FROM spans") == []
    assert lab.send(*run_spans(run_id="r-1", status="success")).accepted == 1


def test_a_connection_that_is_gone_is_unavailable(lab):
    connection = lab.store._connection
    lab.store._connection = connection.cursor()
    lab.store._connection.close()
    with pytest.raises(UnavailableError, match="nothing was"):
        lab.send(*run_spans(run_id="r-1", status="success"))
    lab.store._connection = connection

    assert lab.send(*run_spans(run_id="r-1", status="success")).accepted == 1


def test_prices_are_added_once(lab):
    from support.lab import CATALOG  # noqa: PLC0415

    from botanu.server.service import Service  # noqa: PLC0415
    from botanu.server.settings import ServerSettings  # noqa: PLC0415

    service = Service(lab.store, ServerSettings())
    assert service.publish_prices(CATALOG) > 5000
    assert service.publish_prices(CATALOG) == 0

    lab.send(*run_spans(run_id="r-1", calls=[llm("gpt-4o", input=1000)]))
    item = lab.row("SELECT * FROM line_items")
    assert item.keys() == set(LINE_ITEMS_VIEW.names)
    assert (item["quantity"], item["unit_price"], item["per"], item["currency"]) == (1000, 2.5, 1_000_000, "USD")
    assert item["amount"] == item["quantity"] * item["unit_price"] / item["per"]


def test_a_price_that_a_later_list_ends_is_noted_as_ended(lab):
    columns = "price_id, provider, model, meter, above, amount, per, currency, valid_from, valid_to, hours, source"
    row = "SELECT 'p1' AS price_id, NULL::DATE AS valid_to"
    known = lab.store.query(f"SELECT {columns} FROM (FROM prices LIMIT 0) UNION ALL BY NAME {row}")
    ended = lab.store.query(
        f"SELECT {columns} FROM (FROM prices LIMIT 0) UNION ALL BY NAME "
        "SELECT 'p1' AS price_id, DATE '2026-12-01' AS valid_to"
    )

    assert lab.store.add_prices(known) == 1
    assert lab.store.add_prices(ended) == 0
    assert str(lab.row("SELECT valid_to FROM prices")["valid_to"]) == "2026-12-01 00:00:00+00:00"


@pytest.mark.parametrize(
    "statement",
    [
        "SELECT * FROM read_csv('/etc/passwd')",
        "SELECT * FROM read_text('/etc/passwd')",
        "SELECT * FROM '/etc/passwd'",
        "COPY runs TO '/tmp/botanu-should-not-exist.csv'",
        "ATTACH '/tmp/botanu-should-not-exist.db'",
        "INSTALL httpfs",
        "SET enable_external_access = true",
    ],
)
def test_the_engine_itself_reaches_nothing_outside(lab, statement):
    with pytest.raises(QueryError):
        lab.store.query(statement)


def test_a_query_that_takes_too_long_is_stopped(lab):
    with pytest.raises(QueryError, match=r"took over 0.2 s"):
        lab.store.query("SELECT count(*) FROM range(10000000) a, range(10000000) b", timeout_seconds=0.2)


def test_an_answer_that_is_too_long_is_refused(lab):
    assert len(lab.store.query("SELECT * FROM range(10)", rows_max=10)) == 10
    with pytest.raises(QueryError, match="over 9 rows; add a LIMIT"):
        lab.store.query("SELECT * FROM range(10)", rows_max=9)


def test_readers_see_whole_batches_while_writing_goes_on(lab):
    seen, stop = [], threading.Event()

    def read():
        while not stop.is_set():
            seen.append(
                lab.row("SELECT (SELECT count(*) FROM spans) AS spans, (SELECT sum(span_count) FROM runs) AS runs")
            )

    reader = threading.Thread(target=read)
    reader.start()
    for number in range(20):
        lab.send(*run_spans(run_id=f"r-{number}", event_id=f"e-{number}", status="success", calls=[llm(input=1)] * 2))
    stop.set()
    reader.join()

    assert all(row["spans"] == (row["runs"] or 0) for row in seen)
    assert len({row["spans"] for row in seen}) > 1


def test_the_clock_of_arrival_is_utc(lab):
    lab.send(*run_spans(run_id="r-1"), now=datetime(2026, 6, 1, 12, 0, 0, 5, tzinfo=UTC))

    assert str(lab.row("SELECT received_at::VARCHAR AS t FROM spans")["t"]) == "2026-06-01 12:00:00.000005+00"


def test_what_the_engine_cannot_store_is_not_taken_for_a_store_that_is_away(lab):
    """An error in the data must not come back as "try again later"."""
    (spans,) = (lab.store.query("FROM spans LIMIT 0"),)
    row = dict.fromkeys(spans.schema.names) | {
        "trace_id": "t",
        "span_id": "s",
        "start_time": NOW,
        "received_at": NOW + timedelta(1),
        "attempt": 2**40,
    }
    broken = pa.Table.from_pylist(
        [row], schema=spans.schema.set(spans.schema.get_field_index("attempt"), pa.field("attempt", pa.int64()))
    )

    with pytest.raises(StoreError, match="out of range") as caught:
        lab.store.append(broken, NOW)
    assert not isinstance(caught.value, UnavailableError)
    assert lab.send(*run_spans(run_id="r-1", status="success")).accepted == 1


def test_of_copies_in_one_batch_the_first_is_kept(lab):
    ids = {"trace_id": b"t" * 16, "span_id": b"s" * 8}
    for number in range(20):
        ids["span_id"] = bytes([number + 1]) * 8
        lab.send(span("first", **ids), *(span("later", **ids) for _ in range(200)))

    assert lab.rows("SELECT DISTINCT name FROM spans") == [{"name": "first"}]


def test_a_span_without_a_start_counts_once_however_late_it_comes_again(lab):
    undated = span("a", start=0, seconds=0)
    assert lab.send(undated, now=NOW).accepted == 1
    again = lab.send(undated, now=NOW + timedelta(hours=1))
    assert (again.accepted, again.duplicates) == (0, 1)


def test_the_runs_that_a_value_changes_are_counted_and_no_others(lab):
    for number, workflow in enumerate(("a", "b", "b"), start=1):
        outcome = {"status": "success", "value_type": "orders", "value_amount": 1}
        lab.send(*run_spans(run_id=f"r-{number}", event_id=f"e-{number}", workflow=workflow, **outcome))

    def set_value(amount, *, valid_from=BEGINNING, workflow=None, hours):
        value = UnitValue.of("orders", amount, valid_from=valid_from, workflow=workflow)
        return lab.store.set_values([value], NOW + timedelta(hours=hours))

    assert set_value(5, hours=1) == 3
    assert set_value(5, hours=2) == 0
    assert set_value(6, hours=3, workflow="b") == 2
    assert set_value(7, hours=4, valid_from=datetime(2099, 1, 1, tzinfo=UTC)) == 0
    assert set_value(8, hours=5) == 1  # workflow b has a value of its own
    assert {row["run_id"]: row["value"] for row in lab.rows("SELECT run_id, value FROM runs")} == {
        "r-1": 8,
        "r-2": 6,
        "r-3": 6,
    }
