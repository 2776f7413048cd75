"""The value card of the settings file, as values for the store."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, date, datetime, time
from typing import Any

from botanu.errors import SettingsError
from botanu.pricing.money import CURRENCY
from botanu.pricing.value_card import UnitValue, first_instant

_FILE = "config"
_KEYS = {"amount", "currency", "from", "workflow"}


def configured_values(table: Mapping[str, object], known: Sequence[UnitValue], *, now: datetime) -> list[UnitValue]:
    """Read the ``[values]`` *table*: a number, a table, or a list of tables for each value type.

    A value that names no first day holds as ``first_instant`` says. One is nothing new when it is what the file said
    the last time, for its day or for none: so a restart does not undo what was set by hand since.

    Raises:
        SettingsError: an entry is none of these, or has other keys than amount, currency, from and workflow.
        PriceError: an amount is none.
    """
    values = []
    entries = list(_entries(table))
    dated = {(kind, entry.get("workflow"), _instant(entry["from"])) for kind, entry in entries if "from" in entry}
    for value_type, entry in entries:
        workflow = entry.get("workflow")
        since = entry.get("from")
        value = UnitValue.of(
            value_type,
            entry.get("amount"),
            valid_from=first_instant(known, value_type, workflow, now) if since is None else _instant(since),
            currency=str(entry.get("currency", CURRENCY)),
            workflow=workflow,
            source=_FILE,
        )
        said = [old for old in known if (old.value_type, old.workflow, old.source) == (value_type, workflow, _FILE)]
        if since is None:
            said = [old for old in said if (value_type, workflow, old.valid_from) not in dated]
        else:
            said = [old for old in said if old.valid_from == value.valid_from]
        if not said or said[-1].amount != value.amount:
            values.append(value)
    return values


def _entries(table: Mapping[str, object]) -> Iterator[tuple[str, Mapping[str, Any]]]:
    for value_type, given in table.items():
        for entry in given if isinstance(given, list) else [given]:
            fields = entry if isinstance(entry, Mapping) else {"amount": entry}
            unknown = sorted(fields.keys() - _KEYS)
            if unknown:
                raise SettingsError(
                    f"[values] {value_type}: unknown {', '.join(unknown)}; known: {', '.join(sorted(_KEYS))}"
                )
            workflow = fields.get("workflow")
            if workflow is not None and not isinstance(workflow, str):
                raise SettingsError(f"[values] {value_type}: workflow must be text, not {workflow!r}")
            yield value_type, fields


def _instant(given: object) -> datetime:
    if isinstance(given, datetime):
        return given if given.tzinfo is not None else given.replace(tzinfo=UTC)
    if isinstance(given, date):
        return datetime.combine(given, time(), UTC)
    raise SettingsError(f"[values]: from must be a date such as 2026-11-01, not {given!r}")
