"""Request bodies as an SDK would send them: many, each with ids, times and token counts of its own.

A template is encoded once, with a marker wherever bodies differ. All markers keep their length in protobuf, so a body
is made by writing new bytes over a template's.
"""

import gzip
import os
import random
import uuid
from collections.abc import Iterator, MutableSequence, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
from functools import cache

import numpy as np
from numpy.typing import NDArray
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, KeyValue
from opentelemetry.proto.trace.v1.trace_pb2 import ScopeSpans, Span

RUNS = 85
SPANS = 512
"""Of one request: 84 runs of six spans and one of eight."""

TEMPLATES = 4
GZIP_LEVEL = 6

_WORKFLOWS = ("fulfill-order", "handle-inquiry", "batch-process", "analyze", "classify")
_MODELS = (
    ("openai", "gpt-4o", "gpt-4o-2024-08-06"),
    ("openai", "gpt-4o-mini", "gpt-4o-mini-2024-07-18"),
    ("anthropic", "claude-sonnet-4-5", "claude-sonnet-4-5-20250929"),
)
_CUSTOMERS = 200
_SPREAD_SECONDS = 2.0
_WIDTHS = {"trace": 16, "span": 8, "run": 36, "event": 12, "response": 24, "time": 8}
_TOKENS = {"gen_ai.usage.input_tokens": (300, 9_000), "gen_ai.usage.output_tokens": (130, 1_500)}
# From 128 to 16,383 a number takes two bytes in protobuf.

Bytes = NDArray[np.uint8]


@dataclass
class _Field:
    """Where values of one kind stand in a template: at each of *offsets*, the value of the slot in *slots*."""

    width: int
    offsets: list[int] = field(default_factory=list)
    slots: list[int] = field(default_factory=list)

    def write(self, body: Bytes, values: Bytes) -> None:
        """Write the row of *values* of each slot to its places."""
        places = np.array(self.offsets)[:, None] + np.arange(self.width)
        body[places] = values[np.array(self.slots)]


