"""The fixture in sessions of pytest that are the user's own."""

import subprocess
import sys

from support.process import environment, run_python

HEAD = """
import pytest
from botanu import emit_outcome, run_botanu

def work(**fields):
    with run_botanu("refund", event_id="e", customer_id="c"):
        emit_outcome("partial", **fields)
"""


def session(directory, tests, *options):
    """Run *tests*; give pytest's last line, and everything it said."""
    (directory / "test_theirs.py").write_text(HEAD + tests)
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *options],
        cwd=directory,
        env=environment(),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    return done.stdout.splitlines()[-1].partition(" in ")[0], done.stdout


def test_it_gives_the_runs_of_the_test_alone(tmp_path):
    line, said = session(
        tmp_path,
        """
@pytest.mark.parametrize("amount", [1, 2])
def test_refund(runs, amount):
    work(value_type="refunds", value_amount=amount)
    assert runs.only().outcome.value_amount == amount

def test_none(runs):
    assert runs.all() == []
""",
    )
    assert line == "3 passed", said


def test_a_warning_fails_the_test_once(tmp_path):
    line, said = session(tmp_path, "def test_refund(runs):\n    work(value_amount=float('nan'))\n")
    assert line == "1 failed", said
    assert "StrictError: outcome of workflow 'refund': value_amount: nan is not a finite number" in said


def test_a_warning_that_the_program_swallows_is_an_error_all_the_same(tmp_path):
    line, said = session(
        tmp_path,
        """
def test_refund(runs):
    try:
        work(value_amount=float("nan"))
    except Exception:
        pass

def test_another(runs):
    with pytest.raises(ZeroDivisionError):
        1 / 0
    try:
        emit_outcome("success")
    except Exception:
        assert not runs.all()
        raise AssertionError

def test_expected(runs):
    with pytest.raises(Exception, match="nan"):
        work(value_amount=float("nan"))
    runs.errors.clear()
""",
    )
    assert line == "1 failed, 2 passed, 2 errors", said
    assert "raised in the block, and swallowed there: StrictError: emit_outcome()" in said


def test_a_test_without_the_fixture_is_left_alone(tmp_path):
    line, said = session(
        tmp_path,
        """
import sys
from botanu.sdk.guard import guard

def test_failing():
    assert "botanu.testing" not in sys.modules
    assert guard.strict

def test_passing():
    emit_outcome("success")
""",
    )
    assert line == "1 failed, 1 passed", said


def test_it_can_be_left_out(tmp_path):
    line, said = session(tmp_path, "def test_refund(runs):\n    pass\n", "-p", "no:botanu")
    assert line == "1 error", said
    assert "fixture 'runs' not found" in said


def test_the_plugin_imports_nothing_of_the_sdk():
    assert (
        run_python("""
import json
import sys
import pytest_botanu
print(json.dumps([name for name in sys.modules if name.startswith(("botanu", "opentelemetry"))]))
""")
        == []
    )
