"""SQL from people: what it may read, and what it gets back."""

import pytest
from support.lab import NOW
from support.otlp import llm, run_spans

from botanu.errors import QueryError
from botanu.pricing.value_card import BEGINNING, UnitValue
from botanu.query.sql import ask, checked

COST_PER_SUCCESS = """
-- Cost per successful outcome
SELECT
    AVG(total_cost) as avg_cost_per_success
FROM runs
WHERE workflow = 'fulfill-order'
  AND outcome_status = 'success'
  AND outcome_value_type = 'orders_fulfilled';
"""

ROI_BY_WORKFLOW = """
-- ROI by workflow
SELECT
    workflow,
    SUM(outcome_value_amount * value_per_unit) as total_value,
    SUM(total_cost) as total_cost,
    (SUM(outcome_value_amount * value_per_unit) - SUM(total_cost)) / SUM(total_cost) as roi
FROM runs
GROUP BY workflow;
"""


def rows(lab, sql):
    answer = ask(lab.store, sql, timeout_seconds=10, rows_max=1000)
    return answer.columns, [tuple(row.values()) for row in answer.table.to_pylist()]


def test_the_guides_queries_run_as_they_stand(lab):
    lab.store.set_values([UnitValue.of("orders_fulfilled", "0.01", valid_from=BEGINNING)], NOW)
    outcome = {"status": "success", "value_type": "orders_fulfilled", "value_amount": 2}
    lab.send(*run_spans(run_id="r-1", workflow="fulfill-order", calls=[llm(input=1000)], **outcome))
    lab.send(*run_spans(run_id="r-2", workflow="fulfill-order", calls=[llm(input=2000)] * 2, **outcome))

    assert rows(lab, COST_PER_SUCCESS) == ((("avg_cost_per_success", "DOUBLE"),), [(0.00625,)])
    columns, ((workflow, value, cost, roi),) = rows(lab, ROI_BY_WORKFLOW)
    assert [kind for _, kind in columns] == ["VARCHAR", "DECIMAL(38,18)", "DECIMAL(38,9)", "DOUBLE"]
    assert (workflow, float(value), float(cost), roi) == ("fulfill-order", 0.04, 0.0125, pytest.approx(2.2))


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT * FROM spans, runs, events, line_items, prices, unit_values LIMIT 1",
        "WITH mine AS (SELECT workflow FROM runs) SELECT count(*) FROM mine JOIN runs USING (workflow)",
        "SELECT run_id, row_number() OVER (PARTITION BY workflow ORDER BY start_time) FROM runs",
        "SELECT * FROM runs WHERE start_time >= now() - INTERVAL 7 DAY",
        "SELECT date_trunc('day', start_time) AS day, sum(total_cost) FROM runs GROUP BY ALL",
        "SELECT unnest(line_items) FROM spans",
        "SELECT 1 UNION ALL SELECT 2",
        "SELECT attributes->>'http.method' FROM spans",
        "FROM runs SELECT run_id",
        "SELECT (SELECT max(total_cost) FROM events) AS most",
        "SELECT quantile_cont(total_cost, 0.95) FROM runs",
        'SELECT "run_id" FROM "runs" AS r',
        "WITH a AS (SELECT 1 AS x), b AS (SELECT * FROM A) SELECT * FROM b, (SELECT * FROM a) c",
        "WITH RECURSIVE n AS (SELECT 1 AS i UNION ALL SELECT i + 1 FROM n WHERE i < 5) FROM n",
        "SELECT (WITH a AS (SELECT 1) SELECT * FROM a), (SELECT count(*) FROM runs) FROM events",
        "SELECT r.run_id, l.c FROM runs r, LATERAL (SELECT count(*) AS c FROM spans s WHERE s.run_id = r.run_id) l",
        "SELECT i.amount FROM spans, LATERAL unnest(line_items) AS t(i)",
    ],
)
def test_one_select_over_the_tables_is_allowed(lab, sql):
    rows(lab, sql)


