"""OTLP request bodies to Arrow (https://opentelemetry.io/docs/specs/otlp/).

``ptars`` turns protobuf bytes into nested Arrow arrays in Rust; no Python object is made per span. JSON is
turned into protobuf first, so that everything after it has one form to read.
"""

import base64
import binascii
import json
import zlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import Any

import numpy as np
import ptars
import pyarrow as pa
import pyarrow.compute as pc
from google.protobuf import json_format
from numpy.typing import NDArray
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from botanu.errors import DecodeError, TooLargeError
from botanu.pricing.money import Int64s

PROTOBUF = "application/x-protobuf"
JSON = "application/json"

TRACE_ID_BYTES = 16
SPAN_ID_BYTES = 8
_INT64_MAX = 2**63 - 1

MEMBERS_MAX = 1000
"""Most compressed members of one body: each costs time, however little it holds."""


@dataclass(frozen=True, slots=True)
class Request:
    """One readable export request: its spans still nested, as one Arrow row."""

    row: pa.RecordBatch
    size: int


def decompress(body: bytes, encoding: str, limit: int) -> bytes:
    """Undo the content *encoding* (``gzip``, ``deflate`` or none) of a request body.

    Raises:
        TooLargeError: the result would pass *limit* bytes; no more than that is ever held.
        DecodeError: the body is not what its encoding says, is cut short or fails its checksum, or the
            encoding is not known.
    """
    coding = encoding.strip().lower()
    if coding in ("", "identity"):
        plain = body
    elif coding in ("gzip", "x-gzip", "deflate"):
        plain = _inflate(body, zlib.MAX_WBITS | (16 if coding != "deflate" else 0), limit)
    else:
        raise DecodeError(f"content encoding {encoding!r} is not supported; use gzip, deflate or none")
    if len(plain) > limit:
        raise TooLargeError(f"the request is over {limit:,} bytes; send smaller batches")
    return plain


def _inflate(body: bytes, window: int, limit: int) -> bytes:
    """Inflate all members of *body*, one after the other (RFC 1952, section 2.2)."""
    parts: list[bytes] = []
    room = limit + 1
    while body:
        if len(parts) == MEMBERS_MAX:
            raise DecodeError(f"the body has over {MEMBERS_MAX:,} compressed members; compress it in one")
        member = zlib.decompressobj(window)
        try:
            part = member.decompress(body, room)
        except zlib.error as error:
            raise DecodeError(f"the body cannot be decompressed: {error}") from None
        parts.append(part)
        room -= len(part)
        if room <= 0:
            raise TooLargeError(f"the request inflates to over {limit:,} bytes; send smaller batches")
        if not member.eof:
            raise DecodeError("the compressed body is cut short")
        body = member.unused_data
    return b"".join(parts)


def decode(body: bytes, media_type: str) -> Request:
    """Read an uncompressed ``ExportTraceServiceRequest``.

    Raises:
        DecodeError: the body is not one, in the form *media_type* says.
    """
    if media_type == JSON:
        body = _protobuf_from_json(body)
    try:
        return Request(_handler().list_to_record_batch([body]), len(body))
    except ValueError as error:
        raise DecodeError(f"the body is no OTLP trace request: {error}") from None


@cache
def _handler() -> Any:  # noqa: ANN401 - ptars has no types
    pool = ptars.HandlerPool([ExportTraceServiceRequest.DESCRIPTOR.file])
    return pool.get_for_message(ExportTraceServiceRequest.DESCRIPTOR)


def _protobuf_from_json(body: bytes) -> bytes:
    try:
        document = json.loads(body.decode("utf-8"), parse_constant=_refuse_constant)
        if not isinstance(document, dict):
            raise DecodeError(f"the body must be a JSON object, not {type(document).__name__}")
        message = json_format.ParseDict(_proto3_json(document), ExportTraceServiceRequest(), ignore_unknown_fields=True)
        return message.SerializeToString()
    except (ValueError, TypeError, AttributeError, ArithmeticError, RecursionError, json_format.ParseError) as error:
        raise DecodeError(f"the body is no OTLP trace request in JSON: {error}") from None


