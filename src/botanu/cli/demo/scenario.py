"""What happens in the demo: five workflows, their events, attempts, calls and outcomes, drawn from a seed.

A plan says what will happen; the live part performs plans through the SDK, the history writes them down as spans.
"""

import random
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

SEED = 20_261_122

VALUES: Mapping[str, str] = {
    "orders_fulfilled": "0.35",
    "revenue_generated": "0.0125",
    "leads_qualified": "0.08",
    "items_processed": "0.0004",
    "items_analyzed": "0.06",
    "classifications_completed": "0.0015",
}
"""The demo's value card, in dollars per unit. Revenue counts with the margin that is attributed to the workflow."""

Range = tuple[int, int]


@dataclass(frozen=True, slots=True)
class CallKind:
    """A call as it usually goes: token ranges, the share of input that is read from the cache, seconds it takes."""

    provider: str
    model: str
    input_tokens: Range
    output_tokens: Range
    cached: float = 0.0
    seconds: tuple[float, float] = (0.6, 3.0)


@dataclass(frozen=True, slots=True)
class Call:
    """One call of a plan."""

    provider: str
    model: str
    input_tokens: int
    output_tokens: int
    cache_read_tokens: int
    seconds: float


@dataclass(frozen=True, slots=True)
class Result:
    """How a run ends. *raises* names the exception that goes on to the caller, if any."""

    status: str
    value_type: str | None = None
    value_amount: float | None = None
    confidence: float | None = None
    reason: str | None = None
    error_type: str | None = None
    raises: bool = False


@dataclass(frozen=True, slots=True)
class Plan:
    """One run that will happen: attempt *attempt* of an event."""

    workflow: str
    event_id: str
    customer_id: str
    attempt: int
    calls: tuple[Call, ...]
    result: Result

    @property
    def seconds(self) -> float:
        """How long the run takes."""
        return sum(call.seconds for call in self.calls) + 0.05


@dataclass(frozen=True, slots=True)
class Workflow:
    """How one workflow behaves. *failing* gives the chance of each bad end of an attempt; *retries* at most follow."""

    name: str
    prefix: str
    events_per_day: int
    customers: int
    calls: tuple[CallKind, ...]
    retries: int
    failing: tuple[tuple[float, Result], ...]


_RATE_LIMIT = Result("failed", reason="rate_limit_exceeded", error_type="RateLimitError", raises=True)
_TIMEOUT = Result("timeout", reason="analysis_timeout", error_type="TimeoutError", raises=True)
_NOT_FOUND = Result("failed", reason="not_found", error_type="NotFound")
_NOTHING = Result("failed", reason="no_items_processed")
_UPSTREAM = Result("failed", reason="upstream_unavailable", error_type="ServiceUnavailable", raises=True)
_ABORTED = Result("canceled", reason="user_aborted")

WORKFLOWS = (
    Workflow(
        "fulfill-order",
        "order",
        30,
        40,
        (
            CallKind("openai", "gpt-4o", (1_200, 3_600), (150, 500), cached=0.4),
            CallKind("openai", "gpt-4o-mini", (500, 1_500), (60, 200)),
            CallKind("anthropic", "claude-sonnet-4-5", (1_800, 4_200), (200, 650), cached=0.5, seconds=(1.2, 4.5)),
        ),
        2,
        ((0.05, _RATE_LIMIT), (0.03, _UPSTREAM), (0.01, _ABORTED)),
    ),
    Workflow(
        "handle-inquiry",
        "inquiry",
        20,
        60,
        (
            CallKind("anthropic", "claude-sonnet-4-5", (2_500, 7_000), (300, 900), cached=0.6, seconds=(1.5, 6.0)),
            CallKind("openai", "gpt-4o-mini", (800, 2_000), (80, 250)),
        ),
        1,
        ((0.03, _RATE_LIMIT),),
    ),
    Workflow(
        "batch-process",
        "batch",
        5,
        12,
        tuple(CallKind("google", "gemini-2.5-flash", (3_000, 9_000), (300, 1_200)) for _ in range(4)),
        1,
        ((0.06, _NOTHING), (0.03, _UPSTREAM)),
    ),
    Workflow(
        "analyze",
        "job",
        12,
        25,
        (
            CallKind("openai", "gpt-4o", (8_000, 26_000), (600, 1_800), seconds=(3.0, 9.0)),
            CallKind("openai", "gpt-4o", (2_000, 6_000), (300, 900), seconds=(1.5, 4.0)),
        ),
        2,
        ((0.12, _TIMEOUT), (0.08, _RATE_LIMIT), (0.04, _NOT_FOUND)),
    ),
    Workflow(
        "classify",
        "request",
        55,
        80,
        (CallKind("openai", "gpt-4o-mini", (300, 900), (5, 20), seconds=(0.2, 0.9)),),
        1,
        ((0.015, _UPSTREAM),),
    ),
)

