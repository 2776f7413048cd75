"""What a call's cost takes to compute: botanu, in batches of columns, and genai-prices, call by call."""

import argparse
import statistics
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from decimal import Decimal
from importlib.metadata import version

import genai_prices
import numpy as np
from _support import machine, ratio, table

from botanu.pricing.catalog import Catalog
from botanu.pricing.costing import Usage, price_calls
from botanu.pricing.meters import ABSENT
from botanu.pricing.money import NANO, decimal_amount
from botanu.pricing.price_list import Kind, PriceList
from botanu.pricing.rate_card import nanos_of

CALLS = 1_000_000
BATCHES = (1_000_000, 10_000, 500)
SAMPLE = 20_000
ROUNDS = 5

FIRST = datetime(2026, 10, 15, tzinfo=UTC)
DAYS = 38
# The first on which all of these have prices, and as many as were known then.

HALF = Decimal("0.5e-9")
# By which the rounding of a line item may change a cost.

_FIELDS = ("processing", "service_tier", "speed")
# In which genai-prices looks for a service tier.


@dataclass(frozen=True)
class Model:
    """A model that calls are made of: how many of a hundred, of which service tier, with which parts in its usage."""

    share: int
    provider: str
    name: str
    service_tier: str | None = None
    parts: tuple[str, ...] = ("cache_read_tokens",)


CACHING = ("cache_read_tokens", "cache_write_5m_tokens", "cache_write_1h_tokens")
THINKING = ("cache_read_tokens", "output_reasoning_tokens")

MODELS = (
    Model(14, "openai", "gpt-4o-mini-2024-07-18"),
    Model(10, "openai", "gpt-4o-2024-08-06"),
    Model(9, "openai", "gpt-5", parts=THINKING),
    Model(7, "openai", "gpt-5-mini", parts=THINKING),
    Model(3, "openai", "gpt-5", "batch", THINKING),
    Model(2, "openai", "gpt-5", "priority", THINKING),
    Model(4, "openai", "text-embedding-3-small", parts=()),
    Model(1, "openai", "gpt-4o-audio-preview", parts=("input_audio_tokens", "output_audio_tokens")),
    Model(11, "anthropic", "claude-sonnet-4-5-20250929", parts=(*CACHING, "web_searches")),
    Model(6, "anthropic", "claude-haiku-4-5", parts=CACHING),
    Model(2, "anthropic", "claude-opus-4-5", parts=CACHING),
    Model(7, "google", "gemini-2.5-flash", parts=("input_audio_tokens", "output_reasoning_tokens")),
    Model(5, "google", "gemini-2.5-pro", parts=THINKING),
    Model(4, "aws", "anthropic.claude-3-5-sonnet-20241022-v2:0"),
    Model(3, "azure", "gpt-4o"),
    Model(3, "mistral", "mistral-large-latest", parts=()),
    Model(3, "deepseek", "deepseek-chat"),
    Model(2, "x-ai", "grok-4", parts=THINKING),
    Model(2, "groq", "llama-3.3-70b-versatile", parts=()),
    Model(1, "cohere", "command-r-plus", parts=()),
    Model(1, "perplexity", "sonar-pro", parts=()),
)
"""A mix of what a business calls: small models most, caches everywhere, some of it in batches or in haste."""


Columns = dict[str, np.ndarray]


def usage(count: int) -> Usage:
    """Return the usage of *count* calls, in the order of their times."""
    rng = np.random.default_rng(1)
    shares = np.array([model.share for model in MODELS])
    kind_of = rng.choice(len(MODELS), count, p=shares / shares.sum())
    return Usage(
        [Kind(model.provider, (model.name,), None, model.service_tier) for model in MODELS],
        kind_of,
        nanos_of(FIRST) + np.sort(rng.integers(0, DAYS * 86_400, count)) * NANO,
        totals(kind_of, rng),
        reported=np.full(count, ABSENT),
        believes_zero=np.zeros(count, dtype=np.bool_),
    )


def totals(kind_of: np.ndarray, rng: np.random.Generator) -> Columns:
    """Return quantities by meter: few long inputs and many short ones, and in each of their parts up to a fifth."""
    count = len(kind_of)
    found = {
        "input_tokens": 1 + np.minimum(rng.lognormal(7.5, 1.5, count), 900_000).astype(np.int64),
        "output_tokens": 1 + np.minimum(rng.lognormal(5.5, 1.0, count), 60_000).astype(np.int64),
    }
    for part in dict.fromkeys(part for model in MODELS for part in model.parts):
        whole = found["output_tokens" if part.startswith("output") else "input_tokens"]
        quantity = rng.integers(0, 3, count) if part == "web_searches" else (whole * rng.random(count) / 5).astype(int)
        found[part] = np.where(np.array([part in model.parts for model in MODELS])[kind_of], quantity, ABSENT)
    written = found["cache_write_5m_tokens"]
    found["cache_write_tokens"] = np.where(written == ABSENT, ABSENT, written + found["cache_write_1h_tokens"])
    embeds = np.array([model.name.startswith("text-embedding") for model in MODELS])[kind_of]
    return found | {"output_tokens": np.where(embeds, ABSENT, found["output_tokens"])}


