"""What keeping secrets in costs: a clean text, a span on its way to the exporter, a long text that means harm."""

import time
import timeit
from collections.abc import Callable

from _support import machine, table
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from botanu.sdk.content import with_scrubbed_content, without_content
from botanu.sdk.outcome import Outcome
from botanu.sdk.scrubbing import scrub_text

SPANS = 512
REASONS = ("rate_limit_exceeded_for_model1", "the model took too long to ans")
UNITS = ("a", "-", "sk-", "eyJ", "://", "a@b.", "4111 ", "DE89 ", "-----BEGIN ", "password", "token: a", "'", "\\", "[")
LENGTHS = (250_000, 500_000, 1_000_000)


def best(work: Callable[[], object], number: int) -> float:
    """Return the least time that *work* takes, in microseconds."""
    return min(timeit.repeat(work, number=number, repeat=15)) / number * 1e6


def spans(*, said: bool) -> tuple:
    """Return spans of 14 attributes that have ended, with a prompt if something was *said*."""
    exporter, provider = InMemorySpanExporter(), TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    attributes = {f"gen_ai.attribute.{number}": number for number in range(14)}
    for _ in range(SPANS):
        prompt = {"gen_ai.prompt": "x" * 100} if said else {}
        provider.get_tracer("bench").start_span("chat gpt-4o", attributes=attributes | prompt).end()
    return exporter.get_finished_spans()


def seconds(text: str) -> float:
    """Return how long *text* takes."""
    began = time.perf_counter()
    scrub_text(text)
    return time.perf_counter() - began


def main() -> None:
    print(machine())
    rows = [("an outcome without texts", best(lambda: Outcome.of("failed"), 5000))]
    rows += [
        (f"an outcome, reason `{text}`", best(lambda text=text: Outcome.of("failed", reason=text), 5000))
        for text in REASONS
    ]
    for clean in (without_content, with_scrubbed_content):
        for said in (False, True):
            batch = spans(said=said)
            what = "a span with a prompt" if said else "a span without content"
            rows.append(
                (f"{what}, `{clean.__name__}`", best(lambda clean=clean, batch=batch: clean(batch), 10) / SPANS)
            )
    print(table(("what", "µs"), [(what, f"{took:.2f}") for what, took in rows]))
    hostile = [(unit, *(seconds((unit * length)[:length]) for length in LENGTHS)) for unit in UNITS]
    titles = ("repeated", *(f"s, {length:,} characters" for length in LENGTHS))
    print(table(titles, [(f"`{unit}`", *(f"{took:.3f}" for took in times)) for unit, *times in hostile]))


if __name__ == "__main__":
    main()
