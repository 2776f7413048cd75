"""``botanu shared``, and reports with shared costs; against a store of their own and against a server."""

import json
from datetime import UTC, datetime

import pytest
from support.otlp import body, llm, run_spans
from support.terminal import on_terminal

START = int(datetime(2026, 11, 2, tzinfo=UTC).timestamp()) * 10**9


def spans():
    for number, workflow in enumerate(("ask", "ask", "sort")):
        calls = [llm(input=1000)] * (number + 1)
        options = {"event_id": f"e-{number}", "workflow": workflow, "start": START + number, "status": "success"}
        yield from run_spans(run_id=f"r-{number}", calls=calls, **options)


@pytest.fixture
def filled(lab):
    """The directory of a store with three runs, closed."""
    lab.send(*spans())
    lab.store.close()
    yield lab.directory
    lab.store = type(lab)(lab.directory).store


GPU = ("shared", "set", "gpu", "600", "--by", "calls", "--month", "2026-11")
DB = (
    "shared",
    "set",
    "db",
    "30.5",
    "--by",
    "tokens",
    "--month",
    "2026-11",
    "--workflow",
    "other",
    "--environment",
    "x",
)
SEATS = (
    "shared",
    "set",
    "seats",
    "9",
    "--by",
    "equal",
    "--from",
    "2026-11-01",
    "--to",
    "2026-11-08",
    "--currency",
    "EUR",
)

REPORT = """\
All runs
workflow  events  runs  successes  success rate     cost  shared cost  full cost  cost per run  cost per outcome  value  ROI
ask            2     2          2        100.0%  $0.0075      $300.00    $300.01      $0.00375          $0.00375      –    –
sort           1     1          1        100.0%  $0.0075      $300.00    $300.01      $0.00750          $0.00750      –    –
all            3     3          3        100.0%  $0.0150      $600.00    $600.02      $0.00500          $0.00500      –    –
100.0% of calls priced · 100.0% of cost attributed to a run · 100.0% of ended runs recorded an outcome
$630.50 of shared costs: $600.00 on these runs · $0 on runs outside the window · $30.50 unallocated, as no run has \
weight: db (2026-11) · left out, in another currency: seats (2026-11-01 to 2026-11-08) EUR 9.00
No outcome says how much of what was achieved, so there is no value and no ROI.
"""  # noqa: E501 - as wide as it is printed


def test_shared_costs_are_set_and_reported_beside_the_cost(botanu, filled):
    printed = [botanu(*command, "--data-dir", filled) for command in (GPU, DB, SEATS, GPU)]
    assert printed == [
        (0, "gpu (2026-11) costs $600.00, allocated to all runs by calls\n", ""),
        (0, "db (2026-11) costs $30.50, allocated to the runs of workflow other, environment x by tokens\n", ""),
        (0, "seats (2026-11-01 to 2026-11-08) costs EUR 9.00, allocated to all runs in equal parts\n", ""),
        (0, "gpu (2026-11) costs $600.00, allocated to all runs by calls, as before\n", ""),
    ]

    _, out, _ = botanu("report", "--shared", "--window", "all", "--data-dir", filled)
    assert [line.rstrip() for line in out.splitlines()] == REPORT.splitlines()
    _, plain, _ = botanu("report", "--window", "all", "--data-dir", filled)
    assert "shared" not in plain


def test_the_list_says_what_is_unallocated_and_why(botanu, filled):
    for command in (GPU, DB, (*SEATS[:3], "1", "--by", "equal", "--month", "2020-01")):
        botanu(*command, "--data-dir", filled)
    _, out, _ = botanu("shared", "list", "--data-dir", filled)

    lines = out.splitlines()
    assert [line.split()[0] for line in lines] == ["name", "db", "gpu", "seats", "db", "seats"]
    assert lines[2].split() == ["gpu", "2026-11", "600.000000000", "USD", "calls", "all", "3", "set"]
    assert lines[4:] == [
        "db (2026-11) is unallocated: no run of workflow other, environment x that started in it has tokens",
        "seats (2020-01) is unallocated: no run started in it",
    ]


def test_what_is_withdrawn_is_listed_only_if_asked_for(botanu, filled):
    botanu(*GPU, "--data-dir", filled)
    done = botanu("shared", "withdraw", "gpu", "--month", "2026-11", "--data-dir", filled)
    assert done == (0, "gpu (2026-11) is withdrawn\n", "")

    assert json.loads(botanu("shared", "list", "-f", "json", "--data-dir", filled)[1]) == {"shared_costs": []}
    _, out, _ = botanu("shared", "list", "--withdrawn", "--data-dir", filled)
    titles, row = out.splitlines()
    assert titles.split()[-1] == "withdrawn_at"
    assert row.split()[-1].startswith("20")


def test_csv_has_the_measures_and_the_whole_list(botanu, filled):
    botanu(*GPU, "--data-dir", filled)
    _, out, _ = botanu("report", "--shared", "--window", "all", "-f", "csv", "--data-dir", filled)
    assert out.splitlines()[1] == "ask,2,2,2,1.0,0.007500000,300.000000000,300.007500000,0.003750000,0.003750000,,"

    titles, row = botanu("shared", "list", "-f", "csv", "--data-dir", filled)[1].splitlines()
    assert titles.startswith(
        "name,amount,currency,period_start,period_end,basis,workflow,customer_id,environment,runs,"
    )
    assert row.startswith("gpu,600.000000000,USD,2026-11-01T00:00:00+00:00,2026-12-01T00:00:00+00:00,calls,,,,3,set,20")


def test_a_window_without_runs_still_says_what_is_unallocated(botanu, filled):
    botanu("shared", "set", "gpu", "5", "--by", "calls", "--month", "2020-01", "--data-dir", filled)
    _, out, _ = botanu("report", "--shared", "--from", "2020-01-01", "--to", "2020-02-01", "--data-dir", filled)

    assert out.splitlines()[-1].startswith("$5.00 of shared costs: $0 on these runs")


def test_a_server_is_asked_the_same(botanu, server):
    server.post("/v1/traces", content=body(*spans()), headers={"content-type": "application/x-protobuf"})
    url = ("--url", str(server.base_url))
    for command in (GPU, DB, SEATS):
        assert botanu(*command, *url)[0] == 0

    _, out, _ = botanu("report", "--shared", "--window", "all", *url)
    assert [line.rstrip() for line in out.splitlines()] == REPORT.splitlines()
    assert botanu("shared", "withdraw", "seats", "--from", "2026-11-01", "--to", "2026-11-08", *url)[0] == 0
    assert len(botanu("shared", "list", *url)[1].splitlines()) == 4


def test_what_cannot_be_meant_is_told(botanu, filled):
    code, _, error = botanu("shared", "set", "gpu", "much", "--by", "calls", "--data-dir", filled)

    assert code == 1
    assert "amount must be a number, not 'much'; give the period as month, such as 2026-11" in error


def test_a_narrow_terminal_keeps_the_shared_cost(filled, botanu):
    botanu(*GPU, "--data-dir", filled)
    lines = on_terminal(80, "report", "--shared", "--window", "all", "--data-dir", filled)

    assert lines[1].split()[:3] == ["success", "shared", "full"]
    assert "Left out to fit 80 columns: runs, successes, value." in lines
