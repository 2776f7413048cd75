"""Finished spans as OTLP's bytes, written directly.

The messages are those of opentelemetry-proto, ``trace/v1``, in protobuf's wire format: a tag, which holds a field's
number and how to read on; then a number in base 128, four or eight bytes, or a length and that many bytes. What is
written decodes to what OpenTelemetry's own encoder writes; ``docs/decisions/0009-own-otlp-encoder.md`` says why there
is another one.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from struct import Struct
from typing import TYPE_CHECKING, Any

from opentelemetry.attributes import BoundedAttributes
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.trace import DEFAULT_TRACE_STATE

from botanu.sdk.guard import guard

if TYPE_CHECKING:
    from opentelemetry.sdk.resources import Resource
    from opentelemetry.sdk.trace import Event
    from opentelemetry.sdk.util.instrumentation import InstrumentationScope
    from opentelemetry.trace import Link, Status

HEADS_MAX = 4096
"""Most heads of attributes kept for one kind of message; beyond it, all are made anew."""

HEAD_BYTES_MAX = 256
"""Longest head kept: keys have no limit of their own."""

LEVELS_MAX = 94
"""Messages that may be nested in an attribute's value: decoders refuse a request with more than 100 in all."""

_INT64 = 2**63
_UINT64 = 2**64
_BASE = 128
_LAST = tuple(bytes((digit,)) for digit in range(_BASE))
_MORE = tuple(bytes((digit + _BASE,)) for digit in range(_BASE))

_ids = Struct("<2s16s2s8s").pack
_times = Struct("<BQBQ").pack
_time = Struct("<BQ").pack
_double = Struct("<Bd").pack

_KINDS = tuple(bytes((0x30, kind + 1)) for kind in range(5))
_STATUSES = (b"\x7a\x00", b"\x7a\x02\x18\x01", b"\x7a\x02\x18\x02")
_LOCAL, _REMOTE = b"\x85\x01\x00\x01\x00\x00", b"\x85\x01\x00\x03\x00\x00"
_LINK_LOCAL, _LINK_REMOTE = b"\x35\x00\x01\x00\x00", b"\x35\x00\x03\x00\x00"
# The flags that tell whether the parent, or the linked span, is in another process.


def encode_spans(spans: Sequence[ReadableSpan]) -> bytes:
    """Return the bytes of an ``ExportTraceServiceRequest`` with *spans*, grouped by resource and scope.

    An attribute that OTLP cannot carry is left out, which is logged once.

    Raises:
        Exception: of any kind, when one of *spans* is not as OpenTelemetry's SDK makes them.
    """
    tree: dict[Resource, dict[InstrumentationScope | None, list[bytes]]] = {}
    known: dict[tuple[int, int], list[bytes]] = {}
    seen: list[object] = []  # held, so that their ids stay theirs
    for span in spans:
        resource, scope = span.resource, span.instrumentation_scope
        ids = id(resource), id(scope)
        group = known.get(ids)
        if group is None:  # by identity first: to hash a resource takes as long as to write a span
            group = known[ids] = tree.setdefault(resource, {}).setdefault(scope, [])
            seen += (resource, scope)
        body = _span(span)
        group.append(b"\x12")
        group.append(_varint(len(body)))
        group.append(body)
    return b"".join(b"\x0a" + _sized(_resource_spans(resource, scopes)) for resource, scopes in tree.items())


def _resource_spans(resource: Resource, scopes: Mapping[InstrumentationScope | None, list[bytes]]) -> bytes:
    parts = [b"\x0a", _sized(_RESOURCE.written(resource.attributes)), _text(b"\x1a", resource.schema_url)]
    for scope, spans in scopes.items():
        parts += (b"\x12", _sized(b"".join((_scope(scope), *spans))))
    return b"".join(parts)


def _scope(scope: InstrumentationScope | None) -> bytes:
    """Return the fields of a ``ScopeSpans`` beside its spans."""
    if scope is None:
        return b"\x0a\x00"
    body = _text(b"\x0a", scope.name) + _text(b"\x12", scope.version) + _SCOPE.written(scope.attributes)
    return b"\x0a" + _sized(body) + _text(b"\x1a", scope.schema_url)


