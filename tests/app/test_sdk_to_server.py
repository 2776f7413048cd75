"""A program with the SDK in one process, the server in another."""

import textwrap

import pytest
from support.guide import PYTHON
from support.process import run_python

SUPPLIED = '''
import asyncio
from types import SimpleNamespace as N
import botanu
from botanu import botanu_workflow, emit_outcome, run_botanu, track_llm_call
from opentelemetry import trace

class RateLimitError(Exception):
    """As a provider's client has it."""

named = "request customer order inquiry batch job".split()
request, customer, order, inquiry, batch, job = (N(id=f"{name}-1") for name in named)
event_id, customer_id = "event-1", "customer-1"
result = N(count=10, confidence=0.92, label="x")

async def nothing(*_):
    return result

do_work = process = do_something = nothing
'''

COLUMNS = "outcome_status, outcome_value_type, outcome_value_amount, outcome_reason, outcome_error_type, outcome_auto"


def outcomes(served, program, **environ):
    """Run *program* against the server, and give the outcome columns of its runs, in order of start."""
    run_python(SUPPLIED + textwrap.dedent(program), BOTANU_ENDPOINT=served.url, **environ)
    return [tuple(row) for row in served.sql(f"SELECT {COLUMNS} FROM runs ORDER BY start_time, run_id")]


def test_the_guides_failure_with_reason(served):
    program = PYTHON["Failure with Reason"] + textwrap.dedent("""
        asyncio.run(analyze("doc"))

        async def do_work(doc_id):
            return {}
        asyncio.run(analyze("doc"))

        for error in (RateLimitError, TimeoutError):
            async def do_work(doc_id):
                raise error
            try:
                asyncio.run(analyze("doc"))
            except error:
                pass
    """)
    assert outcomes(served, program) == [
        ("success", "items_analyzed", 1, None, None, False),
        ("failed", None, None, "not_found", "NotFound", False),
        ("failed", None, None, "rate_limit_exceeded", "RateLimitError", False),
        ("timeout", None, None, "analysis_timeout", "TimeoutError", False),
    ]


def test_the_guides_partial_success(served):
    program = PYTHON["Partial Success"] + textwrap.dedent("""
        async def do_something(item):
            if item > good:
                raise ValueError(item)
        for good in (3, 2, 0):
            asyncio.run(process_batch([1, 2, 3]))
    """)
    assert outcomes(served, program) == [
        ("success", "items_processed", 3, None, None, False),
        ("partial", "items_processed", 2, "processed_2_of_3", None, False),
        ("failed", None, None, "no_items_processed", None, False),
    ]


def test_the_guides_automatic_outcomes(served):
    first, second = PYTHON["Automatic Outcomes 0"], PYTHON["Automatic Outcomes 1"]
    program = f"""{first}
asyncio.run(my_function())
{second}
asyncio.run(my_function())

@botanu_workflow("my-workflow", event_id=event_id, customer_id=customer_id)
async def my_function():
    raise LookupError("private")
try:
    asyncio.run(my_function())
except LookupError:
    pass

@botanu_workflow("my-workflow", event_id=event_id, customer_id=customer_id, auto_outcome_on_success=False)
async def my_function():
    return result
asyncio.run(my_function())
"""
    assert outcomes(served, program) == [
        ("success", None, None, None, None, True),
        ("success", None, None, None, None, False),
        ("failed", None, None, "LookupError", "LookupError", True),
        (None, None, None, None, None, None),
    ]
    assert served.sql("SELECT attempt, outcome_count FROM runs ORDER BY start_time") == [[1, 0], [2, 1], [3, 0], [4, 0]]


def test_the_guides_context_manager(served):
    program = PYTHON["Context Manager Alternative"] + "\nasyncio.run(my_function('event-7', 'customer-7'))"

    assert outcomes(served, program) == [("success", "items_processed", 10, None, None, False)]
    assert served.sql("SELECT event_id, customer_id, workflow FROM runs") == [["event-7", "customer-7", "my-workflow"]]


