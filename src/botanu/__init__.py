"""botanu: what one business outcome of an AI workflow really costs, failures and retries included.

Mark the work::

    from botanu import botanu_workflow, emit_outcome

    @botanu_workflow("fulfill-order", event_id="order-17", customer_id="acme")
    def fulfill() -> None:
        emit_outcome("success", value_type="orders_fulfilled", value_amount=1)

and ask ``botanu report`` what it costs.
"""

from importlib import import_module
from typing import TYPE_CHECKING

from botanu.errors import BotanuError, IdentityError, OutcomeError, SettingsError
from botanu.sdk.configure import disable, enable, flush, status
from botanu.sdk.outcome import Outcome, emit_outcome
from botanu.sdk.scope import Run, current_run
from botanu.sdk.sent import Counts, Status
from botanu.sdk.workflow import botanu_workflow, run_botanu
from botanu.semconv import OutcomeStatus

if TYPE_CHECKING:
    from botanu.sdk.calls import Call, track_tool_call
    from botanu.sdk.carrying import carry
    from botanu.sdk.data import (
        DbCall,
        MessagingCall,
        StorageCall,
        track_db_operation,
        track_messaging_operation,
        track_storage_operation,
    )
    from botanu.sdk.llm import LlmCall, track_llm_call
    from botanu.sdk.messages import Extracted, extract, inject
    from botanu.sdk.middleware import AsgiMiddleware, WsgiMiddleware
    from botanu.sdk.retrying import tenacity_attempt
    from botanu.sdk.steps import set_business_context, step
    from botanu.sdk.usage import record_cost, record_usage

__all__ = [
    "AsgiMiddleware",
    "BotanuError",
    "Call",
    "Counts",
    "DbCall",
    "Extracted",
    "IdentityError",
    "LlmCall",
    "MessagingCall",
    "Outcome",
    "OutcomeError",
    "OutcomeStatus",
    "Run",
    "SettingsError",
    "Status",
    "StorageCall",
    "WsgiMiddleware",
    "botanu_workflow",
    "carry",
    "current_run",
    "disable",
    "emit_outcome",
    "enable",
    "extract",
    "flush",
    "inject",
    "record_cost",
    "record_usage",
    "run_botanu",
    "set_business_context",
    "status",
    "step",
    "tenacity_attempt",
    "track_db_operation",
    "track_llm_call",
    "track_messaging_operation",
    "track_storage_operation",
    "track_tool_call",
]

_LATE = {
    "calls": ("Call", "track_tool_call"),
    "carrying": ("carry",),
    "data": (
        "DbCall",
        "MessagingCall",
        "StorageCall",
        "track_db_operation",
        "track_messaging_operation",
        "track_storage_operation",
    ),
    "llm": ("LlmCall", "track_llm_call"),
    "messages": ("Extracted", "extract", "inject"),
    "middleware": ("AsgiMiddleware", "WsgiMiddleware"),
    "retrying": ("tenacity_attempt",),
    "steps": ("set_business_context", "step"),
    "usage": ("record_cost", "record_usage"),
}
# What not every program uses is imported on first use: it would take as long as all the rest.


def __getattr__(name: str) -> object:
    """Import *name* where it is defined."""
    for module, names in _LATE.items():
        if name in names:
            value = getattr(import_module(f"botanu.sdk.{module}"), name)
            globals()[name] = value
            return value
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    """Return what is public, imported or not."""
    return [*__all__]
