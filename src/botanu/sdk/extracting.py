"""Ids from the arguments of a call."""

import inspect
from collections.abc import Callable, Mapping
from typing import Any

Extract = Callable[[tuple[object, ...], dict[str, object]], object]

_Parameters = Mapping[str, inspect.Parameter]

_VAR_KEYWORD = inspect.Parameter.VAR_KEYWORD
_SKIPPABLE = (inspect.Parameter.POSITIONAL_OR_KEYWORD, inspect.Parameter.KEYWORD_ONLY)
_VARIABLE = (inspect.Parameter.VAR_POSITIONAL, _VAR_KEYWORD)


def extractor(given: Callable[..., object], function: Callable[..., Any]) -> Extract:
    """Return what calls *given* with the arguments of a call of *function*.

    A callable that names only parameters of the function gets those, defaults included:
    ``event_id=lambda order: order.id`` serves ``def refund(order, amount=None)``, and ``lambda: request_id.get()``
    serves any function. One with ``**rest`` gets the others, too. Any other callable gets the arguments as the call
    has them.
    """
    wanted, offered = _parameters(given), _parameters(function)
    if wanted is None or offered is None or not _by_name(wanted, offered) or _alike(wanted, offered):
        return lambda args, kwargs: given(*args, **kwargs)
    signature = inspect.signature(function)
    places = [name for name, each in wanted.items() if each.kind is each.POSITIONAL_ONLY]
    names = [name for name in wanted if name in offered and name not in places]
    rest = None
    if any(each.kind is _VAR_KEYWORD for each in wanted.values()):
        names += [name for name in offered if name not in wanted and offered[name].kind not in _VARIABLE]
        rest = next((name for name, each in offered.items() if each.kind is _VAR_KEYWORD), None)

    def extract(args: tuple[object, ...], kwargs: dict[str, object]) -> object:
        bound = signature.bind(*args, **kwargs)
        bound.apply_defaults()
        values = bound.arguments
        named = {name: values[name] for name in names}
        if rest is not None:
            named.update(values[rest])
        return given(*(values[name] for name in places), **named)

    return extract


def _parameters(function: Callable[..., object]) -> _Parameters | None:
    """Return the parameters of *function* by name; ``None`` when it does not say."""
    try:
        return inspect.signature(function).parameters
    except (TypeError, ValueError):
        return None


def _by_name(wanted: _Parameters, offered: _Parameters) -> bool:
    """Return whether all that must be given is there to be given under its own name."""
    plain = {name for name, each in offered.items() if each.kind not in _VARIABLE}
    return all(
        each.kind is _VAR_KEYWORD or name in plain or (each.kind in _SKIPPABLE and each.default is not each.empty)
        for name, each in wanted.items()
    )


def _alike(wanted: _Parameters, offered: _Parameters) -> bool:
    """Return whether every call of the function can be passed on as it is, which saves binding it."""
    return list(wanted) == list(offered) and all(
        each.kind is each.POSITIONAL_OR_KEYWORD and each.default is each.empty
        for each in (*wanted.values(), *offered.values())
    )