def test_what_was_emitted_stands_whatever_comes_after(served):
    program = """
        async def explicit(status, error):
            async with run_botanu("w", event_id="e", customer_id="c") as run:
                with trace.get_tracer("x").start_as_current_span("child"):
                    emit_outcome(status, reason="mine")
                if error:
                    raise error

        asyncio.run(explicit("partial", None))
        for status, error in (("timeout", TimeoutError()), ("success", ValueError()), ("partial", KeyboardInterrupt())):
            try:
                asyncio.run(explicit(status, error))
            except BaseException as caught:
                assert type(caught) is type(error)
    """
    assert outcomes(served, program) == [
        ("partial", None, None, "mine", None, False),
        ("timeout", None, None, "mine", None, False),
        ("success", None, None, "mine", None, False),
        ("partial", None, None, "mine", None, False),
    ]


def test_an_exception_in_a_generators_body_fails_the_run(served):
    program = """
        @botanu_workflow("numbers", event_id="e", customer_id="c")
        def numbers():
            yield 1
            raise ArithmeticError

        try:
            list(numbers())
        except ArithmeticError:
            pass
    """
    assert outcomes(served, program) == [("failed", None, None, "ArithmeticError", "ArithmeticError", True)]


def test_a_failed_call_repeated_for_the_same_event_is_attempt_two(served):
    program = """
        @botanu_workflow("refund", event_id=lambda order: order, customer_id="c")
        def refund(order, fail):
            with track_llm_call(provider="openai", model="gpt-4o") as call:
                call.set_tokens(1000, 0)
            if fail:
                raise ConnectionError

        try:
            refund("order-1", True)
        except ConnectionError:
            refund("order-1", False)
        refund("order-2", False)
    """
    outcomes(served, program)

    assert served.sql("SELECT event_id, attempt, outcome_status, total_cost FROM runs ORDER BY start_time") == [
        ["order-1", 1, "failed", 0.0025],
        ["order-1", 2, "success", 0.0025],
        ["order-2", 1, "success", 0.0025],
    ]
    assert served.sql("SELECT event_id, attempts, outcome_status, total_cost FROM events ORDER BY event_id") == [
        ["order-1", 2, "success", 0.005],
        ["order-2", 1, "success", 0.0025],
    ]


def test_nested_runs_keep_their_own_cost_and_point_to_each_other(served):
    program = """
        def call():
            with track_llm_call(provider="openai", model="gpt-4o") as tracked:
                tracked.set_tokens(1000, 0)

        with run_botanu("outer", event_id="e", customer_id="c"):
            call()
            with run_botanu("inner", event_id="e", customer_id="c"):
                call()
                call()
    """
    outcomes(served, program)

    ((outer, no_parent, outer_root, outer_cost), (inner, parent, inner_root, inner_cost)) = served.sql(
        "SELECT run_id, parent_run_id, root_run_id, total_cost FROM runs ORDER BY start_time"
    )
    assert (no_parent, outer_root, outer_cost) == (None, outer, 0.0025)
    assert (parent, inner_root, inner_cost) == (outer, outer, 0.005)
    assert inner != outer
    assert served.sql("SELECT attempts, runs, total_cost FROM events") == [[1, 2, 0.0075]]


@pytest.mark.parametrize("headers", [{}, {"OTEL_EXPORTER_OTLP_COMPRESSION": "gzip"}])
def test_opentelemetrys_own_variables_work_as_well(served, headers):
    run_python(
        SUPPLIED + "with run_botanu('w', event_id='e', customer_id='c'): pass",
        OTEL_EXPORTER_OTLP_ENDPOINT=served.url,
        OTEL_SERVICE_NAME="billing",
        OTEL_RESOURCE_ATTRIBUTES="deployment.environment.name=prod",
        **headers,
    )

    assert served.sql("SELECT service_name, environment FROM spans") == [["billing", "prod"]]
    assert served.sql("SELECT environment FROM runs") == [["prod"]]


def test_a_whole_process_exits_by_itself_and_loses_nothing(served):
    run_python(
        SUPPLIED
        + textwrap.dedent("""
        @botanu_workflow("w", event_id=lambda n: n, customer_id="c")
        def work(n):
            with track_llm_call(provider="openai", model="gpt-4o-mini") as call:
                call.set_tokens(n, n)

        for n in range(3000):
            work(n)
        """),
        BOTANU_ENDPOINT=served.url,
    )

    assert served.sql("SELECT count(*), sum(span_count), sum(calls) FROM runs") == [[3000, 6000, 3000]]
