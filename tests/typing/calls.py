"""What type checkers see: calls yield themselves, streams their chunks, steps leave signatures as they are."""

from collections.abc import AsyncIterator, Iterator
from decimal import Decimal
from typing import assert_type

from botanu import (
    Call,
    DbCall,
    LlmCall,
    MessagingCall,
    StorageCall,
    record_cost,
    record_usage,
    step,
    track_db_operation,
    track_llm_call,
    track_messaging_operation,
    track_storage_operation,
    track_tool_call,
)


def calls() -> None:
    """Open one of each."""
    with track_llm_call("openai", "m", service_tier="batch") as llm, track_tool_call("t", vendor="v") as tool:
        assert_type(llm, LlmCall)
        assert_type(llm.set_tokens(1).set_response(model="m-1", service_tier="flex").set_error("e"), LlmCall)
        assert_type(tool, Call)
    with (
        track_db_operation("postgresql", "SELECT") as db,
        track_storage_operation("s3", "GetObject", bucket="b") as storage,
        track_messaging_operation("kafka", "send", destination="d") as messaging,
    ):
        assert_type(db.set_rows(returned=1).set_bytes(scanned=2), DbCall)
        assert_type(storage.set_objects(1), StorageCall)
        assert_type(messaging.set_messages(1), MessagingCall)
    record_usage(pages=3, seconds=1.5, model="m")
    record_cost(Decimal("0.1"), "EUR", vendor="v")
    record_cost("0.1")


def stream(chunks: Iterator[str]) -> Iterator[str]:
    """Return what is still to come."""
    with track_llm_call(vendor="openai", model="m") as call:
        return call.stream(chunks, lambda chunk: {"input_tokens": len(chunk), "output_tokens": None})


async def async_stream(chunks: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    """Return what is still to come."""
    async with track_llm_call("openai", "m") as call:
        assert_type(call, LlmCall)
        return call.stream(chunks)


@step("retrieve")
def retrieve(query: str, *, limit: int = 3) -> list[str]:
    """Return a list."""
    return [query] * limit


@step("answer")
async def answer(query: str) -> bytes:
    """Return bytes."""
    async with step("inner"):
        return query.encode()


assert_type(retrieve("a", limit=1), list[str])

retrieve(5)  # type: ignore[arg-type]
track_llm_call(model="m")  # type: ignore[call-overload]
track_llm_call("openai")  # type: ignore[call-overload]
record_usage(pages="many")  # type: ignore[arg-type]
