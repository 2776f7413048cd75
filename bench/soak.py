"""Many runs that go wrong in every way, sent to a collector that fails half of the time: does the program notice?

Threads and tasks make runs at once; a run returns, raises, is canceled, or times out, at random, with nested runs,
calls and outcomes inside. The collector, a process of its own (``_collector.py``), answers half of the requests with
503, 429 or 500, or breaks the connection, and keeps some of what it so refuses. What must hold:

- no exception of botanu's reaches the program;
- every run made is delivered or dropped, and counted as the one or the other;
- delivered *equals* what the collector acknowledged, of runs and of spans, and nothing is sent again after that;
- what the collector kept is *at least* that: an answer may be an error or get lost after the request was taken in. Such
  runs are sent again, and the collector has them twice; or they count as dropped, so that there are *no more* of them
  than were dropped;
- whenever nothing waits, as much memory is in use as after warm-up.
"""

import argparse
import asyncio
import contextlib
import ctypes
import gc
import json
import logging
import os
import random
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

from _support import machine, started, stop_on_sigterm, table

import botanu

HERE = Path(__file__).parent
ROUNDS = 10
WARM_UP_ROUNDS = 2
FLUSH_SECONDS = 60
THREADS = 8
TASKS = 500
STATUSES = ("success", "partial", "failed", "timeout", "canceled", "abandoned")


class OopsError(Exception):
    """What the program's own code raises."""


