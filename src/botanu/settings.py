"""One mechanism for all settings: a frozen dataclass is the table, a field is a row.

A row has a name, a type, a default and a sentence; its variable is ``BOTANU_<NAME>``. The first source
that gives a value wins: code, environment, file, default.
"""

import math
import os
from collections.abc import Mapping
from dataclasses import MISSING, field, fields
from typing import Any, SupportsFloat, TypeVar, get_type_hints

from botanu.errors import SettingsError

PREFIX = "BOTANU_"

T = TypeVar("T")
S = TypeVar("S")


def setting(default: T, sentence: str, *, least: float = -math.inf, most: float = math.inf) -> T:
    """Declare one row of a settings table: its default, the sentence that explains it, and a number's bounds."""
    declared: T = field(default=default, metadata={"sentence": sentence, "bounds": (least, most)})
    return declared


def variable(name: str) -> str:
    """Environment variable of the setting called *name*."""
    return PREFIX + name.upper()


def resolve(
    table: type[S],
    *,
    code: Mapping[str, object] | None = None,
    environ: Mapping[str, str] | None = None,
    file: Mapping[str, object] | None = None,
) -> S:
    """Read the settings *table* from its sources, in the order code, environment, file, default.

    ``None`` in *code* and an empty variable mean "not given".

    Raises:
        SettingsError: lists every bad value with its setting, the value and the type wanted, and every
            name in *code* or *file* that is no setting.
    """
    types = get_type_hints(table)
    bounds = {row.name: row.metadata["bounds"] for row in fields(table)}  # type: ignore[arg-type]
    rows = list(types)
    sources: list[tuple[str, dict[str, object]]] = [
        ("", {name: value for name, value in (code or {}).items() if value is not None}),
        ("", {name: text for name in rows if (text := (environ or {}).get(variable(name)))}),
        (" in the file", dict(file or {})),
    ]
    faults = [
        f"unknown setting {name!r}{where}; known: {', '.join(rows)}"
        for where, given in sources
        for name in given
        if name not in rows
    ]
    values = {}
    for name in rows:
        given = next((source[name] for _, source in sources if name in source), MISSING)
        if given is MISSING:
            continue
        try:
            values[name] = _within(bounds[name], _coerce(given, types[name]))
        except (TypeError, ValueError):
            wanted = _wanted(types[name], bounds[name])
            faults.append(f"{name} ({variable(name)}) must be {wanted}, not {given!r}")
    if faults:
        raise SettingsError("; ".join(faults))
    return table(**values)


def describe(table: type[object]) -> list[tuple[str, str, str, str, str]]:
    """Rows of *table* for documentation: name, variable, type, default, sentence."""
    types = get_type_hints(table)
    return [
        (
            row.name,
            variable(row.name),
            _wanted(types[row.name], row.metadata["bounds"]),
            str(row.default),
            row.metadata["sentence"],
        )
        for row in fields(table)  # type: ignore[arg-type]
    ]


def word(variable: str) -> str:
    """Return what a *variable* of the environment, one of other projects, says: a word in small letters, or nothing."""
    return os.environ.get(variable, "").strip().lower()


def _boolean(text: str) -> bool:
    words = {"1": True, "true": True, "yes": True, "on": True, "0": False, "false": False, "no": False, "off": False}
    if text.strip().lower() not in words:
        raise ValueError(text)
    return words[text.strip().lower()]


_WORDS = {"str": "text", "int": "a whole number", "float": "a number", "bool": "true or false", "Path": "a path"}
# By name: to import what paths are takes as long as much else of the SDK, which has no setting that is one.


def _plain(kind: Any) -> Any:  # noqa: ANN401 - a type, or one that may be absent
    """Return the type that *kind* is, without ``None``."""
    return kind if isinstance(kind, type) else next(part for part in kind.__args__ if part is not type(None))


def _parse(text: str, kind: Any) -> object:  # noqa: ANN401 - one of those above
    if kind is bool:
        return _boolean(text)
    value = kind(text)
    return value.expanduser() if kind.__name__ == "Path" else value


def _wanted(kind: object, bounds: tuple[float, float]) -> str:
    limits = zip(("from", "to"), bounds, strict=True)
    return " ".join(
        [_WORDS[_plain(kind).__name__], *(f"{word} {limit:g}" for word, limit in limits if math.isfinite(limit))]
    )


def _within(bounds: tuple[float, float], value: object) -> object:
    """Return *value*, a number only if it is finite and within *bounds*."""
    least, most = bounds
    if isinstance(value, int | float) and not (math.isfinite(value) and least <= value <= most):
        raise ValueError(value)
    return value


def _coerce(given: object, kind: object) -> object:
    plain = _plain(kind)
    if isinstance(given, str):
        return _parse(given, plain)
    if plain is float and isinstance(given, SupportsFloat) and not isinstance(given, bool):
        return float(given)
    if not isinstance(given, plain) or (isinstance(given, bool) and plain is not bool):
        raise TypeError(given)
    return given
