import json
from datetime import UTC, datetime
from decimal import Decimal

import pytest
from support.otlp import body, llm, run_spans

from botanu.server import plain

PROTOBUF = {"content-type": "application/x-protobuf"}


def send(server, *spans):
    assert server.post("/v1/traces", content=body(*spans), headers=PROTOBUF).status_code == 200


def test_health(empty_server):
    assert empty_server.get("/healthz").json() == {"status": "ok"}


def test_sql_gives_columns_with_types_and_rows(server):
    send(server, *run_spans(run_id="r-1", status="success", calls=[llm(input=1000)]))
    query = "SELECT run_id, total_cost, calls, end_time IS NULL AS open, start_time, outcome_reason FROM runs"

    answer = server.post("/v1/sql", json={"query": query}).json()

    assert answer["columns"] == [
        {"name": "run_id", "type": "VARCHAR"},
        {"name": "total_cost", "type": "DECIMAL(38,9)"},
        {"name": "calls", "type": "BIGINT"},
        {"name": "open", "type": "BOOLEAN"},
        {"name": "start_time", "type": "TIMESTAMP WITH TIME ZONE"},
        {"name": "outcome_reason", "type": "VARCHAR"},
    ]
    ((run_id, cost, calls, is_open, start, reason),) = answer["rows"]
    assert (run_id, cost, calls, is_open, reason) == ("r-1", 0.0025, 1, False, None)
    assert datetime.fromisoformat(start).tzinfo is not None


def test_numbers_are_exact_on_the_wire(empty_server):
    query = """SELECT 9007199254740993 AS i, 0.000000001::DECIMAL(18,9) AS d,
      12345678901234567890.123456789::DECIMAL(38,9) AS e"""

    text = empty_server.post("/v1/sql", json={"query": query}).text

    assert '"rows":[[9007199254740993,0.000000001,12345678901234567890.123456789]]' in text
    assert plain.loads(text.encode())["rows"][0][2] == Decimal("12345678901234567890.123456789")
    assert json.loads(text)["rows"][0][1] == 1e-9


def test_values_that_json_has_no_form_for_are_written_out(empty_server):
    query = """SELECT 'NaN'::DOUBLE AS nan, DATE '2026-11-01' AS day, [1, NULL] AS list, {'a': 1.5} AS struct,
      INTERVAL 90 SECOND AS span, '\\xFF'::BLOB AS blob, TIME '12:00' AS clock, uuid() AS id"""

    (row,) = empty_server.post("/v1/sql", json={"query": query}).json()["rows"]

    assert row[:4] == ["nan", "2026-11-01", [1, None], {"a": 1.5}]
    assert row[5:7] == ["ff", "12:00:00"]
    assert len(row[7]) == 36


@pytest.mark.parametrize(
    ("content", "headers", "message"),
    [
        (b'{"query": "DROP TABLE runs"}', {}, "only SELECT is allowed, not DROP"),
        (b'{"query": 5}', {}, "query must be text"),
        (b"{}", {}, "missing query"),
        (b'{"query": "SELECT 1", "tenant": "b"}', {}, "unknown tenant; known: query"),
        (b"[]", {}, "must be a JSON object, not list"),
        (b"{", {}, "the body is not JSON"),
        (b"\xff", {}, "the body is not JSON"),
        (b'{"query": "SELECT 1"}', {"content-type": "text/plain"}, "send a body of type application/json"),
        (b'{"query": "SELECT * FROM prices"}', {}, "over 1,000 rows; add a LIMIT"),
    ],
)
def test_a_question_that_cannot_be_answered_says_why(empty_server, content, headers, message):
    response = empty_server.post("/v1/sql", content=content, headers={"content-type": "application/json", **headers})

    assert response.status_code == 400
    assert message in response.json()["error"]


def test_a_report_is_the_measures_by_a_dimension(server):
    send(server, *run_spans(run_id="r-1", status="success", calls=[llm(input=1000)]))

    made = server.get("/v1/reports", params={"window": "7d", "by": "customer_id"}).json()

    assert made["rows"][0]["customer_id"] == "c-1"
    assert (made["rows"][0]["cost"], made["total"]["cost_per_outcome"]) == (0.0025, 0.0025)
    assert made["coverage"] == {
        "priced": 1.0,
        "attributed": 1.0,
        "recorded": 1.0,
        "unpriced_calls": 0,
        "unvalued_runs": 0,
        "unvalued_types": [],
        "unpriced": [],
        "other_costs": [],
    }
    assert made["latest_start"] is None
    assert made["window"]["name"] == "7d"
    assert made["currency"] == "USD"


