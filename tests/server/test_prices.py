"""The user's own prices: set, filed, withdrawn, used from the next batch on, and explained."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import httpx2
import pytest
from support.lab import CATALOG, NOW, Lab
from support.otlp import body, llm, run_spans, span

from botanu.errors import PriceError, QueryError, SettingsError
from botanu.pricing.price_list import Kind, OwnTerms
from botanu.server.app import create_app
from botanu.server.price_file import read_entries
from botanu.server.pricing import Pricing
from botanu.server.run import serving
from botanu.server.settings import ServerSettings

PROTOBUF = {"content-type": "application/x-protobuf"}

FILE = """
[[prices]]
provider = "acme"
model = "m"
meter = "pages"
amount = "0.10"
source = "https://acme.example/prices"

[[prices]]
provider = "acme"
model = "m"
meter = "requests"
amount = 2
per = 1_000
from = 2026-01-01

[[discounts]]
provider = "openai"
percent = 12.5

[[aliases]]
provider = "azure"
model = "prod-1"
as_model = "gpt-4o"
"""


class Clock:
    def __init__(self):
        self.now = NOW

    def __call__(self):
        self.now += timedelta(seconds=1)
        return self.now


@pytest.fixture
def pricing(lab):
    return Pricing(lab.store, Clock(), CATALOG)


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "mine" / "prices.toml"
    path.parent.mkdir()

    def write(text, name="prices.toml"):
        (path.parent / name).write_text(text)
        return path.parent / name

    return write


def taken(pricing, path, **options):
    done = pricing.import_entries(path.name, read_entries(path), **options)
    return len(done["new"]), len(done["withdrawn"]), done["unchanged"]


def rows(lab):
    return lab.rows("SELECT * FROM price_terms ORDER BY recorded_at, rowid")


def pages(**given):
    return {"provider": "acme", "model": "m", "meter": "pages", **given}


def test_a_price_holds_always_where_there_was_none_and_from_now_on_after_that(pricing):
    assert pricing.set_price(**pages(amount="0.10"))["valid_from"] is None
    second = pricing.set_price(**pages(amount="0.20"))
    assert (second["new"], second["valid_from"]) == (True, pricing.clock.now.isoformat())
    assert pricing.set_price(**pages(amount="0.2"))["new"] is False
    assert (
        pricing.set_price(**pages(amount="0.30", **{"from": "2026-02-01"}))["valid_from"] == "2026-02-01T00:00:00+00:00"
    )


def test_a_tier_joins_its_price_and_a_changed_one_begins_anew_with_it(pricing):
    def tier(amount, **more):
        return pricing.set_price(provider="acme", model="m", meter="input_tokens", amount=amount, **more)

    with pytest.raises(PriceError, match="a tier of the one for any input: set that first"):
        tier("4", above=1000)
    tier("2")
    assert tier("4", above=1000)["valid_from"] is None
    assert tier("4", above=1000)["new"] is False
    changed = tier("5", above=1000)["valid_from"]

    held = [(price.amount, price.above, price.valid_from) for price in pricing.current.terms.prices]
    now = datetime.fromisoformat(changed)
    assert held == [(2, 0, None), (4, 1000, None), (2, 0, now), (5, 1000, now)]
    with pytest.raises(PriceError, match="from the same instant on"):
        tier("6", above=1000, **{"from": "2026-01-01"})


def test_discounts_hold_from_now_on_and_aliases_at_once(pricing):
    assert pricing.set_discount(percent="10", provider="openai")["valid_from"] == pricing.clock.now.isoformat()
    assert pricing.set_discount(percent=10, provider="openai")["new"] is False
    pricing.set_alias(provider="azure", model="Prod-1", as_model="gpt-4o", as_provider="openai")

    card = pricing.current.card(Kind("azure", ("prod-1",)))
    assert (card.provider, card.model, len(card.discounts)) == ("openai", "gpt-4o", 1)


def test_what_is_withdrawn_prices_nothing_any_more(pricing):
    name = pricing.set_price(**pages(amount="1"))["id"]

    assert pricing.withdraw(name)["withdrawn"]["meter"] == "pages"
    assert pricing.current.terms == OwnTerms()
    with pytest.raises(PriceError, match="'botanu prices list --own' gives the ids"):
        pricing.withdraw(name)


def test_a_file_is_recorded_once_and_its_changes_are(pricing, lab, file):
    path = file(FILE)
    assert taken(pricing, path, dry_run=True) == (4, 0, 0)
    assert rows(lab) == []
    assert taken(pricing, path) == (4, 0, 0)
    before = rows(lab)
    for _ in range(2):
        assert taken(pricing, path) == (0, 0, 4)
    assert rows(lab) == before
    assert {row["source"] for row in before} == {"https://acme.example/prices", "prices.toml"}

    file(FILE.replace('"0.10"', '"0.15"').replace("amount = 2", "amount = 3").replace("12.5", "15"))
    assert taken(pricing, path) == (3, 0, 1)
    held = [(price.amount, price.valid_from) for price in pricing.current.terms.prices if price.meter == "pages"]
    assert held == [(Decimal("0.1"), None), (Decimal("0.15"), rows(lab)[-1]["recorded_at"])]
    assert taken(pricing, path) == (0, 0, 4)


def test_what_is_gone_from_a_file_is_withdrawn_and_nothing_else(pricing, file):
    taken(pricing, file(FILE))
    taken(pricing, file('[[prices]]\nprovider = "b"\nmeter = "pages"\namount = 1\n', "other.toml"))
    pricing.set_price(provider="c", model="m", meter="pages", amount="1")

    assert taken(pricing, file(FILE.partition("[[discounts]]")[0])) == (0, 2, 2)
    assert taken(pricing, file("")) == (0, 2, 0)
    assert [price.scope.provider for price in pricing.current.terms.prices] == ["b", "c"]


def test_the_same_file_does_not_undo_what_was_set_by_hand_since(pricing, file):
    path = file('[[prices]]\nprovider = "acme"\nmeter = "pages"\namount = 5\nfrom = 2026-01-01\n')
    taken(pricing, path)
    pricing.set_price(provider="acme", model="*", meter="pages", amount=6, **{"from": "2026-01-01"})

    assert taken(pricing, path) == (0, 0, 1)
    assert [price.amount for price in pricing.current.terms.prices] == [5, 6]


def test_tiers_of_a_file_change_together(pricing, file):
    text = """
