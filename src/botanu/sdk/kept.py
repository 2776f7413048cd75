"""The context of a carrier that stays in the program: whoever injected it here may extract it here again.

Products hand a context on as a carrier, also to a later moment or another thread of the same process: Logfire does so
for the end of each stream of a model, and for the work of executors. Where a carrier goes cannot be known, so the run
is not written into it. What is written is remembered here instead: the very object that is the ``traceparent``, not
what it says. A text that comes from outside, or went out and came back, is another object, though it says the same. So
nobody gets into a run by an id that he has seen.
"""

from __future__ import annotations

import sys
import threading
from collections import OrderedDict
from typing import TYPE_CHECKING

from botanu.sdk.process import in_each_child

if TYPE_CHECKING:
    from collections.abc import Callable

    from opentelemetry.context import Context

TRACEPARENT = "traceparent"
"""The header that names the span (https://www.w3.org/TR/trace-context/)."""

KEPT_MAX = 10_000
"""Most contexts that are kept; then the oldest goes."""

LOOKS = 2
"""How many of the oldest are looked at for each that is added. More than one, so that those nobody needs get fewer."""

_UNHELD = 2
"""How many hold a text that is only here: its entry, and the call that asks."""

_holders: Callable[[object], int] = getattr(sys, "getrefcount", lambda _text: _UNHELD + 1)
"""Texts and dictionaries have no weak references. Where Python does not count at all, ``KEPT_MAX`` alone is the end."""


class Kept:
    """Contexts by the ``traceparent`` that was written in them, each as long as somebody else has that."""

    def __init__(self, most: int = KEPT_MAX) -> None:
        """Keep *most* contexts at a time."""
        self._most = most
        self._entries: OrderedDict[int, tuple[str, Context]] = OrderedDict()
        self._begin()
        in_each_child(self._begin)

    def _begin(self) -> None:
        self._lock = threading.RLock()  # a signal's handler may make a request, too

    def __len__(self) -> int:
        """Return how many are kept, those included that nobody has been found to need no more."""
        return len(self._entries)

    def keep(self, carrier: object, context: Context) -> None:
        """Remember that *context* was written into *carrier*, if that is a plain dictionary."""
        text = carrier.get(TRACEPARENT) if type(carrier) is dict else None
        if type(text) is str:
            with self._lock:
                self._entries[id(text)] = text, context
                self._tidy()

    def of(self, carrier: object) -> Context | None:
        """Return the context that was written into *carrier*."""
        text = carrier.get(TRACEPARENT) if isinstance(carrier, dict) else None
        if text is None:
            return None
        with self._lock:
            kept, context = self._entries.get(id(text), (None, None))
        return context if kept is text else None

    def _tidy(self) -> None:
        """Look at the oldest: those that are held are the youngest again, the others go."""
        for _ in range(min(LOOKS, len(self._entries))):
            key, entry = self._entries.popitem(last=False)
            if _holders(entry[0]) > _UNHELD:
                self._entries[key] = entry
        if len(self._entries) > self._most:
            self._entries.popitem(last=False)


kept = Kept()
