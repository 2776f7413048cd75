"""The queue: nothing is lost without being counted, and what matters most goes last."""

import asyncio
import logging
import threading
import time

import pytest
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor, SpanExporter, SpanExportResult
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from support.process import eventually

from botanu import semconv
from botanu.sdk import delivery as delivery_module
from botanu.sdk.content import without_content
from botanu.sdk.delivery import Counts, Delivery
from botanu.sdk.guard import guard
from botanu.sdk.processor import RunProcessor
from botanu.sdk.sender import Plain
from botanu.sdk.sent import Fate, Sent

PLAIN = {}
ROOT = {semconv.RUN_ROOT: True, semconv.OUTCOME_STATUS: "success"}
ARRIVED = Sent(Fate.ARRIVED)
CALL = {semconv.GEN_AI_INPUT_TOKENS: 3}


class Server:
    """A sender that answers as it is told, in turn, and then takes everything."""

    def __init__(self, *answers):
        self.answers = list(answers)
        self.got = []
        self.attempts = 0
        self.ended = False
        self.may_answer = threading.Event()
        self.may_answer.set()

    def send(self, spans):
        self.attempts += 1
        self.may_answer.wait(30)
        answer = self.answers.pop(0) if self.answers else ARRIVED
        if isinstance(answer, BaseException):
            raise answer
        if answer.fate is not Fate.AWAY:
            self.got += [span.name for span in spans]
        return answer

    def shutdown(self):
        self.ended = True


@pytest.fixture
def deliver():
    """Make deliveries, and end them."""
    made = []

    def make(sender, clean=list, *, spans_max=100, interval_seconds=30.0, exit_timeout_seconds=0.2):
        delivery = Delivery(
            lambda: sender,
            clean,
            spans_max=spans_max,
            interval_seconds=interval_seconds,
            exit_timeout_seconds=exit_timeout_seconds,
        )
        made.append(delivery)
        return delivery

    yield make
    for delivery in made:
        delivery.close()


def ended(*attributes):
    """Return a span that has ended for each of *attributes*."""
    memory = InMemorySpanExporter()
    provider = TracerProvider(shutdown_on_exit=False)
    provider.add_span_processor(SimpleSpanProcessor(memory))
    for each in attributes:
        provider.get_tracer("x").start_span("s", attributes=each).end()
    return memory.get_finished_spans()


def end_spans(delivery, *attributes):
    """End a span for each of *attributes*; they are named by number."""
    processor = RunProcessor()
    processor.delivery = delivery
    provider = TracerProvider(shutdown_on_exit=False)
    provider.add_span_processor(processor)
    for number, each in enumerate(attributes):
        provider.get_tracer("x").start_span(str(number), attributes=each).end()


def test_spans_go_when_the_interval_is_over(deliver):
    server = Server()
    end_spans(deliver(server, interval_seconds=0.01), PLAIN, PLAIN)

    eventually(lambda: server.got == ["0", "1"])


def test_a_full_batch_goes_at_once(deliver):
    server = Server()
    end_spans(deliver(server, spans_max=2000), *[PLAIN] * 512)

    eventually(lambda: len(server.got) == 512)


def test_flush_sends_everything_and_counts_it(deliver):
    server = Server()
    delivery = deliver(server, spans_max=2000)
    end_spans(delivery, *[PLAIN, ROOT] * 400)

    assert delivery.flush(30)
    assert len(server.got) == 800
    assert delivery.counts() == (Counts(delivered=800), Counts(delivered=400))


def test_flush_of_nothing_is_done(deliver):
    assert deliver(Server()).flush(30)


def test_while_the_server_is_away_spans_wait_and_go_when_it_is_back(deliver):
    server = Server(Sent(Fate.AWAY, reason="refused"), Sent(Fate.AWAY))
    delivery = deliver(server, interval_seconds=0.01)
    end_spans(delivery, PLAIN, ROOT, PLAIN)

    eventually(lambda: server.got == ["1", "0", "2"])
    assert server.attempts == 3
    assert delivery.counts() == (Counts(delivered=3), Counts(delivered=1))
    assert delivery.last_fault == "refused"


def test_a_server_that_fails_now_and_then_is_not_waited_for_longer_and_longer(deliver, monkeypatch):
    """Though something waits all the time: twelve failures in a row would be a wait of half a minute."""
    monkeypatch.setattr(delivery_module, "BATCH_SPANS", 1)
    server = Server(*[Sent(Fate.AWAY), ARRIVED] * 12)
    delivery = deliver(server, interval_seconds=0.01)
    end_spans(delivery, *[PLAIN] * 13)

    eventually(lambda: len(server.got) == 13, 25)


