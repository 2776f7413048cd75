"""What pricing booked calls anew answers, and does; through the service, and over HTTP."""

from datetime import UTC, datetime, timedelta
from decimal import ROUND_HALF_EVEN, Decimal

import httpx2
import pytest
from starlette.applications import Starlette
from support.lab import CATALOG, NOW
from support.otlp import llm, run_spans

from botanu.errors import QueryError
from botanu.pricing.own_prices import OwnDiscount, OwnPrice, Scope
from botanu.pricing.price_list import OwnTerms, PriceList
from botanu.pricing.terms import term_id
from botanu.server import recost as recosting
from botanu.server.api import ERRORS, api_routes
from botanu.server.cost_api import cost_routes
from botanu.server.run import serving
from botanu.server.service import Service
from botanu.server.settings import ServerSettings

START = int(NOW.timestamp()) * 10**9
LATER = NOW + timedelta(hours=1)
WINDOW = {"since": "2026-11-01", "until": "2026-12-01"}
TOKENS = (1, 33, 123_457)


def priced_at(amount, **more):
    price = OwnPrice(Scope("openai", "gpt-4o"), "input_tokens", Decimal(amount), "USD", 10**6)
    return PriceList(CATALOG, OwnTerms((price,), **more))


def rounded(tokens, amount):
    """An amount worked out apart: quantity x price, to the nano-unit, halves to the even one."""
    return (Decimal(tokens) * Decimal(amount) / 10**6).quantize(Decimal("1e-9"), ROUND_HALF_EVEN)


@pytest.fixture
def service(lab):
    """A store in which gpt-4o was booked at 25.55 dollars a million input tokens; the price of now is 2.55."""
    calls = [*(llm(input=tokens) for tokens in TOKENS), llm("x", "y", input=5)]
    lab.send(*run_spans(run_id="r-1", status="success", start=START, calls=calls), prices=priced_at("25.55"))
    lab.store.set_terms([OwnPrice(Scope("openai", "gpt-4o"), "input_tokens", Decimal("2.55"), "USD", 10**6)], LATER)
    return Service(lab.store, ServerSettings(), clock=lambda: LATER)


BEFORE, AFTER = (sum(rounded(tokens, price) for tokens in TOKENS) for price in ("25.55", "2.55"))
NONE = {"changed": 0, "newly_priced": 0, "no_longer_priced": 0, "left_out": 0}
OPENAI = {"provider": "openai", "model": "gpt-4o", "currency": "USD", **NONE, "calls": 3, "changed": 3}
AMOUNTS = {"cost_before": BEFORE, "cost_after": AFTER, "difference": AFTER - BEFORE}
UNKNOWN = {"cost_before": None, "cost_after": None, "difference": 0}
DRY = {
    "dry_run": True,
    "restated": 0,
    "rows": [
        {**OPENAI, **AMOUNTS},
        {"provider": "y", "model": "x", "currency": "USD", **NONE, "calls": 1, **UNKNOWN},
    ],
    "totals": [{"currency": "USD", **NONE, "calls": 4, "changed": 3, **AMOUNTS}],
}


def test_a_dry_run_shows_the_exact_difference_and_changes_nothing(service, lab):
    before = (lab.tables(), lab.rows("FROM prices"), lab.rows("FROM cost_changes"))

    assert service.recost(**WINDOW, dry_run=True) == DRY
    assert (lab.tables(), lab.rows("FROM prices"), lab.rows("FROM cost_changes")) == before


def test_writing_does_what_the_dry_run_showed(service, lab):
    assert service.recost(**WINDOW, by="ann", reason="contract") == {**DRY, "dry_run": False, "restated": 3}
    assert lab.run("r-1")["total_cost"] == AFTER
    assert service.recost(**WINDOW) == {
        "dry_run": False,
        "restated": 0,
        "rows": [
            {**OPENAI, "changed": 0, "cost_before": AFTER, "cost_after": AFTER, "difference": 0},
            DRY["rows"][1],
        ],
        "totals": [
            {**DRY["totals"][0], "changed": 0, "cost_before": AFTER, "cost_after": AFTER, "difference": 0},
        ],
    }
    assert lab.row("SELECT count(*) AS n, min(changed_by) AS by, min(reason) AS why FROM cost_changes") == {
        "n": 3,
        "by": "ann",
        "why": "contract",
    }


