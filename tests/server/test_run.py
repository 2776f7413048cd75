from contextlib import asynccontextmanager

import httpx2
import pytest
from starlette.applications import Starlette

from botanu.errors import UnavailableError
from botanu.server.run import serving
from botanu.server.settings import ServerSettings


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")  # it exits, with its reason logged
def test_a_server_that_cannot_start_says_so():
    @asynccontextmanager
    async def lifespan(_):
        raise RuntimeError("no disk")
        yield

    with (
        pytest.raises(UnavailableError, match="could not start"),
        serving(Starlette(lifespan=lifespan), ServerSettings(port=0)),
    ):
        pass


def test_ipv6_addresses_are_written_in_brackets():
    with serving(Starlette(), ServerSettings(host="::1", port=0)) as address:
        assert address.startswith("http://[::1]:")
        assert httpx2.get(address).status_code == 404
