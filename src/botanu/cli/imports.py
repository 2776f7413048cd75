"""What a program imports, and where; it is read, not run."""

import ast
import os
import warnings
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from botanu.errors import BotanuError


@dataclass(frozen=True, slots=True)
class Program:
    """The imports of some files."""

    names: tuple[tuple[str, str], ...]
    """What is imported, by its whole name, and the place, ``file:line``."""
    unread: tuple[tuple[str, str], ...]
    """Files that are no Python, and why."""

    def places(self, module: str) -> tuple[str, ...]:
        """Return where *module* or something in it is imported."""
        return tuple(dict.fromkeys(place for name, place in self.names if f"{name}.".startswith(f"{module}.")))


def read_program(paths: Iterable[Path]) -> Program:
    """Read the files that *paths* are, or hold.

    Raises:
        BotanuError: there is no such file or folder.
    """
    names: list[tuple[str, str]] = []
    unread = []
    for path in paths:
        if not path.exists():
            raise BotanuError(f"there is no file or folder {path}")
        for file in _files(path):
            try:
                names += ((name, f"{file}:{line}") for name, line in _imports(file.read_bytes()))
            except (OSError, SyntaxError, ValueError) as error:
                unread.append((str(file), str(error)))
    return Program(tuple(names), tuple(unread))


def _files(path: Path) -> Iterator[Path]:
    """Yield *path*, or the Python files of the program in it: not what is installed there, and nothing hidden."""
    if path.is_file():
        yield path
    for folder, folders, files in os.walk(path):
        inside = Path(folder)
        folders[:] = sorted(
            name for name in folders if not name.startswith(".") and not (inside / name / "pyvenv.cfg").exists()
        )
        yield from (inside / name for name in sorted(files) if name.endswith(".py"))


def _imports(source: bytes) -> Iterator[tuple[str, int]]:
    """Yield each name imported in *source*, with its line; what is relative belongs to the program itself."""
    with warnings.catch_warnings(action="ignore"):  # about the program's text, which is not ours
        tree = ast.parse(source)
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from ((each.name, node.lineno) for each in node.names)
        elif isinstance(node, ast.ImportFrom) and node.level == 0:
            yield from ((f"{node.module}.{each.name}", node.lineno) for each in node.names)