def test_every_price_that_is_used_can_be_looked_up(service, lab):
    lab.store.withdraw_terms([term_id(recorded.term) for recorded in lab.store.recorded_terms()], LATER)
    lab.store.set_terms([OwnDiscount(Scope("openai"), Decimal(15))], LATER)
    service.recost(**WINDOW)

    assert lab.rows("SELECT DISTINCT price_source, unit_price FROM line_items WHERE provider = 'openai'") == [
        {"price_source": f"{CATALOG.source}, less 15 %", "unit_price": Decimal("2.125")}
    ]


def test_a_report_as_of_before_shows_what_was_booked(service):
    before = service.report(window="all")
    service.recost(**WINDOW)
    then = service.report(window="all", as_of="2026-11-22T12:59:59Z")

    assert (before["as_of"], then["as_of"]) == (None, "2026-11-22T12:59:59+00:00")
    assert before["coverage"].pop("unpriced")  # which kinds of call lack a price is told as of now alone
    assert not then["coverage"].pop("unpriced")
    assert {**then, "as_of": None} == before
    assert service.report(window="all")["total"]["cost"] == AFTER


def test_without_an_end_the_window_ends_now_and_the_filters_choose(service):
    assert service.recost(since="2026-11-22", dry_run=True) == DRY
    assert service.recost(since="2026-11-22", dry_run=True, provider="y")["totals"][0]["calls"] == 1
    assert service.recost(since="2026-11-22", dry_run=True, model="gpt-4o")["rows"] == DRY["rows"][:1]
    assert service.recost(since="2026-11-22T12:00:01Z", dry_run=True)["rows"] == []


def test_few_calls_at_a_time_come_to_the_same(service, monkeypatch):
    monkeypatch.setattr(recosting, "BATCH_CALLS", 1)

    assert service.recost(**WINDOW) == {**DRY, "dry_run": False, "restated": 3}


@pytest.mark.parametrize(
    ("since", "until", "message"),
    [
        ("soon", None, "'soon' is no date"),
        ("2026-11-23", None, "the window from 2026-11-23 to now holds no time"),
        ("2026-11-02", "2026-11-02", "the window from 2026-11-02 to 2026-11-02 holds no time"),
    ],
)
def test_a_window_that_is_none_is_told(service, since, until, message):
    with pytest.raises(QueryError, match=message):
        service.recost(since=since, until=until)


def test_without_terms_the_prices_are_those_of_the_price_list(lab):
    lab.send(*run_spans(run_id="r-1", start=START, calls=[llm(input=1000)]), prices=priced_at(1000))
    done = Service(lab.store, ServerSettings(), clock=lambda: datetime(2030, 1, 1, tzinfo=UTC)).recost(**WINDOW)

    assert (done["restated"], lab.run("r-1")["total_cost"]) == (1, Decimal("0.0025"))


class TestOverHttp:
    @pytest.fixture
    def client(self, service):
        app = Starlette(routes=[*api_routes(service), *cost_routes(service)], exception_handlers=ERRORS)
        with serving(app, ServerSettings(port=0)) as address, httpx2.Client(base_url=address, timeout=30.0) as client:
            yield client

    def test_it_answers_alike(self, client, lab):
        asked = {"from": "2026-11-01", "to": "2026-12-01", "by": "ann", "reason": "contract"}
        shown = client.post("/v1/recost", json={**asked, "dry_run": True}).json()
        done = client.post("/v1/recost", json={**asked, "provider": "openai", "model": None}).json()

        assert shown["totals"][0]["difference"] == float(AFTER - BEFORE)
        assert (done["restated"], done["rows"]) == (3, shown["rows"][:1])
        then = client.get("/v1/reports", params={"window": "all", "as_of": "2026-11-22T12:30Z"}).json()
        assert then["total"]["cost"] == float(BEFORE)
        assert client.get("/v1/reports", params={"window": "all"}).json()["total"]["cost"] == float(AFTER)

    @pytest.mark.parametrize(
        ("asked", "message"),
        [
            ({}, "missing from"),
            ({"from": "2026-11-01", "dry_run": "yes"}, "dry_run must be true or false"),
            ({"from": "2026-11-01", "dryrun": True}, "unknown dryrun"),
            ({"from": 2026}, "from must be text"),
            ({"from": "soon"}, "'soon' is no date"),
        ],
    )
    def test_what_cannot_be_meant_is_refused(self, client, asked, message):
        response = client.post("/v1/recost", json=asked)

        assert response.status_code == 400
        assert message in response.json()["error"]
        assert "as_of" in client.get("/v1/reports?window=all").json()
