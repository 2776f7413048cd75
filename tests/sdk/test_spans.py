"""What is on a span that has ended, however it was made."""

from opentelemetry.sdk.trace import Event, ReadableSpan, TracerProvider

from botanu.sdk.spans import attributes_of, events_of


def test_what_a_tracer_made_and_what_another_made_tell_the_same():
    made = TracerProvider(shutdown_on_exit=False).get_tracer("x").start_span("x", attributes={"a": 1})
    made.add_event("e", {"b": 2})
    made.end()
    copied = ReadableSpan("x", attributes={"a": 1}, events=[Event("e", {"b": 2})])

    for span in (made, copied):
        assert attributes_of(span) == {"a": 1}
        assert [(event.name, dict(event.attributes)) for event in events_of(span)] == [("e", {"b": 2})]


def test_a_span_with_nothing_on_it_tells_nothing():
    empty = ReadableSpan("x")

    assert (attributes_of(empty), [*events_of(empty)]) == ({}, [])
