"""Attributes, span events and links as JSON text, a column at a time."""

import base64
import json
import math
from collections.abc import Callable
from functools import cache
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from google.protobuf.message import DecodeError as ProtobufError
from numpy.typing import NDArray
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, KeyValue

from botanu.ingest.otlp import SPAN_ID_BYTES, TRACE_ID_BYTES, Attributes, hex_ids
from botanu.pricing.money import Int64s

_NEEDS_ESCAPE = r'[\x00-\x1f\x7f"\\]'
_FRACTION_OR_WORD = r"[.a-z]"
_WORDS = {"nan": "NaN", "-nan": "NaN", "inf": "Infinity", "-inf": "-Infinity"}
_FALSE = pa.scalar(value=False)
_NULL = pa.scalar(None, pa.string())


def objects(attributes: Attributes, keep: NDArray[np.bool_]) -> pa.Array:
    """Return, per owner, a JSON object of its attributes where *keep* is true; null where there is none.

    Types are kept: numbers, truth values and texts as such, a whole double with its ``.0``, bytes in base64.
    Doubles that are no numbers become texts (``"NaN"``), as JSON has none.
    """
    rows = np.flatnonzero(keep)
    keys = attributes.keys.take(pa.array(rows))
    names = _quoted(keys.dictionary).take(keys.indices)
    pairs = _glued(names, ":", _values(attributes.values.take(pa.array(rows))))
    return _join(pairs, attributes.owner[rows], attributes.owners, "{", "}")


def span_events(lists: pa.ListArray, keep: Callable[[Attributes], NDArray[np.bool_]]) -> pa.Array:
    """Return, per span, a JSON array of its span events; null where it has none."""
    events = lists.flatten()
    attributes = Attributes.of(pc.struct_field(events, "attributes"))
    texts = _object_text(
        time_unix_nano=pc.struct_field(events, "time_unix_nano").cast(pa.string()),
        name=_quoted(pc.struct_field(events, "name")),
        attributes=objects(attributes, keep(attributes)),
    )
    return _join(texts, pc.list_parent_indices(lists).to_numpy(), len(lists), "[", "]")


def links(lists: pa.ListArray, keep: Callable[[Attributes], NDArray[np.bool_]]) -> pa.Array:
    """Return, per span, a JSON array of its links; null where it has none."""
    linked = lists.flatten()
    attributes = Attributes.of(pc.struct_field(linked, "attributes"))
    texts = _object_text(
        trace_id=_quoted(hex_ids(pc.struct_field(linked, "trace_id"), TRACE_ID_BYTES)),
        span_id=_quoted(hex_ids(pc.struct_field(linked, "span_id"), SPAN_ID_BYTES)),
        attributes=objects(attributes, keep(attributes)),
    )
    return _join(texts, pc.list_parent_indices(lists).to_numpy(), len(lists), "[", "]")


def _object_text(**members: pa.Array) -> pa.Array:
    parts: list[str | pa.Array] = []
    for name, texts in members.items():
        parts += [f'{"," if parts else "{"}"{name}":', pc.fill_null(texts, _scalar("null"))]
    return _glued(*parts, "}")


def _glued(*parts: str | pa.Array) -> pa.Array:
    """Return *parts* written one after the other, element by element; a null in any part makes null."""
    columns = [_scalar(part) if isinstance(part, str) else part for part in parts]
    return pc.binary_join_element_wise(*columns, _scalar(""))


@cache
def _scalar(text: str) -> pa.StringScalar:
    # Made once: Arrow's inference from a Python value tries an import each time.
    return pa.scalar(text)


def _join(texts: pa.Array, owner: Int64s, owners: int, opening: str, closing: str) -> pa.Array:
    """Join *texts* (in order of owner) with commas, per owner, in brackets."""
    offsets = np.searchsorted(owner, np.arange(owners + 1)).astype(np.int32)
    lists = pa.ListArray.from_arrays(pa.array(offsets), texts)
    joined = _glued(opening, pc.binary_join(lists, _scalar(",")), closing)
    return pc.if_else(pa.array(offsets[1:] > offsets[:-1]), joined, _NULL)


def _quoted(texts: pa.Array) -> pa.Array:
    """Return each text as a JSON string; null stays null."""
    special = pc.fill_null(pc.match_substring_regex(texts, _NEEDS_ESCAPE), _FALSE)
    quoted = _glued('"', texts, '"')
    if pc.any(special).as_py():
        escaped = [json.dumps(text, ensure_ascii=False) for text in texts.filter(special).to_pylist()]
        quoted = pc.replace_with_mask(quoted, special, pa.array(escaped, pa.string()))
    return quoted


def _values(values: pa.StructArray) -> pa.Array:
    """Return each ``AnyValue`` as JSON text."""
    text = pc.coalesce(
        _quoted(pc.struct_field(values, "string_value")),
        pc.struct_field(values, "int_value").cast(pa.string()),
        _doubles(pc.struct_field(values, "double_value")),
        pc.struct_field(values, "bool_value").cast(pa.string()),
    )
    if text.null_count == 0:
        return text
    nested = pc.is_null(text)
    parsed = [_nested_json(value) for value in values.filter(nested).to_pylist()]
    return pc.replace_with_mask(text, nested, pa.array(parsed, pa.string()))


def _doubles(column: pa.Array) -> pa.Array:
    if column.null_count == len(column):
        return column.cast(pa.string())
    text = column.cast(pa.string())
    whole = pc.invert(pc.match_substring_regex(text, _FRACTION_OR_WORD))
    text = pc.if_else(whole, _glued(text, ".0"), text)
    for word, name in _WORDS.items():
        text = pc.if_else(pc.equal(text, _scalar(word)), _scalar(f'"{name}"'), text)
    return text


def _nested_json(value: dict[str, Any] | None) -> str:
    """Return an array, map, bytes or empty ``AnyValue`` as JSON; its elements come as serialised messages."""
    if value is None:
        return "null"
    try:
        if value["array_value"] is not None:
            plain: object = [_plain(AnyValue.FromString(item)) for item in value["array_value"]["values"]]
        elif value["kvlist_value"] is not None:
            pairs = [KeyValue.FromString(item) for item in value["kvlist_value"]["values"]]
            plain = {pair.key: _plain(pair.value) for pair in pairs}
        else:
            plain = None if value["bytes_value"] is None else _base64(value["bytes_value"])
    except ProtobufError:  # nested beyond what protobuf reads
        return "null"
    return json.dumps(plain, ensure_ascii=False)


def _plain(value: AnyValue) -> object:
    kind = value.WhichOneof("value")
    if kind == "array_value":
        return [_plain(item) for item in value.array_value.values]
    if kind == "kvlist_value":
        return {pair.key: _plain(pair.value) for pair in value.kvlist_value.values}
    if kind == "bytes_value":
        return _base64(value.bytes_value)
    if kind == "double_value" and not math.isfinite(value.double_value):
        return _WORDS[str(value.double_value)]
    return None if kind in (None, "string_value_strindex") else getattr(value, kind)


def _base64(raw: bytes) -> str:
    return base64.b64encode(raw).decode()
