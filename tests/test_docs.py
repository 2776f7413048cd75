"""The documentation runs, and leaves nothing out.

Each page is played from top to bottom against a server of its own: programs run as processes, commands print what the
page says they print, SQL is asked, requests get the answers shown. The reference is compared with what there is.
"""

import json
import os
import re
import shlex
import subprocess
import sys
import tomllib
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass, fields
from datetime import UTC, datetime
from doctest import ELLIPSIS, OutputChecker
from enum import StrEnum
from importlib.util import module_from_spec, spec_from_file_location
from itertools import chain
from pathlib import Path

import pytest
from starlette.routing import Mount, Route
from support import llm_api

import botanu
import botanu.testing
from botanu import content, semconv
from botanu.cli.main import command_line
from botanu.ingest.dialects import DIALECTS
from botanu.ingest.rollup import ROLLUPS
from botanu.pricing.meters import METERS, RESTS
from botanu.query.measures import BY_NAME
from botanu.query.reconciling.causes import Cause
from botanu.query.reconciling.formats import FORMATS
from botanu.query.report import DIMENSIONS
from botanu.sdk.settings import SdkSettings
from botanu.server.app import create_app
from botanu.server.run import serving
from botanu.server.settings import ServerSettings, read_file
from botanu.server.shared_costs import configured_shared_costs
from botanu.server.values import configured_values
from botanu.server.web import format as written
from botanu.settings import resolve, variable
from botanu.store.duckdb import DuckDBStore

ROOT = Path(__file__).parents[1]
DOCS = ROOT / "docs"
PAGES = sorted(str(page.relative_to(DOCS)) for page in DOCS.rglob("*.md") if "_build" not in page.parts)

AFTER_THE_TUTORIAL = {"howto/sql.md", "reference/http-api.md"}
"""Pages that say their answers are those after the tutorial."""

GUIDE = "outcomes.md"
"""Its samples leave things to imagine (``request.id``, ``do_work()``); tests/test_guide.py runs them."""

ADDRESS = "http://127.0.0.1:4318"
"""The server's address, as pages write it."""

ENDLESS = {"serve", "demo"}
"""Commands that are read but not run."""

ARRIVES = {"howto/existing-opentelemetry.md": "event_id\norder-1\norder-2\norder-3"}
"""Events that must have arrived after a page that shows no answer itself."""

PROGRAM_SECONDS = 60


@dataclass(frozen=True)
class Block:
    """A fenced block of a page."""

    language: str
    text: str
    line: int


def blocks(page: str) -> list[Block]:
    text = (DOCS / page).read_text(encoding="utf-8")
    return [
        Block(match[1], match[2], text.count("\n", 0, match.start()) + 1)
        for match in re.finditer(r"^```(\w+)\n(.*?)\n```$", text, re.MULTILINE | re.DOTALL)
    ]


def commands(block: Block) -> Iterator[tuple[list[str], str]]:
    """Yield each command of a console block as words, with the lines that the page shows below it."""
    for part in re.split(r"^\$ ", block.text, flags=re.MULTILINE)[1:]:
        typed, _, shown = part.partition("\n")
        yield shlex.split(typed), shown


def twelve_digits(number: str) -> str:
    """Return *number* as far as a quotient of doubles can be relied on."""
    return f"{float(number):.12g}"


# --- Playing a page -----------------------------------------------------------------------------------


@pytest.fixture
def server(tmp_path):
    """A server on a fresh store: the app and its address."""
    settings = ServerSettings(data_dir=tmp_path / "store", port=0)
    app = create_app(settings, {})
    with serving(app, settings) as address:
        yield app, address


