import json
import math
from enum import IntEnum, StrEnum
from types import SimpleNamespace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from opentelemetry.sdk.trace import SpanLimits, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import Link, SpanKind, Status, StatusCode

from botanu.sdk.content import DEPTH_MAX, SIZE_MAX, scrub_value, with_scrubbed_content, without_content


class Colour(StrEnum):
    RED = "red"


class Size(IntEnum):
    LARGE = 3


class Hostile:
    @property
    def __class__(self):
        raise RuntimeError


class HostileMapping(dict):
    def items(self):
        raise RuntimeError


@pytest.mark.parametrize(
    ("value", "kept"),
    [
        (None, None),
        (True, True),
        (3, 3),
        (2.5, 2.5),
        ("hello", "hello"),
        (Colour.RED, "red"),
        (Size.LARGE, 3),
        ("half \ud83d", "half ?"),
        ("to alice@example.com", "to [redacted e-mail address]"),
        ([], "[]"),
        ([1, "é", None, True], '[1, "é", null, true]'),
        ((1, (2,)), "[1, [2]]"),
        ({"a": {"b": [1]}}, '{"a": {"b": [1]}}'),
        ({1: "x", None: "y", "bob@example.com": 1}, '{"1": "x", "None": "y", "[redacted e-mail address]": 1}'),
        ({"password": "x", "token": 17}, '{"password": "[redacted secret]", "token": 17}'),
        (["to alice@example.com"], '["to [redacted e-mail address]"]'),
        (b"bytes", "[dropped: bytes]"),
        (2**63, "[dropped: int]"),
        (math.nan, "[dropped: float]"),
        ({1, 2}, "[dropped: set]"),
        (object(), "[dropped: object]"),
        (HostileMapping(a=1), "[dropped: HostileMapping]"),
    ],
)
def test_a_captured_value_leaves_clean_or_not_at_all(value, kept):
    cleaned = scrub_value(value)
    assert cleaned == kept
    assert type(cleaned) is type(kept)


def test_an_object_that_fails_when_it_is_looked_at_is_dropped_alone():
    assert scrub_value(Hostile()) == "[dropped: Hostile]"
    assert scrub_value([1, Hostile()]) == '[1, "[dropped: Hostile]"]'


def test_what_is_too_deep_is_dropped():
    deep = "bottom"
    for _ in range(DEPTH_MAX):
        deep = [deep]
    assert scrub_value(deep) == "[" * DEPTH_MAX + '"bottom"' + "]" * DEPTH_MAX
    assert scrub_value([deep]) == "[" * DEPTH_MAX + '"[dropped: list]"' + "]" * DEPTH_MAX


def test_what_refers_to_itself_is_dropped_at_last():
    endless = {}
    endless["again"] = endless
    assert scrub_value(endless).count("again") == DEPTH_MAX


def test_what_is_too_long_is_dropped_from_there():
    assert scrub_value("x" * SIZE_MAX) == "x" * (SIZE_MAX - 1) + "[dropped: the rest]"
    kept = json.loads(scrub_value([1] * 10**6))
    assert kept == [1] * (SIZE_MAX - 1) + ["[dropped: the rest]"]
    kept = json.loads(scrub_value({str(number): "x" * 1000 for number in range(1000)}))
    assert list(kept)[-1] == "[dropped: the rest]"
    assert len(json.dumps(kept)) < 2 * SIZE_MAX


@given(
    st.recursive(
        st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.text(), st.binary(), st.decimals()),
        lambda inner: st.one_of(st.lists(inner), st.dictionaries(st.text() | st.integers(), inner)),
    )
)
def test_any_value_gives_one_that_can_be_sent(value):
    cleaned = scrub_value(value)
    assert cleaned is None or isinstance(cleaned, str | bool | int | float)
    if isinstance(value, list | dict):
        json.loads(cleaned)


@pytest.fixture
def ended():
    """Make spans; give those that have ended as exporters get them."""
    exporter = InMemorySpanExporter()
    provider = TracerProvider(span_limits=SpanLimits(max_span_attributes=4, max_events=2, max_links=1))
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    tracer = provider.get_tracer("theirs", "1.0")

    def end(name="chat gpt-4o", attributes=None, events=(), status=None, links=(), kind=SpanKind.CLIENT):
        with tracer.start_as_current_span("around"):
            span = tracer.start_span(name, attributes=attributes, links=links, kind=kind)
        for event, carried in events:
            span.add_event(event, carried, timestamp=17)
        if status is not None:
            span.set_status(status)
        span.end()
        return exporter.get_finished_spans()[-1]

    yield end
    provider.shutdown()


@pytest.mark.parametrize("clean", [without_content, with_scrubbed_content])
def test_a_span_without_content_is_passed_on_itself(ended, clean):
    plain = ended(attributes={"gen_ai.request.model": "gpt-4o", "gen_ai.usage.input_tokens": 3})
    noted = ended(events=[("botanu.outcome_emitted", {"status": "failed"}), ("gen_ai.choice", {"index": 0})])
    failed = ended(status=Status(StatusCode.ERROR, "openai.RateLimitError"))
    bare = ended()

    spans = [plain, noted, failed, bare]
    assert [id(span) for span in clean(spans)] == [id(span) for span in spans]


