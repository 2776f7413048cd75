"""``botanu prices`` and ``botanu events``: the same from a server and from a store of their own."""

import json
import re

import pytest
from support.lab import Lab
from support.otlp import body, llm, run_spans, span

START = 1_793_534_400_000_000_000  # 2026-11-01T12:00:00Z

CALLS = [
    {**llm(input=2000, output=300), "botanu.cost.amount": "0.01"},
    llm("x", "acme", input=10, output=5),
    {"gen_ai.provider.name": "ocr", "botanu.usage.pages": 3},
]


@pytest.fixture(params=["server", "store"])
def prices(request, botanu, tmp_path):
    """Run ``botanu`` against what has one event; give the lines it prints, which is all that it does."""
    spans = run_spans(calls=CALLS, start=START, status="failed", reason="out_of_stock")
    if request.param == "server":
        server = request.getfixturevalue("server")
        where = ("--url", str(server.base_url))
        server.post("/v1/traces", content=body(*spans), headers={"content-type": "application/x-protobuf"})
    else:
        lab = Lab(tmp_path / "store")
        where = ("--data-dir", tmp_path / "store")
        lab.send(*spans)
        lab.store.close()

    def run(*arguments, fails=False):
        code, out, errors = botanu(*arguments, *where)
        assert (code, bool(errors)) == ((1, True) if fails else (0, False)), errors
        return (errors if fails else out).splitlines()

    return run


def spans_of(run):
    (line,) = run("sql", "SELECT list(span_id ORDER BY provider) FROM spans WHERE priced IS NOT NULL", "-f", "json")
    return json.loads(line)["rows"][0][0]


def test_prices_are_set_listed_and_withdrawn(prices):
    arguments = ("prices", "set", "acme", "x", "input_tokens", "2.50", "--per", "1000000")
    assert prices(*arguments) == ["acme/x input_tokens costs 2.5 USD per 1,000,000, for all time"]
    assert prices(*arguments) == ["already so: acme/x input_tokens costs 2.5 USD per 1,000,000, for all time"]
    assert prices(*arguments[:-3], "3", "--from", "2026-12-01", "--currency", "eur", "--tenant", "T") == [
        "acme/x input_tokens costs 3 EUR per 1, tenant T, from 2026-12-01 on"
    ]
    assert prices("prices", "alias", "azure", "prod", "gpt-4o", "--as-provider", "openai") == [
        "azure/prod is priced as openai/gpt-4o"
    ]
    (told,) = prices("prices", "discount", "-5", "--provider", "openai", "--meter", "output_tokens")
    assert re.fullmatch(r"-5 % off the list prices of output_tokens of openai/\*, from 20..-.* on", told)

    listed = json.loads(prices("prices", "list", "--own", "-f", "json")[0])
    assert [(price["amount"], price["tenant_id"]) for price in listed["prices"]] == [(2.5, None), (3, "T")]
    table = prices("prices", "list", "acme")
    assert table[0].split()[:5] == ["provider", "model", "meter", "amount", "per"]
    assert len(table) == 3
    assert prices("prices", "list", "acme", "-f", "csv")[1].startswith("acme,x,input_tokens,2.5,1000000,USD,0,")
    assert prices("prices", "withdraw", listed["prices"][0]["id"]) == [
        "withdrawn: acme/x input_tokens costs 2.5 USD per 1,000,000, for all time"
    ]
    assert len(prices("prices", "list", "acme")) == 2
    assert "gpt-4o" in prices("prices", "list", "openai", "gpt-4o-2024-08-06")[1]


def test_without_a_price_the_list_says_how_to_give_one(prices):
    assert prices("prices", "list") == ["No price. 'botanu prices set PROVIDER MODEL METER AMOUNT' gives one."]


def test_the_starter_file_can_be_imported_as_it_is_printed(prices, botanu, tmp_path):
    code, text, _ = botanu("prices", "starter")
    (tmp_path / "mine.toml").write_text(text)
    assert code == 0

    assert prices("prices", "import", "mine.toml", "--dry-run")[-1].endswith(
        " new, 0 withdrawn, 0 unchanged; nothing was recorded, as this is a dry run"
    )
    new = int(re.match(r"mine.toml: (\d+) new", prices("prices", "import", "mine.toml")[-1])[1])
    assert prices("prices", "import", "mine.toml") == [f"mine.toml: 0 new, 0 withdrawn, {new} unchanged"]
    (tmp_path / "mine.toml").write_text(text[: text.rindex("[[prices]]", 0, text.index("# --- People"))])
    told = prices("prices", "import", "mine.toml")
    assert told[0].startswith("withdrawn: azure.vm/")
    assert told[-1] == f"mine.toml: 0 new, 1 withdrawn, {new - 1} unchanged"


