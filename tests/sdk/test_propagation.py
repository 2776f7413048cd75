"""What of a run leaves the program with its requests, and what of one comes in."""

import copy
import gc
import json
import os
import pickle
import threading
import weakref
from contextlib import ExitStack
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import httpx2
import pytest
import requests
from hypothesis import given
from hypothesis import strategies as st
from opentelemetry import baggage, propagate, trace
from opentelemetry.baggage.propagation import W3CBaggagePropagator
from opentelemetry.context import Context, attach, detach, get_current
from opentelemetry.instrumentation.httpx import HTTPX2ClientInstrumentor
from opentelemetry.instrumentation.requests import RequestsInstrumentor
from opentelemetry.propagators.composite import CompositePropagator
from opentelemetry.propagators.textmap import TextMapPropagator
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import NonRecordingSpan, SpanContext, SpanKind, TraceFlags
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

import botanu
from botanu import SettingsError, semconv
from botanu.sdk.guard import guard
from botanu.sdk.hosts import host_patterns
from botanu.sdk.identity import IDENTITY, call_in, run_in
from botanu.sdk.kept import Kept
from botanu.sdk.members import identity_in
from botanu.sdk.propagation import RunPropagator, put_around
from botanu.testing import capture_runs

RUN = "01980000-0000-7000-8000-000000000001"
CALLER = {
    "traceparent": f"00-{'a' * 32}-{'b' * 16}-01",
    "baggage": f"botanu.run_id={RUN},botanu.root_run_id=r-0,botanu.customer_id=acme,botanu.workflow=order,theirs=1",
}


@pytest.fixture
def enable():
    """Enable with the settings given; give what is captured."""
    with ExitStack() as stack:

        def enable(**settings):
            captured = stack.enter_context(capture_runs(strict=False))
            botanu.enable(**settings)
            return captured

        yield enable


@pytest.fixture
def said(caplog):
    """What the log says, with nothing said before."""
    guard._said.clear()
    return lambda: [record.getMessage() for record in caplog.records if record.name == "botanu"]


class Web:
    """A server that notes the baggage of requests, and instrumented clients that make them."""

    def __init__(self):
        self.baggage = noted = []
        self.headers = headers = []

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self):
                noted.append(self.headers["baggage"])
                headers.append({name.lower(): value for name, value in self.headers.items()})
                self.send_response(302 if self.path == "/away" else 200)
                self.send_header("location", f"http://127.0.0.1:{self.server.server_port}/")
                self.send_header("content-length", "0")
                self.end_headers()

            def log_message(self, *_):
                """Say nothing."""

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.client = httpx2.Client(follow_redirects=True)
        HTTPX2ClientInstrumentor.instrument_client(self.client)
        RequestsInstrumentor().instrument()

    def get(self, client, host, path, **options):
        get = self.client.get if client == "httpx2" else requests.get
        return get(f"http://{host}:{self.server.server_port}{path}", **options)


@pytest.fixture
def web():
    made = Web()
    thread = threading.Thread(target=made.server.serve_forever)
    thread.start()
    with made.server, made.client:
        yield made
        RequestsInstrumentor().uninstrument()
        made.server.shutdown()
    thread.join()


def a_run(**given):
    return botanu.run_botanu("work", **{"event_id": "e-1", "customer_id": "c-1", **given})


def request(headers=None, kind=SpanKind.CLIENT, **attributes):
    """Return the headers that an instrumentation injects inside the span of its request."""
    headers = {} if headers is None else headers
    named = {name.replace("_", "."): value for name, value in attributes.items()}
    with trace.get_tracer("instrumentation").start_as_current_span("GET", kind=kind, attributes=named):
        propagate.inject(headers)
    return headers


