"""What commands print, and how they end; against a server and against a store of their own."""

import csv
import io
import json
import re
import signal
import subprocess
import sys

import pytest
from support.otlp import body, llm, run_spans
from support.terminal import on_terminal

from botanu import __main__ as entry
from botanu.cli import main as cli
from botanu.cli.source import Remote
from botanu.errors import UnavailableError


@pytest.fixture
def filled(lab):
    """The directory of a store with two runs, closed."""
    lab.send(
        *run_spans(run_id="r-1", status="success", value_type="orders", value_amount=2, calls=[llm(input=1000)]),
        *run_spans(run_id="r-2", event_id="=1+1", customer_id="=1+1", status="failed", calls=[llm("x", "y", input=1)]),
    )
    lab.store.close()
    yield lab.directory
    lab.store = type(lab)(lab.directory).store


REPORT = """\
workflow  events  runs  successes  success rate     cost  cost per run  cost per outcome   value        ROI
work           2     2          1         50.0%  $0.0025       $0.0025           $0.0025  $10.00  +399,900%
all            2     2          1         50.0%  $0.0025       $0.0025           $0.0025  $10.00  +399,900%
50.0% of calls priced (1 without a price, not in the cost) · 100.0% of cost attributed to a run · 100.0% of ended runs \
recorded an outcome
Most often without a price: y/x, 1 call; what to do about it: 'botanu prices missing'.
"""


def test_a_store_is_asked_and_valued_without_a_server(botanu, filled):
    code, out, _ = botanu("values", "set", "orders", "5", "--data-dir", filled)
    assert (code, out) == (0, "orders is worth $5.00 per unit for all time; runs valued anew: 1\n")

    code, out, _ = botanu("report", "--window", "all", "--data-dir", filled)
    assert code == 0
    assert out.splitlines()[0] == "All runs"
    assert [line.rstrip() for line in out.splitlines()[1:]] == REPORT.splitlines()


def test_without_a_value_the_report_says_which_command_sets_one(botanu, filled):
    _, out, _ = botanu("report", "--data-dir", filled)

    assert out.splitlines()[-1] == "No value is set for orders: 'botanu values set orders AMOUNT' gives value and ROI."


def test_without_amounts_the_report_says_why_there_is_no_value(botanu, lab):
    lab.send(*run_spans(run_id="r-1", status="success"))
    lab.store.close()
    _, out, _ = botanu("report", "--data-dir", lab.directory)
    lab.store = type(lab)(lab.directory).store

    assert "No outcome says how much of what was achieved" in out.splitlines()[-1]


def test_what_has_no_value_while_others_have_is_told(botanu, lab):
    for number, value_type in enumerate(("orders", "returns", "orders")):
        outcome = {"status": "success", "value_type": value_type, "value_amount": 1}
        lab.send(*run_spans(run_id=f"r-{number}", event_id=f"e-{number}", **outcome))
    lab.store.close()
    botanu("values", "set", "orders", "5", "--data-dir", lab.directory)
    _, out, _ = botanu("report", "--data-dir", lab.directory)
    lab.store = type(lab)(lab.directory).store

    assert out.splitlines()[-1].endswith(" · 1 run achieved what no value is set for, not in the value: returns")


def test_an_empty_window_says_so(botanu, filled):
    code, out, _ = botanu("report", "--from", "2020-01-01", "--to", "2020-02-01", "--data-dir", filled)

    assert code == 0
    assert out.splitlines()[0] == "Runs that started from 2020-01-01 00:00 until 2020-02-01 00:00 UTC"
    assert re.fullmatch(
        r"No runs in this window; the latest started 20..-..-.. ..:.. UTC. All there are: --window all.",
        out.splitlines()[1],
    )


def test_an_empty_store_says_what_to_do_next(botanu, lab):
    lab.store.close()
    code, out, _ = botanu("report", "--window", "all", "--data-dir", lab.directory)
    lab.store = type(lab)(lab.directory).store

    assert code == 0
    assert out.splitlines()[1].startswith("Nothing has arrived yet: run a decorated function")


def test_an_interrupt_ends_it_without_a_trace(botanu, monkeypatch):
    def interrupted(*_, **__):
        raise KeyboardInterrupt

    monkeypatch.setattr(cli, "command_line", interrupted)
    assert botanu("report") == (130, "", "")