def test_what_is_withdrawn_of_a_file_says_that_the_file_still_has_it(prices, tmp_path):
    (tmp_path / "mine.toml").write_text('[[prices]]\nprovider = "b"\nmeter = "pages"\namount = 1\n')
    prices("prices", "import", "mine.toml")
    (price,) = json.loads(prices("prices", "list", "-f", "json")[0])["prices"]

    assert prices("prices", "withdraw", price["id"])[1] == (
        "It came from mine.toml: take it out there as well, or it is back when that is read again."
    )


def test_faults_of_a_file_end_in_error_with_all_of_them(prices, tmp_path):
    (tmp_path / "mine.toml").write_text("[[prices]]\nmeter = 'a'\n[[prices]]\namount = 1\n")

    assert [line.strip() for line in prices("prices", "import", "mine.toml", fails=True)] == [
        "error: mine.toml has faults, and nothing of it was recorded:",
        "[[prices]] number 1: price of 'a' for None/*: its amount is missing",
        "[[prices]] number 2: price of None for None/*: meter is missing",
    ]


def test_what_has_no_price_is_told_with_the_commands_that_give_one(prices):
    told = [line.rstrip() for line in prices("prices", "missing")]

    assert [line.split()[:3] for line in told[1:3]] == [["1", "acme", "x"], ["1", "ocr", "–"]]
    assert "10 input_uncached_tokens, 5 output_text_tokens" in told[1]
    assert told[3:] == [
        "To give them a price, and what is booked its cost:",
        "  botanu prices set acme x input_tokens AMOUNT --per 1000000",
        "  botanu prices set acme x output_tokens AMOUNT --per 1000000",
        "  botanu prices set ocr '*' pages AMOUNT",
        "  botanu recost --from 2026-11-01",
    ]
    assert prices("prices", "missing", "-f", "csv")[1].startswith("1,acme,x,,")
    assert len(json.loads(prices("prices", "missing", "-f", "json")[0])["unpriced"]) == 2
    assert prices("prices", "missing", "--from", "2026-11-02") == ["Nothing: every call has a price."]


def test_a_booked_call_is_explained_as_a_sum(prices):
    acme, ocr, openai = spans_of(prices)
    told = prices("prices", "explain", "--span", openai)

    assert told[0] == "2026-11-01 12:00:00 UTC  openai/gpt-4o  service tier standard"
    assert told[1] == f"span {openai} (call)  run r-1  event e-1"
    assert [line.split()[0] for line in told[3:7]] == [
        "reported_cost",
        "input_uncached_tokens",
        "output_text_tokens",
        "total",
    ]
    assert told[6].split() == ["total", "0.010000000", "USD"]
    assert told[7:] == [
        "Reported by program: 0.010000000 USD.",
        "Computed from usage and prices: 0.008000000 USD.",
        "Reported less computed: 0.002000000 USD.",
        "The reported cost counts.",
        "It counts, and its cost is complete.",
    ]
    assert prices("prices", "explain", "--span", ocr)[-3:] == [
        "To give it a price:",
        "  botanu prices set ocr '*' pages AMOUNT",
        "  botanu recost --from 2026-11-01",
    ]
    assert json.loads(prices("prices", "explain", "--span", acme, "-f", "json")[0])["priced"] is False


def test_a_made_up_call_is_explained_as_a_sum(prices):
    usage = ("--meter", "input_tokens=2000", "--meter", "cache_read_tokens=800", "--meter", "output_tokens=300")
    told = prices("prices", "explain", "openai", "gpt-4o", *usage, "--at", "2026-11-01")

    assert [line.rstrip() for line in told if not line.startswith(("meter", "2026"))] == [
        line
        for line in told
        if line.startswith(("input_uncached", "cache_read", "output_text", "total", "Its cost is complete."))
    ]
    assert "1,200 x 2.5 / 1,000,000" in told[2]
    assert told[-2].split() == ["total", "0.007000000", "USD"]


