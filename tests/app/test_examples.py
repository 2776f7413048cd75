"""The example programs, as they are, against a server."""

import subprocess
import sys
from pathlib import Path

import pytest
from support.process import environment

EXAMPLES = Path(__file__).parents[2] / "examples"

EXPECTED = {
    "support_tickets.py": [
        ["answer-ticket", "failed", 4, 1],
        ["answer-ticket", "partial", 4, 1],
        ["answer-ticket", "success", 12, 1],
        ["answer-ticket", "success", 4, 2],
        ["nightly-batch", "success", 1, 1],
    ],
}
"""Runs by workflow, status and attempt."""


def test_every_example_is_run():
    assert {path.name for path in EXAMPLES.glob("*.py")} == EXPECTED.keys()


@pytest.mark.parametrize("example", EXPECTED)
def test_an_example_records_what_it_does(served, example):
    done = subprocess.run(
        [sys.executable, EXAMPLES / example],
        env=environment(BOTANU_ENDPOINT=served.url),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )

    assert (done.returncode, done.stderr) == (0, "")
    runs = served.sql("SELECT workflow, outcome_status, count(*), attempt FROM runs GROUP BY ALL")
    assert sorted(runs, key=lambda row: (row[0], row[1], row[3])) == EXPECTED[example]
    assert served.sql("SELECT count(*) FROM runs WHERE workflow = 'answer-ticket' AND parent_run_id IS NULL") == [[0]]
    assert served.sql("SELECT sum(unpriced_calls) FROM runs") == [[0]]
