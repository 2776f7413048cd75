import base64
import gzip
import json
import math
import zlib
from datetime import UTC, datetime

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, InstrumentationScope, KeyValue
from opentelemetry.proto.resource.v1.resource_pb2 import Resource
from opentelemetry.proto.trace.v1.trace_pb2 import ResourceSpans, ScopeSpans, Span, Status
from support.otlp import body, json_body, key_values, request, span

from botanu.errors import DecodeError, TooLargeError
from botanu.ingest.normalise import normalise
from botanu.ingest.otlp import JSON, PROTOBUF, decode, decompress, flatten

NOW = datetime(2026, 11, 22, tzinfo=UTC)


def columns_of(*bodies, media_type=PROTOBUF):
    spans, refusals = flatten([decode(one, media_type) for one in bodies])
    columns = normalise(spans, NOW)
    return {name: column.to_pylist() for name, column in columns.items() if isinstance(column, pa.Array)}, refusals


# --- against the protobuf classes ---------------------------------------------------------------------

int64s = st.integers(-(2**63), 2**63 - 1)
texts = st.text(st.characters(codec="utf-8"), max_size=20)
scalars = st.one_of(
    st.builds(AnyValue, string_value=texts),
    st.builds(AnyValue, bool_value=st.booleans()),
    st.builds(AnyValue, int_value=int64s),
    st.builds(AnyValue, double_value=st.floats()),
    st.builds(AnyValue, bytes_value=st.binary(max_size=8)),
    st.just(AnyValue()),
)


def nested(children):
    def array(values):
        message = AnyValue()
        message.array_value.values.extend(values)
        return message

    def mapping(pairs):
        message = AnyValue()
        message.kvlist_value.values.extend(KeyValue(key=key, value=value) for key, value in pairs.items())
        return message

    return st.one_of(
        st.lists(children, max_size=3).map(array), st.dictionaries(texts, children, max_size=3).map(mapping)
    )


values = st.recursive(scalars, nested, max_leaves=5)
# Names of our own and of OpenTelemetry GenAI are read into columns: tested for themselves below.
attributes = st.dictionaries(texts.map(lambda text: f"x.{text}"), values, max_size=5).map(
    lambda pairs: [KeyValue(key=key, value=value) for key, value in pairs.items()]
)
times = st.integers(1, 2**62)
spans_strategy = st.builds(
    Span,
    trace_id=st.binary(min_size=16, max_size=16).filter(any),
    span_id=st.binary(min_size=8, max_size=8).filter(any),
    parent_span_id=st.one_of(st.just(b""), st.binary(min_size=8, max_size=8)),
    name=texts,
    kind=st.integers(0, 7),
    start_time_unix_nano=times,
    end_time_unix_nano=times,
    attributes=attributes,
    status=st.one_of(st.none(), st.builds(Status, code=st.integers(0, 4), message=texts)),
    events=st.lists(st.builds(Span.Event, time_unix_nano=times, name=texts, attributes=attributes), max_size=2),
    links=st.lists(
        st.builds(
            Span.Link,
            trace_id=st.binary(min_size=16, max_size=16),
            span_id=st.binary(min_size=8, max_size=8),
            attributes=attributes,
        ),
        max_size=2,
    ),
    flags=st.integers(0, 2**32 - 1),
    trace_state=texts,
)
requests_strategy = st.builds(
    ExportTraceServiceRequest,
    resource_spans=st.lists(
        st.builds(
            ResourceSpans,
            resource=st.one_of(st.none(), st.builds(Resource, attributes=attributes)),
            scope_spans=st.lists(
                st.builds(
                    ScopeSpans,
                    scope=st.one_of(st.none(), st.builds(InstrumentationScope, name=texts)),
                    spans=st.lists(spans_strategy, max_size=3),
                ),
                max_size=2,
            ),
        ),
        max_size=2,
    ),
)


def plain(value):
    """An ``AnyValue`` as Python sees it."""
    kind = value.WhichOneof("value")
    if kind == "array_value":
        return [plain(item) for item in value.array_value.values]
    if kind == "kvlist_value":
        return {pair.key: plain(pair.value) for pair in value.kvlist_value.values}
    if kind == "bytes_value":
        return base64.b64encode(value.bytes_value).decode()
    if kind == "double_value" and not math.isfinite(value.double_value):
        return {math.inf: "Infinity", -math.inf: "-Infinity"}.get(value.double_value, "NaN")
    return None if kind is None else getattr(value, kind)


def object_of(pairs):
    return {pair.key: plain(pair.value) for pair in pairs} or None


