"""Shared costs over HTTP, and those of the settings file."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from support.otlp import body, llm, run_spans

from botanu.errors import PriceError, SettingsError
from botanu.server.service import Service
from botanu.server.settings import ServerSettings, read_file
from botanu.server.shared_costs import configured_shared_costs

NOW = datetime(2026, 11, 22, tzinfo=UTC)
GPU = {"name": "gpu", "amount": 1000, "by": "calls", "month": "2026-11"}
SEATS = {"name": "seats", "amount": 20.5, "by": "equal", "from": "2026-11-01", "to": "2026-11-08"}

FILE = """
port = 5000

[[shared_costs]]
name = "gpu"
amount = 1200.10
by = "tokens"
month = "2026-11"
environment = "prod"

[[shared_costs]]
name = "seats"
amount = 20
currency = "EUR"
by = "equal"
from = 2026-11-01
to = 2026-11-08T12:00:00Z
"""


# --- Over HTTP ----------------------------------------------------------------------------------------


def send(server, number, *calls):
    start = int(datetime(2026, 11, 2, number, tzinfo=UTC).timestamp()) * 10**9
    spans = run_spans(run_id=f"r-{number}", event_id=f"e-{number}", start=start, status="success", calls=calls)
    headers = {"content-type": "application/x-protobuf"}
    assert server.post("/v1/traces", content=body(*spans), headers=headers).status_code == 200


def test_a_shared_cost_is_set_listed_allocated_and_withdrawn(server):
    send(server, 1, llm(input=1000))
    done = server.post("/v1/shared-costs", json=GPU).json()
    send(server, 2, llm(input=1000), llm(input=1000), llm(input=1000))

    assert done["recorded"] == 1
    assert done["shared_cost"]["period_end"] == "2026-12-01T00:00:00+00:00"
    assert server.post("/v1/shared-costs", json=GPU).json() == {**done, "recorded": 0}
    (listed,) = server.get("/v1/shared-costs").json()["shared_costs"]
    assert listed == {**done["shared_cost"], "runs": 2}
    total = server.get("/v1/reports?window=all&shared=true").json()["total"]
    assert (total["cost"], total["shared_cost"], total["full_cost"]) == (0.01, 1000, 1000.01)

    gone = server.delete("/v1/shared-costs", params={"name": "gpu", "month": "2026-11"}).json()
    assert gone["withdrawn"] == done["shared_cost"]
    (listed,) = server.get("/v1/shared-costs").json()["shared_costs"]
    assert (listed["runs"], listed["withdrawn_at"] is None) == (None, False)
    assert server.get("/v1/reports?window=all&shared=true").json()["total"]["shared_cost"] == 0


def test_a_report_says_what_became_of_the_shared_costs_only_where_it_is_asked(server):
    send(server, 1, llm(input=1000))
    for cost in (GPU, {**GPU, "name": "db", "workflow": "other"}, {**SEATS, "currency": "EUR"}):
        server.post("/v1/shared-costs", json=cost)

    made = server.get("/v1/reports?from=2026-11-02T02:00&shared=true").json()
    assert made["shared"] == {
        "total": 2000,
        "on_these_runs": 0,
        "on_other_runs": 1000,
        "unallocated": 1000,
        "unallocated_names": ["db (2026-11)"],
        "left_out": [{"name": "seats (2026-11-01 to 2026-11-08)", "amount": 20.5, "currency": "EUR"}],
    }
    for query in ("window=all", "window=all&shared=false"):
        made = server.get(f"/v1/reports?{query}").json()
        assert "shared" not in made
        assert {"shared_cost", "full_cost"}.isdisjoint(made["total"])


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({**GPU, "amount": "much", "by": "x"}, "amount must be a number, not 'much'; by must be one of tokens"),
        ({"name": "gpu"}, "amount is missing"),
        ({**GPU, "form": "x"}, "unknown form"),
    ],
)
def test_what_cannot_be_meant_is_refused_with_every_fault(empty_server, given, message):
    response = empty_server.post("/v1/shared-costs", json=given)

    assert (response.status_code, message in response.json()["error"]) == (400, True)
    assert empty_server.get("/v1/shared-costs").json() == {"shared_costs": []}


@pytest.mark.parametrize(
    ("query", "message"),
    [
        ("name=gpu&month=2026-11", "there is no shared cost 'gpu' of 2026-11; see them all: botanu shared list"),
        ("name=gpu", "give the period as month"),
        ("month=2026-11", "there is no shared cost None"),
        ("name=gpu&month=2026-11&by=tokens", "unknown by; known: name, month, from, to"),
    ],
)
def test_a_shared_cost_that_is_not_there_cannot_be_withdrawn(empty_server, query, message):
    response = empty_server.delete(f"/v1/shared-costs?{query}")

    assert (response.status_code, message in response.json()["error"]) == (400, True)


def test_shared_is_true_or_false(empty_server):
    response = empty_server.get("/v1/reports?shared=yes")

    assert (response.status_code, response.json()["error"]) == (400, "shared must be true or false, not 'yes'")


# --- The settings file --------------------------------------------------------------------------------


class Clock:
    """A clock that goes on by a minute with each look."""

    def __init__(self):
        self.now = NOW

    def __call__(self):
        self.now += timedelta(minutes=1)
        return self.now


@pytest.fixture
def service(lab):
    return Service(lab.store, ServerSettings(), clock=Clock())


def rows(service):
    costs = service.shared_costs()["shared_costs"]
    return [(cost["name"], cost["amount"], cost["source"], cost["withdrawn_at"] is None) for cost in costs]


def test_shared_costs_are_read_from_the_file_exactly(tmp_path):
    path = tmp_path / "mine.toml"
    path.write_text(FILE)
    settings, _, entries = read_file(path)
    gpu, seats = configured_shared_costs(entries)

    assert settings == {"port": 5000}
    assert (gpu.amount, gpu.basis, gpu.environment, gpu.period, gpu.source) == (
        Decimal("1200.1"),
        "tokens",
        "prod",
        "2026-11",
        "config",
    )
    assert (seats.currency, seats.period_end) == ("EUR", datetime(2026, 11, 8, 12, tzinfo=UTC))


def test_the_same_file_again_records_nothing(service):
    assert service.configure_shared_costs([GPU, SEATS]) == 2
    before = service.shared_costs()

    assert service.configure_shared_costs([SEATS, GPU]) == 0
    assert service.shared_costs() == before


def test_a_changed_entry_replaces_and_a_removed_one_is_withdrawn(service):
    service.configure_shared_costs([GPU, SEATS])
    assert service.configure_shared_costs([{**GPU, "amount": 900}]) == 1

    assert rows(service) == [
        ("gpu", 1000, "config", False),
        ("gpu", 900, "config", True),
        ("seats", Decimal("20.5"), "config", False),
    ]
    assert service.configure_shared_costs([GPU, SEATS]) == 2
    assert service.configure_shared_costs([]) == 0
    assert not any(holds for *_, holds in rows(service))


def test_a_period_that_is_moved_replaces_the_former_one(service):
    service.configure_shared_costs([SEATS])
    service.configure_shared_costs([{**SEATS, "to": "2026-11-09"}])

    assert [holds for *_, holds in rows(service)] == [False, True]


def test_without_a_file_nothing_is_withdrawn(service):
    service.configure_shared_costs([GPU])
    service.configure_shared_costs(None)

    assert rows(service) == [("gpu", 1000, "config", True)]


def test_the_file_does_not_touch_what_was_set_by_hand_but_what_it_names_itself(service):
    service.set_shared_cost(GPU)
    service.set_shared_cost(SEATS)
    service.configure_shared_costs([GPU])
    assert rows(service) == [
        ("gpu", 1000, "set", False),
        ("gpu", 1000, "config", True),
        ("seats", Decimal("20.5"), "set", True),
    ]

    service.configure_shared_costs([])
    assert [holds for *_, holds in rows(service)] == [False, False, True]


def test_what_the_file_says_is_changed_in_the_file(service):
    service.configure_shared_costs([GPU])

    with pytest.raises(PriceError, match="'gpu' of 2026-11 is from the settings file: change it there"):
        service.set_shared_cost({**GPU, "amount": 1})
    with pytest.raises(PriceError, match="is from the settings file"):
        service.withdraw_shared_cost({"name": "gpu", "month": "2026-11"})
    assert rows(service) == [("gpu", 1000, "config", True)]


def test_periods_of_one_name_that_overlap_are_refused(service):
    other = {"name": "gpu", "amount": 1, "by": "equal", "from": "2026-11-30", "to": "2026-12-05"}
    with pytest.raises(SettingsError, match="2026-11 and 2026-11-30 to 2026-12-05 overlap"):
        service.configure_shared_costs([other, GPU])
    service.set_shared_cost(other)
    with pytest.raises(SettingsError, match="overlap"):
        service.configure_shared_costs([GPU])
    with pytest.raises(PriceError, match="overlap"):
        service.set_shared_cost(GPU)
    assert rows(service) == [("gpu", 1, "set", True)]


def test_all_faults_of_a_file_are_told_at_once(service):
    entries = [GPU, {"name": "seats"}, {**SEATS, "amount": -1}, dict(GPU)]
    with pytest.raises(SettingsError) as refused:
        service.configure_shared_costs(entries)

    for fault in (
        "[[shared_costs]] 2: shared cost 'seats': amount is missing",
        "by is missing",
        "[[shared_costs]] 3: shared cost 'seats': amount must be 0 or more",
        "[[shared_costs]]: 'gpu' of 2026-11 is there twice: name one otherwise",
    ):
        assert fault in str(refused.value)
    assert rows(service) == []