def _refuse_constant(name: str) -> None:
    raise DecodeError(f"{name} is not JSON")


_ID_KEYS = {"traceId": TRACE_ID_BYTES, "spanId": SPAN_ID_BYTES, "parentSpanId": SPAN_ID_BYTES}


def _proto3_json(node: object) -> Any:  # noqa: ANN401 - whatever JSON holds
    """Return OTLP's JSON as the proto3 JSON that the protobuf library reads.

    OTLP writes ids in hex, proto3 writes bytes in base64. And names with an underscore, which the library would
    take as well, are unknown in OTLP.
    """
    if isinstance(node, dict):
        return {
            key: _id_base64(value, _ID_KEYS[key]) if key in _ID_KEYS else _proto3_json(value)
            for key, value in node.items()
            if "_" not in key
        }
    if isinstance(node, list):
        return [_proto3_json(item) for item in node]
    return node


def _id_base64(given: object, length: int) -> object:
    """Return a hex id in base64; one that is not *length* bytes of hex becomes empty, and its span refused."""
    if not isinstance(given, str):
        return given
    try:
        raw = binascii.unhexlify(given)
    except ValueError:
        raw = b""
    return base64.b64encode(raw if len(raw) == length else b"").decode()


@dataclass(frozen=True, slots=True)
class Attributes:
    """The key-value pairs of a number of owners (spans, resources, ...), flattened; *owner* says whose each is.

    *codes* says as what each key stands in *keys*.
    """

    keys: pa.DictionaryArray
    values: pa.StructArray
    owner: Int64s
    owners: int
    codes: Mapping[str, int] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        """Number the keys."""
        codes = {name: code for code, name in enumerate(self.keys.dictionary.to_pylist())}
        object.__setattr__(self, "codes", codes)

    @classmethod
    def of(cls, lists: pa.ListArray) -> "Attributes":
        """Flatten a column of ``KeyValue`` lists, one list per owner."""
        pairs = lists.flatten()
        return cls(
            pc.struct_field(pairs, "key").dictionary_encode(),
            pc.struct_field(pairs, "value"),
            _parents(lists),
            len(lists),
        )

    def rows(self, name: str) -> Int64s:
        """Return, per owner, the row that holds attribute *name*; -1 where there is none. A repeated key: the last."""
        found = np.full(self.owners, -1, dtype=np.int64)
        code = self.codes.get(name)
        if code is not None:
            at = np.flatnonzero(self.keys.indices.to_numpy() == code)
            found[self.owner[at]] = at
        return found


@dataclass(frozen=True, slots=True)
class Spans:
    """The valid spans of a number of requests, flattened: OTLP's columns, and where each span came from.

    *resource_of* indexes *resources*; *scope_name* is the instrumentation scope's name.
    """

    columns: pa.StructArray
    resources: pa.ListArray
    resource_of: Int64s
    scope_name: pa.Array

    def __len__(self) -> int:
        """Return how many spans there are."""
        return len(self.columns)

    def column(self, name: str) -> pa.Array:
        """Return OTLP's column *name*."""
        return pc.struct_field(self.columns, name)


@dataclass(frozen=True, slots=True)
class Refusal:
    """How many spans of one request were refused, and why."""

    count: int
    message: str