def expected_row(span_message, resource, scope):
    kinds = ["unspecified", "internal", "server", "client", "producer", "consumer"]
    codes = ["unset", "ok", "error"]
    return {
        "trace_id": span_message.trace_id.hex(),
        "span_id": span_message.span_id.hex(),
        "parent_span_id": span_message.parent_span_id.hex() or None,
        "name": span_message.name,
        "kind": kinds[span_message.kind] if span_message.kind < len(kinds) else "unspecified",
        "status_code": codes[span_message.status.code] if span_message.status.code < len(codes) else "unset",
        "scope_name": scope,
        "start_time_unix_nano": span_message.start_time_unix_nano,
        "duration_ns": max(0, span_message.end_time_unix_nano - span_message.start_time_unix_nano),
        "attributes": object_of(span_message.attributes),
        "resource": object_of(resource.attributes),
        "span_events": [
            {"time_unix_nano": event.time_unix_nano, "name": event.name, "attributes": object_of(event.attributes)}
            for event in span_message.events
        ]
        or None,
        "links": [
            {"trace_id": link.trace_id.hex(), "span_id": link.span_id.hex(), "attributes": object_of(link.attributes)}
            for link in span_message.links
        ]
        or None,
    }


def expected_rows(message):
    return [
        expected_row(one, resource_spans.resource, scope_spans.scope.name if scope_spans.HasField("scope") else None)
        for resource_spans in message.resource_spans
        for scope_spans in resource_spans.scope_spans
        for one in scope_spans.spans
    ]


def actual_rows(columns):
    names = expected_row(Span(), Resource(), "").keys()
    rows = [dict(zip(names, row, strict=True)) for row in zip(*(columns[name] for name in names), strict=True)]
    for row in rows:
        for name in ("attributes", "resource", "span_events", "links"):
            row[name] = row[name] and json.loads(row[name])
    return rows


@given(messages=st.lists(requests_strategy, min_size=1, max_size=3))
def test_decoding_agrees_with_the_protobuf_classes(messages):
    columns, refusals = columns_of(*(message.SerializeToString() for message in messages))

    assert actual_rows(columns) == [row for message in messages for row in expected_rows(message)]
    assert refusals == [None] * len(messages)


@given(message=requests_strategy)
def test_json_says_the_same_as_protobuf(message):
    from_json, _ = columns_of(json_body(message), media_type=JSON)
    from_protobuf, _ = columns_of(message.SerializeToString())

    assert from_json == from_protobuf


@given(raw=st.binary(max_size=200), position=st.integers(0, 10**6), byte=st.integers(0, 255))
def test_whatever_comes_is_read_or_refused(raw, position, byte):
    whole = bytearray(body(span(x="y"), span()))
    whole[position % len(whole)] = byte
    for candidate in (raw, bytes(whole), bytes(whole[: position % len(whole)])):
        for media_type in (PROTOBUF, JSON):
            try:
                request_ = decode(candidate, media_type)
            except DecodeError:
                continue
            normalise(flatten([request_])[0], NOW)


# --- the parts of the protocol ------------------------------------------------------------------------


def test_nanoseconds_are_kept():
    columns, _ = columns_of(
        body(
            Span(
                trace_id=b"t" * 16,
                span_id=b"s" * 8,
                start_time_unix_nano=1_795_000_000_123_456_789,
                end_time_unix_nano=1_795_000_000_123_456_790,
            )
        )
    )

    assert columns["start_time_unix_nano"] == [1_795_000_000_123_456_789]
    assert columns["duration_ns"] == [1]
    assert columns["start_time"][0].microsecond == 123456


def test_a_span_without_a_start_starts_when_it_arrives():
    columns, _ = columns_of(body(Span(trace_id=b"t" * 16, span_id=b"s" * 8)))

    assert columns["start_time"] == [NOW]
    assert columns["duration_ns"] == [0]


@pytest.mark.parametrize(
    "empty", [ExportTraceServiceRequest(), request(), ExportTraceServiceRequest(resource_spans=[ResourceSpans()])]
)
def test_an_empty_request_is_no_spans(empty):
    assert columns_of(empty.SerializeToString())[0]["trace_id"] == []
    assert columns_of(json_body(empty), media_type=JSON)[0]["trace_id"] == []


def test_spans_that_cannot_be_identified_are_refused_and_their_neighbours_kept():
    good, other = span("good"), span("other")
    first = body(
        good, span(trace_id=bytes(16)), span(trace_id=b"t" * 15), span(span_id=b"s" * 7), span(span_id=bytes(8))
    )
    late = span("late")
    late.start_time_unix_nano = 2**63
    late.end_time_unix_nano = 2**64 - 1

    columns, refusals = columns_of(first, body(other), body(late, span("kept")))

    assert columns["name"] == ["good", "other", "kept"]
    assert [refusal and refusal.count for refusal in refusals] == [4, None, 1]
    assert refusals[0].message == (
        "4 spans refused: 2 with no valid trace id: it takes 16 bytes, not all zero; "
        "2 with no valid span id: it takes 8 bytes, not all zero"
    )
    assert refusals[2].message == "1 span refused: 1 with a start or end time that no clock shows"


