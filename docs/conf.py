"""Sphinx configuration. The reference is written from the code before Sphinx reads the sources."""

import sys
from importlib.metadata import version as version_of
from pathlib import Path

from sphinx.application import Sphinx

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE))

import _generate  # noqa: E402 - found through the line above

_generate.write(HERE / "_build" / "reference")

project = "botanu"
author = "the botanu authors"
version = release = version_of("botanu")

extensions = ["myst_parser", "sphinx.ext.autodoc", "sphinx.ext.napoleon"]
exclude_patterns = ["_build"]

html_theme = "furo"
html_title = f"botanu {release}"
html_copy_source = False
html_show_copyright = False

myst_heading_anchors = 3

autodoc_default_options = {"members": True, "undoc-members": True, "exclude-members": "__init__,__new__"}
autodoc_member_order = "bysource"
autodoc_typehints = "signature"
autodoc_class_signature = "separated"  # a class that only the SDK makes shows no constructor

nitpicky = True
# Names of other projects, whose documentation is not read, as building asks no network; and names that are not public.
nitpick_ignore_regex = [
    (r"py:class", r"(collections\.abc|decimal|opentelemetry)\..*"),
    (r"py:class", r"(botanu\.sdk\.llm\.)?(P|R|T)|ReadableSpan|Span(Context|Exporter|Kind)?|Tokens|Headers|Context"),
    (r"py:class", r"botanu\.sdk\.(retrying\.RetryCallState|scope\.Scope|steps\.Step|streams\.(Async)?Stream)"),
]


def setup(app: Sphinx) -> None:
    """Connect what is done to docstrings before Napoleon reads them."""
    app.connect("autodoc-process-docstring", keep_text_of_properties, priority=400)


def keep_text_of_properties(
    _app: Sphinx, what: str, _name: str, _it: object, _options: object, lines: list[str]
) -> None:
    """Keep Napoleon from taking what stands before a colon in a property's first line for its type."""
    if what == "property":
        lines.insert(0, "\\")  # a line without text, and without a colon
