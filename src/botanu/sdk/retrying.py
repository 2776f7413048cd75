"""Which attempt the next run is, where a library that retries tells it."""

from __future__ import annotations

import weakref
from contextvars import ContextVar
from typing import TYPE_CHECKING, Protocol

from botanu import semconv
from botanu.sdk.guard import guard

if TYPE_CHECKING:
    from collections.abc import MutableMapping


class RetryCallState(Protocol):
    """What tenacity tells a callback: one object for each call that it repeats."""

    attempt_number: int
    """Which attempt it is, from 1."""

    @property
    def outcome(self) -> object:
        """The attempt's result; ``None`` while it is under way."""


class _Attempts:
    """The attempts of one call that is repeated."""

    __slots__ = ("_begun", "_root_run_id", "_state")

    def __init__(self, state: RetryCallState) -> None:
        self._state = weakref.ref(state)  # it holds the arguments of the call
        self._begun = 0
        self._root_run_id: str | int | None = None

    def begin(self, attempt: int) -> None:
        """Give the number *attempt* to the run that opens next."""
        self._begun = attempt

    def number(self, identity: MutableMapping[str, str | int]) -> None:
        """Write the attempt that is under way into *identity*, unless another run of the attempt has had it."""
        state = self._state()
        if state is None or state.outcome is not None or state.attempt_number != self._begun:
            return  # it is over, or waits for the next one to begin
        identity.setdefault(semconv.ATTEMPT, self._begun)
        self._begun = 0
        if semconv.PARENT_RUN_ID not in identity:
            if self._root_run_id is None:
                self._root_run_id = identity[semconv.ROOT_RUN_ID]
            identity[semconv.ROOT_RUN_ID] = self._root_run_id


_current: ContextVar[_Attempts | None] = ContextVar("botanu-attempts", default=None)
_of_call: weakref.WeakKeyDictionary[RetryCallState, _Attempts] = weakref.WeakKeyDictionary()


def tenacity_attempt(retry_state: RetryCallState) -> None:
    """Tell the run that opens next which attempt it is: ``@retry(before=tenacity_attempt)``, for tenacity.

    The first run that each attempt opens gets its number. Runs of one call have one ``root_run_id``: that of the run
    around them, or else the first attempt's. Nothing is left for the next call to find, nor for another task.
    """
    with guard:
        attempts = _of_call.get(retry_state)
        if attempts is None:
            attempts = _of_call[retry_state] = _Attempts(retry_state)
        attempts.begin(retry_state.attempt_number)
        _current.set(attempts)


def number_attempt(identity: MutableMapping[str, str | int]) -> None:
    """Write into *identity*, that of a run about to start, which attempt it is, where that has been told."""
    attempts = _current.get()
    if attempts is not None:
        attempts.number(identity)
