"""What OpenAI and Anthropic answer: always the same usage, under a new id for each answer."""

import itertools

INPUT = 1200
CACHED = 1000
OUTPUT = 300
REASONING = 200
"""What a chat with OpenAI uses: what came from the cache is within the input, and what reasons within the output."""

EMBEDDED = 7
"""How many tokens an embedding uses."""

ANTHROPIC = {
    "input_tokens": 100,
    "cache_read_input_tokens": 1000,
    "cache_creation_input_tokens": 50,
    "cache_creation": {"ephemeral_5m_input_tokens": 30, "ephemeral_1h_input_tokens": 20},
    "output_tokens": 300,
    "service_tier": "standard",
}
"""What a message to Anthropic uses: its input is what came from no cache and went to none."""

OVERLOADED = "overloaded"
"""The model that is turned away."""

DATED = {
    "gpt-4o": "gpt-4o-2024-08-06",
    "o4-mini": "o4-mini-2025-04-16",
}
"""The model that answers for one that was asked for."""

_numbers = itertools.count(1)


def answer(path, asked):
    """Answer as the provider does whose API has *path*: a document, a status with one, or a list of events."""
    about = {"model": DATED.get(asked["model"], asked["model"]), "number": next(_numbers)}
    if asked["model"] == OVERLOADED:
        error = {"message": "slow down", "type": "rate_limit_error", "code": "rate_limit_exceeded"}
        return 429, {"type": "error", "error": error}
    if path.endswith("/chat/completions"):
        return _chat_events(asked, **about) if asked.get("stream") else _chat(asked, **about)
    if path.endswith("/responses"):
        return _response_events(**about) if asked.get("stream") else _response(**about)
    if path.endswith("/embeddings"):
        return _embedding(**about)
    return _message_events(**about) if asked.get("stream") else _message(**about)


def _chat(asked, model, number):
    said = {"role": "assistant", "content": "private answer"}
    return {
        "id": f"chatcmpl-{number}",
        "object": "chat.completion",
        "created": 1,
        "model": model,
        "service_tier": asked.get("service_tier", "default"),
        "choices": [{"index": 0, "finish_reason": "stop", "message": said}],
        "usage": {
            "prompt_tokens": INPUT,
            "prompt_tokens_details": {"cached_tokens": CACHED},
            "completion_tokens": OUTPUT,
            "completion_tokens_details": {"reasoning_tokens": REASONING},
            "total_tokens": INPUT + OUTPUT,
        },
    }


def _chat_events(asked, **about):
    """Stream a chat; its usage comes only if it is asked for, in an event of its own."""
    whole = _chat(asked, **about)
    chunk = {**whole, "object": "chat.completion.chunk", "usage": None}
    deltas = [({"role": "assistant", "content": "private"}, None), ({"content": " answer"}, None), ({}, "stop")]
    events = [{**chunk, "choices": [{"index": 0, "delta": delta, "finish_reason": reason}]} for delta, reason in deltas]
    if (asked.get("stream_options") or {}).get("include_usage"):
        events.append({**chunk, "choices": [], "usage": whole["usage"]})
    return events


def _response(model, number):
    text = {"type": "output_text", "text": "private answer", "annotations": []}
    return {
        "id": f"resp-{number}",
        "object": "response",
        "created_at": 1,
        "model": model,
        "status": "completed",
        "service_tier": "default",
        "output": [{"type": "message", "id": "m", "role": "assistant", "status": "completed", "content": [text]}],
        "parallel_tool_calls": True,
        "tool_choice": "auto",
        "tools": [],
        "usage": {
            "input_tokens": INPUT,
            "input_tokens_details": {"cached_tokens": CACHED},
            "output_tokens": OUTPUT,
            "output_tokens_details": {"reasoning_tokens": REASONING},
            "total_tokens": INPUT + OUTPUT,
        },
    }


def _response_events(**about):
    whole = _response(**about)
    begun = {**whole, "status": "in_progress", "output": [], "usage": None}
    kinds = (("response.created", begun), ("response.completed", whole))
    return [{"type": kind, "sequence_number": n, "response": body} for n, (kind, body) in enumerate(kinds)]


def _embedding(model, number):
    return {
        "object": "list",
        "model": model,
        "data": [{"object": "embedding", "index": 0, "embedding": [0.1, 0.2]}],
        "usage": {"prompt_tokens": EMBEDDED, "total_tokens": EMBEDDED},
    }


def _message(model, number):
    return {
        "id": f"msg-{number}",
        "type": "message",
        "role": "assistant",
        "model": model,
        "content": [{"type": "text", "text": "private answer"}],
        "stop_reason": "end_turn",
        "stop_sequence": None,
        "usage": ANTHROPIC,
    }


def _message_events(**about):
    """Stream a message: the first event has the usage so far, one token of output, and the last all of it."""
    whole = _message(**about)
    begun = {**whole, "content": [], "stop_reason": None, "usage": {**ANTHROPIC, "output_tokens": 1}}
    return [
        {"type": "message_start", "message": begun},
        {"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": ""}},
        {"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": "private answer"}},
        {"type": "content_block_stop", "index": 0},
        {"type": "message_delta", "delta": {"stop_reason": "end_turn"}, "usage": {"output_tokens": OUTPUT}},
        {"type": "message_stop"},
    ]