def test_amounts_are_shown_in_another_currency_with_the_rate_and_its_day(botanu, filled):
    code, out, _ = botanu("report", "--show-in", "eur=2@2026-11-20", "--data-dir", filled)

    assert code == 0
    assert out.splitlines()[-1] == "Shown in EUR at 2 for 1 USD, the rate of 2026-11-20; booked in USD."
    assert "  EUR 0.005  " in next(line for line in out.splitlines() if line.startswith("all "))  # of $0.0025
    assert "$" not in out


@pytest.mark.parametrize(
    "rate", ["EUR", "EUR=0@2026-11-20", "EUR=1@2026-13-20", "EURO=1@2026-11-20", "EUR=x@2026-11-20"]
)
def test_a_rate_that_is_none_is_refused(botanu, filled, rate):
    code, _, errors = botanu("report", "--show-in", rate, "--data-dir", filled)

    assert code == 1
    assert "such as EUR=0.92@2026-11-20" in errors


def test_what_programs_read_is_in_the_currency_that_was_booked(botanu, filled):
    code, _, errors = botanu("report", "--show-in", "EUR=0.5@2026-11-20", "-f", "json", "--data-dir", filled)

    assert (code, "for reading alone" in errors) == (1, True)


def test_reports_for_programs_are_exact(botanu, filled):
    _, out, _ = botanu("report", "--by", "customer_id", "-f", "json", "--data-dir", filled)
    made = json.loads(out)
    assert made["total"]["cost"] == 0.0025
    assert {row["customer_id"] for row in made["rows"]} == {"c-1", "=1+1"}

    _, out, _ = botanu("report", "--by", "customer_id", "-f", "csv", "--data-dir", filled)
    first, second = csv.DictReader(io.StringIO(out))
    assert (first["customer_id"], first["cost"], first["value"]) == ("c-1", "0.002500000", "")
    assert second["customer_id"] == "'=1+1"


def test_sql_in_each_format(botanu, filled):
    query = "SELECT run_id, total_cost, outcome_reason FROM runs ORDER BY run_id"

    assert botanu("sql", query, "--data-dir", filled)[1].splitlines() == [
        "run_id   total_cost  outcome_reason",
        "r-1     0.002500000",
        "r-2",
    ]
    assert json.loads(botanu("sql", query, "-f", "json", "--data-dir", filled)[1])["rows"] == [
        ["r-1", 0.0025, None],
        ["r-2", None, None],
    ]
    assert botanu("sql", "-", "-f", "csv", "--data-dir", filled, stdin=query)[1] == (
        "run_id,total_cost,outcome_reason\nr-1,0.002500000,\nr-2,,\n"
    )


def test_sql_may_begin_with_a_comment(botanu, filled):
    code, out, _ = botanu("sql", "-- how many\nSELECT count(*) AS n FROM runs;", "-f", "csv", "--data-dir", filled)

    assert (code, out) == (0, "n\n2\n")


def test_the_value_card_is_listed(botanu, filled):
    botanu("values", "set", "orders", "4.5", "--workflow", "work", "--from", "2026-01-01", "--data-dir", filled)

    _, out, _ = botanu("values", "list", "-f", "csv", "--data-dir", filled)
    assert out.splitlines() == [
        "value_type,workflow,amount,currency,valid_from,valid_to,source",
        "orders,work,4.500000000,USD,2026-01-01T00:00:00+00:00,,set",
    ]
    assert "4.500000000" in botanu("values", "list", "--data-dir", filled)[1]
    assert json.loads(botanu("values", "list", "-f", "json", "--data-dir", filled)[1])["values"][0]["amount"] == 4.5


def test_a_value_set_from_a_day_says_so(botanu, filled):
    _, out, _ = botanu(
        "values", "set", "orders", "4.5", "--from", "2026-01-01", "--workflow", "work", "--data-dir", filled
    )

    assert out == ("orders in work is worth $4.50 per unit from 2026-01-01T00:00:00+00:00; runs valued anew: 1\n")


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (["report", "--window", "soon"], 1, "window must be a number of h, d or w"),
        (["report", "--window", "7d", "--from", "2026-01-01"], 1, "give either the window 7d, or from and to"),
        (["values", "set", "  ", "1"], 1, "a value needs the value type"),
        (["sql", "DROP TABLE runs"], 1, "only SELECT is allowed, not DROP"),
        (["values", "set", "orders", "much"], 1, "must be a number, not 'much'"),
        (["values", "set", "orders", "1", "--currency", "EUR"], 1, "convert it first"),
        (["reprot"], 2, "reprot"),
        (["report", "--windwo", "7d"], 2, "--windwo"),
        (["report", "-f", "xml"], 2, "xml"),
        (["sql"], 2, "QUERY"),
    ],
)
def test_what_cannot_be_done_says_why_and_ends_in_error(botanu, filled, arguments, code, message):
    extra = ["--data-dir", filled] if code == 1 else []
    ended, out, errors = botanu(*arguments, *extra)

    assert ended == code
    assert message in out + errors
    assert "Traceback" not in out + errors


