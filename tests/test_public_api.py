"""What is public, and that it is documented."""

import importlib
import inspect
import pkgutil

import pytest
from opentelemetry.semconv._incubating.attributes import db_attributes, gen_ai_attributes, messaging_attributes

import botanu
from botanu import errors, semconv

PRIVATE_OF_OPENTELEMETRY = "opentelemetry.semconv._incubating holds the names that are in development"


def modules():
    return [
        importlib.import_module(module.name)
        for module in pkgutil.walk_packages(botanu.__path__, "botanu.")
        if not module.name.endswith("__main__")
    ]


def test_one_sorted_list_says_what_is_public():
    late = {name for names in botanu._LATE.values() for name in names}
    at_once = {name for name, value in vars(botanu).items() if not name.startswith("_") and not inspect.ismodule(value)}

    assert botanu.__all__ == sorted(botanu.__all__) == dir(botanu)
    assert set(botanu.__all__) == at_once - {"TYPE_CHECKING", "import_module"} | late
    assert all(getattr(botanu, name).__name__ == name for name in late)
    with pytest.raises(AttributeError, match="module 'botanu' has no attribute 'emit_outcomes'"):
        botanu.emit_outcomes  # noqa: B018 - it is looked for


def test_everything_public_is_documented():
    for name in botanu.__all__:
        assert inspect.getdoc(getattr(botanu, name)), name


@pytest.mark.parametrize("module", modules(), ids=lambda module: module.__name__)
def test_a_module_does_nothing_but_define(module):
    assert module.__doc__, module.__name__
    first = module.__doc__.strip().splitlines()[0]
    assert first[-1] in ".:!?", f"{module.__name__}: {first!r} is no sentence"


def test_the_tree_of_errors_is_drawn_as_it_is():
    drawn = [line.strip("│├└─ ").split() for line in errors.__doc__.splitlines() if "Error" in line]
    classes = [name for name, value in vars(errors).items() if inspect.isclass(value)]

    assert sorted(words[0] for words in drawn) == sorted(classes)
    for words in drawn:
        bases = {base.__name__ for base in getattr(errors, words[0]).__mro__}
        assert len(words) == 1 or not words[1].startswith("(") or words[1].strip("()") in bases


@pytest.mark.parametrize(
    ("prefix", "conventions"),
    [("GEN_AI_", gen_ai_attributes), ("DB_", db_attributes), ("MESSAGING_", messaging_attributes)],
)
def test_names_of_the_conventions_are_the_conventions(prefix, conventions):
    known = {value for name, value in vars(conventions).items() if name.startswith(prefix)}
    ours = {value for name, value in vars(semconv).items() if name.startswith(prefix)}

    assert ours
    assert ours <= known


def test_every_attribute_has_a_name_of_its_own():
    values = [value for name, value in vars(semconv).items() if name.isupper() and isinstance(value, str)]

    assert len(values) == len(set(values))
