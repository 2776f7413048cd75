"""The caller's run around requests."""

import asyncio
import io
from wsgiref.util import FileWrapper, setup_testing_defaults
from wsgiref.validate import validator

import pytest
from opentelemetry import trace
from opentelemetry.propagate import extract
from opentelemetry.trace import SpanKind

import botanu
from botanu import AsgiMiddleware, WsgiMiddleware, run_botanu, semconv
from botanu.sdk.identity import run_in
from botanu.testing import capture_runs

TRACE, CALLER = "a" * 32, "b" * 16
HEADERS = {
    "traceparent": f"00-{TRACE}-{CALLER}-01",
    "baggage": "botanu.run_id=r-1,botanu.workflow=order,theirs=1",
}


@pytest.fixture(params=[True, False], ids=["trusted", "not trusted"])
def trusted(request):
    with capture_runs(strict=False) as captured:
        botanu.enable(trust_baggage=request.param)
        yield captured, "r-1" if request.param else None


def a_run():
    return run_botanu("serve", event_id="e", customer_id="c")


def run_here():
    run = run_in()
    return None if run is None else run.run_id


def served(captured):
    """Return trace, parent span and parent run of the one run that was served."""
    root = captured.of("serve").root
    parent = root.parent and f"{root.parent.span_id:016x}"
    return f"{root.context.trace_id:032x}", parent, root.attributes.get(semconv.PARENT_RUN_ID)


class Asgi:
    """Speaks ASGI to an application."""

    def __init__(self, app, *, headers=HEADERS, kind="http"):
        self.sent = []
        scope = {
            "type": kind,
            "headers": [(name.encode(), value.encode()) for name, value in headers.items()],
        }
        asyncio.run(self.speak(app, scope))

    async def speak(self, app, scope):
        await app(scope, self.receive, self.send)
        self.after = run_here()

    async def receive(self):
        return {"type": "http.request"}

    async def send(self, message):
        self.sent.append(message)


class TestAsgi:
    def test_a_request_is_handled_inside_the_callers_trace_and_run(self, trusted):
        captured, caller = trusted

        async def app(scope, receive, send):
            assert await receive() == {"type": "http.request"}
            with a_run():
                await send("part")
            await send(run_here())

        spoken = Asgi(AsgiMiddleware(app))

        assert spoken.sent == ["part", caller]
        assert spoken.after is None
        assert served(captured) == (TRACE, CALLER, caller)

    def test_an_exception_passes_and_the_context_is_restored(self, trusted):
        async def app(scope, receive, send):
            raise LookupError

        async def main():
            with pytest.raises(LookupError):
                await AsgiMiddleware(app)({"type": "http"}, None, None)
            return run_here()

        assert asyncio.run(main()) is None

    @pytest.mark.parametrize("kind", ["lifespan", "websocket"])
    def test_other_connections_pass(self, trusted, kind):
        async def app(scope, receive, send):
            await send((scope["type"], run_here()))

        assert Asgi(AsgiMiddleware(app), kind=kind).sent == [(kind, None)]

    def test_a_server_span_of_an_instrumentation_stays(self, trusted):
        captured, caller = trusted

        async def app(scope, receive, send):
            with a_run():
                pass

        async def instrumented(scope, receive, send):
            with trace.get_tracer("asgi").start_as_current_span("GET", extract(HEADERS), SpanKind.SERVER) as span:
                self.server = f"{span.get_span_context().span_id:016x}"
                await AsgiMiddleware(app)(scope, receive, send)

        Asgi(instrumented)

        assert served(captured) == (TRACE, self.server, caller)

    def test_without_headers_a_request_is_a_trace_of_its_own(self, trusted):
        async def app(scope, receive, send):
            with a_run():
                pass

        Asgi(AsgiMiddleware(app), headers={})

        assert served(trusted[0])[1:] == (None, None)


def answer(app, headers=HEADERS):
    """Ask a WSGI application as a strict server would; return the parts of its answer."""
    environ = {f"HTTP_{name.upper()}": value for name, value in headers.items()} | {"QUERY_STRING": ""}
    setup_testing_defaults(environ)
    parts = validator(app)(environ, lambda *_: lambda _: None)
    try:
        return [*parts]
    finally:
        parts.close()