def test_that_the_server_is_away_is_told_once(deliver, caplog):
    guard._said.clear()
    delivery = deliver(Server(*[Sent(Fate.AWAY, reason="nobody listens")] * 3), interval_seconds=0.01)
    end_spans(delivery, PLAIN)
    assert delivery.flush(30)

    told = "the server is away, spans wait and are sent again: nobody listens; see botanu.status()"
    assert caplog.messages == [told]


def test_a_server_that_asks_for_time_gets_it(deliver):
    server = Server(Sent(Fate.AWAY, retry_after_seconds=0.6))
    began = time.monotonic()
    end_spans(deliver(server, interval_seconds=0.01), PLAIN)

    eventually(lambda: server.got)
    assert time.monotonic() - began >= 0.6


def test_a_server_that_asks_for_years_does_not_get_them(deliver, monkeypatch):
    monkeypatch.setattr(delivery_module, "RETRY_AFTER_SECONDS_MAX", 0.1)
    server = Server(Sent(Fate.AWAY, retry_after_seconds=1e11))
    end_spans(deliver(server, interval_seconds=0.01), PLAIN)

    eventually(lambda: server.got)


def test_what_is_no_ordinary_exception_loses_its_batch_and_nothing_else_either(deliver):
    delivery = deliver(Server(asyncio.CancelledError()))
    end_spans(delivery, ROOT)
    assert not delivery.flush(30)
    end_spans(delivery, ROOT)

    assert delivery.flush(30)
    assert delivery.counts()[1] == Counts(delivered=1, dropped=1)


def test_what_was_vital_before_the_server_was_away_is_so_after_it(deliver):
    server = Server(*[Sent(Fate.AWAY)] * 3)
    delivery = deliver(server, spans_max=4)
    end_spans(delivery, ROOT, PLAIN, PLAIN)
    assert not delivery.flush(0.01)
    end_spans(delivery, CALL, CALL, CALL)
    delivery.flush(30)

    assert sorted(server.got) == ["0", "0", "1", "2"]


def test_a_handler_of_the_programs_log_may_end_spans_while_one_is_dropped(deliver, caplog):
    delivery = deliver(Server(*[Sent(Fate.AWAY)] * 1000), spans_max=1)
    guard._said.clear()

    class Instrumented(logging.Handler):
        def emit(self, record):
            thread = threading.Thread(target=end_spans, args=(delivery, PLAIN))
            thread.start()
            thread.join(30)
            assert not thread.is_alive()

    handler = Instrumented()
    logging.getLogger("botanu").addHandler(handler)
    try:
        end_spans(delivery, PLAIN, PLAIN, PLAIN)
    finally:
        logging.getLogger("botanu").removeHandler(handler)

    assert delivery.counts()[0].made >= 4


def test_flush_gives_up_in_time_and_what_waits_stays(deliver):
    server = Server(*[Sent(Fate.AWAY)] * 100)
    delivery = deliver(server)
    end_spans(delivery, PLAIN, ROOT)

    assert not delivery.flush(0.2)
    assert delivery.counts() == (Counts(waiting=2), Counts(waiting=1))


def test_flush_hurries_a_long_wait(deliver):
    server = Server(Sent(Fate.AWAY, retry_after_seconds=3600))
    delivery = deliver(server, interval_seconds=0.01)
    end_spans(delivery, PLAIN)
    eventually(lambda: server.attempts == 1)

    assert delivery.flush(30)
    assert server.got == ["0"]


def test_what_the_server_refuses_is_dropped_and_counted(deliver):
    delivery = deliver(Server(Sent(Fate.ARRIVED, 1, "too old")))
    end_spans(delivery, ROOT, PLAIN)

    assert not delivery.flush(30)
    assert delivery.counts() == (Counts(delivered=1, dropped=1), Counts(delivered=1))
    assert delivery.last_fault == "too old"
    assert delivery.flush(30)


def test_an_exporter_that_raises_loses_its_batch_and_nothing_else(deliver):
    server = Server(MemoryError())
    delivery = deliver(server)
    end_spans(delivery, PLAIN)
    assert not delivery.flush(30)
    end_spans(delivery, PLAIN)

    assert delivery.flush(30)
    assert delivery.counts()[0] == Counts(delivered=1, dropped=1)


