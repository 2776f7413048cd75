"""What a program imports and calls, and where; it is read, not run."""

import ast
import os
import warnings
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import EllipsisType

from botanu.errors import BotanuError

Constant = str | bytes | float | complex | EllipsisType | None
"""What an argument is as it is written; the ellipsis for one that only a run would tell."""

INSTRUMENT = "instrument"
"""How the methods begin that turn an instrumentation on."""

OTHERS = "**"
"""Stands for the arguments that a call takes from a mapping."""


@dataclass(frozen=True, slots=True)
class Called:
    """A call of something imported, or of a method that turns instrumentations on."""

    name: str
    """The whole name of what is called; of a method of who knows what, ``.`` and its own name."""
    place: str
    """``file:line``."""
    given: Mapping[str, Constant]
    """The arguments that are given by name."""


@dataclass(frozen=True, slots=True)
class Program:
    """The imports and calls of some files."""

    names: tuple[tuple[str, str], ...]
    """What is imported, by its whole name, and the place, ``file:line``."""
    calls: tuple[Called, ...]
    """What is called of that, in the order of the files."""
    unread: tuple[tuple[str, str], ...]
    """Files and folders that cannot be read, and why."""

    def places(self, module: str) -> tuple[str, ...]:
        """Return where *module* or something in it is imported."""
        return tuple(dict.fromkeys(place for name, place in self.names if f"{name}.".startswith(f"{module}.")))

    def called(self, *names: str) -> list[Called]:
        """Return the calls of any of *names*."""
        return [call for call in self.calls if call.name in names]


def read_program(paths: Iterable[Path]) -> Program:
    """Read the files that *paths* are, or hold.

    Raises:
        BotanuError: there is no such file or folder, or no Python in it.
    """
    names: list[tuple[str, str]] = []
    calls: list[Called] = []
    unread: list[tuple[str, str]] = []
    for path in paths:
        if not path.exists():
            raise BotanuError(f"there is no file or folder {path}")
        read, failed = 0, len(unread)
        for file in _files(path, lambda error: unread.append((str(error.filename), _reason(error)))):
            read += 1
            try:
                tree = _nodes(file.read_bytes())
            except (OSError, SyntaxError, ValueError, RecursionError, MemoryError) as error:
                unread.append((str(file), _reason(error)))
                continue
            names += ((name, f"{file}:{line}") for name, line in _imports(tree))
            calls += _calls(tree, str(file))
        if not read and len(unread) == failed:
            raise BotanuError(f"there is no Python file in {path}")
    return Program(tuple(names), tuple(calls), tuple(unread))


def _files(path: Path, unreadable: Callable[[OSError], None]) -> Iterator[Path]:
    """Yield *path*, or the Python files of the program in it: not what is installed there, and nothing hidden."""
    if path.is_file():
        yield path
        return
    for folder, folders, files in os.walk(path, onerror=unreadable):
        inside = Path(folder)
        folders[:] = sorted(
            name for name in folders if not name.startswith(".") and not (inside / name / "pyvenv.cfg").exists()
        )
        yield from (inside / name for name in sorted(files) if name.endswith(".py"))


def _reason(error: Exception) -> str:
    if isinstance(error, OSError):
        return error.strerror or type(error).__name__
    if isinstance(error, SyntaxError):
        return f"line {error.lineno}: {error.msg}" if error.lineno else error.msg
    return "nested too deeply" if isinstance(error, RecursionError | MemoryError) else str(error)


def _nodes(source: bytes) -> list[ast.AST]:
    with warnings.catch_warnings(action="ignore"):  # about the program's text, which is not ours
        return [*ast.walk(ast.parse(source))]


def _imports(nodes: Iterable[ast.AST]) -> Iterator[tuple[str, int]]:
    """Yield each name that is imported, with its line; what is relative belongs to the program itself."""
    for node in nodes:
        if isinstance(node, ast.Import):
            yield from ((each.name, node.lineno) for each in node.names)
        elif isinstance(node, ast.ImportFrom) and node.level == 0:
            yield from ((f"{node.module}.{each.name}", node.lineno) for each in node.names)


def _calls(nodes: Sequence[ast.AST], file: str) -> Iterator[Called]:
    """Yield each call of what is imported, and of methods that are named as those of instrumentors are."""
    bound = dict(_bound(nodes))
    calls = [node for node in nodes if isinstance(node, ast.Call)]
    for node in sorted(calls, key=lambda call: (call.lineno, call.col_offset)):
        name = _whole_name(node.func, bound)
        if not name.startswith(".") or name.startswith(f".{INSTRUMENT}"):
            given = {each.arg or OTHERS: _constant(each.value) for each in node.keywords}
            yield Called(name, f"{file}:{node.lineno}", given)


def _bound(nodes: Iterable[ast.AST]) -> Iterator[tuple[str, str]]:
    """Yield the names that imports give to things in a file, and the whole names of those."""
    for node in nodes:
        if isinstance(node, ast.Import):
            for each in node.names:
                first = each.name.partition(".")[0]
                yield (each.asname, each.name) if each.asname else (first, first)
        elif isinstance(node, ast.ImportFrom) and node.level == 0:
            yield from ((each.asname or each.name, f"{node.module}.{each.name}") for each in node.names)


def _whole_name(called: ast.expr, bound: Mapping[str, str]) -> str:
    """Return the whole name of what is *called*; where it is not known of what it is a part, ``.`` and the last name.

    ``OpenAIInstrumentor().instrument`` is a part of ``OpenAIInstrumentor``.
    """
    parts: list[str] = []
    while isinstance(called, ast.Attribute | ast.Call):
        if isinstance(called, ast.Attribute):
            parts.append(called.attr)
            called = called.value
        else:
            called = called.func
    if isinstance(called, ast.Name) and called.id in bound:
        return ".".join((bound[called.id], *reversed(parts)))
    return f".{parts[0]}" if parts else "."


def _constant(value: ast.expr) -> Constant:
    return value.value if isinstance(value, ast.Constant) else ...
