"""Finished spans as OTLP's bytes: the same as OpenTelemetry's encoder writes, attribute by attribute."""

import enum
import logging
from operator import attrgetter

import pytest
from hypothesis import given
from hypothesis import strategies as st
from opentelemetry.attributes import BoundedAttributes
from opentelemetry.exporter.otlp.proto.common import _internal as stock_internals
from opentelemetry.exporter.otlp.proto.common.trace_encoder import encode_spans as stock
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import Event, ReadableSpan, SpanLimits, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.sdk.util.instrumentation import InstrumentationScope
from opentelemetry.trace import Link, SpanContext, SpanKind, Status, StatusCode, set_span_in_context
from opentelemetry.trace.span import TraceState

from botanu.sdk import encoding
from botanu.sdk.encoding import encode_spans
from botanu.sdk.guard import guard


@pytest.fixture(autouse=True)
def apart(monkeypatch):
    """What is logged once is logged once a test; what the other encoder logs of bad attributes is not looked at."""
    monkeypatch.setattr(guard, "_said", set())
    monkeypatch.setattr(logging.getLogger(stock_internals.__name__), "disabled", True)


def alike(spans):
    """Whether both encoders write the same; in bytes, as a NaN is not equal to itself."""
    ours = ExportTraceServiceRequest.FromString(encode_spans(spans))
    return ours.SerializeToString(deterministic=True) == stock(spans).SerializeToString(deterministic=True)


def span(name="work", **fields):
    return ReadableSpan(name, **{"context": SpanContext(1, 2, is_remote=False), **fields})


def decoded(*spans):
    return ExportTraceServiceRequest.FromString(encode_spans(spans))


def only(request):
    ((one,),) = [[one for scope in resource.scope_spans for one in scope.spans] for resource in request.resource_spans]
    return one


def attributes_of(request):
    return {pair.key: pair.value for pair in only(request).attributes}


texts = st.text(max_size=20) | st.sampled_from(["", "é", "日本語", "x" * 127, "x" * 128, "é" * 64, "y" * 20_000])
numbers = st.integers() | st.sampled_from([2**63 - 1, -(2**63), 2**63, -(2**63) - 1, 0, -1, 127, 128, 16_383, 16_384])
scalars = st.none() | st.booleans() | texts | numbers | st.floats() | st.binary(max_size=10)
broken = st.sampled_from(["\ud800", "half \udfff", object(), {1, 2}])
values = st.recursive(
    scalars | broken,
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.lists(inner, max_size=4).map(tuple)
        | st.dictionaries(texts | st.integers(), inner, max_size=4)
    ),
    max_leaves=8,
)
keys = st.sampled_from(["botanu.run_id", "a", "é", ""]) | texts
attributes = st.dictionaries(keys, values, max_size=8)
given_attributes = (
    st.none()
    | attributes
    | st.builds(
        lambda limit, given: BoundedAttributes(limit, {key: value for key, value in given.items() if key}),
        st.none() | st.integers(0, 4),
        st.dictionaries(keys, scalars, max_size=8),
    )
)
states = st.lists(st.sampled_from(["a", "b", "vendor@system"]), max_size=3, unique=True).map(
    lambda names: TraceState([(name, name.upper()) for name in names])
)
contexts = st.builds(
    SpanContext,
    st.integers(0, 2**128 - 1),
    st.integers(0, 2**64 - 1),
    is_remote=st.booleans(),
    trace_state=states,
)
instants = st.integers(0, 2**64 - 1)
events = st.builds(Event, texts, given_attributes, instants)
links = st.builds(Link, contexts, given_attributes)
statuses = (
    st.none()
    | st.sampled_from([Status(code) for code in StatusCode])
    | st.builds(Status, st.just(StatusCode.ERROR), texts)
)
plain_attributes = st.dictionaries(st.sampled_from(["service.name", "host"]), texts | st.integers(0, 5), max_size=2)
resources = st.builds(Resource, plain_attributes, st.sampled_from(["", "https://schema/1"]))
scopes = st.none() | st.builds(
    InstrumentationScope,
    st.sampled_from(["botanu", ""]),
    st.none() | st.just("1.0"),
    st.none() | st.just("https://schema/2"),
    plain_attributes,
)
spans = st.builds(
    ReadableSpan,
    texts,
    contexts,
    st.none() | contexts,
    resources,
    given_attributes,
    st.lists(events, max_size=2),
    st.lists(links, max_size=2),
    st.sampled_from(SpanKind),
    status=statuses,
    start_time=st.none() | instants,
    end_time=st.none() | instants,
    instrumentation_scope=scopes,
)