def start(start_response):
    start_response("200 OK", [("Content-Type", "text/plain")])


class TestWsgi:
    def test_a_request_is_handled_inside_the_callers_trace_and_run(self, trusted):
        captured, caller = trusted

        def app(environ, start_response):
            start(start_response)
            with a_run():
                return [str(run_in().identity.get(semconv.PARENT_RUN_ID)).encode()]

        assert answer(WsgiMiddleware(app)) == [str(caller).encode()]
        assert run_here() is None
        assert served(captured) == (TRACE, CALLER, caller)

    def test_so_is_a_response_that_is_made_part_by_part_until_it_is_closed(self, trusted):
        captured, caller = trusted
        closed = []

        def app(environ, start_response):
            start(start_response)
            try:
                with a_run():
                    yield b"one"
                    yield b"two"
                yield str(run_here()).encode()
            finally:
                closed.append(run_here())

        assert answer(WsgiMiddleware(app)) == [b"one", b"two", str(caller).encode()]
        assert closed == [caller]
        assert served(captured) == (TRACE, CALLER, caller)

    def test_a_caller_that_hangs_up_cancels_the_run(self, trusted):
        captured, _ = trusted

        def app(environ, start_response):
            start(start_response)
            with a_run():
                yield b"one"
                yield b"never"

        environ = {}
        setup_testing_defaults(environ)
        parts = WsgiMiddleware(app)(environ, lambda *_: None)
        assert next(parts) == b"one"
        parts.close()

        assert captured.of("serve").outcome_attributes["status"] == "canceled"

    def test_close_of_a_response_is_called_inside(self, trusted):
        _, caller = trusted

        class Parts:
            def __iter__(self):
                return iter([b"part"])

            def close(self):
                self.closed = run_here()

        parts = Parts()

        def app(environ, start_response):
            start(start_response)
            return parts

        assert answer(WsgiMiddleware(app)) == [b"part"]
        assert parts.closed == caller

    def test_a_response_that_cannot_be_closed_need_not_be(self, trusted):
        def app(environ, start_response):
            start(start_response)
            return iter([b"part"])

        parts = WsgiMiddleware(app)({}, lambda *_: None)
        assert [*parts] == [b"part"]
        parts.close()

    def test_what_servers_look_at_reaches_them_as_it_is(self, trusted):
        bodies = [[b"whole"], (b"whole",), FileWrapper(io.BytesIO(b"file"))]

        for body in bodies:
            app = WsgiMiddleware(lambda environ, start_response, body=body: body)
            assert app({"wsgi.file_wrapper": FileWrapper}, None) is body

    def test_an_exception_passes(self, trusted):
        def app(environ, start_response):
            raise LookupError

        with pytest.raises(LookupError):
            WsgiMiddleware(app)(dict(HEADERS), None)
        assert run_here() is None

    def test_a_server_span_of_an_instrumentation_stays(self, trusted):
        captured, caller = trusted

        def app(environ, start_response):
            start(start_response)
            with a_run():
                return []

        with trace.get_tracer("wsgi").start_as_current_span("GET", extract(HEADERS), SpanKind.SERVER) as span:
            answer(WsgiMiddleware(app))

        assert served(captured) == (TRACE, f"{span.get_span_context().span_id:016x}", caller)


def test_switched_off_applications_are_called_as_they_are():
    botanu.disable()

    async def asgi(scope, receive, send):
        await send(run_here())

    body = iter([b"part"])

    assert Asgi(AsgiMiddleware(asgi)).sent == [None]
    assert WsgiMiddleware(lambda *_: body)({}, None) is body


@pytest.mark.parametrize("middleware", [AsgiMiddleware, WsgiMiddleware])
def test_an_application_that_is_none_is_refused_where_it_is_given(middleware):
    with pytest.raises(TypeError, match="no application to stand around: None"):
        middleware(None)
