"""Frameworks that tell of their calls: Pydantic AI, Logfire, MLflow."""

import json
from functools import partial

from worked.calls import CACHED_4O, PLAIN_4O, REASONING_5, SONNET, SONNET_HOUR, SONNET_LIVES, reported
from worked.case import Case

_PYDANTIC = partial(Case, dialect="Pydantic AI")
_LOGFIRE = partial(Case, dialect="Logfire")
_MLFLOW = partial(Case, dialect="MLflow")

_LIVES = {"ephemeral_5m_input_tokens": 100, "ephemeral_1h_input_tokens": 300}


def _chat(system, model, given, made, **more):
    return {
        "gen_ai.operation.name": "chat",
        "gen_ai.system": system,
        "gen_ai.request.model": model,
        "gen_ai.usage.input_tokens": given,
        "gen_ai.usage.output_tokens": made,
        **more,
    }


_SONNET_CALL = _chat("anthropic", "claude-sonnet-4-5-20250929", 2460, 10)
_REALTIME_CALL = _chat("openai", "gpt-realtime-mini", 1000, 100)

PYDANTIC = (
    _PYDANTIC(
        name="pydantic-details",
        attributes=_SONNET_CALL
        | {"gen_ai.usage.details.cache_read_tokens": 2000, "gen_ai.usage.details.cache_write_tokens": 400},
        **SONNET,
    ),
    _PYDANTIC(
        name="pydantic-details-in-the-providers-words",
        attributes=_SONNET_CALL
        | {
            "gen_ai.usage.details.cache_read_input_tokens": 2000,
            "gen_ai.usage.details.cache_creation_input_tokens": 400,
        },
        **SONNET,
    ),
    _PYDANTIC(
        name="pydantic-details-beside-the-same-in-current-names-count-once",
        attributes=_SONNET_CALL
        | {
            "gen_ai.usage.cache_read.input_tokens": 2000,
            "gen_ai.usage.cache_creation.input_tokens": 400,
            "gen_ai.usage.details.cache_read_tokens": 2000,
            "gen_ai.usage.details.cache_write_tokens": 400,
        },
        **SONNET,
    ),
    _PYDANTIC(
        name="pydantic-cached-audio",  # included in the cached tokens and in the audio, both within the input
        attributes=_REALTIME_CALL
        | {
            "gen_ai.usage.details.cache_read_tokens": 500,
            "gen_ai.usage.details.input_audio_tokens": 600,
            "gen_ai.usage.details.cache_audio_read_tokens": 200,
            "gen_ai.usage.details.output_audio_tokens": 60,
        },
        bills="openai",
        listed="openai/gpt-realtime-mini",
        items={
            "input_uncached_tokens": (100, "0.00006", "0.6/M"),
            "input_audio_tokens": (400, "0.004", "10/M"),
            "cache_read_tokens": (300, "0.000018", "0.06/M"),
            "cache_audio_read_tokens": (200, "0.00006", "0.3/M"),
            "output_text_tokens": (40, "0.000096", "2.4/M"),
            "output_audio_tokens": (60, "0.0012", "20/M"),
        },
        cost="0.005434",
    ),
    _PYDANTIC(
        name="pydantic-reported-cost",
        attributes=_chat("openai", "gpt-4o", 1000, 100) | {"operation.cost": 0.0033},
        **reported(PLAIN_4O, "0.0033"),
    ),
)

_RAW_OPENAI = {
    "completion_tokens": 100,
    "prompt_tokens": 1000,
    "total_tokens": 1100,
    "completion_tokens_details": {"audio_tokens": 0, "reasoning_tokens": 0},
    "prompt_tokens_details": {"audio_tokens": 0, "cached_tokens": 600},
}
_RAW_RESPONSES = {
    "input_tokens": 1000,
    "input_tokens_details": {"cached_tokens": 600},
    "output_tokens": 100,
    "output_tokens_details": {"reasoning_tokens": 40},
    "total_tokens": 1100,
}
_RAW_ANTHROPIC = {
    "input_tokens": 60,
    "cache_creation_input_tokens": 400,
    "cache_read_input_tokens": 2000,
    "cache_creation": _LIVES,
    "output_tokens": 10,
    "service_tier": "standard",
}

LOGFIRE = (
    _LOGFIRE(
        name="logfire-raw-usage-of-a-chat",  # the only place with OpenAI's cached tokens
        attributes=_chat("openai", "gpt-4o", 1000, 100) | {"gen_ai.usage.raw": json.dumps(_RAW_OPENAI)},
        **CACHED_4O,
    ),
    _LOGFIRE(
        name="logfire-raw-usage-of-a-response",
        attributes=_chat("openai", "gpt-5", 1000, 100) | {"gen_ai.usage.raw": json.dumps(_RAW_RESPONSES)},
        **REASONING_5,
    ),
    _LOGFIRE(
        name="logfire-raw-usage-of-anthropic",  # beside the input there, within it in the count above
        attributes=_SONNET_CALL | {"gen_ai.usage.raw": json.dumps(_RAW_ANTHROPIC)},
        **SONNET_LIVES,
    ),
    _LOGFIRE(
        name="logfire-reported-cost",
        attributes=_chat("openai", "gpt-4o", 1000, 100)
        | {"gen_ai.usage.raw": json.dumps(_RAW_OPENAI), "operation.cost": 0.0029},
        **reported(CACHED_4O, "0.0029"),
    ),
)

_MLFLOW_USAGE = {
    "input_tokens": 2460,
    "output_tokens": 10,
    "total_tokens": 2470,
    "cache_read_input_tokens": 2000,
    "cache_creation_input_tokens": 400,
}
_MLFLOW_SONNET = {
    "mlflow.spanType": "CHAT_MODEL",
    "mlflow.llm.model": "claude-sonnet-4-5-20250929",
    "mlflow.llm.provider": "anthropic",
}

MLFLOW = (
    _MLFLOW(
        name="mlflow-counts-the-cache-within-the-input",  # in the words of Anthropic's API, which counts it beside
        attributes=_MLFLOW_SONNET | {"mlflow.chat.tokenUsage": json.dumps(_MLFLOW_USAGE)},
        **SONNET,
    ),
    _MLFLOW(
        name="mlflow-tells-of-the-hour",
        attributes=_MLFLOW_SONNET
        | {"mlflow.chat.tokenUsage": json.dumps(_MLFLOW_USAGE | {"cache_creation_input_tokens_above_1hr": 300})},
        **SONNET_HOUR,
    ),
    _MLFLOW(
        name="mlflow-writes-each-attribute-as-json",  # texts too, in quotes
        attributes={name: json.dumps(value) for name, value in _MLFLOW_SONNET.items()}
        | {"mlflow.chat.tokenUsage": json.dumps(_MLFLOW_USAGE)},
        **SONNET,
    ),
    _MLFLOW(
        name="mlflow-reported-cost",
        attributes={
            "mlflow.spanType": "CHAT_MODEL",
            "mlflow.llm.model": "gpt-4o",
            "mlflow.llm.provider": "openai",
            "mlflow.chat.tokenUsage": json.dumps({"input_tokens": 1000, "output_tokens": 100, "total_tokens": 1100}),
            "mlflow.llm.cost": json.dumps({"input_cost": 0.0026, "output_cost": 0.0011, "total_cost": 0.0037}),
        },
        **reported(PLAIN_4O, "0.0037"),
    ),
)

CASES = (*PYDANTIC, *LOGFIRE, *MLFLOW)
