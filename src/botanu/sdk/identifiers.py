"""New ids of runs and spans, and texts from the scalars that programs use as ids."""

import os
import random
import time
from collections.abc import Awaitable, Iterable, Mapping
from typing import Any

from opentelemetry.sdk.trace.id_generator import RandomIdGenerator

from botanu.errors import IdentityError
from botanu.sdk.process import in_each_child

_random = random.Random(os.urandom(16))  # noqa: S311 - ids must be unique, not secret
in_each_child(lambda: _random.seed(os.urandom(16)))

_VERSION_AND_VARIANT = 7 << 76 | 2 << 62
_LOW = (1 << 62) - 1
"""The random bits behind the variant; the others are before it."""


def new_run_id() -> str:
    """Return a new UUIDv7 of now.

    The random source is a generator of our own, reseeded after a fork: the operating system's would give
    up the interpreter lock on every run, and the program may have seeded the shared one.
    """
    return uuid7(time.time_ns() // 1_000_000, _random.getrandbits(74))


class SpanIds(RandomIdGenerator):
    """Span and trace ids from the random source of run ids.

    OpenTelemetry takes them from the shared source. Many programs seed that one, to get the same results again: the
    same ids would come again, too, and spans with the same ids are one span, counted once.
    """

    def generate_span_id(self) -> int:
        """Return 64 random bits, not all zero."""
        return _random.getrandbits(64) or 1

    def generate_trace_id(self) -> int:
        """Return 128 random bits, not all zero."""
        return _random.getrandbits(128) or 1


def uuid7(milliseconds: int, bits: int) -> str:
    """Return the UUIDv7 (RFC 9562, section 5.7) of an instant in Unix *milliseconds* with 74 random *bits*."""
    high, low = bits & ~_LOW, bits & _LOW
    digits = "%032x" % (milliseconds << 80 | _VERSION_AND_VARIANT | high << 2 | low)
    return f"{digits[:8]}-{digits[8:12]}-{digits[12:16]}-{digits[16:20]}-{digits[20:]}"


def id_text(field: str, given: object) -> str:
    """Return the text of an id that a program gave as *field*: a scalar, not empty.

    Raises:
        IdentityError: it is ``None``, empty, a collection, a function, or an object with no text of its own.
    """
    if type(given) is str and given and given.isascii():  # as nearly all are
        return given
    if not isinstance(given, str) and not _is_scalar(given):
        raise IdentityError(f"{field} must be text or a number, not {type(given).__name__}")
    text = plain_text(given)
    if not text:
        raise IdentityError(f"{field} must not be empty")
    return text


def optional_text(field: str, given: object) -> str | None:
    """Return the text of *given*, or ``None`` where it is ``None`` or empty: then it was not given.

    Raises:
        IdentityError: it is no scalar.
    """
    return None if given is None or given == "" else id_text(field, given)


def present(texts: Mapping[str, str | None]) -> dict[str, str]:
    """Return those of *texts* that were given."""
    return {name: text for name, text in texts.items() if text is not None}


def plain_text(given: object) -> str:
    """Return the text of *given*; what UTF-8 cannot carry, such as half of a surrogate pair, is replaced."""
    text = str.__str__(given) if isinstance(given, str) else str(given)  # of a text enum its value, not its name
    return text if text.isascii() else text.encode(errors="replace").decode()


def _is_scalar(given: object) -> bool:
    """Return whether *given* can stand for one thing: collections cannot, nor what has no text of its own."""
    if given is None or callable(given) or isinstance(given, Iterable | Awaitable):
        return False
    kind: Any = type(given)
    return kind.__str__ is not object.__str__ or kind.__repr__ is not object.__repr__
