"""botanu: what one business outcome of an AI workflow really costs, failures and retries included.

Mark the work::

    from botanu import botanu_workflow, emit_outcome

    @botanu_workflow("fulfill-order", event_id="order-17", customer_id="acme")
    def fulfill() -> None:
        emit_outcome("success", value_type="orders_fulfilled", value_amount=1)

and ask ``botanu report`` what it costs.
"""

from botanu.errors import BotanuError, IdentityError, OutcomeError, SettingsError
from botanu.sdk.configure import Status, disable, enable, flush, status
from botanu.sdk.counts import Counts
from botanu.sdk.outcome import Outcome, emit_outcome
from botanu.sdk.scope import Run, current_run
from botanu.sdk.usage import LlmCall, track_llm_call
from botanu.sdk.workflow import botanu_workflow, run_botanu
from botanu.semconv import OutcomeStatus

__all__ = [
    "BotanuError",
    "Counts",
    "IdentityError",
    "LlmCall",
    "Outcome",
    "OutcomeError",
    "OutcomeStatus",
    "Run",
    "SettingsError",
    "Status",
    "botanu_workflow",
    "current_run",
    "disable",
    "emit_outcome",
    "enable",
    "flush",
    "run_botanu",
    "status",
    "track_llm_call",
]
