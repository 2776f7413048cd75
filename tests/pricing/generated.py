"""Calls of every model in the price list, with usage of every meter that it has a price for."""

import zlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, time, timedelta
from itertools import cycle, product
from random import Random

from genai_prices.data_snapshot import get_snapshot
from genai_prices.data_units import unit_data
from genai_prices.types import (
    ClauseAnd,
    ClauseContains,
    ClauseEndsWith,
    ClauseEquals,
    ClauseOr,
    ClauseStartsWith,
    ConditionalPrice,
    MatchLogic,
    ModelInfo,
    PriceVariant,
    StartDateConstraint,
    TieredPrices,
    TimeOfDateConstraint,
)

_SNAPSHOT = get_snapshot()

_TICK = timedelta(microseconds=1)
_NOON = datetime(2026, 11, 2, 12, tzinfo=UTC)
_ELSEWHERE = ({"service_tier": "batch"}, {"processing": "batch"}, {"service_tier": "flex"}, {"speed": "fast"})
_FEW = 25
# Asked for of models that may have no such price, of one in so many.

_USAGE_KEYS = {raw["price_key"]: key for key, raw in unit_data.items()}
_INPUT = (
    "text",
    "tool",
    "image",
    "audio",
    "video",
    "read",
    "read audio",
    "read image",
    "write",
    "write 5m",
    "write 1h",
)
_OUTPUT = ("text", "reasoning", "audio", "image", "video", "citation")
_MANY = (*[1] * 499, 10**9)
# What an output is multiplied with: now and then nobody would believe it.

_WHOLES = {
    "audio_seconds": ("input_audio_seconds", "output_audio_seconds"),
    "cache_write_tokens": ("cache_write_5m_tokens", "cache_write_1h_tokens"),
}

_COUNTS = (
    "web_searches",
    "social_searches",
    "storage_searches",
    "code_executions",
    "rerank_searches",
    "input_characters",
    "input_text_messages",
    "input_pixels",
)


@dataclass(frozen=True, eq=False)
class Entry:
    """A model in the price list of *provider*, which may have it from another one's, and a *name* that means it."""

    provider: str
    model: ModelInfo = field(repr=False)
    name: str
    is_lent: bool


@dataclass(frozen=True)
class Call:
    """A call as a program tells of it: *said* is its usage in our quantities, *meant* the same without gaps."""

    entry: Entry
    at: datetime
    context: dict[str, str]
    said: dict[str, int]
    meant: dict[str, int]


def calls(rng: Random, count: int) -> Iterator[Call]:
    """Yield *count* calls: of every model in each of its situations, then of any model in any of its own."""
    situations = [(entry, *situation) for entry in ENTRIES for situation in _situations(entry)]
    yield from (call(rng, *situation) for situation in situations)
    others = rng.choices(ENTRIES, k=count - len(situations))
    yield from (call(rng, entry, *situation(rng, entry)) for entry in others)


def call(rng: Random, entry: Entry, at: datetime, context: dict[str, str], size: int) -> Call:
    """Return a call of the model *entry* with *size* input tokens."""
    meant = _usage(rng, _meters(entry.model), size)
    return Call(entry, at, context, _told(rng, meant), meant)


def situation(rng: Random, entry: Entry) -> tuple[datetime, dict[str, str], int]:
    """Return any situation that there is for the model *entry*, mostly with an input of any size."""
    at, context, size = rng.choice(list(_situations(entry)))
    return at, context, rng.choice((size, rng.randrange(1, 400_000), rng.randrange(1, 4_000)))


def _situations(entry: Entry) -> Iterator[tuple[datetime, dict[str, str], int]]:
    """Yield what decides on the price of *entry*: instants with contexts, and sizes of the input."""
    contexts = {(), *(tuple(one.when.items()) for one in entry.model.price_variants or ())}
    sizes = [1000, *(size for threshold in _thresholds(entry.model) for size in (threshold, threshold + 1))]
    moments = [_NOON, *_moments(entry.model)]
    asked = product(moments[-1:] if entry.is_lent else moments, map(dict, sorted(contexts)))
    yield from ((at, context, size) for (at, context), size in zip(asked, cycle(sizes), strict=False))
    yield from ((moments[-1], {}, size) for size in sizes[1:])
    if zlib.crc32(entry.name.encode()) % _FEW == 0:
        yield from ((moments[-1], context, sizes[-1]) for context in _ELSEWHERE)


def _moments(model: ModelInfo) -> Iterator[datetime]:
    """Yield the last instant before each price of *model* begins or ends, and the first at which it does."""
    for limit in {repr(one.constraint): one.constraint for one in price_sets(model)}.values():
        days, clocks = [], []
        if isinstance(limit, StartDateConstraint):
            days, clocks = [limit.start_date], [time()]
        elif isinstance(limit, TimeOfDateConstraint):
            days, clocks = [_NOON.date()], [limit.start_time, limit.end_time]
        for day, clock in product(days, clocks):
            first = datetime.combine(day, clock, clock.tzinfo or UTC)
            yield from (first - _TICK, first)


def _thresholds(model: ModelInfo) -> list[int]:
    prices = [price for one in price_sets(model) for price in vars(one.prices).values()]
    return sorted({tier.start for price in prices if isinstance(price, TieredPrices) for tier in price.tiers})