@pytest.fixture
def provider():
    """Stand in for OpenAI's API: every answer has 1,200 input tokens, 1,024 of them cached, and 100 output tokens."""
    answer = {
        "id": "chatcmpl-1",
        "object": "chat.completion",
        "created": 1,
        "model": "gpt-4o-mini-2024-07-18",
        "choices": [{"index": 0, "finish_reason": "stop", "message": {"role": "assistant", "content": "No."}}],
        "usage": {
            "prompt_tokens": 1200,
            "completion_tokens": 100,
            "total_tokens": 1300,
            "prompt_tokens_details": {"cached_tokens": 1024},
        },
    }
    with llm_api.serving(lambda _path, _asked: answer) as address:
        yield f"{address}/v1"


class Player:
    """Plays pages against one server."""

    def __init__(self, address, provider, directory, botanu):
        self.address = address
        self.directory = directory
        self.botanu = botanu
        self.answer = None
        self.asking = True
        self.variables = {
            "BOTANU_STRICT": "true",
            "BOTANU_URL": address,
            "OTEL_EXPORTER_OTLP_ENDPOINT": address,
            "OPENAI_BASE_URL": provider,
            "OPENAI_API_KEY": "none",
        }

    def play(self, page, *, asking=True):
        """Play *page* from top to bottom; without *asking*, only what changes something."""
        self.asking = asking
        players = {
            "console": self.console,
            "http": self.request,
            "json": self.response,
            "python": self.program,
            "sql": self.sql,
            "toml": self.settings_file,
        }
        for block in blocks(page):
            if block.language in players and not (page == GUIDE and block.language == "python"):
                players[block.language](Block(block.language, block.text.replace(ADDRESS, self.address), block.line))

    def program(self, block):
        file = self.directory / "program.py"
        file.write_text(block.text, encoding="utf-8")
        is_test = "\ndef test_" in block.text
        self.run(["-m", "pytest", "-p", "no:cacheprovider", str(file)] if is_test else [str(file)], block.line)

    def run(self, words, line):
        """Run Python in a process of its own; it must end well and have nothing to complain about."""
        done = subprocess.run(
            [sys.executable, *words],
            cwd=self.directory,
            env=os.environ | self.variables,
            capture_output=True,
            text=True,
            timeout=PROGRAM_SECONDS,
            check=False,
        )
        assert (done.returncode, done.stderr) == (0, ""), f"line {line}: {words}"
        return done.stdout

    def console(self, block):
        typed = [*commands(block)]
        for (words, shown), (following, code) in zip(typed, [*typed[1:], ([], "")], strict=True):
            assert words[0] in {"botanu", "pip", "python", "echo"}
            if words[0] == "botanu" and words[1] not in ENDLESS and (self.asking or words[1] == "values"):
                self.command(words[1:], shown, block.line, int(code) if following == ["echo", "$?"] else 0)

    def command(self, words, shown, line, ends=0):
        with pytest.MonkeyPatch.context() as patch:
            for name, value in self.variables.items():
                patch.setenv(name, value)
            code, printed, errors = self.botanu(*words)
        assert (code, errors) == (ends, ""), f"line {line}: {words}"
        if shown:
            got, want = ("".join(f"{each.rstrip()}\n" for each in text.splitlines()) for text in (printed, shown))
            assert OutputChecker().check_output(want, got, ELLIPSIS), f"line {line}: {words} prints\n{got}"

    def sql(self, block):
        for statement in filter(str.strip, block.text.split(";")):
            self.ask("POST", "/v1/sql", {"content-type": "application/json"}, json.dumps({"query": statement}))

    def request(self, block):
        head, _, body = block.text.partition("\n\n")
        line, *headers = head.splitlines()
        method, path, _ = line.split()
        self.ask(method, path, dict(header.split(": ") for header in headers), body)

    def ask(self, method, path, headers, body):
        request = urllib.request.Request(self.address + path, body.encode() or None, headers, method=method)
        with urllib.request.urlopen(request) as response:
            self.answer = json.load(response, parse_float=twelve_digits)

    def response(self, block):
        assert self.answer == json.loads(block.text, parse_float=twelve_digits), f"line {block.line}"

    def settings_file(self, block):
        if block.text.startswith("[[prices]]"):  # which the page then imports
            (self.directory / "prices.toml").write_text(block.text, encoding="utf-8")
            return
        file = self.directory / "example.toml"
        file.write_text(block.text, encoding="utf-8")
        settings, values, shared_costs = read_file(file)
        resolve(ServerSettings, file=settings)
        configured_shared_costs(shared_costs)
        assert len(configured_values(values, [], now=datetime.now(UTC))) >= len(values)


