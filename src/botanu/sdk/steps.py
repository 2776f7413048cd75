"""Steps of a run, and for whom in the business it is."""

from __future__ import annotations

from typing import TYPE_CHECKING, ParamSpec, TypeVar, cast

from opentelemetry.trace import INVALID_SPAN, SpanKind

from botanu import semconv
from botanu.sdk import configure
from botanu.sdk.block import Block
from botanu.sdk.contexts import get_current
from botanu.sdk.guard import guard
from botanu.sdk.identifiers import id_text, optional_text, present
from botanu.sdk.identity import open_span, run_in, with_step
from botanu.sdk.spans import end_span
from botanu.sdk.workflow import driver

if TYPE_CHECKING:
    from collections.abc import Callable

    from opentelemetry.trace import Span

P = ParamSpec("P")
R = TypeVar("R")


class Step(Block[None]):
    """One named phase of a run; see ``step``."""

    _what = "step"
    _span: Span = INVALID_SPAN

    def __init__(self, name: str) -> None:
        """Belongs to ``step``."""
        self._name = name

    def __call__(self, function: Callable[P, R]) -> Callable[P, R]:
        """Make every call of *function* a step of this name, through to its end, as ``botanu_workflow`` does."""

        def new(_args: tuple[object, ...], _kwargs: dict[str, object]) -> Step | None:
            return None if configure.tracer() is None else Step(self._name)

        return cast("Callable[P, R]", driver(function)(function, new))

    def _begin(self) -> None:
        tracer = configure.tracer()
        if tracer is not None:
            with guard:
                self._span, self._token = open_span(
                    tracer,
                    self._name,
                    SpanKind.INTERNAL,
                    {semconv.STEP: self._name},
                    context=with_step(get_current(), self._name),
                )

    def _inner(self) -> None:
        """Give the block nothing."""

    def _end(self, error: BaseException | None) -> None:
        end_span(self._span, error)


def step(name: str) -> Step:
    """Return a context manager, for ``with`` and ``async with``, that makes its block a step of the run.

    Every span that starts inside bears the step's name, the innermost one where steps are nested. It is a decorator,
    too, for what ``botanu_workflow`` takes: functions, coroutine functions, generators and async generators.

    Args:
        name: the phase, low in cardinality, such as ``retrieve``.

    Raises:
        IdentityError: *name* is no text, or empty.
    """
    return Step(id_text("name", name))


def set_business_context(*, team: str | None = None, cost_center: str | None = None, region: str | None = None) -> None:
    """Say for whom in the business the current run is; spans that start later, and runs inside it, bear it too.

    What is not given stays as it is. Outside any run it is not recorded, and that is logged once.

    Args:
        team: the team that the work is done for.
        cost_center: the cost center that it is charged to.
        region: the region that it is done for or in.

    Raises:
        IdentityError: one of them is no text.
    """
    context = present(
        {
            semconv.TEAM: optional_text("team", team),
            semconv.COST_CENTER: optional_text("cost_center", cost_center),
            semconv.REGION: optional_text("region", region),
        }
    )
    run = run_in()
    if run is not None:
        run._add_identity(context)  # noqa: SLF001 - not for the program to call
    elif configure.tracer() is not None:
        guard.say_once("set_business_context() was called outside any run: not recorded")
