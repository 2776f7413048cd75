import pytest
from support.process import ServerProcess


@pytest.fixture
def served(tmp_path):
    """A server in a process of its own."""
    server = ServerProcess(tmp_path / "store")
    yield server
    server.stop()
