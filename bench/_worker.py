"""One variant in one process: does what it is told on standard input, answers on standard output, in JSON lines."""

import argparse
import gc
import json
import os
import sys
import time
import tracemalloc
from collections.abc import Callable
from importlib.metadata import version
from typing import Any

from _variants import VARIANTS, Outlet, Run

ORDER = "order-17"


class Worker:
    """A variant that is set up; each public method is a command."""

    def __init__(self, run: Run, outlet: Outlet) -> None:
        self._run = run
        self._outlet = outlet

    def time(self, runs: int) -> dict[str, float]:
        """Return the seconds that *runs* runs take on the calling thread, and how many spans arrived after."""
        self._outlet.flush()
        before = self._outlet.count
        seconds = self._repeat(runs, time.perf_counter)
        self._outlet.flush()
        return {"seconds": seconds, "spans": self._outlet.count - before}

    def cpu(self, runs: int) -> dict[str, float]:
        """Return the CPU seconds of all threads for *runs* runs and for sending them."""
        self._outlet.flush()
        return {"seconds": self._repeat(runs, time.process_time, self._outlet.flush)}

    def hold(self, runs: int) -> dict[str, float]:
        """Return the memory that *runs* runs, fewer than one batch, hold until they are sent."""
        self._outlet.flush()
        gc.collect()
        before = sys.getallocatedblocks()
        self._repeat(runs, time.perf_counter)
        gc.collect()
        blocks = sys.getallocatedblocks() - before
        self._outlet.flush()
        tracemalloc.start()
        self._repeat(runs, time.perf_counter)
        gc.collect()
        held = tracemalloc.get_traced_memory()[0]
        tracemalloc.stop()
        return {"blocks": blocks, "bytes": held}

    def look(self, runs: int) -> dict[str, list[Any]]:
        """Return what the spans of the last run look like."""
        self._repeat(runs, time.perf_counter)
        self._outlet.flush()
        return {"spans": sorted(_shape(span) for span in self._outlet.last)}

    def _repeat(self, runs: int, clock: Callable[[], float], end: Callable[[], object] = lambda: None) -> float:
        run = self._run
        began = clock()
        for _ in range(runs):
            run(ORDER)
        end()
        return clock() - began


def _shape(span: Any) -> list[Any]:
    """Return a span without what differs from run to run: its name, attributes, and span events."""
    attributes = {name: "" if name.endswith("run_id") else value for name, value in (span.attributes or {}).items()}
    events = [[event.name, dict(event.attributes or {})] for event in span.events]
    return [span.name, span.kind.name, dict(sorted(attributes.items())), events]


def main() -> None:
    """Set the variant up, say so, and follow commands until there are no more."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("variant", choices=VARIANTS)
    parser.add_argument("--package", default="opentelemetry-sdk", help="whose version to tell")
    parser.add_argument("--endpoint", help="send spans there over OTLP/HTTP")
    options = parser.parse_args()
    # What a library prints must not get between the answers.
    answers = os.fdopen(os.dup(1), "w", buffering=1)
    os.dup2(2, 1)
    outlet = Outlet(options.endpoint)
    worker = Worker(VARIANTS[options.variant](outlet), outlet)
    versions = {"version": version(options.package), "opentelemetry": version("opentelemetry-sdk")}
    print(json.dumps(versions), file=answers)
    for line in sys.stdin:
        command = json.loads(line)
        print(json.dumps(getattr(worker, command["do"])(command["runs"])), file=answers)


if __name__ == "__main__":
    main()
