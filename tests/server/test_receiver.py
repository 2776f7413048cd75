"""OTLP over HTTP, as the specification says (ids as in the project's reliability checklist)."""

import gzip
import json
import socket
from concurrent.futures import ThreadPoolExecutor

import pytest
from google.rpc.status_pb2 import Status
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
    ExportTraceServiceRequest,
    ExportTraceServiceResponse,
)
from support.otlp import body, json_body, llm, request, run_spans, span

from botanu.errors import UnavailableError

PROTOBUF = {"content-type": "application/x-protobuf"}
JSON = {"content-type": "application/json"}


def post(server, content, headers):
    return server.post("/v1/traces", content=content, headers=headers)


def stored(sql):
    return sql("SELECT count(*) FROM spans")[0][0]


def test_protobuf_is_taken_and_answered_in_kind(server, sql):
    response = post(server, body(span(), span()), PROTOBUF)

    assert (response.status_code, response.headers["content-type"]) == (200, "application/x-protobuf")
    assert not ExportTraceServiceResponse.FromString(response.content).HasField("partial_success")
    assert stored(sql) == 2


def test_json_is_taken_and_answered_in_kind(server, sql):
    response = post(server, json_body(request(span())), JSON)

    assert (response.status_code, response.headers["content-type"]) == (200, "application/json")
    assert response.json() == {}
    assert stored(sql) == 1


@pytest.mark.parametrize("media_type", ["Application/X-Protobuf", "application/x-protobuf; v=1"])
def test_media_types_are_read_as_http_says(server, media_type):
    assert post(server, body(span()), {"content-type": media_type}).status_code == 200


@pytest.mark.parametrize("headers", [{"content-type": "text/plain"}, {}])
def test_another_media_type_is_refused(empty_server, headers):
    assert post(empty_server, body(span()), headers).status_code == 415


def test_gzip_is_taken(server, sql):
    for content, headers in ((body(span()), PROTOBUF), (json_body(request(span())), JSON)):
        assert post(server, gzip.compress(content), {**headers, "content-encoding": "gzip"}).status_code == 200
    assert stored(sql) == 2


def test_the_same_span_by_every_way_counts_once(server, sql):
    message = request(span(**llm(input=1000)))
    whole = message.SerializeToString()
    for _ in range(2):
        post(server, whole, PROTOBUF)
        post(server, gzip.compress(whole), {**PROTOBUF, "content-encoding": "gzip"})
        post(server, json_body(message), JSON)

    assert sql("SELECT count(*), sum(cost) FROM spans") == [[1, 0.0025]]


def test_the_same_request_sixteen_times_at_once_counts_once(server, sql):
    whole = body(*(span() for _ in range(5)))
    with ThreadPoolExecutor(16) as pool:
        answers = list(pool.map(lambda _: post(server, whole, PROTOBUF).status_code, range(16)))

    assert answers == [200] * 16
    assert stored(sql) == 5


@pytest.mark.parametrize(("content", "headers"), [(b"", PROTOBUF), (b"{}", JSON), (body(), PROTOBUF)])
def test_an_empty_request_is_a_success(empty_server, content, headers):
    assert post(empty_server, content, headers).status_code == 200


def test_refused_spans_are_counted_and_the_rest_is_kept(server, sql):
    bad = request(span(), span(trace_id=bytes(16)), span())

    answer = ExportTraceServiceResponse.FromString(post(server, bad.SerializeToString(), PROTOBUF).content)
    assert answer.partial_success.rejected_spans == 1
    assert "no valid trace id" in answer.partial_success.error_message
    assert stored(sql) == 2

    plain = post(server, json_body(bad), JSON).json()
    assert plain["partialSuccess"]["rejectedSpans"] == "1"


@pytest.mark.parametrize("content", [b"\xff" * 16, body(span(start=1))[:-10], b"{}"])
def test_what_is_no_request_is_refused_with_a_status(empty_server, content):
    response = post(empty_server, content, PROTOBUF)

    assert (response.status_code, response.headers["content-type"]) == (400, "application/x-protobuf")
    assert "no OTLP trace request" in Status.FromString(response.content).message
    assert "retry-after" not in response.headers


def test_what_is_no_json_is_refused_with_a_status(empty_server):
    response = post(empty_server, b'{"resourceSpans": [', JSON)

    assert (response.status_code, response.headers["content-type"]) == (400, "application/json")
    assert response.json().keys() == {"code", "message"}
    assert response.json()["code"] == 3


def test_a_body_that_is_not_gzip_is_refused(empty_server):
    assert post(empty_server, body(span()), {**PROTOBUF, "content-encoding": "gzip"}).status_code == 400


@pytest.mark.parametrize(
    ("content", "extra"),
    [
        (bytes(100_001), {}),
        (gzip.compress(bytes(10**7)), {"content-encoding": "gzip"}),
        (iter([bytes(50_000)] * 3), {}),
    ],
)
def test_a_body_over_the_limit_is_refused_announced_or_not(empty_server, content, extra):
    response = post(empty_server, content, {**PROTOBUF, **extra})

    assert response.status_code == 413
    assert "over 100,000 bytes; send smaller batches" in Status.FromString(response.content).message