def test_what_is_sent_has_been_cleaned(deliver):
    memory = InMemorySpanExporter()
    delivery = deliver(Plain(memory), without_content)
    end_spans(delivery, {"gen_ai.prompt": "asked", "gen_ai.request.model": "m"})

    assert delivery.flush(30)
    (span,) = memory.get_finished_spans()
    assert span.attributes == {"gen_ai.request.model": "m"}


def test_what_cannot_be_cleaned_is_not_sent_and_counted(deliver, caplog):
    faults = [LookupError("asked")]

    def fail_once(spans):
        if faults:
            raise faults.pop()
        return spans

    server = Server()
    delivery = deliver(server, fail_once)
    end_spans(delivery, ROOT, PLAIN)
    assert not delivery.flush(30)
    end_spans(delivery, PLAIN)

    assert delivery.flush(30)
    assert server.got == ["0"]
    assert delivery.counts() == (Counts(delivered=1, dropped=2), Counts(dropped=1))
    assert delivery.last_fault == "LookupError in the content filter"


def test_strictness_does_not_end_the_thread_that_sends(deliver, monkeypatch):
    monkeypatch.setattr(guard, "strict", True)
    server = Server(MemoryError(), Sent(Fate.REFUSED, 1, "too old"))
    delivery = deliver(server, interval_seconds=0.01)
    for number in range(3):
        end_spans(delivery, PLAIN)
        eventually(lambda made=number + 1: delivery.counts()[0].waiting == 0 and delivery.counts()[0].made == made)

    assert delivery.counts()[0] == Counts(delivered=1, dropped=2)


def test_whatever_a_log_handler_does_spans_are_sent(deliver):
    class Breaks(logging.Handler):
        def emit(self, record):
            raise OSError("no space left")

    guard._said.clear()
    handler = Breaks()
    logging.getLogger("botanu").addHandler(handler)
    try:
        server = Server(Sent(Fate.AWAY, reason="refused"), Sent(Fate.REFUSED, 1, "too old"))
        delivery = deliver(server, interval_seconds=0.01)
        end_spans(delivery, PLAIN)
        eventually(lambda: delivery.counts()[0].dropped == 1)
        end_spans(delivery, PLAIN)

        eventually(lambda: server.got == ["0"])
    finally:
        logging.getLogger("botanu").removeHandler(handler)


@pytest.fixture
def no_thread(monkeypatch):
    """No thread can be started any more, as at the end of the interpreter: what flushes sends itself."""
    monkeypatch.setattr(Delivery, "_start", lambda _: None)


@pytest.mark.usefixtures("no_thread")
def test_an_interrupt_is_the_programs_where_it_sends_itself_and_nothing_is_lost(deliver):
    server = Server(KeyboardInterrupt())
    delivery = deliver(server)
    end_spans(delivery, ROOT, PLAIN)
    with pytest.raises(KeyboardInterrupt):
        delivery.flush(30)
    assert delivery.counts() == (Counts(waiting=2), Counts(waiting=1))

    assert delivery.flush(30)
    assert sorted(server.got) == ["0", "1"]


@pytest.mark.usefixtures("no_thread")
def test_a_signal_handler_may_flush_while_the_program_sends_itself(deliver):
    flushed = []

    class Interrupted(Server):
        def send(self, spans):
            if not flushed:  # what a handler does that runs now
                flushed.append(delivery.flush(0.01))
            return super().send(spans)

    server = Interrupted()
    delivery = deliver(server)
    end_spans(delivery, ROOT, PLAIN)

    assert delivery.flush(30)
    assert flushed == [False]
    assert server.got == ["0", "1"]


def test_who_waits_for_a_flush_is_told_when_everything_is_dropped_at_the_end(deliver):
    server = Server()
    server.may_answer.clear()
    delivery = deliver(server, exit_timeout_seconds=0.01)
    end_spans(delivery, PLAIN)
    told = []
    waiting = threading.Thread(target=lambda: told.append(delivery.flush(3600)))
    waiting.start()
    eventually(lambda: server.attempts == 1)
    delivery.close()
    waiting.join(30)
    server.may_answer.set()

    assert told == [False]


