"""The generated half of the reference: one function per page, each from the one place that defines its facts."""

import ast
import inspect
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from enum import Enum, StrEnum
from itertools import pairwise
from pathlib import Path

from cyclopts import App
from cyclopts.argument import Argument

from botanu import content, semconv
from botanu.cli.main import command_line
from botanu.ingest.dialects import DIALECTS, JSON, SERVICES
from botanu.pricing import notes
from botanu.pricing.meters import METERS
from botanu.pricing.notes import Note
from botanu.query.measures import measures as measures_of
from botanu.query.measures import sums as sums_of
from botanu.query.report import DIMENSIONS
from botanu.sdk.settings import SdkSettings
from botanu.server.settings import ServerSettings
from botanu.settings import describe
from botanu.store.schema import TABLES

_SECTION = re.compile(r"# --- (.+?) -+$")
_PARAMETERS = re.compile(r"\n+Parameters\n-+\n")


def settings() -> str:
    """Return the settings of the SDK and of the server."""
    titles = ("setting", "variable", "type", "default", "what it does")
    parts = []
    for title, table in (("SDK", SdkSettings), ("Server", ServerSettings)):
        rows = [
            (_code(name), _code(variable), kind, _default(default), sentence)
            for name, variable, kind, default, sentence in describe(table)
        ]
        parts += [f"## {title}", _table(titles, rows)]
    return _page(parts)


def attributes() -> str:
    """Return the attributes of ``botanu.semconv``, its word lists, and the attributes that are read or dropped."""
    sections: dict[str, list[tuple[str, str]]] = {}
    for section, name, sentence in _constants(inspect.getsource(semconv)):
        sections.setdefault(section, []).append((_code(name), sentence))
    parts = []
    for section, rows in sections.items():
        parts += [f"## {section}", _table(("name", "meaning"), rows)]
    for words in _word_lists():
        parts += [f"## {words.__name__}", inspect.getdoc(words) or "", _list(_code(word) for word in words)]
    return _page([*parts, *_dialects(), "## Never stored", *_content()])


def tables() -> str:
    """Return every table with its columns."""
    parts = []
    for table in TABLES:
        rows = [(_code(column.name), _code(column.type), column.sentence) for column in table.columns]
        parts += [f"## {table.name}", table.sentence, _table(("column", "type", "meaning"), rows)]
    return _page(parts)


def _notes() -> Iterator[tuple[str, str]]:
    body = ast.parse(inspect.getsource(notes)).body
    (words,) = (node for node in body if isinstance(node, ast.ClassDef))
    for node, below in pairwise(words.body):
        match node, below:
            case ast.Assign(value=ast.Constant(value=str(word))), ast.Expr(value=ast.Constant(value=str(sentence))):
                yield _code(word), sentence


def measures() -> str:
    """Return every measure with its formula, the sums that formulas use, and the dimensions."""
    rows = [
        (_code(each.name), each.title, each.unit.value, each.sentence, _code(each.formula))
        for each in measures_of(shared=True)
    ]
    sums = [(_code(each.name), _code(each.of), _code(each.formula)) for each in sums_of(shared=True)]
    return _page(
        [
            _table(("measure", "title", "unit", "meaning", "formula"), rows),
            "## Sums",
            "What formulas are made of. A sum is taken over the runs in scope, or over their events.",
            _table(("sum", "over", "formula"), sums),
            "## Dimensions",
            "What a report can be broken down by:",
            _list(map(_code, DIMENSIONS)),
        ]
    )


def meters() -> str:
    """Return every meter, what contains it, and the name of what remains of it."""
    rows = [(_code(each.name), each.sentence, _code(each.within), _code(each.rest)) for each in METERS]
    words = [
        "## Notes",
        "The words of the column `cost_notes` of [spans](tables.md#spans).",
        inspect.getdoc(Note) or "",
    ]
    return _page(
        [
            _table(("meter", "meaning", "within", "what remains of it"), rows),
            *words,
            _table(("word", "meaning"), _notes()),
        ]
    )


def commands() -> str:
    """Return every command with its arguments and options."""
    parts = []
    for words, command in every_command(command_line(), ("botanu",)):
        given = command.assemble_argument_collection(parse_docstring=True)
        positional = [each for each in given if each.field_info.kind is inspect.Parameter.POSITIONAL_ONLY]
        options = [each for each in given if each not in positional]
        usage = " ".join((*words, *(each.name for each in positional), "[OPTIONS]"))
        parts += [f"## {' '.join(words)}", f"```text\n{usage}\n```", _help(command)]
        parts += [_table(("argument", "meaning"), [(_names(each), each.parameter.help) for each in positional])]
        parts += [_table(("option", "meaning", "default"), [_option(each) for each in options])]
    return _page(parts)