class TestGoingOut:
    def test_nobody_is_told_unless_the_settings_say_so(self, enable):
        enable()

        with a_run(customer_id="secret"):
            headers = request(http_url="http://localhost:8000/", server_address="localhost")

        assert headers.keys() == {"traceparent"}

    @pytest.mark.parametrize(
        ("attributes", "told"),
        [
            ({"http_url": "https://api.internal/v1?q=1"}, True),  # requests, urllib, urllib3, httpx, aiohttp
            ({"url_full": "https://api.internal:8443/v1", "server_address": "api.internal"}, True),  # the same, newer
            ({"url_full": "https://deep.api.internal./"}, True),
            ({"url_full": "https://API.Internal/"}, True),
            ({"net_peer_name": "api.internal"}, True),
            ({"http_host": "api.internal:8443"}, True),
            ({"http_host": "[::1]:8443"}, True),
            ({"server_address": "::1"}, True),
            ({"server_address": "exact.example.com"}, True),
            ({"server_address": "not.exact.example.com"}, False),
            ({"server_address": "internal"}, False),
            ({"server_address": "evilinternal"}, False),
            ({"url_full": "https://api.openai.com/v1/chat/completions"}, False),
            ({"url_full": "https://api.internal@evil.com/"}, False),
            ({"url_full": "https://evil.com\\@api.internal/"}, False),
            ({"url_full": "https://evil.com/api.internal"}, False),
            ({"url_full": "https://[api.internal/"}, False),
            ({"url_full": "https://api.internal/", "server_address": "evil.com"}, False),
            ({"rpc_system": "grpc", "rpc_service": "api.internal"}, False),  # names no host
            ({"kind": SpanKind.PRODUCER, "server_address": "api.internal"}, False),  # a broker does not say who reads
            ({"kind": SpanKind.SERVER, "server_address": "api.internal"}, False),  # that is this program
        ],
    )
    def test_a_host_is_read_from_the_span_of_the_request(self, enable, attributes, told):
        enable(baggage_hosts="*.internal, Exact.example.com ,::1")

        with a_run():
            headers = request(**attributes)

        assert ("baggage" in headers) is told
        assert "traceparent" in headers

    def test_a_host_that_is_allowed_learns_the_whole_identity(self, enable):
        enable(baggage_hosts="localhost", environment="prod")

        with a_run(), a_run(event_id="e 2,+%ü", tenant_id="t", version="v", attempt=2) as run:
            token = attach(baggage.set_baggage("mine", "1"))
            headers = request(server_address="localhost")
            detach(token)

        assert identity_in([headers["baggage"]]) == run.identity
        assert {*run.identity} == {*IDENTITY} - {semconv.TEAM, semconv.COST_CENTER, semconv.REGION}
        assert headers["baggage"].startswith("botanu.run_id=")
        assert headers["baggage"].endswith(",mine=1")

    def test_without_a_run_there_is_nothing_to_tell(self, enable):
        enable(baggage_hosts="localhost")

        assert request(server_address="localhost").keys() == {"traceparent"}

    def test_a_request_that_no_span_is_about_tells_nothing(self, enable):
        enable(baggage_hosts="localhost")
        headers = {}

        with a_run():
            unsampled = SpanContext(1, 1, is_remote=False, trace_flags=TraceFlags(0))
            propagate.inject(headers, trace.set_span_in_context(NonRecordingSpan(unsampled)))

        assert headers.keys() == {"traceparent"}

    def test_our_names_in_baggage_stay_inside_whoever_put_them_there(self, enable):
        enable(baggage_hosts="localhost")
        context = baggage.set_baggage("theirs", "1", baggage.set_baggage("Botanu.customer_id", "other"))
        token = attach(context)

        headers = request(server_address="evil.com")
        with a_run():
            told = request(server_address="localhost")

        detach(token)
        assert headers["baggage"] == "theirs=1"
        assert "other" not in told["baggage"]

    @pytest.mark.parametrize("client", ["httpx2", "requests"])
    def test_instrumented_clients_tell_hosts_that_may_know(self, enable, web, client):
        enable(baggage_hosts="localhost")

        with a_run():
            web.get(client, "localhost", "/")
            web.get(client, "127.0.0.1", "/")

        first, second = web.baggage
        assert "botanu.run_id" in first
        assert second is None

    def test_neither_is_a_stranger_told_that_a_host_redirects_to(self, enable, web):
        enable(baggage_hosts="localhost")

        with a_run():
            web.get("httpx2", "localhost", "/away")
            web.get("httpx2", "localhost", "/away", headers={"baggage": "mine=1"})

        assert ["botanu.run_id" in (each or "") for each in web.baggage] == [True, False, True, False]
        assert "botanu" not in (web.baggage[1] or "") + (web.baggage[3] or "")

    @pytest.mark.parametrize(
        ("hosts", "of"),
        [
            (None, {"http_url": "https://example.com/"}),  # nobody is told by itself, so all that is told is meant
            ("localhost", {"kind": SpanKind.PRODUCER, "server_address": "broker"}),  # as that of Celery
            ("localhost", {"rpc_system": "grpc"}),
            ("localhost", {"http_url": "http://localhost/"}),
        ],
    )
    def test_what_inject_has_written_stays(self, enable, hosts, of):
        enable(baggage_hosts=hosts)
        headers, other = {}, {}

        with a_run() as run:
            botanu.inject(headers)
            request(headers, **of)
            botanu.inject(other)
            token = attach(baggage.set_baggage("mine", "1"))
            request(other, **of)
            detach(token)

        assert identity_in([headers["baggage"]]) == identity_in([other["baggage"]]) == run.identity
        assert headers["baggage"] + ",mine=1" == other["baggage"]

    def test_baggage_of_the_programs_own_in_the_headers_stays(self, enable):
        enable(baggage_hosts="localhost")
        headers = {"baggage": "mine=1,botanu.run_id=r,other=2"}
        untouched = {"baggage": "mine=1"}
        odd = {"baggage": ["mine=1"]}

        for each in (headers, untouched, odd):
            request(each, server_address="example.com")

        assert (headers["baggage"], untouched["baggage"], odd["baggage"]) == ("mine=1,other=2", "mine=1", ["mine=1"])