def test_a_sum_names_tiers_tenants_and_discounts(prices):
    price = ("prices", "set", "acme", "x", "input_tokens")
    assert prices(*price, "2") == ["acme/x input_tokens costs 2 USD per 1, for all time"]
    assert prices(*price, "3", "--above", "1000") == [
        "acme/x input_tokens costs 3 USD per 1, above 1,000 input tokens, for all time"
    ]
    assert prices(*price, "1", "--tenant", "T", "--from", "2026-01-01") == [
        "acme/x input_tokens costs 1 USD per 1, tenant T, from 2026-01-01 on"
    ]
    prices("prices", "discount", "10", "--provider", "openai", "--from", "2026-01-01")

    def explained(*arguments):
        return prices("prices", "explain", *arguments, "--meter", "input_tokens=2000", "--at", "2026-11-01")[2]

    assert "above 1,000" in explained("acme", "x")
    assert "tenant T" in explained("acme", "x", "--tenant", "T")
    assert "less 10 %" in explained("openai", "gpt-4o")


def test_what_is_no_call_or_does_not_count_is_said(botanu, tmp_path):
    claimed = {"operation.cost": 0.5}
    outer = {**llm(input=10, output=5), "gen_ai.operation.name": "invoke_agent"}
    around, inner, claims, work = (
        span(
            trace_id=b"t" * 16, span_id=bytes([number]) * 8, parent=bytes([1]) * 8 if number == 2 else b"", **attributes
        )
        for number, attributes in enumerate([outer, llm(input=10, output=5), claimed, {}], start=1)
    )
    lab = Lab(tmp_path / "store")
    lab.send(around, inner, claims, work)
    lab.store.close()

    def remarks(number):
        return botanu("prices", "explain", "--span", f"{number:02x}" * 8, "--data-dir", tmp_path / "store")[
            1
        ].splitlines()

    assert remarks(4)[-1] == "This span is no call: it reports no usage and no cost."
    assert remarks(1)[-1] == "It does not count: its calls report the same usage."
    assert remarks(3)[-3:] == [
        "Reported by Pydantic AI and Logfire: 0.500000000 USD.",
        "The reported cost counts.",
        "It counts, and its cost is complete.",
    ]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((), "give either --span, or a provider, a model and what is used"),
        (("openai", "gpt-4o", "--span", "0" * 16), "give either --span"),
        (("openai", "gpt-4o", "--meter", "input_tokens"), "must be a name and a quantity such as input_tokens=1200"),
        (("--span", "0" * 16), "there is no span"),
    ],
)
def test_what_cannot_be_explained_is_told(botanu, lab, arguments, message):
    lab.store.close()
    code, _, errors = botanu("prices", "explain", *arguments, "--data-dir", lab.directory)
    lab.store = type(lab)(lab.directory).store

    assert (code, message in errors) == (1, True)


def test_an_event_is_shown_with_its_runs_and_their_calls(prices):
    told = prices("events", "show", "e-1")

    assert told[0] == (
        "event e-1 · work for c-1 · failed after 1 attempt · cost 0.010000000 USD · "
        "2 calls without a price, not in the cost · value –"
    )
    assert told[2].startswith("run r-1 · work, attempt 1 · 2026-11-01 12:00:00 UTC · failed (out_of_stock) · cost ")
    assert [line.split()[4] for line in told[4:]] == ["openai/gpt-4o", "acme/x", "ocr"]
    assert told[4].split()[5:] == ["2,000", "300", "0.010000000", "USD", "reported", "yes"]
    assert told[5].split()[5:] == ["10", "5", "–", "yes", "no_price"]
    assert len(json.loads(prices("events", "show", "e-1", "-f", "json")[0])["calls"]) == 3
    assert "there is no event" in prices("events", "show", "it's not", fails=True)[0]


def test_costs_in_other_currencies_stand_beside_the_total(botanu, server):
    url = ("--url", str(server.base_url))
    botanu("prices", "set", "ocr", "*", "pages", "0.50", "--currency", "EUR", *url)
    server.post(
        "/v1/traces",
        content=body(*run_spans(calls=CALLS[2:], status="success"), *run_spans(run_id="r-2", event_id="e-2")),
        headers={"content-type": "application/x-protobuf"},
    )
    _, report, _ = botanu("report", *url)
    _, shown, _ = botanu("events", "show", "e-1", *url)
    _, empty, _ = botanu("events", "show", "e-2", *url)

    assert "Besides, in other currencies and not in the cost: EUR 1.50." in report.splitlines()
    assert "cost – · and 1.500000000 EUR · value –" in shown.splitlines()[0]
    assert empty.splitlines()[-1] == "no calls"