PAGES: Mapping[str, Callable[[], str]] = {
    "attributes": attributes,
    "commands": commands,
    "measures": measures,
    "meters": meters,
    "settings": settings,
    "tables": tables,
}
"""The generated pages by name."""


def write(directory: Path) -> None:
    """Write every page into *directory*; one that is the same already stays untouched."""
    directory.mkdir(parents=True, exist_ok=True)
    for name, page in PAGES.items():
        file, text = directory / f"{name}.md", page()
        if not file.exists() or file.read_text(encoding="utf-8") != text:
            file.write_text(text, encoding="utf-8")


def every_command(group: App, words: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], App]]:
    """Yield each command below *group*, which is called by *words*, with the words that call it."""
    for name in group:
        if name.startswith("-"):
            continue
        command = group[name]
        if command.default_command is None:
            yield from every_command(command, (*words, name))
        else:
            yield (*words, name), command


def _help(command: App) -> str:
    return _PARAMETERS.split(inspect.getdoc(command.default_command) or "")[0]


def _option(argument: Argument) -> tuple[str, str, str]:
    default = argument.field_info.default
    shown = default.value if isinstance(default, Enum) else default
    return _names(argument), argument.parameter.help or "", _code(None if shown in (None, False) else str(shown))


def _names(argument: Argument) -> str:
    return ", ".join(map(_code, argument.names))


def _constants(source: str) -> Iterator[tuple[str, str, str]]:
    """Yield section, value and sentence of each constant in *source* that is a text with a sentence under it."""
    lines = source.splitlines()
    body = ast.parse(source).body
    for node, below in pairwise(body):
        match node, below:
            case (
                ast.AnnAssign(value=ast.Constant(value=str(name))),
                ast.Expr(value=ast.Constant(value=str(sentence))),
            ):
                yield _section(lines[: node.lineno]), name, sentence


def _section(above: Sequence[str]) -> str:
    return next(match[1] for line in reversed(above) if (match := _SECTION.match(line)))


def _word_lists() -> list[type[StrEnum]]:
    found = [each for each in vars(semconv).values() if isinstance(each, type) and issubclass(each, StrEnum)]
    return [each for each in found if each is not StrEnum]


def _dialects() -> Iterator[str]:
    yield "## What is read"
    yield "The dialects, in the order they are asked: the first that has a readable value for a column decides."
    for dialect in DIALECTS:
        yield f"### {dialect.name}"
        rows = [(_code(column), ", ".join(map(_code, names))) for column, names in dialect.attributes.items()]
        yield _table(("column", "attributes"), rows)
    yield "The values of these are JSON objects, whose members are read as if they were attributes: `name.member`."
    yield _list(map(_code, JSON))
    yield "### What is no model"
    yield "Who bills, and what is billed, of spans that are calls only where there is a price for them:"
    rows = [(each.name, *(", ".join(map(_code, names)) for names in (each.provider, each.billed))) for each in SERVICES]
    yield _table(("family", "provider", "billed"), rows)


def _content() -> Iterator[str]:
    yield _list(map(_code, sorted(content.CONTENT)))
    yield "Nor anything that starts with one of these:"
    yield _list(map(_code, content.CONTENT_PREFIXES))


def _default(text: str) -> str:
    """Return a default as it would be written; the home directory of whoever builds this is nobody's business."""
    words = {"None": None, "True": "true", "False": "false"}
    return _code(words.get(text, text.replace(str(Path.home()), "~")))


def _code(text: str | None) -> str:
    return "" if text is None else f"`{text}`"


def _list(items: Iterable[str]) -> str:
    return "\n".join(f"- {item}" for item in items)


def _table(titles: Sequence[str], rows: Iterable[Sequence[str | None]]) -> str:
    lines = [[(cell or "").replace("|", "\\|").replace("\n", " ") for cell in row] for row in rows]
    if not lines:
        return ""
    return "\n".join(f"| {' | '.join(line)} |" for line in (titles, ["---"] * len(titles), *lines))


def _page(parts: Iterable[str]) -> str:
    return "\n\n".join(part for part in parts if part) + "\n"