def flatten(requests: Sequence[Request]) -> tuple[Spans, list[Refusal | None]]:
    """Return the valid spans of *requests*, and for each request what was refused of it.

    A span is refused, and its neighbours are kept, when it has no valid trace or span id, or times that no clock
    shows (https://opentelemetry.io/docs/specs/otlp/#partial-success).
    """
    nested = pa.concat_arrays([request.row.column("resource_spans") for request in requests])
    request_of_resource = _parents(nested)
    resource_spans = nested.flatten()
    scope_lists = pc.struct_field(resource_spans, "scope_spans")
    resource_of_scope = _parents(scope_lists)
    scopes = scope_lists.flatten()
    span_lists = pc.struct_field(scopes, "spans")
    scope_of_span = _parents(span_lists)
    columns = span_lists.flatten()

    resource_of_span = resource_of_scope[scope_of_span]
    faults = _faults(columns)
    valid = faults == 0
    spans = Spans(
        columns if valid.all() else columns.filter(pa.array(valid)),
        pc.struct_field(resource_spans, ["resource", "attributes"]),
        resource_of_span[valid],
        pc.struct_field(scopes, ["scope", "name"]).take(pa.array(scope_of_span[valid])),
    )
    return spans, _refusals(faults, request_of_resource[resource_of_span], len(requests))


def hex_ids(column: pa.Array, length: int) -> pa.Array:
    """Return a binary column of ids as lower-case hex text; null where an id is not *length* bytes."""
    valid = _lengths(column) == length
    raw = b"".join(column.filter(pa.array(valid)).to_pylist()) if not valid.all() else _contiguous(column)
    text = _HEX[np.frombuffer(raw, dtype=np.uint8)].tobytes()
    offsets = np.zeros(len(column) + 1, dtype=np.int32)
    np.cumsum(valid * (2 * length), out=offsets[1:])
    validity = pa.py_buffer(np.packbits(valid, bitorder="little").tobytes())
    return pa.Array.from_buffers(
        pa.string(), len(column), [validity, pa.py_buffer(offsets.tobytes()), pa.py_buffer(text)]
    )


_HEX = np.frombuffer("".join(f"{byte:02x}" for byte in range(256)).encode(), dtype="<u2")

_FAULTS = (
    "",
    "no valid trace id: it takes 16 bytes, not all zero",
    "no valid span id: it takes 8 bytes, not all zero",
    "a start or end time that no clock shows",
)


def _faults(spans: pa.StructArray) -> NDArray[np.int8]:
    """Return for each span what is wrong with it, as an index of ``_FAULTS``."""
    field: Callable[[str], pa.Array] = lambda name: pc.struct_field(spans, name)  # noqa: E731
    faults = np.zeros(len(spans), dtype=np.int8)
    for name in ("start_time_unix_nano", "end_time_unix_nano"):
        faults[field(name).to_numpy() > _INT64_MAX] = 3
    for fault, name, length in ((2, "span_id", SPAN_ID_BYTES), (1, "trace_id", TRACE_ID_BYTES)):
        ids = field(name)
        faults[_lengths(ids) != length] = fault
        faults[pc.equal(ids, pa.scalar(bytes(length), ids.type)).to_numpy(zero_copy_only=False)] = fault
    return faults


def _refusals(faults: NDArray[np.int8], request_of: Int64s, requests: int) -> list[Refusal | None]:
    refusals: list[Refusal | None] = [None] * requests
    bad = np.flatnonzero(faults)
    for request in np.unique(request_of[bad]):
        mine = faults[bad][request_of[bad] == request]
        reasons = "; ".join(f"{int((mine == fault).sum())} with {_FAULTS[fault]}" for fault in np.unique(mine))
        refused = "1 span" if len(mine) == 1 else f"{len(mine)} spans"
        refusals[request] = Refusal(len(mine), f"{refused} refused: {reasons}")
    return refusals


def _parents(lists: pa.ListArray) -> Int64s:
    return pc.list_parent_indices(lists).to_numpy()


def _lengths(column: pa.Array) -> Int64s:
    return pc.binary_length(column).to_numpy(zero_copy_only=False)


def _contiguous(column: pa.Array) -> memoryview:
    """Return the bytes of a binary column without nulls, one value after the other."""
    offsets = np.frombuffer(column.buffers()[1], dtype=np.int32)[column.offset : column.offset + len(column) + 1]
    data = column.buffers()[2]
    return memoryview(data)[offsets[0] : offsets[-1]] if data is not None else memoryview(b"")
