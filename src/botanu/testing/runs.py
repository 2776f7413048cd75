"""One captured run."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from operator import itemgetter
from typing import TYPE_CHECKING, Any

from botanu import semconv
from botanu.sdk.outcome import Outcome
from botanu.sdk.spans import attributes_of
from botanu.semconv import OutcomeField, OutcomeStatus
from botanu.testing.calls import CapturedCall, call_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from opentelemetry.sdk.trace import ReadableSpan

_OUTCOME = semconv.OUTCOME_STATUS.removesuffix(OutcomeField.STATUS)
_COUNT = semconv.OUTCOME_COUNT.removeprefix(_OUTCOME)
_METADATA = semconv.OUTCOME_METADATA.removeprefix(_OUTCOME)


@dataclass(frozen=True, slots=True, eq=False)
class CapturedRun:
    """One run that has ended: its root span, all its spans in the order of their start, and the runs inside it."""

    root: ReadableSpan
    spans: tuple[ReadableSpan, ...]
    children: tuple[CapturedRun, ...]

    def __str__(self) -> str:
        return self.tree()

    @property
    def attributes(self) -> dict[str, Any]:
        """The attributes of the root span."""
        return dict(attributes_of(self.root))

    @property
    def run_id(self) -> str:
        """Id of this execution."""
        return str(self.attributes[semconv.RUN_ID])

    @property
    def workflow(self) -> str:
        """Name of the kind of work."""
        return str(self.attributes[semconv.WORKFLOW])

    @property
    def event_id(self) -> str | None:
        """The business transaction; ``None`` where the program's callable failed to give it."""
        return self.attributes.get(semconv.EVENT_ID)

    @property
    def customer_id(self) -> str | None:
        """The end customer served; ``None`` where the program's callable failed to give it."""
        return self.attributes.get(semconv.CUSTOMER_ID)

    @property
    def attempt(self) -> int | None:
        """The run's ordinal within its event, where the program gave it."""
        return self.attributes.get(semconv.ATTEMPT)

    @property
    def parent_run_id(self) -> str | None:
        """The run directly around this one; ``None`` when it is not nested."""
        return self.attributes.get(semconv.PARENT_RUN_ID)

    @property
    def root_run_id(self) -> str:
        """The outermost run around this one; the run itself when it is not nested."""
        return str(self.attributes[semconv.ROOT_RUN_ID])

    @property
    def outcome(self) -> Outcome | None:
        """The outcome that stands, those after the end included; ``None`` when it is unrecorded."""
        return _outcome(self.outcome_attributes)

    @property
    def outcome_attributes(self) -> dict[str, Any]:
        """The same as attributes of its span, without their prefix; ``count`` is there if more than one was emitted."""
        reports = [span for span in (self.root, *self._late()) if semconv.OUTCOME_STATUS in attributes_of(span)]
        if not reports:
            return {}
        count = sum(map(_count, reports))
        return _outcome_part(max(reports, key=_rank)) | ({_COUNT: count} if count > 1 else {})

    @property
    def outcomes(self) -> tuple[Outcome, ...]:
        """Every outcome of the run, in order; only those that came after its end are with metadata."""
        in_time = [
            (each.timestamp, each.attributes) for each in self.root.events if each.name == semconv.OUTCOME_EMITTED
        ]
        late = [(span.end_time or 0, _outcome_part(span)) for span in self._late()]
        emitted = (_outcome(given or {}) for _, given in sorted((*in_time, *late), key=itemgetter(0)))
        return tuple(outcome for outcome in emitted if outcome is not None)

    @property
    def faults(self) -> tuple[str, ...]:
        """What the SDK left out or shortened, where it is not strict."""
        return tuple(
            fault for span in (self.root, *self._late()) for fault in attributes_of(span).get(semconv.FAULTS, ())
        )

    @property
    def calls(self) -> tuple[CapturedCall, ...]:
        """The calls of models and tools, without those of the runs inside."""
        return tuple(call for call in map(call_of, self.spans) if call is not None)

    def tree(self) -> str:
        """Return the run and what happened in it as indented lines. No ids and times: like runs have like trees."""
        return "\n".join(_lines(self))

    def _late(self) -> list[ReadableSpan]:
        """Return the spans of outcomes that came after the end."""
        return [span for span in self.spans if span is not self.root and attributes_of(span).get(semconv.OUTCOME_LATE)]


