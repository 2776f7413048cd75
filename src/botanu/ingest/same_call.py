"""Which spans tell of the same call, and which tell again what calls inside them have told.

Libraries describe one call by up to three spans: an instrumentation's, another one's, the client's own; a gateway adds
its own in another process. And agents and chains report the sum of their calls. Money is spent once.

The rules look at all spans of a trace at once, so the order in which they came does not matter.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import pairwise

SLACK_NS = 5 * 10**6
"""How far the clocks of two spans of one process may be apart: some are exact to the millisecond only."""

SKEW_NS = 10**9
"""How far the clocks of two processes may be apart, where both know the provider's id of the response."""

TOKENS_A_CALL = 2
"""How many tokens a sum may be off for each call in it: some count the first chunk of a stream twice."""


@dataclass(slots=True, eq=False)
class Call:
    """A span that reports usage, or should; *key* is its place, *inside* the next one around it, if any.

    One that *tells_itself* of usage or a cost, and is no model's call, counts whatever is inside or around it.
    """

    key: int
    trace_id: str
    span_id: str
    parent_id: str | None
    start: int
    end: int
    scope: str
    models: frozenset[str]
    response_id: str | None
    input_tokens: int | None
    output_tokens: int | None
    detail: int
    is_attributed: bool = True
    failed: bool = False
    is_around: bool = False
    is_service: bool = False
    tells_itself: bool = False
    tells_cost: bool = False
    inside: "Call | None" = None
    decision: "Decision" = field(init=False)

    @property
    def has_usage(self) -> bool:
        """Whether it reports any usage."""
        return self.detail > 0

    @property
    def witness(self) -> tuple[bool, bool, bool, int, int, str]:
        """How much it is worth as a witness of the call: what the program says that it cost goes before all.

        Then the more meters the better, and then the innermost.
        """
        return (
            self.tells_cost,
            self.has_usage,
            self.is_attributed,
            self.detail,
            -(self.end - self.start),
            self.span_id,
        )


@dataclass(frozen=True, slots=True)
class Decision:
    """Whether a call counts, and why not.

    *residual* are the input and output tokens that alone count of it. *others* are further witnesses of the same call,
    which may tell of something that it does not.
    """

    counts: bool
    reason: str | None = None
    residual: tuple[int, int] | None = None
    others: tuple[int, ...] = ()


COUNTS = Decision(counts=True)


def decide(calls: Sequence[Call]) -> None:
    """Set the decision of each of *calls*, all those of one or more traces."""
    for call in calls:
        call.decision = COUNTS
    leaves = [call for call in calls if not call.is_around and not call.tells_itself and not call.is_service]
    for reason, group in _groups(leaves):
        best = max(group, key=lambda call: call.witness)
        others = sorted((call for call in group if call is not best), key=lambda call: call.witness, reverse=True)
        best.decision = Decision(counts=True, others=tuple(call.key for call in others))
        for call in others:
            call.decision = Decision(counts=False, reason=f"the same call as span {best.span_id}: {reason}")
    for call in calls:
        if call.is_service and call.inside is not None and not (call.inside.is_around or call.inside.is_service):
            call.decision = Decision(
                counts=False, reason=f"transport of the call around it, span {call.inside.span_id}"
            )
    _settle_around(calls)


def _groups(leaves: Sequence[Call]) -> Iterator[tuple[str, list[Call]]]:
    """Yield calls that are one, with the reason."""
    one_of: dict[int, list[Call]] = {call.key: [call] for call in leaves}
    why: dict[int, str] = {}
    for first, second, reason in _pairs(leaves):
        ours, theirs = one_of[first.key], one_of[second.key]
        if ours is not theirs:
            ours.extend(theirs)
            why[id(ours)] = why.get(id(ours), why.get(id(theirs), reason))
            for call in theirs:
                one_of[call.key] = ours
    seen = set()
    for group in one_of.values():
        if len(group) > 1 and id(group) not in seen:
            seen.add(id(group))
            yield why[id(group)], group


def _pairs(leaves: Sequence[Call]) -> Iterator[tuple[Call, Call, str]]:
    """Yield pairs of spans that tell of the same call."""
    yield from _by_response(leaves)
    keys = {call.key for call in leaves}
    for call in leaves:
        if call.inside is not None and call.inside.key in keys and _agree(call, call.inside):
            yield call.inside, call, "one is within the other"
    for group in _grouped(leaves, lambda call: call.parent_id):
        yield from _beside(group)
        yield from _streams(group)