class TestHosts:
    @pytest.mark.parametrize(
        "text", ["http://localhost", "localhost:8000", "api.*", "*", "*internal", "a/b", "a b", "localhost,https://x"]
    )
    def test_a_pattern_that_no_host_can_match_is_named(self, text):
        with pytest.raises(SettingsError, match=r"baggage_hosts \(BOTANU_BAGGAGE_HOSTS\) must be hosts"):
            botanu.enable(baggage_hosts=text)

    def test_patterns_are_separated_by_commas(self):
        assert host_patterns(" A.example , ,*.internal,::1,10.0.0.1") == ("a.example", "*.internal", "::1", "10.0.0.1")
        assert host_patterns(None) == ()


class TestComingIn:
    def test_a_caller_is_not_believed(self, enable, said):
        captured = enable()

        for _ in range(2):
            context = propagate.extract(CALLER, Context())
            with trace.get_tracer("x").start_as_current_span("request", context=context):
                pass

        assert baggage.get_all(context) == {"theirs": "1"}
        assert run_in(context) is None
        assert {*captured.spans()[0].attributes} == set()
        assert said() == ["a request came with a run, and is not believed: see the setting trust_baggage"]

    def test_spans_and_runs_inside_belong_to_the_run_of_a_caller_that_is_trusted(self, enable):
        captured = enable(trust_baggage=True)

        token = attach(propagate.extract(CALLER, Context()))
        with trace.get_tracer("x").start_as_current_span("request"), a_run():
            pass
        detach(token)

        span, inner = captured.spans()
        assert dict(span.attributes) == {
            "botanu.run_id": RUN,
            "botanu.root_run_id": "r-0",
            "botanu.customer_id": "acme",
            "botanu.workflow": "order",
        }
        assert (inner.attributes[semconv.PARENT_RUN_ID], inner.attributes[semconv.ROOT_RUN_ID]) == (RUN, "r-0")
        assert inner.attributes[semconv.CUSTOMER_ID] == "c-1"
        assert f"{inner.context.trace_id:032x}" == "a" * 32
        assert f"{span.parent.span_id:016x}" == "b" * 16

    def test_an_outcome_emitted_there_is_the_callers_runs(self, enable):
        captured = enable(trust_baggage=True)

        token = attach(propagate.extract(CALLER, Context()))
        botanu.emit_outcome("success", value_type="orders", value_amount=1)
        here = run_in()
        detach(token)

        (span,) = captured.spans()
        assert span.attributes[semconv.RUN_ID] == RUN
        assert span.attributes[semconv.OUTCOME_LATE] is True
        assert span.attributes[semconv.OUTCOME_STATUS] == "success"
        assert semconv.RUN_ROOT not in span.attributes
        assert f"{span.parent.span_id:016x}" == "b" * 16
        assert (here.run_id, here.workflow, here.outcome.value_amount) == (RUN, "order", 1)

    def test_a_callers_run_may_have_no_more_than_an_id(self, enable):
        captured = enable(trust_baggage=True)

        token = attach(propagate.extract({"baggage": "botanu.run_id=r"}, Context()))
        botanu.emit_outcome("success", confidence=5)
        name = run_in().workflow
        detach(token)

        assert name == ""
        (span,) = captured.spans()
        assert span.attributes[semconv.RUN_ID] == "r"
        assert span.parent is None

    def test_the_callers_run_goes_on_to_hosts_that_may_know(self, enable):
        enable(trust_baggage=True, baggage_hosts="localhost")

        token = attach(propagate.extract(CALLER, Context()))
        told, other = request(server_address="localhost"), request(server_address="evil.com")
        detach(token)

        assert identity_in([told["baggage"]]) == identity_in([CALLER["baggage"]])
        assert other["baggage"] == "theirs=1"

    def test_a_run_that_calls_its_own_program_stays_as_it_is(self, enable):
        captured = enable(trust_baggage=True, baggage_hosts="localhost")

        with a_run():
            token = attach(propagate.extract(request(server_address="localhost")))
            botanu.emit_outcome("partial")
            detach(token)

        assert captured.only().outcome_attributes == {"status": "partial"}

    @pytest.mark.parametrize(
        ("header", "identity"),
        [
            ("botanu.run_id=r,botanu.attempt=2", {"run_id": "r", "attempt": 2}),
            ("botanu.run_id=r,botanu.attempt=0", {"run_id": "r"}),
            ("botanu.run_id=r,botanu.attempt=-1", {"run_id": "r"}),
            ("botanu.run_id=r,botanu.attempt=first", {"run_id": "r"}),
            ("botanu.run_id=r,botanu.attempt=99999999999999999999", {"run_id": "r"}),
            ("botanu.run_id=r,botanu.customer_id=a%00b", {"run_id": "r"}),
            ("botanu.run_id=r,botanu.customer_id=a%0d%0aset-cookie: x", {"run_id": "r"}),
            ("botanu.run_id=r,botanu.customer_id=%ff%fe", {"run_id": "r"}),
            ("botanu.run_id=r,botanu.customer_id=zoë", {"run_id": "r"}),
            ("botanu.run_id=r,botanu.customer_id=%zz%", {"run_id": "r", "customer_id": "%zz%"}),
            ("botanu.run_id=r,botanu.customer_id=", {"run_id": "r"}),
            ("botanu.run_id=r,botanu.customer_id", {"run_id": "r"}),
            (f"botanu.run_id=r,botanu.customer_id={'x' * 257}", {"run_id": "r"}),
            (f"botanu.run_id=r,botanu.customer_id={'x' * 256}", {"run_id": "r", "customer_id": "x" * 256}),
            ("botanu.run_id=r,botanu.run_id=s", {"run_id": "r"}),
            ("BOTANU.RUN_ID=r", {}),
            ("botanu.run_id=r,Botanu.Customer_Id=c", {"run_id": "r"}),
            ("botanu%2Erun_id=r", {}),
            ("botanu.run_id=r,botanu.run.root=true,botanu.outcome.status=success", {"run_id": "r"}),
            (" botanu.run_id = r ; p=1 , botanu.customer_id=c+d;q", {"run_id": "r", "customer_id": "c d"}),
            ("botanu.customer_id=c", {}),
            ("botanu.run_id=%0a,botanu.customer_id=c", {}),
            ("a=b," * 63 + "botanu.run_id=r,botanu.event_id=e", {"run_id": "r"}),
            ("," * 8000 + "botanu.run_id=r", {}),
            ("a=b," * 10_000 + "botanu.run_id=r", {}),
            ("botanu.run_id=r," + "x" * 1_000_000, {}),
            ("=" * 8000, {}),
            ("", {}),
        ],
        ids=lambda each: each[:50] if isinstance(each, str) else "",
    )
    def test_only_what_can_be_an_identity_is_taken(self, enable, header, identity):
        enable(trust_baggage=True)

        context = propagate.extract({"baggage": header}, Context())

        run = run_in(context)
        assert (run.identity if run else {}) == {f"botanu.{name}": value for name, value in identity.items()}
        assert not [name for name in baggage.get_all(context) if name.lower().startswith("botanu.")]

    def test_several_headers_are_one(self, enable):
        enable(trust_baggage=True)
        carrier = {"baggage": ["botanu.customer_id=c,a=b", "botanu.run_id=r"]}

        run = run_in(propagate.extract(carrier, Context()))

        assert run.identity == {"botanu.run_id": "r", "botanu.customer_id": "c"}

    def test_what_is_refused_is_said_once(self, enable, said):
        enable(trust_baggage=True)

        for header in ("botanu.run_id=%00secret", "botanu.run_id=%01secret", "x" * 9000, "y" * 9000):
            propagate.extract({"baggage": header}, Context())

        assert said() == [
            "baggage came in with a botanu.run_id that cannot be one; it is left out",
            "baggage of more than 8192 bytes came in; it is not read",
        ]

    @given(st.text(), st.booleans())
    def test_no_header_makes_it_raise(self, text, trusted):
        propagator = RunPropagator(W3CBaggagePropagator(), hosts=(), trusted=trusted)
        strict, guard.strict = guard.strict, True

        context = propagator.extract({"baggage": f"botanu.run_id={text},{text}=1,botanu.{text}"}, Context())

        guard.strict = strict
        assert not [name for name in baggage.get_all(context) if name.lower().startswith("botanu.")]

    def test_a_fault_of_ours_does_not_reach_the_request(self, enable, said):
        enable(trust_baggage=True)
        guard.strict = False

        class Getter:
            def get(self, carrier, key):
                if key == "baggage":
                    raise LookupError(key)
                return [CALLER[key]] if key in CALLER else None

        carried = RunPropagator(TraceContextTextMapPropagator(), hosts=(), trusted=True).extract({}, None, Getter())

        assert f"{trace.get_current_span(carried).get_span_context().trace_id:032x}" == "a" * 32
        assert said() == ["internal fault, the program goes on without: LookupError"]

    def test_what_is_no_text_is_no_baggage(self, enable):
        enable(trust_baggage=True)

        class Getter:
            def get(self, carrier, key):
                return [7, b"botanu.run_id=r"] if key == "baggage" else None

        propagator = RunPropagator(TraceContextTextMapPropagator(), hosts=(), trusted=True)

        assert run_in(propagator.extract({}, None, Getter())) is None


