"""``botanu recost`` against a store of its own and against a server."""

import csv
import getpass
import io
import json
from decimal import Decimal

import pytest
from support.lab import CATALOG, NOW, Lab
from support.otlp import body, llm, run_spans

from botanu.pricing.own_prices import OwnPrice, Scope
from botanu.pricing.price_list import OwnTerms, PriceList

WRONG = PriceList(CATALOG, OwnTerms((OwnPrice(Scope("openai", "*"), "input_tokens", Decimal(25), "USD", 10**6),)))
WINDOW = ("--from", "2026-11-01", "--to", "2026-12-01")

SHOWN = """\
provider  model   calls  changed  newly priced  cost before  cost after  difference
openai    gpt-4o      2        2             0       $0.075     $0.0075    −$0.0675
y         (none)      1        0             0            –           –     $0.0000
all                   3        2             0       $0.075     $0.0075    −$0.0675
"""


@pytest.fixture
def filled(lab):
    """The directory of a store in which input of gpt-4o was booked at ten times its price; closed."""
    calls = [llm(input=1000), llm(input=2000), {"botanu.provider": "y", "botanu.usage.pages": 3}]
    lab.send(*run_spans(run_id="r-1", start=int(NOW.timestamp()) * 10**9, status="success", calls=calls), prices=WRONG)
    lab.store.close()
    yield lab.directory
    lab.store = Lab(lab.directory).store


def ledger(botanu, directory):
    query = "SELECT changed_by, reason, cost_before, cost_after FROM cost_changes ORDER BY cost_before"
    return json.loads(botanu("sql", query, "-f", "json", "--data-dir", directory)[1])["rows"]


def lines(text):
    return [line.rstrip() for line in text.splitlines()]


def test_a_dry_run_prints_the_difference_and_writes_nothing(botanu, filled):
    code, out, errors = botanu("recost", *WINDOW, "--dry-run", "--data-dir", filled)

    assert (code, errors, lines(out)) == (0, "", SHOWN.splitlines())
    assert ledger(botanu, filled) == []


def test_the_difference_is_printed_and_then_written(botanu, filled):
    arguments = ("recost", *WINDOW, "--reason", "contract", "--by", "ann", "--data-dir", filled)
    code, out, errors = botanu(*arguments)

    assert (code, errors, lines(out)) == (0, "", [*SHOWN.splitlines(), "Restated calls: 2"])
    assert ledger(botanu, filled) == [["ann", "contract", 0.025, 0.0025], ["ann", "contract", 0.05, 0.005]]
    assert lines(botanu(*arguments)[1])[-1] == "Restated calls: 0"


def test_whoever_is_logged_in_changes_it(botanu, filled, monkeypatch):
    monkeypatch.setenv("LOGNAME", "bo")
    botanu("recost", *WINDOW, "--data-dir", filled)

    assert [row[:2] for row in ledger(botanu, filled)] == [["bo", None]] * 2


def test_someone_without_a_name_may_change_it_too(botanu, filled, monkeypatch):
    def nobody():
        raise OSError

    monkeypatch.setattr(getpass, "getuser", nobody)
    assert botanu("recost", *WINDOW, "--data-dir", filled)[0] == 0

    assert [row[0] for row in ledger(botanu, filled)] == [None, None]


def test_programs_get_it_exactly(botanu, filled):
    shown = json.loads(botanu("recost", *WINDOW, "--dry-run", "-f", "json", "--data-dir", filled)[1])
    assert (shown["dry_run"], shown["totals"][0]["difference"]) == (True, -0.0675)

    _, out, errors = botanu("recost", *WINDOW, "--provider", "openai", "-f", "csv", "--data-dir", filled)
    (row,) = csv.DictReader(io.StringIO(out))
    assert (row["cost_before"], row["cost_after"], row["difference"]) == ("0.075000000", "0.007500000", "-0.067500000")
    assert errors == "Restated calls: 2\n"

    done = json.loads(botanu("recost", *WINDOW, "-f", "json", "--data-dir", filled)[1])
    assert (done["dry_run"], done["restated"], done["totals"][0]["changed"]) == (False, 0, 0)


def test_a_window_without_calls_says_so(botanu, filled):
    code, out, _ = botanu("recost", "--from", "2020-01-01", "--to", "2020-02-01", "--data-dir", filled)

    assert (code, out) == (0, "No calls were booked in this window.\nRestated calls: 0\n")


def test_what_is_left_out_or_has_lost_its_price_is_told(botanu, lab):
    gone = PriceList(CATALOG, OwnTerms((OwnPrice(Scope("y", "x"), "input_tokens", Decimal(1), "USD"),)))
    start = int(NOW.timestamp()) * 10**9
    lab.send(*run_spans(run_id="r-1", start=start, calls=[llm("x", "y", input=1), llm(input=1)]), prices=gone)
    with lab.store._transaction() as connection:
        connection.execute("UPDATE spans SET cost_notes = ['residual'] WHERE model = 'gpt-4o'")
    lab.store.close()
    _, out, _ = botanu("recost", *WINDOW, "--data-dir", lab.directory)
    lab.store = Lab(lab.directory).store

    assert lines(out)[-3:] == [
        "1 of them have no whole price any more.",
        "1 of them are left as they are: they hold what other calls lack.",
        "Restated calls: 1",
    ]


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        ([], 2, "--from"),
        (["--from", "soon"], 1, "'soon' is no date"),
        (["--from", "2026-12-01", "--to", "2026-11-01"], 1, "holds no time"),
    ],
)
def test_a_window_is_needed(botanu, filled, arguments, code, message):
    ended, out, errors = botanu("recost", *arguments, "--data-dir", filled)

    assert ended == code
    assert message in out + errors


def test_a_report_as_of_before_shows_what_was_booked_and_says_so(botanu, filled):
    botanu("recost", *WINDOW, "--data-dir", filled)

    report = ("report", "--window", "all", "--data-dir", filled)
    assert "$0.0075" in botanu(*report)[1]
    out = lines(botanu(*report, "--as-of", "2000-01-01")[1])
    assert out[1] == "Costs as they were booked at 2000-01-01T00:00:00+00:00."
    assert "$0.075" in out[3].split()


def test_a_server_does_the_same(botanu, server):
    sent = body(*run_spans(run_id="r-1", status="success", calls=[llm(input=1000)]))
    server.post("/v1/traces", content=sent, headers={"content-type": "application/x-protobuf"})
    url = str(server.base_url).rstrip("/")

    code, out, errors = botanu("recost", "--from", "2020-01-01", "--to", "2100-01-01", "--url", url)
    assert (code, errors) == (0, "")
    assert lines(out)[-2:] == [
        "all                   1        0             0      $0.0025     $0.0025          $0",
        "Restated calls: 0",
    ]
    assert "$0.0025" in botanu("report", "--as-of", "2026-01-01", "--url", url)[1]
