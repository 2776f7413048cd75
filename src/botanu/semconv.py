"""Every attribute name and closed word list that crosses a process boundary.

Each constant carries a sentence; the attribute reference in the documentation is generated from these
sentences. The ``botanu.*`` names are this project's own. The ``gen_ai.*`` names are OpenTelemetry's
semantic conventions for generative AI, and a test compares them with the conventions' package.
"""

from enum import StrEnum
from typing import Final

# --- Run identity: on the root span, in baggage, and stamped on every span started inside the run ---

RUN_ID: Final = "botanu.run_id"
"""The run this span belongs to: a UUIDv7, new for each execution."""

WORKFLOW: Final = "botanu.workflow"
"""Name of the kind of work, low in cardinality, such as ``fulfill-order``."""

EVENT_ID: Final = "botanu.event_id"
"""The business transaction that the run serves; stable across retries."""

CUSTOMER_ID: Final = "botanu.customer_id"
"""The end customer served."""

ENVIRONMENT: Final = "botanu.environment"
"""Deployment environment, such as ``production``."""

TENANT_ID: Final = "botanu.tenant_id"
"""Whose data it is, where one program serves several tenants."""

ROOT_RUN_ID: Final = "botanu.root_run_id"
"""The outermost run around this one; the run itself when it is not nested."""

PARENT_RUN_ID: Final = "botanu.parent_run_id"
"""The run directly around this one; absent when it is not nested."""

ATTEMPT: Final = "botanu.attempt"
"""The run's ordinal within its event, where the program gave it; otherwise the store numbers the runs."""

WORKFLOW_VERSION: Final = "botanu.workflow.version"
"""Version of the workflow's code, for comparing deployments."""

STEP: Final = "botanu.step"
"""The named phase of the run that this span belongs to: the innermost ``step`` around it."""

TEAM: Final = "botanu.team"
"""Team that the work is done for, as ``set_business_context`` gave it."""

COST_CENTER: Final = "botanu.cost_center"
"""Cost center that the work is charged to, as ``set_business_context`` gave it."""

REGION: Final = "botanu.region"
"""Region that the work is done for or in, as ``set_business_context`` gave it."""

# --- The root span -----------------------------------------------------------------------------------

RUN_ROOT: Final = "botanu.run.root"
"""True on the one span that is the run itself: its duration is the run's, and it bears the outcome."""

FAULTS: Final = "botanu.faults"
"""Fields the SDK had to leave out or shorten, each with the reason, such as ``confidence: 2.0 is not in 0..1``."""

# --- The outcome, on the root span -------------------------------------------------------------------

OUTCOME_STATUS: Final = "botanu.outcome.status"
"""Status: success, partial, failed, timeout, canceled or abandoned."""

OUTCOME_VALUE_TYPE: Final = "botanu.outcome.value_type"
"""What was achieved, such as ``orders_fulfilled``."""

OUTCOME_VALUE_AMOUNT: Final = "botanu.outcome.value_amount"
"""How much of it was achieved."""

OUTCOME_CONFIDENCE: Final = "botanu.outcome.confidence"
"""Confidence score, from 0.0 to 1.0."""

OUTCOME_REASON: Final = "botanu.outcome.reason"
"""Why, especially for failures."""

OUTCOME_ERROR_TYPE: Final = "botanu.outcome.error_type"
"""Error classification, for aggregation."""

OUTCOME_METADATA: Final = "botanu.outcome.metadata."
"""Prefix of one attribute for each key of the outcome's ``metadata``."""

OUTCOME_AUTO: Final = "botanu.outcome.auto"
"""True when the SDK derived the outcome from how the run ended; absent when the program emitted it."""

OUTCOME_COUNT: Final = "botanu.outcome.count"
"""How many outcomes the program emitted in the run, written when it is more than one."""

OUTCOME_LATE: Final = "botanu.outcome.late"
"""True on a span that reports an outcome emitted after its run had ended; the span's identity says which run."""

