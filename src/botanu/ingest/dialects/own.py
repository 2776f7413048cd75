"""botanu's own words, and OpenTelemetry's: the dialects that are asked first."""

from botanu import semconv
from botanu.ingest.dialects.columns import METERED, Dialect

_DATA = {
    "bytes_scanned": semconv.WAREHOUSE_BYTES_SCANNED,
    "bytes_read": semconv.DATA_BYTES_READ,
    "bytes_written": semconv.DATA_BYTES_WRITTEN,
    "objects": semconv.DATA_OBJECTS_COUNT,
    "rows": semconv.DATA_ROWS_AFFECTED,
    "cache_read_tokens": f"{semconv.USAGE}cached_tokens",
}
# Other attributes of ours for a meter.

BOTANU = Dialect(
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
        "step": (semconv.STEP,),
        "outcome_status": (semconv.OUTCOME_STATUS,),
        "outcome_value_type": (semconv.OUTCOME_VALUE_TYPE,),
        "outcome_value_amount": (semconv.OUTCOME_VALUE_AMOUNT,),
        "outcome_confidence": (semconv.OUTCOME_CONFIDENCE,),
        "outcome_reason": (semconv.OUTCOME_REASON,),
        "outcome_error_type": (semconv.OUTCOME_ERROR_TYPE,),
        "outcome_auto": (semconv.OUTCOME_AUTO,),
        "outcome_count": (semconv.OUTCOME_COUNT,),
        "outcome_late": (semconv.OUTCOME_LATE,),
        "provider": (semconv.PROVIDER, "botanu.vendor"),
        "service_tier": (semconv.SERVICE_TIER,),
        "cost_amount": (semconv.COST_AMOUNT,),
        "cost_currency": (semconv.COST_CURRENCY,),
        "cache_hit": ("botanu.request.cache_hit",),
        **{meter: (f"{semconv.USAGE}{meter}", *((_DATA[meter],) if meter in _DATA else ())) for meter in METERED},
    },
)
"""What the SDK writes."""

OWN_USAGE = {name: meter for meter in METERED for name in BOTANU.attributes[meter] if name.startswith(semconv.USAGE)}
"""The attributes in which a program reports usage itself, with their meters."""

OPENTELEMETRY = Dialect(
    "OpenTelemetry GenAI",
    "https://github.com/open-telemetry/semantic-conventions-genai",
    {
        "operation": (semconv.GEN_AI_OPERATION_NAME,),
        "provider": (semconv.GEN_AI_PROVIDER_NAME,),
        "request_model": (semconv.GEN_AI_REQUEST_MODEL,),
        "response_model": (semconv.GEN_AI_RESPONSE_MODEL,),
        "response_id": (semconv.GEN_AI_RESPONSE_ID,),
        "service_tier": ("openai.response.service_tier", "openai.request.service_tier"),
        "tool": (semconv.GEN_AI_TOOL_NAME,),
        "error_type": (semconv.ERROR_TYPE,),
        "input_tokens": (semconv.GEN_AI_INPUT_TOKENS,),
        "output_tokens": (semconv.GEN_AI_OUTPUT_TOKENS,),
        "cache_read_tokens": (semconv.GEN_AI_CACHE_READ_TOKENS,),
        "cache_write_tokens": (semconv.GEN_AI_CACHE_WRITE_TOKENS, "gen_ai.usage.cache_write.input_tokens"),
        "output_reasoning_tokens": (semconv.GEN_AI_REASONING_TOKENS,),
        "input_audio_tokens": ("gen_ai.usage.audio.input_tokens",),
        "input_image_tokens": ("gen_ai.usage.image.input_tokens",),
        "input_video_tokens": ("gen_ai.usage.video.input_tokens",),
        "output_audio_tokens": ("gen_ai.usage.audio.output_tokens",),
        "cost_amount": ("gen_ai.usage.cost.amount",),
        "cost_currency": ("gen_ai.usage.cost.currency",),
    },
)

COSTS = tuple(
    pair
    for dialect in (BOTANU, OPENTELEMETRY)
    for pair in zip(dialect.attributes["cost_amount"], dialect.attributes["cost_currency"], strict=True)
)
"""The attributes of a reported cost and of its currency, the preferred first."""

DEPRECATED = Dialect(
    "OpenTelemetry GenAI, deprecated",
    "https://opentelemetry.io/docs/specs/semconv/registry/attributes/gen-ai/",
    {
        "provider": ("gen_ai.system",),
        "service_tier": (
            "gen_ai.openai.response.service_tier",
            "gen_ai.response.service_tier",
            "gen_ai.openai.request.service_tier",
            "gen_ai.request.service_tier",
        ),
        "input_tokens": ("gen_ai.usage.prompt_tokens",),
        "output_tokens": ("gen_ai.usage.completion_tokens",),
    },
)