# --- Outcomes -----------------------------------------------------------------------------------------


def _rank(report: ReadableSpan) -> tuple[bool, int, bool]:
    """Return what the report that stands has most of, as on the server: emitted before derived, then the last one."""
    attributes = attributes_of(report)
    return (
        not attributes.get(semconv.OUTCOME_AUTO),
        report.end_time or 0,
        semconv.OUTCOME_LATE in attributes,
    )


def _count(report: ReadableSpan) -> int:
    """Return how many outcomes the program emitted by *report*."""
    attributes = attributes_of(report)
    return int(attributes.get(semconv.OUTCOME_COUNT, not attributes.get(semconv.OUTCOME_AUTO)))


def _outcome_part(report: ReadableSpan) -> dict[str, Any]:
    """Return the attributes of *report* that are its outcome's, without their prefix."""
    given = attributes_of(report)
    return {name.removeprefix(_OUTCOME): value for name, value in given.items() if name.startswith(_OUTCOME)}


def _outcome(given: Mapping[str, Any]) -> Outcome | None:
    if OutcomeField.STATUS not in given:
        return None
    return Outcome(
        OutcomeStatus(given[OutcomeField.STATUS]),
        value_type=given.get(OutcomeField.VALUE_TYPE),
        value_amount=given.get(OutcomeField.VALUE_AMOUNT),
        confidence=given.get(OutcomeField.CONFIDENCE),
        reason=given.get(OutcomeField.REASON),
        error_type=given.get(OutcomeField.ERROR_TYPE),
        metadata=tuple((name.removeprefix(_METADATA), given[name]) for name in given if name.startswith(_METADATA)),
        auto=bool(given.get(OutcomeField.AUTO)),
    )


# --- The tree -----------------------------------------------------------------------------------------


def _lines(run: CapturedRun) -> Iterator[str]:
    placed = [*_placed(run, None)]
    ids = {_id(span) for span, _, _ in placed}
    below: dict[int | None, list[tuple[ReadableSpan, CapturedRun | None]]] = {}
    for span, whose, place in placed:
        parent = None if span.parent is None else span.parent.span_id
        below.setdefault(parent if parent in ids and span is not run.root else place, []).append((span, whose))

    def lines(place: int | None, indent: str) -> Iterator[str]:
        for span, whose in sorted(below.get(place, ()), key=lambda pair: pair[0].start_time or 0):
            yield indent + (_span_line(span) if whose is None else _run_line(whose))
            yield from lines(_id(span), indent + "  ")

    return lines(None, "")


def _placed(run: CapturedRun, around: int | None) -> Iterator[tuple[ReadableSpan, CapturedRun | None, int | None]]:
    """Yield each span in *run*, the run if it is its root, and the span it belongs below if its parent is unknown."""
    for span in run.spans:
        yield (span, run, around) if span is run.root else (span, None, _id(run.root))
    for child in run.children:
        yield from _placed(child, _id(run.root))


def _run_line(run: CapturedRun) -> str:
    return _line(f"run {run.workflow}", run.outcome_attributes or {"unrecorded": True})


def _span_line(span: ReadableSpan) -> str:
    call = call_of(span)
    if call is None:
        return _line(f"span {span.name}", {semconv.ERROR_TYPE: attributes_of(span).get(semconv.ERROR_TYPE)})
    used = {**asdict(call.tokens), **call.usage}
    cost = None if call.cost is None else f"{call.cost:f} {call.currency}"
    details = {"provider": call.provider, "model": call.model, "service_tier": call.service_tier, **used, "cost": cost}
    details[semconv.ERROR_TYPE] = call.error_type
    return _line(f"call {span.name}", details)


def _line(title: str, details: Mapping[str, object]) -> str:
    told = [_detail(name, value) for name, value in details.items() if value is not None]
    return f"{title}: {', '.join(told)}" if told else title


def _detail(name: str, value: object) -> str:
    if name == OutcomeField.STATUS:
        return str(value)
    return name if value is True else f"{name}={value}"


def _id(span: ReadableSpan) -> int:
    return span.context.span_id