def _meters(model: ModelInfo) -> frozenset[str]:
    """Return the meters for which *model* ever has a price."""
    return frozenset(_USAGE_KEYS[key] for one in price_sets(model) for key in vars(one.prices))


def price_sets(model: ModelInfo) -> list[ConditionalPrice | PriceVariant]:
    """Return all prices that *model* ever has."""
    prices = model.prices if isinstance(model.prices, list) else [ConditionalPrice(prices=model.prices)]
    return [*prices, *(model.price_variants or ())]


def _usage(rng: Random, meters: frozenset[str], size: int) -> dict[str, int]:
    """Return usage whose parts are within their totals, of *meters* and now and then of another one."""
    usage: dict[str, int] = {}
    if "input_tokens" in meters or not meters or rng.random() < 0.2:
        usage |= _input(_shares(rng, size, _INPUT))
    if "output_tokens" in meters or not meters or rng.random() < 0.2:
        usage |= _output(_shares(rng, rng.randrange(1, 60_000) * rng.choice(_MANY), _OUTPUT))
    if any(meter.endswith("_seconds") for meter in meters) or rng.random() < 0.02:
        heard = rng.choice((rng.randrange(20_000_000), rng.randrange(7200) * 1_000_000))
        said = 0 if "input_audio_seconds" in meters else rng.randrange(60_000_000)
        usage |= {"audio_seconds": heard + said, "input_audio_seconds": heard, "output_audio_seconds": said}
    if "input_document_pages" in meters or rng.random() < 0.02:
        pages = rng.randrange(1, 500)
        usage |= {"input_document_pages": pages, "input_annotated_document_pages": rng.randint(0, pages)}
    return usage | {name: rng.randrange(20) for name in _COUNTS if name in meters or rng.random() < 0.02}


def _shares(rng: Random, size: int, names: tuple[str, ...]) -> dict[str, int]:
    """Share *size* out among some of *names*; the others have nothing."""
    chosen = rng.sample(names, rng.randint(1, 5))
    cuts = sorted(rng.randint(0, size) for _ in chosen[1:])
    parts = [after - before for before, after in zip([0, *cuts], [*cuts, size], strict=True)]
    return dict.fromkeys(names, 0) | dict(zip(chosen, parts, strict=True))


def _input(share: dict[str, int]) -> dict[str, int]:
    return {
        "input_tokens": sum(share.values()),
        "cache_read_tokens": share["read"] + share["read audio"] + share["read image"],
        "cache_audio_read_tokens": share["read audio"],
        "cache_image_read_tokens": share["read image"],
        "cache_write_tokens": share["write"] + share["write 5m"] + share["write 1h"],
        "cache_write_5m_tokens": share["write 5m"],
        "cache_write_1h_tokens": share["write 1h"],
        "input_audio_tokens": share["audio"] + share["read audio"],
        "input_image_tokens": share["image"] + share["read image"],
        "input_video_tokens": share["video"],
        "input_tool_tokens": share["tool"],
    }


def _output(share: dict[str, int]) -> dict[str, int]:
    parts = {f"output_{name}_tokens": share[name] for name in _OUTPUT if name != "text"}
    return {"output_tokens": sum(share.values()), **parts}


def _told(rng: Random, meant: dict[str, int]) -> dict[str, int]:
    """Return *meant* as a source tells it: mostly all of it, or without what is nothing, or less than consistent."""
    said, how = dict(meant), rng.random()
    if how < 0.3:
        said = {meter: quantity for meter, quantity in meant.items() if quantity}
    if how < 0.05:  # the cache is counted beside the input, and that can be seen
        cached = said.get("cache_read_tokens", 0) + said.get("cache_write_tokens", 0)
        if cached > said.get("input_tokens", 0) - cached > 0:
            said["input_tokens"] -= cached
    elif how < 0.1:  # a total is left out where its parts are all of it
        for total, parts in _WHOLES.items():
            if said.get(total) and said[total] == sum(said.get(part, 0) for part in parts):
                del said[total]
    return {} if how > 0.998 else said


def _texts(rule: MatchLogic) -> Iterator[str]:
    match rule:
        case ClauseOr(or_=rules) | ClauseAnd(and_=rules):
            for each in rules:
                yield from _texts(each)
        case ClauseEquals(text) | ClauseStartsWith(text) | ClauseEndsWith(text) | ClauseContains(text):
            yield text


def _entries() -> Iterator[Entry]:
    """Yield every model with a name by which it is found: its own, or one that its rule says."""
    providers = {provider.id: provider for provider in _SNAPSHOT.providers}
    for provider in providers.values():
        for seller in (provider, *(providers[name] for name in provider.fallback_model_providers or ())):
            for model in seller.models:
                names = (name for name in (model.id, *_texts(model.match)) if _found(provider.id, name) is model)
                if name := next(names, None):
                    yield Entry(provider.id, model, name, is_lent=seller is not provider)


def _found(provider: str, name: str) -> ModelInfo | None:
    try:
        return _SNAPSHOT.find_provider_model(name, None, provider, None)[1]
    except LookupError:
        return None


ENTRIES = tuple(_entries())
"""Every model that anyone sells, and every one that a provider sells for another."""

METERS = frozenset(meter for entry in ENTRIES for meter in _meters(entry.model))
"""Every meter that anything has a price for."""

MODELS = sum(len(provider.models) for provider in _SNAPSHOT.providers)
"""How many models there are, each counted with who sells it."""