# --- The span event ----------------------------------------------------------------------------------

OUTCOME_EMITTED: Final = "botanu.outcome_emitted"
"""Name of the span event that marks the moment of an outcome; its attributes are the names below."""


class OutcomeField(StrEnum):
    """Attribute names of the ``botanu.outcome_emitted`` span event."""

    STATUS = "status"
    VALUE_TYPE = "value_type"
    VALUE_AMOUNT = "value_amount"
    CONFIDENCE = "confidence"
    REASON = "reason"
    ERROR_TYPE = "error_type"
    AUTO = "auto"


class OutcomeStatus(StrEnum):
    """What became of a run."""

    SUCCESS = "success"
    PARTIAL = "partial"
    FAILED = "failed"
    TIMEOUT = "timeout"
    CANCELED = "canceled"
    ABANDONED = "abandoned"


# --- Usage and cost that the program reports itself ---------------------------------------------------

USAGE: Final = "botanu.usage."
"""Prefix of one attribute for each meter of ``record_usage``: its quantity, such as ``botanu.usage.pages``."""

COST_AMOUNT: Final = "botanu.cost.amount"
"""Cost that the program or the provider reports, exact: decimal digits as text, such as ``0.0125``."""

COST_CURRENCY: Final = "botanu.cost.currency"
"""Currency of the reported cost, by its ISO 4217 code, such as ``USD``."""

# --- Calls: OpenTelemetry's names, written by ``track_llm_call`` -------------------------------------

GEN_AI_OPERATION_NAME: Final = "gen_ai.operation.name"
"""What the call does: chat, text_completion, embeddings, …"""

GEN_AI_PROVIDER_NAME: Final = "gen_ai.provider.name"
"""Who bills, such as ``openai`` or ``aws.bedrock``."""

GEN_AI_REQUEST_MODEL: Final = "gen_ai.request.model"
"""The model the program asked for."""

GEN_AI_RESPONSE_MODEL: Final = "gen_ai.response.model"
"""The model that answered; priced before the requested one."""

GEN_AI_RESPONSE_ID: Final = "gen_ai.response.id"
"""The provider's id of the response."""

GEN_AI_INPUT_TOKENS: Final = "gen_ai.usage.input_tokens"
"""All input tokens, cached ones included."""

GEN_AI_OUTPUT_TOKENS: Final = "gen_ai.usage.output_tokens"
"""All output tokens, reasoning included."""

GEN_AI_CACHE_READ_TOKENS: Final = "gen_ai.usage.cache_read.input_tokens"
"""The part of the input that was read from the provider's cache."""

GEN_AI_CACHE_WRITE_TOKENS: Final = "gen_ai.usage.cache_creation.input_tokens"
"""The part of the input that was written to the provider's cache."""

GEN_AI_REASONING_TOKENS: Final = "gen_ai.usage.reasoning.output_tokens"
"""The part of the output that was reasoning."""

ERROR_TYPE: Final = "error.type"
"""Class of the error that ended the operation."""

# --- What people and models said ---------------------------------------------------------------------

