"""The context that runs live in: OpenTelemetry's, or one of our own beside it.

Where runs are recorded with a provider of ours beside the program's (``providers.py``), they live in a context of
ours, too. In the shared one our spans would become parents of spans whose product never sees them; and such a product
may replace that context by one that keeps no more than a span, and cannot be left again: Datadog's does.
"""

from contextlib import suppress
from contextvars import ContextVar, Token
from dataclasses import dataclass

from opentelemetry import context as shared
from opentelemetry.context import Context


@dataclass(slots=True)
class _Place:
    """Where contexts are attached from now on."""

    apart: bool = False


_place = _Place()
_ours: ContextVar[Context] = ContextVar("botanu-context")


def keep_apart(*, apart: bool) -> None:
    """Attach to a context of our own from now on, or to OpenTelemetry's."""
    _place.apart = apart


def get_current() -> Context:
    """Return the context of the run or call around the caller, or else OpenTelemetry's current one."""
    ours = _ours.get(None)
    return shared.get_current() if ours is None else ours


def attach(context: Context) -> Token[Context]:
    """Make *context* the current one; return what ``detach`` takes."""
    return _ours.set(context) if _place.apart else shared.attach(context)


def detach(token: Token[Context]) -> None:
    """Restore the context before the one that was attached."""
    if getattr(token, "var", None) is not _ours:
        shared.detach(token)
        return
    with suppress(ValueError):  # attached in another thread or task, where it ended by itself
        _ours.reset(token)
