"""OpenInference: the provider is who bills, the system is who made the model; cached tokens are part of the prompt."""

from functools import partial

from worked.calls import AUDIO, EMBEDDING, PLAIN_4O, REASONING_5, SONNET, reported
from worked.case import Case

_INFERENCE = partial(Case, dialect="OpenInference")

CASES = (
    _INFERENCE(
        name="openinference-openai",
        attributes={
            "openinference.span.kind": "LLM",
            "llm.provider": "openai",
            "llm.system": "openai",
            "llm.model_name": "gpt-5",
            "llm.token_count.prompt": 1000,
            "llm.token_count.prompt_details.cache_read": 600,
            "llm.token_count.completion": 100,
            "llm.token_count.completion_details.reasoning": 40,
            "llm.token_count.total": 1100,
        },
        **REASONING_5,
    ),
    _INFERENCE(
        name="openinference-anthropic",
        attributes={
            "openinference.span.kind": "LLM",
            "llm.provider": "anthropic",
            "llm.system": "anthropic",
            "llm.model_name": "claude-sonnet-4-5-20250929",
            "llm.token_count.prompt": 2460,
            "llm.token_count.prompt_details.cache_read": 2000,
            "llm.token_count.prompt_details.cache_write": 400,
            "llm.token_count.completion": 10,
            "llm.token_count.total": 2470,
        },
        **SONNET,
    ),
    _INFERENCE(
        name="openinference-the-provider-bills-not-the-maker",  # Bedrock's region costs a tenth more than Anthropic
        attributes={
            "openinference.span.kind": "LLM",
            "llm.provider": "aws",
            "llm.system": "anthropic",
            "llm.model_name": "us.anthropic.claude-sonnet-4-5-20250929-v1:0",
            "llm.token_count.prompt": 1000,
            "llm.token_count.completion": 100,
        },
        bills="aws",
        listed="aws/regional.anthropic.claude-sonnet-4-5-20250929-v1:0",
        items={"input_uncached_tokens": (1000, "0.0033", "3.3/M"), "output_text_tokens": (100, "0.00165", "16.5/M")},
        cost="0.00495",
    ),
    _INFERENCE(
        name="openinference-mistral",
        attributes={
            "openinference.span.kind": "LLM",
            "llm.provider": "mistralai",
            "llm.model_name": "mistral-small-latest",
            "llm.token_count.prompt": 1000,
            "llm.token_count.completion": 100,
        },
        bills="mistral",
        listed="mistral/mistral-small-latest",
        items={"input_uncached_tokens": (1000, "0.00015", "0.15/M"), "output_text_tokens": (100, "0.00006", "0.6/M")},
        cost="0.00021",
    ),
    _INFERENCE(
        name="openinference-xai",
        attributes={
            "openinference.span.kind": "LLM",
            "llm.provider": "xai",
            "llm.model_name": "grok-4-0709",
            "llm.token_count.prompt": 1000,
            "llm.token_count.prompt_details.cache_read": 400,
            "llm.token_count.completion": 100,
        },
        bills="x-ai",
        listed="x-ai/grok-4-0709",
        items={
            "input_uncached_tokens": (600, "0.0018", "3/M"),
            "cache_read_tokens": (400, "0.0003", "0.75/M"),
            "output_text_tokens": (100, "0.0015", "15/M"),
        },
        cost="0.0036",
    ),
    _INFERENCE(
        name="openinference-audio",
        attributes={
            "openinference.span.kind": "LLM",
            "llm.provider": "openai",
            "llm.model_name": "gpt-audio",
            "llm.token_count.prompt": 1000,
            "llm.token_count.prompt_details.audio": 800,
            "llm.token_count.completion": 500,
            "llm.token_count.completion_details.audio": 400,
        },
        **AUDIO,
    ),
    _INFERENCE(
        name="openinference-embedding",
        attributes={
            "openinference.span.kind": "EMBEDDING",
            "llm.provider": "openai",
            "embedding.model_name": "text-embedding-3-small",
            "llm.token_count.prompt": 7,
            "llm.token_count.total": 7,
        },
        **EMBEDDING,
    ),
    _INFERENCE(
        name="openinference-reported-cost",
        attributes={
            "openinference.span.kind": "LLM",
            "llm.provider": "openai",
            "llm.model_name": "gpt-4o",
            "llm.token_count.prompt": 1000,
            "llm.token_count.completion": 100,
            "llm.cost.prompt": 0.003,
            "llm.cost.completion": 0.0012,
            "llm.cost.total": 0.0042,
        },
        **reported(PLAIN_4O, "0.0042"),
    ),
)