@pytest.fixture
def player(server, provider, tmp_path, botanu):
    return Player(server[1], provider, tmp_path, botanu)


@pytest.mark.parametrize("page", [page for page in PAGES if blocks(page)])
def test_a_page_does_what_it_says(page, player):
    """Programs run, commands print what is shown, SQL is answered, requests get the answers shown."""
    if page in AFTER_THE_TUTORIAL:
        player.play("tutorial.md", asking=False)

    player.play(page)

    if page in ARRIVES:
        player.command(["sql", "SELECT event_id FROM runs ORDER BY event_id", "-f", "csv"], ARRIVES[page], 0)


@pytest.mark.parametrize("page", PAGES)
def test_commands_on_a_page_exist(page):
    """Every `botanu` command shown has a name, arguments and options that the command line knows."""
    for block in blocks(page):
        if block.language == "console":
            for words, _ in commands(block):
                if words[0] == "botanu":
                    command_line().parse_args(words[1:], exit_on_error=False, print_error=False)


# --- The reference leaves nothing out -----------------------------------------------------------------


def _load_generator():
    spec = spec_from_file_location("docs_generate", DOCS / "_generate.py")
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def reference(name):
    """Return the page *name* of the reference, with its generated part in place."""
    generated = _load_generator().PAGES
    text = (DOCS / "reference" / f"{name}.md").read_text(encoding="utf-8")
    include = re.compile(r"^```\{include\} \.\./_build/reference/(\w+)\.md\n```$", re.MULTILINE)
    return include.sub(lambda match: generated[match[1]](), text)


def sections(text):
    """Return the text under each heading of the second level."""
    parts = re.split(r"^## (.+)$", text, flags=re.MULTILINE)
    return dict(zip(parts[1::2], parts[2::2], strict=True))


@pytest.mark.parametrize(("title", "table"), [("SDK", SdkSettings), ("Server", ServerSettings)])
def test_every_setting_is_documented(title, table):
    """Each setting has a line with its name, its variable and its sentence."""
    text = sections(reference("settings"))[title]
    for row in fields(table):
        line = next(line for line in text.splitlines() if line.startswith(f"| `{row.name}` "))
        assert f"`{variable(row.name)}`" in line
        assert row.metadata["sentence"] in line


def test_every_command_and_option_is_documented():
    """Each command has a section that names all it takes."""
    documented = sections(reference("commands"))
    found = dict(_leaves(command_line(), "botanu"))
    assert found.keys() == documented.keys()
    for name, command in found.items():
        for argument in command.assemble_argument_collection():
            for option in argument.names:
                assert f"`{option}`" in documented[name], name


def _leaves(group, path):
    for name in group:
        if name.startswith("-"):
            continue
        command = group[name]
        if command.default_command is None:
            yield from _leaves(command, f"{path} {name}")
        else:
            yield f"{path} {name}", command


def test_every_measure_and_dimension_is_documented():
    """Each measure has a line with its sentence and formula, each dimension an entry."""
    text = reference("measures")
    for measure in BY_NAME.values():
        assert f"| `{measure.name}` | {measure.title} |" in text
        assert f"{measure.sentence} | `{measure.formula}` |" in text
    for dimension in DIMENSIONS:
        assert f"- `{dimension}`" in text


def test_every_column_is_documented(tmp_path):
    """Each column that a new store really has stands in the section of its table."""
    store = DuckDBStore(tmp_path, ROLLUPS)
    rows = store.query("SELECT table_name, column_name, data_type FROM information_schema.columns").to_pylist()
    store.close()
    documented = sections(reference("tables"))
    columns = [row for row in rows if row["table_name"] != "schema_version"]
    assert {row["table_name"] for row in columns} == documented.keys()
    for row in columns:
        assert f"| `{row['column_name']}` | " in documented[row["table_name"]], row


