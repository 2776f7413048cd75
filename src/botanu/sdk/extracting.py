"""Ids from the arguments of a call."""

import inspect
from collections.abc import Callable, Mapping
from typing import Any

Extract = Callable[[tuple[object, ...], dict[str, object]], object]

_PLAIN = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)


def extractor(given: Callable[..., object], function: Callable[..., Any]) -> Extract:
    """Return what calls *given* with the arguments of a call of *function*.

    A callable that names some or all of the function's parameters gets those, defaults included:
    ``event_id=lambda order: order.id`` serves ``def refund(order, amount=None)``. Any other gets the arguments as the
    call has them.
    """
    wanted, offered = _parameters(given), _parameters(function)
    by_name = bool(wanted) and wanted.keys() <= offered.keys() and all(each.kind in _PLAIN for each in wanted.values())
    if not by_name or _alike(wanted, offered):
        return lambda args, kwargs: given(*args, **kwargs)
    signature = inspect.signature(function)

    def extract(args: tuple[object, ...], kwargs: dict[str, object]) -> object:
        bound = signature.bind(*args, **kwargs)
        bound.apply_defaults()
        return given(*(bound.arguments[name] for name in wanted))

    return extract


def _parameters(function: Callable[..., object]) -> Mapping[str, inspect.Parameter]:
    """Return the parameters of *function* by name; none when it does not say."""
    try:
        return inspect.signature(function).parameters
    except (TypeError, ValueError):
        return {}


def _alike(wanted: Mapping[str, inspect.Parameter], offered: Mapping[str, inspect.Parameter]) -> bool:
    """Return whether every call of the function can be passed on as it is, which saves binding it."""
    return list(wanted) == list(offered) and all(
        each.kind in _PLAIN and each.default is inspect.Parameter.empty for each in offered.values()
    )