_UNPRICED = CallKind("in-house", "router-3b", (200, 600), (1, 4), seconds=(0.05, 0.2))
_UNPRICED_SHARE = 0.04


def events(workflow: Workflow, count: int, first: int, seed: int = SEED) -> Iterator[tuple[Plan, ...]]:
    """Yield the attempts of *count* events of *workflow*, numbered from *first*; the same for the same *seed*."""
    for number in range(first, first + count):
        rng = random.Random(f"{seed}/{workflow.name}/{number}")  # noqa: S311 - a reproducible story, no secret
        yield tuple(_attempts(workflow, number, rng))


def _attempts(workflow: Workflow, number: int, rng: random.Random) -> Iterator[Plan]:
    customer = f"customer-{rng.randrange(workflow.customers) + 1:02d}"
    for attempt in range(1, workflow.retries + 2):
        result = _result(workflow, rng)
        calls = tuple(_call(kind, rng) for kind in _kinds(workflow, result, rng))
        yield Plan(workflow.name, f"{workflow.prefix}-{number}", customer, attempt, calls, result)
        if not result.raises:
            return


def _kinds(workflow: Workflow, result: Result, rng: random.Random) -> tuple[CallKind, ...]:
    """Return the calls a run makes: one that fails may stop early, and some ask a model that has no price."""
    kinds = workflow.calls[: rng.randint(1, len(workflow.calls))] if result.raises else workflow.calls
    unpriced = workflow.name == "classify" and rng.random() < _UNPRICED_SHARE
    return (_UNPRICED, *kinds) if unpriced else kinds


def _call(kind: CallKind, rng: random.Random) -> Call:
    tokens = rng.randint(*kind.input_tokens)
    cached = int(tokens * kind.cached * rng.random())
    return Call(kind.provider, kind.model, tokens, rng.randint(*kind.output_tokens), cached, rng.uniform(*kind.seconds))


def _result(workflow: Workflow, rng: random.Random) -> Result:
    chance = rng.random()
    for share, result in workflow.failing:
        if chance < share:
            return result
        chance -= share
    return _GOOD[workflow.name](rng)


def _inquiry(rng: random.Random) -> Result:
    if rng.random() < 0.35:
        return Result("success", "revenue_generated", round(rng.lognormvariate(3.2, 0.8), 2))
    return Result("partial", "leads_qualified", 1)


def _batch(rng: random.Random) -> Result:
    items = rng.randint(40, 400)
    if rng.random() < 0.7:
        return Result("success", "items_processed", items)
    done = int(items * rng.uniform(0.3, 0.95))
    return Result("partial", "items_processed", done, reason=f"processed_{done}_of_{items}")


def _classification(rng: random.Random) -> Result:
    return Result("success", "classifications_completed", 1, confidence=round(rng.uniform(0.55, 0.99), 2))


_GOOD = {
    "fulfill-order": lambda _: Result("success", "orders_fulfilled", 1),
    "handle-inquiry": _inquiry,
    "batch-process": _batch,
    "analyze": lambda _: Result("success", "items_analyzed", 1),
    "classify": _classification,
}


def shortened(plan: Plan, factor: float) -> Plan:
    """Return *plan* with all its times divided by *factor*, for watching it live."""
    calls = tuple(replace(call, seconds=call.seconds / factor) for call in plan.calls)
    return replace(plan, calls=calls)
