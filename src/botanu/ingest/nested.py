"""JSON in attributes: its members become attributes of their own, so that all are read alike."""

import ast
import json
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from google.protobuf.message import DecodeError as ProtobufError
from opentelemetry.proto.common.v1.common_pb2 import AnyValue

from botanu.ingest.dialects import BESIDE, BESIDE_IF, JSON, SUMS
from botanu.ingest.otlp import Attributes

TEXT_MAX = 20_000
"""A longer text is not read: usage is short."""

DEPTH_MAX = 6
"""Members deeper down are not read."""

_Scalar = str | int | float


def expanded(attributes: Attributes) -> Attributes:
    """Return *attributes* with the members of those in ``JSON`` behind them, as ``name.member``; most have none."""
    names = attributes.keys.dictionary.to_pylist()
    wanted = np.array([name in JSON for name in names], dtype=np.bool_)
    if not wanted.any():
        return attributes
    rows = np.flatnonzero(wanted[attributes.keys.indices.to_numpy()])
    keys, values, owners = [], [], []
    for row, text in zip(rows.tolist(), _texts(attributes.values.take(pa.array(rows))), strict=True):
        name = attributes.keys[row].as_py()
        for member, value in _members(name, text).items():
            keys.append(member)
            values.append(value)
            owners.append(attributes.owner[row])
    return _with(attributes, keys, values, owners) if keys else attributes


def _texts(values: pa.StructArray) -> list[str]:
    """Return the text of each value; of a list of texts, all of them."""
    plain = pc.struct_field(values, "string_value").to_pylist()
    if None not in plain:
        return plain
    lists = values.to_pylist()
    return [text if text is not None else _listed(value) for text, value in zip(plain, lists, strict=True)]


def _listed(value: Mapping[str, Any]) -> str:
    items = (value.get("array_value") or {}).get("values") or ()
    try:
        return f"[{', '.join(AnyValue.FromString(item).string_value or 'null' for item in items)}]"
    except ProtobufError:  # nested beyond what protobuf reads
        return ""


def _members(name: str, text: str) -> dict[str, _Scalar]:
    """Return the scalar members of the JSON object *text*, by the names they are read under; of a list, their sums."""
    if len(text) > TEXT_MAX:
        return {}
    try:
        document = json.loads(text)
    except (ValueError, RecursionError):
        document = _literal(text)
    found: dict[str, _Scalar] = {}
    for each in document if isinstance(document, list) else [document]:
        for member, value in _flat(f"{name}.", _told_apart(name, each), DEPTH_MAX):
            before = found.get(member)
            both = not isinstance(before, str | None) and not isinstance(value, str)
            found[member] = before + value if both else value  # type: ignore[operator]
    total = f"{name}.{SUMS.get(name)}"
    if name in SUMS and total not in found:
        found[total] = sum(value for value in found.values() if not isinstance(value, str))
    return found


def _literal(text: str) -> Any:  # noqa: ANN401 - whatever was written
    """Return what *text* means in Python, as which some write their dictionaries."""
    try:
        return ast.literal_eval(text)
    except (ValueError, SyntaxError, MemoryError, RecursionError, TypeError):
        return None


def _told_apart(name: str, document: object) -> object:
    """Return *document* with the member that leaves the cache out under ``beside``, if it is of that shape."""
    member = BESIDE.get(name)
    if not isinstance(document, dict) or member not in document or not document.keys() & BESIDE_IF:
        return document
    others = {key: value for key, value in document.items() if key != member}
    return {**others, "beside": {member: document[member]}}


def _flat(prefix: str, node: object, depth: int) -> Iterator[tuple[str, _Scalar]]:
    if not isinstance(node, dict) or depth == 0:
        return
    for key, value in node.items():
        if isinstance(value, str | int | float) and not isinstance(value, bool):
            yield f"{prefix}{key}", value
        else:
            yield from _flat(f"{prefix}{key}.", value, depth - 1)


def _with(attributes: Attributes, keys: list[str], values: list[_Scalar], owners: list[int]) -> Attributes:
    """Return *attributes* with more of them at the end."""
    all_keys = pa.concat_arrays([attributes.keys.cast(pa.string()), pa.array(keys, pa.string())])
    return Attributes(
        all_keys.dictionary_encode(),
        pa.concat_arrays([attributes.values, _any_values(values, attributes.values.type)]),
        np.concatenate([attributes.owner, np.array(owners, dtype=np.int64)]),
        attributes.owners,
    )


def _any_values(values: list[_Scalar], kind: pa.StructType) -> pa.StructArray:
    """Return *values* as a column of OTLP's ``AnyValue``."""
    limit = 2**63
    columns = {
        "string_value": [value if isinstance(value, str) else None for value in values],
        "int_value": [value if isinstance(value, int) and -limit <= value < limit else None for value in values],
        "double_value": [value if isinstance(value, float) else None for value in values],
    }
    arrays = [
        pa.array(columns[field.name], field.type) if field.name in columns else pa.nulls(len(values), field.type)
        for field in kind
    ]
    return pa.StructArray.from_arrays(arrays, fields=list(kind))