def test_what_is_taken_while_it_ends_is_counted_too(deliver):
    """Three threads, and a sender that is in the midst of a batch."""
    for _ in range(20):
        delivery = deliver(Server(), spans_max=1000, interval_seconds=0.01, exit_timeout_seconds=0.001)
        (span,) = ended(PLAIN)
        stopped, taken = threading.Event(), []

        def take(delivery=delivery, span=span, stopped=stopped, taken=taken):
            number = 0
            while not stopped.is_set():
                delivery.take(span)
                number += 1
            taken.append(number)

        threads = [threading.Thread(target=take) for _ in range(3)]
        for thread in threads:
            thread.start()
        eventually(lambda delivery=delivery: delivery.counts()[0].delivered)
        delivery.close()
        stopped.set()
        for thread in threads:
            thread.join(30)

        counts = delivery.counts()[0]
        assert (counts.made, counts.waiting) == (sum(taken), 0)


def test_what_ends_after_the_end_is_counted_as_dropped(deliver, caplog):
    guard._said.clear()
    server = Server()
    delivery = deliver(server)
    end_spans(delivery, PLAIN)
    delivery.close()
    end_spans(delivery, ROOT)

    assert delivery.counts() == (Counts(delivered=1, dropped=1), Counts(dropped=1))
    assert [record.getMessage() for record in caplog.records] == [
        "spans are dropped: sending has ended; botanu.status() counts them"
    ]


@pytest.mark.usefixtures("no_thread")
def test_what_bears_outcome_usage_or_cost_is_dropped_last(deliver):
    server = Server()
    delivery = deliver(server, spans_max=4)
    end_spans(delivery, PLAIN, ROOT, PLAIN, CALL, PLAIN, ROOT, CALL)

    assert delivery.flush(30)
    assert delivery.counts()[0] == Counts(delivered=4, dropped=3)
    assert sorted(server.got) == ["1", "3", "5", "6"]


@pytest.mark.usefixtures("no_thread")
def test_of_spans_alike_the_oldest_are_dropped(deliver):
    server = Server()
    delivery = deliver(server, spans_max=3)
    end_spans(delivery, *[ROOT] * 8)
    assert delivery.flush(30)

    assert server.got == ["5", "6", "7"]
    assert delivery.counts() == (Counts(delivered=3, dropped=5), Counts(delivered=3, dropped=5))


def test_at_every_moment_each_span_is_delivered_dropped_or_waiting(deliver):
    server = Server(*[Sent(Fate.AWAY), Sent(Fate.ARRIVED, 2), ARRIVED] * 200)
    delivery = deliver(server, spans_max=50, interval_seconds=0.01)
    made = 0
    seen = []
    for _ in range(100):
        end_spans(delivery, ROOT, CALL, PLAIN)
        made += 3
        spans, runs = delivery.counts()
        seen.append((spans.made, runs.made) == (made, made // 3))

    assert all(seen)


def test_at_the_end_the_rest_is_dropped_counted_and_told(deliver, caplog):
    server = Server(*[Sent(Fate.AWAY, reason="connection refused")] * 100)
    delivery = deliver(server)
    end_spans(delivery, ROOT, PLAIN)
    delivery.close()
    end_spans(delivery, PLAIN)

    assert delivery.counts() == (Counts(dropped=3), Counts(dropped=1))
    assert "2 spans, 1 of them runs, were not delivered: connection refused" in caplog.text
    assert server.ended


def test_a_request_that_never_ends_does_not_hold_up_the_end(deliver):
    server = Server()
    server.may_answer.clear()
    delivery = deliver(server)
    end_spans(delivery, PLAIN)
    delivery.close()
    assert delivery.counts()[0] == Counts(dropped=1)

    server.may_answer.set()
    delivery._thread.join(30)
    assert delivery.counts()[0] == Counts(dropped=1)


def test_without_its_thread_flush_sends_by_itself(deliver):
    server = Server()
    delivery = deliver(server)
    end_spans(delivery, PLAIN)
    delivery._closed = True
    delivery._wake.put(None)
    delivery._thread.join(30)
    delivery._closed = False

    assert delivery.flush(30)
    assert server.got == ["0"]


def test_any_exporter_of_opentelemetrys_will_do(deliver):
    class Failing(SpanExporter):
        def export(self, spans):
            return SpanExportResult.FAILURE

    memory = InMemorySpanExporter()
    for exporter, counts in ((memory, Counts(delivered=1)), (Failing(), Counts(dropped=1))):
        delivery = deliver(Plain(exporter))
        end_spans(delivery, PLAIN)
        assert delivery.flush(30) is (exporter is memory)
        assert delivery.counts()[0] == counts
        delivery.close()

    assert len(memory.get_finished_spans()) == 1
