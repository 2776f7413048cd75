"""Sending spans over OTLP/HTTP to a real server: what became of them, whatever it answers."""

import email.utils
import time

import pytest
import requests
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export import SpanExporter, SpanExportResult
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import SpanContext
from support.answering import NONE, NONE_AND_HANG_UP, Answer, Collector, partial_success
from support.process import run_python

from botanu.sdk.exporting import Fate, OtlpExporter, Sent, make_exporter
from botanu.sdk.guard import guard

TIMEOUT_SECONDS = 20.0

NOWHERE = "http://127.0.0.1:1"
"""Nothing listens there; a port that was free a moment ago may be another test's by now."""


@pytest.fixture(autouse=True)
def unsaid(monkeypatch):
    """What is logged once is logged once a test."""
    monkeypatch.setattr(guard, "_said", set())


@pytest.fixture
def collector():
    with Collector() as made:
        yield made


@pytest.fixture
def exporter(collector):
    made = make_exporter(collector.url, TIMEOUT_SECONDS)
    yield made
    made.shutdown()


def span(name, **fields):
    return ReadableSpan(name, SpanContext(1, 2, is_remote=False), **fields)


def spans(count):
    return [span(str(number)) for number in range(count)]


def only_up_to(count):
    """An answer that refuses requests with more than *count* spans as too large."""
    return lambda request: Answer(413) if len(request.names) > count else Answer()


def test_spans_arrive_in_one_request(collector, exporter):
    assert exporter.send(spans(3)) == Sent(Fate.ARRIVED)
    assert exporter.export(spans(1)) is SpanExportResult.SUCCESS

    assert collector.names == [["0", "1", "2"], ["0"]]
    assert collector.requests[0].path == "/v1/traces"
    assert collector.requests[0].headers["content-type"] == "application/x-protobuf"
    assert collector.requests[0].connection == collector.requests[1].connection


@pytest.mark.parametrize(
    "answer",
    [
        Answer(202),
        Answer(204),
        Answer(body=b"<html>a page</html>"),
        Answer(body=b"{}", headers={"Content-Type": "application/json"}),
        Answer(status=200, headers={"Retry-After": "5"}),
        partial_success(0),
    ],
)
def test_any_success_is_an_arrival(collector, exporter, answer):
    collector.answers = [answer]

    assert exporter.send(spans(2)) == Sent(Fate.ARRIVED)


def test_spans_that_the_server_rejects_of_those_it_takes_are_counted_and_that_is_said_once(collector, exporter, caplog):
    collector.answers = [partial_success(2, "no name"), partial_success(1, "no name"), partial_success(99)]

    found = [exporter.send(spans(3)) for _ in range(3)]

    assert found == [
        Sent(Fate.ARRIVED, rejected=2, reason="no name"),
        Sent(Fate.ARRIVED, rejected=1, reason="no name"),
        Sent(Fate.ARRIVED, rejected=3),
    ]
    assert caplog.messages == ["of 3 spans the server rejected 2: no name"]


def test_a_warning_with_a_success_is_said(collector, exporter, caplog):
    collector.answers = [partial_success(0, "use a newer version")]

    assert exporter.send(spans(1)) == Sent(Fate.ARRIVED, reason="use a newer version")
    assert caplog.messages == ["of 1 spans the server rejected 0: use a newer version"]


@pytest.mark.parametrize("status", [400, 401, 404, 415, 500, 501, 301, 307])
def test_what_is_refused_for_good_is_not_sent_again(collector, exporter, status, caplog):
    collector.answers = [Answer(status, {"Location": "/elsewhere", "Retry-After": "1"})] * 2

    sent = exporter.send(spans(3))

    assert (sent.fate, sent.rejected, sent.retry_after_seconds) == (Fate.REFUSED, 3, None)
    assert sent.reason.startswith(f"HTTP {status} ")
    assert exporter.export(spans(3)) is SpanExportResult.FAILURE
    assert len(collector.requests) == 2
    assert caplog.messages == [f"spans are lost, as they cannot be sent: {sent.reason}"]


@pytest.mark.parametrize("status", [429, 502, 503, 504])
@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({}, None),
        ({"Retry-After": "7"}, 7.0),
        ({"retry-after": "0"}, 0.0),
        ({"Retry-After": "-3"}, 0.0),
        ({"Retry-After": "nan"}, None),
        ({"Retry-After": "soon"}, None),
        ({"Retry-After": "Wed, 21 Oct 2015 07:28:00 GMT"}, 0.0),
    ],
)
def test_a_server_that_takes_nothing_for_now_is_away_for_as_long_as_it_says(
    collector, exporter, status, headers, seconds
):
    collector.answers = [Answer(status, headers)]

    sent = exporter.send(spans(3))

    assert (sent.fate, sent.rejected, sent.retry_after_seconds) == (Fate.AWAY, 0, seconds)
    assert sent.reason.startswith(f"HTTP {status} ")
    assert len(collector.requests) == 1


