"""Run identity to and from W3C baggage (https://www.w3.org/TR/baggage/)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from opentelemetry import baggage

from botanu import semconv
from botanu.sdk.identity import IDENTITY

if TYPE_CHECKING:
    from opentelemetry.context import Context


def identity_from_baggage(context: Context | None = None) -> dict[str, str | int]:
    """Return the run identity that baggage claims; empty where it claims none."""
    claimed = baggage.get_all(context)
    if semconv.RUN_ID not in claimed:
        return {}
    identity: dict[str, str | int] = {name: str(claimed[name]) for name in IDENTITY if name in claimed}
    attempt = identity.pop(semconv.ATTEMPT, None)
    if isinstance(attempt, str) and attempt.isdecimal():
        identity[semconv.ATTEMPT] = int(attempt)
    return identity
