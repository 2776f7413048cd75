"""The demo: what a user sees first, the same each time, and equal to a calculation from the raw spans."""

import json
import re
import signal
import socket
import subprocess
from collections import defaultdict
from decimal import Decimal
from pathlib import Path

import httpx2
import pytest
from support.guide import SQL
from support.process import BOTANU, botanu, environment, eventually

README = Path(__file__).parents[2] / "README.md"

QUERIES = [part + ";" for part in SQL["Cost-Per-Outcome Analysis"].split(";") if part.strip()]


@pytest.fixture(scope="module")
def kept(tmp_path_factory):
    """A demo's store, and what the demo printed."""
    directory = tmp_path_factory.mktemp("demo") / "store"
    return directory, botanu("demo", "--once", "--data-dir", str(directory)).stdout


def ask(directory, query):
    return json.loads(botanu("sql", query, "--data-dir", str(directory), "-f", "json").stdout, parse_float=Decimal)[
        "rows"
    ]


def test_it_prints_the_same_report_each_time(kept):
    first = kept[1].splitlines()
    second = botanu("demo", "--once", BOTANU_ENABLED="false", OTEL_TRACES_SAMPLER="always_off").stdout.splitlines()

    assert first[1].startswith("Runs that started from")
    assert first[2:] == second[2:]
    assert [line.split()[0] for line in first[3:8]] == [
        "analyze",
        "fulfill-order",
        "handle-inquiry",
        "batch-process",
        "classify",
    ]
    assert "of calls priced" in first[-1]


def test_the_readme_shows_what_it_prints(kept):
    period, *shown = re.search(r"```text\n(.*?)\n```", README.read_text(), re.DOTALL)[1].splitlines()

    assert kept[1].splitlines()[2:] == shown
    assert re.fullmatch(re.escape(period).replace(r"\.\.\.", "[-0-9: ]+"), kept[1].splitlines()[1])


def test_the_guides_queries_pasted_unchanged_equal_a_calculation_from_the_raw_spans(kept):
    directory, _ = kept
    raw = ask(
        directory,
        "SELECT run_id, workflow, is_run, cost, outcome_status, outcome_value_type, outcome_value_amount FROM spans",
    )
    prices = dict(ask(directory, "SELECT value_type, amount FROM unit_values"))
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
    ((average,),) = ask(directory, QUERIES[0])
    assert float(average) == pytest.approx(float(sum(good) / len(good)), rel=1e-12)

    expected = {}
    for name in {workflow for workflow, *_ in root.values()}:
        mine = [run for run, (workflow, *_) in root.items() if workflow == name]
        value = sum(root[run][3] * prices[root[run][2]] for run in mine if root[run][2] is not None)
        known = [cost[run] for run in mine]
        expected[name] = (value, sum(known), (value - sum(known)) / sum(known))
    found = {name: (value, total, roi) for name, value, total, roi in ask(directory, QUERIES[1])}
    assert found.keys() == expected.keys()
    for name, (value, total, roi) in found.items():
        assert (value, total) == expected[name][:2]
        assert float(roi) == pytest.approx(float(expected[name][2]), rel=1e-12)


def test_totals_are_the_sums_of_their_parts(kept):
    ((items, spans, runs, events),) = ask(
        kept[0],
        """
        SELECT (SELECT sum(amount) FROM line_items), (SELECT sum(cost) FROM spans),
          (SELECT sum(total_cost) FROM runs), (SELECT sum(total_cost) FROM events)""",
    )
    assert items == spans == runs == events > 0


def test_live_runs_came_through_the_sdk(kept):
    rows = ask(
        kept[0], "SELECT workflow, count(*) FROM runs WHERE start_time > now() - INTERVAL 10 MINUTE GROUP BY ALL"
    )

    assert {workflow for workflow, _ in rows} == {
        "analyze",
        "fulfill-order",
        "handle-inquiry",
        "batch-process",
        "classify",
    }
    ((emitted,),) = ask(kept[0], "SELECT count(*) FROM spans WHERE span_events->0->>'name' = 'botanu.outcome_emitted'")
    assert emitted >= 60


def test_a_store_that_is_there_is_not_touched(kept):
    done = botanu("demo", "--once", "--data-dir", str(kept[0]), check=False)

    assert done.returncode == 1
    assert "wants a directory of its own" in done.stderr


def test_it_takes_a_free_port_where_its_own_is_taken_unless_told_which():
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        assert "fulfill-order" in botanu("demo", "--once", BOTANU_PORT=port).stdout
        told = botanu("demo", "--once", "--port", port, check=False)

    assert (told.returncode, told.stderr) == (1, f"error: cannot listen on 127.0.0.1:{port}: Address already in use\n")


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_it_keeps_serving_until_it_is_told_to_stop(number):
    with subprocess.Popen(
        [BOTANU, "demo", "--port", "0"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment()
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