@given(st.lists(spans, max_size=5))
def test_any_spans_decode_to_what_opentelemetrys_encoder_writes(made):
    assert alike(made)


@given(attributes)
def test_attributes_written_a_second_time_are_the_same_again(given):
    """The first time heads are made, the second time they are known."""
    assert alike([span(attributes=given), span(attributes=given)])


def traced(work, **options):
    """The spans that *work* makes with a tracer, as they are handed to an exporter."""
    exporter = InMemorySpanExporter()
    provider = TracerProvider(shutdown_on_exit=False, **options)
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    work(provider.get_tracer("tests", "1.2", "https://schema/3", {"scope": True}))
    return exporter.get_finished_spans()


def test_spans_of_a_tracer_decode_to_what_opentelemetrys_encoder_writes():
    def work(tracer):
        with tracer.start_as_current_span(
            "root", kind=SpanKind.SERVER, attributes={"a": 1, "texts": ["x", "y"]}
        ) as root:
            root.add_event("noted", {"status": "success", "value_amount": 3, "confidence": 0.5})
            other = SpanContext(7, 8, is_remote=True, trace_state=TraceState([("k", "v")]))
            with tracer.start_as_current_span("call", kind=SpanKind.CLIENT, links=[Link(other, {"why": "retry"})]):
                pass
            with pytest.raises(ZeroDivisionError), tracer.start_as_current_span("fails"):
                1 / 0  # noqa: B018
        remote = set_span_in_context(root)
        tracer.start_span("later", context=remote).end()

    assert alike(traced(work, resource=Resource.create({"service.name": "shop"})))


def test_what_the_limits_of_a_tracer_dropped_is_counted():
    def work(tracer):
        with tracer.start_as_current_span("root", attributes={str(number): number for number in range(9)}) as root:
            for number in range(3):
                root.add_event(f"event {number}", {"a": 1, "b": 2, "c": 3})
                root.add_link(SpanContext(7, 8, is_remote=False), {"a": 1, "b": 2, "c": 3})

    made = traced(
        work,
        span_limits=SpanLimits(
            max_span_attributes=4, max_events=2, max_links=1, max_event_attributes=2, max_link_attributes=1
        ),
    )

    one = only(decoded(*made))
    assert (one.dropped_attributes_count, one.dropped_events_count, one.dropped_links_count) == (5, 1, 2)
    assert [event.dropped_attributes_count for event in one.events] == [1, 1]
    assert [link.dropped_attributes_count for link in one.links] == [2]
    assert alike(made)


def test_equal_resources_and_scopes_are_one_group_and_spans_keep_their_order():
    made = [
        span(str(number), resource=Resource({"host": number % 2}), instrumentation_scope=InstrumentationScope("s"))
        for number in range(6)
    ]

    request = decoded(*made)

    assert [[one.name for one in group.scope_spans[0].spans] for group in request.resource_spans] == [
        ["0", "2", "4"],
        ["1", "3", "5"],
    ]
    assert alike(made)


def test_values_that_python_finds_equal_stay_apart():
    given = [1, True, 1.0, "1", b"1", 0, False, 0.0, -0.0, ""]

    assert alike([span(attributes={"a": value}) for value in given + given])


class Level(enum.IntEnum):
    HIGH = 3


class Colour(enum.StrEnum):
    RED = "red"


def test_kinds_of_text_and_numbers_are_written_as_what_they_are():
    made = span(attributes={"level": Level.HIGH, "colour": Colour.RED, "range": range(2), "array": bytearray(b"ab")})

    assert alike([made, made])
    assert attributes_of(decoded(made))["colour"].string_value == "red"


