"""What a run achieved."""

import itertools
import math
from collections.abc import Callable, Mapping
from concurrent.futures import CancelledError
from typing import Any, NamedTuple, Self, SupportsFloat, TypeVar

from botanu.errors import OutcomeError
from botanu.sdk import configure
from botanu.sdk.guard import guard
from botanu.sdk.identifiers import plain_text
from botanu.sdk.identity import run_in
from botanu.sdk.scrubbing import REDACTED, is_secret, scrubbed_start
from botanu.semconv import (
    OUTCOME_AUTO,
    OUTCOME_CONFIDENCE,
    OUTCOME_ERROR_TYPE,
    OUTCOME_METADATA,
    OUTCOME_REASON,
    OUTCOME_STATUS,
    OUTCOME_VALUE_AMOUNT,
    OUTCOME_VALUE_TYPE,
    OutcomeField,
    OutcomeStatus,
)

TEXT_MAX = 1024
"""Longest reason, value type, error type or metadata text kept, in characters."""

METADATA_MAX = 32
"""Most metadata keys kept."""

_INT64 = 2**63

Scalar = str | bool | int | float
"""What an attribute of an outcome may hold."""

T = TypeVar("T")

_STATUSES = {status.value: status for status in OutcomeStatus}

_EVENT_NAMES = tuple(field.value for field in OutcomeField)
_ATTRIBUTE_NAMES = (
    OUTCOME_STATUS,
    OUTCOME_VALUE_TYPE,
    OUTCOME_VALUE_AMOUNT,
    OUTCOME_CONFIDENCE,
    OUTCOME_REASON,
    OUTCOME_ERROR_TYPE,
    OUTCOME_AUTO,
)
# The first fields of an outcome, on the span event and on the root span.


class Outcome(NamedTuple):
    """What a run achieved: a status, and perhaps a value. ``faults`` names fields left out or shortened."""

    status: OutcomeStatus
    value_type: str | None = None
    value_amount: int | float | None = None
    confidence: float | None = None
    reason: str | None = None
    error_type: str | None = None
    auto: bool = False
    metadata: tuple[tuple[str, Scalar], ...] = ()
    faults: tuple[str, ...] = ()

    @classmethod
    def of(
        cls,
        status: object,
        *,
        value_type: object = None,
        value_amount: object = None,
        confidence: object = None,
        reason: object = None,
        error_type: object = None,
        metadata: object = None,
    ) -> Self:
        """Build an outcome from what a program passed: a bad status raises, other bad data is left out.

        Raises:
            OutcomeError: *status* is not one of the six.
        """
        faults: list[str] = []
        return cls(
            _status(status),
            None if value_type is None else _read("value_type", _text, value_type, faults),
            None if value_amount is None else _read("value_amount", _number, value_amount, faults),
            None if confidence is None else _read("confidence", _confidence, confidence, faults),
            None if reason is None else _read("reason", _scrubbed_text, reason, faults),
            None if error_type is None else _read("error_type", _scrubbed_text, error_type, faults),
            metadata=() if metadata is None else _read("metadata", _metadata, metadata, faults) or (),
            faults=tuple(faults),
        )

    @classmethod
    def of_ending(cls, error: BaseException | None, *, success: bool) -> Self | None:
        """Derive the outcome of a run that ended with *error* (``None``: cleanly) and emitted none itself.

        A clean end is a success if *success* asks for that, otherwise no outcome. An ``Exception`` is a
        failure; what is not one (cancellation, interrupt, exit, a generator closed early) cancels the run.
        """
        if error is None:
            return cls(OutcomeStatus.SUCCESS, auto=True) if success else None
        canceled = not isinstance(error, Exception) or isinstance(error, CancelledError)
        status = OutcomeStatus.CANCELED if canceled else OutcomeStatus.FAILED
        name = type(error).__name__
        return cls(status, reason=name, error_type=name, auto=True)

    def attributes(self) -> dict[str, Any]:
        """Return the attributes of the run's root span."""
        attributes = self._named(_ATTRIBUTE_NAMES)
        for key, value in self.metadata:
            attributes[OUTCOME_METADATA + key] = value
        return attributes

    def event_attributes(self) -> dict[str, Any]:
        """Return the attributes of the ``botanu.outcome_emitted`` span event."""
        return self._named(_EVENT_NAMES)

    def _named(self, names: tuple[str, ...]) -> dict[str, Any]:
        """Return the fields that are called *names*, as far as they say something; *auto* does where it is true."""
        fields: dict[str, Any] = {
            name: value for name, value in zip(names, self, strict=False) if value is not None and value is not False
        }
        fields[names[0]] = str.__str__(self.status)  # the text itself, not its enum
        return fields