def batches(whole: Usage, size: int) -> Iterator[Usage]:
    """Yield *whole* in batches of *size* calls."""
    for first in range(0, len(whole.times), size):
        part = slice(first, first + size)
        yield replace(
            whole,
            kind_of=whole.kind_of[part],
            times=whole.times[part],
            totals={meter: quantities[part] for meter, quantities in whole.totals.items()},
            reported=whole.reported[part],
            believes_zero=whole.believes_zero[part],
        )


@dataclass(frozen=True)
class TheirCall:
    """A call as ``genai-prices`` is asked for its price."""

    usage: genai_prices.Usage
    model: Model
    at: datetime

    def price(self) -> Decimal:
        """Return what it costs."""
        tier = self.model.service_tier
        return genai_prices.calc_price(
            self.usage,
            self.model.name,
            provider_id=self.model.provider,
            genai_request_timestamp=self.at,
            price_context=dict.fromkeys(_FIELDS, tier) if tier else None,
        ).total_price


def their_calls(whole: Usage, chosen: np.ndarray) -> list[TheirCall]:
    """Return the *chosen* calls for ``genai-prices``; to make their ``Usage`` is not measured."""
    counted = {meter: quantities[chosen].tolist() for meter, quantities in whole.totals.items()}
    return [
        TheirCall(
            genai_prices.Usage(**{meter: column[row] for meter, column in counted.items() if column[row] != ABSENT}),
            MODELS[kind],
            datetime.fromtimestamp(int(nanos) // NANO, UTC),
        )
        for row, (kind, nanos) in enumerate(zip(whole.kind_of[chosen], whole.times[chosen], strict=True))
    ]


def check(priced: Usage, chosen: np.ndarray, theirs: list[TheirCall], prices: PriceList) -> None:
    """Stop where a cost is another one than that of ``genai-prices``."""
    costed = price_calls(priced, prices)
    items = np.bincount(costed.items.call, minlength=len(priced.times))
    for row, call in zip(chosen.tolist(), theirs, strict=True):
        ours = decimal_amount(int(costed.nanos[row]))
        if not costed.complete[row] or abs(ours - call.price()) > HALF * int(items[row]):
            raise SystemExit(f"{call}: {ours} here, {call.price()} there")


def cpu_seconds(work: Callable[[], object]) -> float:
    """Return the CPU time that *work* takes."""
    began = time.process_time()
    work()
    return time.process_time() - began


def price_all(parts: list[Usage], prices: PriceList) -> None:
    """Price all *parts*, one after the other."""
    for part in parts:
        price_calls(part, prices)


def measure(calls: int, sample: int, rounds: int) -> str:
    """Price *calls* calls here in each size of batch, and a *sample* of them there, in turns; return a table."""
    prices, whole = PriceList(Catalog()), usage(calls)
    chosen = np.sort(np.random.default_rng(2).choice(calls, sample, replace=False))
    theirs = their_calls(whole, chosen)
    check(whole, chosen, theirs, prices)
    sizes = {min(size, calls): list(batches(whole, size)) for size in BATCHES}
    ours: dict[int, list[float]] = {size: [] for size in sizes}
    there: list[float] = []
    for _ in range(rounds):
        there.append(cpu_seconds(lambda: [call.price() for call in theirs]) / sample)
        for size, parts in sizes.items():
            ours[size].append(cpu_seconds(lambda parts=parts: price_all(parts, prices)) / calls)
    return report(there, ours, calls)


def report(there: list[float], ours: dict[int, list[float]], calls: int) -> str:
    """Return a table of CPU seconds a call, as measured in turns."""
    rows = [(f"genai-prices {version('genai-prices')}, call by call", there)]
    rows += [(f"**botanu {version('botanu')}**, batches of {size:,}", seconds) for size, seconds in ours.items()]
    head = ("what", f"CPU-s for {calls:,} calls, p50", "least – most", "µs a call, p50", "x as fast")
    return table(head, (_row(name, seconds, there, calls) for name, seconds in rows))


def _row(name: str, seconds: list[float], there: list[float], calls: int) -> tuple[str, ...]:
    middle, spread = statistics.median(seconds) * calls, (min(seconds) * calls, max(seconds) * calls)
    faster = ratio(there, seconds)
    return name, f"{middle:.2f}", "{:.2f} – {:.2f}".format(*spread), f"{middle / calls * 1e6:.2f}", f"{faster:.1f}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--calls", type=int, default=CALLS)
    parser.add_argument("--sample", type=int, default=SAMPLE, help="calls for genai-prices; its time is scaled up")
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    options = parser.parse_args()
    print(machine())
    print(measure(options.calls, options.sample, options.rounds))


if __name__ == "__main__":
    main()