def test_the_wait_that_is_asked_for_may_be_a_date(collector, exporter):
    collector.answers = [Answer(503, {"Retry-After": email.utils.formatdate(time.time() + 3600, usegmt=True)})]

    assert 3000 < exporter.send(spans(1)).retry_after_seconds <= 3600


def test_a_server_that_is_not_there_is_away():
    exporter = make_exporter(f"{NOWHERE}/", TIMEOUT_SECONDS)

    assert exporter.send(spans(1)) == Sent(Fate.AWAY, reason="ConnectionError")
    assert exporter.export(spans(1)) is SpanExportResult.FAILURE
    exporter.shutdown()


def test_a_server_that_does_not_answer_in_time_is_away(collector):
    collector.answers = [NONE]
    exporter = make_exporter(collector.url, 0.1)

    assert exporter.send(spans(1)) == Sent(Fate.AWAY, reason="ReadTimeout")
    assert len(collector.requests) == 1
    exporter.shutdown()


def test_an_address_that_is_none_is_refused():
    exporter = make_exporter("http://", TIMEOUT_SECONDS)

    assert exporter.send(spans(2)) == Sent(Fate.REFUSED, rejected=2, reason="InvalidURL")
    exporter.shutdown()


@pytest.mark.parametrize("way", [Answer(hang_up=True), NONE_AND_HANG_UP])
def test_a_connection_that_was_closed_meanwhile_is_made_anew(collector, exporter, way):
    collector.answers = [way, way] if way.status else [Answer(), way]

    assert [exporter.send(spans(1)).fate for _ in range(3)] == [Fate.ARRIVED] * 3


def test_a_server_that_hangs_up_on_both_attempts_is_away(collector, exporter):
    collector.answers = [NONE_AND_HANG_UP] * 2

    assert exporter.send(spans(1)) == Sent(Fate.AWAY, reason="ConnectionError")
    assert len(collector.requests) == 2


def test_what_is_too_large_for_the_server_is_sent_in_parts_and_in_order(collector, exporter):
    collector.answers = [only_up_to(2)] * 20

    assert exporter.send(spans(7)) == Sent(Fate.ARRIVED)

    taken = [names for names in collector.names if len(names) <= 2]
    assert [name for names in taken for name in names] == ["0", "1", "2", "3", "4", "5", "6"]


def test_a_single_span_that_is_too_large_for_the_server_is_refused_alone(collector, exporter):
    collector.answers = [lambda request: Answer(413) if "2" in request.names else Answer()] * 20

    sent = exporter.send(spans(4))

    assert (sent.fate, sent.rejected) == (Fate.ARRIVED, 1)
    assert sent.reason.startswith("HTTP 413 ")
    assert ["0", "1"] in collector.names
    assert ["3"] in collector.names


def test_spans_of_which_each_is_too_large_are_refused(collector, exporter):
    collector.answers = [Answer(413)] * 20

    sent = exporter.send(spans(3))

    assert (sent.fate, sent.rejected) == (Fate.REFUSED, 3)
    assert len(collector.requests) == 5


@pytest.mark.parametrize("taken", [0, 1])
def test_a_server_that_goes_away_between_two_parts_is_away(collector, exporter, taken):
    collector.answers = [Answer(413), *[Answer()] * taken, Answer(503, {"Retry-After": "4"})]

    sent = exporter.send(spans(4))

    assert (sent.fate, sent.rejected, sent.retry_after_seconds) == (Fate.AWAY, 0, 4.0)
    assert len(collector.requests) == 2 + taken


def test_what_is_longer_than_a_request_may_be_is_sent_in_parts(collector):
    exporter = OtlpExporter(OTLPSpanExporter(f"{collector.url}/v1/traces", max_request_size=3000), TIMEOUT_SECONDS)
    large = [span(str(number), attributes={"text": "x" * 1000}) for number in range(5)]
    too_large = span("too large", attributes={"text": "x" * 3000})

    sent = exporter.send([*large, too_large])

    assert sent == Sent(Fate.ARRIVED, rejected=1, reason="longer than 3,000 bytes")
    assert [name for names in collector.names for name in names] == ["0", "1", "2", "3", "4"]
    assert all(len(request.body) <= 3000 for request in collector.requests)
    exporter.shutdown()