def emit_outcome(
    status: str,
    *,
    value_type: str | None = None,
    value_amount: SupportsFloat | None = None,
    confidence: SupportsFloat | None = None,
    reason: str | None = None,
    error_type: str | None = None,
    metadata: Mapping[str, object] | None = None,
) -> None:
    """Record what the current run achieved, from any depth inside it.

    The outcome belongs to the run: child spans, tasks, and threads that carry the context all reach it. What
    is emitted stands, whether the run then returns, raises or is canceled. Emitted twice, the last one wins
    as a whole, and the run is counted as breaking "one outcome per run".

    Data that is off never raises: it is left out or shortened, logged once, and named in the root span's
    ``botanu.faults``. Outside any run the outcome is not recorded, and that is logged once.

    Args:
        status: success, partial, failed, timeout, canceled or abandoned.
        value_type: what was achieved, such as ``orders_fulfilled``.
        value_amount: how much of it; finite.
        confidence: score from 0.0 to 1.0.
        reason: why, especially for failures; at most 1,024 characters are kept.
        error_type: error classification.
        metadata: further scalars by name; at most 32 are kept.

    Secrets and personal data in *reason*, *error_type* and texts of *metadata* are redacted, as far as their form
    shows what they are: keys, passwords after their name, e-mail addresses, card numbers.

    Raises:
        OutcomeError: *status* is not one of the six.
    """
    run = run_in()
    outcome = Outcome.of(
        status,
        value_type=value_type,
        value_amount=value_amount,
        confidence=confidence,
        reason=reason,
        error_type=error_type,
        metadata=metadata,
    )
    if run is not None:
        run._emit(outcome)  # noqa: SLF001 - not for the program to call
    elif configure.tracer() is not None:
        guard.say_once("emit_outcome() was called outside any run: not recorded")


def _status(given: object) -> OutcomeStatus:
    status = _STATUSES.get(given) if isinstance(given, str) else None
    if status is None:
        raise OutcomeError(f"status must be one of {', '.join(OutcomeStatus)}, not {given!r}")
    return status


def _read(field: str, reader: Callable[[str, object, list[str]], T], given: object, faults: list[str]) -> T | None:
    """Return what *reader* makes of *given*; a value that cannot even be looked at is left out."""
    if given is None:
        return None
    try:
        return reader(field, given, faults)
    except Exception as error:  # noqa: BLE001 - the value's own code failed, and must not fail the program
        faults.append(f"{field}: {type(error).__name__} when read")
        return None


def _text(field: str, given: object, faults: list[str]) -> str:
    text = plain_text(given)
    if len(text) > TEXT_MAX:
        faults.append(f"{field}: shortened from {len(text)} to {TEXT_MAX} characters")
    return text[:TEXT_MAX]


def _scrubbed_text(field: str, given: object, faults: list[str]) -> str:
    text = plain_text(given)
    scrubbed, kinds, more = scrubbed_start(text, TEXT_MAX)
    faults.extend(f"{field}: redacted {kind}" for kind in kinds)
    if more:
        faults.append(f"{field}: shortened from {len(text)} to {TEXT_MAX} characters")
    return scrubbed


def _number(field: str, given: object, faults: list[str]) -> int | float | None:
    if isinstance(given, int) and not isinstance(given, bool) and -_INT64 <= given < _INT64:
        return given
    if isinstance(given, bool) or not isinstance(given, SupportsFloat):
        faults.append(f"{field}: {type(given).__name__} is not a number")
        return None
    try:
        amount = float(given)
    except OverflowError as error:
        faults.append(f"{field}: {error}")
        return None
    if not math.isfinite(amount):
        faults.append(f"{field}: {amount} is not a finite number")
        return None
    return amount


def _confidence(field: str, given: object, faults: list[str]) -> float | None:
    confidence = _number(field, given, faults)
    if confidence is None:
        return None
    if not 0 <= confidence <= 1:
        faults.append(f"{field}: {confidence} is not in 0..1")
        return None
    return float(confidence)


def _metadata(field: str, given: object, faults: list[str]) -> tuple[tuple[str, Scalar], ...]:
    if not isinstance(given, Mapping):
        faults.append(f"{field}: {type(given).__name__} is not a mapping")
        return ()
    if len(given) > METADATA_MAX:
        faults.append(f"{field}: {len(given)} keys, the first {METADATA_MAX} kept")
    kept = []
    for key, value in itertools.islice(given.items(), METADATA_MAX):
        name = plain_text(key)[:TEXT_MAX]
        reader = _redacted if is_secret(name, value) else _scalar
        scalar: Scalar | None = _read(f"{field}.{name}", reader, value, faults)
        if scalar is not None:
            kept.append((name, scalar))
    return tuple(kept)


def _scalar(field: str, given: object, faults: list[str]) -> Scalar | None:
    if isinstance(given, bool):
        return given
    if isinstance(given, str):
        return _scrubbed_text(field, given, faults)
    if not isinstance(given, SupportsFloat):
        faults.append(f"{field}: {type(given).__name__} is not text, a number or a boolean")
        return None
    return _number(field, given, faults)


def _redacted(field: str, _given: object, faults: list[str]) -> str:
    faults.append(f"{field}: redacted a secret")
    return REDACTED
