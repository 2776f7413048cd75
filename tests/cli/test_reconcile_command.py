"""``botanu reconcile``: what it prints and how it ends, against a server and against a store of its own."""

import csv
import io
import json
from decimal import Decimal

import pytest
from support.billing import Call, anthropic_usage, at, focus, focus_row, openai_usage, span_of
from support.otlp import body

GPT = "gpt-4o-2024-08-06"
CALLS = [
    Call(GPT, at(day, hour), input=1000 * day + hour, cached=300, output=50) for day in (1, 2, 3) for hour in (8, 16)
]
CLAUDE = Call("claude-haiku-4-5-20251001", at(2), input=1000, output=50)


@pytest.fixture
def invoice(tmp_path):
    """Write an invoice; give its path."""

    def writing(text, name="invoice.csv"):
        file = tmp_path / name
        file.write_text(text, encoding="utf-8")
        return file

    return writing


@pytest.fixture
def booked(lab):
    """The directory of a store that was sent all calls but one, closed."""
    lab.send(*map(span_of, CALLS[1:]))
    lab.store.close()
    yield lab.directory
    lab.store = type(lab)(lab.directory).store


def test_without_a_gap_it_ends_well(botanu, booked, invoice):
    code, out, errors = botanu("reconcile", invoice(focus(CALLS[1:])), "--data-dir", booked)

    assert (code, errors) == (0, "")
    assert out.splitlines() == [
        "FOCUS cost and usage, 2026-06-01 to 2026-06-03: 9 figures compared",
        "Billed $0.032, booked $0.032: a difference of $0.",
        "No gap beyond 0.01% and what rounding can do.",
    ]


WITH_GAPS = """\
FOCUS cost and usage, 2026-06-01 to 2026-06-03: 9 figures compared
cause          provider  model              days           billed    booked  difference
credit         openai                       2026-06-03  −$0.01000  $0.00000   −$0.01000
missing_spans  openai    gpt-4o-2024-08-06  2026-06-01   $0.00681  $0.00342    $0.00340
credit of all models: A charge that is no usage, or takes some back: a credit, a refund, a tax. 2026-06-03: credit in \
row 11.
missing_spans of gpt-4o-2024-08-06: More usage was billed than was booked: some calls send no spans, or spans were \
lost. 2026-06-01: +300 cache_read_tokens, +1,008 input_uncached_tokens, +50 output_tokens.
Billed $0.0254, booked $0.032: a difference of −$0.0066.
Rows about other services, left out: 1
"""


def test_with_a_gap_it_says_why_and_ends_with_3(botanu, booked, invoice):
    credit = focus_row("2026-06-03", "OpenAI", ChargeCategory="Credit", BilledCost="-0.01")
    machine = focus_row("2026-06-03", "OpenAI", ServiceCategory="Compute", BilledCost="9")
    code, out, errors = botanu("reconcile", invoice(focus(CALLS, credit, machine)), "--data-dir", booked)

    assert (code, errors) == (3, "")
    assert [line.rstrip() for line in out.splitlines()] == WITH_GAPS.splitlines()


def test_a_list_of_usage_is_compared_by_quantities(botanu, booked, invoice):
    code, out, _ = botanu("reconcile", invoice(openai_usage(CALLS)), "--data-dir", booked)

    assert code == 3
    assert [line.split() for line in out.splitlines()[1:5]] == [
        ["cause", "provider", "model", "days", "meter", "billed", "booked", "difference"],
        ["missing_spans", "openai", GPT, "2026-06-01", "cache_read_tokens", "600", "300", "300"],
        ["missing_spans", "openai", GPT, "2026-06-01", "input_uncached_tokens", "2,024", "1,016", "1,008"],
        ["missing_spans", "openai", GPT, "2026-06-01", "output_tokens", "100", "50", "50"],
    ]
    assert "requests billed: 2, calls seen: 1" in out
    assert "The file has no amounts. Billed" in out


