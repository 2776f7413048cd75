"""``botanu prices missing`` and ``botanu prices explain``: what has no price, and why a call costs what it costs."""

from typing import Annotated

from cyclopts import Parameter

from botanu.cli.options import DataDir, Url, source
from botanu.cli.output import Format, print_json
from botanu.cli.sums import print_missing, print_sum
from botanu.errors import QueryError

_FORMAT = Parameter(name=["--format", "-f"])


def missing(
    *,
    window: str = "all",
    since: Annotated[str | None, Parameter(name="--from")] = None,
    until: Annotated[str | None, Parameter(name="--to")] = None,
    form: Annotated[Format, _FORMAT] = Format.TABLE,
    url: Url = None,
    data_dir: DataDir = None,
) -> None:
    """Print the calls whose cost is not known, or not wholly: what they lack, and which command gives it.

    Parameters
    ----------
    window
        How far back: a number of h, d or w, such as 28d, or all.
    since
        Start, instead of a window: a date or instant, UTC if it names no zone.
    until
        End; not itself included.
    form
        table, json or csv.
    """
    bounded = since is not None or until is not None
    with source(url, data_dir) as asked:
        found = asked.pricing.missing(window=None if bounded else window, since=since, until=until)
    if form is Format.JSON:
        print_json(found)
    else:
        print_missing(found["unpriced"], csv=form is Format.CSV)


def explain(  # noqa: PLR0913 - an option for each thing a call may be
    provider: str | None = None,
    model: str | None = None,
    /,
    *,
    span: str | None = None,
    trace: str | None = None,
    meter: tuple[str, ...] = (),
    at: str | None = None,
    service_tier: str | None = None,
    tenant: str | None = None,
    form: Annotated[Format, _FORMAT] = Format.TABLE,
    url: Url = None,
    data_dir: DataDir = None,
) -> None:
    """Print what a call costs as a sum: that of a booked call, or of a made-up one.

    Parameters
    ----------
    provider
        Who bills a made-up call.
    model
        What is billed.
    span
        The booked call, by its span's id.
    trace
        The span's trace, where several have a span of this id.
    meter
        What a made-up call uses, such as input_tokens=1200; once for each meter.
    at
        When a made-up call is made; now by default.
    service_tier
        Its service tier; standard by default.
    tenant
        Its tenant.
    form
        table or json.
    """
    if (span is None) == (provider is None or model is None):
        raise QueryError("give either --span, or a provider, a model and what is used: --meter input_tokens=1200")
    with source(url, data_dir) as asked:
        if span is not None:
            made = asked.pricing.explain_span(span_id=span, trace_id=trace)
        else:
            made = asked.pricing.explain_usage(
                provider=str(provider),
                model=str(model),
                usage=_usage(meter),
                at=at,
                service_tier=service_tier,
                tenant_id=tenant,
            )
    if form is Format.JSON:
        print_json(made)
    else:
        print_sum(made)


def _usage(given: tuple[str, ...]) -> dict[str, str]:
    pairs = [text.partition("=") for text in given]
    if wrong := [text for text, (_, equals, quantity) in zip(given, pairs, strict=True) if not (equals and quantity)]:
        raise QueryError(f"--meter must be a name and a quantity such as input_tokens=1200, not {wrong[0]!r}")
    return {name: quantity for name, _, quantity in pairs}
