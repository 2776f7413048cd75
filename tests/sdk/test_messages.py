"""A run in the headers of a message."""

import asyncio
import contextvars
import threading

import pytest
from opentelemetry import baggage, trace
from opentelemetry.context import Context, attach, detach, get_current
from support.process import run_python

import botanu
from botanu import extract, inject, run_botanu, semconv, set_business_context
from botanu.sdk.guard import guard
from botanu.sdk.identity import run_in


@pytest.fixture
def message(runs):
    """The headers of a message that a run has sent, and the run."""
    headers = {}
    with run_botanu("order", event_id="e-1", customer_id="zoë, 100 %", tenant_id="t-1") as run:
        inject(headers)
    return headers, run


def work():
    with run_botanu("work", event_id="e-1", customer_id="c-1"), trace.get_tracer("x").start_as_current_span("child"):
        pass


def test_a_run_opened_by_the_reader_is_nested_in_the_senders(runs, message):
    headers, sender = message

    with extract(headers):
        work()

    order, inner = runs.of("order"), runs.of("work")
    assert headers.keys() == {"traceparent", "baggage"}
    assert inner.attributes[semconv.PARENT_RUN_ID] == inner.attributes[semconv.ROOT_RUN_ID] == sender.run_id
    assert inner.attributes[semconv.TENANT_ID] == "t-1"
    assert (inner.root.context.trace_id, inner.root.parent.span_id) == (
        order.root.context.trace_id,
        order.root.context.span_id,
    )
    assert run_in() is None


def test_spans_of_the_reader_belong_to_the_senders_run(runs, message):
    headers, sender = message

    with extract(headers), trace.get_tracer("x").start_as_current_span("read"):
        pass

    (span,) = runs.of("order").spans[1:]
    assert dict(span.attributes) == dict(sender.identity)


def test_an_outcome_of_the_reader_is_the_senders_runs(runs, message):
    headers, _ = message

    with extract(headers):
        botanu.emit_outcome("success", value_type="orders", value_amount=3)

    (span,) = runs.of("order").spans[1:]
    assert span.attributes[semconv.OUTCOME_LATE] is True
    assert span.attributes[semconv.OUTCOME_VALUE_AMOUNT] == 3


@pytest.mark.parametrize(
    "shape",
    [
        dict,
        lambda headers: [*headers.items()],
        lambda headers: [(name, value.encode()) for name, value in headers.items()],  # Kafka
        lambda headers: [(name.encode(), value.encode()) for name, value in headers.items()],  # ASGI
        lambda headers: {name.encode(): value.encode() for name, value in headers.items()},
        lambda headers: {name.upper(): value for name, value in headers.items()} | {"other": 7, "x": None},
        lambda headers: iter(headers.items()),
    ],
)
def test_headers_come_in_many_shapes(message, shape):
    headers, sender = message

    with extract(shape(headers)) as context:
        assert run_in().identity == sender.identity
        assert trace.get_current_span(context).get_span_context().is_remote


@pytest.mark.parametrize(
    "carrier",
    [
        None,
        {},
        [],
        {"traceparent": "", "baggage": ""},
        {"traceparent": "00-zz", "baggage": "=,=,botanu.run_id"},
        {"traceparent": 5, "baggage": ["botanu.run_id=r"], "tracestate": object()},
        {"baggage": "x" * 1_000_000, "traceparent": "0" * 1_000_000},
        {"baggage": b"\xff\xfe", "traceparent": b"\x00"},
    ],
)
def test_without_headers_that_can_be_read_all_stays_as_it_is(runs, carrier):
    with extract(carrier) as context:
        assert context == get_current() == {}
    with run_botanu("w", event_id="e", customer_id="c") as run, extract(carrier):
        assert run_in() is run


@pytest.mark.parametrize("carrier", [5, ["traceparent"], [(1, 2, 3)], object()])
def test_what_is_no_headers_does_not_raise(runs, lenient, carrier):
    with extract(carrier) as context:
        assert context == {}
    inject(carrier)


def test_a_sender_that_is_not_trusted_is_followed_but_not_believed(runs, message):
    headers, _ = message

    with extract(headers, trusted=False):
        work()

    inner = runs.of("work")
    assert inner.root.context.trace_id == runs.of("order").root.context.trace_id
    assert semconv.PARENT_RUN_ID not in inner.attributes


def test_the_programs_own_baggage_goes_along(runs):
    headers = {"baggage": "botanu.run_id=old"}
    token = attach(baggage.set_baggage("mine", "1"))
    inject(headers)
    detach(token)

    with extract(headers):
        assert baggage.get_all() == {"mine": "1"}