def _span(span: ReadableSpan) -> bytes:
    try:
        fields = (_inside if type(span) is ReadableSpan else _shown)(span)
    except AttributeError:  # it was not made by a tracer, or what is private has another name now
        fields = _shown(span)
    context, parent, status, name, kind, start, end, attributes, events, links, lost, lost_events, lost_links = fields
    parts = [
        _ids(b"\x0a\x10", context.trace_id.to_bytes(16), b"\x12\x08", context.span_id.to_bytes(8)),
        _times(0x39, start or 0, 0x41, end or 0),
        _text(b"\x2a", name),
        _KINDS[kind._value_],
        _LOCAL if parent is None or not parent.is_remote else _REMOTE,
    ]
    state = context.trace_state
    if state is not DEFAULT_TRACE_STATE and state:  # usually it is that, which is empty
        parts.append(_text(b"\x1a", ",".join(f"{key}={value}" for key, value in state.items())))
    if parent is not None:
        parts.append(b"\x22\x08" + parent.span_id.to_bytes(8))
    _SPAN.write(attributes, parts)
    for event in events:
        body = _event(event)
        parts += (b"\x5a", _varint(len(body)), body)
    for link in links:
        body = _link(link)
        parts += (b"\x6a", _varint(len(body)), body)
    if status is not None:
        parts.append(_described(status) if status.description else _STATUSES[status.status_code._value_])
    if lost or lost_events or lost_links:
        counts = (b"\x50", lost), (b"\x60", lost_events), (b"\x70", lost_links)
        parts += (tag + _varint(count) for tag, count in counts)
    return b"".join(parts)


def _inside(span: ReadableSpan) -> tuple[Any, ...]:
    """Return what *span* is made of; its properties copy events and links under a lock, and wrap the attributes."""
    context, parent, status = span._context, span._parent, span._status  # noqa: SLF001
    name, kind = span._name, span._kind  # noqa: SLF001
    start, end = span._start_time, span._end_time  # noqa: SLF001
    held: tuple[Any, Any, Any] = span._attributes, span._events, span._links  # noqa: SLF001
    attributes, events, links = held
    lost, lost_events, lost_links = attributes.dropped, events.dropped, links.dropped
    events, links = events._dq, links._dq  # noqa: SLF001
    return context, parent, status, name, kind, start, end, attributes, events, links, lost, lost_events, lost_links


def _shown(span: ReadableSpan) -> tuple[Any, ...]:
    """Return the same as *span* shows it, in three times the time."""
    lost, lost_events, lost_links = span.dropped_attributes, span.dropped_events, span.dropped_links
    shown = span.context, span.parent, span.status, span.name, span.kind, span.start_time, span.end_time
    return *shown, span.attributes, span.events, span.links, lost, lost_events, lost_links


def _event(event: Event) -> bytes:
    parts = [_time(0x09, event.timestamp), _text(b"\x12", event.name)]
    _EVENT.write(event.attributes, parts)
    if event.dropped_attributes:
        parts.append(b"\x20" + _varint(event.dropped_attributes))
    return b"".join(parts)


def _link(link: Link) -> bytes:
    context = link.context
    parts = [
        _ids(b"\x0a\x10", context.trace_id.to_bytes(16), b"\x12\x08", context.span_id.to_bytes(8)),
        _LINK_REMOTE if context.is_remote else _LINK_LOCAL,
    ]
    _LINK.write(link.attributes, parts)
    if link.dropped_attributes:
        parts.append(b"\x28" + _varint(link.dropped_attributes))
    return b"".join(parts)


def _described(status: Status) -> bytes:
    return b"\x7a" + _sized(_text(b"\x12", status.description) + _STATUSES[status.status_code._value_][2:])