def carried():
    """Return a carrier of the context of now, whose destination nobody knows."""
    carrier = {}
    propagate.inject(carrier)
    return carrier


def again(text):
    """Return another text that says the same."""
    return text.encode().decode()


class TestStayingHere:
    """A carrier that the program extracts itself."""

    def test_it_brings_the_run_back_and_says_nothing_of_it(self, enable):
        captured = enable()

        with a_run() as run:
            carrier = carried()
            token = attach(propagate.extract(carrier))
            with trace.get_tracer("x").start_as_current_span("call"):
                pass
            detach(token)

        root, call = captured.spans()
        assert {name: call.attributes[name] for name in run.identity} == run.identity
        assert call.parent.span_id == root.context.span_id
        assert carrier.keys() == {"traceparent"}
        assert type(carrier["traceparent"]) is str

    def test_also_after_the_end_of_the_run_and_in_another_thread(self, enable):
        enable()
        with a_run(event_id="first") as first:
            one = carried()
        found = []

        with a_run(event_id="second"):
            thread = threading.Thread(target=lambda: found.append(run_in(propagate.extract(one))))
            thread.start()
            thread.join()
            here = run_in(propagate.extract(one))
        botanu.emit_outcome("success")

        assert found == [first]
        assert here is first

    def test_step_and_call_come_along_and_those_of_where_it_is_extracted_do_not(self, enable):
        captured = enable()

        with a_run():
            plain = carried()
            with botanu.step("draft"), botanu.track_llm_call(provider="p", model="m") as call:
                inside = carried()
        with a_run(), botanu.step("other"), botanu.track_tool_call("t"):
            contexts = [propagate.extract(each, get_current()) for each in (plain, inside)]
        for context in contexts:
            with trace.get_tracer("x").start_as_current_span("late", context=context):
                pass

        late = [span for span in captured.spans() if span.name == "late"]
        assert [span.attributes.get(semconv.STEP) for span in late] == [None, "draft"]
        assert [call_in(context) for context in contexts] == [None, call]

    @pytest.mark.parametrize(
        "sent",
        [
            lambda carrier: {"traceparent": again(carrier["traceparent"])},
            lambda carrier: json.loads(json.dumps(carrier)),
            lambda carrier: pickle.loads(pickle.dumps(carrier)),
            lambda carrier: {"traceparent": [carrier["traceparent"]]},
            lambda carrier: {"traceparent": carrier["traceparent"][:-1] + "0"},
            lambda carrier: {},
        ],
        ids=["text", "json", "pickle", "list", "unsampled", "none"],
    )
    def test_who_says_the_same_from_outside_is_in_no_run(self, enable, sent):
        enable()

        with a_run():
            carrier = carried()
            context = propagate.extract({**sent(carrier), "baggage": f"botanu.run_id={RUN}"}, Context())

        assert run_in(context) is None
        assert run_in(propagate.extract(carrier, Context())) is not None

    @pytest.mark.parametrize("client", ["httpx2", "requests"])
    def test_neither_is_a_request_that_carried_it_over_the_network(self, enable, web, client):
        enable()

        with a_run():
            carrier = carried()
            web.get(client, "localhost", "/", headers=carrier)
            requests.get(f"http://localhost:{web.server.server_port}/")  # the headers are written in its own way

        for headers in web.headers:
            assert run_in(propagate.extract(headers, Context())) is None
        assert "botanu" not in str(web.headers)

    def test_a_copy_of_the_carrier_brings_the_run_too(self, enable):
        enable()

        with a_run() as run:
            carrier = carried()
        copies = [dict(carrier), {**carrier, "x": "1"}, copy.copy(carrier), copy.deepcopy(carrier)]

        assert [run_in(propagate.extract(each, Context())) for each in copies] == [run] * 4

    def test_many_at_once_within_one_span_do_not_mix_up(self, enable):
        enable()

        with a_run() as run:
            carriers = [carried() for _ in range(100)]

        assert len({each["traceparent"] for each in carriers}) == 1
        assert {run_in(propagate.extract(each, Context())) for each in carriers} == {run}

    def test_what_a_trusted_sender_says_counts_first(self, enable):
        enable(trust_baggage=True)
        with a_run(event_id="sender") as sender:
            headers = {}
            botanu.inject(headers)

        with a_run(event_id="broker"):
            propagate.inject(headers)
        inside = run_in(propagate.extract(headers, Context()))

        assert inside.identity == sender.identity

    def test_what_no_trusted_sender_says_does_not_count_and_is_not_complained_of(self, enable, said):
        enable()

        with a_run() as run:
            headers = {"baggage": "botanu.run_id=other,botanu.customer_id=other"}
            propagate.inject(headers)

        assert headers["baggage"].startswith("botanu.run_id=other")  # as ``inject`` may have written it
        assert run_in(propagate.extract(headers, Context())) is run
        assert said() == []

    def test_without_a_run_or_a_dictionary_nothing_is_kept(self, enable):
        enable()

        class Odd(dict):
            """A carrier of somebody's own."""

        outside, odd = carried(), Odd()
        with a_run():
            propagate.inject(odd)
            propagate.inject([], setter=type("S", (), {"set": lambda *_: None})())

        assert run_in(propagate.extract(outside, Context())) is None
        assert run_in(propagate.extract(odd, Context())) is None

    def test_disabled_it_brings_none(self, enable):
        enable()
        ours = propagate.get_global_textmap()

        with a_run():
            before = carried()
            botanu.disable()
            after = {}
            ours.inject(after)

        assert run_in(ours.extract(before, Context())) is None
        botanu.enable()
        assert run_in(propagate.extract(after, Context())) is None

    @pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no fork")
    def test_a_forks_child_knows_those_of_before(self, enable):
        enable()

        with a_run() as run:
            carrier = carried()
            child = os.fork()
            if child == 0:
                known = run_in(propagate.extract(carrier, Context()))
                more = run_in(propagate.extract(carried(), Context()))
                os._exit(0 if known is more is run else 1)

        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0