def test_a_json_key_with_dots_is_asked_for_as_it_is_written(lab):
    lab.send(*run_spans(run_id="r-1", status="success", metadata__x=1))
    lab.send(*run_spans(run_id="r-2", event_id="e-2", status="success", **{"http.method": "GET"}))

    assert rows(lab, "SELECT attributes->>'http.method' AS m FROM spans WHERE run_id = 'r-2'")[1] == [("GET",)]


@pytest.mark.parametrize(
    ("sql", "message"),
    [
        ("", "ask one SELECT at a time, not 0"),
        ("SELECT 1; SELECT 2", "not 2 statements"),
        ("SELEC 1", "only SELECT|not SQL"),
        ("DROP TABLE runs", "not DROP"),
        ("DELETE FROM runs", "not DELETE"),
        ("INSERT INTO runs SELECT * FROM runs", "not INSERT"),
        ("UPDATE runs SET total_cost = 0", "not UPDATE"),
        ("CREATE TABLE mine AS SELECT 1", "not CREATE"),
        ("COPY runs TO 'x'", "not COPY"),
        ("ATTACH 'x'", "not ATTACH"),
        ("PRAGMA version", "not PRAGMA"),
        ("SET threads = 1", "not SET"),
        ("CALL pragma_version()", "not"),
        ("EXPLAIN ANALYZE DELETE FROM runs", "not"),
        ("SELECT * INTO mine FROM runs", "not INTO|not SQL"),
        ("WITH x AS (DELETE FROM runs RETURNING *) SELECT * FROM x", "not DELETE|not SQL"),
        (
            "SELECT * FROM schema_version",
            "there is no table 'schema_version'; there are allocations, cost_changes, events, line_items",
        ),
        ("SELECT * FROM main.runs", "is not a table of botanu"),
        ("SELECT * FROM information_schema.tables", "is not a table of botanu"),
        ("SELECT * FROM duckdb_settings()", "not allowed|not a table"),
        ("SELECT * FROM read_csv('/etc/passwd')", "not allowed|not a table"),
        ("SELECT * FROM glob('*')", "not a table"),
        ("SELECT * FROM query('DROP TABLE runs')", "not a table"),
        ("SELECT * FROM '/etc/passwd'", "there is no table"),
        ("SELECT * FROM range(10000000000)", "not a table"),
        ("SELECT current_setting('memory_limit')", "current_setting is not allowed"),
        ("SELECT getenv('HOME')", "getenv is not allowed"),
        ("WITH x AS (SELECT * FROM schema_version) SELECT * FROM x", "there is no table 'schema_version'"),
        ("SELECT (SELECT count(*) FROM duckdb_tables())", "not allowed|not a table"),
        ("SELECT x.* FROM runs, LATERAL query('select name from duckdb_settings()') x", "after LATERAL only"),
        ("SELECT x.* FROM runs CROSS JOIN LATERAL checkpoint() x", "after LATERAL only"),
        ("SELECT x.* FROM runs, LATERAL (FROM query('SELECT 1')) x", "not a table"),
        ("WITH schema_version AS (FROM schema_version) FROM schema_version", "there is no table 'schema_version'"),
        ("SELECT * FROM schema_version, (WITH schema_version AS (SELECT 1) FROM schema_version) x", "there is no"),
        ("WITH a AS (FROM b), b AS (SELECT 1) FROM a", "there is no table 'b'"),
        ("SELECT nothing FROM runs", "nothing"),
        ("SELECT " + ".".join("a" * 3000), "nested too deeply"),
        ("SELECT " + "(" * 3000 + "1" + ")" * 3000, "not SQL|only|maximum|depth"),
    ],
)
def test_everything_else_is_refused_and_says_why(lab, sql, message):
    with pytest.raises(QueryError, match=message):
        rows(lab, sql)


def test_what_runs_is_what_was_checked():
    assert checked("SELECT /* hidden */ 1 -- more") == "SELECT 1"