def test_where_there_is_neither_server_nor_store_it_says_how_to_start(botanu, tmp_path, monkeypatch):
    monkeypatch.setenv("BOTANU_DATA_DIR", str(tmp_path / "none"))
    monkeypatch.setenv("BOTANU_PORT", "1")

    code, _, errors = botanu("report")
    assert code == 1
    assert errors.startswith("error: no server answers at http://127.0.0.1:1, and there is no store in")
    assert errors.endswith("start a server with 'botanu serve'\n")

    _, _, errors = botanu("report", "--data-dir", tmp_path / "other")
    assert errors.startswith("error: there is no store in")
    assert errors.endswith(f"start a server with 'botanu serve --data-dir {tmp_path / 'other'}'\n")


def test_a_server_or_a_directory_is_asked_not_both(botanu, filled, monkeypatch):
    code, _, errors = botanu("report", "--url", "http://127.0.0.1:1", "--data-dir", filled)
    assert (code, errors) == (1, f"error: give either --url http://127.0.0.1:1 or --data-dir {filled}\n")

    monkeypatch.setenv("BOTANU_URL", "http://127.0.0.1:1")
    assert botanu("report", "--data-dir", filled)[0] == 0
    assert "http://127.0.0.1:1 does not answer" in botanu("report")[2]


def test_a_question_to_a_server_needs_no_settings(botanu, tmp_path):
    (tmp_path / "botanu.toml").write_text("prot = 1")

    assert "http://127.0.0.1:1 does not answer" in botanu("report", "--url", "http://127.0.0.1:1")[2]
    assert "unknown setting 'prot'" in botanu("report")[2]


class TestAgainstAServer:
    @pytest.fixture
    def url(self, server):
        sent = body(
            *run_spans(run_id="r-1", status="success", value_type="orders", value_amount=2, calls=[llm(input=1000)])
        )
        server.post("/v1/traces", content=sent, headers={"content-type": "application/x-protobuf"})
        return str(server.base_url).rstrip("/")

    def test_it_answers_the_same_commands(self, botanu, url):
        assert botanu("values", "set", "orders", "0.00000001", "--url", url)[0] == 0
        assert (
            botanu("values", "list", "-f", "csv", "--url", url)[1].splitlines()[1].startswith("orders,,0.000000010,USD")
        )
        assert (
            botanu("sql", "SELECT sum(total_cost) AS c FROM runs", "-f", "csv", "--url", url)[1] == "c\n0.002500000\n"
        )
        assert "$0.0025" in botanu("report", "--url", url, "--window", "7d")[1]

    def test_doubles_are_written_alike_from_a_server_and_a_directory(self, botanu, url, lab):
        lab.store.close()
        query = "SELECT 1e-7::DOUBLE AS a, 1e300::DOUBLE AS b, 0.1 + 0.2 AS c, 1.50::DECIMAL(9,2) AS d"
        for form in ("table", "csv", "json"):
            asked = [
                botanu("sql", query, "-f", form, *where)[1] for where in (("--url", url), ("--data-dir", lab.directory))
            ]
            assert asked[0] == asked[1]
        lab.store = type(lab)(lab.directory).store

    def test_the_local_server_is_found_by_itself(self, botanu, url, monkeypatch):
        monkeypatch.setenv("BOTANU_PORT", url.rpartition(":")[2])

        assert "$0.0025" in botanu("report")[1]

    def test_its_errors_are_those_of_the_question(self, botanu, url):
        code, _, errors = botanu("sql", "SELECT nothing FROM runs", "--url", url)

        assert code == 1
        assert "nothing" in errors

    def test_something_else_at_the_address_is_told(self, server):
        remote = Remote(str(server.base_url).rstrip("/") + "/static/app.css?")
        with pytest.raises(UnavailableError, match="is it a botanu server"):
            remote.values()
        assert not remote.is_there()
        remote.close()

    def test_nothing_at_the_address_is_told(self, botanu):
        code, _, errors = botanu("report", "--url", "http://127.0.0.1:1")

        assert code == 1
        assert "http://127.0.0.1:1 does not answer" in errors

    def test_what_is_no_address_is_told(self, botanu):
        code, _, errors = botanu("report", "--url", "127.0.0.1:4318")

        assert code == 1
        assert "must begin with http:// or https://, not '127.0.0.1:4318'" in errors
        assert "is no address of a server" in botanu("report", "--url", "http://[::1")[2]


