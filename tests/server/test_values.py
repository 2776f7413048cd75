"""The value card of the settings file."""

from datetime import UTC, date, datetime
from decimal import Decimal

import pytest

from botanu.errors import PriceError, SettingsError
from botanu.pricing.value_card import BEGINNING, UnitValue
from botanu.server.service import Service
from botanu.server.settings import ServerSettings, read_file
from botanu.server.values import configured_values

NOW = datetime(2026, 11, 22, tzinfo=UTC)

FILE = """
port = 5000

[values]
orders = 12.50
leads = { amount = 3, workflow = "sales" }
items = [{ amount = 0.1, from = 2026-01-01 }, { amount = 0.2, from = 2026-06-01T12:00:00Z }]
"""


def values_of(table, known=()):
    return configured_values(table, known, now=NOW)


def test_values_are_read_from_the_file_exactly(tmp_path):
    path = tmp_path / "mine.toml"
    path.write_text(FILE)
    settings, table, _ = read_file(path)

    assert settings == {"port": 5000}
    assert [(value.value_type, value.amount, value.workflow, value.valid_from) for value in values_of(table)] == [
        ("orders", Decimal("12.5"), None, BEGINNING),
        ("leads", Decimal(3), "sales", BEGINNING),
        ("items", Decimal("0.1"), None, datetime(2026, 1, 1, tzinfo=UTC)),
        ("items", Decimal("0.2"), None, datetime(2026, 6, 1, 12, tzinfo=UTC)),
    ]


def test_what_the_file_said_the_last_time_is_nothing_new_and_a_change_holds_from_now():
    by_file = UnitValue.of("orders", 5, valid_from=BEGINNING, source="config")
    by_hand = UnitValue.of("orders", 7, valid_from=NOW)

    assert values_of({"orders": 5}, [by_file]) == []
    assert values_of({"orders": 5}, [by_file, by_hand]) == []
    for known in ([by_file], [by_file, by_hand], [by_hand]):
        (changed,) = values_of({"orders": 6}, known)
        assert (changed.amount, changed.valid_from) == (6, NOW)


def test_a_restart_changes_nothing_whatever_the_file_dates(lab):
    """The same file read again is nothing new: neither its dated entries, nor what was set by hand since."""
    service = Service(lab.store, ServerSettings(), clock=lambda: NOW)
    table = {"items": [{"amount": 5}, {"amount": 6, "from": date(2026, 1, 1)}]}
    service.configure_values(table)
    service.set_value(value_type="items", amount=7, since="2026-01-01")
    before = service.values()

    for _ in range(2):
        assert service.configure_values(table) == 0
        assert service.values() == before

    table["items"][1]["amount"] = 8
    service.configure_values(table)
    assert [value["amount"] for value in service.values()["values"]] == [5, 6, 7, 8]


def test_the_days_of_one_value_type_say_nothing_about_another():
    undated = UnitValue.of("orders", 5, valid_from=BEGINNING, source="config")
    dated = UnitValue.of("leads", 3, valid_from=BEGINNING, source="config")

    assert values_of({"orders": 5, "leads": {"amount": 3, "from": date(1970, 1, 1)}}, [undated, dated]) == []


def test_without_a_file_there_are_no_settings_but_a_named_one_must_be_there(tmp_path):
    assert read_file(None) == ({}, {}, None)
    with pytest.raises(SettingsError, match="cannot be read"):
        read_file(tmp_path / "none.toml")


def test_the_file_of_the_working_directory_is_read_by_itself(tmp_path):
    (tmp_path / "botanu.toml").write_text("port = 1")

    assert read_file(None) == ({"port": 1}, {}, [])


@pytest.mark.parametrize("text", ["port = ", b"\xff\xfe", "values = 3", "shared_costs = 3", "shared_costs = [3]"])
def test_a_file_that_cannot_be_read_is_named(tmp_path, text):
    path = tmp_path / "bad.toml"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    with pytest.raises(SettingsError, match=r"bad.toml"):
        read_file(path)


@pytest.mark.parametrize(
    ("entry", "error", "message"),
    [
        ({"amount": 1, "form": "x"}, SettingsError, "unknown form; known: amount, currency, from, workflow"),
        ({"amount": 1, "workflow": 3}, SettingsError, "workflow must be text, not 3"),
        ({"amount": 1, "from": "soon"}, SettingsError, "from must be a date such as 2026-11-01, not 'soon'"),
        ({}, PriceError, "its amount is missing"),
        ({"amount": 1, "workflow": ["w"], "from": date(2026, 1, 1)}, SettingsError, "workflow must be text"),
        ({"amount": 1, "currency": "EUR"}, PriceError, "convert it first"),
    ],
)
def test_an_entry_that_cannot_be_meant_is_named(entry, error, message):
    with pytest.raises(error, match=message):
        values_of({"orders": entry})


def test_a_date_and_an_instant_without_a_zone_are_utc():
    table = {"a": {"amount": 1, "from": date(2026, 1, 2)}, "b": {"amount": 1, "from": datetime(2026, 1, 2, 3)}}

    assert [value.valid_from.isoformat() for value in values_of(table)] == [
        "2026-01-02T00:00:00+00:00",
        "2026-01-02T03:00:00+00:00",
    ]
