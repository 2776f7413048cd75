"""What is no model and may be billed: which of a batch's spans the user has a price for, and what they used."""

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Protocol

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from botanu.ingest.dialects import SERVICES
from botanu.pricing.meters import ABSENT
from botanu.pricing.money import Int64s
from botanu.pricing.price_list import Kind, PriceList

_HOST = r"^(?:[a-zA-Z][a-zA-Z0-9+.-]*://)?(?:[^/@]*@)?(?P<part>\[[^\]]*\]|[^/:?#]+)"
_PATH = r"^(?:[a-zA-Z][a-zA-Z0-9+.-]*://[^/?#]*)?(?P<part>/[^?#]*)"
_HTTP = SERVICES[-1]
_BYTES_A_CHUNK = 65_536
_BYTES_A_GB = 2**30


class Texts(Protocol):
    """Where attributes come from."""

    def attribute(self, *names: str, taken: bool = True) -> pa.Array:
        """Return the first of the attributes *names* as text, per span; *taken* are those that no one else needs."""


@dataclass(frozen=True, slots=True)
class Named:
    """Who bills, and what is billed, by one family's words, per span."""

    provider: pa.Array
    billed: Sequence[pa.Array]


def named(reader: Texts, names: pa.Array) -> list[Named]:
    """Return who may bill each span, and for what, by each family of ``SERVICES``; *names* are the spans'."""
    found = []
    for service in SERVICES:
        provider = reader.attribute(*service.provider, taken=False)
        billed = [reader.attribute(name, taken=False) for name in service.billed]
        if service is _HTTP:
            provider, billed = _part(provider, _HOST), [_part(column, _PATH) for column in billed]
        if service.otherwise is not None:
            is_named = pc.coalesce(*billed).is_valid()
            provider = pc.if_else(is_named, pc.coalesce(provider, pa.scalar(service.otherwise)), provider)
        if provider.null_count < len(provider):
            found.append(Named(provider, [*(each for each in billed if each.null_count < len(each)), names]))
    return found


def _part(column: pa.Array, pattern: str) -> pa.Array:
    return pc.struct_field(pc.extract_regex(column, pattern), "part")


def kinds_of(
    families: Sequence[Named], tenants: pa.Array, rows: Int64s, prices: PriceList
) -> tuple[list[Kind], Int64s]:
    """Return the kinds of call that *rows* are and the user has a price for, and which of them each is."""
    kinds: dict[Kind, int] = {}
    which = np.full(len(rows), ABSENT, dtype=np.int64)
    for family in families:
        columns = [column.take(pa.array(rows)) for column in (family.provider, tenants, *family.billed)]
        for combination, members in _together(columns):
            provider, tenant, *billed = combination
            undecided = members[which[members] == ABSENT]
            if provider is None or not len(undecided):
                continue
            kind = Kind(provider, tuple(name for name in billed if name), tenant, is_listed=False)
            if prices.card(kind) is not None:
                which[undecided] = kinds.setdefault(kind, len(kinds))
    return list(kinds), which


def billed(columns: tuple[pa.Array, pa.Array], rows: Int64s, kinds: Sequence[Kind]) -> tuple[pa.Array, pa.Array]:
    """Return provider and model, of *rows* those of the *kinds* of call that they are."""
    provider, model = columns
    if not len(rows):
        return provider, model
    where = np.zeros(len(provider), dtype=np.bool_)
    where[rows] = True
    return (
        pc.replace_with_mask(provider, pa.array(where), pa.array([kind.provider for kind in kinds], pa.string())),
        pc.replace_with_mask(model, pa.array(where), pa.array([kind.models[0] for kind in kinds], pa.string())),
    )


def _together(columns: Sequence[pa.Array]) -> list[tuple[tuple[str | None, ...], Int64s]]:
    """Return the distinct rows of some text *columns*, each with its places."""
    distinct, which = distinct_rows(columns)
    order = np.argsort(which, kind="stable")
    bounds = np.searchsorted(which[order], np.arange(len(distinct) + 1))
    return [(row, order[bounds[number] : bounds[number + 1]]) for number, row in enumerate(distinct)]


def distinct_rows(columns: Sequence[pa.Array]) -> tuple[list[tuple[str | None, ...]], Int64s]:
    """Return the distinct rows of some text *columns*, and for each row which of them it is."""
    table = pa.table(list(columns), names=[str(number) for number in range(len(columns))])
    combined = np.zeros(len(table), dtype=np.int64)
    for column in columns:
        encoded = column.dictionary_encode("encode")
        codes = combined * (len(encoded.dictionary) + 1) + encoded.indices.to_numpy()
        _, combined = np.unique(codes, return_inverse=True)  # so that the codes never grow beyond their type
    _, first = np.unique(combined, return_index=True)
    distinct = table.take(pa.array(first)).to_pylist()
    return [tuple(row.values()) for row in distinct], combined


def chunks(body_bytes: Int64s) -> Int64s:
    """Return in how many chunks of 64 KB the payload of a request is; ``ABSENT`` where its size is not known."""
    return np.where(body_bytes == ABSENT, ABSENT, np.maximum(-(-body_bytes // _BYTES_A_CHUNK), 1))


def gb_seconds(memory_bytes: Int64s, duration_ns: Int64s) -> Int64s:
    """Return gigabytes times seconds, in millionths, halves to even; ``ABSENT`` where the memory is not known."""
    result = np.full(len(memory_bytes), ABSENT, dtype=np.int64)
    for row in np.flatnonzero(memory_bytes != ABSENT).tolist():  # few spans say it, and the product passes 64 bits
        product = int(memory_bytes[row]) * int(duration_ns[row])
        result[row] = min(round(Fraction(product, _BYTES_A_GB * 1000)), 10**18 - 1)
    return result