def test_output_that_nobody_reads_on_is_no_error(filled):
    """What ``botanu sql … | head -1`` does."""
    many = "SELECT s.* FROM spans s, (SELECT unnest(range(3000)))"
    process = subprocess.Popen(
        [sys.executable, "-m", "botanu", "sql", many, "-f", "csv", "--data-dir", str(filled)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    process.stdout.readline()
    process.stdout.close()

    assert process.stderr.read() == b""
    assert process.wait(60) == 128 + signal.SIGPIPE
    process.stderr.close()


class TestOnATerminal:
    def report(self, directory, columns):
        return on_terminal(columns, "report", "--window", "all", "--data-dir", directory)

    def test_no_figure_is_ever_cut(self, botanu, filled):
        botanu("values", "set", "orders", "1234567.89", "--data-dir", filled)
        whole = ["work", "2", "2", "1", "50.0%", "$0.0025", "$0.0025", "$0.0025", "$2,469,136", "+98,765,431,100%"]
        for columns in (130, 110, 100, 99):
            lines = self.report(filled, columns)
            (row,) = (line for line in lines if line.startswith("work "))
            assert row.split() == whole, columns
            assert max(map(len, lines[:6])) <= columns
            assert "Left out" not in "".join(lines)

    def test_a_narrow_one_does_without_the_less_important(self, filled):
        lines = self.report(filled, 50)

        assert "Left out to fit 50 columns: runs, successes, value, cost per run." in lines
        assert {"cost", "rate", "ROI"} <= {word for line in lines[:5] for word in line.split()}

    def test_an_answer_is_a_table(self, filled):
        lines = on_terminal(80, "sql", "SELECT run_id, total_cost FROM runs ORDER BY 1", "--data-dir", filled)

        assert lines[0].split() == ["run_id", "total_cost"]
        assert lines[2].split() == ["r-1", "0.002500000"]

    def test_what_fits_nowhere_stays_whole(self, filled):
        printed = "".join(on_terminal(40, "sql", "SELECT repeat('x', 100) AS x, 1.5 AS y", "--data-dir", filled))

        assert "x" * 100 + "  1.5" in printed


def test_texts_with_controls_stay_on_their_line_and_lists_are_json(botanu, filled):
    query = "SELECT chr(27) || '[31m' || chr(10) AS t, [true, null] AS l, 1 = 1 AS b, 2 AS z"
    assert botanu("sql", query, "--data-dir", filled)[1].splitlines() == [
        "t           l            b     z",
        "\\x1b[31m\\n  [true,null]  true  2",
    ]
    assert botanu("sql", "SELECT [1.50] AS l, false AS b", "-f", "csv", "--data-dir", filled)[1] == (
        "l,b\n[1.50],false\n"
    )


def test_the_command_needs_the_servers_packages_and_says_so(monkeypatch):
    monkeypatch.setitem(sys.modules, "cyclopts", None)
    monkeypatch.delitem(sys.modules, "botanu.cli.main", raising=False)
    with pytest.raises(SystemExit, match=r"cyclopts is not installed; .* pip install 'botanu.server.'"):
        entry.main()


def test_help_says_what_each_command_does(botanu):
    code, out, _ = botanu("--help")

    assert code == 0
    for command in ("demo", "serve", "report", "sql", "values"):
        (line,) = (line for line in out.splitlines() if f" {command} " in line)
        assert len(line.replace("│", "").split()) > 3, line


def test_help_of_a_command_is_all_that_was_written_for_it(botanu):
    assert "keeps serving until Ctrl-C" in botanu("demo", "--help")[1]
    assert "line_items" in botanu("sql", "--help")[1]
    assert "SIGTERM" in botanu("serve", "--help")[1]
    assert "--no-once" not in botanu("demo", "--help")[1]


def test_help_of_each_command_explains_its_options(botanu):
    for command in ("demo", "serve", "report", "sql", "values set", "values list"):
        code, out, _ = botanu(*command.split(), "--help")
        assert code == 0
        assert out.count("--") > 1
