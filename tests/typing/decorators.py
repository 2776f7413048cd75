"""What type checkers see: signatures and results are those of the decorated function."""

import asyncio
from collections.abc import AsyncGenerator, Generator
from typing import assert_type

from botanu import Run, botanu_workflow, carry, emit_outcome, extract, inject, run_botanu, track_llm_call


@botanu_workflow("w", event_id=lambda order: order, customer_id="c")
def call(order: str, *, amount: int = 1) -> float:
    """Return a number."""
    emit_outcome("success", value_type="orders", value_amount=amount, metadata={"order": order})
    return 1.5


@botanu_workflow("w", event_id=17, customer_id="c", auto_outcome_on_success=False)
async def coroutine(order: str) -> bytes:
    """Return bytes."""
    async with run_botanu("inner", event_id=order, customer_id=5, attempt=2) as run:
        assert_type(run, Run)
        assert_type(run.run_id, str)
        run.emit_outcome("partial", confidence=0.5)
    async with track_llm_call(provider="openai", model="gpt-4o") as tracked:
        tracked.set_tokens(1, 2, cache_read_tokens=None)
    return b""


@botanu_workflow("w", event_id="e", customer_id="c", version="v2", environment=None, tenant_id=None)
def generator(count: int) -> Generator[int, str, bool]:
    """Yield numbers."""
    sent = yield count
    assert_type(sent, str)
    return True


@botanu_workflow("w", event_id="e", customer_id="c")
async def async_generator() -> AsyncGenerator[int, None]:
    """Yield a number."""
    yield 1


@botanu_workflow("w", event_id="e", customer_id="c", attempt=lambda message: message["tries"])
def consumer(message: dict[str, int], headers: dict[str, str]) -> None:
    """Read messages."""
    inject(headers)
    for carrier in (headers, [("traceparent", b"00")], {b"baggage": b""}, None):
        with extract(carrier), extract(carrier, trusted=False):
            pass


assert_type(carry(call)("o", amount=2), float)
assert_type(asyncio.run(carry(coroutine)("o")), bytes)
assert_type(call("o", amount=2), float)
assert_type(asyncio.run(coroutine("o")), bytes)
assert_type(generator(3), Generator[int, str, bool])
assert_type(async_generator(), AsyncGenerator[int, None])

carry(call)(5)  # type: ignore[arg-type]
call(5)  # type: ignore[arg-type]
call("o", amonut=2)  # type: ignore[call-arg]
run_botanu("w", event_id="e")  # type: ignore[call-arg]
emit_outcome("success", value="much")  # type: ignore[call-arg]
