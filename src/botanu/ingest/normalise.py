"""Spans in OTLP's shape and many dialects to one table in ours, a column at a time.

Each attribute we know becomes a column; the rest stays together as JSON; what people and models said is left out.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from botanu.content import CONTENT, CONTENT_PREFIXES
from botanu.ingest import json_text, services
from botanu.ingest.dialects import BESIDE_SCOPES, COLUMNS, ENVIRONMENT_OF_RESOURCE, SERVICE_OF_RESOURCE
from botanu.ingest.nested import expanded
from botanu.ingest.otlp import SPAN_ID_BYTES, TRACE_ID_BYTES, Attributes, Spans, hex_ids
from botanu.ingest.reading import Reader, translated
from botanu.ingest.reported import reported

MICROSECONDS = pa.timestamp("us", tz="UTC")

_KINDS = pa.array(["unspecified", "internal", "server", "client", "producer", "consumer"])
_BESIDE_SCOPES = pa.array(BESIDE_SCOPES)
_STATUS_CODES = pa.array(["unset", "ok", "error"])


def normalise(spans: Spans, received_at: datetime, *, with_services: bool = False) -> dict[str, Any]:
    """Return *spans* as columns: those of ``dialects.COLUMNS``, those of ``reported``, and those that OTLP has.

    ``services`` says who may bill a span that is no model's call; it is empty unless *with_services*.
    """
    given, resources = Attributes.of(spans.column("attributes")), Attributes.of(spans.resources)
    attributes = expanded(given)
    reader, of_resource = Reader(attributes), Reader(resources)
    columns = {name: translated(reader.column(name, kind), name) for name, kind in COLUMNS.items()}
    resource_of = pa.array(spans.resource_of)
    for name in ENVIRONMENT_OF_RESOURCE:
        columns["environment"] = pc.coalesce(columns["environment"], of_resource.attribute(name).take(resource_of))
    columns |= _beside(columns, spans.scope_name)
    columns |= reported(columns, attributes, reader)
    left = reader.left[: len(given.owner)]
    return {
        **columns,
        **_times(spans, received_at),
        "trace_id": hex_ids(spans.column("trace_id"), TRACE_ID_BYTES),
        "span_id": hex_ids(spans.column("span_id"), SPAN_ID_BYTES),
        "parent_span_id": hex_ids(spans.column("parent_span_id"), SPAN_ID_BYTES),
        "name": spans.column("name"),
        "kind": _word(_KINDS, spans.column("kind")),
        "status_code": _word(_STATUS_CODES, pc.struct_field(spans.column("status"), "code")),
        "scope_name": spans.scope_name,
        "service_name": of_resource.attribute(SERVICE_OF_RESOURCE).take(resource_of),
        "services": services.named(reader, spans.column("name")) if with_services else [],
        "attributes": json_text.objects(given, left & _storable(given)),
        "resource": json_text.objects(resources, of_resource.left & _storable(resources)).take(resource_of),
        "span_events": json_text.span_events(spans.column("events"), _storable),
        "links": json_text.links(spans.column("links"), _storable),
    }


def _beside(columns: Mapping[str, pa.Array], scope_name: pa.Array) -> dict[str, pa.Array]:
    """Return the input of instrumentations that leave the cache out of it as what remains beside the cache."""
    beside = pc.is_in(scope_name, _BESIDE_SCOPES)
    if not pc.any(beside).as_py():
        return {}
    tokens, rest = columns["input_tokens"], columns["input_uncached_tokens"]
    return {
        "input_tokens": pc.if_else(beside, None, tokens),
        "input_uncached_tokens": pc.if_else(beside, pc.coalesce(rest, tokens), rest),
    }


def _times(spans: Spans, received_at: datetime) -> dict[str, pa.Array]:
    arrival = int(received_at.timestamp() * 1_000_000) * 1000
    start = spans.column("start_time_unix_nano").to_numpy().astype(np.int64)
    start = np.where(start == 0, arrival, start)  # zero is how OTLP says "not given"
    end = spans.column("end_time_unix_nano").to_numpy().astype(np.int64)
    return {
        "start_time": pa.array(start // 1000).cast(MICROSECONDS),
        "start_time_unix_nano": pa.array(start),
        "duration_ns": pa.array(np.maximum(end - start, 0)),
        "received_at": pa.repeat(pa.scalar(received_at, MICROSECONDS), len(spans)),
    }


def _word(words: pa.Array, numbers: pa.Array) -> pa.Array:
    """Return the word for each enum number; the first for absent and unknown ones, as proto3 enums are open."""
    codes = numbers.fill_null(0).to_numpy(zero_copy_only=False)
    return words.take(pa.array(np.where((codes >= 0) & (codes < len(words)), codes, 0)))


def _storable(attributes: Attributes) -> NDArray[np.bool_]:
    """Return which rows are not content; decided once per distinct key."""
    verdicts = [
        key not in CONTENT and not key.startswith(CONTENT_PREFIXES) for key in attributes.keys.dictionary.to_pylist()
    ]
    return np.array(verdicts, dtype=np.bool_)[attributes.keys.indices.to_numpy()]
