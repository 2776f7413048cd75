"""What is counted, which meter contains which, and quantities that overlap no more.

Providers count in totals with parts: cached tokens are part of input tokens, reasoning is part of output.
Priced as they come, the parts would be paid twice. So each total is split into its parts and what remains,
and only these exclusive meters are priced. Names are those of ``genai-prices`` where it has one.

A quantity is a whole number: of the meter's unit where the meter ``is_whole``, of millionths of it elsewhere.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from botanu.pricing.money import Int64s

ABSENT = -1
"""Stands for "not known" in a column of quantities; a quantity itself is never negative."""

REQUESTS = "requests"
"""The meter of calls as such: a call is one, unless it says how many it is."""

QUANTITY_MAX = 10**15
"""A count above this is no count: one call cannot use a million thousand million tokens, nor scan that many bytes."""

MILLIONTHS = 10**6
"""Parts of a unit in which meters that are not whole are counted."""


@dataclass(frozen=True, slots=True)
class Meter:
    """A countable kind of usage.

    *within* names the meter that contains it, *also* another one that does. *rest* names what remains of this meter
    once the parts within it are taken out; only meters with parts have one.
    """

    name: str
    sentence: str
    within: str | None = None
    rest: str | None = None
    also: str | None = None
    is_whole: bool = True


def _measured(name: str, sentence: str, within: str | None = None, rest: str | None = None) -> Meter:
    """Return a meter whose quantities may have a fraction."""
    return Meter(name, sentence, within, rest, is_whole=False)


METERS = (
    Meter("input_tokens", "All input tokens.", rest="input_uncached_tokens"),
    Meter(
        "cache_read_tokens",
        "Input tokens read from the provider's cache.",
        "input_tokens",
        rest="cache_read_tokens",
    ),
    Meter("cache_audio_read_tokens", "Cache reads that are audio.", "cache_read_tokens", also="input_audio_tokens"),
    Meter("cache_image_read_tokens", "Cache reads that are images.", "cache_read_tokens", also="input_image_tokens"),
    Meter(
        "cache_write_tokens",
        "Input tokens written to the provider's cache.",
        "input_tokens",
        rest="cache_write_other_tokens",
    ),
    Meter("cache_write_5m_tokens", "Cache writes kept for five minutes.", "cache_write_tokens"),
    Meter("cache_write_1h_tokens", "Cache writes kept for an hour.", "cache_write_tokens"),
    Meter("input_audio_tokens", "Input tokens that are audio.", "input_tokens"),
    Meter("input_image_tokens", "Input tokens that are images.", "input_tokens"),
    Meter("input_video_tokens", "Input tokens that are video.", "input_tokens"),
    Meter("input_tool_tokens", "Input tokens that tools of the provider put there.", "input_tokens"),
    Meter("output_tokens", "All output tokens.", rest="output_text_tokens"),
    Meter("output_reasoning_tokens", "Output tokens spent on reasoning.", "output_tokens"),
    Meter("output_audio_tokens", "Output tokens that are audio.", "output_tokens"),
    Meter("output_image_tokens", "Output tokens that are images.", "output_tokens"),
    Meter("output_video_tokens", "Output tokens that are video.", "output_tokens"),
    Meter("output_citation_tokens", "Output tokens spent on citations.", "output_tokens"),
    Meter(REQUESTS, "Calls, where a price is asked for each."),
    Meter("web_searches", "Searches of the web by the provider."),
    Meter("social_searches", "Searches of social media by the provider."),
    Meter("storage_searches", "Searches of files kept with the provider."),
    Meter("code_executions", "Runs of code by the provider."),
    Meter("rerank_searches", "Queries that documents were ranked for."),
    Meter("input_characters", "Characters sent, where speech or text is billed by them."),
    Meter("input_text_messages", "Messages sent, where each is billed."),
    Meter("input_pixels", "Pixels sent."),
    Meter("input_document_pages", "Pages of documents read.", rest="input_document_pages"),
    Meter("input_annotated_document_pages", "Pages read with annotations.", "input_document_pages"),
    _measured("audio_seconds", "Seconds of audio.", rest="audio_seconds"),
    _measured("input_audio_seconds", "Seconds of audio sent.", "audio_seconds"),
    _measured("output_audio_seconds", "Seconds of audio made.", "audio_seconds"),
    Meter("images", "Images made or read, where each is billed."),
    _measured("seconds", "Seconds of use."),
    _measured("gpu_seconds", "Seconds of one GPU."),
    _measured("gb_seconds", "Gigabytes of memory times seconds; 1 GB is 2³⁰ bytes."),
    _measured("human_minutes", "Minutes of people's work."),
    Meter("bytes_scanned", "Bytes that a data warehouse went through for the answer."),
    Meter("bytes_read", "Bytes that came from a database, storage or a queue."),
    Meter("bytes_written", "Bytes that went to a database or storage."),
    Meter("objects", "Objects read, written, listed or removed."),
    Meter("rows", "Rows returned, written, changed or removed."),
    _measured("request_units", "Request units, as the database counts them."),
    _measured("read_units", "Read units, as the database counts them."),
    _measured("write_units", "Write units, as the database counts them."),
    Meter("messages", "Messages sent, received or processed."),
    Meter("message_chunks_64kb", "Payload of a request in chunks of 64 KB (65,536 bytes), each begun one counted."),
    Meter("reported_cost", "Costs that the program or the provider reports itself, for all a call used: one a call."),
)
"""Every meter that usage is read for, each total before its parts. A program may report others by any name."""

INCIDENTAL = frozenset(
    {
        "bytes_scanned",
        "bytes_read",
        "bytes_written",
        "objects",
        "rows",
        "messages",
        "message_chunks_64kb",
        "gb_seconds",
        "seconds",
        "request_units",
        "read_units",
        "write_units",
    }
)
"""Meters that spans of databases, queues and functions tell of whether or not they are billed: one without a price
costs nothing where another one has a price."""

_BY_NAME = {meter.name: meter for meter in METERS}
_PARTS = {meter.name: tuple(part.name for part in METERS if part.within == meter.name) for meter in METERS}
_JOINS = {meter.name: tuple(part.name for part in METERS if part.also == meter.name) for meter in METERS}


def _with_all_parts(meter: str) -> frozenset[str]:
    return frozenset((meter,)).union(*(_with_all_parts(part) for part in _PARTS[meter]))


_WITHIN = {meter.name: _with_all_parts(meter.name) for meter in METERS}

_BESIDE = ("cache_read_tokens", "cache_write_tokens")
# Parts of the input that some sources do not count as input.

_DISJOINT = ("cache_write_tokens", "audio_seconds")
# Meters whose parts never overlap: together they are no more than the whole.

RESTS = {meter.rest: meter.name for meter in METERS if meter.rest}
"""Exclusive meters that are what remains of another, with that other."""


def is_whole(meter: str) -> bool:
    """Return whether quantities of *meter* are counted in whole units; those of unknown meters are in millionths."""
    known = _BY_NAME.get(RESTS.get(meter, meter))
    return known is not None and known.is_whole


def units_of(meter: str) -> int:
    """Return what a quantity of 1 unit of *meter* is written as."""
    return 1 if is_whole(meter) else MILLIONTHS


@lru_cache(maxsize=1000)
def priced_as(meter: str) -> tuple[str, ...]:
    """Return the meters whose price applies to the exclusive *meter*, the most specific first.

    One-hour cache writes are priced as such; where a model has no such price, as cache writes; where it has
    none either, as input.
    """
    chain = [RESTS.get(meter, meter)]
    for name in chain:  # which grows while there are containers
        known = _BY_NAME.get(name)
        containers = (known.also, known.within) if known is not None else ()
        chain.extend(container for container in containers if container is not None and container not in chain)
    return tuple(chain)


def parts_of(meter: str) -> tuple[str, ...]:
    """Return the meters directly within *meter*."""
    return _PARTS[meter]


def is_part_of(meter: str, container: str) -> bool:
    """Return whether the exclusive *meter* is a part of *container*, or what remains of it."""
    return container in priced_as(meter)


def whole(meter: str, totals: Mapping[str, Int64s]) -> Int64s | None:
    """Return all of *meter*, parts included; ``ABSENT`` where nothing is known of it, ``None`` if that is everywhere.

    Where the cache's part of the input alone is more than the input, the source counts it beside the rest, and the two
    together are the whole. Otherwise the whole is what was counted, but no less than any one part, nor than parts that
    cannot overlap. Where only parts are known, they are the whole.
    """
    if totals.keys().isdisjoint(_WITHIN[meter]):
        return None
    parts = {part: quantity for part in _PARTS[meter] if (quantity := _alone(part, totals)) is not None}
    counted = totals.get(meter)
    if not parts:
        return counted
    known = {part: np.maximum(quantity, 0) for part, quantity in parts.items()}
    any_part = np.logical_or.reduce([quantity != ABSENT for quantity in parts.values()])
    of_parts = np.where(any_part, sum(known.values()), ABSENT)
    if counted is None:
        return of_parts
    at_least = [sum(known.values())] if meter in _DISJOINT else [*known.values()]
    largest = np.maximum.reduce([counted, *at_least])
    beside = _beside(counted, known)
    return np.where(counted == ABSENT, of_parts, np.where(beside > counted, counted + beside, largest))


def _beside(counted: Int64s, parts: Mapping[str, Int64s]) -> Int64s:
    """Return what of *parts* some sources count beside the input, not in it."""
    return sum((parts[part] for part in _BESIDE if part in parts), start=np.zeros_like(counted))


def exclusive(totals: Mapping[str, Int64s]) -> dict[str, Int64s]:
    """Split *totals* (by meter, ``ABSENT`` where not known) into quantities that do not overlap.

    They sum up to the whole that was counted: parts that would be more than it are cut, the later ones in ``METERS``
    first, as they overlap (the audio that was cached counts as cached). So nothing is negative, and nothing is paid
    twice. A meter that is not in ``METERS`` overlaps with none.

    Worked number: 1,000 input tokens of which 600 are cache reads give 400 uncached and 600 cache reads.
    """
    split: dict[str, Int64s] = {}
    for meter in METERS:
        if meter.within is None and (available := whole(meter.name, totals)) is not None:
            _share_out(meter, available, totals, split)
    split.update((name, quantity) for name, quantity in totals.items() if name not in _BY_NAME)
    return split


def _share_out(meter: Meter, available: Int64s, totals: Mapping[str, Int64s], split: dict[str, Int64s]) -> None:
    """Put the *available* quantity of *meter* into *split*: to each part what it counted, and the rest to the rest."""
    if meter.rest is None:
        split[meter.name] = available
        return
    remaining = np.maximum(available, 0)
    taken = {}
    for part in _PARTS[meter.name]:
        counted = _alone(part, totals)
        if counted is not None:
            taken[part] = np.minimum(counted, remaining)
            remaining = remaining - np.maximum(taken[part], 0)
    total = totals.get(meter.name)
    if total is not None:
        split[meter.rest] = np.where(total == ABSENT, ABSENT, remaining)
    for part, quantity in taken.items():
        _share_out(_BY_NAME[part], quantity, totals, split)


def _alone(meter: str, totals: Mapping[str, Int64s]) -> Int64s | None:
    """Return all of *meter* but what another one contains as well, and counts."""
    counted = whole(meter, totals)
    for join in _JOINS[meter]:
        if counted is not None and join in totals:
            counted = np.where(counted == ABSENT, ABSENT, np.maximum(counted - np.maximum(totals[join], 0), 0))
    return counted


def overlapping(totals: Mapping[str, Int64s]) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Return, as two masks, whose cache was counted beside the input, and whose parts are more than their total."""
    size = len(next(iter(totals.values()), np.zeros(0)))
    beside, beyond = np.zeros(size, dtype=np.bool_), np.zeros(size, dtype=np.bool_)
    for meter in METERS:
        counted = totals.get(meter.name)
        if counted is None:
            continue
        parts = {
            part: np.maximum(quantity, 0)
            for part in _PARTS[meter.name]
            if (quantity := _alone(part, totals)) is not None
        }
        if not parts:
            continue
        cached = (counted != ABSENT) & (_beside(counted, parts) > counted)
        beside |= cached
        of_parts = sum(parts.values())
        beyond |= (counted != ABSENT) & ~cached & (of_parts > counted) & (meter.name not in _DISJOINT)
    return beside, beyond
