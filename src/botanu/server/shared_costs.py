"""Keeps the shared costs of one store: those set by hand, and those of the settings file."""

import threading
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime

from botanu.errors import PriceError, SettingsError
from botanu.pricing.shared_costs import PERIOD_KEYS, SharedCost, overlapping, period_of, period_text
from botanu.query.shared import allocated
from botanu.query.window import Window
from botanu.server import plain
from botanu.server.plain import Plain
from botanu.store.protocol import Store

_FILE = "config"
_ALWAYS = Window("all", None, None)


class SharedCosts:
    """What may be done with shared costs; each change is seen whole by the next."""

    def __init__(self, store: Store, clock: Callable[[], datetime]) -> None:
        """Keep those of *store*; *clock* says what is now."""
        self._store = store
        self._clock = clock
        self._changing = threading.Lock()

    def listed(self) -> Plain:
        """Return every shared cost ever recorded; ``runs`` is how many bear it, null if it was withdrawn."""
        runs = {(cost.name, cost.period_start, cost.period_end): cost.runs for cost in allocated(self._store, _ALWAYS)}
        return {
            "shared_costs": [
                {**plain.shared_cost(cost), "runs": None if cost.withdrawn_at else runs.get(cost.key, 0)}
                for cost in self._store.shared_costs()
            ]
        }

    def set(self, given: Mapping[str, object]) -> Plain:
        """Record a shared cost in place of the one of its name and period; ``recorded`` is 0 if it was there already.

        Raises:
            PriceError: it cannot be meant, overlaps another of its name, or is the settings file's.
        """
        cost = SharedCost.of(given)
        with self._changing:
            live = self._live()
            _refuse_the_files(live, cost)
            if faults := overlapping([cost, *(other for other in live if other.overlaps(cost))]):
                raise PriceError("; ".join(faults))
            recorded = self._store.set_shared_costs([cost], self._clock())
            (kept,) = (each for each in self._live() if each.key == cost.key)
        return {"recorded": recorded, "shared_cost": plain.shared_cost(kept)}

    def withdraw(self, given: Mapping[str, object]) -> Plain:
        """Withdraw the shared cost of a name and period; return it.

        Raises:
            PriceError: there is none, the name or the period cannot be meant, or it is the settings file's.
        """
        known = ("name", *PERIOD_KEYS)
        if unknown := sorted(given.keys() - set(known)):
            raise PriceError(f"unknown {', '.join(unknown)}; known: {', '.join(known)}")
        name, period = given.get("name"), period_of(given)
        with self._changing:
            found = [cost for cost in self._live() if cost.key == (name, *period)]
            if not found:
                raise PriceError(
                    f"there is no shared cost {name!r} of {period_text(*period)}; see them all: botanu shared list"
                )
            _refuse_the_files(found, found[0])
            self._store.set_shared_costs([], self._clock(), withdrawn=found)
        return {"withdrawn": plain.shared_cost(found[0])}

    def configure(self, entries: Sequence[Mapping[str, object]] | None) -> int:
        """Record what a settings file says and withdraw what it no longer does; return how many are new.

        ``None`` is a server without a file: it changes nothing.

        Raises:
            SettingsError: an entry cannot be meant, or overlaps another; the message lists every fault.
        """
        if entries is None:
            return 0
        costs = configured_shared_costs(entries)
        keys = {cost.key for cost in costs}
        with self._changing:
            live = self._live()
            removed = [cost for cost in live if cost.source == _FILE and cost.key not in keys]
            by_hand = [cost for cost in live if cost.source != _FILE and cost.key not in keys]
            if faults := overlapping([*costs, *by_hand]):
                raise SettingsError("; ".join(faults))
            return self._store.set_shared_costs(costs, self._clock(), withdrawn=removed)

    def _live(self) -> list[SharedCost]:
        return [cost for cost in self._store.shared_costs() if cost.withdrawn_at is None]


def configured_shared_costs(entries: Sequence[Mapping[str, object]]) -> list[SharedCost]:
    """Read the ``[[shared_costs]]`` of a settings file.

    Raises:
        SettingsError: an entry cannot be meant, or says another one's name and period; the message lists every fault.
    """
    costs, faults = [], []
    for number, entry in enumerate(entries, start=1):
        try:
            costs.append(SharedCost.of(entry, source=_FILE))
        except PriceError as error:
            faults.append(f"[[shared_costs]] {number}: {error}")
    twice = (key for key, count in Counter(cost.key for cost in costs).items() if count > 1)
    faults += [
        f"[[shared_costs]]: {name!r} of {period_text(*period)} is there twice: name one otherwise"
        for name, *period in twice
    ]
    if faults:
        raise SettingsError("; ".join(faults))
    return costs


def _refuse_the_files(live: Sequence[SharedCost], cost: SharedCost) -> None:
    """Raise if what is to be changed is the settings file's, which would say the same again at the next start."""
    if any(other.key == cost.key and other.source == _FILE for other in live):
        raise PriceError(f"shared cost {cost.name!r} of {cost.period} is from the settings file: change it there")