class Program:
    """What makes the runs."""

    def __init__(self) -> None:
        self.made = 0
        self.strange: list[BaseException] = []
        self.lock = threading.Lock()

    def count(self, runs: int) -> None:
        with self.lock:
            self.made += runs

    def work(self, chance: random.Random, number: int) -> None:
        """Make one run, perhaps with one inside."""
        with (
            contextlib.suppress(OopsError, KeyboardInterrupt),
            botanu.run_botanu("soak", event_id=number, customer_id="c"),
        ):
            self.count(1)
            with botanu.track_llm_call(provider="openai", model="gpt-4o") as call:
                call.set_tokens(chance.randrange(1000), chance.randrange(1000))
            if chance.random() < 0.2:
                with botanu.run_botanu("nested", event_id=number, customer_id="c"):
                    self.count(1)
            if chance.random() < 0.7:
                botanu.emit_outcome(chance.choice(STATUSES), value_type="things", value_amount=chance.random())
            if chance.random() < 0.2:
                raise chance.choice((OopsError, KeyboardInterrupt))

    async def task(self, chance: random.Random, number: int) -> None:
        """Make one run that waits in its midst, and is canceled there at times."""

        @botanu.botanu_workflow("task", event_id=lambda: number, customer_id="c")
        async def run() -> None:
            self.count(1)
            async with botanu.track_llm_call(provider="openai", model="gpt-4o") as call:
                await asyncio.sleep(chance.random() / 100)
                call.set_tokens(1, 2)
            if chance.random() < 0.1:
                raise OopsError

        with contextlib.suppress(OopsError, asyncio.CancelledError, TimeoutError):
            if chance.random() < 0.3:
                async with asyncio.timeout(chance.random() / 100):
                    await run()
            else:
                await run()

    def in_thread(self, runs: int, seed: int) -> None:
        chance = random.Random(seed)
        for number in range(runs):
            self.guarded(self.work, chance, number)

    def guarded(self, function: Any, *arguments: Any) -> None:
        try:
            function(*arguments)
        except BaseException as error:  # noqa: BLE001 - what reaches the program is what is looked for
            self.strange.append(error)

    async def in_tasks(self, runs: int, seed: int) -> None:
        async def worker(share: int, chance: random.Random) -> None:
            for number in range(share):
                await self.task(chance, number)

        share = max(1, runs // TASKS)
        done = await asyncio.gather(
            *(worker(share, random.Random(seed + each)) for each in range(runs // share)), return_exceptions=True
        )
        self.strange += [each for each in done if each is not None]

    def round(self, runs: int, seed: int) -> None:
        """Make *runs* runs: half in threads, half in tasks."""
        threads = [
            threading.Thread(target=self.in_thread, args=(runs // 2 // THREADS, seed + each)) for each in range(THREADS)
        ]
        tasks = threading.Thread(target=lambda: asyncio.run(self.in_tasks(runs // 2, seed)))
        for thread in (*threads, tasks):
            thread.start()
        for thread in (*threads, tasks):
            thread.join()


@dataclass(frozen=True)
class Memory:
    """What this process holds when nothing waits."""

    resident_mib: float
    """Resident size, without what the allocator has kept for itself."""
    blocks: int
    """Small blocks in use by Python."""

    @classmethod
    def at_rest(cls, collector: "Collector") -> Self:
        """Have everything delivered, and measure."""
        with collector.working():
            botanu.flush(FLUSH_SECONDS)
        assert botanu.status().spans.waiting == 0, botanu.status()
        gc.collect()
        ctypes.CDLL(None).malloc_trim(0)
        return cls(resident_mib(), sys.getallocatedblocks())

    def __str__(self) -> str:
        return f"{self.resident_mib:.0f} MiB resident, {self.blocks:,} blocks"


def resident_mib() -> float:
    """Return the resident size of this process."""
    with open("/proc/self/statm", encoding="ascii") as statm:  # noqa: PTH123 - the kernel's file
        return int(statm.read().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 2**20


class Collector:
    """The collector, from without."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        """Take the address from the first line that *process* prints."""
        assert process.stdout is not None
        self.address = process.stdout.readline().split()[-1]

    def counts(self) -> Any:
        """Return what has come so far; see ``_collector.py``."""
        with urllib.request.urlopen(self.address, timeout=60) as answer:
            return json.load(answer)

    @contextlib.contextmanager
    def working(self) -> Iterator[None]:
        """Have every request succeed as long as the block lasts."""
        self._post("/works")
        yield
        self._post("/fails")

    def _post(self, path: str) -> None:
        urllib.request.urlopen(self.address + path, b"", timeout=60).close()


def soak(program: Program, collector: Collector, runs: int, seed: int) -> tuple[Memory, Memory]:
    """Make *runs* runs in rounds, print a line after each, and return what was held after warm-up and at the end."""
    print(table(("runs made", "delivered", "dropped", "waiting", "kept by the collector", "resident MiB", "s"), []))
    warm = None
    for number in range(ROUNDS):
        if number == WARM_UP_ROUNDS:
            warm = Memory.at_rest(collector)
        began = time.perf_counter()
        program.round(runs // ROUNDS, seed + 1000 * number)
        seconds = time.perf_counter() - began
        fates, kept = botanu.status().runs, collector.counts()["kept"]
        counts = (program.made, fates.delivered, fates.dropped, fates.waiting, kept)
        line = [*(f"{count:,}" for count in counts), f"{resident_mib():.0f}", f"{seconds:.1f}"]
        print(f"| {' | '.join(line)} |", flush=True)
    assert warm is not None
    return warm, Memory.at_rest(collector)


def check(program: Program, there: Any, warm: Memory, last: Memory) -> None:
    """Compare what botanu counted with what is *there*, at the collector; print both, and fail if a promise does."""
    runs, spans = botanu.status().runs, botanu.status().spans
    answers = ", ".join(f"{count:,} x {answer}" for answer, count in sorted(there["answers"].items()))
    print(
        f"\nMade {program.made:,} runs: {runs.delivered:,} delivered, {runs.dropped:,} dropped, {runs.waiting} waiting."
    )
    print(f"The collector acknowledged {there['acknowledged']:,} runs and kept {there['kept']:,}; of these it got")
    print(f"{there['kept_again']:,} once more before it acknowledged them, and {there['sent_again']:,} after.")
    print(f"Its answers: {answers}.")
    print(f"With nothing waiting: {warm} after {WARM_UP_ROUNDS} rounds; {last} at the end.")
    assert not program.strange, program.strange[:3]
    assert runs.made == program.made == runs.delivered + runs.dropped, runs
    assert (runs.delivered, spans.delivered) == (there["acknowledged"], there["spans_acknowledged"]), (runs, spans)
    assert there["sent_again"] == 0
    assert 0 <= there["kept"] - runs.delivered <= runs.dropped
    assert last.blocks <= 1.02 * warm.blocks  # 100 spans more would be seen
    assert last.resident_mib <= 1.5 * warm.resident_mib  # as would bodies; the allocator's fragments come and go
    print("Every run is delivered or counted, nothing of botanu's reached the program, memory is flat.")


def main() -> None:
    """Soak, and print Markdown; fails when a promise does."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=200_000, help="runs in all")
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    stop_on_sigterm()
    for name in ("opentelemetry", "botanu"):
        logging.getLogger(name).setLevel(logging.CRITICAL)
    print(f"{machine()}\n")
    command = [sys.executable, HERE / "_collector.py", "--seed", str(options.seed)]
    with tempfile.TemporaryDirectory() as directory, started(command, Path(directory, "log"), talks=True) as process:
        collector, program = Collector(process), Program()
        botanu.enable(
            endpoint=collector.address,
            queue_spans_max=20_000,
            export_interval_seconds=0.2,
            exit_timeout_seconds=60,
        )
        warm, last = soak(program, collector, options.runs, options.seed)
        check(program, collector.counts(), warm, last)
        botanu.disable()


if __name__ == "__main__":
    main()