def test_a_chunked_body_is_taken(server, sql):
    whole = body(span())
    pieces = (whole[start : start + 7] for start in range(0, len(whole), 7))

    assert post(server, pieces, PROTOBUF).status_code == 200
    assert stored(sql) == 1


def test_other_methods_and_paths_are_told(empty_server):
    wrong = empty_server.get("/v1/traces")
    assert (wrong.status_code, "POST" in wrong.headers["allow"]) == (405, True)
    assert empty_server.post("/v1/nonsense").status_code == 404


def test_a_fault_of_ours_invites_no_retry(server, sql, monkeypatch):
    monkeypatch.setattr("botanu.ingest.pipeline.normalise", lambda *_: 1 / 0)
    response = post(server, body(span()), PROTOBUF)
    monkeypatch.undo()

    assert response.status_code == 400
    assert "see the server's log" in Status.FromString(response.content).message
    assert post(server, body(span()), PROTOBUF).status_code == 200
    assert stored(sql) == 1


def test_a_store_that_is_away_invites_a_retry(server, sql, monkeypatch):
    def away(*_):
        raise UnavailableError("disk full")

    monkeypatch.setattr("botanu.store.duckdb.DuckDBStore.append", away)
    response = post(server, body(span()), PROTOBUF)
    monkeypatch.undo()

    assert (response.status_code, response.headers["retry-after"]) == (503, "1")
    assert Status.FromString(response.content).message == "disk full"
    assert post(server, body(span()), PROTOBUF).status_code == 200
    assert stored(sql) == 1


def test_a_connection_goes_on_after_a_refusal(server):
    assert post(server, b"\xff", PROTOBUF).status_code == 400
    assert post(server, body(span()), PROTOBUF).status_code == 200


def test_a_sender_that_goes_away_half_way_leaves_nothing(server, sql):
    host, port = server.base_url.host, server.base_url.port
    with socket.create_connection((host, port)) as connection:
        connection.sendall(
            b"POST /v1/traces HTTP/1.1\r\nHost: x\r\nContent-Type: application/x-protobuf\r\n"
            b"Content-Length: 100000\r\n\r\n" + body(span())[:50]
        )
    assert post(server, body(span()), PROTOBUF).status_code == 200
    assert stored(sql) == 1


def test_values_that_no_money_can_come_of_poison_nothing(server, sql):
    odd = [float("nan"), float("inf"), -1, 2**63 - 1, 1e308, "12", "abc", True, [1], b"x"]
    spans = [span(**llm(input=1000))]
    for value in odd:
        spans.append(span(**(llm() | {"gen_ai.usage.input_tokens": value, "gen_ai.usage.output_tokens": value})))
        spans += run_spans(
            run_id=f"r-{len(spans)}", status="success", value_type="t", value_amount=value, confidence=value
        )

    assert post(server, body(*spans), PROTOBUF).status_code == 200
    assert stored(sql) == len(spans)
    assert sql("SELECT sum(cost) FROM spans") == [[0.0025 + 12 * 0.0000025 + 12 * 0.00001]]


def test_texts_come_back_byte_for_byte(server, sql):
    texts = [
        "emoji 🙂",
        "漢字",
        "rtl \u202e",
        "e\u0301",
        "'; DROP TABLE runs; --",
        '<b>\\"</b>',
        "x" * 10_240,
        "nul\0in",
        "\x1b[0m",
    ]
    for send in (lambda m: post(server, m.SerializeToString(), PROTOBUF), lambda m: post(server, json_body(m), JSON)):
        spans = [span(name=text, **{"botanu.customer_id": text, "other": text}) for text in texts]
        assert send(request(*spans)).status_code == 200
        names = sql("SELECT name, customer_id, attributes->>'other' FROM spans ORDER BY start_time, span_id")
        assert sorted(names[-len(texts) :]) == sorted([text] * 3 for text in texts)


def test_one_wide_span_is_taken(server, sql):
    wide = span(**{f"k{number}": number for number in range(3000)})
    for number in range(200):
        wide.events.add(name=f"e{number}", time_unix_nano=number)

    assert post(server, body(wide), PROTOBUF).status_code == 200
    assert json.loads(sql("SELECT attributes FROM spans")[0][0])["k2999"] == 2999
    assert sql("SELECT json_array_length(span_events) FROM spans") == [[200]]


def test_links_are_hex_in_json_too(server, sql):
    one = span()
    one.links.add(trace_id=b"\xab" * 16, span_id=b"\xcd" * 8)
    post(server, json_body(request(one)), JSON)

    assert json.loads(sql("SELECT links FROM spans")[0][0]) == [
        {"trace_id": "ab" * 16, "span_id": "cd" * 8, "attributes": None}
    ]


def test_nothing_of_a_truncated_request_is_stored(server, sql):
    whole = ExportTraceServiceRequest(resource_spans=request(span(), span(), span()).resource_spans).SerializeToString()
    assert post(server, whole[:-10], PROTOBUF).status_code == 400
    assert post(server, whole, PROTOBUF).status_code == 200
    assert stored(sql) == 3
