"""For users' own tests: the runs of a block, with their outcomes, their calls and what happened inside.

With pytest, ask for the fixture ``runs``. Anywhere else::

    with capture_runs() as runs:
        fulfill()

    assert runs.only().outcome == Outcome("success", value_type="orders_fulfilled", value_amount=1)
"""

from botanu.errors import StrictError
from botanu.testing.calls import CapturedCall, Tokens
from botanu.testing.capture import CapturedRuns, capture_runs
from botanu.testing.runs import CapturedRun

__all__ = ["CapturedCall", "CapturedRun", "CapturedRuns", "StrictError", "Tokens", "capture_runs"]