def test_every_invoice_and_cause_is_documented():
    """Each format that can be read stands in the how-to, and each cause of a gap."""
    text = (DOCS / "howto" / "reconcile.md").read_text(encoding="utf-8")
    for form in FORMATS:
        assert f"| {form.name} |" in text
    for cause in Cause:
        assert f"| `{cause}` |" in text


def test_every_meter_is_documented():
    """Each meter stands in the table, and the name of what remains of it."""
    text = reference("meters")
    for meter in [*(meter.name for meter in METERS), *RESTS]:
        assert f"`{meter}`" in text


def test_every_attribute_is_documented():
    """Each attribute that is written, read or dropped, and each word of the closed lists, stands in the reference."""
    text = reference("attributes")
    constants = [value for name, value in vars(semconv).items() if name.isupper() and isinstance(value, str)]
    lists = [each for each in vars(semconv).values() if isinstance(each, type) and issubclass(each, StrEnum)]
    read = [name for dialect in DIALECTS for names in dialect.attributes.values() for name in names]
    dropped = [*content.CONTENT, *content.CONTENT_PREFIXES]
    assert len(constants) > 20
    for name in [*constants, *(word for each in lists for word in each), *read, *dropped]:
        assert f"`{name}`" in text


def test_every_route_is_documented_and_no_other(server):
    """The API page lists exactly the routes that the server has."""
    app, _ = server
    there = set()
    for route in app.routes:
        if isinstance(route, Mount):
            there.add(("GET", f"{route.path}/..."))
        if isinstance(route, Route):
            there |= {(method, route.path) for method in route.methods - {"HEAD"}}
    text = reference("http-api")
    listed = set(re.findall(r"^\| `([A-Z]+)` \| `([^`]+)` \|", text, re.MULTILINE))
    assert listed == there
    for method, path in there:
        if path.startswith(("/v1/", "/healthz")):
            assert f"{method} {path}" in sections(text)


@pytest.mark.parametrize("module", [botanu, botanu.testing], ids=lambda module: module.__name__)
def test_every_public_name_is_documented(module):
    """The API page has an entry for each name that can be imported."""
    listed = re.findall(rf"^\.\. auto\w+:: {module.__name__}\.(\w+)$", reference("python-api"), re.MULTILINE)
    assert sorted(listed) == sorted(module.__all__)


def test_every_library_has_its_reason():
    """The record about libraries has a line for each one that users install."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    text = (DOCS / "decisions" / "0002-libraries.md").read_text(encoding="utf-8")
    wanted = [*project["dependencies"], *chain.from_iterable(project["optional-dependencies"].values())]
    names = [re.match(r"[\w-]+", requirement)[0] for requirement in wanted]
    assert sorted(re.findall(r"^\| ([a-z][\w-]+) \| (?!licence)", text, re.MULTILINE)) == sorted(names)


def test_the_reference_tells_nothing_about_the_machine_that_built_it():
    """No generated page holds the home directory of whoever builds the documentation."""
    for name, page in _load_generator().PAGES.items():
        assert str(Path.home()) not in page(), name


def test_numbers_are_shown_as_the_page_says():
    """The examples under "How numbers are shown" are what the page and the command line write."""
    text = sections((DOCS / "what-the-numbers-mean.md").read_text(encoding="utf-8"))["How numbers are shown"]
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in text.splitlines() if line[:1] == "|"]
    amounts = [(written.money, *row) for row in rows if len(row) == 2]
    others = [(getattr(written, row[0], None), *row[1:]) for row in rows if len(row) == 3]
    examples = [(write, number, shown) for write, number, shown in amounts + others if number[-1:].isdecimal()]
    assert len(examples) == 12
    for write, number, shown in examples:
        assert write(float(number)) == shown