def test_outside_any_run_only_the_span_is_told(runs):
    headers, nothing = {}, {}
    inject(nothing)
    with trace.get_tracer("x").start_as_current_span("send"):
        inject(headers)

    assert (nothing, headers.keys()) == ({}, {"traceparent"})


def test_what_was_extracted_can_be_entered_again_and_at_once(runs, message):
    headers, sender = message
    extracted = extract(headers)

    with extracted, extracted:
        with extracted:
            pass
        assert run_in().run_id == sender.run_id
    assert run_in() is None

    barrier = threading.Barrier(4)

    def one():
        with extracted:
            barrier.wait()
            work()
            barrier.wait()
        inside.append(run_in())

    inside = []
    threads = [threading.Thread(target=one) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert inside == [None] * 4
    parents = [run.attributes.get(semconv.PARENT_RUN_ID) for run in runs.all()]
    assert parents.count(sender.run_id) == 4


def test_async_with_works_too(runs, message):
    extracted = extract(message[0])

    async def one():
        async with extracted as context:
            await asyncio.sleep(0)
            assert run_in() is run_in(context)
        assert run_in() is None

    async def all_at_once():
        await asyncio.gather(one(), one(), one())

    asyncio.run(all_at_once())


def test_left_in_another_context_it_changes_nothing(message):
    extracted = extract(message[0])
    other = contextvars.copy_context()
    other.run(extracted.__enter__)

    extracted.__exit__(None, None, None)

    assert run_in() is None
    assert other.run(run_in) is not None


def test_a_span_of_the_same_trace_that_is_current_stays(runs, message):
    """As that of an instrumentation of the queue, which reads the same headers."""
    headers, sender = message

    with (
        extract(headers, trusted=False),
        trace.get_tracer("celery").start_as_current_span("consume") as consume,
        extract(headers),
    ):
        assert trace.get_current_span() is consume
        assert run_in().run_id == sender.run_id


def test_the_propagators_of_the_program_do_not_matter():
    told = run_python(
        """
        import json, botanu
        from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
        botanu.enable(exporter=InMemorySpanExporter())
        headers = {}
        with botanu.run_botanu("w", event_id="e", customer_id="c"):
            botanu.inject(headers)
        with botanu.extract(headers):
            with botanu.run_botanu("inner", event_id="e", customer_id="c") as inner:
                print(json.dumps([sorted(headers), "botanu.parent_run_id" in inner.identity]))
        """,
        OTEL_PROPAGATORS="none",
    )
    assert told == [["baggage", "traceparent"], True]


def test_the_context_can_be_used_by_hand(runs, message):
    headers, sender = message
    context = extract(headers).context

    with trace.get_tracer("x").start_as_current_span("read", context=context):
        pass

    assert isinstance(context, Context)
    assert [span.attributes[semconv.RUN_ID] for span in runs.of("order").spans[1:]] == [sender.run_id]


def test_a_fault_of_ours_stays_here(runs, lenient, caplog):
    class Odd(dict):
        def items(self):
            raise RuntimeError

    guard._said.clear()
    with extract(Odd()) as context:
        assert context == {}
    assert "internal fault" in caplog.text


@pytest.mark.parametrize("carrier", [None, "traceparent", 3, ()])
def test_what_takes_no_headers_is_not_written_to_and_that_is_logged_once(runs, lenient, caplog, carrier):
    with run_botanu("w", event_id="e", customer_id="c"):
        for _ in range(2):
            inject(carrier)

    assert [record.getMessage() for record in caplog.records] == [
        f"inject() writes into a mapping, such as a dict, not {type(carrier).__name__}: not written"
    ]


@pytest.mark.parametrize("carrier", ["traceparent: 00-1", b"x", 3])
def test_what_holds_no_headers_is_not_read_and_that_is_logged_once(runs, lenient, caplog, carrier):
    for _ in range(2):
        with extract(carrier) as context:
            assert run_in(context) is None

    assert [record.getMessage() for record in caplog.records] == [
        f"headers are a mapping or pairs, not {type(carrier).__name__}: no run is read from them"
    ]


def test_business_context_said_by_the_reader_is_on_its_spans(runs, message):
    headers, _ = message

    with extract(headers):
        set_business_context(team="returns")
        work()

    inner = runs.of("work")
    assert {span.attributes[semconv.TEAM] for span in inner.spans} == {"returns"}
    assert semconv.TEAM not in runs.of("order").attributes
