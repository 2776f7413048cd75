"""Many runs that go wrong in every way, sent to a collector that fails half of the time: does the program notice?

Threads and tasks make runs at once; a run returns, raises, is canceled, or times out, at random, with nested runs,
calls and outcomes inside. The collector answers half of the requests with 503, 429 or 500, or breaks the connection.
At the end each run must be delivered, or counted as dropped; what the collector got must be what the program counted;
no exception of botanu's may have reached the program; memory must stay flat after warm-up.
"""

import argparse
import asyncio
import contextlib
import gc
import logging
import os
import random
import threading
import time
from collections import Counter
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from _support import machine, table
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

import botanu

ROUNDS = 10
THREADS = 8
TASKS = 500
STATUSES = ("success", "partial", "failed", "timeout", "canceled", "abandoned")


class OopsError(Exception):
    """What the program's own code raises."""


class Collector:
    """Takes half of what it is sent, and counts the runs in it."""

    def __init__(self) -> None:
        self.answers: Counter[int] = Counter()
        self.run_ids: Counter[str] = Counter()
        self.failing = True
        collector = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["content-length"]))
                answer = collector.answer(body)
                if answer == 0:
                    self.close_connection = True
                    self.connection.close()
                    return
                self.send_response(answer)
                self.send_header("content-length", "0")
                self.end_headers()

            def log_message(self, *_: object) -> None:
                """Say nothing."""

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def answer(self, body: bytes) -> int:
        """Return the status to answer *body* with; 0 is a broken connection."""
        failing = self.failing and random.random() < 0.5
        answer = random.choice((503, 503, 429, 0, 500)) if failing else 200
        self.answers[answer] += 1
        if answer == 200:
            request = ExportTraceServiceRequest.FromString(body)
            for resource in request.resource_spans:
                for scope in resource.scope_spans:
                    for span in scope.spans:
                        values = {each.key: each.value for each in span.attributes}
                        if "botanu.run.root" in values:
                            self.run_ids[values["botanu.run_id"].string_value] += 1
        return answer


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


def resident_mib() -> float:
    """Return the resident size of this process."""
    with open("/proc/self/statm", encoding="ascii") as statm:  # noqa: PTH123 - the kernel's file
        return int(statm.read().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 2**20


def main() -> None:
    """Soak, and print Markdown; fails when a promise does."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=200_000, help="runs in all")
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    logging.getLogger("opentelemetry").setLevel(logging.CRITICAL)
    random.seed(options.seed)
    collector, program = Collector(), Program()
    botanu.enable(
        endpoint=f"http://127.0.0.1:{collector.server.server_port}",
        queue_spans_max=20_000,
        export_interval_seconds=0.2,
        exit_timeout_seconds=60,
    )
    print(f"{machine()}\n")
    rows = []
    for number in range(ROUNDS):
        began = time.perf_counter()
        program.round(options.runs // ROUNDS, options.seed + 1000 * number)
        seconds = time.perf_counter() - began
        runs = botanu.status().runs
        gc.collect()
        fates = (program.made, runs.delivered, runs.dropped, runs.waiting)
        rows.append([*(f"{count:,}" for count in fates), f"{resident_mib():.0f}", f"{seconds:.1f}"])
    collector.failing = False
    botanu.flush(60)
    runs = botanu.status().runs
    print(table(("runs made", "delivered", "dropped", "waiting", "resident MiB", "seconds"), rows))
    answers = ", ".join(f"{count:,} x {answer or 'broken'}" for answer, count in sorted(collector.answers.items()))
    print(f"\nAt the end: {program.made:,} made, {runs.delivered:,} delivered, {runs.dropped:,} dropped.")
    print(f"The collector's answers: {answers}.")
    repeated = sum(count > 1 for count in collector.run_ids.values())
    print(f"The collector holds {len(collector.run_ids):,} runs, {repeated} of them sent twice.")
    assert not program.strange, program.strange[:3]
    assert runs.made == program.made == runs.delivered + runs.dropped, runs
    assert runs.delivered == len(collector.run_ids), (runs.delivered, len(collector.run_ids))
    warm, last = float(rows[2][4]), float(rows[-1][4])
    assert last <= 1.1 * warm, f"memory grew from {warm} to {last} MiB"
    print("Every run is delivered or counted, nothing of botanu's reached the program, memory is flat.")
    botanu.disable()


if __name__ == "__main__":
    main()