def test_a_span_that_cannot_be_written_takes_no_other_with_it(collector, exporter):
    made = spans(5)
    made[3] = ReadableSpan("without a context")

    sent = exporter.send(made)

    assert sent == Sent(Fate.ARRIVED, rejected=1, reason="AttributeError when written for OTLP")
    assert [name for names in collector.names for name in names] == ["0", "1", "2", "4"]


def test_opentelemetrys_variables_say_where_and_how(collector, monkeypatch):
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", collector.url)
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_HEADERS", "x-token=secret,x-team=a%20b")
    exporter = make_exporter(None, TIMEOUT_SECONDS)

    assert exporter.send(spans(1)) == Sent(Fate.ARRIVED)
    assert collector.requests[0].headers["x-token"] == "secret"
    assert collector.requests[0].headers["x-team"] == "a b"
    assert "content-encoding" not in collector.requests[0].headers
    exporter.shutdown()


@pytest.mark.parametrize("coding", ["gzip", "deflate"])
def test_spans_are_compressed_when_opentelemetrys_variable_says_so(collector, monkeypatch, coding):
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_COMPRESSION", coding)
    exporter = make_exporter(collector.url, TIMEOUT_SECONDS)

    assert exporter.send(spans(3)) == Sent(Fate.ARRIVED)
    assert collector.requests[0].headers["content-encoding"] == coding
    assert collector.names == [["0", "1", "2"]]
    exporter.shutdown()


def test_after_shutdown_nothing_is_sent(collector, exporter):
    exporter.shutdown()
    exporter.shutdown()

    assert exporter.send(spans(2)) == Sent(Fate.REFUSED, rejected=2, reason="the exporter is shut down")
    assert collector.requests == []


def test_an_exporter_that_is_not_as_expected_inside_is_used_as_it_is(caplog):
    """As an older or a newer OpenTelemetry may have it."""
    other = InMemorySpanExporter()
    exporter = OtlpExporter(other, TIMEOUT_SECONDS)

    assert [exporter.send(spans(2)) for _ in range(2)] == [Sent(Fate.ARRIVED)] * 2
    other.shutdown()
    assert exporter.send(spans(2)) == Sent(Fate.REFUSED, rejected=2, reason="OpenTelemetry's exporter failed")

    assert [one.name for one in other.get_finished_spans()] == ["0", "1", "0", "1"]
    assert caplog.messages[0].startswith("this release of OpenTelemetry's exporter is not known inside")
    assert len(caplog.messages) == 2


class Older(SpanExporter):
    """Lets the HTTP client's errors pass, as OpenTelemetry's exporter did in 1.38."""

    def __init__(self, url):
        self._url = url

    def export(self, spans):
        requests.post(self._url, data=b"", timeout=TIMEOUT_SECONDS)


@pytest.mark.parametrize(("url", "fate"), [(NOWHERE, Fate.AWAY), ("http://", Fate.REFUSED)], ids=["away", "none"])
def test_what_an_older_exporter_raises_says_what_became_of_spans(url, fate):
    assert OtlpExporter(Older(url), TIMEOUT_SECONDS).send(spans(2)).fate is fate


def test_a_forked_process_leaves_its_parents_connection_alone(collector):
    result = run_python(
        """
        import json, os, sys
        from opentelemetry.sdk.trace import ReadableSpan
        from opentelemetry.trace import SpanContext
        from botanu.sdk.exporting import make_exporter

        exporter = make_exporter(sys.argv[1], 20.0)
        span = ReadableSpan("work", SpanContext(1, 2, is_remote=False))
        fates = [exporter.send([span]).fate.value]
        child = os.fork()
        fates.append(exporter.send([span]).fate.value)
        if not child:
            sys.exit(fates[1] != "arrived")
        print(json.dumps([*fates, os.waitpid(child, 0)[1]]))
        """,
        collector.url,
    )

    assert result == ["arrived", "arrived", 0]
    assert len(collector.requests) == 3
    assert len({request.connection for request in collector.requests}) == 2


def test_to_import_it_brings_in_neither_the_http_client_nor_protobuf():
    assert (
        run_python("""
        import json, sys
        import botanu.sdk.exporting
        print(json.dumps([name for name in ("requests", "google.protobuf") if name in sys.modules]))
    """)
        == []
    )
