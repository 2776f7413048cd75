"""Runs the server until it is told to stop."""

import os
import signal
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import uvicorn
from starlette.applications import Starlette

from botanu.errors import UnavailableError
from botanu.server.settings import ServerSettings, address

GRACE_SECONDS = 10
"""How long requests under way have to finish when the server is told to stop."""

Ready = Callable[[str], None]


class _Server(uvicorn.Server):
    """Uvicorn, which says once where it listens."""

    def __init__(self, app: Starlette, ready: Ready) -> None:
        super().__init__(
            uvicorn.Config(
                app,
                log_level="warning",
                access_log=False,
                server_header=False,
                timeout_graceful_shutdown=GRACE_SECONDS,
            )
        )
        self._ready = ready

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        for listening in sockets or ():
            self._ready(_address(listening))


def serve(app: Starlette, settings: ServerSettings, ready: Ready) -> None:
    """Serve *app* until SIGTERM or SIGINT; then answer what is under way, commit it, and exit with 0.

    Calls *ready* with the address once requests can come.

    Raises:
        UnavailableError: the address cannot be listened on.
    """
    with _listening(settings) as listening:
        # Uvicorn stops on these signals by itself, then raises them again for the handlers that were there before.
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, _exit)
        _Server(app, ready).run([listening])


@contextmanager
def serving(app: Starlette, settings: ServerSettings) -> Iterator[str]:
    """Serve *app* in the background of this process, and give the address.

    Raises:
        UnavailableError: the address cannot be listened on.
    """
    with _listening(settings) as listening:
        started = threading.Event()
        server = _Server(app, lambda _: started.set())
        thread = threading.Thread(target=server.run, args=([listening],), name="botanu-server")
        thread.start()
        try:
            while not started.wait(0.1):
                if not thread.is_alive():  # pragma: no branch - a slow start is waited for
                    raise UnavailableError("the server could not start; see its log")
            yield _address(listening)
        finally:
            server.should_exit = True
            thread.join()


def _exit(_signal: int, _frame: object) -> None:
    raise SystemExit(0)


def _listening(settings: ServerSettings) -> socket.socket:
    try:
        return socket.create_server(
            (settings.host, settings.port), family=socket.AF_INET6 if ":" in settings.host else socket.AF_INET
        )
    except OSError as error:
        why = error.strerror if isinstance(error, socket.gaierror) else os.strerror(error.errno or 0)
        raise UnavailableError(f"cannot listen on {settings.host}:{settings.port}: {why}") from None


def _address(listening: socket.socket) -> str:
    return address(*listening.getsockname()[:2])