class _Template:
    """An encoded request, and where in it what differs stands."""

    def __init__(self, seed: int) -> None:
        self._random = random.Random(seed)
        self._markers: dict[str, list[bytes]] = {kind: [] for kind in _WIDTHS}
        self.span_run: list[int] = []
        request = ExportTraceServiceRequest()
        resource_spans = request.resource_spans.add()
        _set(resource_spans.resource.attributes, {"service.name": "bench-shop", "service.version": "1.4.2"})
        scope_spans = resource_spans.scope_spans.add()
        scope_spans.scope.name = "botanu"
        for number in range(RUNS):
            self._add_run(scope_spans, number, 7 if number == RUNS - 1 else 5)
        self.body = request.SerializeToString()
        self.slots = {kind: len(markers) for kind, markers in self._markers.items()}
        self.fields = {kind: self._find(kind, markers) for kind, markers in self._markers.items()}
        self.fields |= {name: self._find_tokens(name) for name in _TOKENS}

    def _marker(self, kind: str, marker: bytes) -> bytes:
        self._markers[kind].append(marker)
        return marker

    def _time(self) -> int:
        return int.from_bytes(self._marker("time", self._random.randbytes(7) + b"\x18"), "little")

    def _add_run(self, spans: ScopeSpans, number: int, children: int) -> None:
        rng = self._random
        trace_id = self._marker("trace", rng.randbytes(16))
        run_id = self._marker("run", str(uuid.UUID(bytes=rng.randbytes(16))).encode()).decode()
        if number % 10 != 9:  # otherwise it tries the failed run's event again
            self._marker("event", _hex(rng.randbytes(6)))
        identity = {
            "botanu.run_id": run_id,
            "botanu.workflow": rng.choice(_WORKFLOWS),
            "botanu.event_id": f"order-{self._markers['event'][-1].decode()}",
            "botanu.customer_id": f"customer-{rng.randrange(_CUSTOMERS):03}",
            "botanu.environment": "production",
            "botanu.root_run_id": run_id,
        }
        root_id = self._add_root(spans, trace_id, identity, failed=number % 10 == 8)
        for child in range(children):
            tool = child % 5 == 4
            name, attributes = ("execute_tool lookup", _tool()) if tool else self._call()
            span = spans.spans.add(name=name, parent_span_id=root_id, kind=Span.SPAN_KIND_CLIENT)
            self._identify(span, trace_id)
            _set(span.attributes, {**identity, **attributes})

    def _add_root(self, spans: ScopeSpans, trace_id: bytes, identity: dict[str, str], *, failed: bool) -> bytes:
        root = spans.spans.add(name=identity["botanu.workflow"], kind=Span.SPAN_KIND_INTERNAL)
        self._identify(root, trace_id)
        outcome: dict[str, object] = {"status": "success", "value_type": "orders_fulfilled", "value_amount": 1}
        if failed:
            outcome = {"status": "failed", "reason": "rate_limit_exceeded", "error_type": "RateLimitError"}
        written = {f"botanu.outcome.{name}": value for name, value in outcome.items()}
        _set(root.attributes, {**identity, "botanu.run.root": True, **written})
        _set(root.events.add(name="botanu.outcome_emitted", time_unix_nano=self._time()).attributes, outcome)
        return root.span_id

    def _identify(self, span: Span, trace_id: bytes) -> None:
        span.trace_id = trace_id
        span.span_id = self._marker("span", self._random.randbytes(8))
        span.start_time_unix_nano, span.end_time_unix_nano = self._time(), self._time()
        span.flags = 256
        self.span_run.append(len(self._markers["trace"]) - 1)

    def _call(self) -> tuple[str, dict[str, object]]:
        provider, model, answered = self._random.choice(_MODELS)
        response = self._marker("response", _hex(self._random.randbytes(12)))
        return f"chat {model}", {
            "gen_ai.operation.name": "chat",
            "gen_ai.provider.name": provider,
            "gen_ai.request.model": model,
            "gen_ai.response.model": answered,
            "gen_ai.response.id": f"chatcmpl-{response.decode()}",
            **{name: self._random.randint(*bounds) for name, bounds in _TOKENS.items()},
        }

    def _find(self, kind: str, markers: Sequence[bytes]) -> _Field:
        found = _Field(_WIDTHS[kind])
        for slot, marker in enumerate(markers):
            for offset in _offsets(self.body, marker):
                found.offsets.append(offset)
                found.slots.append(slot)
        return found

    def _find_tokens(self, name: str) -> _Field:
        key = name.encode()
        # The value follows the key: field 2, three bytes long, in it field 3, the number.
        offsets = [offset + len(key) + 3 for offset in _offsets(self.body, key)]
        return _Field(2, offsets, list(range(len(offsets))))


def bodies(count: int, start_unix_nano: int, seconds: float) -> list[bytes]:
    """Return *count* bodies, gzip, whose runs start one body after the other in *seconds* from the start on.

    Every call gives new ids. The work is shared among the machine's cores.
    """
    step = int(seconds * 1e9 / count)
    starts = [start_unix_nano + number * step for number in range(count)]
    seed = os.urandom(8)
    with ProcessPoolExecutor() as pool:
        return list(pool.map(_zipped, range(count), starts, [seed] * count, chunksize=32))


def _zipped(number: int, start_unix_nano: int, seed: bytes) -> bytes:
    return gzip.compress(body(number, start_unix_nano, seed), GZIP_LEVEL)