@pytest.mark.parametrize("bad", ["", "zz" * 16, "5b8efff798038103d269b633813fc60", "W47/95gDgQPSabYzgT/GDA=="])
def test_a_json_id_that_is_not_hex_refuses_its_span(bad):
    document = json.loads(json_body(request(span("bad"), span("good"))))
    document["resourceSpans"][0]["scopeSpans"][0]["spans"][0]["traceId"] = bad

    columns, refusals = columns_of(json.dumps(document).encode(), media_type=JSON)

    assert columns["name"] == ["good"]
    assert refusals[0].count == 1


def test_upper_case_hex_names_the_same_span():
    message = request(span(trace_id=b"\xab" * 16, span_id=b"\xcd" * 8))
    upper = json_body(message).replace(b"ab" * 16, b"AB" * 16).replace(b"cd" * 8, b"CD" * 8)

    assert columns_of(upper, media_type=JSON)[0]["trace_id"] == ["ab" * 16]


def test_unknown_json_fields_are_ignored_and_snake_case_is_unknown():
    document = json.loads(json_body(request(span("kept"))))
    document["future"] = {"deep": [1, 2]}
    document["resourceSpans"][0]["scopeSpans"][0]["spans"][0] |= {"novel": True, "trace_state": "dropped"}
    document["resource_spans"] = [{"scope_spans": []}]

    assert columns_of(json.dumps(document).encode(), media_type=JSON)[0]["name"] == ["kept"]


def test_integers_come_as_text_or_number_and_keep_all_digits():
    def asked(number):
        document = json.loads(json_body(request(span())))
        document["resourceSpans"][0]["scopeSpans"][0]["spans"][0]["attributes"] = [
            {"key": "n", "value": {"intValue": number}}
        ]
        columns, _ = columns_of(json.dumps(document).encode(), media_type=JSON)
        return json.loads(columns["attributes"][0])["n"]

    assert asked("9007199254740993") == asked(9007199254740993) == 9007199254740993
    assert asked("-9223372036854775808") == -(2**63)


@pytest.mark.parametrize(
    "bad",
    [
        b"",
        b"[]",
        b"{",
        b'{"resourceSpans": [',
        b'{"resourceSpans": "x"}',
        b'{"resourceSpans": [{"scopeSpans": {}}]}',
        b'{"x": NaN}',
        b'{"resourceSpans":[{"scopeSpans":[{"spans":[{"traceId":5}]}]}]}',
        b'\xff{"x": 1}',
        b'{"resourceSpans":[{"scopeSpans":[{"spans":[{"name":"\\ud800"}]}]}]}',
        b'{"resourceSpans":[{"scopeSpans":[{"spans":[{"attributes":[{"key":"n","value":{"intValue":"9223372036854775808"}}]}]}]}]}',
        b'{"x": ' + b"[" * 100_000 + b"]" * 100_000 + b"}",
    ],
)
def test_json_that_is_no_request_is_refused(bad):
    with pytest.raises(DecodeError, match="JSON"):
        decode(bad, JSON)


@pytest.mark.parametrize("bad", [b"\xff" * 16, b"{}", body(span(), span())[:-10], b"\x0a\xff\xff\xff\xff\x7f"])
def test_protobuf_that_is_no_request_is_refused(bad):
    with pytest.raises(DecodeError, match="no OTLP trace request"):
        decode(bad, PROTOBUF)


@pytest.mark.parametrize("depth", [200, 20_000])
def test_attributes_nested_deeper_than_protobuf_reads_are_unknown_and_harm_nobody(depth):
    value = b""
    for _ in range(depth):
        value = _field(5, _field(1, value))  # AnyValue.array_value.values
    deep = span("deep").SerializeToString() + _field(9, _field(1, b"x") + _field(2, value))
    spans = _field(2, deep) + _field(2, span("other", y=1).SerializeToString())

    columns, _ = columns_of(_field(1, _field(2, spans)))

    assert columns["name"] == ["deep", "other"]
    assert columns["attributes"] == ['{"x":null}', '{"y":1}']


def _field(number, content):
    """Protobuf bytes of a field that holds *content*."""
    length, size = b"", len(content)
    while size > 0x7F:
        length += bytes([size & 0x7F | 0x80])
        size >>= 7
    return bytes([number << 3 | 2]) + length + bytes([size]) + content


