"""Every sample of the users' guide, run as it is written; only the names it leaves undefined are supplied."""

import asyncio
import inspect
from types import SimpleNamespace

import pytest
from support.guide import PYTHON, SQL

import botanu
from botanu import botanu_workflow, emit_outcome, run_botanu


class RateLimitError(Exception):
    """What a provider's client raises."""


def result(**fields):
    return SimpleNamespace(count=10, total=499.99, completed=True, confidence=0.92, label="billing", **fields)


def returning(value=None, error=None):
    async def work(*_):
        if error is not None:
            raise error()
        return result() if value is None else value

    return work


def names(**supplied):
    """The names the samples use and the guide does not define."""
    ids = {
        name: SimpleNamespace(id=f"{name}-1") for name in ("request", "customer", "order", "inquiry", "batch", "job")
    }
    return {
        "botanu_workflow": botanu_workflow,
        "emit_outcome": emit_outcome,
        "run_botanu": run_botanu,
        **ids,
        "event_id": "event-1",
        "customer_id": "customer-1",
        "do_work": returning(),
        "process": returning(),
        "do_something": returning(),
        "result": result(),
        "RateLimitError": RateLimitError,
        **supplied,
    }


def outcome_of(runs, sample, *arguments, raises=None, **supplied):
    """Run a sample that defines one function, call that, and give the outcome on its run."""
    namespace = names(**supplied)
    before = set(namespace)
    exec(compile(PYTHON[sample], sample, "exec"), namespace)
    (function,) = (value for name, value in namespace.items() if name not in before and inspect.isroutine(value))
    call = asyncio.wait_for(function(*arguments), 10)
    if raises is None:
        asyncio.run(call)
    else:
        with pytest.raises(raises):
            asyncio.run(call)
    return runs.only().outcome_attributes


def done(status, **fields):
    return {"status": status, **fields}


ONE = {"value_amount": 1}
CASES = [
    ("Basic Usage", (), {}, done("success", value_type="items_processed", value_amount=10)),
    ("Success with Value", (), {}, done("success", value_type="orders_fulfilled", **ONE)),
    ("Success with Revenue", (), {}, done("success", value_type="revenue_generated", value_amount=499.99)),
    (
        "Success with Revenue",
        (),
        {"process": returning(SimpleNamespace(completed=False))},
        done("partial", value_type="leads_qualified", **ONE),
    ),
    ("Partial Success", ([1, 2, 3],), {}, done("success", value_type="items_processed", value_amount=3)),
    (
        "Partial Success",
        ([1, 2, 3],),
        {"do_something": lambda item: returning(error=ValueError if item == 2 else None)()},
        done("partial", value_type="items_processed", value_amount=2, reason="processed_2_of_3"),
    ),
    (
        "Partial Success",
        ([1, 2, 3],),
        {"do_something": returning(error=ValueError)},
        done("failed", reason="no_items_processed"),
    ),
    ("Failure with Reason", ("doc-1",), {}, done("success", value_type="items_analyzed", **ONE)),
    (
        "Failure with Reason",
        ("doc-1",),
        {"do_work": returning({})},
        done("failed", reason="not_found", error_type="NotFound"),
    ),
    (
        "Failure with Reason",
        ("doc-1",),
        {"do_work": returning(error=RateLimitError), "raises": RateLimitError},
        done("failed", reason="rate_limit_exceeded", error_type="RateLimitError"),
    ),
    (
        "Failure with Reason",
        ("doc-1",),
        {"process": returning(error=TimeoutError), "raises": TimeoutError},
        done("timeout", reason="analysis_timeout", error_type="TimeoutError"),
    ),
    (
        "Classification with Confidence",
        ("hello",),
        {},
        done("success", value_type="classifications_completed", confidence=0.92, **ONE),
    ),
    ("Automatic Outcomes 0", (), {}, done("success", auto=True)),
    ("Automatic Outcomes 1", (), {}, done("success")),
    (
        "Context Manager Alternative",
        ("event-1", "customer-1"),
        {},
        done("success", value_type="items_processed", value_amount=10),
    ),
    ("1. Always Record Outcomes", (), {}, done("success", value_type="items_processed", value_amount=10)),
    (
        "1. Always Record Outcomes",
        (),
        {"do_work": returning(error=LookupError), "raises": LookupError},
        done("failed", reason="LookupError", error_type="LookupError"),
    ),
    ("5. One Outcome Per Run", ([1, 2],), {}, done("success", value_type="items_processed", value_amount=2)),
]


@pytest.mark.parametrize(("sample", "arguments", "supplied", "expected"), CASES)
def test_a_sample_that_defines_a_workflow(runs, sample, arguments, supplied, expected):
    assert outcome_of(runs, sample, *arguments, **supplied) == expected


STATEMENTS = {
    "value_type": {"value_type": "revenue_generated", "value_amount": 499.99, "count": 4},
    "value_amount": {"value_type": "quality_score", "value_amount": 4.5, "count": 3},
    "confidence": {"value_type": "classifications_completed", "value_amount": 1, "confidence": 0.92},
    "reason": {"status": "partial", "reason": "timeout_partial_results", "value_amount": 3, "count": 3},
    "error_type": {"status": "timeout", "reason": "model took too long", "error_type": "DeadlineExceeded", "count": 2},
    "metadata": {
        "value_type": "items_processed",
        "value_amount": 10,
        "metadata.batch_id": "abc-123",
        "metadata.retry_count": 2,
    },
    "2. Use Consistent Value Types": {"value_type": "doc processed", "value_amount": 1, "count": 4},
    "3. Quantify When Possible": {"count": 2},
    "4. Include Reasons for Failures": {
        "status": "timeout",
        "reason": "model_unavailable",
        "error_type": "TimeoutError",
        "count": 3,
    },
}


@pytest.mark.parametrize(("sample", "expected"), STATEMENTS.items())
def test_a_sample_of_statements_inside_a_run(runs, sample, expected):
    with run_botanu("guide", event_id="e-1", customer_id="c-1"):
        exec(compile(PYTHON[sample], sample, "exec"), names())

    assert runs.only().outcome_attributes == {"status": "success", **expected}


def test_the_parameters_are_those_the_guide_lists():
    listed = [line.strip().split(":")[0] for line in PYTHON["emit_outcome() Parameters"].splitlines() if ":" in line]

    signature = inspect.signature(emit_outcome)
    assert list(signature.parameters) == listed
    assert all(signature.parameters[name].kind is inspect.Parameter.KEYWORD_ONLY for name in listed[1:])
    assert all(signature.parameters[name].default is None for name in listed[1:])


def test_the_span_event_is_the_one_the_guide_shows(runs):
    with run_botanu("guide", event_id="e-1", customer_id="c-1"):
        emit_outcome("success", value_type="items_processed", value_amount=1)

    lines = [line.lstrip("# ") for line in PYTHON["Span Events"].splitlines()]
    (event,) = runs.only().root.events
    assert lines[0] == f"Event: {event.name}"
    assert [line.replace('"', "") for line in lines[2:]] == [
        f"{key}: {value}" for key, value in event.attributes.items()
    ]


def test_no_sample_is_left_out():
    tested = {sample for sample, *_ in CASES} | STATEMENTS.keys() | {"emit_outcome() Parameters", "Span Events"}

    assert PYTHON.keys() == tested
    assert len(SQL) == 1  # both queries in one: run against the demo in tests/app


@pytest.fixture(autouse=True)
def _flushed():
    yield
    botanu.flush()