[[prices]]
provider = "acme"
meter = "input_tokens"
amount = 2
[[prices]]
provider = "acme"
meter = "input_tokens"
amount = 4
above = 1000
"""
    assert taken(pricing, file(text)) == (2, 0, 0)
    assert taken(pricing, file(text.replace("4", "5"))) == (2, 0, 0)
    assert taken(pricing, file(text.replace("4", "5"))) == (0, 0, 2)
    starts = [price.valid_from for price in pricing.current.terms.prices]
    assert starts == [None, None, pricing.current.terms.prices[-1].valid_from, starts[-1]]


def test_all_faults_of_a_file_are_told_at_once_and_nothing_is_recorded(pricing, lab, file):
    text = """
[[prices]]
provider = "acme"
meter = "pages"
amount = "-1"
[[prices]]
provider = "acme"
meter = "input_uncached_tokens"
amount = 1
[[prices]]
provider = "acme"
meter = "pages"
amount = 1
[[discounts]]
percent = "much"
[[aliases]]
model = "m"
"""
    with pytest.raises(PriceError) as told:
        taken(pricing, file(text))

    lines = str(told.value).splitlines()
    assert lines[0] == "prices.toml has faults, and nothing of it was recorded:"
    assert [line.strip().partition(": ")[0] for line in lines[1:]] == [
        "[[prices]] number 1",
        "[[prices]] number 2",
        "[[discounts]] number 1",
        "[[aliases]] number 1",
    ]
    assert "not -1" in lines[1]
    assert "give the price of input_tokens" in lines[2]
    assert "not 'much'" in lines[3]
    assert rows(lab) == []


@pytest.mark.parametrize(
    ("entries", "message"),
    [
        ("meter = 'a'\namount = 1\n|meter = 'a'\namount = 2", "number 1 is for the same, from the same instant on"),
        ("meter = 'a'\namount = 1\nabove = 10", "needs one without above beside it, with the same from"),
    ],
)
def test_entries_that_clash_are_told(pricing, file, entries, message):
    with pytest.raises(PriceError, match=message):
        taken(pricing, file("".join(f"[[prices]]\n{entry}\n" for entry in entries.split("|"))))


def test_a_csv_file_says_the_same_with_a_header_of_the_same_keys(pricing, file):
    path = file(
        "provider,model,meter,amount,per,from,percent,as_model\n"
        "acme,m,pages,0.10,,,,\n"
        "acme,m,requests,2,1000,2026-01-01,,\n"
        "openai,,,,,,12.5,\n"
        ",,,,,,,\n"
        "azure,prod-1,,,,,,gpt-4o\n",
        "prices.csv",
    )
    assert taken(pricing, path) == (4, 0, 0)
    terms = pricing.current.terms
    assert (len(terms.prices), len(terms.discounts), len(terms.aliases)) == (2, 1, 1)
    with pytest.raises(PriceError, match="line 2: price of 'pages'"):
        taken(pricing, file("provider,meter,amount\nacme,pages,x\n", "prices.csv"))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[[prices", "cannot be read"),
        ("[[rates]]\na = 1", "unknown rates; known: prices, discounts, aliases"),
        ("prices = 1", r"write each of the prices as a table \[\[prices\]\]"),
    ],
)
def test_a_file_that_is_no_price_file_is_told(file, text, message):
    with pytest.raises(SettingsError, match=message):
        read_entries(file(text))


# --- Over HTTP, with the next batch -------------------------------------------------------------------


def usage(**attributes):
    return span("call", gen_ai__provider__name="acme", **attributes)


def test_a_price_prices_the_next_batch_and_leaves_booked_calls_alone(server, sql):
    def send():
        server.post("/v1/traces", content=body(usage(botanu__usage__pages=3)), headers=PROTOBUF)

    send()
    done = server.post("/v1/prices", json={"provider": "acme", "meter": "pages", "amount": "0.10"}).json()
    send()
    server.post("/v1/prices/withdraw", json={"id": done["id"]})
    send()

    assert sql("SELECT cost::VARCHAR, priced FROM spans ORDER BY received_at") == [
        [None, False],
        ["0.300000000", True],
        [None, False],
    ]
    items = sql("SELECT unit_price, per, price_source, price_id FROM line_items WHERE amount IS NOT NULL")
    assert items == [[0.1, 1, "set", done["id"]]]


@pytest.mark.parametrize("name", ["botanu.provider", "botanu.vendor", "gen_ai.provider.name"])
def test_usage_is_priced_by_whatever_word_names_who_bills_it(server, sql, name):
    """The command that `missing` gives is the one that helps."""
    told = {name: "acme", "botanu.usage.pages": 3}
    server.post("/v1/traces", content=body(*run_spans(calls=[told])), headers=PROTOBUF)
    (found,) = server.get("/v1/prices/missing").json()["unpriced"]
    assert found["commands"][0] == "botanu prices set acme '*' pages AMOUNT"

    server.post("/v1/prices", json={"provider": "acme", "model": "*", "meter": "pages", "amount": 2})
    server.post("/v1/traces", content=body(*run_spans(run_id="r-2", calls=[told])), headers=PROTOBUF)

    assert sql("SELECT run_id, total_cost FROM runs ORDER BY run_id") == [["r-1", None], ["r-2", 6.0]]


def test_a_price_for_a_provider_makes_no_call_of_what_only_stands_around_calls(server, sql):
    server.post("/v1/prices", json={"provider": "openai", "model": "*", "meter": "requests", "amount": 1})
    around = {"gen_ai.operation.name": "invoke_agent", "gen_ai.provider.name": "openai"}
    server.post("/v1/traces", content=body(*run_spans(calls=[around])), headers=PROTOBUF)

    assert sql("SELECT total_cost, calls FROM runs") == [[0.0, 0]]


def test_a_file_is_read_at_the_start_and_a_bad_one_stops_it(tmp_path, file):
    settings = ServerSettings(port=0, data_dir=tmp_path / "store", prices=file(FILE))
    for _ in range(2):
        with serving(create_app(settings, {}), settings) as address:
            found = httpx2.get(f"{address}/v1/prices", params={"own": "true"}).json()
            assert [len(found[kind]) for kind in ("prices", "discounts", "aliases")] == [2, 1, 1]
    file("[[prices]]\nmeter = 'a'\n")
    with pytest.raises(PriceError, match="number 1"):
        create_app(settings, {})


def test_the_file_of_the_working_directory_is_read_by_itself(tmp_path):
    (tmp_path / "prices.toml").write_text(FILE)
    settings = ServerSettings(port=0, data_dir=tmp_path / "store")
    with serving(create_app(settings, {}), settings) as address:
        assert len(httpx2.get(f"{address}/v1/prices").json()["prices"]) == 2


def test_prices_are_found_by_name_by_any_name_of_the_model_and_by_instant(server):
    def found(**parameters):
        return server.get("/v1/prices", params=parameters).json()["prices"]

    server.post("/v1/prices", json=pages(amount="1", **{"from": "2026-01-01"}))
    server.post("/v1/prices", json=pages(amount="2", **{"from": "2026-06-01"}))

    assert [price["amount"] for price in found(provider="acme")] == [1, 2]
    assert [price["amount"] for price in found(provider="acme", model="m", at="2026-05-31T23:59:59")] == [1]
    assert [price["amount"] for price in found(provider="acme", at="2025-12-31")] == []
    listed = found(provider="openai", model="gpt-4o-2024-08-06")
    assert {(price["model"], price["origin"]) for price in listed} == {("gpt-4o", "list")}
    assert {price["model"] for price in found(provider="openai", model="gpt-4o-mini*")} >= {"gpt-4o-mini"}
    assert found(provider="openai", own="true") == []


@pytest.mark.parametrize(
    ("path", "given", "message"),
    [
        ("", {"provider": "acme", "meter": "pages"}, "its amount is missing"),
        ("", {"provider": "acme", "metre": "pages"}, "unknown metre"),
        ("/discounts", {"percent": 101}, "percent must be from -1000"),
        ("/aliases", {"model": "m"}, "as_model is missing"),
        ("/withdraw", {}, "missing id"),
        ("/import", {"origin": "p"}, "missing entries"),
        ("/import", {"origin": "p", "entries": {}}, "entries must be a list"),
        ("/import", {"origin": "p", "entries": [1]}, "an entry must be an object"),
        ("/import", {"origin": "p", "entries": [{"table": "x"}]}, "an entry must have a table of prices"),
        ("/import", {"origin": "p", "entries": [], "dry_run": "no"}, "dry_run must be true or false"),
        ("/explain", {"provider": "a", "model": "b", "usage": [1]}, "usage must be an object"),
        ("/explain", {"provider": "a", "model": "b", "usage": {"pages": "x"}}, "pages must be a quantity"),
        ("/explain", {"provider": "a", "model": "b", "usage": {"output_text_tokens": 1}}, "give output_tokens"),
    ],
)
def test_what_cannot_be_meant_is_told(empty_server, path, given, message):
    response = empty_server.post(f"/v1/prices{path}", json=given)

    assert response.status_code == 400
    assert message in response.json()["error"]


# --- Explaining ---------------------------------------------------------------------------------------


def test_a_sum_of_a_made_up_call_is_the_one_worked_by_hand(pricing):
    """1,200 x 2.50/M + 800 x 1.25/M + 300 x 10/M = 0.003 + 0.001 + 0.003."""
    usage = {"input_tokens": 2000, "cache_read_tokens": "800", "output_tokens": 300}
    made = pricing.explain_usage(provider="openai", model="gpt-4o", usage=usage)

    assert [(line["meter"], line["quantity"], str(line["amount"])) for line in made["lines"]] == [
        ("input_uncached_tokens", 1200, "0.003000000"),
        ("cache_read_tokens", 800, "0.001000000"),
        ("output_text_tokens", 300, "0.003000000"),
    ]
    assert (str(made["cost"]), made["currency"], made["priced"], made["commands"]) == ("0.007000000", "USD", True, [])


def test_a_service_tier_without_a_price_is_told_with_the_command_that_gives_one(pricing):
    usage = {"input_tokens": 5}
    made = pricing.explain_usage(
        provider="openai", model="gpt-4o", usage=usage, service_tier="nightly", at="2026-01-01"
    )

    assert [note["note"] for note in made["notes"]] == ["no_service_tier_price"]
    assert made["commands"] == [
        "botanu prices set openai gpt-4o input_tokens AMOUNT --per 1000000 --service-tier nightly",
        "botanu recost --from 2026-01-01",
    ]
    pricing.set_price(provider="openai", model="gpt-4o", meter="input_tokens", amount="1", service_tier="nightly")
    made = pricing.explain_usage(
        provider="openai", model="gpt-4o", usage=usage, service_tier="nightly", at="2026-01-01"
    )
    assert (made["cost"], made["priced"]) == (5, True)


def test_usage_of_a_service_is_explained_by_the_own_price_for_it(pricing):
    pricing.set_price(provider="aws_sqs", model="*", meter="gb_seconds", amount="2")
    made = pricing.explain_usage(provider="aws_sqs", model="q", usage={"gb_seconds": "1.5"})

    assert (made["cost"], made["lines"][0]["quantity"]) == (3, Decimal("1.5"))


def test_the_sum_of_a_booked_call_has_its_lines_its_prices_and_what_was_reported(server, sql):
    cost = {"botanu.cost.amount": "0.01"}
    server.post(
        "/v1/traces", content=body(*run_spans(calls=[{**llm(input=2000, output=300), **cost}])), headers=PROTOBUF
    )
    ((span_id, trace_id),) = sql("SELECT span_id, trace_id FROM spans WHERE priced")

    made = server.get("/v1/prices/explain", params={"span_id": span_id, "trace_id": trace_id}).json()

    assert (made["reported_cost"], made["computed_cost"], made["difference"]) == (0.01, 0.008, 0.002)
    assert (made["cost"], made["cost_source"], made["reported_by"], made["counted"]) == (
        0.01,
        "reported",
        "program",
        True,
    )
    assert (made["run_id"], made["event_id"], made["commands"]) == ("r-1", "e-1", [])
    lines = [(line["meter"], line["quantity"], line["unit_price"], line["per"]) for line in made["lines"]]
    assert lines == [
        ("reported_cost", 1, None, None),
        ("input_uncached_tokens", 2000, 2.5, 1_000_000),
        ("output_text_tokens", 300, 10, 1_000_000),
    ]


def test_a_span_that_is_not_there_or_not_the_only_one_is_told(pricing, lab):
    ids = {"span_id": b"\1" * 8}
    lab.send(span(**ids, trace_id=b"\1" * 16), span(**ids, trace_id=b"\2" * 16))

    for given, message in (
        ({"span_id": "x"}, "16 hex digits"),
        ({"span_id": "0" * 16}, "there is no span"),
        ({"span_id": "01" * 8}, "several traces have a span"),
        ({"span_id": "01" * 8, "trace_id": "01"}, "32 hex digits"),
    ):
        with pytest.raises(QueryError, match=message):
            pricing.explain_span(**given)
    assert pricing.explain_span(span_id="01" * 8, trace_id="02" * 16)["priced"] is None


# --- What has no price --------------------------------------------------------------------------------


def test_what_has_no_price_is_told_by_what_it_lacks(pricing, lab):
    start = int(datetime(2026, 11, 1, tzinfo=UTC).timestamp()) * 10**9
    lab.send(*run_spans(calls=[llm("x", "acme", input=10, output=5)] * 2, start=start))
    lab.send(
        usage(botanu__usage__pages=2), span("chat", gen_ai__operation__name="chat", gen_ai__provider__name="openai")
    )
    found = pricing.missing(window="all")["unpriced"]

    first = found[0]
    assert (first["provider"], first["model"], first["calls"], first["notes"]) == ("acme", "x", 2, ["no_price"])
    assert [(part["meter"], part["quantity"]) for part in first["meters"]] == [
        ("input_uncached_tokens", 20),
        ("output_text_tokens", 10),
    ]
    assert first["commands"] == [
        "botanu prices set acme x input_tokens AMOUNT --per 1000000",
        "botanu prices set acme x output_tokens AMOUNT --per 1000000",
        "botanu recost --from 2026-11-01",
    ]
    others = {each["provider"]: (each["notes"], each["commands"]) for each in found[1:]}
    assert others["acme"][1][0] == "botanu prices set acme '*' pages AMOUNT"
    assert others["openai"] == (["no_usage"], [])
    assert pricing.missing(since="2026-11-01", until="2026-11-02")["unpriced"] == found[:1]


def test_costs_of_two_currencies_are_never_added(server, sql):
    for provider, currency in (("acme", "EUR"), ("brand", "USD"), ("chf", "CHF")):
        price = {"provider": provider, "meter": "pages", "amount": "0.50", "currency": currency}
        assert server.post("/v1/prices", json=price).status_code == 200
    calls = [{"gen_ai.provider.name": name, "botanu.usage.pages": 3} for name in ("acme", "acme", "brand", "chf")]
    server.post("/v1/traces", content=body(*run_spans(calls=calls)), headers=PROTOBUF)
    server.post(
        "/v1/traces",
        content=body(*run_spans(run_id="r-2", calls=calls[:1], status="success")),
        headers=PROTOBUF,
    )

    assert sql("SELECT total_cost, other_costs, unpriced_calls FROM runs ORDER BY run_id") == [
        [1.5, [{"currency": "CHF", "amount": 1.5}, {"currency": "EUR", "amount": 3.0}], 0],
        [None, [{"currency": "EUR", "amount": 1.5}], 0],
    ]
    assert sql("SELECT total_cost, other_costs FROM events") == [
        [1.5, [{"currency": "CHF", "amount": 1.5}, {"currency": "EUR", "amount": 4.5}]],
    ]
    coverage = server.get("/v1/reports?window=all").json()["coverage"]
    assert coverage["other_costs"] == [{"currency": "CHF", "amount": 1.5}, {"currency": "EUR", "amount": 4.5}]
    assert coverage["attributed"] == 1.0


def test_a_report_names_what_most_often_has_no_price(server):
    calls = [llm(f"m-{number}", "acme", input=1) for number in range(12)] + [llm("m-7", "acme", input=1)]
    server.post("/v1/traces", content=body(*run_spans(calls=calls)), headers=PROTOBUF)
    coverage = server.get("/v1/reports?window=all").json()["coverage"]

    assert (coverage["unpriced_calls"], len(coverage["unpriced"])) == (13, 10)
    assert (coverage["unpriced"][0]["model"], coverage["unpriced"][0]["calls"]) == ("m-7", 2)


def test_own_prices_are_there_again_after_a_restart(tmp_path):
    lab = Lab(tmp_path / "store")
    Pricing(lab.store, Clock(), CATALOG).set_price(**pages(amount="1"))
    lab.store.close()
    lab = Lab(tmp_path / "store")
    again = Pricing(lab.store, Clock(), CATALOG)
    lab.store.close()

    assert again.current.card(Kind("acme", ("m",), is_listed=False)) is not None
