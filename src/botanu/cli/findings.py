"""What ``botanu doctor`` finds, and how it is printed."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass, fields

from botanu.cli.output import Format, console, print_csv, print_json, print_table

_PLACES_SHOWN = 3


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing looked at: what it is, whether all is well with it, and what to do if not."""

    kind: str
    name: str
    ok: bool
    state: str
    detail: str = ""
    remedy: str = ""
    places: tuple[str, ...] = ()


def print_findings(findings: Sequence[Finding], form: Format) -> None:
    """Print *findings*: a table with the remedies below it, or a document, or rows."""
    if form is Format.JSON:
        print_json({"ok": all(each.ok for each in findings), "findings": [asdict(each) for each in findings]})
    elif form is Format.CSV:
        rows = [{**asdict(each), "places": " ".join(each.places)} for each in findings]
        print_csv([each.name for each in fields(Finding)], [[*row.values()] for row in rows])
    else:
        _print(findings)


def _print(findings: Sequence[Finding]) -> None:
    rows = [(each.kind, each.name, each.state, each.detail) for each in findings]
    print_table(("kind", "name", "state", "detail"), rows, right=[False] * 4)
    for each in findings:
        if each.remedy:
            more = len(each.places) - _PLACES_SHOWN
            places = ", ".join(each.places[:_PLACES_SHOWN]) + (f" and {more} more" if more > 0 else "")
            console().print(f"{each.name}{places and f' ({places})'}: {each.remedy}", markup=False)