def test_a_path_or_method_that_is_not_there_is_told_in_json(empty_server):
    assert empty_server.get("/v1/nothing").json() == {"error": "Not Found"}
    refused = empty_server.get("/v1/sql")
    assert (refused.status_code, refused.headers["allow"]) == (405, "POST")
    assert refused.json() == {"error": "Method Not Allowed"}


@pytest.mark.parametrize("content", [b"[" * 100_000, b'{"value_type": "x", "amount": ' + b"9" * 5000 + b"}"])
def test_a_body_that_cannot_be_read_is_refused(empty_server, content):
    response = empty_server.post("/v1/values", content=content, headers={"content-type": "application/json"})

    assert response.status_code == 400
    assert response.json()["error"]


@pytest.mark.parametrize(
    ("expression", "text"),
    [
        ("'infinity'::timestamp", None),
        ("'20000-01-01'::timestamp", "20000-01-01 00:00:00.000000"),
        ("'2026-01-01 00:00:00.000000001'::timestamp_ns", "2026-01-01 00:00:00.000000001"),
        ("'20000-01-01'::date", "20000-01-01"),
    ],
)
def test_instants_beyond_the_calendar_are_written_out(empty_server, expression, text):
    response = empty_server.post("/v1/sql", json={"query": f"SELECT {expression} AS x"})

    assert response.status_code == 200, response.text
    assert text is None or response.json()["rows"] == [[text]]


@pytest.mark.parametrize("query", ["windwo=7d", "window=soon", "by=color", "from=yesterday"])
def test_a_report_that_cannot_be_made_says_why(empty_server, query):
    response = empty_server.get(f"/v1/reports?{query}")

    assert response.status_code == 400
    assert query.partition("=")[0 if query == "windwo=7d" else 2] in response.json()["error"]


def test_a_value_is_set_listed_and_on_the_runs(server):
    send(server, *run_spans(run_id="r-1", status="success", value_type="orders", value_amount=3))

    done = server.post("/v1/values", json={"value_type": "orders", "amount": "12.50"}).json()

    assert done["runs_changed"] == 1
    assert done["value"]["amount"] == 12.5
    (value,) = server.get("/v1/values").json()["values"]
    assert (value["value_type"], value["valid_from"], value["valid_to"]) == (
        "orders",
        "1970-01-01T00:00:00+00:00",
        None,
    )
    assert server.get("/v1/reports").json()["total"]["value"] == 37.5


def test_a_second_value_holds_from_now_unless_told(server):
    server.post("/v1/values", json={"value_type": "orders", "amount": 1})
    later = server.post("/v1/values", json={"value_type": "orders", "amount": 2}).json()["value"]
    dated = server.post("/v1/values", json={"value_type": "orders", "amount": 3, "from": "2026-01-01", "workflow": "w"})

    assert (datetime.now(UTC) - datetime.fromisoformat(later["valid_from"])).total_seconds() < 60
    assert dated.json()["value"]["valid_from"] == "2026-01-01T00:00:00+00:00"


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ({"amount": 1}, "missing value_type"),
        ({"value_type": "x"}, "missing amount"),
        ({"value_type": "x", "amount": "much"}, "must be a number, not 'much'"),
        ({"value_type": "x", "amount": 1, "currency": "EUR"}, "costs are in USD: convert it first"),
        ({"value_type": "x", "amount": 1, "from": "soon"}, "'soon' is no date"),
        ({"value_type": "x", "amount": 1, "until": "soon"}, "unknown until"),
        ({"value_type": 1, "amount": 1, "workflow": {}}, "value_type, workflow must be text"),
        ({"value_type": "x", "amount": 1, "from": 2026}, "from must be text"),
        ({"value_type": "x", "amount": 1, "from": "0001-01-01T00:00+23:00"}, "is no date"),
        ({"value_type": "x", "amount": [1]}, "must be a number, not [1]"),
        ({"value_type": "x", "amount": "9" * 5000}, "must be below"),
    ],
)
def test_a_value_that_cannot_be_meant_is_refused(empty_server, value, message):
    response = empty_server.post("/v1/values", json=value)

    assert response.status_code == 400
    assert message in response.json()["error"]
    assert empty_server.get("/v1/values").json() == {"values": []}
