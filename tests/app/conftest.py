import pytest
from support.process import ServerProcess


@pytest.fixture
def start():
    """Start servers; those still running in the end are stopped."""
    started = []

    def server(*arguments, **environ):
        started.append(ServerProcess(*arguments, **environ))
        return started[-1]

    yield server
    for one in started:
        if one.process.poll() is None:
            one.stop()


@pytest.fixture
def served(tmp_path, start):
    """A server in a process of its own."""
    return start(tmp_path / "store")