class TestKept:
    """How long the context of a carrier is kept."""

    def carrier(self, number):
        return {"traceparent": again(f"00-{number:032x}")}

    def test_those_that_somebody_has_outlast_any_number_of_others(self):
        kept = Kept()
        held = [(self.carrier(number), Context()) for number in range(100)]
        for carrier, context in held:
            kept.keep(carrier, context)

        for number in range(10_000):
            kept.keep(self.carrier(number), Context())

        assert all(kept.of(carrier) is context for carrier, context in held)
        assert len(kept) < 300

    def test_a_context_goes_when_its_carrier_does(self):
        kept = Kept()
        context, carrier = Context(), self.carrier(1)
        seen = weakref.ref(context)
        kept.keep(carrier, context)

        del context, carrier
        for number in range(3):
            kept.keep(self.carrier(number), Context())
        gc.collect()

        assert seen() is None

    def test_there_are_never_more_than_told(self):
        kept = Kept(3)
        carriers = [self.carrier(number) for number in range(10)]

        for carrier in carriers:
            kept.keep(carrier, Context())

        assert len(kept) == sum(kept.of(carrier) is not None for carrier in carriers) == 3
        assert kept.of(carriers[-1]) is not None

    def test_threads_that_keep_at_once_find_theirs(self):
        kept = Kept()
        lost = []

        def work():
            held = []
            for number in range(500):
                carrier, context = self.carrier(number), Context()
                kept.keep(carrier, context)
                kept.keep(self.carrier(number), Context())
                held.append((carrier, context))
            lost.extend(carrier for carrier, context in held if kept.of(carrier) is not context)

        threads = [threading.Thread(target=work) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

        assert lost == []

    @pytest.mark.parametrize("carrier", [None, [], {}, {"traceparent": b"x"}, {"traceparent": None}, "traceparent"])
    def test_what_has_no_text_is_passed_over(self, carrier):
        kept = Kept()

        kept.keep(carrier, Context())

        assert len(kept) == 0
        assert kept.of(carrier) is None


@dataclass
class Wrapper(TextMapPropagator):
    """A propagator around another, as those of Logfire are."""

    wrapped: TextMapPropagator

    def extract(self, carrier, context=None, **how):
        return self.wrapped.extract(carrier, context, **how)

    def inject(self, carrier, context=None, **how):
        self.wrapped.inject(carrier, context, **how)

    @property
    def fields(self):
        return self.wrapped.fields


@pytest.fixture
def wrapped():
    """Wrap the program's propagator twice; give both."""
    before = propagate.get_global_textmap()
    inside = Wrapper(before)
    outside = Wrapper(inside)
    propagate.set_global_textmap(outside)
    yield outside, inside
    propagate.set_global_textmap(before)


class TestPlace:
    """Where the propagator stands."""

    def test_it_stands_inside_what_wraps_the_programs_and_leaves_that_as_it_was(self, wrapped):
        outside, inside = wrapped
        before = inside.wrapped
        during = []

        for _ in range(2):
            botanu.enable(exporter=InMemorySpanExporter())
            during.append((propagate.get_global_textmap(), outside.wrapped, type(inside.wrapped)))
            botanu.disable()

        assert during == [(outside, inside, RunPropagator)] * 2
        assert propagate.get_global_textmap() is outside
        assert inside.wrapped is before

    def test_captured_runs_put_another_in_its_place_for_as_long(self, wrapped):
        botanu.enable(exporter=InMemorySpanExporter())
        before = wrapped[1].wrapped
        with capture_runs():
            during = wrapped[1].wrapped
        after = wrapped[1].wrapped
        botanu.disable()

        assert isinstance(during, RunPropagator)
        assert before is after is not during
        assert during.inner is before.inner

    def test_it_is_taken_out_of_what_wraps_it_later(self):
        before = propagate.get_global_textmap()
        botanu.enable(exporter=InMemorySpanExporter())
        theirs = Wrapper(propagate.get_global_textmap())
        propagate.set_global_textmap(theirs)
        botanu.disable()
        after = theirs.wrapped
        propagate.set_global_textmap(before)

        assert after is before

    def test_inside_a_wrapper_it_lets_nothing_in_or_out_either(self, wrapped, enable):
        enable()

        with a_run():
            headers = request(server_address="evil.com")
        context = propagate.extract(CALLER, Context())

        assert headers.keys() == {"traceparent"}
        assert run_in(context) is None
        assert baggage.get_all(context) == {"theirs": "1"}

    def test_disable_puts_the_programs_propagator_back(self):
        before = propagate.get_global_textmap()
        botanu.enable(exporter=InMemorySpanExporter())
        during = propagate.get_global_textmap()
        botanu.disable()

        assert isinstance(during, RunPropagator)
        assert during.fields == before.fields == {"traceparent", "tracestate", "baggage"}
        assert propagate.get_global_textmap() is before

    def test_a_propagator_that_the_program_sets_later_stays_and_leaks_nothing(self, enable):
        before = propagate.get_global_textmap()
        enable(baggage_hosts="localhost")
        theirs = CompositePropagator([TraceContextTextMapPropagator(), W3CBaggagePropagator()])
        propagate.set_global_textmap(theirs)

        with a_run():
            headers = request(server_address="localhost")
        botanu.disable()
        after = propagate.get_global_textmap()
        propagate.set_global_textmap(before)

        assert headers.keys() == {"traceparent"}
        assert after is theirs

    def test_one_that_the_program_has_built_into_its_own_lets_everything_pass_after_disable(self, enable):
        before = propagate.get_global_textmap()
        enable(baggage_hosts="localhost")
        theirs = CompositePropagator([propagate.get_global_textmap()])
        propagate.set_global_textmap(theirs)
        botanu.disable()
        enable(baggage_hosts="localhost", trust_baggage=True)

        with a_run() as run:
            told = request(server_address="localhost")
        inside = run_in(propagate.extract(told, Context()))
        botanu.disable()
        propagate.set_global_textmap(before)

        assert inside.identity == run.identity

    def test_put_on_again_it_leaves_a_propagator_that_the_program_has_set_meanwhile(self):
        before, theirs = propagate.get_global_textmap(), CompositePropagator([])
        ours = put_around(hosts=(), trusted=False)
        ours.take_off()
        propagate.set_global_textmap(theirs)

        ours.put_on()
        found = propagate.get_global_textmap()
        propagate.set_global_textmap(before)

        assert found is theirs
