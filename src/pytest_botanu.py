"""The fixture ``runs``, for pytest.

It stands beside the package as every session of pytest imports it, and importing anything of the package imports the
SDK: that is done when a test asks for the fixture.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator

    from botanu.testing import CapturedRuns

_RAISED = pytest.StashKey[BaseException]()


@pytest.fixture
def runs(request: pytest.FixtureRequest) -> Iterator[CapturedRuns]:
    """The botanu runs that start during the test; what botanu would log as a warning raises ``StrictError``."""
    from botanu.testing import capture_runs  # noqa: PLC0415 - see above

    with capture_runs() as captured:
        yield captured
        raised = request.node.stash.get(_RAISED, None)
        captured.errors[:] = [error for error in captured.errors if error is not raised]


def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[None]) -> None:
    """Keep what a test raised, so that the fixture does not raise it once more."""
    if call.when == "call" and call.excinfo is not None and "runs" in getattr(item, "fixturenames", ()):
        item.stash[_RAISED] = call.excinfo.value
