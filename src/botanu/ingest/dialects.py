"""The attribute names we can read, one table per dialect.

A dialect is a family of names for the same facts. For each of our columns it lists the attributes that hold it, the
preferred first. Dialects are asked in order; the first that has a value decides.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum

from botanu import semconv


class Kind(Enum):
    """How a column's attribute is read."""

    TEXT = "text"
    """As text; numbers and truth values are written out."""
    COUNT = "count"
    """As a whole number, 0 or more; a whole double or decimal digits count as one, anything else as unknown."""
    ORDINAL = "ordinal"
    """As a count that fits 32 bits."""
    AMOUNT = "amount"
    """As a decimal number with nine decimals; what is not finite or too large is unknown."""
    MONEY = "money"
    """As an amount of money: 0 or more, rounded to nine decimals; what is no number or too large is unknown."""
    NUMBER = "number"
    """As a double."""
    FLAG = "flag"
    """As a truth value."""
    STATUS = "status"
    """As one of the six statuses of an outcome; another text is unknown."""


COLUMNS: Mapping[str, Kind] = {
    "run_id": Kind.TEXT,
    "root_run_id": Kind.TEXT,
    "parent_run_id": Kind.TEXT,
    "event_id": Kind.TEXT,
    "customer_id": Kind.TEXT,
    "workflow": Kind.TEXT,
    "workflow_version": Kind.TEXT,
    "environment": Kind.TEXT,
    "tenant_id": Kind.TEXT,
    "attempt": Kind.ORDINAL,
    "is_run": Kind.FLAG,
    "outcome_status": Kind.STATUS,
    "outcome_value_type": Kind.TEXT,
    "outcome_value_amount": Kind.AMOUNT,
    "outcome_confidence": Kind.NUMBER,
    "outcome_reason": Kind.TEXT,
    "outcome_error_type": Kind.TEXT,
    "outcome_auto": Kind.FLAG,
    "outcome_count": Kind.ORDINAL,
    "outcome_late": Kind.FLAG,
    "operation": Kind.TEXT,
    "provider": Kind.TEXT,
    "request_model": Kind.TEXT,
    "response_model": Kind.TEXT,
    "response_id": Kind.TEXT,
    "error_type": Kind.TEXT,
    "input_tokens": Kind.COUNT,
    "output_tokens": Kind.COUNT,
    "cache_read_tokens": Kind.COUNT,
    "cache_write_tokens": Kind.COUNT,
    "cache_write_5m_tokens": Kind.COUNT,
    "cache_write_1h_tokens": Kind.COUNT,
    "input_audio_tokens": Kind.COUNT,
    "output_reasoning_tokens": Kind.COUNT,
    "output_audio_tokens": Kind.COUNT,
    "requests": Kind.COUNT,
    "cost_amount": Kind.MONEY,
    "cost_currency": Kind.TEXT,
}
"""Every column that is read from span attributes, and how."""

USAGE = tuple(name for name, kind in COLUMNS.items() if kind is Kind.COUNT)
"""The columns that are quantities of usage; their names are meters."""


@dataclass(frozen=True, slots=True)
class Dialect:
    """A family of attribute names. *source* says where they are defined."""

    name: str
    source: str
    attributes: Mapping[str, tuple[str, ...]]


DIALECTS = (
    Dialect(
        "botanu",
        "botanu.semconv",
        {
            "run_id": (semconv.RUN_ID,),
            "root_run_id": (semconv.ROOT_RUN_ID,),
            "parent_run_id": (semconv.PARENT_RUN_ID,),
            "event_id": (semconv.EVENT_ID,),
            "customer_id": (semconv.CUSTOMER_ID,),
            "workflow": (semconv.WORKFLOW,),
            "workflow_version": (semconv.WORKFLOW_VERSION,),
            "environment": (semconv.ENVIRONMENT,),
            "tenant_id": (semconv.TENANT_ID,),
            "attempt": (semconv.ATTEMPT,),
            "is_run": (semconv.RUN_ROOT,),
            "outcome_status": (semconv.OUTCOME_STATUS,),
            "outcome_value_type": (semconv.OUTCOME_VALUE_TYPE,),
            "outcome_value_amount": (semconv.OUTCOME_VALUE_AMOUNT,),
            "outcome_confidence": (semconv.OUTCOME_CONFIDENCE,),
            "outcome_reason": (semconv.OUTCOME_REASON,),
            "outcome_error_type": (semconv.OUTCOME_ERROR_TYPE,),
            "outcome_auto": (semconv.OUTCOME_AUTO,),
            "outcome_count": (semconv.OUTCOME_COUNT,),
            "provider": (semconv.PROVIDER,),
            "outcome_late": (semconv.OUTCOME_LATE,),
            "cost_amount": (semconv.COST_AMOUNT,),
            "cost_currency": (semconv.COST_CURRENCY,),
            **{meter: (f"{semconv.USAGE}{meter}",) for meter in USAGE},
        },
    ),
    Dialect(
        "OpenTelemetry GenAI",
        "https://github.com/open-telemetry/semantic-conventions-genai",
        {
            "operation": (semconv.GEN_AI_OPERATION_NAME,),
            "provider": (semconv.GEN_AI_PROVIDER_NAME,),
            "request_model": (semconv.GEN_AI_REQUEST_MODEL,),
            "response_model": (semconv.GEN_AI_RESPONSE_MODEL,),
            "response_id": (semconv.GEN_AI_RESPONSE_ID,),
            "error_type": (semconv.ERROR_TYPE,),
            "input_tokens": (semconv.GEN_AI_INPUT_TOKENS,),
            "output_tokens": (semconv.GEN_AI_OUTPUT_TOKENS,),
            "cache_read_tokens": (semconv.GEN_AI_CACHE_READ_TOKENS,),
            "cache_write_tokens": (semconv.GEN_AI_CACHE_WRITE_TOKENS, "gen_ai.usage.cache_write.input_tokens"),
            "output_reasoning_tokens": (semconv.GEN_AI_REASONING_TOKENS,),
            "input_audio_tokens": ("gen_ai.usage.audio.input_tokens",),
            "output_audio_tokens": ("gen_ai.usage.audio.output_tokens",),
        },
    ),
    Dialect(
        "OpenTelemetry GenAI, deprecated",
        "https://opentelemetry.io/docs/specs/semconv/registry/attributes/gen-ai/",
        {
            "provider": ("gen_ai.system",),
            "input_tokens": ("gen_ai.usage.prompt_tokens",),
            "output_tokens": ("gen_ai.usage.completion_tokens",),
        },
    ),
)
"""The dialects, in the order they are asked."""

CALL_OPERATIONS = ("chat", "text_completion", "generate_content", "embeddings")
"""Operations that consume usage: a span of one without any usage is a call whose usage is not known."""

ROLL_UP_OPERATIONS = ("create_agent", "execute_tool", "invoke_agent", "invoke_workflow", "plan")
"""Operations around calls: usage on their spans repeats that of the calls inside, and is not counted again."""

ENVIRONMENT_OF_RESOURCE = ("deployment.environment.name", "deployment.environment")
"""Resource attributes that name the environment where a span does not."""

SERVICE_OF_RESOURCE = "service.name"
"""Resource attribute that names the service."""
