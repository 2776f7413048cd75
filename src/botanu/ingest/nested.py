"""JSON in attributes: its members become attributes of their own, so that all are read alike."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from google.protobuf.message import DecodeError as ProtobufError
from opentelemetry.proto.common.v1.common_pb2 import AnyValue

from botanu.ingest.dialects import JSON
from botanu.ingest.members import Scalar, listed, members
from botanu.ingest.otlp import Attributes


def expanded(attributes: Attributes) -> Attributes:
    """Return *attributes* with the members of those in ``JSON`` behind them, as ``name.member``; most have none."""
    names = attributes.keys.dictionary.to_pylist()
    wanted = np.array([name in JSON for name in names], dtype=np.bool_)
    if not wanted.any():
        return attributes
    rows = np.flatnonzero(wanted[attributes.keys.indices.to_numpy()])
    keys, values, owners = [], [], []
    for row, text in zip(rows.tolist(), _texts(attributes.values.take(pa.array(rows))), strict=True):
        for member, value in members(attributes.keys[row].as_py(), text).items():
            keys.append(member)
            values.append(value)
            owners.append(attributes.owner[row])
    return _with(attributes, keys, values, owners) if keys else attributes


def _texts(values: pa.StructArray) -> list[str]:
    """Return the text of each value; of a list of texts, all of them."""
    plain = pc.struct_field(values, "string_value").to_pylist()
    if None not in plain:
        return plain
    whole = values.to_pylist()
    return [text if text is not None else _of_list(value) for text, value in zip(plain, whole, strict=True)]


def _of_list(value: Mapping[str, Any] | None) -> str:
    items = ((value or {}).get("array_value") or {}).get("values") or ()
    try:
        return listed(AnyValue.FromString(item).string_value for item in items)
    except ProtobufError:  # nested beyond what protobuf reads
        return ""


def _with(attributes: Attributes, keys: list[str], values: list[Scalar], owners: list[int]) -> Attributes:
    """Return *attributes* with more of them at the end."""
    all_keys = pa.concat_arrays([attributes.keys.cast(pa.string()), pa.array(keys, pa.string())])
    return Attributes(
        all_keys.dictionary_encode(),
        pa.concat_arrays([attributes.values, _any_values(values, attributes.values.type)]),
        np.concatenate([attributes.owner, np.array(owners, dtype=np.int64)]),
        attributes.owners,
    )


def _any_values(values: list[Scalar], kind: pa.StructType) -> pa.StructArray:
    """Return *values* as a column of OTLP's ``AnyValue``."""
    columns = {
        "string_value": [value if isinstance(value, str) else None for value in values],
        "int_value": [value if isinstance(value, int) else None for value in values],
        "double_value": [value if isinstance(value, float) else None for value in values],
    }
    arrays = [
        pa.array(columns[field.name], field.type) if field.name in columns else pa.nulls(len(values), field.type)
        for field in kind
    ]
    return pa.StructArray.from_arrays(arrays, fields=list(kind))