def test_an_attribute_without_a_value_is_null():
    bare = span()
    bare.attributes.add(key="bare")

    assert columns_of(body(bare))[0]["attributes"] == ['{"bare":null}']


def test_what_people_and_models_said_is_not_stored():
    content = {
        "gen_ai.input.messages": "[secret]",
        "gen_ai.prompt.0.content": "secret",
        "gen_ai.completion": "secret",
        "db.query.text": "SELECT secret",
        "kept": "yes",
    }
    message = span(**content)
    message.events.add(name="gen_ai.content.prompt").attributes.extend(key_values({"gen_ai.prompt": "secret"}))

    columns, _ = columns_of(body(message, resource={"input.value": "secret", "host": "h"}))

    assert "secret" not in str(columns)
    assert json.loads(columns["attributes"][0]) == {"kept": "yes"}


def test_what_other_instrumentations_call_it_is_not_stored_either():
    """One that instrumentations write, of each source, and beside it what they write that is not content."""
    content = (
        "agentops.entity.input",
        "ai.prompt",
        "ai.prompt.messages",
        "ai.response.text",
        "ai.toolCall.args",
        "all_messages_events",
        "braintrust.output_json",
        "embedding.embeddings.0.embedding.text",
        "gcp.vertex.agent.llm_request",
        "gen_ai.content.completion",
        "gen_ai.request.messages",
        "genkit:input",
        "haystack.component.output",
        "langfuse.observation.output",
        "langfuse.trace.input",
        "lk.pii.chat_ctx",
        "lk.user_transcript",
        "llm.input_messages.0.message.content",
        "llm.prompt_template.variables",
        "llm.prompts.0.prompt.text",
        "llm.tools.0.tool.json_schema",
        "mcp.response.value",
        "mlflow.spanOutputs",
        "output.value",
        "pydantic_ai.all_messages",
        "request_data",
        "retrieval.documents.0.document.content",
        "traceloop.entity.output",
    )
    beside = (
        "genkit:name",
        "haystack.component.name",
        "langfuse.observation.usage_details",
        "lk.response.ttft",
        "llm.token_count.prompt",
        "mcp.method.name",
        "traceloop.entity.name",
    )

    columns, _ = columns_of(body(span(**dict.fromkeys(content, "secret"), **dict.fromkeys(beside, "kept"))))

    assert json.loads(columns["attributes"][0]) == dict.fromkeys(beside, "kept")


# --- compression --------------------------------------------------------------------------------------

LIMIT = 1000
TEXT = b"spans " * 100
ZIPPED = gzip.compress(TEXT, mtime=0)  # the time would be part of the tests' names
ZIPPED_IN_TWO = gzip.compress(TEXT[:60], mtime=0) + gzip.compress(TEXT[60:], mtime=0)


@pytest.mark.parametrize(
    ("compressed", "encoding"),
    [
        (ZIPPED, "gzip"),
        (ZIPPED, "GZIP"),
        (ZIPPED_IN_TWO, "gzip"),
        (zlib.compress(TEXT), "deflate"),
        (TEXT, ""),
        (TEXT, "identity"),
    ],
)
def test_bodies_are_decompressed(compressed, encoding):
    assert decompress(compressed, encoding, LIMIT) == TEXT


@pytest.mark.parametrize(
    ("bad", "encoding", "message"),
    [
        (TEXT, "gzip", "cannot be decompressed"),
        (ZIPPED[:-12], "gzip", "cut short"),
        (ZIPPED[:-8] + b"\0\0\0\0" + ZIPPED[-4:], "gzip", "cannot be decompressed"),
        (TEXT, "snappy", "'snappy' is not supported"),
        (ZIPPED, "gzip, gzip", "is not supported"),
    ],
)
def test_a_body_that_is_not_what_it_says_is_refused(bad, encoding, message):
    with pytest.raises(DecodeError, match=message):
        decompress(bad, encoding, LIMIT)


def test_a_bomb_is_refused_before_it_unfolds():
    with pytest.raises(TooLargeError, match="over 1,000 bytes"):
        decompress(gzip.compress(bytes(10**8)), "gzip", LIMIT)
    with pytest.raises(TooLargeError, match="over 1,000 bytes"):
        decompress(bytes(LIMIT + 1), "", LIMIT)


def test_a_body_of_exactly_the_limit_is_taken():
    assert decompress(gzip.compress(bytes(LIMIT)), "gzip", LIMIT) == bytes(LIMIT)


def test_a_body_of_a_great_many_compressed_members_is_refused():
    member = gzip.compress(b"")

    assert decompress(member * 1000, "gzip", 10) == b""
    with pytest.raises(DecodeError, match="over 1,000 compressed members"):
        decompress(member * 1001, "gzip", 10)
