"""A run's identity as members of W3C baggage (https://www.w3.org/TR/baggage/), and back."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import quote_plus, unquote_plus

from botanu import semconv
from botanu.sdk.guard import guard
from botanu.sdk.identity import IDENTITY

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

HEADER = "baggage"

MEMBERS_MAX, BYTES_MAX = 64, 8192
"""What everyone who forwards baggage must let through, by the standard, and all that we read."""

TEXT_MAX = 256
"""Longest id that travels, in characters."""

ATTEMPT_DIGITS_MAX = 9
"""Longest attempt that is believed."""


def is_ours(name: str) -> bool:
    """Return whether *name* is that of a member that only botanu writes."""
    return name.lstrip().lower().startswith("botanu.")


def members_of(identity: Mapping[str, str | int]) -> dict[str, str]:
    """Return what of *identity* can travel, as members of baggage, those that matter most first."""
    texts = {name: str(identity[name]) for name in IDENTITY if name in identity}
    return {name: text for name, text in texts.items() if _is_plain(text)}


def fitting(members: Mapping[str, object]) -> dict[str, object]:
    """Return those of *members* that fit into one header, the first ones first."""
    kept: dict[str, object] = {}
    room = BYTES_MAX + 1  # the first has no comma before it
    for name, value in members.items():
        size = len(",") + len(quote_plus(name)) + len("=") + len(quote_plus(str(value)))
        if size <= room and len(kept) < MEMBERS_MAX:
            kept[name] = value
            room -= size
    return kept


def identity_in(headers: Sequence[str]) -> dict[str, str | int]:
    """Return the run identity that the *headers* called ``baggage`` claim; empty where it cannot be one.

    Of several members of one name the first counts. A plus stands for a space, as OpenTelemetry for Python writes it;
    we write neither.
    """
    if sum(map(len, headers)) > BYTES_MAX:
        guard.log_once(f"baggage of more than {BYTES_MAX} bytes came in; it is not read")
        return {}
    identity: dict[str, str | int] = {}
    for member in ",".join(headers).split(",", MEMBERS_MAX)[:MEMBERS_MAX]:
        name, _, rest = member.partition("=")
        name = name.strip()
        if name in IDENTITY and name not in identity:
            value = _value(name, rest.partition(";")[0].strip())
            if value is None:
                guard.log_once(f"baggage came in with a {name} that cannot be one; it is left out")
            else:
                identity[name] = value
    return identity if semconv.RUN_ID in identity else {}


def _value(name: str, encoded: str) -> str | int | None:
    """Return what *encoded* stands for; ``None`` where that is no value for *name*."""
    try:
        text = unquote_plus(encoded.encode("ascii").decode(), errors="strict")
    except UnicodeError:
        return None
    if name == semconv.ATTEMPT:
        return int(text) or None if text.isdecimal() and len(text) <= ATTEMPT_DIGITS_MAX else None
    return text if _is_plain(text) else None


def _is_plain(text: str) -> bool:
    return 0 < len(text) <= TEXT_MAX and text.isprintable()
