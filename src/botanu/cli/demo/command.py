"""The ``botanu demo`` command."""

import asyncio
import os
import signal
import tempfile
import threading
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from dataclasses import fields, replace
from datetime import UTC, datetime
from pathlib import Path

import httpx2
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn

from botanu import disable, enable
from botanu.cli.demo.history import DAYS, history
from botanu.cli.demo.live import perform
from botanu.cli.demo.scenario import VALUES, WORKFLOWS, Plan, events, shortened
from botanu.cli.output import console, print_report
from botanu.cli.source import Remote
from botanu.errors import BotanuError, UnavailableError
from botanu.ingest.otlp import PROTOBUF
from botanu.sdk.settings import SdkSettings
from botanu.server.app import create_app
from botanu.server.run import serving
from botanu.server.settings import ServerSettings
from botanu.settings import resolve, variable
from botanu.store.duckdb import FILE

_LIVE_EVENTS = 12
_LIVE_SPEED = 100.0
_FIRST_LIVE_NUMBER = 100_480  # from here on the live events have every kind of ending


def demo(*, once: bool = False, port: int | None = None, data_dir: Path | None = None) -> None:
    """Show what an outcome costs, on made-up data: eight weeks of five workflows, then some runs of now.

    Starts a server on a fresh store, runs the workflows through the SDK over OTLP, prints the report and the address,
    and keeps serving until Ctrl-C. The numbers are the same each time.

    Parameters
    ----------
    once
        Exit after the report.
    port
        Port to serve on; by default 4318, or a free one if that is taken.
    data_dir
        Directory to keep the store in; by default a temporary one that goes away at the end.
    """
    _forget_settings_of_the_sdk()
    with _fresh_directory(data_dir) as directory, _server(directory, port) as address:
        asyncio.run(_fill(address))
        console().print()
        with closing(Remote(address)) as remote:
            print_report(remote.report(window=None, since=None, until=None, by="workflow"))
        if not once:
            _keep_serving(address)


def _forget_settings_of_the_sdk() -> None:
    """Take out of this process's environment what would keep runs from being recorded, or send them elsewhere."""
    ours = {variable(row.name) for row in fields(SdkSettings)}
    for name in [*os.environ]:
        if name.startswith("OTEL_") or name in ours:
            del os.environ[name]


async def _fill(address: str) -> None:
    columns = (TextColumn("{task.description}"), BarColumn(), TaskProgressColumn())
    out = console(error=True)
    with Progress(*columns, console=out, transient=True, disable=not out.is_terminal) as progress:
        await asyncio.to_thread(_send_history, address, progress)
        await _run_live(address, progress)


def _send_history(address: str, progress: Progress) -> None:
    task = progress.add_task(f"{DAYS // 7} weeks of history", total=None)
    requests = list(history(datetime.now(UTC)))
    progress.update(task, total=sum(runs for runs, _ in requests))
    with httpx2.Client(base_url=address, timeout=60.0) as client:
        for runs, body in requests:
            client.post("/v1/traces", content=body, headers={"content-type": PROTOBUF}).raise_for_status()
            progress.advance(task, runs)


async def _run_live(address: str, progress: Progress) -> None:
    enable(endpoint=address, environment="demo")
    stories = [
        tuple(shortened(plan, _LIVE_SPEED) for plan in attempts)
        for workflow in WORKFLOWS
        for attempts in events(workflow, _LIVE_EVENTS, _FIRST_LIVE_NUMBER)
    ]
    task = progress.add_task("runs of now, through the SDK", total=len(stories))

    async def one(story: tuple[Plan, ...]) -> None:
        await perform(story)
        progress.advance(task)

    await asyncio.gather(*(one(story) for story in stories))
    await asyncio.to_thread(disable)  # sends what is waiting


@contextmanager
def _fresh_directory(chosen: Path | None) -> Iterator[Path]:
    if chosen is None:
        with tempfile.TemporaryDirectory(prefix="botanu-demo-") as made:
            yield Path(made)
        return
    if (chosen / FILE).exists():
        raise BotanuError(f"there is a store in {chosen} already; the demo wants a directory of its own")
    yield chosen


@contextmanager
def _server(directory: Path, port: int | None) -> Iterator[str]:
    settings = resolve(ServerSettings, code={"data_dir": directory, "port": port}, environ=os.environ)
    app = create_app(settings, VALUES)
    with ExitStack() as stack:
        try:
            address = stack.enter_context(serving(app, settings))
        except UnavailableError:
            if port is not None:
                raise
            address = stack.enter_context(serving(app, replace(settings, port=0)))
        yield address


def _keep_serving(address: str) -> None:
    stop = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stop.set())
    console().print(f"\nOpen {address} in a browser, or ask: botanu report --url {address}\nStop with Ctrl-C.")
    while not stop.wait(0.5):  # a signal between a look at the event and a wait without end would be missed
        pass