def body(number: int, start_unix_nano: int, seed: bytes) -> bytes:
    """Return body *number* of those that *seed* makes: an ``ExportTraceServiceRequest``."""
    template = _template(number % TEMPLATES)
    rng = np.random.default_rng([number, *seed])
    made = np.frombuffer(template.body, np.uint8).copy()
    run_starts, times = _times(template, start_unix_nano, rng)
    values = {
        "trace": rng.integers(0, 256, (RUNS, _WIDTHS["trace"]), np.uint8),
        "span": rng.integers(0, 256, (SPANS, _WIDTHS["span"]), np.uint8),
        "run": _run_ids(run_starts, rng),
        "event": _event_ids(template.slots["event"], number),
        "response": _text([_hex(rng.bytes(12)) for _ in range(template.slots["response"])]),
        "time": times,
    }
    for kind, where in template.fields.items():
        given = values[kind] if kind in values else _tokens(kind, len(where.slots), rng)
        where.write(made, given)
    return made.tobytes()


def _times(template: _Template, start: int, rng: np.random.Generator) -> tuple[NDArray[np.int64], Bytes]:
    """Return when each run starts, and all times in the order of the markers: per span a start and an end."""
    run_starts = start + (rng.random(RUNS) * _SPREAD_SECONDS * 1e9).astype(np.int64)
    span_runs = np.array(template.span_run)
    took = (rng.lognormal(0.0, 0.5, SPANS) * 1e9).astype(np.int64)
    times: list[int] = []
    for run, began in enumerate(run_starts.tolist()):
        _, *calls = np.flatnonzero(span_runs == run).tolist()
        clock = began + 40_000
        inside = []
        for call in calls:
            inside += [clock, clock + int(took[call])]
            clock += int(took[call]) + 60_000
        times += [began, clock, clock - 20_000, *inside]  # the root, its span event, the calls
    return run_starts, np.array(times, "<i8").view(np.uint8).reshape(-1, 8)


def _run_ids(starts: NDArray[np.int64], rng: np.random.Generator) -> Bytes:
    """Return a UUIDv7 for each start, as text."""
    raw = rng.integers(0, 256, (len(starts), 16), np.uint8)
    raw[:, :6] = (starts // 1_000_000).astype(">u8").view(np.uint8).reshape(-1, 8)[:, 2:]
    raw[:, 6] = raw[:, 6] & 0x0F | 0x70
    raw[:, 8] = raw[:, 8] & 0x3F | 0x80
    return _text([str(uuid.UUID(bytes=one.tobytes())).encode() for one in raw])


def _event_ids(count: int, number: int) -> Bytes:
    """Return the ids of *count* events of body *number*; no two bodies have the same."""
    return _text([f"{number * 1000 + event:0{_WIDTHS['event']}}".encode() for event in range(count)])


def _tokens(name: str, count: int, rng: np.random.Generator) -> Bytes:
    """Return *count* random token counts, each as a protobuf number of two bytes."""
    numbers = rng.integers(*_TOKENS[name], count, endpoint=True)
    return np.stack([numbers & 0x7F | 0x80, numbers >> 7], axis=1).astype(np.uint8)


def _text(texts: Sequence[bytes]) -> Bytes:
    return np.frombuffer(b"".join(texts), np.uint8).reshape(len(texts), -1)


def _hex(raw: bytes) -> bytes:
    return raw.hex().encode()


@cache
def _template(seed: int) -> _Template:
    return _Template(seed)


def _tool() -> dict[str, object]:
    return {"gen_ai.operation.name": "execute_tool", "gen_ai.tool.name": "lookup", "gen_ai.tool.type": "function"}


def _offsets(text: bytes, part: bytes) -> Iterator[int]:
    found = text.find(part)
    while found >= 0:
        yield found
        found = text.find(part, found + len(part))


def _set(attributes: MutableSequence[KeyValue], given: dict[str, object]) -> None:
    for key, value in given.items():
        if isinstance(value, bool):
            held = AnyValue(bool_value=value)
        elif isinstance(value, int):
            held = AnyValue(int_value=value)
        else:
            held = AnyValue(string_value=str(value))
        attributes.append(KeyValue(key=key, value=held))