CONTENT: Final = frozenset(
    {
        "agentops.entity.input",
        "agentops.entity.output",
        "ai.documents",
        "ai.embedding",
        "ai.embeddings",
        "ai.prompt",
        "ai.response.files",
        "ai.response.object",
        "ai.response.reasoning",
        "ai.response.text",
        "ai.response.toolCalls",
        "ai.result.object",
        "ai.result.text",
        "ai.result.toolCalls",
        "ai.schema",
        "ai.schema.description",
        "ai.toolCall.args",
        "ai.toolCall.result",
        "ai.value",
        "ai.values",
        "all_messages_events",
        "braintrust.input",
        "braintrust.input_json",
        "braintrust.output",
        "braintrust.output_json",
        "db.query.result.document",
        "db.query.text",
        "db.statement",
        "embedding.embeddings",
        "embedding.text",
        "error.message",
        "events",
        "exception.message",
        "exception.stacktrace",
        "final_result",
        "gcp.vertex.agent.llm_request",
        "gcp.vertex.agent.llm_response",
        "gcp.vertex.agent.tool_call_args",
        "gcp.vertex.agent.tool_response",
        "gen_ai.completion",
        "gen_ai.content.completion",
        "gen_ai.content.prompt",
        "gen_ai.event.content",
        "gen_ai.input.messages",
        "gen_ai.output.messages",
        "gen_ai.prompt",
        "gen_ai.request.messages",
        "gen_ai.response.object",
        "gen_ai.response.text",
        "gen_ai.response.tool_calls",
        "gen_ai.retrieval.documents",
        "gen_ai.retrieval.query.text",
        "gen_ai.system_instructions",
        "gen_ai.task.input",
        "gen_ai.task.output",
        "gen_ai.tool.call.arguments",
        "gen_ai.tool.call.result",
        "gen_ai.tool.definitions",
        "gen_ai.tool.input",
        "gen_ai.tool.output",
        "genkit:input",
        "genkit:output",
        "haystack.component.input",
        "haystack.component.output",
        "haystack.pipeline.input_data",
        "haystack.pipeline.output_data",
        "input.value",
        "langfuse.observation.input",
        "langfuse.observation.output",
        "langfuse.trace.input",
        "langfuse.trace.output",
        "lk.chat_ctx",
        "lk.function_tool.arguments",
        "lk.function_tool.output",
        "lk.input_text",
        "lk.instructions",
        "lk.response.function_calls",
        "lk.response.text",
        "lk.user_input",
        "lk.user_transcript",
        "llm.choices",
        "llm.completions",
        "llm.function_call",
        "llm.input_messages",
        "llm.output_messages",
        "llm.prompts",
        "llm.request.functions",
        "llm.tools",
        "mcp.request.argument",
        "mcp.response.value",
        "mlflow.chat.tools",
        "mlflow.spanInputs",
        "mlflow.spanOutputs",
        "mlflow.trace.intermediate_outputs",
        "model_request_parameters",
        "output.value",
        "pydantic_ai.all_messages",
        "request_data",
        "reranker.input_documents",
        "reranker.output_documents",
        "reranker.query",
        "response_data",
        "retrieval.documents",
        "tool.parameters",
        "tool_arguments",
        "tool_response",
        "traceloop.entity.input",
        "traceloop.entity.output",
        "traceloop.prompt.template",
        "traceloop.prompt.template_variables",
    }
)
"""Attributes that hold what people and models said, or may repeat it; not stored.

OpenTelemetry's own, and those of AgentOps, Braintrust, Genkit, Google's ADK, Haystack, Langfuse, LiveKit, Logfire and
Pydantic AI, MLflow, OpenInference, OpenLIT, OpenLLMetry, Sentry and the AI SDK of Vercel (checked 2026-11-22)."""

CONTENT_PREFIXES: Final = (
    "ai.prompt.",
    "embedding.embeddings.",
    "gen_ai.completion.",
    "gen_ai.prompt.",
    "input.documents.",
    "input.images.",
    "lk.pii.",
    "llm.choices.",
    "llm.completions.",
    "llm.input_messages.",
    "llm.output_messages.",
    "llm.prompt_template.",
    "llm.prompts.",
    "llm.request.functions.",
    "llm.tools.",
    "output.images.",
    "reranker.input_documents.",
    "reranker.output_documents.",
    "retrieval.documents.",
    "traceloop.prompt.",
)
"""Prefixes of further such attributes, where an instrumentation numbers or names the messages."""

MESSAGE_CONTENT: Final = frozenset({"arguments", "body", "content", "message", "tool_calls"})
"""Attributes, beyond those above, that hold what was said on span events named ``gen_ai.user.message`` and the like."""
