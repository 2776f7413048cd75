"""Closed lists of words: what the values of some attributes mean."""

from collections.abc import Mapping

CALL_OPERATIONS = ("chat", "text_completion", "generate_content", "embeddings")
"""Operations that consume usage: a span of one without any usage is a call whose usage is not known."""

TWO_SIDED = ("chat", "text_completion", "generate_content")
"""Those of them that have input and output: one without the other is not all that was used."""

ROLL_UP_OPERATIONS = ("create_agent", "execute_tool", "invoke_agent", "invoke_workflow", "plan")
"""Operations around calls: usage on their spans repeats that of the calls inside, and counts where those lack it."""

_MODEL, _AROUND, _TOOL, _EMBED = "chat", "invoke_workflow", "execute_tool", "embeddings"

OPERATIONS: Mapping[str, str] = {
    # OpenInference, as the kind of a span; LangSmith and Langfuse use the same words in lower case
    "llm": _MODEL,
    "embedding": _EMBED,
    "chain": _AROUND,
    "agent": "invoke_agent",
    "tool": _TOOL,
    "retriever": "retrieval",
    "reranker": "rerank",
    "guardrail": "guardrail",
    "evaluator": "evaluator",
    "prompt": "prompt",
    # Langfuse has these as well, as the type of an observation
    "generation": _MODEL,
    "span": _AROUND,
    # OpenLLMetry, as the type of a request or the kind of a span
    "completion": "text_completion",
    "workflow": _AROUND,
    "task": _AROUND,
    # LiteLLM, as the name of an operation
    "responses": _MODEL,
    # MLflow has these as well, as the type of a span
    "chat_model": _MODEL,
    # The AI SDK, as the id of an operation
    "ai.generatetext": "invoke_agent",
    "ai.generatetext.dogenerate": _MODEL,
    "ai.streamtext": "invoke_agent",
    "ai.streamtext.dostream": _MODEL,
    "ai.generateobject": "invoke_agent",
    "ai.generateobject.dogenerate": _MODEL,
    "ai.streamobject": "invoke_agent",
    "ai.streamobject.dostream": _MODEL,
    "ai.embed": _AROUND,
    "ai.embed.doembed": _EMBED,
    "ai.embedmany": _AROUND,
    "ai.embedmany.doembed": _EMBED,
    "ai.toolcall": _TOOL,
}
"""Words for operations, in lower case, with OpenTelemetry's; another word stays as it is."""

STANDARD_TIERS = ("", "auto", "default", "on_demand", "standard", "standard_only")
"""Words of providers for the service tier that a call has when nothing is asked for."""
