"""The demo: what a user sees first, the same each time, and equal to a calculation from the raw spans."""

import json
import re
import signal
import socket
import subprocess
from collections import defaultdict
from decimal import Decimal
from functools import partial
from pathlib import Path

import httpx2
import pytest
from support.guide import SQL
from support.process import BOTANU, botanu, environment, eventually

from botanu.ingest.rollup import ROLLUPS
from botanu.query import sql
from botanu.store.duckdb import DuckDBStore

README = Path(__file__).parents[2] / "README.md"

QUERIES = [part + ";" for part in SQL["Cost-Per-Outcome Analysis"].split(";") if part.strip()]


@pytest.fixture(scope="module")
def taken():
    """A port that is taken."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        yield str(listening.getsockname()[1])


@pytest.fixture(scope="module")
def kept(tmp_path_factory, taken):
    """A demo's store, and what the demo printed, whose own port was taken."""
    directory = tmp_path_factory.mktemp("demo") / "store"
    return directory, botanu("demo", "--once", "--data-dir", str(directory), BOTANU_PORT=taken).stdout


@pytest.fixture
def ask(kept):
    """Ask that store; give the rows."""
    store = DuckDBStore(kept[0], ROLLUPS)
    asked = partial(sql.ask, store, timeout_seconds=60, rows_max=100)
    yield lambda query: [tuple(row.values()) for row in asked(query).table.to_pylist()]
    store.close()


def test_it_prints_a_report(kept):
    lines = kept[1].splitlines()

    assert lines[1].startswith("Runs that started from")
    assert [line.split()[0] for line in lines[3:8]] == [
        "analyze",
        "fulfill-order",
        "handle-inquiry",
        "batch-process",
        "classify",
    ]
    assert "of calls priced" in lines[-2]


def test_the_readme_shows_what_it_prints(kept):
    period, *shown = re.search(r"```text\n(.*?)\n```", README.read_text(), re.DOTALL)[1].splitlines()

    assert kept[1].splitlines()[2:] == shown
    assert re.fullmatch(re.escape(period).replace(r"\.\.\.", "[-0-9: ]+"), kept[1].splitlines()[1])


def pasted(directory, query):
    """Ask as a person does; give the rows."""
    printed = botanu("sql", query, "--data-dir", str(directory), "-f", "json").stdout
    return json.loads(printed, parse_float=Decimal)["rows"]


def test_the_guides_queries_pasted_unchanged_equal_a_calculation_from_the_raw_spans(kept):
    directory, _ = kept
    raw = pasted(
        directory,
        "SELECT run_id, workflow, is_run, cost, outcome_status, outcome_value_type, outcome_value_amount FROM spans",
    )
    prices = dict(pasted(directory, "SELECT value_type, amount FROM unit_values"))
    cost, root = defaultdict(Decimal), {}
    for run_id, workflow, is_run, amount, *outcome in raw:
        cost[run_id] += amount or 0
        if is_run:
            root[run_id] = (workflow, *outcome)

    good = [
        cost[run]
        for run, (name, status, kind, _) in root.items()
        if (name, status, kind) == ("fulfill-order", "success", "orders_fulfilled")
    ]
    ((average,),) = pasted(directory, QUERIES[0])
    assert float(average) == pytest.approx(float(sum(good) / len(good)), rel=1e-12)

    expected = {}
    for name in {workflow for workflow, *_ in root.values()}:
        mine = [run for run, (workflow, *_) in root.items() if workflow == name]
        value = sum(root[run][3] * prices[root[run][2]] for run in mine if root[run][2] is not None)
        known = [cost[run] for run in mine]
        expected[name] = (value, sum(known), (value - sum(known)) / sum(known))
    found = {name: (value, total, roi) for name, value, total, roi in pasted(directory, QUERIES[1])}
    assert found.keys() == expected.keys()
    for name, (value, total, roi) in found.items():
        assert (value, total) == expected[name][:2]
        assert float(roi) == pytest.approx(float(expected[name][2]), rel=1e-12)


def test_totals_are_the_sums_of_their_parts(ask):
    ((items, spans, runs, events),) = ask("""
        SELECT (SELECT sum(amount) FROM line_items), (SELECT sum(cost) FROM spans),
          (SELECT sum(total_cost) FROM runs), (SELECT sum(total_cost) FROM events)""")
    assert items == spans == runs == events > 0


def test_live_runs_came_through_the_sdk(ask):
    rows = ask("SELECT workflow, count(*) FROM runs WHERE start_time > now() - INTERVAL 10 MINUTE GROUP BY ALL")

    assert {workflow for workflow, _ in rows} == {
        "analyze",
        "fulfill-order",
        "handle-inquiry",
        "batch-process",
        "classify",
    }
    ((emitted,),) = ask("SELECT count(*) FROM spans WHERE span_events->0->>'name' = 'botanu.outcome_emitted'")
    assert emitted >= 60


def test_a_store_that_is_there_is_not_touched(kept):
    done = botanu("demo", "--once", "--data-dir", str(kept[0]), check=False)

    assert done.returncode == 1
    assert "wants a directory of its own" in done.stderr


def test_it_takes_a_free_port_where_its_own_is_taken_unless_told_which(kept, taken):
    assert "fulfill-order" in kept[1]

    told = botanu("demo", "--once", "--port", taken, check=False)
    assert (told.returncode, told.stderr) == (1, f"error: cannot listen on 127.0.0.1:{taken}: Address already in use\n")


@pytest.mark.parametrize(
    ("number", "environ"),
    [(signal.SIGINT, {}), (signal.SIGTERM, {"BOTANU_ENABLED": "false", "OTEL_TRACES_SAMPLER": "always_off"})],
)
def test_it_prints_the_same_report_each_time_and_serves_until_it_is_told_to_stop(kept, number, environ):
    with subprocess.Popen(
        [BOTANU, "demo", "--port", "0"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=environment(**environ),
    ) as process:
        lines = []

        def address():
            lines.append(process.stdout.readline())
            return lines[-1].split()[1] if lines[-1].startswith("Open http") else None

        try:
            url = eventually(address, 60)
            assert "fulfill-order" in httpx2.get(url).text
            process.send_signal(number)
            _, errors = process.communicate(timeout=30)
        finally:
            process.kill()
    assert (process.returncode, errors) == (0, "")
    first = kept[1].splitlines()
    assert [line.removesuffix("\n") for line in lines[2 : len(first)]] == first[2:]
    assert lines[len(first)] == "\n"
