"""The members of a JSON object in an attribute, in plain Python: users' tests read them alike, without a server."""

import ast
import json
from collections.abc import Iterable, Iterator
from typing import Any

from botanu.ingest.dialects import BESIDE, BESIDE_IF, SUMS

TEXT_MAX = 20_000
"""A longer text is not read: usage is short."""

DEPTH_MAX = 6
"""Members deeper down are not read."""

_INT64_LIMIT = 2**63

Scalar = str | int | float


def listed(texts: Iterable[str]) -> str:
    """Return the JSON objects *texts* as one list; what is empty is none."""
    return f"[{', '.join(text or 'null' for text in texts)}]"


def members(name: str, text: str) -> dict[str, Scalar]:
    """Return the scalar members of the JSON object *text*, by the names they are read under; of a list, their sums.

    *name* is that of the attribute. Numbers beyond 64 bits are left out; halves of surrogate pairs, which JSON may have
    in its escapes and a column may not, become question marks.
    """
    found: dict[str, Scalar] = {}
    document = _document(text)
    for each in document if isinstance(document, list) else [document]:
        for member, value in _flat(f"{name}.", _told_apart(name, each), DEPTH_MAX):
            before = found.get(member)
            both = not isinstance(before, str | None) and not isinstance(value, str)
            found[member] = before + value if both else value  # type: ignore[operator]
    numbers = [value for value in found.values() if not isinstance(value, str)]
    if name in SUMS and numbers:
        found.setdefault(f"{name}.{SUMS[name]}", sum(numbers))
    return {_sendable(member): value for member, value in found.items() if _fits(value)}


def _document(text: str) -> Any:  # noqa: ANN401 - whatever was written
    if len(text) > TEXT_MAX:
        return None
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return _literal(text)


def _literal(text: str) -> Any:  # noqa: ANN401 - whatever was written
    """Return what *text* means in Python, as which some write their dictionaries."""
    try:
        return ast.literal_eval(text)
    except (ValueError, SyntaxError, MemoryError, RecursionError, TypeError):
        return None


def _told_apart(name: str, document: object) -> object:
    """Return *document* with the member that leaves the cache out under ``beside``, if it is of that shape."""
    member = BESIDE.get(name)
    if not isinstance(document, dict) or member not in document or not document.keys() & BESIDE_IF:
        return document
    others = {key: value for key, value in document.items() if key != member}
    return {**others, "beside": {member: document[member]}}


def _flat(prefix: str, node: object, depth: int) -> Iterator[tuple[str, Scalar]]:
    if not isinstance(node, dict) or depth == 0:
        return
    for key, value in node.items():
        if not isinstance(key, str):  # as Python's may be
            continue
        if isinstance(value, str):
            yield f"{prefix}{key}", _sendable(value)
        elif isinstance(value, int | float) and not isinstance(value, bool):
            if _fits(value):
                yield f"{prefix}{key}", value
        else:
            yield from _flat(f"{prefix}{key}.", value, depth - 1)


def _fits(value: Scalar) -> bool:
    return not isinstance(value, int) or -_INT64_LIMIT <= value < _INT64_LIMIT


def _sendable(text: str) -> str:
    return text.encode("utf-8", "replace").decode()