class _Attributes:
    """Writes the attributes of one kind of message.

    The head of an attribute (tag, lengths and key) is the same for all values of a length, and is kept for each key and
    length. Values are not: to look one up takes as long as to write it.
    """

    def __init__(self, tag: bytes) -> None:
        """Write attributes with the *tag* that their field has in the message."""
        self._tag = tag
        self._texts: dict[str, dict[int, bytes]] = {}
        self._others: dict[str, dict[int, bytes]] = {}
        self._count = 0

    def write(self, attributes: Mapping[str, object] | None, parts: list[bytes]) -> None:
        """Add *attributes* to the *parts* of their message."""
        if type(attributes) is BoundedAttributes:
            attributes = attributes.copy()  # all at once, and not each under a lock
        texts, others = self._texts, self._others
        for key, value in (attributes or {}).items():
            try:
                if type(value) is str:
                    data = value.encode()
                    parts.append(texts[key][len(data)])
                else:
                    data = _integer(value) if type(value) is int else _any_value(value)
                    parts.append(others[key][len(data)])
                parts.append(data)
            except Exception:  # noqa: BLE001 - told apart there: a new head, or a value that cannot be written
                parts.append(self._first(key, value))

    def written(self, attributes: Mapping[str, object] | None) -> bytes:
        """Return *attributes*, written."""
        parts: list[bytes] = []
        self.write(attributes, parts)
        return b"".join(parts)

    def _first(self, key: str, value: object) -> bytes:
        """Return an attribute and keep its head; return nothing if it cannot be written."""
        try:
            held = _any_value(value)
            field = self._tag + _sized(_pair(key, held))
            data = value.encode() if type(value) is str else held
        except Exception as error:  # noqa: BLE001 - the value's own code may fail, and the rest must be sent
            guard.log_once(f"attribute {key!r:.100} is left out: {type(error).__name__} when written for OTLP")
            return b""
        heads = self._texts if type(value) is str else self._others
        self._keep(heads, key, len(data), field[: len(field) - len(data)])
        return field

    def _keep(self, heads: dict[str, dict[int, bytes]], key: str, length: int, head: bytes) -> None:
        if self._count >= HEADS_MAX:
            self._texts.clear()
            self._others.clear()
            self._count = 0
        if len(head) <= HEAD_BYTES_MAX:
            heads.setdefault(key, {})[length] = head
            self._count += 1


_RESOURCE, _SCOPE = _Attributes(b"\x0a"), _Attributes(b"\x1a")
_SPAN, _EVENT, _LINK = _Attributes(b"\x4a"), _Attributes(b"\x1a"), _Attributes(b"\x22")


def _pair(key: str, held: bytes) -> bytes:
    """Return a ``KeyValue`` with the ``AnyValue`` that is *held*."""
    return b"\x0a" + _sized(key.encode()) + b"\x12" + _sized(held)


def _any_value(value: object, levels: int = LEVELS_MAX) -> bytes:
    """Return an ``AnyValue`` with at most *levels* messages nested in it.

    Raises:
        Exception: of any kind, when *value* cannot be written.
    """
    if levels < 0:
        raise ValueError("nested too deeply")
    if value is None:
        return b""
    if isinstance(value, bool):
        return b"\x10\x01" if value else b"\x10\x00"
    if isinstance(value, int):
        return _integer(value)
    if isinstance(value, float):
        return _double(0x21, value)
    tag, body = _tag_and_body(value, levels)
    return tag + _sized(body)


def _tag_and_body(value: object, levels: int) -> tuple[bytes, bytes]:
    if isinstance(value, str):
        return b"\x0a", value.encode()
    if isinstance(value, bytes):
        return b"\x3a", value
    if isinstance(value, Sequence):
        return b"\x2a", b"".join(b"\x0a" + _sized(_any_value(item, levels - 2)) for item in value)
    if isinstance(value, Mapping):
        pairs = (_pair(str(key), _any_value(item, levels - 3)) for key, item in value.items())
        return b"\x32", b"".join(b"\x0a" + _sized(pair) for pair in pairs)
    raise TypeError(f"no attribute can be a {type(value).__name__}")


def _integer(value: int) -> bytes:
    """Return an ``AnyValue`` of a whole number."""
    if not -_INT64 <= value < _INT64:
        raise OverflowError(f"{value} is no 64-bit number")
    return b"\x18" + _varint(value if value >= 0 else value + _UINT64)


def _varint(number: int) -> bytes:
    """Return *number* in base 128, lowest digit first; all but the last have their highest bit set."""
    if number < _BASE:
        return _LAST[number]
    return _MORE[number % _BASE] + _varint(number // _BASE)


def _sized(data: bytes) -> bytes:
    return _varint(len(data)) + data


def _text(tag: bytes, text: str | None) -> bytes:
    """Return a field of text, nothing for an empty one; what UTF-8 cannot carry is replaced."""
    if not text:
        return b""
    data = text.encode(errors="replace")
    return tag + _varint(len(data)) + data