@pytest.mark.parametrize("where", ["attributes", "events"])
@pytest.mark.parametrize(("wrap", "levels"), [(lambda inner: [inner], 47), (lambda inner: {"k": inner}, 31)])
def test_values_nested_too_deeply_to_be_decoded_are_left_out(where, wrap, levels):
    def nested(depth):
        value = 1
        for _ in range(depth):
            value = wrap(value)
        given = {"deep": value, "b": 1}
        return span(attributes=given) if where == "attributes" else span(events=[Event("e", given, 1)])

    deepest, too_deep = decoded(nested(levels)), decoded(nested(levels + 1))

    assert deepest == stock([nested(levels)])
    left = only(too_deep) if where == "attributes" else only(too_deep).events[0]
    assert [pair.key for pair in left.attributes] == ["b"]


class Hostile(str):
    """A mapping's key whose own code fails."""

    __slots__ = ()

    def __str__(self):
        raise RuntimeError("no text")


@pytest.mark.parametrize("value", [2**63, "\ud800", ["ok", "\ud800"], object(), {Hostile("k"): 1}])
def test_an_attribute_that_cannot_be_written_is_left_out_alone_and_that_is_said_once(value, caplog):
    made = span(attributes={"before": 1, "bad": value, "after": "x"})

    found = [attributes_of(decoded(made)) for _ in range(3)]

    assert [list(one) for one in found] == [["before", "after"]] * 3
    (said,) = [record.getMessage() for record in caplog.records if record.name == "botanu"]
    assert said.startswith("attribute 'bad' is left out: ")
    assert alike([span(attributes={"before": 1, "after": "x"})])


def test_a_key_that_is_no_text_is_left_out():
    assert list(attributes_of(decoded(span(attributes={5: 1, "\ud800": 1, "ok": 1})))) == ["ok"]


def test_names_that_utf8_cannot_carry_are_sent_with_a_replacement():
    """OpenTelemetry's encoder gives up, and the whole batch is lost."""
    made = span(
        "na\ud800me",
        status=Status(StatusCode.ERROR, "\ud800"),
        events=[Event("\udfff", timestamp=1)],
        instrumentation_scope=InstrumentationScope("\ud800"),
    )

    request = decoded(made)

    one = only(request)
    assert (one.name, one.status.message, one.events[0].name) == ("na?me", "?", "?")
    assert request.resource_spans[0].scope_spans[0].scope.name == "?"


class Redacted(ReadableSpan):
    """A span as a program may wrap it: what it shows is not what it has inside."""

    @property
    def attributes(self):
        return {"secret": "***"}


def test_a_span_of_a_programs_own_kind_is_asked_for_what_it_shows():
    made = Redacted("work", SpanContext(1, 2, is_remote=False), attributes={"secret": "sk-123"})

    assert attributes_of(decoded(made))["secret"].string_value == "***"
    assert alike([made])


def test_spans_are_written_also_when_opentelemetry_renames_what_is_private(monkeypatch):
    def work(tracer):
        with tracer.start_as_current_span("root", attributes={"a": 1}) as root:
            root.add_event("noted", {"b": 2})

    made = traced(work)
    monkeypatch.setattr(encoding, "_inside", attrgetter("_renamed"))

    assert alike(made)


def test_a_span_that_is_no_span_raises():
    with pytest.raises(AttributeError):
        encode_spans([ReadableSpan("no context")])


def test_what_is_kept_of_attributes_stays_bounded(monkeypatch):
    monkeypatch.setattr(encoding, "HEADS_MAX", 50)
    writer = encoding._Attributes(b"\x4a")

    for number in range(500):
        first = writer.written({f"key {number}": "x", "number": number, "k" * 300: 1})
        assert writer.written({f"key {number}": "x", "number": number, "k" * 300: 1}) == first
        kept = [
            head
            for heads in (writer._texts, writer._others)
            for by_length in heads.values()
            for head in by_length.items()
        ]
        assert len(kept) <= 50
        assert all(len(head) < encoding.HEAD_BYTES_MAX for _, head in kept)


def test_no_spans_are_an_empty_request():
    assert decoded() == ExportTraceServiceRequest()
