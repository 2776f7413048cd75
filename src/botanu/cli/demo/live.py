"""The live part: the guide's workflows, written as the guide writes them, through the real SDK."""

import asyncio

from botanu import botanu_workflow, emit_outcome, track_llm_call
from botanu.cli.demo.scenario import Call, Plan


class RateLimitError(Exception):
    """The provider turned the call away."""


class ServiceUnavailable(Exception):  # noqa: N818 - named as the guide names it
    """Something upstream is down."""


_ERRORS: dict[str, type[Exception]] = {
    "RateLimitError": RateLimitError,
    "ServiceUnavailable": ServiceUnavailable,
    "TimeoutError": TimeoutError,
}


async def call_model(call: Call) -> None:
    """Stand in for a provider's client: wait as long as it would, and record what it would bill."""
    with track_llm_call(provider=call.provider, model=call.model) as tracked:
        await asyncio.sleep(call.seconds)
        tracked.set_tokens(call.input_tokens, call.output_tokens, cache_read_tokens=call.cache_read_tokens or None)


async def do_work(plan: Plan) -> None:
    """Make the calls of a run; raise what stops it."""
    for call in plan.calls:
        await call_model(call)
    if plan.result.raises:
        raise _ERRORS[str(plan.result.error_type)]


@botanu_workflow(
    "fulfill-order", event_id=lambda plan: plan.event_id, customer_id=lambda plan: plan.customer_id, version="v2"
)
async def process_order(plan: Plan) -> None:
    """Fulfil one order."""
    await do_work(plan)
    if plan.result.status == "canceled":
        emit_outcome("canceled", reason=plan.result.reason)
        return
    emit_outcome("success", value_type="orders_fulfilled", value_amount=1)


@botanu_workflow(
    "handle-inquiry", event_id=lambda plan: plan.event_id, customer_id=lambda plan: plan.customer_id, version="v2"
)
async def handle_inquiry(plan: Plan) -> None:
    """Answer one inquiry: it ends in revenue, or in a lead."""
    await do_work(plan)
    if plan.result.status == "success":
        emit_outcome("success", value_type="revenue_generated", value_amount=plan.result.value_amount)
    else:
        emit_outcome("partial", value_type="leads_qualified", value_amount=1)


@botanu_workflow(
    "batch-process", event_id=lambda plan: plan.event_id, customer_id=lambda plan: plan.customer_id, version="v2"
)
async def process_batch(plan: Plan) -> None:
    """Process the items of one batch, as many as go through."""
    await do_work(plan)
    if plan.result.status == "failed":
        emit_outcome("failed", reason="no_items_processed")
    else:
        emit_outcome(
            plan.result.status,
            value_type="items_processed",
            value_amount=plan.result.value_amount,
            reason=plan.result.reason,
        )


@botanu_workflow(
    "analyze", event_id=lambda plan: plan.event_id, customer_id=lambda plan: plan.customer_id, version="v2"
)
async def analyze(plan: Plan) -> None:
    """Analyse one document."""
    try:
        await do_work(plan)
        if plan.result.status == "failed":
            emit_outcome("failed", reason="not_found", error_type="NotFound")
            return
        emit_outcome("success", value_type="items_analyzed", value_amount=1)
    except RateLimitError:
        emit_outcome("failed", reason="rate_limit_exceeded", error_type="RateLimitError")
        raise
    except TimeoutError:
        emit_outcome("timeout", reason="analysis_timeout", error_type="TimeoutError")
        raise


@botanu_workflow(
    "classify", event_id=lambda plan: plan.event_id, customer_id=lambda plan: plan.customer_id, version="v2"
)
async def classify(plan: Plan) -> None:
    """Classify one message."""
    await do_work(plan)
    emit_outcome("success", value_type="classifications_completed", value_amount=1, confidence=plan.result.confidence)


_FUNCTIONS = {
    "fulfill-order": process_order,
    "handle-inquiry": handle_inquiry,
    "batch-process": process_batch,
    "analyze": analyze,
    "classify": classify,
}


async def perform(event: tuple[Plan, ...]) -> None:
    """Run the attempts of one event, each after the one before has failed."""
    for plan in event:
        try:
            await _FUNCTIONS[plan.workflow](plan)
        except tuple(_ERRORS.values()):
            continue
