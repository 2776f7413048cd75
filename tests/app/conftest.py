import pytest
from support import llm_api
from support.process import Served, ServerProcess

from botanu.server.app import create_app
from botanu.server.run import serving
from botanu.server.settings import ServerSettings


@pytest.fixture
def start():
    """Start servers; those still running in the end are stopped."""
    started = []

    def server(*arguments, **environ):
        started.append(ServerProcess(*arguments, **environ))
        return started[-1]

    yield server
    for one in started:
        if one.process.poll() is None:
            one.stop()
        one.client.close()


@pytest.fixture
def served(tmp_path):
    """A server for programs in processes of their own."""
    settings = ServerSettings(port=0, data_dir=tmp_path / "store")
    with serving(create_app(settings, {}), settings) as address:
        server = Served(address)
        yield server
        server.client.close()


def answer(path, asked):
    """Turn one model away; otherwise 1,200 input tokens and 300 output tokens, whatever was asked."""
    if asked["model"] == "overloaded":
        return 429, {"error": {"message": "slow down", "type": "requests", "code": "rate_limit_exceeded"}}
    model = {"gpt-4o": "gpt-4o-2024-08-06"}.get(asked["model"], asked["model"])
    if path.endswith("/responses"):
        return response(model, stream=asked.get("stream"))
    usage = {"prompt_tokens": 1200, "completion_tokens": 300, "total_tokens": 1500}
    about = {"id": "chatcmpl-1", "created": 1, "model": model}
    if asked.get("stream"):
        usage |= {
            "prompt_tokens_details": {"cached_tokens": 1000},
            "completion_tokens_details": {"reasoning_tokens": 200},
        }
        said = {"index": 0, "finish_reason": "stop", "delta": {"role": "assistant", "content": "private answer"}}
        return [about | {"choices": [said]}, about | {"choices": [], "usage": usage}]
    said = {"index": 0, "finish_reason": "stop", "message": {"role": "assistant", "content": "private answer"}}
    return about | {"object": "chat.completion", "choices": [said], "usage": usage}


def response(model, *, stream):
    """Answer as the Responses API does: 1,000 of the input tokens come from the cache, 200 of the output reason."""
    text = {"type": "output_text", "text": "private answer", "annotations": []}
    whole = {
        "id": "resp-1",
        "object": "response",
        "created_at": 1,
        "model": model,
        "status": "completed",
        "output": [
            {"type": "message", "id": "m", "role": "assistant", "status": "completed", "content": [text]},
        ],
        "parallel_tool_calls": True,
        "tool_choice": "auto",
        "tools": [],
        "usage": {
            "input_tokens": 1200,
            "input_tokens_details": {"cached_tokens": 1000},
            "output_tokens": 300,
            "output_tokens_details": {"reasoning_tokens": 200},
            "total_tokens": 1500,
        },
    }
    created = whole | {"status": "in_progress", "output": [], "usage": None}
    kinds = (("response.created", created), ("response.completed", whole))
    events = [{"type": kind, "sequence_number": n, "response": body} for n, (kind, body) in enumerate(kinds)]
    return events if stream else whole


@pytest.fixture
def api():
    """A server that answers like OpenAI's API."""
    with llm_api.serving(answer) as address:
        yield address