def test_json_and_csv_are_exact_and_add_up(botanu, booked, invoice):
    file = invoice(focus(CALLS))

    code, out, _ = botanu("reconcile", file, "-f", "json", "--data-dir", booked)
    made = json.loads(out, parse_float=Decimal)
    assert code == 3
    assert made["format"] == "FOCUS cost and usage"
    assert (made["first_day"], made["last_day"], made["rows_left_out"]) == ("2026-06-01", "2026-06-03", 0)
    assert made["difference"] == made["invoiced"] - made["booked"] == Decimal("0.003395")
    (finding,) = made["findings"]
    assert (finding["cause"], finding["days"]) == ("missing_spans", ["2026-06-01"])
    assert finding["difference"] == sum(gap["difference"] for gap in finding["gaps"]) == made["difference"]

    code, out, _ = botanu("reconcile", file, "-f", "csv", "--data-dir", booked)
    rows = [*csv.DictReader(io.StringIO(out))]
    assert code == 3
    assert sum(Decimal(row["difference"]) for row in rows) == made["difference"]
    assert {row["cause"] for row in rows} == {"missing_spans"}
    assert rows[0]["invoiced_quantity"] == "600"


def test_days_and_a_provider_can_be_chosen(botanu, lab, invoice):
    lab.send(*map(span_of, [*CALLS[1:], CLAUDE]))
    lab.store.close()
    file = invoice(focus([*CALLS, CLAUDE, CLAUDE]))

    def ends(*options):
        return botanu("reconcile", file, *options, "--data-dir", lab.directory)[0]

    assert ends() == 3
    assert ends("--from", "2026-06-03") == 0
    assert ends("--to", "2026-06-02", "--provider", "anthropic") == 1
    assert ends("--from", "2026-06-02", "--provider", "openai") == 0
    assert ends("--from", "2026-06-02", "--to", "2026-06-03", "--provider", "Anthropic, PBC") == 3
    lab.store = type(lab)(lab.directory).store


def test_the_tolerance_can_be_chosen(botanu, booked, invoice):
    file = invoice(focus([call.but(factor=Decimal("1.01")) for call in CALLS[1:]]))

    assert botanu("reconcile", file, "--data-dir", booked)[0] == 3
    code, out, _ = botanu("reconcile", file, "--tolerance", "2%", "--data-dir", booked)
    assert code == 0
    assert "of which $0.00032 by rounding" in out


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--tolerance", "much"], "the tolerance must be a percentage below 100 such as 0.01, not 'much'"),
        (["--tolerance", "100"], "the tolerance must be"),
        (["--tolerance", "nan"], "the tolerance must be"),
        (["--from", "June"], "'June' is no date"),
        (
            ["--from", "2026-06-01T12:00"],
            "invoices are compared by whole days (UTC), and 2026-06-01T12:00 is within one",
        ),
        (["--from", "2026-07-01"], "the file has nothing of that: it is from 2026-06-01 to 2026-06-03, of openai"),
        (["--from", "2026-06-03", "--to", "2026-06-01"], "the file has nothing of that"),
        (["--provider", "mistral"], "the file has nothing of that"),
    ],
)
def test_what_cannot_be_done_says_why_and_ends_with_1(botanu, booked, invoice, options, message):
    code, out, errors = botanu("reconcile", invoice(focus(CALLS)), *options, "--data-dir", booked)

    assert (code, out) == (1, "")
    assert message in errors


def test_a_file_that_cannot_be_read_ends_with_1(botanu, booked, invoice, tmp_path):
    assert "cannot be read" in botanu("reconcile", tmp_path / "none.csv", "--data-dir", booked)[2]
    code, _, errors = botanu("reconcile", invoice("a,b\n1,2\n"), "--data-dir", booked)

    assert code == 1
    assert "invoice.csv: no known invoice has these columns: a, b" in errors


def test_a_server_is_asked_as_well(botanu, server, invoice):
    sent = body(*map(span_of, CALLS[1:]))
    server.post("/v1/traces", content=sent, headers={"content-type": "application/x-protobuf"})
    url = str(server.base_url).rstrip("/")

    assert botanu("reconcile", invoice(focus(CALLS[1:])), "--url", url)[0] == 0
    code, out, _ = botanu("reconcile", invoice(focus(CALLS)), "-f", "json", "--url", url)
    assert code == 3
    assert json.loads(out)["findings"][0]["cause"] == "missing_spans"


def test_a_provider_that_nothing_was_booked_with_is_unknown(botanu, booked, invoice):
    code, out, _ = botanu("reconcile", invoice(anthropic_usage([CLAUDE])), "--data-dir", booked)

    assert code == 3
    assert "unknown_model  anthropic" in out
