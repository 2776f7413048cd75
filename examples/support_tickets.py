"""A support desk: answers stream to the customer, some tickets need a second attempt, some are escalated.

Run it against a server:

    botanu serve
    python examples/support_tickets.py
    botanu values set tickets_resolved 2.50
    botanu report
"""

import asyncio
from collections.abc import AsyncGenerator

from botanu import botanu_workflow, emit_outcome, flush, run_botanu, track_llm_call


class Overloaded(Exception):  # noqa: N818 - named for what it says
    """The provider turned the call away."""


async def triage(ticket: int) -> str:
    """Say how hard a ticket is; a small model does."""
    async with track_llm_call(provider="openai", model="gpt-4o-mini") as call:
        await asyncio.sleep(0.01)
        call.set_tokens(input_tokens=420, output_tokens=4)
    return "hard" if ticket % 5 == 0 else "easy"


@botanu_workflow(
    "answer-ticket", event_id=lambda ticket: f"ticket-{ticket}", customer_id=lambda ticket: f"c-{ticket % 3}"
)
async def answer(ticket: int, attempt: int) -> AsyncGenerator[str, None]:
    """Stream an answer. The run lasts as long as the customer reads."""
    if await triage(ticket) == "hard":
        emit_outcome("partial", value_type="tickets_escalated", value_amount=1, reason="needs_a_person")
        yield "A colleague will come back to you."
        return
    async with track_llm_call(provider="anthropic", model="claude-sonnet-4-5") as call:
        for word in ("Have", "you", "tried", "again?"):
            await asyncio.sleep(0.005)
            yield word
        call.set_tokens(input_tokens=2_600, output_tokens=210, cache_read_tokens=1_800)
    if ticket % 4 == 0 and attempt == 1:
        raise Overloaded
    emit_outcome("success", value_type="tickets_resolved", value_amount=1)


async def serve_customer(ticket: int) -> str:
    """Read the answer to the end; ask once more if that fails."""
    for attempt in (1, 2):
        try:
            return " ".join([word async for word in answer(ticket, attempt)])
        except Overloaded:
            continue
    return ""


async def main() -> None:
    """Serve twenty customers at once, inside one nightly batch."""
    async with run_botanu("nightly-batch", event_id="night-1", customer_id="ourselves"):
        answers = await asyncio.gather(*(serve_customer(ticket) for ticket in range(1, 21)))
        emit_outcome("success", value_type="tickets_seen", value_amount=len(answers))


if __name__ == "__main__":
    asyncio.run(main())
    flush()
