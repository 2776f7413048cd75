"""What people and models said, on its way out of the program.

Other instrumentations may put prompts and answers on their spans. Unless ``capture_content`` asks for them, they stay
here; what does leave is scrubbed.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping
from functools import lru_cache
from typing import TYPE_CHECKING

from opentelemetry.sdk.trace import Event, ReadableSpan
from opentelemetry.trace import Status

from botanu.content import CONTENT, CONTENT_PREFIXES, MESSAGE_CONTENT
from botanu.sdk.identifiers import plain_text
from botanu.sdk.scrubbing import REDACTED, REMEMBERED_MAX, is_secret, scrub_text, scrubbed_start
from botanu.sdk.spans import attributes_of, events_of
from botanu.semconv import OUTCOME_EMITTED

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from opentelemetry.util.types import AnyValue

SIZE_MAX = 32_768
"""Most that is kept of one captured value: the characters of its texts, and one more for each value in it."""

DEPTH_MAX = 8
"""Most lists and mappings around a captured value that is kept."""

_INT64 = 2**63
_REST = "[dropped: the rest]"
_CLASS_NAME = re.compile(r"[A-Za-z_][\w.]*(?=:|\Z)")


# --- Captured values ----------------------------------------------------------------------------------


def scrub_value(value: object) -> str | bool | int | float | None:
    """Return what may leave of a captured *value*: scalars as they are, texts scrubbed, lists and mappings as JSON.

    What is neither, is too deep or too much, or fails when it is read is replaced by ``[dropped: <type>]``. Never
    raises.
    """
    cleaned = _Captured().clean(value, 0)
    return json.dumps(cleaned, ensure_ascii=False) if isinstance(cleaned, list | dict) else cleaned


_Json = str | bool | int | float | list["_Json"] | dict[str, "_Json"] | None


class _Captured:
    """One captured value, as far as it is kept: *left* characters more."""

    __slots__ = ("left",)

    def __init__(self) -> None:
        self.left = SIZE_MAX

    def clean(self, value: object, depth: int) -> _Json:
        """Return *value*, with *depth* lists and mappings around it, as JSON has it."""
        try:
            return self._clean(value, depth)
        except Exception:  # noqa: BLE001 - the value's own code failed, and must not fail the program
            return f"[dropped: {type(value).__name__}]"

    def _clean(self, value: object, depth: int) -> _Json:
        self.left -= 1
        if value is None or isinstance(value, bool):
            return value
        if isinstance(value, str):
            return self._text(value)
        if isinstance(value, int) and -_INT64 <= value < _INT64:
            return int(value)
        if isinstance(value, float) and math.isfinite(value):
            return float(value)
        if isinstance(value, Mapping) and depth < DEPTH_MAX:
            return self._mapping(value, depth + 1)
        if isinstance(value, list | tuple) and depth < DEPTH_MAX:
            return self._list(value, depth + 1)
        raise TypeError(value)

    def _text(self, value: str) -> str:
        text, _, more = scrubbed_start(plain_text(value), max(self.left, 0))
        self.left -= len(text)
        return text + _REST if more else text

    def _list(self, value: Sequence[object], depth: int) -> list[_Json]:
        kept: list[_Json] = []
        for item in value:
            if self.left <= 0:
                return [*kept, _REST]
            kept.append(self.clean(item, depth))
        return kept

    def _mapping(self, value: Mapping[object, object], depth: int) -> dict[str, _Json]:
        kept: dict[str, _Json] = {}
        for key, item in value.items():
            if self.left <= 0:
                return kept | {_REST: None}
            name = str(self.clean(key, depth))
            kept[name] = REDACTED if is_secret(name, item) else self.clean(item, depth)
        return kept


# --- Spans --------------------------------------------------------------------------------------------


def without_content(spans: Sequence[ReadableSpan]) -> list[ReadableSpan]:
    """Return *spans* without what people and models said; of a failure, its class stays, and its message does not.

    A span that has nothing of the kind is returned itself, others as copies.
    """
    return [_cleaned(span, keep=False) for span in spans]


def with_scrubbed_content(spans: Sequence[ReadableSpan]) -> list[ReadableSpan]:
    """Return *spans* with what people and models said scrubbed.

    A span that has nothing of the kind is returned itself, others as copies.
    """
    return [_cleaned(span, keep=True) for span in spans]


class _Copy(ReadableSpan):
    """A span with other texts; what OpenTelemetry dropped from the one it stands for is still counted."""

    def __init__(
        self,
        span: ReadableSpan,
        name: str,
        attributes: dict[str, AnyValue],
        events: Sequence[Event],
        status: Status,
    ) -> None:
        super().__init__(
            name=name,
            context=span.context,
            parent=span.parent,
            resource=span.resource,
            attributes=attributes,
            events=events,
            links=span.links,
            kind=span.kind,
            status=status,
            start_time=span.start_time,
            end_time=span.end_time,
            instrumentation_scope=span.instrumentation_scope,
        )
        self._dropped = (span.dropped_attributes, span.dropped_events, span.dropped_links)

    @property
    def dropped_attributes(self) -> int:
        return self._dropped[0]

    @property
    def dropped_events(self) -> int:
        return self._dropped[1]

    @property
    def dropped_links(self) -> int:
        return self._dropped[2]


def _cleaned(span: ReadableSpan, *, keep: bool) -> ReadableSpan:
    names, events = tuple(attributes_of(span)), events_of(span)
    clean = _are_clean(span.name, names)
    told = [event for event in events if event.name != OUTCOME_EMITTED] if events else ()
    if clean and not told and span.status.description is None:
        return span  # as nearly all are; an outcome has been scrubbed when it was emitted
    name, content = (span.name, frozenset()) if clean else (scrub_text(span.name), _content_in(names))
    status = _clean_status(span.status, keep=keep)
    content_of_events = [_content_of(event) for event in events]
    if not content and not any(content_of_events) and name == span.name and status is span.status:
        return span
    attributes = _clean_attributes(span.attributes, content, keep=keep)
    cleaned_events = [
        Event(event.name, _clean_attributes(event.attributes, of_event, keep=keep), event.timestamp)
        if of_event
        else event
        for event, of_event in zip(events, content_of_events, strict=True)
    ]
    return _Copy(span, name, attributes, cleaned_events, status)


@lru_cache(REMEMBERED_MAX)
def _content_in(names: tuple[str, ...]) -> frozenset[str]:
    return frozenset(name for name in names if name in CONTENT or name.startswith(CONTENT_PREFIXES))


@lru_cache(REMEMBERED_MAX)
def _are_clean(name: str, names: tuple[str, ...]) -> bool:
    return scrub_text(name) == name and not _content_in(names)


def _content_of(event: Event) -> frozenset[str]:
    names = tuple(event.attributes or ())
    content = _content_in(names)
    return content | MESSAGE_CONTENT.intersection(names) if event.name.startswith("gen_ai.") else content


def _clean_status(status: Status, *, keep: bool) -> Status:
    """Return *status*; its description is often an exception as text, and then without content only its class."""
    description = status.description
    if description is None:
        return status
    if not keep:
        name = _CLASS_NAME.match(description)
        description = None if name is None else name[0]
    cleaned = description and scrub_text(description)
    return status if cleaned == status.description else Status(status.status_code, cleaned)


def _clean_attributes(
    attributes: Mapping[str, AnyValue] | None, content: Collection[str], *, keep: bool
) -> dict[str, AnyValue]:
    return {
        name: _clean_content(value) if name in content else value
        for name, value in (attributes or {}).items()
        if keep or name not in content
    }


def _clean_content(value: AnyValue) -> AnyValue:
    if isinstance(value, str):
        return scrub_text(value)
    if isinstance(value, tuple) and all(isinstance(item, str) for item in value):
        return tuple(scrub_text(str(item)) for item in value)
    return scrub_value(value)