def test_what_people_and_models_said_stays_in_the_program(ended):
    span = ended(
        attributes={
            "gen_ai.request.model": "gpt-4o",
            "gen_ai.prompt.0.content": "private",
            "gen_ai.input.messages": '["private"]',
            "input.value": "private",
        },
        events=[
            ("gen_ai.content.prompt", {"gen_ai.prompt": "private"}),
            ("gen_ai.user.message", {"content": "private", "role": "user", "gen_ai.event.content": "private"}),
        ],
    )

    (cleaned,) = without_content([span])

    assert dict(cleaned.attributes) == {"gen_ai.request.model": "gpt-4o"}
    assert [(event.name, dict(event.attributes), event.timestamp) for event in cleaned.events] == [
        ("gen_ai.content.prompt", {}, 17),
        ("gen_ai.user.message", {"role": "user"}, 17),
    ]
    assert "private" not in cleaned.to_json()
    assert "private" in span.to_json()


def test_all_else_of_a_copied_span_is_as_it_was(ended):
    there = ended().context
    span = ended(
        attributes={"input.value": "private", "a": 1, "b": 2, "c": 3, "d": 4} | {"output.value": "private"},
        events=[("lost", {}), ("kept", {"n": 1}), ("last", {"error.message": "private", "n": 2})],
        links=[Link(there, {"n": 1}), Link(there, {"n": 2})],
    )

    (cleaned,) = without_content([span])

    assert cleaned is not span
    for name in (
        *("name", "context", "parent", "kind", "resource", "links", "start_time", "end_time", "status"),
        *("instrumentation_scope", "dropped_attributes", "dropped_events", "dropped_links"),
    ):
        assert getattr(cleaned, name) == getattr(span, name), name
    assert cleaned.get_span_context() == span.get_span_context()
    assert (cleaned.dropped_attributes, cleaned.dropped_events, cleaned.dropped_links) == (2, 1, 1)
    assert dict(cleaned.attributes) == {"b": 2, "c": 3, "d": 4}
    assert cleaned.events[0] is span.events[0]
    assert dict(cleaned.events[1].attributes) == {"n": 2}


def test_of_an_exception_only_the_class_leaves():
    exporter = InMemorySpanExporter()
    provider = TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    with pytest.raises(ValueError, match="private"), provider.get_tracer("theirs").start_as_current_span("work"):
        raise ValueError("private")

    (cleaned,) = without_content(exporter.get_finished_spans())

    (event,) = cleaned.events
    assert dict(event.attributes) == {"exception.type": "ValueError", "exception.escaped": "False"}
    assert (cleaned.status.status_code, cleaned.status.description) == (StatusCode.ERROR, "ValueError")
    provider.shutdown()


@pytest.mark.parametrize(
    ("description", "left", "kept"),
    [
        ("openai.RateLimitError: no more for alice@example.com", "openai.RateLimitError", None),
        ("no more for alice@example.com", None, "no more for [redacted e-mail address]"),
        ("AKIAIOSFODNN7EXAMPLE", "[redacted API key]", "[redacted API key]"),
    ],
)
def test_the_description_of_a_failure_is_an_exceptions_text(ended, description, left, kept):
    span = ended(status=Status(StatusCode.ERROR, description))
    kept = kept or "openai.RateLimitError: no more for [redacted e-mail address]"

    assert without_content([span])[0].status.description == left
    assert with_scrubbed_content([span])[0].status.description == kept


@pytest.mark.parametrize("clean", [without_content, with_scrubbed_content])
def test_the_name_of_a_span_is_scrubbed(ended, clean):
    (cleaned,) = clean([ended("mail alice@example.com")])
    assert cleaned.name == "mail [redacted e-mail address]"


def test_content_that_is_asked_for_is_scrubbed(ended):
    span = ended(
        attributes={
            "gen_ai.request.model": "alice@example.com",
            "gen_ai.prompt": "mail alice@example.com",
            "input.value": ["alice@example.com", "hello"],
            "output.value": [1, 2],
        },
        events=[("gen_ai.user.message", {"content": "mail alice@example.com"})],
    )

    (cleaned,) = with_scrubbed_content([span])

    assert dict(cleaned.attributes) == {
        "gen_ai.request.model": "alice@example.com",
        "gen_ai.prompt": "mail [redacted e-mail address]",
        "input.value": ("[redacted e-mail address]", "hello"),
        "output.value": "[1, 2]",
    }
    assert dict(cleaned.events[0].attributes) == {"content": "mail [redacted e-mail address]"}


def test_a_span_that_is_not_built_as_opentelemetrys_is_read_by_its_properties(ended):
    span = ended(attributes={"input.value": "private", "a": 1}, events=[("e", {"error.message": "private"})])
    names = (
        *("name", "context", "parent", "kind", "resource", "links", "start_time", "end_time", "status", "attributes"),
        *("events", "instrumentation_scope", "dropped_attributes", "dropped_events", "dropped_links"),
    )
    other = SimpleNamespace(**{name: getattr(span, name) for name in names})

    (cleaned,) = without_content([other])

    assert dict(cleaned.attributes) == {"a": 1}
    assert dict(cleaned.events[0].attributes) == {}
    assert without_content([cleaned]) == [cleaned]
