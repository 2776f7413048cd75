"""The tree itself: what is in it, how long it is, which words it uses."""

import ast
import re
import subprocess
from pathlib import Path

import pytest

from botanu import semconv

ROOT = Path(__file__).parents[1]
SOURCE = sorted((ROOT / "src" / "botanu").rglob("*.py"))

FUNCTION_LINES_MAX = 45
"""The longest function now, docstring included. It may go down, never up."""

FILE_LINES_MAX = 330
"""The longest file of the source now. It may go down, never up."""

ATTRIBUTES_ELSEWHERE = {"semconv.py", "dialects.py"}
"""Files that are tables of attribute names."""

NOT_OUR_WORDS = {
    r"\bttl\b": "retention",
    r"\bexpense\b": "cost",
    r"\btariff\b": "price",
    r"\bprice book\b": "rate card",
    r"\bcancelled\b": "canceled (as a status), cancellation",
}
"""Words the glossary has another one for."""


def tracked(*patterns):
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", "--", *patterns],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    return [ROOT / line for line in listed.stdout.splitlines() if (ROOT / line).is_file()]


@pytest.mark.parametrize("path", SOURCE, ids=lambda path: str(path.relative_to(ROOT)))
def test_functions_and_files_stay_short(path):
    text = path.read_text()
    assert len(text.splitlines()) <= FILE_LINES_MAX
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            assert node.end_lineno - node.lineno < FUNCTION_LINES_MAX + _docstring_lines(node), node.name


def _docstring_lines(node):
    first = node.body[0]
    return first.end_lineno - first.lineno + 1 if ast.get_docstring(node) else 0


@pytest.mark.parametrize("path", SOURCE, ids=lambda path: str(path.relative_to(ROOT)))
def test_attribute_names_are_written_in_one_place(path):
    if path.name in ATTRIBUTES_ELSEWHERE:
        return
    names = {value for name, value in vars(semconv).items() if name.isupper() and isinstance(value, str)}
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            assert node.value not in names, f"{node.value} at line {node.lineno}"


def test_the_sdk_attaches_contexts_in_one_way():
    """Where runs have a context apart, one attached to OpenTelemetry's would change another product's traces."""
    own = {"contexts.py", "delivery.py"}  # the second attaches in a thread of its own
    for path in (ROOT / "src" / "botanu" / "sdk").glob("*.py"):
        if path.name in own:
            continue
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.ImportFrom) and node.module == "opentelemetry.context":
                assert {"attach", "detach"}.isdisjoint(name.name for name in node.names), path.name


def test_our_words_are_the_glossarys():
    for path in SOURCE:
        for number, line in enumerate(path.read_text().splitlines(), 1):
            for wrong, right in NOT_OUR_WORDS.items():
                assert not re.search(wrong, line, re.IGNORECASE), f"{path.name}:{number}: say {right}: {line.strip()}"


def test_every_source_file_is_used():
    imported = set()
    for path in SOURCE:
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.ImportFrom) and node.module:
                imported |= {node.module, *(f"{node.module}.{name.name}" for name in node.names)}
            elif isinstance(node, ast.Import):
                imported |= {name.name for name in node.names}
            elif isinstance(node, ast.Constant) and isinstance(node.value, str) and node.value.startswith("botanu."):
                imported.add(node.value.partition(":")[0])  # commands are named, and imported when they are called
    for path in SOURCE:
        module = ".".join(path.relative_to(ROOT / "src").with_suffix("").parts).removesuffix(".__init__")
        assert module in imported or path.name == "__init__.py" or module == "botanu.__main__", module


def test_no_file_names_a_package_registry_or_a_path_of_some_machine():
    registry = re.compile(r"(pypi|pythonhosted|npmjs)\.(org|com)|/simple/|/(root|home)/\w+")
    for path in tracked():
        if path.suffix not in (".svg", ".png") and path != Path(__file__):
            found = registry.search(path.read_text(encoding="utf-8"))
            assert found is None, f"{path.relative_to(ROOT)}: {found[0]}"


def test_every_test_directory_has_a_counterpart_in_the_source():
    beside = {"app", "browser", "support", "typing", "__pycache__"}
    for directory in (ROOT / "tests").iterdir():
        if directory.is_dir() and directory.name not in beside and not directory.name.startswith("."):
            assert (ROOT / "src" / "botanu" / directory.name).is_dir(), directory.name
