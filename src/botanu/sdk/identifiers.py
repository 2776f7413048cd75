"""New run ids, and texts from the scalars that programs use as ids."""

import os
import random
import time
from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet

from botanu.errors import IdentityError

_random = random.Random(os.urandom(16))  # noqa: S311 - ids must be unique, not secret
if hasattr(os, "register_at_fork"):  # pragma: no branch - Windows has no fork
    os.register_at_fork(after_in_child=lambda: _random.seed(os.urandom(16)))


def new_run_id() -> str:
    """Return a new UUIDv7 of now.

    The random source is a generator of our own, reseeded after a fork: the operating system's would give
    up the interpreter lock on every run, and the program may have seeded the shared one.
    """
    return uuid7(time.time_ns() // 1_000_000, _random.getrandbits(74))


def uuid7(milliseconds: int, bits: int) -> str:
    """Return the UUIDv7 (RFC 9562, section 5.7) of an instant in Unix *milliseconds* with 74 random *bits*."""
    number = milliseconds << 80 | 0x7 << 76 | (bits >> 62) << 64 | 0x2 << 62 | bits & (1 << 62) - 1
    text = f"{number:032x}"
    return f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}"


def id_text(field: str, given: object) -> str:
    """Return the text of an id that a program gave as *field*: a scalar, not empty.

    Raises:
        IdentityError: it is ``None``, empty or a collection.
    """
    if isinstance(given, str):
        text = given
    elif given is None or isinstance(given, bytes | Mapping | Sequence | AbstractSet):
        raise IdentityError(f"{field} must be text or a number, not {type(given).__name__}")
    else:
        text = str(given)
    if not text:
        raise IdentityError(f"{field} must not be empty")
    return text