def _by_response(leaves: Sequence[Call]) -> Iterator[tuple[Call, Call, str]]:
    for group in _grouped(leaves, lambda call: call.response_id):
        ordered = sorted(group, key=lambda call: (call.start, call.span_id))
        for first, second in pairwise(ordered):
            # One instrumentation makes one span of a call; stand-ins for a provider give all their answers the same id.
            alike = first.scope != second.scope and _share_model(first, second)
            slack = SLACK_NS if first.trace_id == second.trace_id else SKEW_NS
            if (
                alike
                and second.start <= first.end + slack
                and _same_or_unknown(first.input_tokens, second.input_tokens)
            ):
                yield first, second, "the same response"


def _grouped(calls: Iterable[Call], key: Callable[[Call], str | None]) -> Iterator[list[Call]]:
    groups: dict[str, list[Call]] = {}
    for call in calls:
        if (named := key(call)) is not None:
            groups.setdefault(named, []).append(call)
    return (group for group in groups.values() if len(group) > 1)


def _agree(first: Call, second: Call) -> bool:
    """Return whether two spans may tell of the same call by their models, tokens and response ids."""
    return (
        _share_model(first, second)
        and _same_or_unknown(first.input_tokens, second.input_tokens)
        and _same_or_unknown(first.response_id, second.response_id)
    )


def _share_model(first: Call, second: Call) -> bool:
    return not first.models or not second.models or bool(first.models & second.models)


def _same_or_unknown(first: object, second: object) -> bool:
    return first is None or second is None or first == second


def _beside(siblings: Sequence[Call]) -> Iterator[tuple[Call, Call, str]]:
    """Yield pairs of siblings from two instrumentations, of which one's time is within the other's, one to one."""
    by_scope: dict[str, list[Call]] = {}
    for call in sorted(siblings, key=lambda call: (call.start, call.span_id)):
        by_scope.setdefault(call.scope, []).append(call)
    scopes = sorted(by_scope)
    for number, scope in enumerate(scopes):
        for other in scopes[number + 1 :]:
            free = list(by_scope[other])
            for call in by_scope[scope]:
                twin = next((each for each in free if _coincide(call, each) and _agree(call, each)), None)
                if twin is not None:
                    free.remove(twin)
                    yield call, twin, "two instrumentations of it"


def _coincide(first: Call, second: Call) -> bool:
    """Return whether the time of one is within that of the other."""
    outer, inner = sorted((first, second), key=lambda call: call.end - call.start, reverse=True)
    return outer.start - SLACK_NS <= inner.start and inner.end <= outer.end + SLACK_NS


def _streams(siblings: Sequence[Call]) -> Iterator[tuple[Call, Call, str]]:
    """Yield the request and the end of streams, where an instrumentation makes a span of each.

    The end is an instant that tells of the usage; the request has none, did not fail, and began before.
    """
    ends = sorted((call for call in siblings if call.start == call.end), key=lambda call: (call.end, call.span_id))
    requests = [call for call in siblings if call.start < call.end and not call.has_usage and not call.failed]
    requests.sort(key=lambda call: (call.start, call.span_id))
    for end in ends:
        begun = (
            call for call in requests if call.scope == end.scope and call.start <= end.start and _share_model(call, end)
        )
        if (request := next(begun, None)) is not None:
            requests.remove(request)
            yield request, end, "request and end of a stream"


def _settle_around(calls: Sequence[Call]) -> None:
    """Decide on the spans around calls, the innermost first: of their usage counts what the calls inside lack."""
    around = [call for call in calls if call.is_around]
    told: dict[int, list[int]] = {call.key: [0, 0, 0] for call in around}
    for call in calls:
        if not call.is_around and call.decision.counts and call.has_usage:
            _tell(call, call.input_tokens or 0, call.output_tokens or 0, told)
    for call in sorted(around, key=_depth, reverse=True):
        used_in, used_out, number = told[call.key]
        lacking = max((call.input_tokens or 0) - used_in, 0), max((call.output_tokens or 0) - used_out, 0)
        if number == 0:
            _tell(call, *lacking, told)
        elif sum(lacking) > TOKENS_A_CALL * number:
            call.decision = Decision(counts=True, residual=lacking)
            _tell(call, *lacking, told)
        else:
            call.decision = Decision(counts=False, reason=AROUND)


AROUND = "its calls report the same usage"
"""Why usage on a span around calls does not count."""


def _tell(call: Call, input_tokens: int, output_tokens: int, told: dict[int, list[int]]) -> None:
    """Add what counts of *call* to all that is around it."""
    outer = call.inside
    while outer is not None:
        if outer.is_around:
            sums = told[outer.key]
            sums[0] += input_tokens
            sums[1] += output_tokens
            sums[2] += 1
        outer = outer.inside


def _depth(call: Call) -> int:
    depth = 0
    while call.inside is not None:
        call, depth = call.inside, depth + 1
    return depth
